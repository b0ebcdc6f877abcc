/* Numbers that go wrong in a training, and such as look as if they would. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <unistd.h>

#include "net/model.h"
#include "train/trainer.h"
#include "unit/nets.h"

enum { BATCH = 4, TRAIN = 12, VAL = 5 };

static const char *const names[] = {"one", "two", "three"};
static ecg_preprocess prep;

static ecg_model_info info_of(void)
{
    prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    prep.h = prep.w = 8;
    return (ecg_model_info){.size = sizeof(ecg_model_info), .preprocess = &prep, .classes = names};
}

/* A picture that is not a number from an epoch on (training) or from a call on (validation); 0: never. */
struct pictures {
    uint64_t bad_epoch;
    uint32_t bad_call, calls;
    uint32_t flat; /* 1: all pictures are the same; 2: and 0 */
    float bad;
};

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    struct pictures *p = ctx;
    (void)err;
    unit_toy(1, p->flat ? 0 : i, x, label);
    *label = (uint32_t)(i % 3);
    if (p->flat == 2)
        memset(x, 0, UNIT_TOY_VALUES * sizeof *x);
    p->calls += epoch == 0;
    if ((p->bad_epoch && epoch >= p->bad_epoch && i == 7) || (p->bad_call && p->calls == p->bad_call))
        x[3] = p->bad;
    return ECG_OK;
}

static ecg_train_options options(void)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.epochs = 4;
    o.batch = BATCH;
    o.threads = 1;
    return o;
}

static ecg_trainer *new_trainer(const char *net, const ecg_train_options *o)
{
    ecg_error e;
    ecg_spec *s = unit_spec(net);
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, o, &e), e);
    ecg_spec_free(s);
    return t;
}

static void same_weights(const char *path, const ecg_trainer *t)
{
    ecg_error e;
    ecg_model *m;
    ck_ok(ecg_model_load(&m, path, NULL, &e), e);
    ck_assert_mem_eq(m->weights, t->weights, t->spec->floats * sizeof(float));
    ecg_model_free(m);
}

/* Diverges in its second epoch; the files are those of the first, and lead where a healthy run ends. */
START_TEST(the_files_of_the_epoch_before_stay)
{
    const ecg_train_options o = options();
    ecg_train_options one = o;
    one.epochs = 1;
    const ecg_model_info info = info_of();
    const char *best = unit_tmp("best.ecgm"), *path = unit_tmp("good.ckpt");
    const char *want[] = {"epoch 2: training: loss of step ",
                          "epoch 2: validation: the network's answer to sample "};
    for (int k = 0; k < 2; k++) {
        ecg_error e;
        struct pictures p = {.bad_epoch = k ? 0 : 2, .bad = NAN};
        struct pictures q = {.bad_call = k ? VAL + 3 : 0, .bad = NAN};
        const ecg_source train = {&p, TRAIN, fetch}, val = {&q, VAL, fetch};
        ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
        keep.path = path;
        const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
        remove(best);
        remove(path);
        ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o), *first = new_trainer(UNIT_TOY_NET, &one);
        ck_fails(ecg_trainer_fit(t, &train, &val, &info, best, &hooks, &e), e, ECG_ENUMERIC, want[k]);
        ck_assert_ptr_nonnull(
            strstr(e.message, k ? "sample 2 is not finite after step 6" : "is not finite (nan)"));
        for (size_t i = 0; i < t->spec->floats; i++)
            ck_assert(isfinite(t->weights[i]));

        struct pictures healthy = {0}, seen = {0};
        const ecg_source good = {&healthy, TRAIN, fetch}, good_val = {&seen, VAL, fetch};
        ck_ok(ecg_trainer_fit(first, &good, &good_val, NULL, NULL, NULL, &e), e);
        same_weights(best, first);
        same_weights(path, first);
        ecg_trainer_free(first);
        ecg_trainer_free(t);

        /* On from there with pictures that have been mended. */
        ecg_trainer *a = new_trainer(UNIT_TOY_NET, &o), *b = new_trainer(UNIT_TOY_NET, &o);
        keep.path = NULL;
        keep.resume = path;
        ck_ok(ecg_trainer_fit(a, &good, &good_val, &info, NULL, &hooks, &e), e);
        ck_ok(ecg_trainer_fit(b, &good, &good_val, NULL, NULL, NULL, &e), e);
        ck_assert_mem_eq(a->weights, b->weights, a->spec->floats * sizeof(float));
        ecg_trainer_free(a);
        ecg_trainer_free(b);
    }
}
END_TEST

START_TEST(the_first_step_too)
{
    ecg_error e;
    const ecg_train_options o = options();
    const ecg_model_info info = info_of();
    const char *best = unit_tmp("none.ecgm"), *path = unit_tmp("none.ckpt");
    for (int k = 0; k < 2; k++) {
        struct pictures p = {.bad_epoch = 1, .bad = k ? NAN : HUGE_VALF}, q = {0};
        const ecg_source train = {&p, TRAIN, fetch}, val = {&q, VAL, fetch};
        ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
        keep.path = path;
        const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
        ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
        ck_fails(ecg_trainer_fit(t, &train, &val, &info, best, &hooks, &e), e, ECG_ENUMERIC,
                 "epoch 1: training: loss of step ");
        ck_assert_int_ne(access(best, F_OK), 0);
        ck_assert_int_ne(access(path, F_OK), 0);
        ecg_trainer_free(t);
    }
}
END_TEST

/* A weight that the last step of an epoch made infinite: no loss comes to tell. */
static int spoil(void *payload, const ecg_step *s, size_t done, size_t total)
{
    float *const *to = payload;
    if (s->step > TRAIN / BATCH && done == total)
        **to = HUGE_VALF;
    return 0;
}

START_TEST(a_weight_that_is_not_finite)
{
    const ecg_train_options o = options();
    const ecg_model_info info = info_of();
    const char *best = unit_tmp("spoilt.ecgm"), *path = unit_tmp("spoilt.ckpt");
    for (int k = 0; k < 3; k++) { /* with both files, with one of them; a moment of the optimiser */
        ecg_error e;
        struct pictures p = {0};
        const ecg_source train = {&p, TRAIN, fetch};
        ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
        keep.path = k == 1 ? NULL : path;
        ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
        float *to = k == 2 ? t->moment[1] : ecg_trainer_tensor(t, 0, NULL, NULL);
        const ecg_fit_hooks hooks = {
            .size = sizeof hooks, .step = spoil, .payload = &to, .checkpoint = &keep};
        remove(best);
        remove(path);
        ck_fails(ecg_trainer_fit(t, &train, NULL, &info, best, &hooks, &e), e, ECG_ENUMERIC, "epoch 2: ");
        ck_assert_ptr_nonnull(strstr(e.message, "is not finite"));
        ecg_model *m;
        ck_ok(ecg_model_load(&m, best, NULL, &e), e);
        ck_assert_str_eq(ecg_model_meta(m, "epoch"), "1");
        ecg_model_free(m);
        if (k != 1) {
            ck_ok(ecg_model_load(&m, path, NULL, &e), e);
            ecg_model_free(m);
        }
        ecg_trainer_free(t);
    }
}
END_TEST

/* Without variance in a batch, in a picture or anywhere; one picture a step, on maps of one value. */
START_TEST(batches_without_variance)
{
    static const char *const nets[] = {
        UNIT_TOY_NET,
        "input 8x8x1; conv2d 3 3x3; batchnorm; global_avgpool; batchnorm relu; dense 3; softmax",
        "input 8x8x1; batchnorm; flatten; dense 4; batchnorm; dense 3; softmax",
    };
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++)
        for (uint32_t flat = 0; flat < 3; flat++)
            for (uint32_t batch = 1; batch <= 4; batch += 3) {
                ecg_error e;
                ecg_train_options o = options();
                o.batch = batch;
                struct pictures p = {.flat = flat}, q = {.flat = flat};
                const ecg_source train = {&p, TRAIN, fetch}, val = {&q, VAL, fetch};
                const ecg_model_info info = info_of();
                const char *path = unit_tmp("flat.ecgm");
                ecg_trainer *t = new_trainer(nets[n], &o);
                ck_ok(ecg_trainer_fit(t, &train, &val, &info, path, NULL, &e), e);
                for (size_t i = 0; i < t->spec->floats; i++)
                    ck_assert(isfinite(t->weights[i]));
                ecg_model *m;
                ck_ok(ecg_model_load(&m, path, NULL, &e), e);
                ecg_model_free(m);
                ecg_trainer_free(t);
            }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fit_numbers");
    TCase *t = tcase_create("fit_numbers");
    tcase_set_timeout(t, 180);
    tcase_add_test(t, the_files_of_the_epoch_before_stay);
    tcase_add_test(t, the_first_step_too);
    tcase_add_test(t, a_weight_that_is_not_finite);
    tcase_add_test(t, batches_without_variance);
    suite_add_tcase(s, t);
    return unit_run(s);
}
