/* A training that was stopped anywhere and went on ends in the same bits; what does not fit is refused. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "net/model.h"
#include "train/trainer.h"
#include "unit/nets.h"

enum { BATCH = 8, TRAIN = 21 /* three steps, the last of 5 */, VAL = 10, STEPS = 3, MOST = 8 };

static const char *const names[] = {"one", "two", "three"};
static ecg_preprocess prep;

static ecg_model_info info_of(void)
{
    prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    prep.h = prep.w = 8;
    static const char *const meta[] = {"made-by", "test", NULL};
    return (ecg_model_info){
        .size = sizeof(ecg_model_info), .preprocess = &prep, .classes = names, .meta = meta};
}

/* Samples that change from epoch to epoch, as with augmentation. */
static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    (void)err;
    const uint64_t *seed = ctx;
    unit_toy(*seed + 100 * epoch, i, x, label);
    return ECG_OK;
}

static uint64_t train_seed = 1, val_seed = 2;
static const ecg_source train = {&train_seed, TRAIN, fetch}, val = {&val_seed, VAL, fetch};

static ecg_train_options options(uint32_t epochs)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.epochs = epochs;
    o.batch = BATCH;
    o.shards = 4;
    o.threads = 1;
    o.seed = 3;
    o.lr = 0.01f;
    return o;
}

/* ---- a run, and what came of it ---- */

typedef struct run {
    /* in */
    ecg_train_options o;
    const char *path, *from, *model;
    const ecg_source *val;
    size_t stop_step, stop_validation; /* of this run, from 1; 0: never */
    uint32_t stop_epoch;
    uint64_t every_steps;
    const char *const *facts;
    /* out */
    ecg_epoch past[2 * MOST];
    uint32_t begun, epochs; /* rows of past that were handed over; all */
    size_t steps, validations;
    ecg_status status;
    ecg_error err;
    ecg_trainer *t;
} run;

static int on_begin(void *payload, const ecg_epoch *past, size_t count)
{
    run *r = payload;
    ck_assert_uint_le(count, MOST);
    if (count)
        memcpy(r->past, past, count * sizeof *past);
    r->begun = r->epochs = (uint32_t)count;
    return 0;
}

static int on_step(void *payload, const ecg_step *s, size_t done, size_t total)
{
    run *r = payload;
    ck_assert_uint_le(done, total);
    ck_assert_uint_gt(s->n, 0);
    return ++r->steps == r->stop_step;
}

static int on_epoch(void *payload, const ecg_epoch *e)
{
    run *r = payload;
    ck_assert_uint_eq(e->index, r->epochs + 1);
    r->past[r->epochs++] = *e;
    return e->index == r->stop_epoch;
}

static int on_validation(void *payload, size_t done, size_t total)
{
    run *r = payload;
    ck_assert_uint_le(done, total);
    return ++r->validations == r->stop_validation;
}

static void go(run *r)
{
    const ecg_model_info info = info_of();
    ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
    keep.path = r->path;
    keep.resume = r->from;
    keep.every_steps = r->every_steps;
    keep.facts = r->facts;
    const ecg_fit_hooks hooks = {sizeof hooks, on_step, on_epoch, r, on_begin, on_validation, &keep};
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    ck_ok(ecg_trainer_new(&r->t, s, &r->o, &r->err), r->err);
    r->status = ecg_trainer_fit(r->t, &train, r->val, &info, r->model, &hooks, &r->err);
    ecg_spec_free(s);
}

static void end(run *r)
{
    ecg_trainer_free(r->t);
    r->t = NULL;
}

static unsigned char *bytes_of(const char *path, size_t *n)
{
    ecg_error e;
    unsigned char *data;
    ck_ok(ecg__file_read(&data, n, path, 1 << 24, &e), e);
    return data;
}

static void same_file(const char *a, const char *b)
{
    size_t n, m;
    unsigned char *p = bytes_of(a, &n), *q = bytes_of(b, &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(p, q, n);
    ecg__free(p);
    ecg__free(q);
}

static void same_number(double a, double b)
{
    ck_assert(memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)));
}

static void same_run(const run *a, const run *b)
{
    const ecg_spec *s = a->t->spec;
    ck_assert_mem_eq(a->t->weights, b->t->weights, s->floats * sizeof(float));
    for (uint32_t k = 0; k < ecg__optimizer_moments(&a->o); k++)
        ck_assert_mem_eq(a->t->moment[k], b->t->moment[k], s->trainable_floats * sizeof(float));
    ck_assert_uint_eq(a->t->steps, b->t->steps);
    ck_assert_uint_eq(a->epochs, b->epochs);
    for (uint32_t i = 0; i < a->epochs; i++) {
        const ecg_epoch *p = &a->past[i], *q = &b->past[i];
        ck_assert_uint_eq(p->index, q->index);
        ck_assert_uint_eq(p->epochs, q->epochs);
        same_number(p->loss, q->loss);
        same_number(p->accuracy, q->accuracy);
        same_number(p->val_loss, q->val_loss);
        same_number(p->val_accuracy, q->val_accuracy);
        same_number((double)p->lr, (double)q->lr);
        ck_assert_uint_eq(p->best, q->best);
    }
    same_file(a->model, b->model);
}

static run whole(const ecg_train_options *o, const ecg_source *v)
{
    run r = {.o = *o, .val = v, .model = unit_tmp("whole.ecgm")};
    remove(r.model);
    go(&r);
    ck_ok(r.status, r.err);
    return r;
}

/* Stopped after each step and resumed from what was kept, with 1, 2 and 3 threads in turn, and the model
 * thrown away now and then. */
static void chain_is_the_same(const ecg_train_options *o, const ecg_source *v)
{
    run all = whole(o, v);
    const char *path = unit_tmp("chain.ckpt"), *model = unit_tmp("chain.ecgm");
    size_t steps = 0, links = 0;
    remove(path);
    remove(model);
    for (bool done = false; !done; links++) {
        run r = {
            .o = *o, .val = v, .path = path, .from = links ? path : NULL, .model = model, .stop_step = 1};
        r.o.threads = 1 + (uint32_t)links % 3;
        if (links % 2)
            remove(model);
        go(&r);
        steps += r.steps;
        done = r.status == ECG_OK;
        if (!done)
            ck_assert_msg(r.status == ECG_ECANCELLED, "%s", r.err.message);
        else
            same_run(&all, &r);
        end(&r);
        ck_assert_uint_lt(links, 100);
    }
    ck_assert_uint_eq(steps, all.steps);
    ck_assert_uint_gt(links, STEPS);
    end(&all);
}

/* ---- the same bits ---- */

START_TEST(stopped_after_every_step_with_every_optimiser)
{
    const struct {
        ecg_optimizer kind;
        float momentum;
        uint32_t nesterov;
    } kinds[] = {{ECG_ADAM, 0, 0},   {ECG_AMSGRAD, 0, 0}, {ECG_ADAMW, 0, 0},   {ECG_SGD, 0, 0},
                 {ECG_SGD, 0.9f, 0}, {ECG_SGD, 0.9f, 1},  {ECG_RMSPROP, 0, 0}, {ECG_RMSPROP, 0.9f, 0}};
    ecg_train_options o = options(3);
    o.optimizer = kinds[_i].kind;
    o.momentum = kinds[_i].momentum;
    o.nesterov = kinds[_i].nesterov;
    o.weight_decay = 0.01f;
    o.l2 = 1e-4f;
    o.clip_norm = 1.0f;
    o.label_smoothing = 0.1f;
    static const float weights[] = {1.0f, 0.5f, 2.0f};
    o.class_weights = weights;
    chain_is_the_same(&o, &val);
}
END_TEST

START_TEST(stopped_after_every_step_with_every_schedule)
{
    ecg_train_options o = options(5);
    o.schedule = (ecg_schedule)_i;
    o.every = 1;
    o.gamma = 0.5f;
    o.lr = 0.03f;
    o.lr_min = 0.002f;
    o.warmup = o.schedule == ECG_SCHEDULE_COSINE ? 2 : 0;
    chain_is_the_same(&o, &val);
    if (o.schedule == ECG_SCHEDULE_PLATEAU)
        chain_is_the_same(&o, NULL);
}
END_TEST

START_TEST(early_stopping_stops_where_it_would_have)
{
    ecg_train_options o = options(MOST);
    o.lr = 0.2f; /* so that validation gets worse soon */
    o.early_stop = 1;
    run all = whole(&o, &val);
    ck_assert_uint_lt(all.epochs, MOST);
    ck_assert_uint_gt(all.epochs, 1);
    end(&all);
    chain_is_the_same(&o, &val);
}
END_TEST

/* One stop anywhere, then to the end; the checkpoint goes to another file. */
START_TEST(stopped_once_anywhere)
{
    const ecg_train_options o = options(3);
    run all = whole(&o, &val);
    const char *path = unit_tmp("once.ckpt"), *model = unit_tmp("once.ecgm"), *other = unit_tmp("other.ckpt");
    for (size_t k = 1; k <= all.steps; k++) {
        remove(path);
        remove(model);
        remove(other);
        run a = {.o = o, .val = &val, .path = path, .model = model, .stop_step = k};
        go(&a);
        ck_assert_int_eq(a.status, ECG_ECANCELLED);
        end(&a);
        ecg_error e;
        ecg_model *m;
        ck_ok(ecg_model_load(&m, path, NULL, &e), e); /* it is a model too */
        ck_assert_ptr_nonnull(ecg_model_meta(m, "checkpoint"));
        ecg_model_free(m);
        run b = {.o = o, .val = &val, .from = path, .path = k % 2 ? other : NULL, .model = model};
        b.o.threads = 3;
        go(&b);
        ck_ok(b.status, b.err);
        ck_assert_uint_eq(b.begun, (k - 1) / STEPS);
        ck_assert_uint_eq(b.steps, all.steps - k);
        same_run(&all, &b);
        end(&b);
        ck_assert_int_eq(access(other, F_OK) == 0, k % 2);
    }
    end(&all);
}
END_TEST

START_TEST(stopped_in_validation)
{
    const ecg_train_options o = options(3);
    run all = whole(&o, &val);
    ck_assert_uint_ge(all.validations, 3 * 2); /* asked more than once in each, of 10 samples */
    const char *path = unit_tmp("val.ckpt"), *model = unit_tmp("val.ecgm");
    for (size_t k = 1; k <= 5; k++) {
        remove(path);
        remove(model);
        run a = {.o = o, .val = &val, .path = path, .model = model, .stop_validation = k};
        go(&a);
        if (a.status == ECG_ECANCELLED) {
            ck_assert_uint_eq(a.steps % STEPS, 0);
            ck_assert_uint_eq(a.epochs, a.steps / STEPS - 1); /* not done without its validation */
            ck_assert_int_eq(access(model, F_OK), 0);
            run b = {.o = o, .val = &val, .from = path, .path = path, .model = model};
            go(&b);
            ck_ok(b.status, b.err);
            ck_assert_uint_eq(a.steps + b.steps, all.steps);
            same_run(&all, &b);
            end(&b);
        } else { /* it was the last call of a validation, which is then done */
            ck_ok(a.status, a.err);
            same_run(&all, &a);
        }
        ck_assert(k != 1 || a.status == ECG_ECANCELLED);
        end(&a);
    }
    end(&all);
}
END_TEST

START_TEST(stopped_after_an_epoch_and_after_the_last)
{
    const ecg_train_options o = options(3);
    run all = whole(&o, &val);
    const char *path = unit_tmp("epoch.ckpt"), *model = unit_tmp("epoch.ecgm");
    for (uint32_t k = 1; k <= 3; k++) {
        remove(path);
        remove(model);
        run a = {.o = o, .val = &val, .path = path, .model = model, .stop_epoch = k};
        go(&a);
        end(&a);
        remove(model);
        run b = {.o = o, .val = &val, .from = path, .path = path, .model = model};
        go(&b);
        ck_ok(b.status, b.err);
        ck_assert_uint_eq(b.begun, k);
        ck_assert_uint_eq(b.steps, (3 - k) * STEPS);
        same_run(&all, &b);
        end(&b);
    }
    end(&all);
}
END_TEST

/* What every_steps leaves behind when the process dies without a word: the run is cut off by a source. */
static size_t fetches_left;

static ecg_status fetch_some(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    if (fetches_left == 0) {
        err->status = ECG_EIO;
        strcpy(err->message, "the disk is gone");
        return ECG_EIO;
    }
    fetches_left--;
    return fetch(ctx, epoch, i, x, label, err);
}

START_TEST(a_checkpoint_every_few_steps)
{
    ecg_train_options o = options(3);
    run all = whole(&o, &val);
    const char *path = unit_tmp("few.ckpt"), *model = unit_tmp("few.ecgm");
    const ecg_source some = {&train_seed, TRAIN, fetch_some};
    for (uint32_t every = 1; every <= 4; every++)
        for (size_t k = 1; k < 9; k++) {
            remove(path);
            remove(model);
            ecg_trainer *t;
            ecg_error e;
            ecg_spec *s = unit_spec(UNIT_TOY_NET);
            ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
            keep.path = path;
            keep.every_steps = every;
            const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
            const ecg_model_info info = info_of();
            const size_t epoch = k / STEPS, in = k % STEPS;
            fetches_left = epoch * TRAIN + in * BATCH;
            ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
            ck_fails(ecg_trainer_fit(t, &some, &val, &info, model, &hooks, &e), e, ECG_EIO, "gone");
            ecg_trainer_free(t);
            ecg_spec_free(s);
            /* After each epoch, and after each `every` steps since the last of either. */
            const size_t kept = epoch * STEPS + (in - in % every);
            ck_assert_int_eq(access(path, F_OK) == 0, kept > 0);
            if (kept == 0)
                continue;
            run b = {.o = o, .val = &val, .from = path, .path = path, .model = model};
            go(&b);
            ck_ok(b.status, b.err);
            ck_assert_uint_eq(b.steps, all.steps - kept);
            same_run(&all, &b);
            end(&b);
        }
    end(&all);
}
END_TEST

START_TEST(a_checkpoint_every_so_often)
{
    /* Each step is later than the last by more than this. */
    const ecg_train_options o = options(1);
    const char *path = unit_tmp("often.ckpt");
    const ecg_source some = {&train_seed, TRAIN, fetch_some};
    for (int k = 0; k < 2; k++) {
        ecg_error e;
        ecg_trainer *t;
        ecg_spec *s = unit_spec(UNIT_TOY_NET);
        ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
        keep.path = path;
        keep.every_seconds = k ? 1e-9 : 3600;
        const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
        const ecg_model_info info = info_of();
        remove(path);
        fetches_left = 2 * BATCH;
        ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
        ck_fails(ecg_trainer_fit(t, &some, &val, &info, NULL, &hooks, &e), e, ECG_EIO, "gone");
        ck_assert_int_eq(access(path, F_OK) == 0, k);
        keep.every_seconds = k ? NAN : -1;
        ck_fails(ecg_trainer_fit(t, &train, &val, &info, NULL, &hooks, &e), e, ECG_EINVAL, "every_seconds");
        ecg_trainer_free(t);
        ecg_spec_free(s);
    }
}
END_TEST

START_TEST(more_epochs_later)
{
    for (int kind = 0; kind <= ECG_SCHEDULE_PLATEAU; kind++) {
        ecg_train_options o = options(4), few = options(2);
        o.schedule = few.schedule = (ecg_schedule)kind;
        o.every = few.every = 1;
        o.gamma = few.gamma = 0.5f;
        run all = whole(&o, &val);
        const char *path = unit_tmp("more.ckpt"), *model = unit_tmp("more.ecgm");
        run a = {.o = few, .val = &val, .path = path, .model = model};
        go(&a);
        ck_ok(a.status, a.err);
        end(&a);
        run b = {.o = o, .val = &val, .from = path, .path = path, .model = model};
        go(&b);
        if (kind == ECG_SCHEDULE_COSINE || kind == ECG_SCHEDULE_ONE_CYCLE) {
            ck_assert_int_eq(b.status, ECG_EINVAL);
            ck_assert_msg(
                strstr(b.err.message, kind == ECG_SCHEDULE_COSINE
                                          ? "epochs is 2 in the checkpoint, 4 here, and the schedule cosine "
                                            "depends on it"
                                          : "the schedule one-cycle depends on it"),
                "%s", b.err.message);
        } else {
            ck_ok(b.status, b.err);
            same_run(&all, &b);
        }
        end(&b);
        end(&all);
    }
    /* Fewer than are done. */
    ecg_train_options o = options(1);
    run c = {.o = o, .val = &val, .from = unit_tmp("more.ckpt"), .model = unit_tmp("more.ecgm")};
    c.o.schedule = ECG_SCHEDULE_PLATEAU;
    c.o.every = 1;
    c.o.gamma = 0.5f;
    go(&c);
    ck_assert_msg(c.status == ECG_EINVAL && strstr(c.err.message, "stands in epoch 4 already, epochs is 1"),
                  "%s", c.err.message);
    end(&c);
}
END_TEST

/* ---- refusals ---- */

static const char *const facts[] = {"pictures", "60 of them", "augment", "none", NULL};

static const char *kept(void)
{
    const char *path = unit_tmp("kept.ckpt");
    run a = {.o = options(3), .val = &val, .path = path, .stop_step = 4, .facts = facts};
    go(&a);
    ck_assert_int_eq(a.status, ECG_ECANCELLED);
    end(&a);
    return path;
}

START_TEST(another_option_is_named)
{
    static const char *const want[] = {
        "seed is 3 in the checkpoint, 4 here",
        "batch is 8 in the checkpoint, 7 here",
        "shards is 4 in the checkpoint, 3 here",
        "optimizer is adam in the checkpoint, adamw here",
        "lr is 0.01 in the checkpoint, 0.02 here",
        "beta1 is",
        "beta2 is",
        "epsilon is",
        "momentum is",
        "nesterov is 0 in the checkpoint, 1 here",
        "weight_decay is",
        "l2 is",
        "clip_norm is",
        "clip_value is",
        "schedule is constant in the checkpoint, step here",
        "every is 10 in the checkpoint, 1 here",
        "gamma is",
        "lr_min is",
        "warmup is 0 in the checkpoint, 1 here",
        "label_smoothing is",
        "class_weights is none in the checkpoint, 1 2 3 here",
        "weighted_mean is 0 in the checkpoint, 1 here",
        "early_stop is 0 in the checkpoint, 2 here",
    };
    const char *path = kept();
    static const float weights[] = {1, 2, 3};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        run r = {.o = options(3), .val = &val, .from = path, .facts = facts};
        ecg_train_options *o = &r.o;
        switch (i) {
        case 0:
            o->seed = 4;
            break;
        case 1:
            o->batch = 7;
            break;
        case 2:
            o->shards = 3;
            break;
        case 3:
            o->optimizer = ECG_ADAMW;
            break;
        case 4:
            o->lr = 0.02f;
            break;
        case 5:
            o->beta1 = 0.8f;
            break;
        case 6:
            o->beta2 = 0.8f;
            break;
        case 7:
            o->epsilon = 1e-3f;
            break;
        case 8:
            o->momentum = 0.5f;
            break;
        case 9:
            o->nesterov = 1;
            break;
        case 10:
            o->weight_decay = 0.5f;
            break;
        case 11:
            o->l2 = 0.5f;
            break;
        case 12:
            o->clip_norm = 0.5f;
            break;
        case 13:
            o->clip_value = 0.5f;
            break;
        case 14:
            o->schedule = ECG_SCHEDULE_STEP;
            break;
        case 15:
            o->every = 1;
            break;
        case 16:
            o->gamma = 0.5f;
            break;
        case 17:
            o->lr_min = 0.001f;
            break;
        case 18:
            o->warmup = 1;
            break;
        case 19:
            o->label_smoothing = 0.5f;
            break;
        case 20:
            o->class_weights = weights;
            break;
        case 21:
            o->weighted_mean = 1;
            break;
        default:
            o->early_stop = 2;
            break;
        }
        go(&r);
        ck_assert_msg(r.status == ECG_EINVAL && strstr(r.err.message, want[i]) &&
                          strstr(r.err.message, "kept.ckpt: "),
                      "%zu: %s: %s", i, ecg_status_name(r.status), r.err.message);
        ck_assert_uint_eq(r.steps, 0);
        end(&r);
    }
}
END_TEST

/* Everything but the options; the trainer is left as it was, whatever was refused. */
START_TEST(another_training_is_named)
{
    static const char *const other_facts[] = {"pictures", "61 of them", "augment", "none", NULL};
    static const char *const less[] = {"pictures", "60 of them", NULL};
    static const char *const more[] = {"pictures", "60 of them", "augment", "none", "balance", "yes", NULL};
    static const char *const other_names[] = {"one", "two", "drei"};
    static const char *const texts[] = {
        UNIT_TOY_NET,
        "input 8x8x1; conv2d 4 3x3 pad=same bias=0; batchnorm relu; maxpool 2x2; flatten; dense 25 relu;"
        "dropout 0.2; dense 3; softmax",
        "input 8x8x1; flatten; dense 3; softmax",
    };
    static const struct {
        int net, what;
        const char *part;
    } cases[] = {
        {0, 1, "pictures is 60 of them in the checkpoint, 61 of them here"},
        {0, 2, "augment is none in the checkpoint, nothing here"},
        {0, 3, "balance is not in the checkpoint, yes here"},
        {0, 4, "class 2 is three in the checkpoint, drei here"},
        {0, 5, "preprocessing is ..."},
        {0, 6, "the number of training samples is 21 in the checkpoint, 20 here"},
        {0, 7, "the number of validation samples is 10 in the checkpoint, 9 here"},
        {0, 8, "the number of validation samples is 10 in the checkpoint, 0 here"},
        {1, 0, "the network is ...ol; flatten; dense 24 relu"},
        {2, 0, "in the checkpoint, input 8x8x1; flatten; dense 3; softmax here"},
    };
    const char *path = kept();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int what = cases[i].what;
        ecg_model_info info = info_of();
        ecg_preprocess other = prep;
        ecg_source a = train, b = val;
        ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
        keep.resume = path;
        keep.facts = what == 1 ? other_facts : what == 2 ? less : what == 3 ? more : facts;
        info.classes = what == 4 ? other_names : names;
        other.mean[2] = 0.5f;
        info.preprocess = what == 5 ? &other : &prep;
        a.count -= what == 6;
        b.count -= what == 7;
        const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
        const ecg_train_options o = options(3);
        ecg_error e;
        ecg_trainer *t;
        ecg_spec *s = unit_spec(texts[cases[i].net]);
        ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
        float *before = ecg__alloc(t->spec->floats * sizeof(float));
        memcpy(before, t->weights, t->spec->floats * sizeof(float));
        ck_fails(ecg_trainer_fit(t, &a, what == 8 ? NULL : &b, &info, NULL, &hooks, &e), e, ECG_EINVAL,
                 cases[i].part);
        ck_assert_ptr_nonnull(strstr(e.message, "kept.ckpt: "));
        ck_assert_mem_eq(before, t->weights, t->spec->floats * sizeof(float));
        ck_assert_uint_eq(t->steps, 0);
        ecg__free(before);
        ecg_trainer_free(t);
        ecg_spec_free(s);
    }
}
END_TEST

START_TEST(what_is_no_checkpoint)
{
    ecg_error e;
    const ecg_model_info info = info_of();
    const char *path = unit_tmp("nocheck.ecgm");
    run a = {.o = options(1), .val = &val, .model = path};
    go(&a);
    end(&a);
    run b = {.o = options(1), .val = &val, .from = path};
    go(&b);
    ck_assert_int_eq(b.status, ECG_EFORMAT);
    ck_assert_msg(strstr(b.err.message, "nocheck.ecgm: is a model, not a checkpoint"), "%s", b.err.message);
    end(&b);
    run c = {.o = options(1), .val = &val, .from = unit_tmp("nothing.ckpt")};
    remove(c.from);
    go(&c);
    ck_assert_msg(c.status == ECG_EIO && strstr(c.err.message, "nothing.ckpt"), "%s", c.err.message);
    end(&c);
    /* A checkpoint that cannot be written, and one without a model's description. */
    run d = {.o = options(1), .val = &val, .path = "no/such/folder/x.ckpt"};
    go(&d);
    ck_assert_msg(d.status == ECG_EIO && strstr(d.err.message, "no/such/folder/x.ckpt"), "%s", d.err.message);
    ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
    keep.path = "x";
    const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
    ck_fails(ecg_trainer_fit(d.t, &train, &val, NULL, NULL, &hooks, &e), e, ECG_EINVAL,
             "a checkpoint needs class names");
    static const char *const twice[] = {"lr", "1", NULL};
    keep.path = unit_tmp("twice.ckpt");
    keep.facts = twice;
    ck_fails(ecg_trainer_fit(d.t, &train, &val, &info, NULL, &hooks, &e), e, ECG_EINVAL,
             "the fact lr is given twice");
    end(&d);
}
END_TEST

/* ---- a loop of one's own ---- */

static void steps(ecg_trainer *t, size_t from, size_t to)
{
    float x[BATCH * UNIT_TOY_VALUES];
    uint32_t y[BATCH];
    ecg_error e;
    for (size_t k = from; k < to; k++) {
        for (size_t i = 0; i < BATCH; i++)
            unit_toy(5 + k, i, x + i * UNIT_TOY_VALUES, &y[i]);
        ck_ok(ecg_trainer_step(t, x, y, BATCH, NULL, &e), e);
    }
}

START_TEST(a_loop_of_ones_own)
{
    ecg_error e;
    const ecg_model_info info = info_of();
    ecg_train_options o = options(1);
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    ecg_trainer *a, *b;
    const char *path = unit_tmp("loop.ckpt");
    ck_ok(ecg_trainer_new(&a, s, &o, &e), e);
    steps(a, 0, 3);
    ck_ok(ecg_trainer_checkpoint_save(a, &info, NULL, path, &e), e);
    steps(a, 3, 7);
    o.threads = 2;
    o.epochs = 9; /* says nothing here */
    ck_ok(ecg_trainer_new(&b, s, &o, &e), e);
    ck_fails(ecg_trainer_checkpoint_load(b, &info, facts, path, &e), e, ECG_EINVAL,
             "pictures is not in the checkpoint");
    ck_ok(ecg_trainer_checkpoint_load(b, &info, NULL, path, &e), e);
    steps(b, 3, 7);
    ck_assert_mem_eq(a->weights, b->weights, a->spec->floats * sizeof(float));
    /* That of a fit will do; the other way round there are no epochs to go on with. */
    ck_ok(ecg_trainer_checkpoint_load(b, &info, facts, kept(), &e), e);
    ck_assert_uint_eq(b->steps, 4);
    ecg_checkpoint_options keep = ECG_CHECKPOINT_OPTIONS_INIT;
    keep.resume = path;
    const ecg_fit_hooks hooks = {.size = sizeof hooks, .checkpoint = &keep};
    ck_fails(ecg_trainer_fit(b, &train, &val, &info, NULL, &hooks, &e), e, ECG_EINVAL, "between steps");
    ecg_trainer_free(a);
    ecg_trainer_free(b);
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resume");
    TCase *t = tcase_create("resume");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, stopped_after_every_step_with_every_optimiser, 0, 8);
    tcase_add_loop_test(t, stopped_after_every_step_with_every_schedule, 0, 6);
    tcase_add_test(t, early_stopping_stops_where_it_would_have);
    tcase_add_test(t, stopped_once_anywhere);
    tcase_add_test(t, stopped_in_validation);
    tcase_add_test(t, stopped_after_an_epoch_and_after_the_last);
    tcase_add_test(t, a_checkpoint_every_few_steps);
    tcase_add_test(t, a_checkpoint_every_so_often);
    tcase_add_test(t, more_epochs_later);
    tcase_add_test(t, another_option_is_named);
    tcase_add_test(t, another_training_is_named);
    tcase_add_test(t, what_is_no_checkpoint);
    tcase_add_test(t, a_loop_of_ones_own);
    suite_add_tcase(s, t);
    return unit_run(s);
}
