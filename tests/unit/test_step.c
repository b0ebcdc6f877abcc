/* A training step against an executor that is too simple to be wrong: every value in memory of its own, every
 * operation over the whole batch before the next, no threads. Same shards, so the same bits. */
#include "unit/unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "net/lower.h"
#include "train/grads.h"
#include "train/init.h"
#include "train/trainer.h"

enum { BATCH = 11, SHARDS = 4, STEPS = 3 };

/* ---- the simple executor: plain SGD ---- */

struct simple {
    const ecg_spec *spec;
    uint32_t n, layers, shards, first_trained;
    float *w, *g, *shard_g[SHARDS];
    float *v[64], *dv[64]; /* v[i]: input of layer i; dv[i]: its gradient */
    unsigned char *saved[64];
    double *partial[64];
    uint64_t key[BATCH];
    uint64_t seed;
};

static size_t shard_first(const struct simple *m, size_t s)
{
    return (size_t)m->n * s / m->shards;
}

static void run(struct simple *m, uint32_t i, const ecg__step *step, bool backward, bool infer)
{
    const ecg__layer *l = &m->spec->layer[i];
    const ecg__plan *p = &l->plan;
    const bool by_block = !infer && step->by_block;
    const size_t parts = by_block ? p->blocks : m->shards;
    void *scratch = ecg__alloc(p->train_scratch > p->scratch ? p->train_scratch : p->scratch);
    for (size_t part = 0; part < parts; part++) {
        const size_t first = by_block ? 0 : shard_first(m, part),
                     count = by_block ? m->n : shard_first(m, part + 1) - first;
        float *tensor[ECG__MAX_TENSORS], *grad[ECG__MAX_TENSORS];
        for (uint32_t t = 0; t < p->tensors; t++) {
            const ecg__slot *slot = &m->spec->slot[l->first_tensor + t];
            tensor[t] = m->w + slot->offset;
            grad[t] = !slot->tensor->trainable ? NULL : (by_block ? m->g : m->shard_g[part]) + slot->offset;
        }
        if (infer) {
            const ecg__forward_args a = {.attr = l->attr,
                                         .plan = p,
                                         .tensor = (const float *const *)tensor,
                                         .x = m->v[i] + first * p->in_count,
                                         .y = m->v[i + 1] + first * p->out_count,
                                         .n = count,
                                         .scratch = scratch};
            l->ops->forward(&a);
            continue;
        }
        const ecg__train_args a = {.attr = l->attr,
                                   .plan = p,
                                   .tensor = tensor,
                                   .x = m->v[i] + first * p->in_count,
                                   .y = m->v[i + 1] + first * p->out_count,
                                   .dy = backward ? m->dv[i + 1] + first * p->out_count : NULL,
                                   .dx = backward && i > m->first_trained ? m->dv[i] + first * p->in_count
                                                                          : NULL,
                                   .saved = m->saved[i] + first * p->saved,
                                   .key = m->key + first,
                                   .n = count,
                                   .grad = grad,
                                   .scratch = scratch,
                                   .partial = m->partial[i],
                                   .shards = m->shards,
                                   .seed = m->seed,
                                   .layer = l->origin};
        step->run(&a, part);
    }
    ecg__free(scratch);
}

static void run_steps(struct simple *m, uint32_t i, bool backward)
{
    const ecg__layer_grad *g = ecg__layer_grad_of(m->spec->layer[i].ops);
    const ecg__step *steps = backward ? g->backward : g->forward;
    if (!steps[0].run)
        run(m, i, steps, backward, true);
    for (int k = 0; k < ECG__MAX_STEPS && steps[k].run; k++)
        run(m, i, &steps[k], backward, false);
}

static double simple_step(struct simple *m, const float *x, const uint32_t *y, float lr)
{
    const uint32_t classes = ecg_spec_outputs(m->spec);
    memcpy(m->v[0], x, m->n * m->spec->layer[0].plan.in_count * sizeof *x);
    for (uint32_t i = 0; i < m->layers; i++)
        run_steps(m, i, false);
    const struct ecg__loss_args a = {.classes = classes};
    double loss = 0;
    for (uint32_t s = 0; s < m->shards; s++) {
        const size_t first = shard_first(m, s), count = shard_first(m, s + 1) - first;
        loss += ecg__cross_entropy(&a, m->v[m->layers] + first * classes, y + first, count, 1.0 / m->n,
                                   m->dv[m->layers] + first * classes, NULL, NULL);
    }
    for (uint32_t i = m->layers; i-- > m->first_trained;)
        run_steps(m, i, true);
    for (size_t i = 0; i < m->spec->trainable_floats; i++) {
        for (uint32_t s = 0; s < m->shards; s++) {
            m->g[i] += m->shard_g[s][i];
            m->shard_g[s][i] = 0;
        }
        m->w[i] -= lr * m->g[i];
        m->g[i] = 0;
    }
    return loss / m->n;
}

static void simple_new(struct simple *m, const ecg_spec *spec, uint32_t n, uint64_t seed)
{
    *m = (struct simple){
        .spec = spec, .n = n, .layers = spec->layers - 1, .shards = n < SHARDS ? n : SHARDS, .seed = seed};
    m->w = ecg__calloc(spec->floats, sizeof(float));
    m->g = ecg__calloc(spec->floats, sizeof(float));
    for (int s = 0; s < SHARDS; s++)
        m->shard_g[s] = ecg__calloc(spec->floats, sizeof(float));
    for (uint32_t i = 0; i <= m->layers; i++) {
        const ecg__plan *p = &spec->layer[i].plan;
        m->v[i] = ecg__calloc(n * p->in_count, sizeof(float));
        m->dv[i] = ecg__calloc(n * p->in_count, sizeof(float));
        m->saved[i] = ecg__calloc(n * p->saved + 1, 1);
        m->partial[i] = ecg__calloc(SHARDS * p->partial + 1, sizeof(double));
    }
    for (m->first_trained = 0; spec->layer[m->first_trained].plan.tensors == 0;)
        m->first_trained++;
    ecg__init_weights(spec, seed, m->w);
}

static void simple_free(struct simple *m)
{
    ecg__free(m->w);
    ecg__free(m->g);
    for (int s = 0; s < SHARDS; s++)
        ecg__free(m->shard_g[s]);
    for (uint32_t i = 0; i <= m->layers; i++) {
        ecg__free(m->v[i]);
        ecg__free(m->dv[i]);
        ecg__free(m->saved[i]);
        ecg__free(m->partial[i]);
    }
}

/* ---- networks ---- */

static const char *const networks[] = {
    "input 6x5x2; flatten; dense 3; softmax",
    "input 12x10x1; conv2d 4 3x3 relu; maxpool 2x2; conv2d 5 3x3 pad=same elu; flatten; dense 7 tanh; dense "
    "3; softmax",
    "input 12x10x1; conv2d 4 3x3; batchnorm relu; maxpool 2x2; conv2d 6 3x3 silu; batchnorm; dropout 0.4;"
    "global_avgpool; dense 3; softmax",
    "input 9x9x3; avgpool 2x2; dropout 0.3; relu; conv2d 4 3x3 gelu; dropout 0.2; global_maxpool; dense 3; "
    "softmax",
    "input 8x8x1; conv2d 4 3x3 relu; relu; dropout 0.5; sigmoid; leaky_relu; flatten; relu; dense 9 elu; "
    "batchnorm;"
    "dropout 0.1; dense 3; softmax",
    "input 8x8x1; batchnorm; conv2d 3 3x3; relu; softmax; global_avgpool; softmax",
    "input 14x13x1; conv2d 8 3x3 relu; maxpool 2x2; dropout 0.3; conv2d 16 3x3 pad=same; maxpool 3x2; "
    "flatten;"
    "dropout 0.2; dense 3; softmax",
};

static void data(const ecg_spec *spec, uint32_t n, uint64_t seed, float **x, uint32_t *y)
{
    const size_t values = spec->layer[0].plan.in_count;
    *x = ecg__alloc(n * values * sizeof **x);
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_AUGMENT, 0, 0);
    for (size_t i = 0; i < n * values; i++)
        (*x)[i] = (float)ecg__rng_normal(&r);
    for (uint32_t i = 0; i < n; i++)
        y[i] = ecg__rng_below(&r, 3);
}

START_TEST(bits_are_those_of_the_simple_executor)
{
    for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
        ecg_error e;
        ecg_spec *spec;
        ck_ok(ecg_spec_parse(&spec, networks[k], NULL, 0, &e), e);
        ecg_spec *low = ecg__spec_lower(spec);
        for (uint32_t n = 1; n <= BATCH; n += 5) { /* 1, 6 and 11 samples: fewer than shards, uneven shards */
            struct simple m;
            simple_new(&m, low, n, 77);
            ecg__init_weights(spec, 77, m.w); /* by places in the network as it was written */
            ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
            o.optimizer = ECG_SGD;
            o.lr = 0.05f;
            o.batch = BATCH;
            o.shards = SHARDS;
            o.seed = 77;
            o.threads = 3;
            ecg_trainer *t;
            ck_ok(ecg_trainer_new(&t, spec, &o, &e), e);
            for (uint32_t s = 0; s < STEPS; s++) {
                float *x;
                uint32_t y[BATCH];
                data(spec, n, s, &x, y);
                for (uint32_t i = 0; i < n; i++)
                    m.key[i] = (uint64_t)(s + 1) << 32 | i;
                const double loss = simple_step(&m, x, y, 0.05f);
                ecg_step out;
                ck_ok(ecg_trainer_step(t, x, y, n, &out, &e), e);
                ck_assert_msg(out.loss == loss, "network %zu, %u samples, step %u: loss is %.17g, not %.17g",
                              k, n, s, out.loss, loss);
                ck_assert_uint_eq(out.step, s + 1);
                ck_assert_msg(memcmp(t->weights, m.w, spec->floats * sizeof(float)) == 0,
                              "network %zu, %u samples, step %u: weights differ", k, n, s);
                ecg__free(x);
            }
            ecg_trainer_free(t);
            simple_free(&m);
        }
        ecg_spec_free(low);
        ecg_spec_free(spec);
    }
}
END_TEST

/* ---- the gradient of a whole network by finite differences ---- */

static double loss_at(ecg_trainer *t, const float *x, const uint32_t *y, uint32_t n)
{
    /* A rate so small that no weight moves. */
    const ecg__feed feed = {.x = x, .y = y};
    ecg_error e;
    ecg_step out;
    ck_ok(ecg__trainer_step(t, &feed, n, 1e-37f, &out, &e), e);
    return out.loss;
}

START_TEST(gradient_of_a_network)
{
    ecg_error e;
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(
              &spec,
              "input 8x8x1; conv2d 3 3x3 tanh; batchnorm; avgpool 2x2; flatten; dense 5 l2=0.02 silu;"
              "dense 3; softmax",
              NULL, 0, &e),
          e);
    static const float class_weights[3] = {0.5f, 1.0f, 2.0f};
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.optimizer = ECG_SGD;
    o.lr = 1.0f;
    o.batch = 8;
    o.threads = 2;
    o.l2 = 0.01f;
    o.label_smoothing = 0.1f;
    o.class_weights = class_weights;
    for (uint32_t weighted = 0; weighted < 2; weighted++) {
        o.weighted_mean = weighted;
        ecg_trainer *t;
        ck_ok(ecg_trainer_new(&t, spec, &o, &e), e);
        float *x;
        uint32_t y[8];
        data(spec, 8, 9, &x, y);
        float *before = ecg__alloc(spec->floats * sizeof *before),
              *after = ecg__alloc(spec->floats * sizeof *after);
        memcpy(before, t->weights, spec->floats * sizeof *before);
        ck_ok(ecg_trainer_step(t, x, y, 8, NULL, &e), e);
        memcpy(after, t->weights, spec->floats * sizeof *after);
        double worst = 0, largest = 0;
        for (size_t i = 0; i < spec->trainable_floats; i++) {
            const float h = 0x1p-7f;
            memcpy(t->weights, before, spec->floats * sizeof *before);
            t->weights[i] = before[i] + h;
            const double up = loss_at(t, x, y, 8);
            t->weights[i] = before[i] - h;
            const double down = loss_at(t, x, y, 8);
            const double numeric = (up - down) / (2 * (double)h), step = (double)before[i] - (double)after[i];
            const double off = numeric > step ? numeric - step : step - numeric;
            worst = off > worst ? off : worst;
            largest = step > largest ? step : largest;
        }
        ck_assert_double_lt(worst, 2e-3);
        ck_assert_double_gt(largest, 0.05);
        ecg__free(x);
        ecg__free(before);
        ecg__free(after);
        ecg_trainer_free(t);
    }
    ecg_spec_free(spec);
}
END_TEST

START_TEST(clipping_bounds_the_step)
{
    ecg_error e;
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, networks[1], NULL, 0, &e), e);
    float *x;
    uint32_t y[8];
    data(spec, 8, 1, &x, y);
    double norm[3], most[3];
    for (int k = 0; k < 3; k++) {
        ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
        o.optimizer = ECG_SGD;
        o.lr = 1.0f;
        o.clip_norm = k == 1 ? 0.01f : 0;
        o.clip_value = k == 2 ? 0.001f : 0;
        ecg_trainer *t;
        ck_ok(ecg_trainer_new(&t, spec, &o, &e), e);
        float *before = ecg__alloc(spec->floats * sizeof *before);
        memcpy(before, t->weights, spec->floats * sizeof *before);
        ck_ok(ecg_trainer_step(t, x, y, 8, NULL, &e), e);
        norm[k] = most[k] = 0;
        for (size_t i = 0; i < spec->floats; i++) {
            const double d = (double)before[i] - (double)t->weights[i], size = d < 0 ? -d : d;
            norm[k] += d * d;
            most[k] = size > most[k] ? size : most[k];
        }
        ecg__free(before);
        ecg_trainer_free(t);
    }
    ck_assert_double_gt(norm[0], 1e-4 * 4);
    ck_assert_double_eq_tol(norm[1], 1e-4, 1e-6);
    ck_assert_double_le(most[2], 0.001 + 1e-6);
    ck_assert_double_gt(most[0], 0.001 * 4);
    ecg__free(x);
    ecg_spec_free(spec);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_changes_nothing)
{
    ecg_error e;
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, networks[1], NULL, 0, &e), e);
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, spec, &o, &e), e);
    float *x;
    uint32_t y[8];
    data(spec, 8, 1, &x, y);
    float *before = ecg__alloc(spec->floats * sizeof *before);
    memcpy(before, t->weights, spec->floats * sizeof *before);
    const float was = x[5];
    x[5] = 1.0f / 0.0f;
    ck_fails(ecg_trainer_step(t, x, y, 8, NULL, &e), e, ECG_ENUMERIC, "step 1");
    ck_assert_int_eq(memcmp(before, t->weights, spec->floats * sizeof *before), 0);
    x[5] = was;
    y[3] = 3;
    ck_fails(ecg_trainer_step(t, x, y, 8, NULL, &e), e, ECG_EINVAL, "sample 3 has label 3");
    ck_assert_int_eq(memcmp(before, t->weights, spec->floats * sizeof *before), 0);
    y[3] = 0;
    ck_fails(ecg_trainer_step(t, x, y, 0, NULL, &e), e, ECG_EINVAL, "0 samples");
    ck_fails(ecg_trainer_step(t, x, y, 33, NULL, &e), e, ECG_EINVAL, "33 samples");
    ck_ok(ecg_trainer_step(t, x, y, 8, NULL, &e), e);
    ecg__free(before);
    ecg__free(x);
    ecg_trainer_free(t);
    ecg_spec_free(spec);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("step");
    TCase *t = tcase_create("step");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, bits_are_those_of_the_simple_executor);
    tcase_add_test(t, gradient_of_a_network);
    tcase_add_test(t, clipping_bounds_the_step);
    tcase_add_test(t, a_loss_that_is_not_finite_changes_nothing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
