/* A trainer, and a training with its epochs, to a checkpoint and back. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "format/checkpoint.h"
#include "net/model.h"
#include "train/facts.h"
#include "train/fit.h"

/* ---- writing ---- */

/* Completes c, which says how a training stands, with the trainer's part, and writes it. `where` in words
 * goes into the provenance of the model that the file also is. */
static ecg_status put(const ecg_trainer *t, const ecg_model_info *info, const char *const *more,
                      const char *path, const char *where, ecg__checkpoint *c, ecg_error *err)
{
    ecg_model_info in = {.size = sizeof in};
    ecg_status s = ecg__options_copy(&in, sizeof in, info, "model info", err);
    if (s != ECG_OK)
        return s;
    size_t n = 0;
    while (in.meta && in.meta[n] && in.meta[n + 1])
        n += 2;
    const char **meta = ecg__calloc(n + 3, sizeof *meta);
    if (!meta)
        return ecg__fail(err, ECG_ENOMEM, "checkpoint: out of memory");
    if (n)
        memcpy(meta, in.meta, n * sizeof *meta);
    meta[n] = "checkpoint";
    meta[n + 1] = where;
    in.meta = meta;

    const uint64_t begin = ecg__span_begin(t->timing);
    ecg__facts facts;
    ecg_model *m = NULL;
    s = ecg__facts_make(&facts, t, more, err);
    if (s == ECG_OK) {
        c->fact = facts.list;
        c->steps = t->steps;
        c->moments = ecg__optimizer_moments(&t->opt);
        for (uint32_t k = 0; k < c->moments; k++)
            c->moment[k] = t->moment[k];
        s = ecg__trainer_model(t, &in, true, &m, err);
        if (s == ECG_OK)
            s = ecg__checkpoint_write(c, m, path, err);
        ecg_model_free(m);
        ecg__facts_end(&facts);
    }
    ecg__span_end(t->timing, ECG__SPAN_SAVE, begin, 0);
    ecg__free(meta);
    return s;
}

ecg_status ecg__fit_keep(ecg__fit *f, ecg_error *err)
{
    if (!f->keep.path || !ecg__group_leads(&f->t->group))
        return ECG_OK;
    ecg__checkpoint c = {
        .train_count = f->train->count,
        .val_count = f->val ? f->val->count : 0,
        .samples = f->at,
        .right = f->right,
        .loss = f->loss,
        .seconds = f->at ? f->seconds : 0.0,
        .lr = f->lr,
        .epochs = f->epochs,
        .best = isinf(f->best) ? NULL : f->best_weights,
    };
    ecg__past *past = ecg__calloc(f->epochs + 1, sizeof *past);
    if (!past)
        return ecg__fail(err, ECG_ENOMEM, "checkpoint: out of memory");
    for (size_t i = 0; i < f->epochs; i++) {
        const ecg_epoch *e = &f->past[i];
        past[i] = (ecg__past){
            e->loss, e->accuracy, f->val ? e->val_loss : 0.0, f->val ? e->val_accuracy : 0.0, e->seconds,
            e->lr,   e->best};
    }
    c.past = past;
    char where[96];
    snprintf(where, sizeof where, "%zu epochs and %zu of %zu samples", f->epochs, f->at, f->train->count);
    const ecg_status s = put(f->t, f->info, f->keep.facts, f->keep.path, where, &c, err);
    ecg__free(past);
    f->kept_at = ecg__fit_now();
    f->kept_step = f->epochs * f->schedule.steps_per_epoch + (f->at + f->t->opt.batch - 1) / f->t->opt.batch;
    return s;
}

ecg_status ecg_trainer_checkpoint_save(const ecg_trainer *t, const ecg_model_info *info,
                                       const char *const *facts, const char *path, ecg_error *err)
{
    ecg__checkpoint c = {.train_count = 0};
    char where[48];
    snprintf(where, sizeof where, "%" PRIu64 " steps", t->steps);
    return put(t, info, facts, path, where, &c, err);
}

/* ---- reading ---- */

/* Adam's squares and their like. */
static bool squares(const ecg_train_options *o, uint32_t k)
{
    return o->optimizer == ECG_RMSPROP ? k == 0 : o->optimizer != ECG_SGD && k > 0;
}

static ecg_status check_moments(const ecg_trainer *t, const ecg__checkpoint *c, const char *name,
                                ecg_error *err)
{
    const uint32_t want = ecg__optimizer_moments(&t->opt);
    if (c->moments != want)
        return ecg__fail(err, ECG_ECORRUPT, "%s: chunk trst: %" PRIu32 " moments, %s has %" PRIu32, name,
                         c->moments, ecg_optimizer_name(t->opt.optimizer), want);
    for (uint32_t k = 0; k < want; k++)
        for (size_t i = 0; squares(&t->opt, k) && i < t->spec->trainable_floats; i++)
            if (c->moment[k][i] < 0.0f)
                return ecg__fail(err, ECG_ECORRUPT,
                                 "%s: chunk optm: value %zu of moment %" PRIu32 " is below 0", name, i, k);
    return ECG_OK;
}

static ecg_status compare(const ecg_trainer *t, const ecg_model_info *info, const char *const *more,
                          const ecg_model *m, const ecg__checkpoint *c, const char *name, ecg_error *err)
{
    ecg_model *here;
    ecg_status s = ecg__trainer_model(t, info, true, &here, err);
    if (s != ECG_OK)
        return s;
    s = ecg__facts_model(m, here, name, err);
    ecg_model_free(here);
    ecg__facts facts;
    if (s == ECG_OK)
        s = ecg__facts_make(&facts, t, more, err);
    if (s != ECG_OK)
        return s;
    s = ecg__facts_compare(c->fact, &facts, name, err);
    ecg__facts_end(&facts);
    return s == ECG_OK ? check_moments(t, c, name, err) : s;
}

/* The file, compared with t but not yet in it. */
static ecg_status get(const ecg_trainer *t, const ecg_model_info *info, const char *const *more,
                      const char *path, ecg__checkpoint *c, ecg_model **m, ecg_error *err)
{
    const uint64_t floats = 2 * t->spec->floats + ECG__MAX_MOMENTS * (uint64_t)t->spec->trainable_floats;
    const uint64_t most = floats * sizeof(float) + ((uint64_t)256 << 20), least = (uint64_t)2 << 30;
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_bytes = most > least ? most : least;
    ecg__chunk_reader r;
    ecg_status s = ecg__reader_open(&r, path, o.max_bytes, err);
    if (s != ECG_OK)
        return s;
    s = ecg__checkpoint_read(c, m, &r, &o, err);
    ecg__reader_close(&r);
    if (s != ECG_OK)
        return s;
    s = compare(t, info, more, *m, c, path, err);
    if (s != ECG_OK) {
        ecg_model_free(*m);
        ecg__checkpoint_free(c);
    }
    return s;
}

static void apply(ecg_trainer *t, const ecg_model *m, const ecg__checkpoint *c)
{
    memcpy(t->weights, m->weights, t->spec->floats * sizeof *t->weights);
    for (uint32_t k = 0; k < c->moments; k++)
        memcpy(t->moment[k], c->moment[k], t->spec->trainable_floats * sizeof(float));
    t->steps = c->steps;
}

ecg_status ecg_trainer_checkpoint_load(ecg_trainer *t, const ecg_model_info *info, const char *const *facts,
                                       const char *path, ecg_error *err)
{
    ecg__checkpoint c;
    ecg_model *m;
    const ecg_status s = get(t, info, facts, path, &c, &m, err);
    if (s != ECG_OK)
        return s;
    apply(t, m, &c);
    ecg_model_free(m);
    ecg__checkpoint_free(&c);
    return ECG_OK;
}

static ecg_status compare_count(const char *what, uint64_t kept, uint64_t here, const char *name,
                                ecg_error *err)
{
    char a[24], b[24];
    snprintf(a, sizeof a, "%" PRIu64, kept);
    snprintf(b, sizeof b, "%" PRIu64, here);
    return ecg__fact_compare(what, a, b, name, err);
}

/* Does this training stand where the checkpoint says? */
static ecg_status check_standing(const ecg__fit *f, const ecg__checkpoint *c, const char *name,
                                 ecg_error *err)
{
    const ecg_train_options *o = &f->t->opt;
    if (c->train_count == 0)
        return ecg__fail(err, ECG_EINVAL, "%s: was saved between steps, not by a training in epochs", name);
    ecg_status s = compare_count("the number of training samples", c->train_count, f->train->count, name,
                                 err);
    if (s == ECG_OK)
        s = compare_count("the number of validation samples", c->val_count, f->val ? f->val->count : 0, name,
                          err);
    if (s != ECG_OK)
        return s;
    const uint64_t begun = c->epochs + (c->samples > 0);
    if (begun > o->epochs)
        return ecg__fail(err, ECG_EINVAL,
                         "%s: stands in epoch %" PRIu64 " already, epochs is %" PRIu32 " here", name, begun,
                         o->epochs);
    const uint64_t steps = c->epochs * f->schedule.steps_per_epoch + (c->samples + o->batch - 1) / o->batch;
    if ((c->samples < c->train_count && c->samples % o->batch != 0) || c->steps < steps)
        return ecg__fail(err, ECG_ECORRUPT,
                         "%s: chunk trst: %" PRIu64 " samples and %" PRIu64
                         " steps do not go with batches of %" PRIu32,
                         name, c->samples, c->steps, o->batch);
    return ECG_OK;
}

/* Past epochs anew, through the same door as when they were done. */
static ecg_status replay(ecg__fit *f, const ecg__checkpoint *c, ecg_error *err)
{
    for (size_t i = 0; i < c->epochs; i++) {
        const ecg__past *p = &c->past[i];
        ecg_epoch e = {.index = (uint32_t)i + 1,
                       .epochs = f->t->opt.epochs,
                       .loss = p->loss,
                       .accuracy = p->accuracy,
                       .val_loss = f->val ? p->val_loss : (double)NAN,
                       .val_accuracy = f->val ? p->val_accuracy : (double)NAN,
                       .seconds = p->seconds,
                       .lr = p->lr};
        const ecg_status s = ecg__fit_account(f, &e, err);
        if (s != ECG_OK)
            return s;
    }
    f->at = (size_t)c->samples;
    f->right = (size_t)c->right;
    f->loss = c->loss;
    f->seconds = c->seconds;
    f->lr = c->lr;
    return ECG_OK;
}

ecg_status ecg__fit_resume(ecg__fit *f, ecg_error *err)
{
    ecg__checkpoint c;
    ecg_model *m;
    const char *path = f->keep.resume;
    ecg_status s = get(f->t, f->info, f->keep.facts, path, &c, &m, err);
    if (s != ECG_OK)
        return s;
    s = check_standing(f, &c, path, err);
    if (s == ECG_OK)
        s = replay(f, &c, err);
    if (s == ECG_OK) {
        if (c.best)
            memcpy(f->best_weights, c.best, f->t->spec->floats * sizeof *f->best_weights);
        apply(f->t, m, &c);
    }
    ecg_model_free(m);
    ecg__checkpoint_free(&c);
    return s;
}
