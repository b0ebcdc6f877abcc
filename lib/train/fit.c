/* All epochs: order, the best model, checkpoints, early stopping. */
#define _POSIX_C_SOURCE 200809L
#include "train/fit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "net/model.h"

double ecg__fit_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* ---- where it stands ---- */

static uint64_t steps_done(const ecg__fit *f)
{
    const size_t batch = f->t->opt.batch;
    return f->epochs * f->schedule.steps_per_epoch + (f->at + batch - 1) / batch;
}

static void tick(ecg__fit *f)
{
    const double t = ecg__fit_now();
    f->seconds += t - f->clock;
    f->clock = t;
}

ecg_epoch ecg__fit_epoch(const ecg__fit *f)
{
    return (ecg_epoch){.index = (uint32_t)f->epochs + 1,
                       .epochs = f->t->opt.epochs,
                       .loss = f->loss / (double)f->at,
                       .accuracy = (double)f->right / (double)f->at,
                       .val_loss = NAN,
                       .val_accuracy = NAN,
                       .seconds = f->seconds,
                       .lr = f->lr};
}

static bool reserve(ecg__fit *f, ecg_error *err)
{
    if (f->epochs < f->past_cap)
        return true;
    const size_t cap = f->past_cap ? 2 * f->past_cap : 64;
    ecg_epoch *past = ecg__calloc(cap, sizeof *past);
    if (!past) {
        ecg__fail(err, ECG_ENOMEM, "training: out of memory for the history");
        return false;
    }
    if (f->epochs)
        memcpy(past, f->past, f->epochs * sizeof *past);
    ecg__free(f->past);
    f->past = past;
    f->past_cap = cap;
    return true;
}

ecg_status ecg__fit_account(ecg__fit *f, ecg_epoch *e, ecg_error *err)
{
    if (!reserve(f, err))
        return ECG_ENOMEM;
    const double score = f->val ? e->val_loss : e->loss;
    e->best = score < f->best;
    f->waited = e->best ? 0 : f->waited + 1;
    if (e->best)
        f->best = score;
    ecg__schedule_epoch(&f->schedule, score);
    f->past[f->epochs++] = *e;
    f->at = f->right = 0;
    f->loss = f->seconds = 0.0;
    f->lr = 0.0f;
    return ECG_OK;
}

/* ---- the best model so far ---- */

ecg_status ecg__fit_save_model(const ecg__fit *f, const ecg_epoch *e, float *weights, ecg_error *err)
{
    if (!f->best_path || !ecg__group_leads(&f->t->group))
        return ECG_OK;
    ecg_model_info info = {.size = sizeof info};
    ecg_status s = ecg__options_copy(&info, sizeof info, f->info, "model info", err);
    if (s != ECG_OK)
        return s;
    size_t n = 0;
    while (info.meta && info.meta[n] && info.meta[n + 1])
        n += 2;
    const char **meta = ecg__calloc(n + 11, sizeof *meta);
    if (!meta)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    if (n)
        memcpy(meta, info.meta, n * sizeof *meta);
    char text[5][32];
    const char *const names[5] = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"};
    const double values[5] = {(double)e->index, e->loss, e->accuracy, e->val_loss, e->val_accuracy};
    for (int i = 0; i < 5; i++) {
        if (!isfinite(values[i])) /* no validation, or not yet */
            continue;
        snprintf(text[i], sizeof text[i], "%.9g", values[i]);
        meta[n++] = names[i];
        meta[n++] = text[i];
    }
    info.meta = meta;
    const uint64_t begin = ecg__span_begin(f->t->timing);
    ecg_model *m;
    s = ecg__trainer_model_of(f->t, &info, weights, &m, err);
    if (s == ECG_OK)
        s = ecg_model_save(m, f->best_path, err);
    ecg__span_end(f->t->timing, ECG__SPAN_SAVE, begin, 0);
    ecg_model_free(m);
    ecg__free(meta);
    return s;
}

/* ---- epochs ---- */

static bool checkpoint_due(const ecg__fit *f)
{
    if (!f->keep.path)
        return false;

    return (f->keep.every_steps && steps_done(f) - f->kept_step >= f->keep.every_steps) ||
           (f->keep.every_seconds > 0.0 && ecg__fit_now() - f->kept_at >= f->keep.every_seconds);
}

static ecg_status train_epoch(ecg__fit *f, ecg_error *err)
{
    enum { STOP = 1, KEEP = 2 };
    ecg_trainer *t = f->t;
    const size_t count = f->train->count;
    const uint64_t index = f->epochs + 1;
    for (size_t i = 0; i < count; i++)
        f->order[i] = (uint32_t)i;
    ecg__rng r = ecg__rng_at(t->opt.seed, ECG__RNG_SHUFFLE, index, 0);
    ecg__rng_shuffle(&r, f->order, (uint32_t)count);
    while (f->at < count) {
        const size_t n = count - f->at < t->opt.batch ? count - f->at : t->opt.batch;
        const ecg__feed feed = {.source = f->train, .index = f->order + f->at, .epoch = index};
        ecg_step step;
        ecg_status s = ecg__trainer_step(t, &feed, n, ecg__schedule_rate(&f->schedule, steps_done(f)), &step,
                                         err);
        if (s != ECG_OK)
            return s;
        f->at += n;
        f->loss += step.loss * (double)n;
        f->right += step.correct;
        f->lr = step.lr;
        uint32_t flags = f->hooks.step && f->hooks.step(f->hooks.payload, &step, f->at, count) ? STOP : 0;
        if (ecg__group_leads(&t->group) && f->at < count && checkpoint_due(f))
            flags |= KEEP;
        s = ecg__group_flags(&t->group, &flags, err);
        if (s == ECG_OK && (flags & STOP))
            return ecg__fail(err, ECG_ECANCELLED, "training: stopped in epoch %" PRIu64, index);
        if (s == ECG_OK && (flags & KEEP)) {
            tick(f);
            s = ecg__group_follow(&t->group, ecg__fit_keep(f, err), err);
        }
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}

/* The checkpoint goes first: it has the best model too, and is never behind its file. */
static ecg_status write_epoch(ecg__fit *f, ecg_epoch *e, ecg_error *err)
{
    if (e->best && f->best_weights)
        memcpy(f->best_weights, f->t->weights, f->t->spec->floats * sizeof *f->best_weights);
    const ecg_status s = ecg__fit_keep(f, err);
    if (!e->best || s == ECG_ENUMERIC)
        return s;
    const ecg_status saved = ecg__fit_save_model(f, e, f->t->weights, s == ECG_OK ? err : NULL);
    return s == ECG_OK ? saved : s;
}

static ecg_status finish_epoch(ecg__fit *f, ecg_epoch *e, ecg_error *err)
{
    ecg_status s = ecg__fit_drift(f, err);
    if (s == ECG_OK)
        s = ecg__group_agree(&f->t->group, ecg__fit_account(f, e, err), err);
    return s == ECG_OK ? ecg__group_follow(&f->t->group, write_epoch(f, e, err), err) : s;
}

/* Stopped: what there is, is kept. */
static ecg_status stop(ecg__fit *f, ecg_error *err)
{
    ecg__group *g = &f->t->group;
    tick(f);
    ecg_status s = ecg__fit_keep(f, err);
    if (s == ECG_OK && isinf(f->best) && f->at > 0) {
        /* Before there is a best model the one at hand is better than none. */
        const ecg_epoch e = ecg__fit_epoch(f);
        s = ecg__fit_save_model(f, &e, f->t->weights, err);
    }
    s = ecg__group_follow(g, s, err);
    return s == ECG_OK ? ECG_ECANCELLED : s;
}

static ecg_status run_epochs(ecg__fit *f, ecg_error *err)
{
    const ecg_train_options *o = &f->t->opt;
    f->clock = ecg__fit_now();
    while (f->epochs < o->epochs && !(o->early_stop && f->waited >= o->early_stop)) {
        const unsigned long index = (unsigned long)f->epochs + 1;
        ecg_status s = train_epoch(f, err);
        tick(f);
        ecg_epoch e = ecg__fit_epoch(f);
        if (s == ECG_OK)
            s = ecg__fit_validate(f, &e, err);
        if (s == ECG_ECANCELLED)
            return stop(f, err);
        if (s == ECG_OK) {
            tick(f);
            e.seconds = f->seconds;
            s = finish_epoch(f, &e, err);
        }
        if (s != ECG_OK)
            return s == ECG_ENUMERIC ? ecg__context(err, s, "epoch %lu", index) : s;
        s = ecg__fit_stopped(f, f->hooks.epoch && f->hooks.epoch(f->hooks.payload, &e), err);
        if (s != ECG_OK)
            return s == ECG_ECANCELLED ? ecg__fail(err, s, "training: stopped after epoch %lu", index) : s;
    }
    return ECG_OK;
}

/* ---- beginning ---- */

static ecg_status check_arguments(ecg__fit *f, ecg_error *err)
{
    const bool kept = f->keep.path || f->keep.resume;
    if (f->train->count < 1 || f->train->count > UINT32_MAX)
        return ecg__fail(err, ECG_EINVAL, "training: %zu samples, expected 1..4294967295", f->train->count);
    if (f->val && f->val->count < 1)
        return ecg__fail(err, ECG_EINVAL, "validation: no samples");
    if ((f->best_path || kept) && !f->info)
        return ecg__fail(err, ECG_EINVAL, "training: a %s needs class names and preprocessing",
                         f->best_path ? "model file" : "checkpoint");
    if (!(f->keep.every_seconds >= 0.0) || !isfinite(f->keep.every_seconds))
        return ecg__fail(err, ECG_EINVAL, "checkpoint options: every_seconds must be 0 or more, got %g",
                         f->keep.every_seconds);
    if (!f->best_path && !kept)
        return ECG_OK;
    /* What cannot be saved is said before the first epoch, not after it. */
    ecg_model *m;
    const ecg_status s = ecg__trainer_model(f->t, f->info, true, &m, err);
    ecg_model_free(m);
    return s;
}

static ecg_status make_room(ecg__fit *f, ecg_error *err)
{
    f->order = ecg__alloc(f->train->count * sizeof *f->order);
    bool ok = f->order != NULL;
    if (f->val) {
        f->val_loss = ecg__alloc(f->val->count * sizeof *f->val_loss);
        f->val_right = ecg__alloc(f->val->count * sizeof *f->val_right);
        ok = ok && f->val_loss && f->val_right;
    }
    if ((f->keep.path || f->keep.resume) && ecg__group_leads(&f->t->group)) {
        f->best_weights = ecg__calloc(f->t->spec->floats, sizeof *f->best_weights);
        ok = ok && f->best_weights;
    }
    return ok ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "out of memory");
}

static ecg_status begin(ecg__fit *f, ecg_error *err)
{
    const ecg_train_options *o = &f->t->opt;
    ecg__schedule_begin(&f->schedule, o, (f->train->count + o->batch - 1) / o->batch);
    const bool resumes = f->keep.resume && ecg__group_leads(&f->t->group);
    ecg_status s = ecg__group_follow(&f->t->group, resumes ? ecg__fit_resume(f, err) : ECG_OK, err);
    if (s == ECG_OK)
        s = ecg__fit_spread(f, err);
    if (s != ECG_OK)
        return s;
    f->kept_at = ecg__fit_now();
    f->kept_step = steps_done(f);
    s = ecg__fit_stopped(f, f->hooks.begin && f->hooks.begin(f->hooks.payload, f->past, f->epochs), err);
    if (s != ECG_OK)
        return s == ECG_ECANCELLED ? ecg__fail(err, s, "training: stopped before the first step") : s;
    for (size_t i = f->epochs; i > 0; i--)
        if (f->past[i - 1].best) { /* its file may be gone, or older */
            s = ecg__fit_save_model(f, &f->past[i - 1], f->best_weights, err);
            break;
        }
    s = ecg__group_follow(&f->t->group, s, err);
    return s == ECG_OK ? run_epochs(f, err) : s;
}

ecg_status ecg_trainer_fit(ecg_trainer *t, const ecg_source *train, const ecg_source *val,
                           const ecg_model_info *info, const char *best_path, const ecg_fit_hooks *hooks,
                           ecg_error *err)
{
    ecg__fit f = {.t = t, .train = train, .val = val, .info = info, .best_path = best_path, .best = INFINITY};
    f.hooks.size = sizeof f.hooks;
    f.keep = (ecg_checkpoint_options)ECG_CHECKPOINT_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&f.hooks, sizeof f.hooks, hooks, "hooks", err);
    if (s == ECG_OK)
        s = ecg__options_copy(&f.keep, sizeof f.keep, f.hooks.checkpoint, "checkpoint options", err);
    if (s == ECG_OK)
        s = check_arguments(&f, err);
    if (s == ECG_OK)
        s = make_room(&f, err);
    s = ecg__group_agree(&t->group, s, err);
    if (s == ECG_OK)
        s = ecg__fit_meet(&f, err);
    if (s == ECG_OK)
        s = begin(&f, err);
    ecg__free(f.order);
    ecg__free(f.val_loss);
    ecg__free(f.val_right);
    ecg__free(f.past);
    ecg__free(f.best_weights);
    return s;
}
