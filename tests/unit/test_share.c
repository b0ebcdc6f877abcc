/* A step of several ranks against that of one process: the same bits, or nearly. */
#include "unit/ranks.h"

#include <math.h>

#include "train/share.h"
#include "train/trainer.h"
#include "unit/nets.h"

enum { BATCH = 13, STEPS = 4, MOST_CLASSES = 8 };

struct task {
    const char *net;
    ecg_train_options o;
    const float *x;
    const uint32_t *y;
    size_t n[STEPS]; /* samples of each step */
    /* results */
    float *weights;
    size_t floats;
    ecg_step step[STEPS];
    ecg_status status;
    ecg_error err;
};

/* All places of a batch are there, those of other ranks' samples full of what must not be looked at. */
static void run_task(struct unit_rank *r)
{
    struct task *k = r->ctx;
    ecg_spec *s = unit_spec(k->net);
    ecg_trainer *t = NULL;
    if (r->job)
        k->o.comm = &r->comm;
    k->status = ecg_trainer_new(&t, s, &k->o, &k->err);
    const size_t values = s->layer[0].plan.in_count;
    float *x = ecg__alloc(BATCH * values * sizeof *x);
    for (int i = 0; k->status == ECG_OK && i < STEPS; i++) {
        uint32_t y[BATCH];
        size_t first, count;
        ecg_trainer_share(t, k->n[i], &first, &count);
        for (size_t j = 0; j < BATCH * values; j++)
            x[j] = NAN;
        memset(y, 0xff, sizeof y);
        memcpy(x + first * values, k->x + first * values, count * values * sizeof *x);
        memcpy(y + first, k->y + first, count * sizeof *y);
        k->status = ecg_trainer_step(t, x, y, k->n[i], &k->step[i], &k->err);
    }
    if (k->status == ECG_OK) {
        k->floats = t->spec->floats;
        k->weights = ecg__alloc(k->floats * sizeof *k->weights);
        memcpy(k->weights, t->weights, k->floats * sizeof *k->weights);
    }
    ecg__free(x);
    ecg_trainer_free(t);
    ecg_spec_free(s);
}

static struct task alone(const struct task *k)
{
    struct task one = *k;
    struct unit_rank r = {.ctx = &one};
    one.o.comm = NULL;
    run_task(&r);
    ck_ok(one.status, one.err);
    return one;
}

/* The largest difference of weights, where the largest weight is 1. */
static double difference(const struct task *a, const struct task *b)
{
    double most = 0, top = 0;
    ck_assert_uint_eq(a->floats, b->floats);
    for (size_t i = 0; i < a->floats; i++) {
        most = fmax(most, fabs((double)a->weights[i] - (double)b->weights[i]));
        top = fmax(top, fabs((double)a->weights[i]));
    }
    return most / top;
}

/* tolerance 0: the same bits. */
static void compare(const struct task *k, uint32_t ranks, double tolerance, bool begin)
{
    struct task one = alone(k), many[UNIT_MOST_RANKS];
    unit_job j;
    unit_job_start(&j, ranks);
    for (uint32_t q = 0; q < ranks; q++) {
        many[q] = *k;
        if (begin) {
            j.rank[q].comm.sum_begin = unit_sum_begin;
            j.rank[q].comm.sum_end = unit_sum_end;
        }
    }
    unit_job_run(&j, run_task, many, sizeof *many);
    for (uint32_t q = 0; q < ranks; q++) {
        ck_ok(many[q].status, many[q].err);
        ck_assert_int_eq(memcmp(many[q].weights, many[0].weights, one.floats * sizeof(float)), 0);
        if (tolerance == 0)
            ck_assert_msg(memcmp(many[q].weights, one.weights, one.floats * sizeof(float)) == 0,
                          "%s: %u ranks, rank %u: other weights, by %g", k->net, ranks, q,
                          difference(&one, &many[q]));
        else
            ck_assert_msg(difference(&one, &many[q]) <= tolerance,
                          "%s: %u ranks, rank %u: other weights, by %g", k->net, ranks, q,
                          difference(&one, &many[q]));
        for (int i = 0; i < STEPS; i++) {
            ck_assert_double_le(fabs(many[q].step[i].loss - one.step[i].loss), tolerance);
            ck_assert_uint_eq(many[q].step[i].correct, one.step[i].correct);
            ck_assert_uint_eq(many[q].step[i].n, one.step[i].n);
            ck_assert_uint_eq(many[q].step[i].step, one.step[i].step);
        }
    }
    for (uint32_t q = 0; q < ranks; q++)
        ecg__free(many[q].weights);
    ecg__free(one.weights);
}

static ecg_train_options options(void)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.batch = BATCH;
    o.shards = 7;
    o.threads = 1;
    o.seed = 5;
    return o;
}

static const float weights_of[MOST_CLASSES] = {1.0f, 0.5f, 3.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};

/* Unequal parts in all of these: 13 samples in 7 shards; then a short batch, one with empty parts, one. */
static struct task task_of(const char *net)
{
    struct task k = {.net = net, .o = options(), .n = {BATCH, 9, 3, 1}};
    ecg_spec *s = unit_spec(net);
    static uint32_t y[BATCH];
    k.x = unit_values(BATCH * s->layer[0].plan.in_count, 3);
    for (uint32_t i = 0; i < BATCH; i++)
        y[i] = i * 5 % ecg_spec_outputs(s);
    k.y = y;
    ecg_spec_free(s);
    return k;
}

static const char *const nets[] = {
    UNIT_EVERY_LAYER,
    UNIT_TOY_NET,
    /* the presets, smaller */
    "input 16x16x1; conv2d 8 3x3 relu; maxpool 2x2; conv2d 8 3x3 relu; maxpool 2x2; flatten; dense 16; dense "
    "6; softmax",
    "input 18x18x1; conv2d 8 3x3 bias=0; batchnorm momentum=0.9 relu; maxpool 2x2; conv2d 8 3x3 bias=0;"
    "batchnorm momentum=0.9 relu; global_maxpool; dense 7; softmax",
    "input 8x8x1; conv2d 8 3x3 pad=same elu; batchnorm; maxpool 2x2; flatten; dense 256 elu; batchnorm;"
    "dropout 0.5; dense 8; softmax",
    "input 5x5x1; flatten; dense 40; dense 30; relu; dense 3; softmax",
    "input 6x6x1; conv2d 3 3x3; global_avgpool; softmax",
};
enum { NETS = sizeof nets / sizeof *nets };

START_TEST(exact_is_the_same_bits)
{
    struct task k = task_of(nets[_i % NETS]);
    const int way = _i / NETS;
    if (way == 1) {
        k.o.clip_norm = 0.3f;
        k.o.class_weights = weights_of;
        k.o.weighted_mean = 1;
        k.o.optimizer = ECG_ADAMW;
        k.o.weight_decay = 0.01f;
        k.o.threads = 2;
    } else if (way == 2) {
        k.o.l2 = 1e-3f;
        k.o.optimizer = ECG_SGD;
        k.o.momentum = 0.9f;
        k.o.label_smoothing = 0.1f;
    }
    for (uint32_t ranks = 1 + (way > 0); ranks <= 5; ranks += way > 0 ? 3 : 1)
        compare(&k, ranks, 0, false);
    compare(&k, 7, 0, false);
    ecg__free((void *)(uintptr_t)k.x);
}
END_TEST

START_TEST(fast_is_the_same_but_for_rounding)
{
    struct task k = task_of(nets[_i]);
    k.o.reduce = ECG_REDUCE_FAST;
    k.o.optimizer = ECG_SGD; /* Adam's first steps are the signs of gradients, also of those near 0 */
    k.o.lr = 0.01f;
    k.o.clip_norm = _i % 2 ? 0.5f : 0.0f;
    for (uint32_t ranks = 1; ranks <= 5; ranks++)
        compare(&k, ranks, 1e-5, ranks % 2);
    ecg__free((void *)(uintptr_t)k.x);
}
END_TEST

START_TEST(large_gradients_go_in_pieces)
{
    /* 2 million parameters: sums are begun while others are still made. */
    struct task k = task_of(
        "input 8x8x1; conv2d 8 3x3 relu; flatten; dense 4096; relu; dense 512; dense 3; softmax");
    k.o.reduce = ECG_REDUCE_FAST;
    k.o.optimizer = ECG_SGD;
    compare(&k, 3, 1e-5, true);
    k.o.reduce = ECG_REDUCE_EXACT;
    compare(&k, 2, 0, false);
    ecg__free((void *)(uintptr_t)k.x);
}
END_TEST

START_TEST(statistics_of_each_rank_are_near)
{
    struct task k = task_of(nets[3]), many[3];
    k.o.reduce = ECG_REDUCE_FAST;
    k.o.local_statistics = 1;
    k.o.optimizer = ECG_SGD;
    struct task one = alone(&k);
    unit_job j;
    unit_job_start(&j, 3);
    for (int q = 0; q < 3; q++)
        many[q] = k;
    unit_job_run(&j, run_task, many, sizeof *many);
    for (int q = 0; q < 3; q++) {
        ck_ok(many[q].status, many[q].err);
        ck_assert_int_eq(memcmp(many[q].weights, many[0].weights, one.floats * sizeof(float)), 0);
        for (size_t i = 0; i < one.floats; i++)
            ck_assert(isfinite(many[q].weights[i]));
    }
    for (int q = 0; q < 3; q++)
        ecg__free(many[q].weights);
    ck_assert_double_le(fabs(many[0].step[0].loss - one.step[0].loss), 0.5);
    ecg__free(one.weights);
    ecg__free((void *)(uintptr_t)k.x);
}
END_TEST

START_TEST(parts_are_whole_shards_and_all_samples)
{
    ecg_error e;
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    for (uint32_t ranks = 1; ranks <= 7; ranks++)
        for (size_t n = 1; n <= BATCH; n++) {
            size_t next = 0;
            for (uint32_t q = 0; q < ranks; q++) {
                unit_job j;
                unit_job_start(&j, ranks);
                j.rank[q].comm.rank = q;
                ecg_train_options o = options();
                o.comm = &j.rank[q].comm;
                ecg_trainer *t;
                ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
                size_t first, count;
                ecg_trainer_share(t, n, &first, &count);
                ck_assert_uint_eq(first, next);
                ck_assert_uint_le(count, ecg__share_most(t));
                ck_assert(q > 0 || count > 0);
                next += count;
                ecg_trainer_free(t);
            }
            ck_assert_uint_eq(next, n);
        }
    ecg_spec_free(s);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_label_that_is_none_is_said_by_all)
{
    struct task k = task_of(UNIT_TOY_NET), many[3];
    uint32_t y[BATCH];
    memcpy(y, k.y, sizeof y);
    y[6] = 99; /* of the second rank */
    k.y = y;
    unit_job j;
    unit_job_start(&j, 3);
    for (int q = 0; q < 3; q++)
        many[q] = k;
    unit_job_run(&j, run_task, many, sizeof *many);
    for (int q = 0; q < 3; q++) {
        ck_assert_int_eq(many[q].status, ECG_EINVAL);
        ck_assert_str_eq(many[q].err.message, "rank 1: training: sample 6 has label 99, expected 0..2");
    }
    ecg__free((void *)(uintptr_t)k.x);
}
END_TEST

START_TEST(a_lost_rank_ends_all)
{
    /* Whichever call fails: every rank has an error, and none waits for ever. */
    for (size_t call = 1; call < 40; call++) {
        struct task k = task_of(UNIT_TOY_NET), many[3];
        k.o.reduce = call % 2 ? ECG_REDUCE_EXACT : ECG_REDUCE_FAST;
        unit_job j;
        unit_job_start(&j, 3);
        for (int q = 0; q < 3; q++)
            many[q] = k;
        j.rank[1].fails_at = call;
        unit_job_run(&j, run_task, many, sizeof *many);
        if (j.broken)
            for (int q = 0; q < 3; q++) {
                ck_assert_int_eq(many[q].status, ECG_EIO);
                ck_assert_ptr_nonnull(strstr(many[q].err.message, q == 1 ? "cable" : "gone"));
            }
        else
            ck_assert_uint_gt(call, 20);
        for (int q = 0; q < 3; q++)
            if (many[q].status == ECG_OK)
                ecg__free(many[q].weights);
        ecg__free((void *)(uintptr_t)k.x);
    }
}
END_TEST

static Suite *share_suite(void)
{
    Suite *s = suite_create("share");
    TCase *c = tcase_create("share");
    suite_add_tcase(s, c);
    tcase_add_loop_test(c, exact_is_the_same_bits, 0, 3 * NETS);
    tcase_add_loop_test(c, fast_is_the_same_but_for_rounding, 0, NETS);
    tcase_add_test(c, large_gradients_go_in_pieces);
    tcase_add_test(c, statistics_of_each_rank_are_near);
    tcase_add_test(c, parts_are_whole_shards_and_all_samples);
    tcase_add_test(c, a_label_that_is_none_is_said_by_all);
    tcase_add_test(c, a_lost_rank_ends_all);
    return s;
}

int main(void)
{
    return unit_run(share_suite());
}
