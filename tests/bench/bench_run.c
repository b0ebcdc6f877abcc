/* The measurements of ecg-bench. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "net/spec.h"

enum { POOL_BATCHES = 8, MOST_LATENCIES = 100000 };

/* A trainer of more bytes than this is not made twice to see what one thread does. */
static const double most_twice_mib = 512.0;

typedef struct contest {
    const bench_settings *set;
    bench_figures *f;
    float *x; /* [POOL_BATCHES][batch][h][w][c] */
    uint32_t *y;
    float *probs;
    double *each; /* [MOST_LATENCIES] */
    size_t sample;
    ecg_spec *spec;
    ecg_trainer *trainer, *trainer_one;
    ecg_session *session, *session_one;
    ecg__pool *pool;
    bench_gemm *gemm;
} contest;

static double peak_mib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024.0;
}

static void make_inputs(contest *c)
{
    const uint32_t batch = c->set->batch, classes = ecg_spec_outputs(c->spec);
    const size_t n = (size_t)POOL_BATCHES * batch;
    c->sample = (size_t)c->f->input.h * c->f->input.w * c->f->input.c;
    c->x = ecg__alloc(n * c->sample * sizeof *c->x);
    c->y = ecg__alloc(n * sizeof *c->y);
    c->probs = ecg__alloc((size_t)batch * classes * sizeof *c->probs);
    c->each = ecg__alloc(MOST_LATENCIES * sizeof *c->each);
    if (!c->x || !c->y || !c->probs || !c->each)
        bench_die("out of memory");
    ecg__rng r = ecg__rng_at(1, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n * c->sample; i++)
        c->x[i] = ecg__rng_float(&r);
    for (size_t i = 0; i < n; i++)
        c->y[i] = ecg__rng_below(&r, classes);
}

/* Pictures per second. */
static double train(contest *c, ecg_trainer *t, double seconds)
{
    ecg_error err = {ECG_OK, 0, ""};
    const uint32_t batch = c->set->batch;
    size_t k = 0;
    const double start = bench_now();
    double took;
    do {
        const size_t at = k++ % POOL_BATCHES * batch;
        ecg_step step;
        bench_need(ecg_trainer_step(t, c->x + at * c->sample, c->y + at, batch, &step, &err), &err);
        took = bench_now() - start;
    } while (took < seconds);
    return (double)(k * batch) / took;
}

static double infer(contest *c, ecg_session *s, double seconds)
{
    const uint32_t batch = c->set->batch;
    size_t k = 0;
    const double start = bench_now();
    double took;
    do {
        const size_t at = k++ % POOL_BATCHES * batch;
        ecg_session_run(s, c->x + at * c->sample, batch, c->probs);
        took = bench_now() - start;
    } while (took < seconds);
    return (double)(k * batch) / took;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void latency(contest *c, double seconds, double *p50, double *p99)
{
    size_t k = 0;
    const double start = bench_now();
    double last = start;
    do {
        const size_t at = k % ((size_t)POOL_BATCHES * c->set->batch);
        ecg_session_run(c->session, c->x + at * c->sample, 1, c->probs);
        const double t = bench_now();
        c->each[k++] = 1e3 * (t - last);
        last = t;
    } while (last - start < seconds && k < MOST_LATENCIES);
    qsort(c->each, k, sizeof *c->each, by_value);
    *p50 = c->each[k / 2];
    *p99 = c->each[(k * 99 + 99) / 100 - 1];
}

/* ---- layers ---- */

static void name_layers(contest *c)
{
    bench_figures *f = c->f;
    f->layers = ecg_spec_layers(c->spec);
    f->layer = ecg__calloc(f->layers, sizeof *f->layer);
    if (!f->layer)
        bench_die("out of memory");
    uint32_t first = 0; /* to be trained */
    while (first + 1 < f->layers && ecg_spec_layer(c->spec, first).params == 0)
        first++;
    for (uint32_t i = 0; i < f->layers; i++) {
        const ecg_layer_info info = ecg_spec_layer(c->spec, i);
        bench_layer *l = &f->layer[i];
        char text[32];
        ecg_spec_layer_text(c->spec, i, text, sizeof text);
        snprintf(l->name, sizeof l->name, "%u %s %s", i + 1, info.name, text);
        l->products = strcmp(info.name, "conv2d") == 0 || strcmp(info.name, "dense") == 0;
        const double macs = (double)info.macs;
        l->forward_flops = 2.0 * macs;
        l->backward_flops = i < first ? 0.0 : 2.0 * macs * ((info.params > 0) + (i > first));
        f->macs += macs;
        f->train_macs += macs + 0.5 * l->backward_flops;
    }
}

/* Milliseconds for one picture, of all threads. */
static double for_one(const ecg_profile_entry *e)
{
    return e->pictures ? 1e3 * e->seconds / (double)e->pictures : 0.0;
}

static void time_layers(contest *c, uint32_t r, double seconds)
{
    ecg_error err = {ECG_OK, 0, ""};
    ecg_profile_entry e;
    bench_need(ecg_trainer_profile(c->trainer, 1, &err), &err);
    train(c, c->trainer, seconds);
    bench_need(ecg_trainer_profile(c->trainer, 0, &err), &err);
    for (size_t i = 0; ecg_trainer_profile_entry(c->trainer, i, &e); i++) {
        if (e.layer && strcmp(e.stage, "forward") == 0)
            c->f->layer[e.index].forward[r] = for_one(&e);
        if (e.layer && strcmp(e.stage, "backward") == 0)
            c->f->layer[e.index].backward[r] = for_one(&e);
    }
    bench_need(ecg_session_profile(c->session, 1, &err), &err);
    infer(c, c->session, seconds);
    bench_need(ecg_session_profile(c->session, 0, &err), &err);
    for (size_t i = 0; ecg_session_profile_entry(c->session, i, &e); i++)
        if (e.layer)
            c->f->layer[e.index].infer[r] = for_one(&e);
    for (uint32_t i = 0; i < c->f->layers; i++)
        for (int k = 0; k < BENCH_PRODUCTS; k++)
            c->f->layer[i].product[k][r] = bench_gemm_product(c->gemm, i, k, 0.1 * seconds);
}

/* ---- all ---- */

static ecg_trainer *make_trainer(const contest *c, uint32_t threads)
{
    ecg_error err = {ECG_OK, 0, ""};
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    ecg_trainer *t = NULL;
    o.batch = c->set->batch;
    o.threads = threads;
    bench_need(ecg_trainer_new(&t, c->spec, &o, &err), &err);
    return t;
}

/* A session needs a model: names for the classes, and how pictures were prepared. */
static void make_sessions(contest *c)
{
    ecg_error err = {ECG_OK, 0, ""};
    const uint32_t classes = ecg_spec_outputs(c->spec);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = c->f->input.h, p.w = c->f->input.w;
    p.color = c->f->input.c == 3 ? ECG_COLOR_RGB : ECG_COLOR_GRAY;
    const char **names = calloc(classes, sizeof *names);
    char(*digits)[12] = calloc(classes, sizeof *digits);
    if (!names || !digits)
        bench_die("out of memory");
    for (uint32_t i = 0; i < classes; i++) {
        snprintf(digits[i], sizeof digits[i], "%u", i);
        names[i] = digits[i];
    }
    const ecg_model_info info = {sizeof info, &p, names, NULL};
    ecg_model *model = NULL;
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    bench_need(ecg_trainer_snapshot(c->trainer, &info, &model, &err), &err);
    o.threads = c->set->threads;
    bench_need(ecg_session_new(&c->session, model, &o, &err), &err);
    o.threads = 1;
    bench_need(ecg_session_new(&c->session_one, model, &o, &err), &err);
    ecg_model_free(model);
    free(digits), free(names);
}

static void run_rounds(contest *c)
{
    bench_figures *f = c->f;
    const double seconds = c->set->seconds;
    for (uint32_t r = 0; r < c->set->rounds; r++) {
        f->train[r] = train(c, c->trainer, seconds);
        f->infer[r] = infer(c, c->session, seconds);
        latency(c, seconds, &f->p50[r], &f->p99[r]);
        f->cube[r] = bench_gemm_cube(c->gemm, seconds);
        if (c->trainer_one && f->threads > 1) {
            f->train_one[r] = train(c, c->trainer_one, seconds);
            f->infer_one[r] = infer(c, c->session_one, seconds);
        }
        time_layers(c, r, 0.5 * seconds);
    }
}

void bench_measure(const bench_settings *set, bench_figures *f)
{
    ecg_error err = {ECG_OK, 0, ""};
    contest c = {.set = set, .f = f};
    const ecg_shape said = {set->h, set->w, 0}, usual = {64, 64, 1};
    if (ecg_spec_parse(&c.spec, set->net, &said, set->classes, &err) != ECG_OK)
        bench_need(ecg_spec_parse(&c.spec, set->net, &usual, set->classes, &err), &err);
    f->input = ecg_spec_input(c.spec);
    ecg_spec_print(c.spec, f->text, sizeof f->text);
    make_inputs(&c);
    name_layers(&c);
    c.trainer = make_trainer(&c, set->threads);
    f->trainer_mib = (double)ecg_trainer_bytes(c.trainer) / 1048576.0;
    train(&c, c.trainer, 0.2); /* warms up */
    f->peak_train_mib = peak_mib();
    make_sessions(&c);
    infer(&c, c.session, 0.1);
    f->peak_mib = peak_mib();
    if (f->trainer_mib <= most_twice_mib)
        c.trainer_one = make_trainer(&c, 1);
    if (ecg__pool_new(&c.pool, set->threads) != ECG_OK)
        bench_die("out of memory");
    f->threads = ecg__pool_workers(c.pool);
    c.gemm = bench_gemm_new(c.spec, set->batch, c.pool);
    run_rounds(&c);
    bench_gemm_free(c.gemm);
    ecg__pool_free(c.pool);
    ecg_session_free(c.session);
    ecg_session_free(c.session_one);
    ecg_trainer_free(c.trainer);
    ecg_trainer_free(c.trainer_one);
    ecg_spec_free(c.spec);
    ecg__free(c.x), ecg__free(c.y), ecg__free(c.probs), ecg__free(c.each);
}
