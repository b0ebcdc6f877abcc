/* What the ranks of a training settle in common, outside of steps. */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "train/facts.h"
#include "train/fit.h"

/* ---- the same training? ---- */

enum { COUNTS = 3 };

/* Number i of what must be the same: the counts, then the facts. */
static uint64_t number_of(const ecg__fit *f, const ecg__facts *facts, size_t i)
{
    if (i == 0)
        return f->train->count;
    if (i == 1)
        return f->val ? f->val->count : 0;
    if (i == 2)
        return f->t->spec->params;
    const char *key = facts->list[2 * (i - COUNTS)], *value = facts->list[2 * (i - COUNTS) + 1];
    return ecg__hash(ecg__hash(ECG__HASH_START, key, strlen(key) + 1), value, strlen(value));
}

static ecg_status compare(const ecg__fit *f, const ecg__facts *facts, const uint64_t *first, ecg_error *err)
{
    static const char *const what[COUNTS] = {"the number of training samples",
                                             "the number of validation samples", "the number of parameters"};
    for (size_t i = 0; i < COUNTS + facts->count; i++) {
        const uint64_t here = number_of(f, facts, i);
        if (here == first[i])
            continue;
        if (i < COUNTS)
            return ecg__fail(err, ECG_EINVAL, "%s is %" PRIu64 " at rank 0, %" PRIu64 " here", what[i],
                             first[i], here);
        return ecg__fail(err, ECG_EINVAL, "%s is %.100s here, another at rank 0",
                         facts->list[2 * (i - COUNTS)], facts->list[2 * (i - COUNTS) + 1]);
    }
    return ECG_OK;
}

static ecg_status meet(ecg__fit *f, const ecg__facts *facts, ecg_error *err)
{
    ecg__group *g = &f->t->group;
    uint64_t count = facts->count;
    ecg_status s = ecg__group_broadcast(g, &count, sizeof count, 0, err);
    if (s != ECG_OK)
        return s;
    if (count != facts->count)
        s = ecg__fail(err, ECG_EINVAL, "%zu facts are given here, %" PRIu64 " at rank 0", facts->count,
                      count);
    uint64_t *first = s == ECG_OK ? ecg__calloc(COUNTS + facts->count, sizeof *first) : NULL;
    if (s == ECG_OK && !first)
        s = ecg__fail(err, ECG_ENOMEM, "out of memory");
    s = ecg__group_agree(g, s, err);
    for (size_t i = 0; s == ECG_OK && i < COUNTS + facts->count; i++)
        first[i] = number_of(f, facts, i);
    if (s == ECG_OK)
        s = ecg__group_broadcast(g, first, (COUNTS + facts->count) * sizeof *first, 0, err);
    if (s == ECG_OK)
        s = ecg__group_agree(g, compare(f, facts, first, err), err);
    ecg__free(first);
    return s;
}

ecg_status ecg__fit_meet(ecg__fit *f, ecg_error *err)
{
    ecg__group *g = &f->t->group;
    ecg__facts facts;
    if (ecg__group_alone(g))
        return ECG_OK;
    const ecg_status made = ecg__facts_make(&facts, f->t, f->keep.facts, err);
    ecg_status s = ecg__group_agree(g, made, err);
    if (s == ECG_OK)
        s = meet(f, &facts, err);
    if (made == ECG_OK)
        ecg__facts_end(&facts);
    return s;
}

/* ---- from rank 0 to all ---- */

static ecg_status spread_weights(ecg__fit *f, ecg_error *err)
{
    ecg_trainer *t = f->t;
    ecg_status s = ecg__group_broadcast(&t->group, t->weights, t->spec->floats * sizeof(float), 0, err);
    for (uint32_t k = 0; k < ecg__optimizer_moments(&t->opt) && t->steps > 0; k++)
        if (s == ECG_OK)
            s = ecg__group_broadcast(&t->group, t->moment[k], t->spec->trainable_floats * sizeof(float), 0,
                                     err);
    return s;
}

struct standing {
    uint64_t steps, epochs, at, right;
    double loss, seconds;
    float lr, none;
};

/* Epochs that rank 0 took from a checkpoint. */
static ecg_status spread_past(ecg__fit *f, const struct standing *p, ecg_error *err)
{
    ecg__group *g = &f->t->group;
    ecg_status s = ECG_OK;
    ecg_epoch *past = ecg__calloc((size_t)p->epochs, sizeof *past);
    if (!past)
        s = ecg__fail(err, ECG_ENOMEM, "training: out of memory for the history");
    s = ecg__group_agree(g, s, err);
    if (s == ECG_OK && ecg__group_leads(g))
        memcpy(past, f->past, (size_t)p->epochs * sizeof *past);
    if (s == ECG_OK)
        s = ecg__group_broadcast(g, past, (size_t)p->epochs * sizeof *past, 0, err);
    ecg_status here = ECG_OK;
    for (uint64_t i = 0; s == ECG_OK && here == ECG_OK && i < p->epochs && !ecg__group_leads(g); i++)
        here = ecg__fit_account(f, &past[i], err);
    ecg__free(past);
    return s == ECG_OK ? ecg__group_agree(g, here, err) : s;
}

ecg_status ecg__fit_spread(ecg__fit *f, ecg_error *err)
{
    ecg_trainer *t = f->t;
    if (ecg__group_alone(&t->group))
        return ECG_OK;
    struct standing p = {.steps = t->steps,
                         .epochs = f->epochs,
                         .at = f->at,
                         .right = f->right,
                         .loss = f->loss,
                         .seconds = f->seconds,
                         .lr = f->lr};
    ecg_status s = ecg__group_broadcast(&t->group, &p, sizeof p, 0, err);
    if (s == ECG_OK && p.epochs > 0)
        s = spread_past(f, &p, err);
    if (s != ECG_OK)
        return s;
    t->steps = p.steps;
    f->at = (size_t)p.at;
    f->right = (size_t)p.right;
    f->loss = p.loss;
    f->seconds = p.seconds;
    f->lr = p.lr;
    return spread_weights(f, err);
}

/* ---- on the way ---- */

ecg_status ecg__fit_drift(ecg__fit *f, ecg_error *err)
{
    ecg_trainer *t = f->t;
    uint32_t rank;
    if (ecg__group_alone(&t->group))
        return ECG_OK;
    const ecg_status s = ecg__group_compare(
        &t->group, ecg__hash(ECG__HASH_START, t->weights, t->spec->floats * sizeof(float)), &rank, err);
    if (s != ECG_OK || rank == t->group.comm.ranks)
        return s;
    if (t->group.fast)
        return spread_weights(f, err);
    return ecg__fail(err, ECG_ECORRUPT,
                     "training: after step %" PRIu64 " rank %" PRIu32 " has other weights than rank 0: they "
                     "compute differently (another processor, other BLAS kernels)",
                     t->steps, rank);
}

ecg_status ecg__fit_stopped(ecg__fit *f, int stop, ecg_error *err)
{
    uint32_t flags = stop != 0;
    const ecg_status s = ecg__group_flags(&f->t->group, &flags, err);
    return s == ECG_OK && flags ? ECG_ECANCELLED : s;
}
