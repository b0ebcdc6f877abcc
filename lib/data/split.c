#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/patients.h"

/* `take` pictures of n to validation; one at least stays in training where there are two. */
static size_t clamp_take(double take, size_t n)
{
    const size_t most = n >= 2 ? n - 1 : n;
    return take >= (double)most ? most : (size_t)take;
}

static ecg_status split_stratified(uint8_t *val, const ecg_dataset *d, double fraction, uint64_t seed,
                                   ecg_error *err)
{
    uint32_t *order = ecg__calloc(ecg_dataset_samples(d), sizeof *order);
    if (!order)
        return ecg__fail(err, ECG_ENOMEM, "split: out of memory for %zu pictures", ecg_dataset_samples(d));
    for (size_t c = 0, start = 0; c < ecg_dataset_classes(d); c++) {
        const size_t end = start + ecg_dataset_class_samples(d, (uint32_t)c);
        size_t n = 0;
        for (size_t i = start; i < end; i++)
            if (ecg__is_split(d, i))
                order[n++] = (uint32_t)i;
        ecg__rng r = ecg__rng_at(seed, ECG__RNG_SPLIT, c, 0);
        ecg__rng_shuffle(&r, order, (uint32_t)n);
        const size_t take = clamp_take(floor(fraction * (double)n + 0.5), n);
        for (size_t i = 0; i < take; i++)
            val[order[i]] = 1;
        start = end;
    }
    ecg__free(order);
    return ECG_OK;
}

static void split_leading(uint8_t *val, const ecg_dataset *d, double fraction)
{
    for (size_t c = 0, start = 0; c < ecg_dataset_classes(d); c++) {
        const size_t end = start + ecg_dataset_class_samples(d, (uint32_t)c);
        size_t n = 0;
        for (size_t i = start; i < end; i++)
            n += ecg__is_split(d, i);
        size_t take = clamp_take(fraction * (double)n, n);
        for (size_t i = start; take > 0; i++)
            if (ecg__is_split(d, i)) {
                val[i] = 1;
                take--;
            }
        start = end;
    }
}

/* Sum over classes of ((pictures in validation - wanted) / pictures)^2, as it changes when a patient comes to
 * validation (sign 1) or leaves it (sign -1). */
static double cost_change(const struct ecg__patients *p, size_t who, const uint32_t *in_val, double fraction,
                          double sign)
{
    double change = 0.0;
    for (size_t i = p->start[who]; i < p->start[who + 1]; i++) {
        const uint32_t c = p->share[i].label;
        const double n = p->class_count[c], now = in_val[c] / n - fraction,
                     more = sign * p->share[i].count / n;
        change += more * (2.0 * now + more);
    }
    return change;
}

/* Whether every class that has two pictures or more would keep one in training without this patient. */
static bool leaves_training(const struct ecg__patients *p, size_t who, const uint32_t *in_val)
{
    for (size_t i = p->start[who]; i < p->start[who + 1]; i++) {
        const uint32_t c = p->share[i].label, n = p->class_count[c];
        if (n >= 2 && in_val[c] + p->share[i].count >= n)
            return false;
    }
    return true;
}

static void move(const struct ecg__patients *p, size_t who, uint8_t *chosen, uint32_t *in_val)
{
    chosen[who] = !chosen[who];
    for (size_t i = p->start[who]; i < p->start[who + 1]; i++)
        in_val[p->share[i].label] += chosen[who] ? p->share[i].count : 0u - p->share[i].count;
}

/* Patients in seeded order; one changes sides if that brings the classes nearer to their fractions, until
 * none does. Where none would go to validation, the one goes that does least harm. */
static ecg_status choose_patients(uint8_t *chosen, const struct ecg__patients *p, double fraction,
                                  const uint32_t *order, uint32_t *in_val, const char *what, ecg_error *err)
{
    enum { MAX_PASSES = 50 };
    size_t taken = 0, best = p->count;
    double best_change = INFINITY;
    bool moved = true;
    for (int pass = 0; pass < MAX_PASSES && moved; pass++) {
        moved = false;
        for (size_t i = 0; i < p->count; i++) {
            const size_t who = order[i];
            if (chosen[who] ? taken == 1 : taken + 1 == p->count || !leaves_training(p, who, in_val))
                continue;
            const double change = cost_change(p, who, in_val, fraction, chosen[who] ? -1.0 : 1.0);
            if (change < -1e-12) { /* not by rounding alone: that could go on for ever */
                move(p, who, chosen, in_val);
                taken += chosen[who] ? 1 : (size_t)-1;
                moved = true;
            } else if (change < best_change) {
                best_change = change;
                best = who;
            }
        }
    }
    if (taken == 0 && best == p->count)
        return ecg__fail(err, ECG_EINVAL,
                         "split by %s: each of the %zu %ss has all pictures of some class, none can go to "
                         "validation",
                         what, p->count, what);
    if (taken == 0)
        move(p, best, chosen, in_val);
    return ECG_OK;
}

static ecg_status split_by_patient(uint8_t *val, const ecg_dataset *d, double fraction, uint64_t seed,
                                   bool by_group, ecg_error *err)
{
    struct ecg__patients p;
    ecg_status st = ecg__patients_init(&p, d, by_group, err);
    if (st != ECG_OK)
        return st;
    const char *what = by_group ? "group" : "patient";
    uint8_t *chosen = ecg__calloc(p.count, 1);
    uint32_t *order = ecg__calloc(p.count, sizeof *order);
    uint32_t *in_val = ecg__calloc(p.classes, sizeof *in_val);
    if (!chosen || !order || !in_val) {
        st = ecg__fail(err, ECG_ENOMEM, "split: out of memory for %zu %ss", p.count, what);
    } else if (p.count < 2) {
        st = ecg__fail(err, ECG_EINVAL, "split by %s: all pictures are of one %s, expected two at least",
                       what, what);
    } else {
        for (size_t i = 0; i < p.count; i++)
            order[i] = (uint32_t)i;
        ecg__rng r = ecg__rng_at(seed, ECG__RNG_SPLIT, p.classes, 0);
        ecg__rng_shuffle(&r, order, (uint32_t)p.count);
        st = choose_patients(chosen, &p, fraction, order, in_val, what, err);
        for (size_t i = 0; st == ECG_OK && i < ecg_dataset_samples(d); i++)
            val[i] = ecg__is_split(d, i) && chosen[p.of_sample[i]];
    }
    ecg__free(chosen);
    ecg__free(order);
    ecg__free(in_val);
    ecg__patients_free(&p);
    return st;
}

/* Marks to ascending lists. */
static ecg_status to_lists(ecg_split *out, const ecg_dataset *d, const uint8_t *val, double fraction,
                           ecg_error *err)
{
    size_t val_count = 0, n = 0;
    for (size_t i = 0; i < ecg_dataset_samples(d); i++) {
        n += ecg__is_split(d, i);
        val_count += val[i];
    }
    if (val_count == 0 || val_count == n)
        return ecg__fail(err, ECG_EINVAL, "split: a fraction of %g of %zu pictures leaves none for %s",
                         fraction, n, val_count ? "training" : "validation");
    ecg_split s = {ecg__calloc(n - val_count, sizeof *s.train), ecg__calloc(val_count, sizeof *s.val), 0, 0};
    if (!s.train || !s.val) {
        ecg_split_free(&s);
        return ecg__fail(err, ECG_ENOMEM, "split: out of memory for %zu pictures", n);
    }
    for (size_t i = 0; i < ecg_dataset_samples(d); i++) {
        if (val[i])
            s.val[s.val_count++] = (uint32_t)i;
        else if (ecg__is_split(d, i))
            s.train[s.train_count++] = (uint32_t)i;
    }
    *out = s;
    return ECG_OK;
}

/* Groups were asked for where some are not simply the patients. */
static ecg_split_mode choose_mode(const ecg_dataset *d)
{
    const int grouped = d->packed && ecg__packed_grouped(d); /* words of a pack are shared */
    for (size_t i = 0; i < ecg_dataset_samples(d); i++) {
        const char *group = ecg_dataset_group(d, i), *patient = ecg_dataset_patient(d, i);
        if (grouped ? group || patient : group != patient)
            return ECG_SPLIT_BY_GROUP;
    }
    return ecg_dataset_has_patients(d) ? ECG_SPLIT_BY_PATIENT : ECG_SPLIT_STRATIFIED;
}

ecg_status ecg_dataset_split(ecg_split *out, const ecg_dataset *d, double fraction, ecg_split_mode *mode,
                             uint64_t seed, ecg_error *err)
{
    memset(out, 0, sizeof *out);
    if (!(fraction > 0.0 && fraction < 1.0))
        return ecg__fail(err, ECG_EINVAL, "split: the fraction is %g, expected more than 0 and less than 1",
                         fraction);
    ecg_split_mode use = mode ? *mode : ECG_SPLIT_AUTO;
    const size_t n = ecg_dataset_samples(d);
    if (use == ECG_SPLIT_AUTO)
        use = choose_mode(d);
    uint8_t *val = ecg__calloc(n, 1);
    if (!val)
        return ecg__fail(err, ECG_ENOMEM, "split: out of memory for %zu pictures", n);

    ecg_status st = ECG_OK;
    switch (use) {
    case ECG_SPLIT_STRATIFIED:
        st = split_stratified(val, d, fraction, seed, err);
        break;
    case ECG_SPLIT_LEADING:
        split_leading(val, d, fraction);
        break;
    case ECG_SPLIT_BY_PATIENT:
    case ECG_SPLIT_BY_GROUP:
        st = split_by_patient(val, d, fraction, seed, use == ECG_SPLIT_BY_GROUP, err);
        break;
    case ECG_SPLIT_AUTO:
    default:
        st = ecg__fail(err, ECG_EINVAL, "split: %d is no way of splitting", (int)use);
    }
    if (st == ECG_OK)
        st = to_lists(out, d, val, fraction, err);
    ecg__free(val);
    if (st == ECG_OK && mode)
        *mode = use;
    return st;
}

void ecg_split_free(ecg_split *s)
{
    if (!s)
        return;
    ecg__free(s->train);
    ecg__free(s->val);
    memset(s, 0, sizeof *s);
}
