/* Whole trainings on samples in memory: order, validation, the best model in its file, stopping, failures. */
#include "unit/nets.h"

#include <math.h>
#include <stdatomic.h>

#include "net/model.h"
#include "train/trainer.h"

enum { BATCH = 8, TRAIN = 45 /* the last batch has 5 */, VAL = 21, MOST = 64 };

static const char *const names[] = {"one", "two", "three"};

/* ---- a source that notes what it is asked ---- */

struct pictures {
    uint64_t seed;
    size_t count;
    size_t bad;                  /* sample whose fetch fails; SIZE_MAX: none */
    size_t mislabelled;          /* sample with a label out of range */
    uint32_t noise;              /* labels have nothing to do with the pictures */
    atomic_uint asked[16][MOST]; /* [epoch][sample] */
    atomic_uint turn;
    uint32_t order[16][MOST]; /* [epoch]: samples as they were asked for (one thread only) */
};

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    struct pictures *p = ctx;
    if (i >= p->count || epoch >= 16)
        return ECG_ELIMIT;
    unit_toy(p->seed, i, x, label);
    if (p->noise)
        *label = (uint32_t)((i * 7 + i / 3) % 3);
    if (i == p->mislabelled)
        *label = 3;
    atomic_fetch_add(&p->asked[epoch][i], 1);
    p->order[epoch][atomic_fetch_add(&p->turn, 1) % p->count] = (uint32_t)i;
    if (i == p->bad) {
        err->status = ECG_ECORRUPT;
        snprintf(err->message, sizeof err->message, "picture %zu: its ink has faded", i);
        return ECG_ECORRUPT;
    }
    return ECG_OK;
}

static struct pictures train_pictures, val_pictures;

static ecg_source source_of(struct pictures *p, uint64_t seed, size_t count)
{
    memset(p, 0, sizeof *p);
    p->seed = seed;
    p->count = count;
    p->bad = p->mislabelled = SIZE_MAX;
    return (ecg_source){.ctx = p, .count = count, .fetch = fetch};
}

static ecg_source train_source(void)
{
    return source_of(&train_pictures, 1, TRAIN);
}

static ecg_source val_source(void)
{
    return source_of(&val_pictures, 2, VAL);
}

/* ---- hooks that note, and stop where they are told ---- */

struct notes {
    ecg_epoch epoch[16];
    uint32_t epochs;
    size_t steps, last_done, last_total;
    size_t stop_step; /* stop at this step from 1; 0: never */
    uint32_t stop_epoch;
    uint32_t last_n;
    float *weights[16]; /* after each epoch, if `trainer` is set */
    ecg_trainer *trainer;
};

static int on_step(void *payload, const ecg_step *s, size_t done, size_t total)
{
    struct notes *n = payload;
    n->last_done = done;
    n->last_total = total;
    n->last_n = s->n;
    return ++n->steps == n->stop_step;
}

static int on_epoch(void *payload, const ecg_epoch *e)
{
    struct notes *n = payload;
    if (n->trainer) {
        const size_t bytes = n->trainer->spec->floats * sizeof(float);
        n->weights[n->epochs] = ecg__alloc(bytes);
        memcpy(n->weights[n->epochs], n->trainer->weights, bytes);
    }
    n->epoch[n->epochs++] = *e;
    return e->index == n->stop_epoch;
}

static ecg_fit_hooks hooks_of(struct notes *n)
{
    return (ecg_fit_hooks){.size = sizeof(ecg_fit_hooks), .step = on_step, .epoch = on_epoch, .payload = n};
}

static void forget(struct notes *n)
{
    for (uint32_t i = 0; i < 16; i++)
        ecg__free(n->weights[i]);
}

static ecg_preprocess prep;

static ecg_model_info info_of(void)
{
    prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    prep.h = prep.w = 8;
    static const char *const meta[] = {"made-by", "test", NULL};
    return (ecg_model_info){
        .size = sizeof(ecg_model_info), .preprocess = &prep, .classes = names, .meta = meta};
}

static ecg_train_options options(uint32_t epochs)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.epochs = epochs;
    o.batch = BATCH;
    o.shards = 4;
    o.threads = 2;
    o.seed = 3;
    return o;
}

static ecg_trainer *new_trainer(const ecg_train_options *o)
{
    ecg_error e;
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, o, &e), e);
    ecg_spec_free(s);
    return t;
}

static ecg_model *load(const char *path)
{
    ecg_error e;
    ecg_model *m;
    ck_ok(ecg_model_load(&m, path, NULL, &e), e);
    return m;
}

/* Loss and accuracy of a model over a source, through a session. */
static void judge(ecg_model *m, const ecg_source *s, double *loss, double *accuracy)
{
    ecg_error e;
    ecg_session *session;
    ck_ok(ecg_session_new(&session, m, NULL, &e), e);
    *loss = 0;
    size_t right = 0;
    for (size_t i = 0; i < s->count; i++) {
        float x[UNIT_TOY_VALUES], p[3];
        uint32_t label, top = 0;
        ck_ok(s->fetch(s->ctx, 0, i, x, &label, &e), e);
        ecg_session_run(session, x, 1, p);
        for (uint32_t c = 1; c < 3; c++)
            top = p[c] > p[top] ? c : top;
        right += top == label;
        *loss -= log(fmax((double)p[label], 1e-7));
    }
    *loss /= (double)s->count;
    *accuracy = (double)right / (double)s->count;
    ecg_session_free(session);
}

/* ---- what an epoch is ---- */

START_TEST(an_epoch_is_every_sample_once_in_an_order_of_its_own)
{
    ecg_error e;
    ecg_train_options o = options(4);
    o.threads = 1; /* so that the order can be noted */
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source();
    struct notes n = {0};
    ecg_fit_hooks hooks = hooks_of(&n);
    ck_ok(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e);
    ck_assert_uint_eq(n.epochs, 4);
    ck_assert_uint_eq(n.steps, 4 * ((TRAIN + BATCH - 1) / BATCH));
    ck_assert_uint_eq(n.last_done, TRAIN);
    ck_assert_uint_eq(n.last_total, TRAIN);
    ck_assert_uint_eq(n.last_n, TRAIN % BATCH);
    uint32_t in_place = 0;
    for (uint32_t k = 1; k <= 4; k++) {
        for (size_t i = 0; i < TRAIN; i++) {
            ck_assert_uint_eq(train_pictures.asked[k][i], 1);
            in_place += train_pictures.order[k][i] == i;
        }
        for (uint32_t j = 1; j < k; j++)
            ck_assert_int_ne(
                memcmp(train_pictures.order[j], train_pictures.order[k], TRAIN * sizeof(uint32_t)), 0);
        ck_assert_uint_eq(n.epoch[k - 1].index, k);
        ck_assert_uint_eq(n.epoch[k - 1].epochs, 4);
        ck_assert_double_ge(n.epoch[k - 1].seconds, 0);
        ck_assert_double_eq((double)n.epoch[k - 1].lr, (double)o.lr);
    }
    ck_assert_uint_lt(in_place, 20); /* of 180; a shuffle leaves about one in place each time */
    for (size_t i = 0; i < VAL; i++)
        ck_assert_uint_eq(val_pictures.asked[0][i], 4);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(threads_change_no_bit)
{
    ecg_error e;
    struct notes n[3];
    float *weights[3];
    size_t floats = 0;
    for (uint32_t k = 0; k < 3; k++) {
        ecg_train_options o = options(3);
        o.threads = (const uint32_t[]){1, 2, 5}[k];
        ecg_trainer *t = new_trainer(&o);
        ecg_source train = train_source(), val = val_source();
        n[k] = (struct notes){0};
        ecg_fit_hooks hooks = hooks_of(&n[k]);
        ck_ok(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e);
        floats = t->spec->floats;
        weights[k] = ecg__alloc(floats * sizeof(float));
        memcpy(weights[k], t->weights, floats * sizeof(float));
        ecg_trainer_free(t);
        for (uint32_t j = 0; j < 3; j++) {
            ck_assert_double_eq(n[k].epoch[j].loss, n[0].epoch[j].loss);
            ck_assert_double_eq(n[k].epoch[j].accuracy, n[0].epoch[j].accuracy);
            ck_assert_double_eq(n[k].epoch[j].val_loss, n[0].epoch[j].val_loss);
        }
        ck_assert_int_eq(memcmp(weights[k], weights[0], floats * sizeof(float)), 0);
    }
    for (int k = 0; k < 3; k++)
        ecg__free(weights[k]);
}
END_TEST

START_TEST(training_figures_are_means_over_samples)
{
    /* A rate too small to move a weight, no dropout in the way of the answer's sum: the loss of the epoch is
     * that of its samples, however they were cut into batches. */
    ecg_error e;
    ecg_spec *s = unit_spec("input 8x8x1; conv2d 3 3x3 relu; flatten; dense 3; softmax");
    double loss[2], accuracy[2];
    for (int k = 0; k < 2; k++) {
        ecg_train_options o = options(1);
        o.optimizer = ECG_SGD;
        o.lr = 1e-30f;
        o.batch = k ? TRAIN : BATCH;
        ecg_trainer *t;
        ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
        ecg_source train = train_source();
        struct notes n = {0};
        ecg_fit_hooks hooks = hooks_of(&n);
        ck_ok(ecg_trainer_fit(t, &train, NULL, NULL, NULL, &hooks, &e), e);
        loss[k] = n.epoch[0].loss;
        accuracy[k] = n.epoch[0].accuracy;
        ck_assert(isnan(n.epoch[0].val_loss) && isnan(n.epoch[0].val_accuracy));
        ck_assert_uint_eq(n.epoch[0].best, 1);
        ecg_trainer_free(t);
    }
    ck_assert_double_eq_tol(loss[0], loss[1], 1e-6);
    ck_assert_double_eq(accuracy[0], accuracy[1]);
    ecg_spec_free(s);
}
END_TEST

/* ---- the best model ---- */

START_TEST(the_file_holds_the_best_epoch)
{
    ecg_error e;
    ecg_train_options o = options(9);
    o.lr = 0.05f; /* wild enough that validation goes up and down */
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source();
    train_pictures.noise = 1;
    struct notes n = {.trainer = t};
    ecg_fit_hooks hooks = hooks_of(&n);
    const ecg_model_info info = info_of();
    const char *path = unit_tmp("best.ecgm");
    remove(path);
    ck_ok(ecg_trainer_fit(t, &train, &val, &info, path, &hooks, &e), e);
    uint32_t best = 0, bests = 0;
    for (uint32_t k = 0; k < n.epochs; k++) {
        const bool better = k == 0 || n.epoch[k].val_loss < n.epoch[best].val_loss;
        ck_assert_int_eq(n.epoch[k].best, better);
        best = better ? k : best;
        bests += better;
    }
    ck_assert_uint_lt(best, n.epochs - 1); /* else the file would just be the last epoch's */
    ecg_model *m = load(path);
    ck_assert_int_eq(memcmp(m->weights, n.weights[best], t->spec->floats * sizeof(float)), 0);
    ck_assert_int_ne(memcmp(n.weights[best], n.weights[n.epochs - 1], t->spec->floats * sizeof(float)), 0);
    ck_assert_str_eq(ecg_model_meta(m, "made-by"), "test");
    ck_assert_int_eq(atoi(ecg_model_meta(m, "epoch")), (int)best + 1);
    ck_assert_double_eq_tol(atof(ecg_model_meta(m, "val_loss")), n.epoch[best].val_loss, 1e-8);
    ck_assert_double_eq_tol(atof(ecg_model_meta(m, "val_accuracy")), n.epoch[best].val_accuracy, 1e-8);
    ck_assert_double_eq_tol(atof(ecg_model_meta(m, "loss")), n.epoch[best].loss, 1e-7);
    ck_assert_double_eq_tol(atof(ecg_model_meta(m, "accuracy")), n.epoch[best].accuracy, 1e-8);
    double loss, accuracy;
    judge(m, &val, &loss, &accuracy);
    ck_assert_double_eq_tol(loss, n.epoch[best].val_loss, 1e-6);
    ck_assert_double_eq(accuracy, n.epoch[best].val_accuracy);
    ecg_model_free(m);
    ecg_trainer_free(t);
    forget(&n);
}
END_TEST

START_TEST(without_validation_the_training_loss_decides)
{
    ecg_error e;
    ecg_train_options o = options(3);
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source();
    struct notes n = {0};
    ecg_fit_hooks hooks = hooks_of(&n);
    const ecg_model_info info = info_of();
    const char *path = unit_tmp("noval.ecgm");
    ck_ok(ecg_trainer_fit(t, &train, NULL, &info, path, &hooks, &e), e);
    uint32_t best = 0;
    for (uint32_t k = 0; k < 3; k++) {
        ck_assert(isnan(n.epoch[k].val_loss) && isnan(n.epoch[k].val_accuracy));
        best = n.epoch[k].loss < n.epoch[best].loss ? k : best;
        ck_assert_int_eq(n.epoch[k].best, k == best);
    }
    ecg_model *m = load(path);
    ck_assert_int_eq(atoi(ecg_model_meta(m, "epoch")), (int)best + 1);
    ck_assert_ptr_null(ecg_model_meta(m, "val_loss"));
    ecg_model_free(m);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(it_learns)
{
    ecg_error e;
    ecg_train_options o = options(15);
    o.lr = 5e-3f;
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source();
    struct notes n = {0};
    ecg_fit_hooks hooks = hooks_of(&n);
    ck_ok(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e);
    ck_assert_double_lt(n.epoch[14].loss, 0.4 * n.epoch[0].loss);
    ck_assert_double_ge(n.epoch[14].val_accuracy, 0.9);
    ecg_trainer_free(t);
}
END_TEST

/* ---- stopping ---- */

START_TEST(stopped_by_the_step_hook)
{
    ecg_error e;
    const ecg_model_info info = info_of();
    /* In the first epoch there is no best model yet: the one at hand is saved. Later the best stays. */
    for (int late = 0; late < 2; late++) {
        ecg_train_options o = options(5);
        ecg_trainer *t = new_trainer(&o);
        ecg_source train = train_source(), val = val_source();
        struct notes n = {.stop_step = late ? 8 : 2, .trainer = t};
        ecg_fit_hooks hooks = hooks_of(&n);
        const char *path = unit_tmp("stopped.ecgm");
        remove(path);
        ck_fails(ecg_trainer_fit(t, &train, &val, &info, path, &hooks, &e), e, ECG_ECANCELLED,
                 late ? "stopped in epoch 2" : "stopped in epoch 1");
        ck_assert_uint_eq(n.steps, late ? 8 : 2);
        ck_assert_uint_eq(n.epochs, late);
        ecg_model *m = load(path);
        ck_assert_int_eq(atoi(ecg_model_meta(m, "epoch")), 1);
        ck_assert_int_eq(
            memcmp(m->weights, late ? n.weights[0] : t->weights, t->spec->floats * sizeof(float)), 0);
        double loss, accuracy;
        judge(m, &val, &loss, &accuracy);
        ck_assert_double_finite(loss);
        ecg_model_free(m);
        ecg_trainer_free(t);
        forget(&n);
    }
    /* Without a file there is nothing to save. */
    ecg_train_options o = options(5);
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source();
    struct notes n = {.stop_step = 1};
    ecg_fit_hooks hooks = hooks_of(&n);
    ck_fails(ecg_trainer_fit(t, &train, NULL, NULL, NULL, &hooks, &e), e, ECG_ECANCELLED, "epoch 1");
    ck_assert_int_eq(ecg_trainer_fit(t, &train, NULL, NULL, NULL, NULL, &e), ECG_OK); /* and on again */
    ecg_trainer_free(t);
}
END_TEST

START_TEST(stopped_by_the_epoch_hook)
{
    ecg_error e;
    ecg_train_options o = options(5);
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source();
    struct notes n = {.stop_epoch = 2};
    ecg_fit_hooks hooks = hooks_of(&n);
    const ecg_model_info info = info_of();
    const char *path = unit_tmp("stopped2.ecgm");
    remove(path);
    ck_fails(ecg_trainer_fit(t, &train, &val, &info, path, &hooks, &e), e, ECG_ECANCELLED, "after epoch 2");
    ck_assert_uint_eq(n.epochs, 2);
    ecg_model_free(load(path));
    ecg_trainer_free(t);
}
END_TEST

/* One picture whose label, and with it the loss of a network that stands still, follows a script. */
struct script {
    const uint32_t *label; /* [calls] */
    uint32_t calls;
};

static ecg_status fetch_script(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    struct script *script = ctx;
    (void)epoch;
    (void)err;
    unit_toy(4, i, x, label);
    *label = script->label[script->calls++];
    return ECG_OK;
}

START_TEST(early_stop_waits_as_long_as_told)
{
    ecg_error e;
    ecg_spec *s = unit_spec("input 8x8x1; flatten; dense 3; softmax");
    ecg_train_options o = options(15);
    o.optimizer = ECG_SGD;
    o.lr = 1e-30f;
    o.early_stop = 2;
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
    float x[UNIT_TOY_VALUES], p[3];
    uint32_t label, low = 0, high = 0;
    unit_toy(4, 0, x, &label);
    ecg_trainer_predict(t, x, 1, p);
    for (uint32_t c = 1; c < 3; c++) {
        low = p[c] < p[low] ? c : low;
        high = p[c] > p[high] ? c : high;
    }
    const uint32_t middle = 3 - low - high;
    /* An equal loss is no better one; a better one starts the wait anew. */
    const uint32_t labels[15] = {low, low, middle, middle, high, high, high, high};
    struct script script = {.label = labels};
    ecg_source train = train_source(), val = {.ctx = &script, .count = 1, .fetch = fetch_script};
    struct notes n = {0};
    ecg_fit_hooks hooks = hooks_of(&n);
    ck_ok(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e);
    ck_assert_uint_eq(n.epochs, 7);
    for (uint32_t k = 0; k < n.epochs; k++) {
        ck_assert_int_eq(n.epoch[k].best, k == 0 || k == 2 || k == 4);
        ck_assert_double_eq_tol(n.epoch[k].val_loss, -log((double)p[labels[k]]), 1e-5);
        ck_assert_double_eq(n.epoch[k].val_accuracy, labels[k] == high);
    }
    ecg_trainer_free(t);
    ecg_spec_free(s);
}
END_TEST

START_TEST(plateau_lowers_the_rate)
{
    ecg_error e;
    ecg_train_options o = options(15);
    o.lr = 0.04f;
    o.schedule = ECG_SCHEDULE_PLATEAU;
    o.every = 1;
    o.gamma = 0.5f;
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source();
    train_pictures.noise = 1;
    struct notes n = {0};
    ecg_fit_hooks hooks = hooks_of(&n);
    ck_ok(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e);
    double rate = 0.04;
    uint32_t falls = 0;
    for (uint32_t k = 0; k < n.epochs; k++) {
        ck_assert_double_eq_tol((double)n.epoch[k].lr, rate, 1e-7);
        if (!n.epoch[k].best) {
            rate /= 2;
            falls++;
        }
    }
    ck_assert_uint_ge(falls, 2);
    ecg_trainer_free(t);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_failed_fetch_is_passed_on)
{
    ecg_error e;
    ecg_train_options o = options(2);
    for (int val_fails = 0; val_fails < 2; val_fails++) {
        for (int label = 0; label < 2; label++) {
            ecg_trainer *t = new_trainer(&o);
            ecg_source train = train_source(), val = val_source();
            struct pictures *p = val_fails ? &val_pictures : &train_pictures;
            *(label ? &p->mislabelled : &p->bad) = 13;
            struct notes n = {0};
            ecg_fit_hooks hooks = hooks_of(&n);
            ck_fails(ecg_trainer_fit(t, &train, &val, NULL, NULL, &hooks, &e), e,
                     label ? ECG_EINVAL : ECG_ECORRUPT,
                     label ? "sample 13 has label 3, expected 0..2" : "picture 13: its ink has faded");
            ck_assert(!label || strstr(e.message, val_fails ? "validation" : "training"));
            ck_assert_uint_eq(n.epochs, 0);
            ck_assert_int_lt(ecg_trainer_fit(t, &train, &val, NULL, NULL, NULL, NULL), 0);
            for (size_t i = 0; i < t->spec->floats; i++)
                ck_assert_double_finite((double)t->weights[i]);
            ecg_trainer_free(t);
        }
    }
}
END_TEST

START_TEST(a_file_that_cannot_be_written)
{
    ecg_error e;
    ecg_train_options o = options(2);
    const ecg_model_info info = info_of();
    ecg_source train = train_source(), val = val_source();
    ecg_trainer *t = new_trainer(&o);
    ck_fails(ecg_trainer_fit(t, &train, &val, &info, "no/such/folder/x.ecgm", NULL, &e), e, ECG_EIO,
             "no/such/folder/x.ecgm");
    /* The old file stands, to the byte, when the new model cannot be one: a class name twice. */
    const char *path = unit_tmp("old.ecgm");
    ck_ok(ecg_trainer_save(t, &info, path, &e), e);
    ecg_model *old = load(path);
    static const char *const twice[] = {"one", "two", "one"};
    ecg_model_info bad = info;
    bad.classes = twice;
    ck_fails(ecg_trainer_fit(t, &train, &val, &bad, path, NULL, &e), e, ECG_EINVAL, "one");
    ecg_model *still = load(path);
    ck_assert_int_eq(memcmp(old->weights, still->weights, t->spec->floats * sizeof(float)), 0);
    /* And it was said before the first step, not after an epoch. */
    ck_assert_int_eq(memcmp(old->weights, t->weights, t->spec->floats * sizeof(float)), 0);
    ck_assert_str_eq(ecg_model_class(still, 2), "three");
    ecg_model_free(old);
    ecg_model_free(still);
    /* A folder in its place. */
    const char *folder = unit_tmp("folder.ecgm");
    mkdir(folder, 0777);
    ck_fails(ecg_trainer_fit(t, &train, &val, &info, folder, NULL, &e), e, ECG_EIO, "folder.ecgm");
    ecg_trainer_free(t);
}
END_TEST

START_TEST(arguments_that_make_no_sense)
{
    ecg_error e;
    ecg_train_options o = options(2);
    ecg_trainer *t = new_trainer(&o);
    ecg_source train = train_source(), val = val_source(), none = train;
    none.count = 0;
    ck_fails(ecg_trainer_fit(t, &none, &val, NULL, NULL, NULL, &e), e, ECG_EINVAL, "0 samples");
    ck_fails(ecg_trainer_fit(t, &train, &none, NULL, NULL, NULL, &e), e, ECG_EINVAL, "no samples");
    none.count = (size_t)UINT32_MAX + 1;
    ck_fails(ecg_trainer_fit(t, &none, NULL, NULL, NULL, NULL, &e), e, ECG_EINVAL, "4294967296 samples");
    ck_fails(ecg_trainer_fit(t, &train, &val, NULL, unit_tmp("x.ecgm"), NULL, &e), e, ECG_EINVAL,
             "class names and preprocessing");
    const ecg_fit_hooks wrong = {.size = 2};
    ck_fails(ecg_trainer_fit(t, &train, &val, NULL, NULL, &wrong, &e), e, ECG_EINVAL, "hooks");
    ck_assert_uint_eq(train_pictures.turn, 0); /* nobody was asked for a sample */
    ecg_trainer_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fit");
    TCase *t = tcase_create("fit");
    tcase_set_timeout(t, 180);
    tcase_add_test(t, an_epoch_is_every_sample_once_in_an_order_of_its_own);
    tcase_add_test(t, threads_change_no_bit);
    tcase_add_test(t, training_figures_are_means_over_samples);
    tcase_add_test(t, the_file_holds_the_best_epoch);
    tcase_add_test(t, without_validation_the_training_loss_decides);
    tcase_add_test(t, it_learns);
    tcase_add_test(t, stopped_by_the_step_hook);
    tcase_add_test(t, stopped_by_the_epoch_hook);
    tcase_add_test(t, early_stop_waits_as_long_as_told);
    tcase_add_test(t, plateau_lowers_the_rate);
    tcase_add_test(t, a_failed_fetch_is_passed_on);
    tcase_add_test(t, a_file_that_cannot_be_written);
    tcase_add_test(t, arguments_that_make_no_sense);
    suite_add_tcase(s, t);
    return unit_run(s);
}
