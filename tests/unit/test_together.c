/* Whole trainings by several ranks against those of one process: figures, files, stopping, going on,
 * failures. */
#include "unit/ranks.h"

#include <math.h>
#include <stdatomic.h>

#include "train/trainer.h"
#include "unit/nets.h"

enum { BATCH = 8, TRAIN = 45 /* the last batch has 5 */, VAL = 303, EPOCHS = 5, MOST = 16 };

static const char *const names[] = {"one", "two", "three"};

struct fit {
    ecg_train_options o;
    ecg_checkpoint_options keep;
    const char *best;
    size_t stop_step, stop_validation; /* from 1; 0: never */
    uint32_t stop_epoch, spoil_epoch;
    int stop_begin;
    size_t bad;     /* sample of training that cannot be read; SIZE_MAX: none */
    size_t bad_val; /* the same in validation */
    const char *fact;
    /* results */
    ecg_trainer *t;
    uint32_t rank;
    ecg_epoch epoch[MOST];
    uint32_t epochs, past;
    size_t steps, validations;
    atomic_uint asked;
    float *weights;
    size_t floats;
    ecg_status status;
    ecg_error err;
};

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    struct fit *f = ctx;
    unit_toy(epoch > 0 ? 1 : 2, i, x, label);
    atomic_fetch_add(&f->asked, 1);
    return i == (epoch > 0 ? f->bad : f->bad_val)
               ? ecg__fail(err, ECG_ECORRUPT, "picture %zu: its ink has faded", i)
               : ECG_OK;
}

static int on_begin(void *payload, const ecg_epoch *past, size_t count)
{
    struct fit *f = payload;
    f->past = (uint32_t)count;
    if (count > 0)
        memcpy(f->epoch, past, count * sizeof *past);
    f->epochs = f->past;
    return f->stop_begin;
}

static int on_step(void *payload, const ecg_step *s, size_t done, size_t total)
{
    struct fit *f = payload;
    (void)s;
    (void)done;
    (void)total;
    return ++f->steps == f->stop_step;
}

static int on_validation(void *payload, size_t done, size_t total)
{
    struct fit *f = payload;
    if (done < total) /* too late then */
        f->validations++;
    return f->validations == f->stop_validation;
}

static int on_epoch(void *payload, const ecg_epoch *e)
{
    struct fit *f = payload;
    f->epoch[f->epochs++] = *e;
    if (e->index == f->spoil_epoch)
        ecg_trainer_tensor(f->t, 0, NULL, NULL)[0] += 0.125f;
    return e->index == f->stop_epoch;
}

static void run_fit(struct unit_rank *r)
{
    struct fit *f = r->ctx;
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = prep.w = 8;
    const ecg_model_info info = {.size = sizeof info, .preprocess = &prep, .classes = names};
    const ecg_source train = {f, TRAIN, fetch}, val = {f, VAL, fetch};
    const char *const facts[] = {"weather", f->fact, NULL};
    f->keep.facts = f->fact ? facts : NULL;
    const ecg_fit_hooks hooks = {.size = sizeof hooks,
                                 .begin = on_begin,
                                 .step = on_step,
                                 .epoch = on_epoch,
                                 .validation = on_validation,
                                 .payload = f,
                                 .checkpoint = &f->keep};
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    if (r->job)
        f->o.comm = &r->comm;
    f->rank = r->comm.rank;
    ck_ok(ecg_trainer_new(&f->t, s, &f->o, &f->err), f->err);
    f->status = ecg_trainer_fit(f->t, &train, &val, &info, f->best, &hooks, &f->err);
    f->floats = f->t->spec->floats;
    f->weights = ecg__alloc(f->floats * sizeof(float));
    memcpy(f->weights, f->t->weights, f->floats * sizeof(float));
    ecg_trainer_free(f->t);
    ecg_spec_free(s);
}

/* unit_tmp's own memory is for a few at a time. */
static const char *path_of(const char *name)
{
    static char paths[4][1024];
    static const char *const known[4] = {"one.ecgm", "many.ecgm", "many.ckpt", "other.ecgm"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, known[i]) == 0) {
            snprintf(paths[i], sizeof paths[i], "%s", unit_tmp(name));
            return paths[i];
        }
    ck_abort_msg("no file %s", name);
    return NULL;
}

static struct fit fit_of(const char *best)
{
    struct fit f = {.o = ECG_TRAIN_OPTIONS_INIT,
                    .keep = ECG_CHECKPOINT_OPTIONS_INIT,
                    .best = best ? path_of(best) : NULL,
                    .bad = SIZE_MAX,
                    .bad_val = SIZE_MAX};
    f.o.epochs = EPOCHS;
    f.o.batch = BATCH;
    f.o.shards = 5;
    f.o.threads = 1;
    f.o.seed = 3;
    f.o.lr = 0.02f;
    f.o.schedule = ECG_SCHEDULE_PLATEAU;
    f.o.every = 1;
    f.o.gamma = 0.5f;
    return f;
}

static void alone(struct fit *f)
{
    struct unit_rank r = {.ctx = f};
    f->o.comm = NULL;
    run_fit(&r);
}

/* Others than rank 0 write nowhere. */
static void together(struct fit *f, uint32_t ranks)
{
    unit_job j;
    unit_job_start(&j, ranks);
    for (uint32_t q = 1; q < ranks; q++)
        if (f[q].best)
            f[q].best = path_of("other.ecgm");
    unit_job_run(&j, run_fit, f, sizeof *f);
    ck_assert_ptr_null(fopen(path_of("other.ecgm"), "r"));
}

static void repeat(struct fit *f, uint32_t ranks)
{
    for (uint32_t q = 1; q < ranks; q++)
        f[q] = f[0];
}

static void forget(struct fit *f, uint32_t ranks)
{
    for (uint32_t q = 0; q < ranks; q++) {
        ecg__free(f[q].weights);
        f[q].weights = NULL;
    }
}

static void same_file(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    ck_assert(f && g);
    int c, d;
    do {
        c = fgetc(f);
        d = fgetc(g);
        ck_assert_int_eq(c, d);
    } while (c != EOF);
    fclose(f);
    fclose(g);
}

/* tolerance 0: the same bits. */
static void same_fit(const struct fit *a, const struct fit *b, double tolerance)
{
    ck_ok(a->status, a->err);
    ck_ok(b->status, b->err);
    ck_assert_uint_eq(a->epochs, b->epochs);
    for (uint32_t i = 0; i < a->epochs; i++) {
        ck_assert_double_le(fabs(a->epoch[i].loss - b->epoch[i].loss), tolerance);
        ck_assert_double_le(fabs(a->epoch[i].val_loss - b->epoch[i].val_loss), tolerance);
        if (tolerance > 0)
            continue;
        ck_assert_double_eq(a->epoch[i].accuracy, b->epoch[i].accuracy);
        ck_assert_double_eq(a->epoch[i].val_accuracy, b->epoch[i].val_accuracy);
        ck_assert_double_eq((double)a->epoch[i].lr, (double)b->epoch[i].lr);
        ck_assert_uint_eq(a->epoch[i].best, b->epoch[i].best);
    }
    if (tolerance == 0)
        ck_assert_int_eq(memcmp(a->weights, b->weights, a->floats * sizeof(float)), 0);
}

START_TEST(all_of_it_is_the_same_bits)
{
    const uint32_t ranks = (uint32_t)_i + 1;
    struct fit one = fit_of("one.ecgm"), many[5];
    alone(&one);
    many[0] = fit_of("many.ecgm");
    repeat(many, ranks);
    together(many, ranks);
    uint32_t asked = 0;
    for (uint32_t q = 0; q < ranks; q++) {
        same_fit(&one, &many[q], 0);
        asked += many[q].asked;
    }
    ck_assert_uint_eq(asked, one.asked); /* each picture is read by one rank */
    ck_assert(ranks == 1 || many[0].asked < one.asked);
    same_file(one.best, many[0].best);
    forget(many, ranks);
    forget(&one, 1);
}
END_TEST

START_TEST(fast_is_near)
{
    struct fit one = fit_of(NULL), many[3];
    one.o.optimizer = ECG_SGD;
    one.o.reduce = ECG_REDUCE_FAST;
    many[0] = one;
    alone(&one);
    repeat(many, 3);
    together(many, 3);
    for (int q = 0; q < 3; q++) {
        same_fit(&one, &many[q], 1e-5);
        ck_assert_int_eq(memcmp(many[q].weights, many[0].weights, one.floats * sizeof(float)), 0);
    }
    forget(many, 3);
    forget(&one, 1);
}
END_TEST

START_TEST(stopping_early_is_common)
{
    struct fit one = fit_of(NULL), many[4];
    one.o.early_stop = 1;
    one.o.lr = 0.3f;
    one.o.epochs = MOST;
    many[0] = one;
    alone(&one);
    ck_assert_uint_lt(one.epochs, MOST);
    repeat(many, 4);
    together(many, 4);
    for (int q = 0; q < 4; q++)
        same_fit(&one, &many[q], 0);
    forget(many, 4);
    forget(&one, 1);
}
END_TEST

/* ---- stopped and resumed ---- */

/* Stopped by one rank, at a place that _i decides; the rest with another number of ranks. */
START_TEST(going_on_with_other_ranks_is_the_same_bits)
{
    static const uint32_t first[] = {3, 1, 2, 5, 4}, then[] = {2, 4, 1, 3, 5};
    const uint32_t a = first[_i % 5], b = then[_i % 5], who = (uint32_t)_i % a;
    struct fit one = fit_of("one.ecgm"), many[5];
    alone(&one);
    many[0] = fit_of("many.ecgm");
    many[0].keep.path = path_of("many.ckpt");
    remove(many[0].best);
    remove(many[0].keep.path);
    struct fit begin = many[0];
    repeat(many, a);
    if (_i < 5)
        many[who].stop_step = 3 + 4 * (size_t)_i;
    else if (_i < 10)
        many[who].stop_validation = (size_t)_i - 4;
    else
        many[who].stop_epoch = 2;
    together(many, a);
    for (uint32_t q = 0; q < a; q++)
        ck_assert_int_eq(many[q].status, ECG_ECANCELLED);
    forget(many, a);
    many[0] = begin;
    many[0].keep.resume = begin.keep.path;
    repeat(many, b);
    for (uint32_t q = 1; q < b; q++)
        many[q].keep.resume = "/no/such/file"; /* rank 0's alone is looked at */
    together(many, b);
    for (uint32_t q = 0; q < b; q++)
        same_fit(&one, &many[q], 0);
    same_file(one.best, many[0].best);
    forget(many, b);
    forget(&one, 1);
}
END_TEST

START_TEST(one_that_does_not_begin_keeps_all)
{
    struct fit many[3] = {fit_of("many.ecgm")};
    remove(many[0].best);
    repeat(many, 3);
    many[0].stop_begin = 1;
    together(many, 3);
    for (int q = 0; q < 3; q++)
        ck_assert_int_eq(many[q].status, ECG_ECANCELLED);
    ck_assert_ptr_null(fopen(many[0].best, "r"));
    forget(many, 3);
}
END_TEST

/* ---- failures ---- */

static void all_say(struct fit *f, uint32_t ranks, ecg_status status, const char *part)
{
    together(f, ranks);
    for (uint32_t q = 0; q < ranks; q++) {
        ck_assert_msg(f[q].status == status, "rank %u: %s (%s)", q, ecg_status_name(f[q].status),
                      f[q].err.message);
        ck_assert_msg(strstr(f[q].err.message, part) != NULL, "rank %u: \"%s\" lacks \"%s\"", q,
                      f[q].err.message, part);
    }
    forget(f, ranks);
}

START_TEST(a_picture_that_one_cannot_read_is_named_by_all)
{
    for (int k = 0; k < 4; k++) {
        struct fit many[3] = {fit_of(NULL)};
        many[0].bad = k < 3 ? (size_t)(k * 11) : SIZE_MAX;
        many[0].bad_val = k < 3 ? SIZE_MAX : 40;
        repeat(many, 3);
        char part[64];
        snprintf(part, sizeof part, ": picture %d: its ink has faded", k < 3 ? k * 11 : 40);
        all_say(many, 3, ECG_ECORRUPT, part);
    }
}
END_TEST

START_TEST(ranks_must_want_the_same)
{
    struct fit many[3] = {fit_of(NULL)};
    repeat(many, 3);
    many[2].o.seed = 4;
    all_say(many, 3, ECG_EINVAL, "rank 2: seed is 4 here, another at rank 0");
    many[0] = fit_of(NULL);
    many[0].fact = "rain";
    repeat(many, 3);
    many[1].fact = "sun";
    all_say(many, 3, ECG_EINVAL, "rank 1: weather is sun here, another at rank 0");
    many[1].fact = NULL;
    all_say(many, 3, ECG_EINVAL, "rank 1: 24 facts are given here, 25 at rank 0");
}
END_TEST

START_TEST(weights_that_drift_are_noticed)
{
    struct fit many[3] = {fit_of(NULL)};
    repeat(many, 3);
    many[1].spoil_epoch = 2;
    all_say(many, 3, ECG_ECORRUPT, "rank 1 has other weights than rank 0");
    many[0] = fit_of(NULL);
    many[0].o.reduce = ECG_REDUCE_FAST;
    repeat(many, 3);
    many[1].spoil_epoch = 2;
    together(many, 3);
    for (int q = 0; q < 3; q++) {
        ck_ok(many[q].status, many[q].err);
        ck_assert_int_eq(memcmp(many[q].weights, many[0].weights, many[0].floats * sizeof(float)), 0);
    }
    forget(many, 3);
}
END_TEST

START_TEST(files_that_rank_0_cannot_use_end_all)
{
    struct fit many[3] = {fit_of(NULL)};
    many[0].keep.path = "/no/such/folder/x.ckpt";
    repeat(many, 3);
    all_say(many, 3, ECG_EIO, "/no/such/folder/x.ckpt");
    many[0] = fit_of(NULL);
    many[0].keep.resume = "/no/such/folder/x.ckpt";
    repeat(many, 3);
    all_say(many, 3, ECG_EIO, "/no/such/folder/x.ckpt");
}
END_TEST

static Suite *together_suite(void)
{
    Suite *s = suite_create("together");
    TCase *c = tcase_create("together");
    suite_add_tcase(s, c);
    tcase_add_loop_test(c, all_of_it_is_the_same_bits, 0, 5);
    tcase_add_test(c, fast_is_near);
    tcase_add_test(c, stopping_early_is_common);
    tcase_add_loop_test(c, going_on_with_other_ranks_is_the_same_bits, 0, 12);
    tcase_add_test(c, one_that_does_not_begin_keeps_all);
    tcase_add_test(c, a_picture_that_one_cannot_read_is_named_by_all);
    tcase_add_test(c, ranks_must_want_the_same);
    tcase_add_test(c, weights_that_drift_are_noticed);
    tcase_add_test(c, files_that_rank_0_cannot_use_end_all);
    return s;
}

int main(void)
{
    return unit_run(together_suite());
}
