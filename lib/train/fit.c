/* All epochs: order, validation, the best model, early stopping. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "train/schedule.h"
#include "train/trainer.h"

struct fit {
    ecg_trainer *t;
    const ecg_source *train, *val;
    const ecg_model_info *info;
    const char *best_path;
    ecg_fit_hooks hooks;
    ecg__schedule_state schedule;
    uint32_t *order; /* [train->count] */
    float *val_loss; /* [val->count] */
    bool *val_right;
    double best;
    uint32_t waited; /* epochs since the best */
    uint64_t step;
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* ---- validation: every sample as a session would predict it ---- */

static void validate_sample(void *ctx, size_t i, uint32_t worker)
{
    struct fit *f = ctx;
    ecg_trainer *t = f->t;
    unsigned char *arena = t->private + worker * t->worker_bytes;
    float *x = (float *)(void *)(arena + t->infer.bytes);
    const uint32_t classes = ecg_spec_outputs(t->spec);
    float *probs = x; /* the input has been read when they are written */
    uint32_t label = 0;
    ecg_error e = {.message = ""};
    ecg_status s = f->val->fetch(f->val->ctx, 0, i, x, &label, &e);
    if (s == ECG_OK && label >= classes)
        s = ecg__fail(&e, ECG_EINVAL, "validation: sample %zu has label %" PRIu32 ", expected 0..%" PRIu32, i,
                      label, classes - 1);
    if (s != ECG_OK) {
        if (atomic_exchange(&t->failed, 1) == 0) {
            t->fault_status = s;
            t->fault = e;
        }
        return;
    }
    ecg__infer_run(&t->infer, t->weights, x, probs, arena);
    uint32_t first = 0;
    for (uint32_t c = 1; c < classes; c++)
        if (probs[c] > probs[first])
            first = c;
    f->val_right[i] = first == label;
    f->val_loss[i] = -logf(probs[label] > 1e-7f ? probs[label] : 1e-7f);
}

static ecg_status validate(struct fit *f, ecg_epoch *e, ecg_error *err)
{
    e->val_loss = e->val_accuracy = NAN;
    if (!f->val)
        return ECG_OK;
    ecg_trainer *t = f->t;
    atomic_store(&t->failed, 0);
    ecg__parallel_for(t->pool, f->val->count, validate_sample, f);
    if (atomic_load(&t->failed)) {
        if (err)
            *err = t->fault;
        return t->fault_status;
    }
    double loss = 0.0;
    size_t right = 0;
    for (size_t i = 0; i < f->val->count; i++) {
        loss += (double)f->val_loss[i];
        right += f->val_right[i];
    }
    e->val_loss = loss / (double)f->val->count;
    e->val_accuracy = (double)right / (double)f->val->count;
    return ECG_OK;
}

/* ---- the best model so far ---- */

static ecg_status save_best(struct fit *f, const ecg_epoch *e, ecg_error *err)
{
    if (!f->best_path)
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
    s = ecg_trainer_save(f->t, &info, f->best_path, err);
    ecg__free(meta);
    return s;
}

/* ---- epochs ---- */

static ecg_status train_epoch(struct fit *f, uint32_t index, ecg_epoch *e, ecg_error *err)
{
    ecg_trainer *t = f->t;
    const size_t count = f->train->count;
    for (size_t i = 0; i < count; i++)
        f->order[i] = (uint32_t)i;
    ecg__rng r = ecg__rng_at(t->opt.seed, ECG__RNG_SHUFFLE, index, 0);
    ecg__rng_shuffle(&r, f->order, (uint32_t)count);
    double loss = 0.0;
    size_t right = 0;
    ecg_status s = ECG_OK;
    size_t at = 0;
    while (s == ECG_OK && at < count) {
        const size_t n = count - at < t->opt.batch ? count - at : t->opt.batch;
        const ecg__feed feed = {.source = f->train, .index = f->order + at, .epoch = index};
        ecg_step step;
        s = ecg__trainer_step(t, &feed, n, ecg__schedule_rate(&f->schedule, f->step++), &step, err);
        if (s != ECG_OK)
            return s;
        at += n;
        loss += step.loss * (double)n;
        right += step.correct;
        e->lr = step.lr;
        if (f->hooks.step && f->hooks.step(f->hooks.payload, &step, at, count))
            s = ecg__fail(err, ECG_ECANCELLED, "training: stopped in epoch %" PRIu32, index);
    }
    e->loss = loss / (double)at;
    e->accuracy = (double)right / (double)at;
    return s;
}

static ecg_status run_epochs(struct fit *f, ecg_error *err)
{
    const ecg_train_options *o = &f->t->opt;
    for (uint32_t index = 1; index <= o->epochs; index++) {
        ecg_epoch e = {.index = index, .epochs = o->epochs};
        const double start = now();
        ecg_status s = train_epoch(f, index, &e, err);
        if (s == ECG_ECANCELLED && isinf(f->best)) {
            /* Stopped before there was a best model: the one at hand is better than none. */
            e.val_loss = e.val_accuracy = NAN;
            const ecg_status saved = save_best(f, &e, err);
            return saved == ECG_OK ? s : saved;
        }
        if (s == ECG_OK)
            s = validate(f, &e, err);
        if (s != ECG_OK)
            return s;
        ecg__schedule_epoch(&f->schedule, f->val ? e.val_loss : e.loss);
        const double score = f->val ? e.val_loss : e.loss;
        e.best = score < f->best;
        if (e.best) {
            f->best = score;
            f->waited = 0;
            s = save_best(f, &e, err);
            if (s != ECG_OK)
                return s;
        } else {
            f->waited++;
        }
        e.seconds = now() - start;
        if (f->hooks.epoch && f->hooks.epoch(f->hooks.payload, &e))
            return ecg__fail(err, ECG_ECANCELLED, "training: stopped after epoch %" PRIu32, index);
        if (o->early_stop && f->waited >= o->early_stop)
            break;
    }
    return ECG_OK;
}

ecg_status ecg_trainer_fit(ecg_trainer *t, const ecg_source *train, const ecg_source *val,
                           const ecg_model_info *info, const char *best_path, const ecg_fit_hooks *hooks,
                           ecg_error *err)
{
    struct fit f = {
        .t = t, .train = train, .val = val, .info = info, .best_path = best_path, .best = INFINITY};
    f.hooks.size = sizeof f.hooks;
    ecg_status s = ecg__options_copy(&f.hooks, sizeof f.hooks, hooks, "hooks", err);
    if (s != ECG_OK)
        return s;
    if (train->count < 1 || train->count > UINT32_MAX)
        return ecg__fail(err, ECG_EINVAL, "training: %zu samples, expected 1..4294967295", train->count);
    if (val && val->count < 1)
        return ecg__fail(err, ECG_EINVAL, "validation: no samples");
    if (best_path && !info)
        return ecg__fail(err, ECG_EINVAL, "training: a model file needs class names and preprocessing");
    if (best_path) {
        /* What cannot be saved is said before the first epoch, not after it. */
        ecg_model *m;
        s = ecg__trainer_model(t, info, true, &m, err);
        ecg_model_free(m);
        if (s != ECG_OK)
            return s;
    }
    f.order = ecg__alloc(train->count * sizeof *f.order);
    if (val) {
        f.val_loss = ecg__alloc(val->count * sizeof *f.val_loss);
        f.val_right = ecg__alloc(val->count * sizeof *f.val_right);
    }
    if (!f.order || (val && (!f.val_loss || !f.val_right))) {
        s = ecg__fail(err, ECG_ENOMEM, "out of memory");
    } else {
        ecg__schedule_begin(&f.schedule, &t->opt, (train->count + t->opt.batch - 1) / t->opt.batch);
        s = run_epochs(&f, err);
    }
    ecg__free(f.order);
    ecg__free(f.val_loss);
    ecg__free(f.val_right);
    return s;
}
