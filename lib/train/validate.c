/* Validation at the end of an epoch. It can be stopped on the way, and is then made anew. */
#include <inttypes.h>
#include <math.h>

#include "base/status.h"
#include "net/infer_profile.h"
#include "train/fit.h"

/* Samples between two calls of the hook: more and more of them until that takes a while. */
static const double CHUNK_SECONDS = 0.05;

static bool fetch(ecg__fit *f, size_t i, float *x, uint32_t *label)
{
    ecg_trainer *t = f->t;
    const uint32_t classes = ecg_spec_outputs(t->spec);
    ecg_error e = {.message = ""};
    ecg_status s = f->val->fetch(f->val->ctx, 0, i, x, label, &e);
    if (s == ECG_OK && *label >= classes)
        s = ecg__fail(&e, ECG_EINVAL, "validation: sample %zu has label %" PRIu32 ", expected 0..%" PRIu32, i,
                      *label, classes - 1);
    if (s != ECG_OK && atomic_exchange(&t->failed, 1) == 0) {
        t->fault_status = s;
        t->fault = e;
    }
    return s == ECG_OK;
}

static void judge(ecg__fit *f, size_t i, const float *probs, uint32_t label)
{
    const uint32_t classes = ecg_spec_outputs(f->t->spec);
    uint32_t first = 0;
    bool finite = isfinite(probs[0]);
    for (uint32_t c = 1; c < classes; c++) {
        finite = finite && isfinite(probs[c]);
        if (probs[c] > probs[first])
            first = c;
    }
    f->val_right[i] = first == label;
    f->val_loss[i] = finite ? -logf(probs[label] > 1e-7f ? probs[label] : 1e-7f) : NAN;
}

static void validate_group(void *ctx, size_t item, uint32_t worker)
{
    ecg__fit *f = ctx;
    ecg_trainer *t = f->t;
    unsigned char *arena = t->private + worker * t->worker_bytes;
    float *x = (float *)(void *)(arena + t->infer.bytes);
    float *probs = x; /* the inputs have been read when they are written */
    const uint32_t classes = ecg_spec_outputs(t->spec);
    const size_t first = f->val_first + f->val_count * item / f->val_groups;
    const size_t end = f->val_first + f->val_count * (item + 1) / f->val_groups;
    uint32_t label[ECG__INFER_GROUP] = {0};
    ecg__lap_row *laps = ecg__profile_val_row(t->timing, worker);
    ecg__lap_start(laps);
    for (size_t i = first; i < end; i++) {
        if (!fetch(f, i, x, &label[i - first]))
            return;
        ecg__lap(laps, ecg__infer_lap_before(t->spec));
        ecg__infer_body(&t->infer, t->weights, x, (uint32_t)(i - first), arena, laps, NULL);
    }
    ecg__infer_head(&t->infer, t->weights, (uint32_t)(end - first), probs, arena, laps, NULL);
    for (size_t i = first; i < end; i++)
        judge(f, i, probs + (i - first) * classes, label[i - first]);
}

/* This rank's part of n samples from `first` on. */
static void run_own(ecg__fit *f, size_t first, size_t n)
{
    ecg_trainer *t = f->t;
    const ecg_comm *c = &t->group.comm;
    const size_t lo = ecg__share(n, c->rank, c->ranks), hi = ecg__share(n, c->rank + 1, c->ranks);
    const uint64_t begin = ecg__span_begin(t->timing);
    f->val_first = first + lo;
    f->val_count = hi - lo;
    f->val_groups = ecg__infer_groups(&t->infer, hi - lo, ecg__pool_workers(t->pool));
    ecg__parallel_for(t->pool, f->val_groups, validate_group, f);
    ecg__span_end(t->timing, ECG__SPAN_VALIDATION, begin, hi - lo);
}

static ecg_status fault(ecg__fit *f, ecg_error *err)
{
    ecg_trainer *t = f->t;
    const bool here = atomic_load(&t->failed);
    if (here && err)
        *err = t->fault;
    return ecg__group_agree(&t->group, here ? t->fault_status : ECG_OK, err);
}

static ecg_status run_all(ecg__fit *f, ecg_error *err)
{
    enum { FAULT = 1, STOP = 2, SLOW = 4 };
    ecg_trainer *t = f->t;
    ecg__group *g = &t->group;
    const size_t count = f->val->count, many = 16 * (size_t)g->comm.ranks;
    size_t chunk = !ecg__group_alone(g)  ? many
                   : f->hooks.validation ? 4 * (size_t)ecg__pool_workers(t->pool)
                                         : count;
    atomic_store(&t->failed, 0);
    for (size_t first = 0, n; first < count; first += n) {
        const double start = ecg__fit_now();
        n = count - first < chunk ? count - first : chunk;
        run_own(f, first, n);
        const size_t done = first + n;
        uint32_t flags = atomic_load(&t->failed) ? FAULT : 0;
        if (!flags && f->hooks.validation && f->hooks.validation(f->hooks.payload, done, count))
            flags |= STOP;
        if (ecg__fit_now() - start >= CHUNK_SECONDS)
            flags |= SLOW;
        ecg_status s = ecg__group_flags(g, &flags, err);
        if (s == ECG_OK && (flags & FAULT))
            return fault(f, err);
        if (s == ECG_OK && (flags & STOP) && done < count)
            return ecg__fail(err, ECG_ECANCELLED, "validation: stopped after %zu of %zu samples", done,
                             count);
        if (s == ECG_OK)
            s = ecg__group_gather_items(g, f->val_loss + first, n, sizeof *f->val_loss, err);
        if (s == ECG_OK)
            s = ecg__group_gather_items(g, f->val_right + first, n, sizeof *f->val_right, err);
        if (s != ECG_OK)
            return s;
        if (!(flags & SLOW))
            chunk *= 2;
    }
    return ECG_OK;
}

ecg_status ecg__fit_validate(ecg__fit *f, ecg_epoch *e, ecg_error *err)
{
    if (!f->val)
        return ECG_OK;
    const ecg_status s = run_all(f, err);
    if (s != ECG_OK)
        return s;
    double loss = 0.0;
    size_t right = 0;
    for (size_t i = 0; i < f->val->count; i++) {
        if (!isfinite(f->val_loss[i]))
            return ecg__fail(
                err, ECG_ENUMERIC,
                "validation: the network's answer to sample %zu is not finite after step %" PRIu64, i,
                f->t->steps);
        loss += (double)f->val_loss[i];
        right += f->val_right[i];
    }
    e->val_loss = loss / (double)f->val->count;
    e->val_accuracy = (double)right / (double)f->val->count;
    return ECG_OK;
}
