/* ecg-bench: how fast training and inference are, beside what the BLAS gives in the same run.
 *
 *     ecg-bench [--net NAME|TEXT] [--size HxW] [--classes N] [--batch N] [--threads N] [--seconds S]
 * [--rounds N] [--json]
 *
 * Each round measures everything for S seconds, one after the other, so that a machine that changes its speed
 * changes it for all; the figures are medians over the rounds. Pictures are uniform noise, already in memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "ecgcnn/ecgcnn.h"
#include "math/gemm.h"

enum { POOL_BATCHES = 8, MOST_ROUNDS = 99, MOST_LATENCIES = 100000, GEMM_SIDE = 2048 };

typedef struct settings {
    const char *net;
    uint32_t h, w, classes, batch, threads, rounds;
    double seconds;
    int json;
} settings;

typedef struct figures { /* one per round */
    double train[MOST_ROUNDS], infer[MOST_ROUNDS], latency[MOST_ROUNDS], gflops[MOST_ROUNDS];
    double peak_train_mib, peak_mib, trainer_mib;
    uint32_t threads;
    uint64_t macs, train_macs;
    char text[2048];
} figures;

typedef struct inputs {
    float *x; /* [POOL_BATCHES][batch][h][w][1] */
    uint32_t *y;
    float *probs;
    size_t sample;
} inputs;

typedef struct gemm_job {
    float *a, *b, *c; /* [workers][side][side] */
} gemm_job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double peak_mib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024.0;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

static void die(const char *what)
{
    fprintf(stderr, "ecg-bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void need(ecg_status s, const ecg_error *err)
{
    if (s != ECG_OK)
        die(err->message);
}

/* Starts this program once more where the BLAS would then choose faster kernels, as the tools do. */
static void choose_kernels(char **argv)
{
    const char *core = ecg_blas_advice();
    if (core && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv("/proc/self/exe", argv); /* where that fails, with the kernels as they are */
}

static inputs make_inputs(const settings *set)
{
    const size_t sample = (size_t)set->h * set->w, n = (size_t)POOL_BATCHES * set->batch;
    inputs in = {ecg__alloc(n * sample * sizeof(float)), ecg__alloc(n * sizeof(uint32_t)),
                 ecg__alloc((size_t)set->batch * set->classes * sizeof(float)), sample};
    if (!in.x || !in.y || !in.probs)
        die("out of memory");
    ecg__rng r = ecg__rng_at(1, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n * sample; i++)
        in.x[i] = ecg__rng_float(&r);
    for (size_t i = 0; i < n; i++)
        in.y[i] = ecg__rng_below(&r, set->classes);
    return in;
}

static double time_training(ecg_trainer *t, const settings *set, const inputs *in, double seconds)
{
    ecg_error err = {ECG_OK, 0, ""};
    ecg_step step;
    size_t k = 0;
    const double start = now();
    do {
        const size_t at = k++ % POOL_BATCHES * set->batch;
        need(ecg_trainer_step(t, in->x + at * in->sample, in->y + at, set->batch, &step, &err), &err);
    } while (now() - start < seconds);
    return (double)(k * set->batch) / (now() - start);
}

static double time_inference(ecg_session *s, const settings *set, const inputs *in, double seconds)
{
    size_t k = 0;
    const double start = now();
    do {
        const size_t at = k++ % POOL_BATCHES * set->batch;
        ecg_session_run(s, in->x + at * in->sample, set->batch, in->probs);
    } while (now() - start < seconds);
    return (double)(k * set->batch) / (now() - start);
}

/* Median milliseconds of one picture at a time. */
static double time_latency(ecg_session *s, const settings *set, const inputs *in, double seconds,
                           double *each)
{
    size_t k = 0;
    const double start = now();
    double last = start;
    do {
        const size_t at = k % ((size_t)POOL_BATCHES * set->batch);
        ecg_session_run(s, in->x + at * in->sample, 1, in->probs);
        const double t = now();
        each[k++] = 1e3 * (t - last);
        last = t;
    } while (last - start < seconds && k < MOST_LATENCIES);
    return median(each, k);
}

static void gemm_one(void *ctx, size_t item, uint32_t worker)
{
    const gemm_job *job = ctx;
    const size_t n = GEMM_SIDE, at = item * n * n;
    (void)worker;
    ecg__gemm(false, false, n, n, n, job->a + at, n, job->b + at, n, 0.0f, job->c + at, n);
}

/* GFLOP/s of all workers together, each with a product of its own. */
static double time_gemm(ecg__pool *pool, gemm_job *job, double seconds)
{
    const uint32_t workers = ecg__pool_workers(pool);
    size_t k = 0;
    const double start = now();
    do {
        ecg__parallel_for(pool, workers, gemm_one, job);
        k++;
    } while (now() - start < seconds);
    const double side = GEMM_SIDE;
    return 1e-9 * 2.0 * side * side * side * (double)(k * workers) / (now() - start);
}

static gemm_job make_gemm_job(uint32_t workers)
{
    const size_t n = (size_t)workers * GEMM_SIDE * GEMM_SIDE;
    gemm_job job = {ecg__alloc(n * sizeof(float)), ecg__alloc(n * sizeof(float)),
                    ecg__alloc(n * sizeof(float))};
    if (!job.a || !job.b || !job.c)
        die("out of memory");
    for (size_t i = 0; i < n; i++) {
        job.a[i] = (float)(i % 7) - 3.0f;
        job.b[i] = (float)(i % 5) - 2.0f;
    }
    return job;
}

static void measure(const settings *set, figures *f)
{
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_shape input = {set->h, set->w, 1};
    ecg_spec *spec = NULL;
    need(ecg_spec_parse(&spec, set->net, &input, set->classes, &err), &err);
    ecg_spec_print(spec, f->text, sizeof f->text);
    /* Backward is twice forward, but the first layer that computes has no gradient to hand back. */
    for (uint32_t i = 0; i < ecg_spec_layers(spec); i++) {
        const uint64_t macs = ecg_spec_layer(spec, i).macs;
        f->train_macs += f->macs == 0 ? 2 * macs : 3 * macs;
        f->macs += macs;
    }

    inputs in = make_inputs(set);
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.batch = set->batch;
    o.threads = set->threads;
    ecg_trainer *trainer = NULL;
    need(ecg_trainer_new(&trainer, spec, &o, &err), &err);
    f->trainer_mib = (double)ecg_trainer_bytes(trainer) / 1048576.0;
    time_training(trainer, set, &in, 0.2); /* warms up */
    f->peak_train_mib = peak_mib();

    /* A session needs a model: names for the classes, and how pictures were prepared. */
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = set->h, p.w = set->w;
    const char **names = calloc(set->classes, sizeof *names);
    char(*digits)[12] = calloc(set->classes, sizeof *digits);
    double *each = malloc(MOST_LATENCIES * sizeof *each);
    if (!names || !digits || !each)
        die("out of memory");
    for (uint32_t i = 0; i < set->classes; i++) {
        snprintf(digits[i], sizeof digits[i], "%u", i);
        names[i] = digits[i];
    }
    const ecg_model_info info = {sizeof info, &p, names, NULL};
    ecg_model *model = NULL;
    ecg_session *session = NULL;
    ecg_session_options so = ECG_SESSION_OPTIONS_INIT;
    so.threads = set->threads;
    need(ecg_trainer_snapshot(trainer, &info, &model, &err), &err);
    need(ecg_session_new(&session, model, &so, &err), &err);
    time_inference(session, set, &in, 0.1);
    f->peak_mib = peak_mib();

    ecg__pool *pool = NULL;
    if (ecg__pool_new(&pool, set->threads) != ECG_OK)
        die("out of memory");
    f->threads = ecg__pool_workers(pool);
    gemm_job job = make_gemm_job(f->threads);
    gemm_one(&job, 0, 0); /* warms up */
    for (uint32_t r = 0; r < set->rounds; r++) {
        f->train[r] = time_training(trainer, set, &in, set->seconds);
        f->infer[r] = time_inference(session, set, &in, set->seconds);
        f->latency[r] = time_latency(session, set, &in, set->seconds, each);
        f->gflops[r] = time_gemm(pool, &job, set->seconds);
    }

    ecg__pool_free(pool);
    ecg__free(job.a), ecg__free(job.b), ecg__free(job.c);
    ecg__free(in.x), ecg__free(in.y), ecg__free(in.probs);
    free(each), free(digits), free(names);
    ecg_session_free(session);
    ecg_model_free(model);
    ecg_trainer_free(trainer);
    ecg_spec_free(spec);
}

static void print_figures(const settings *set, figures *f)
{
    const size_t n = set->rounds;
    const double train = median(f->train, n), infer = median(f->infer, n), latency = median(f->latency, n),
                 gflops = median(f->gflops, n);
    const double of_train = 100.0 * train * 2.0 * (double)f->train_macs * 1e-9 / gflops;
    const double of_infer = 100.0 * infer * 2.0 * (double)f->macs * 1e-9 / gflops;
    if (set->json) {
        printf("{\"net\": \"%s\", \"h\": %u, \"w\": %u, \"classes\": %u, \"batch\": %u, \"threads\": %u, "
               "\"rounds\": %u, \"seconds\": %.9g, \"train_pictures_per_s\": %.9g, "
               "\"infer_pictures_per_s\": %.9g, \"latency_ms_p50\": %.9g, \"sgemm_gflops\": %.9g, "
               "\"train_percent_of_sgemm\": %.9g, \"infer_percent_of_sgemm\": %.9g, \"macs\": %.17g, "
               "\"trainer_mib\": %.9g, \"peak_rss_train_mib\": %.9g, \"peak_rss_mib\": %.9g, "
               "\"build\": \"%s\", \"blas_core\": \"%s\"}\n",
               f->text, set->h, set->w, set->classes, set->batch, f->threads, set->rounds, set->seconds,
               train, infer, latency, gflops, of_train, of_infer, (double)f->macs, f->trainer_mib,
               f->peak_train_mib, f->peak_mib, ecg_build_info(), ecg__blas_core());
        return;
    }
    printf("%s\n%s\n", f->text, ecg_build_info());
    printf("batch %u, %u threads, medians of %u rounds of %.3g s\n", set->batch, f->threads, set->rounds,
           set->seconds);
    printf("training           %10.0f pictures/s   %5.1f %% of SGEMM\n", train, of_train);
    printf("inference          %10.0f pictures/s   %5.1f %% of SGEMM\n", infer, of_infer);
    printf("one picture (p50)  %10.3f ms\n", latency);
    printf("SGEMM %d cube    %10.1f GFLOP/s\n", GEMM_SIDE, gflops);
    printf("memory             %10.1f MiB of the trainer, %.1f MiB peak of the process in training\n",
           f->trainer_mib, f->peak_train_mib);
}

static double number(const char *text, double lo, double hi, const char *what)
{
    char *end;
    errno = 0;
    const double v = strtod(text ? text : "", &end);
    if (!text || end == text || *end != '\0' || errno != 0 || !(v >= lo && v <= hi)) {
        fprintf(stderr, "ecg-bench: %s takes a number from %g to %g, not \"%s\"\n", what, lo, hi,
                text ? text : "");
        exit(2);
    }
    return v;
}

static settings parse(int argc, char **argv)
{
    settings s = {"seed", 64, 64, 6, 32, 0, 5, 1.0, 0};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(name, "--json") == 0) {
            s.json = 1;
            continue;
        }
        i++;
        char x = 0, rest = 0;
        if (strcmp(name, "--net") == 0 && value) {
            s.net = value;
        } else if (strcmp(name, "--size") == 0 && value) {
            if (sscanf(value, "%u%c%u%c", &s.h, &x, &s.w, &rest) != 3 || x != 'x' || s.h < 1 || s.h > 4096 ||
                s.w < 1 || s.w > 4096) {
                fprintf(stderr, "ecg-bench: --size takes ROWSxCOLUMNS, not \"%s\"\n", value);
                exit(2);
            }
        } else if (strcmp(name, "--classes") == 0) {
            s.classes = (uint32_t)number(value, 2, 65536, name);
        } else if (strcmp(name, "--batch") == 0) {
            s.batch = (uint32_t)number(value, 1, 65536, name);
        } else if (strcmp(name, "--threads") == 0) {
            s.threads = (uint32_t)number(value, 0, 256, name);
        } else if (strcmp(name, "--rounds") == 0) {
            s.rounds = (uint32_t)number(value, 1, MOST_ROUNDS, name);
        } else if (strcmp(name, "--seconds") == 0) {
            s.seconds = number(value, 0.01, 3600, name);
        } else {
            fprintf(
                stderr,
                "usage: ecg-bench [--net NAME|TEXT] [--size HxW] [--classes N] [--batch N] [--threads N]\n"
                "                 [--seconds S] [--rounds N] [--json]\n");
            exit(2);
        }
    }
    return s;
}

int main(int argc, char **argv)
{
    static figures f;
    choose_kernels(argv);
    const settings s = parse(argc, argv);
    measure(&s, &f);
    print_figures(&s, &f);
    return EXIT_SUCCESS;
}
