/* Profiles of trainers, sessions and loaders: every stage is there, times fit into what the clock says,
 * arithmetic is what the layers need, and the weights do not notice. */
#define _GNU_SOURCE
#include "ecgcnn/profile.h"

#include <time.h>

#include "ecgcnn/train.h"
#include "tree.h"
#include "unit/nets.h"

enum { BATCH = 8, STEPS = 5, COUNT = 20 };

static ecg_error err;
static const char *const names[] = {"a", "b", "c"};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *e)
{
    (void)ctx, (void)epoch, (void)e;
    unit_toy(1, i, x, label);
    return ECG_OK;
}

static ecg_trainer *make_trainer(uint32_t threads)
{
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.batch = BATCH;
    o.threads = threads;
    o.epochs = 2;
    o.shards = 4;
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, &o, &err), err);
    ecg_spec_free(s);
    return t;
}

static void steps(ecg_trainer *t)
{
    static float x[BATCH * UNIT_TOY_VALUES];
    uint32_t y[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        unit_toy(1, i, x + i * UNIT_TOY_VALUES, &y[i]);
    for (int i = 0; i < STEPS; i++)
        ck_ok(ecg_trainer_step(t, x, y, BATCH, NULL, &err), err);
}

/* Seconds of one stage; its entries' number, calls and flops through the pointers. */
static double stage(const ecg_trainer *t, const char *name, size_t *entries, uint64_t *calls, double *flops)
{
    ecg_profile_entry e;
    double seconds = 0.0;
    *entries = 0, *calls = 0, *flops = 0;
    for (size_t i = 0; ecg_trainer_profile_entry(t, i, &e); i++) {
        if (strcmp(e.stage, name) != 0)
            continue;
        ck_assert(e.seconds >= 0.0);
        ck_assert(e.layer == NULL || e.index == *entries);
        seconds += e.seconds;
        *calls += e.calls;
        *flops += e.flops;
        ++*entries;
    }
    return seconds;
}

START_TEST(a_step_is_covered)
{
    static const char *const in_step[] = {"fetch", "forward", "loss", "backward", "reduce", "optimizer"};
    ecg_trainer *t = make_trainer((uint32_t)_i + 1);
    const double start = now();
    ck_ok(ecg_trainer_profile(t, 1, &err), err);
    steps(t);
    ck_ok(ecg_trainer_profile(t, 0, &err), err);
    const double took = now() - start;
    steps(t); /* is not counted */
    size_t n;
    uint64_t calls;
    double flops, sum = 0.0;
    for (size_t i = 0; i < sizeof in_step / sizeof *in_step; i++) {
        const double seconds = stage(t, in_step[i], &n, &calls, &flops);
        ck_assert_msg(seconds > 0.0 && calls > 0, "no time for %s", in_step[i]);
        sum += seconds;
    }
    sum += stage(t, "wait", &n, &calls, &flops);
    ecg_profile_entry e;
    ck_assert_int_eq(ecg_trainer_profile_entry(t, 0, &e), 1);
    ck_assert_str_eq(e.stage, "fetch");
    ck_assert_uint_eq(e.pictures, STEPS * BATCH);
    ck_assert_uint_eq(e.calls, STEPS * 4); /* one a shard */
    ck_assert(e.wall > 0.0 && e.wall <= took);
    ck_assert_double_eq_tol(sum, e.wall * e.workers, 1e-6);
    stage(t, "val forward", &n, &calls, &flops);
    ck_assert_uint_eq(calls, 0);
    stage(t, "save", &n, &calls, &flops);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(calls, 0);
    ecg_trainer_free(t);
}
END_TEST

/* conv2d 4 3x3 on 8x8x1: 2304 multiply-adds, batchnorm 256, dense 64 to 24: 1536, dense 24 to 3: 72. Backward
 * has twice as many, but the first layer hands nothing back. */
START_TEST(arithmetic)
{
    ecg_trainer *t = make_trainer(1);
    ck_ok(ecg_trainer_profile(t, 1, &err), err);
    steps(t);
    size_t n;
    uint64_t calls;
    double flops;
    stage(t, "forward", &n, &calls, &flops);
    ck_assert_double_eq(flops, 2.0 * STEPS * BATCH * (2304 + 256 + 1536 + 72));
    stage(t, "backward", &n, &calls, &flops);
    ck_assert_double_eq(flops, 2.0 * STEPS * BATCH * (2304 + 2 * (256 + 1536 + 72)));
    ck_ok(ecg_trainer_profile(t, 1, &err), err); /* from the beginning */
    stage(t, "forward", &n, &calls, &flops);
    ck_assert_uint_eq(calls, 0);
    ck_assert_double_eq(flops, 0.0);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(weights_do_not_notice)
{
    ecg_trainer *plain = make_trainer(2), *timed = make_trainer(2);
    ecg_profile_entry e;
    ck_assert_int_eq(ecg_trainer_profile_entry(plain, 0, &e), 0);
    ck_ok(ecg_trainer_profile(plain, 0, &err), err); /* was never on */
    ck_ok(ecg_trainer_profile(timed, 1, &err), err);
    steps(plain);
    steps(timed);
    size_t count;
    const float *a, *b;
    for (size_t i = 0; (a = ecg_trainer_tensor(plain, i, NULL, &count)) != NULL; i++) {
        b = ecg_trainer_tensor(timed, i, NULL, NULL);
        ck_assert_mem_eq(a, b, count * sizeof *a);
    }
    ecg_trainer_free(plain);
    ecg_trainer_free(timed);
}
END_TEST

START_TEST(validation_and_saving)
{
    ecg_trainer *t = make_trainer(2);
    const ecg_source source = {NULL, COUNT, fetch};
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = 8;
    const ecg_model_info info = {sizeof info, &p, names, NULL};
    ck_ok(ecg_trainer_profile(t, 1, &err), err);
    ck_ok(ecg_trainer_fit(t, &source, &source, &info, unit_tmp("profile.ecgm"), NULL, &err), err);
    size_t n;
    uint64_t calls;
    double flops;
    ck_assert(stage(t, "val fetch", &n, &calls, &flops) > 0.0);
    ck_assert_uint_eq(calls, 2 * COUNT);
    ck_assert(stage(t, "val forward", &n, &calls, &flops) > 0.0);
    ck_assert_double_eq(flops, 2.0 * 2 * COUNT * (2304 + 256 + 1536 + 72));
    ck_assert(stage(t, "save", &n, &calls, &flops) > 0.0);
    ck_assert_uint_ge(calls, 1);
    ck_assert_uint_le(calls, 2);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(a_session)
{
    enum { N = 9 };
    ecg_trainer *t = make_trainer(1);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = 8;
    const ecg_model_info info = {sizeof info, &p, names, NULL};
    ecg_model *m;
    ecg_session *s;
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    o.threads = 2;
    ck_ok(ecg_trainer_snapshot(t, &info, &m, &err), err);
    ck_ok(ecg_session_new(&s, m, &o, &err), err);
    float *x = unit_values((size_t)N * UNIT_TOY_VALUES, 3), plain[N * 3], timed[N * 3];
    ecg_profile_entry e;
    ck_assert_int_eq(ecg_session_profile_entry(s, 0, &e), 0);
    ecg_session_run(s, x, N, plain);
    ck_ok(ecg_session_profile(s, 1, &err), err);
    ecg_session_run(s, x, N, timed);
    ck_ok(ecg_session_profile(s, 0, &err), err);
    ck_assert_mem_eq(plain, timed, sizeof plain);
    double sum = 0.0, flops = 0.0;
    size_t i = 0;
    uint64_t calls = 0;
    for (; ecg_session_profile_entry(s, i, &e); i++) {
        sum += e.seconds;
        flops += e.flops;
        calls += e.layer && e.index == 0 ? e.calls : 0; /* later layers may take several at once */
        ck_assert_uint_eq(e.pictures, N);
        ck_assert_str_eq(e.stage, i == 0 ? "prepare" : e.layer ? "forward" : "wait");
    }
    ck_assert_uint_eq(i, ecg_spec_layers(ecg_model_spec(m)) + 2);
    ck_assert(calls > 0 && calls % N == 0);
    ck_assert_double_eq(flops, 2.0 * N * (2304 + 256 + 1536 + 72));
    ck_assert_double_eq_tol(sum, e.wall * e.workers, 1e-6);
    ecg__free(x);
    ecg_session_free(s);
    ecg_model_free(m);
    ecg_trainer_free(t);
}
END_TEST

/* A loader of which half stays in memory. */
START_TEST(a_loader)
{
    enum { SIDE = 6, PICTURES = 8 };
    const char *root = tree_new("profile");
    uint8_t px[SIDE * SIDE] = {0};
    const ecg_image img = {px, SIDE, SIDE, 1, SIDE};
    for (uint32_t k = 0; k < PICTURES; k++) {
        char file[32];
        snprintf(file, sizeof file, "c%u/%u.png", k % 2, k);
        ck_ok(ecg_image_save_png(&img, tree_path(root, file), &err), err);
    }
    ecg_dataset *d;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = SIDE;
    ecg_augment_options a = ECG_AUGMENT_OPTIONS_INIT;
    ck_ok(ecg_augment_parse(&a, "keras-seed", &err), err);
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.augment = &a;
    o.cache_bytes = (uint64_t)SIDE * SIDE * PICTURES / 2;
    ecg_loader *l;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    ecg_profile_entry e;
    ck_assert_int_eq(ecg_loader_profile_entry(l, 0, &e), 0);
    ck_ok(ecg_loader_profile(l, 1, &err), err);
    const ecg_source s = ecg_loader_source(l);
    float x[SIDE * SIDE];
    uint32_t label;
    for (uint64_t epoch = 0; epoch < 2; epoch++) /* augmentation is for epoch 1 only */
        for (size_t i = 0; i < PICTURES; i++)
            ck_ok(s.fetch(s.ctx, epoch, i, x, &label, &err), err);
    static const uint64_t want[] = {PICTURES, PICTURES, 2 * PICTURES};
    static const char *const stages[] = {"decode", "augment", "values"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(ecg_loader_profile_entry(l, i, &e), 1);
        ck_assert_str_eq(e.stage, stages[i]);
        ck_assert_uint_eq(e.calls, want[i]);
        ck_assert_uint_eq(e.pictures, 2 * PICTURES);
        ck_assert(e.seconds > 0.0);
    }
    ck_assert_int_eq(ecg_loader_profile_entry(l, 3, &e), 0);
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("profile");
    TCase *t = tcase_create("profile");
    tcase_add_loop_test(t, a_step_is_covered, 0, 3);
    tcase_add_test(t, arithmetic);
    tcase_add_test(t, weights_do_not_notice);
    tcase_add_test(t, validation_and_saving);
    tcase_add_test(t, a_session);
    tcase_add_test(t, a_loader);
    suite_add_tcase(s, t);
    return unit_run(s);
}
