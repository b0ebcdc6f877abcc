/* Confidence intervals. A replicate is a weight for each picture: how often its patient was drawn. Scores are
 * put in order once, so that a replicate costs one pass over them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/status.h"
#include "eval/cases.h"

enum { MAX_CLASSES = 1024, MAX_CELLS = 1 << 27, MAX_REPLICATES = 100000 };

/* The doubles of ecg_figures, and of ecg_class_metrics behind `support`. */
enum { FIGURES = sizeof(ecg_figures) / sizeof(double), CLASS_FIGURES = 6 };

struct boot {
    const ecg_metrics *m;
    ecg_bootstrap_options o;
    const uint32_t *unit; /* [pictures] what is drawn; NULL: pictures themselves */
    size_t units, figures;
    uint32_t *order;      /* [classes][pictures] */
    double *brier, *loss; /* [pictures] */
    double *result;       /* [figures][replicates] */
    uint32_t *weight;     /* [workers][units + pictures] */
    double *block;        /* [workers][5 * classes] */
};

static void replicate(void *ctx, size_t item, uint32_t worker)
{
    const struct boot *b = ctx;
    const ecg_metrics *m = b->m;
    const size_t n = (size_t)m->count;
    uint32_t *drawn = b->weight + worker * (b->units + n), *weight = drawn + b->units;
    ecg__rng r = ecg__rng_at(b->o.seed, ECG__RNG_BOOTSTRAP, item, 0);
    memset(drawn, 0, b->units * sizeof *drawn);
    for (size_t i = 0; i < b->units; i++)
        drawn[ecg__rng_below(&r, (uint32_t)b->units)]++;
    ecg__tally t;
    ecg__tally_reset(&t, b->block + (size_t)5 * m->classes * worker, m->classes);
    for (size_t i = 0; i < n; i++) {
        const float top = m->score[i * m->classes + m->best[i]];
        weight[i] = drawn[b->unit ? b->unit[i] : i];
        if (weight[i])
            ecg__tally_add(&t, m->truth[i], m->best[i], top, b->loss[i], b->brier[i], (double)weight[i]);
    }
    ecg_figures all;
    for (uint32_t k = 0; k < m->classes; k++)
        ecg__areas(b->order + k * n, n, weight, &t.auc[k], &t.pr_auc[k]);
    ecg__tally_figures(&t, m->classes, m->j_s, m->j_v, &all);
    double value[FIGURES], *to = b->result + item;
    memcpy(value, &all, sizeof all);
    for (size_t i = 0; i < FIGURES; i++, to += b->o.replicates)
        *to = value[i];
    for (uint32_t k = 0; k < m->classes; k++) {
        ecg_class_metrics c;
        ecg__tally_class(&t, k, &c);
        memcpy(value, &c.sensitivity, CLASS_FIGURES * sizeof *value);
        for (size_t i = 0; i < CLASS_FIGURES; i++, to += b->o.replicates)
            *to = value[i];
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* numpy's default: linear between the two nearest. */
static double quantile(const double *sorted, size_t n, double q)
{
    if (n == 0)
        return (double)NAN;
    const double at = q * (double)(n - 1);
    const size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

static void interval(double *v, size_t n, double level, double *low, double *high)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i]))
            v[kept++] = v[i];
    qsort(v, kept, sizeof *v, by_value);
    *low = quantile(v, kept, (1.0 - level) / 2.0);
    *high = quantile(v, kept, (1.0 + level) / 2.0);
}

static void intervals(const struct boot *b, ecg_bootstrap *out, ecg_class_metrics *cls_low,
                      ecg_class_metrics *cls_high)
{
    const size_t n = b->o.replicates;
    double low[FIGURES], high[FIGURES], *v = b->result;
    for (size_t i = 0; i < FIGURES; i++, v += n)
        interval(v, n, b->o.level, &low[i], &high[i]);
    memcpy(&out->low, low, sizeof out->low);
    memcpy(&out->high, high, sizeof out->high);
    for (uint32_t k = 0; k < b->m->classes; k++) {
        for (size_t i = 0; i < CLASS_FIGURES; i++, v += n)
            interval(v, n, b->o.level, &low[i], &high[i]);
        if (cls_low) {
            cls_low[k].support = b->m->support[k];
            memcpy(&cls_low[k].sensitivity, low, CLASS_FIGURES * sizeof *low);
        }
        if (cls_high) {
            cls_high[k].support = b->m->support[k];
            memcpy(&cls_high[k].sensitivity, high, CLASS_FIGURES * sizeof *high);
        }
    }
}

static ecg_status prepare(struct boot *b, uint32_t workers)
{
    const ecg_metrics *m = b->m;
    const size_t n = (size_t)m->count;
    size_t room;
    b->figures = FIGURES + (size_t)CLASS_FIGURES * m->classes;
    b->order = ecg__calloc(m->classes, n * sizeof *b->order);
    b->brier = ecg__calloc(n, sizeof *b->brier);
    b->loss = ecg__calloc(n, sizeof *b->loss);
    b->result = ecg__mul(&room, b->figures * sizeof *b->result, b->o.replicates) ? ecg__alloc(room) : NULL;
    b->weight = ecg__calloc(workers, (b->units + n) * sizeof *b->weight);
    b->block = ecg__calloc(workers, (size_t)5 * m->classes * sizeof *b->block);
    if (!b->order || !b->brier || !b->loss || !b->result || !b->weight || !b->block)
        return ECG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const float *p = m->score + i * m->classes;
        b->brier[i] = ecg__case_brier(p, m->classes, m->truth[i]);
        b->loss[i] = ecg__case_loss(p[m->truth[i]]);
    }
    for (uint32_t k = 0; k < m->classes; k++) {
        const ecg_status s = ecg__order(b->order + k * n, m->score + k, m->classes, n, ecg__is_of_class, m,
                                        k);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}

static ecg_status check(struct boot *b, const ecg_bootstrap_options *o, ecg_error *err)
{
    const ecg_metrics *m = b->m;
    b->o = (ecg_bootstrap_options)ECG_BOOTSTRAP_OPTIONS_INIT;
    const ecg_status s = ecg__options_copy(&b->o, sizeof b->o, o, "bootstrap options", err);
    if (s != ECG_OK)
        return s;
    if (b->o.replicates == 0)
        b->o.replicates = 1000;
    if (!(b->o.level > 0.0 || b->o.level < 0.0)) /* 0; NaN is refused below */
        b->o.level = isnan(b->o.level) ? b->o.level : 0.95;
    if (b->o.replicates > MAX_REPLICATES || !(b->o.level > 0.0 && b->o.level < 1.0))
        return ecg__fail(err, ECG_EINVAL,
                         "bootstrap: %u replicates at level %g, expected 1..%d above 0 and below 1",
                         b->o.replicates, b->o.level, MAX_REPLICATES);
    if (m->count == 0)
        return ecg__fail(err, ECG_EINVAL, "bootstrap: there are no pictures");
    if (m->classes > MAX_CLASSES || m->count * m->classes > MAX_CELLS)
        return ecg__fail(err, ECG_ELIMIT, "bootstrap: %u classes and %llu pictures are too many", m->classes,
                         (unsigned long long)m->count);
    return ECG_OK;
}

ecg_status ecg_metrics_bootstrap(const ecg_metrics *m, const ecg_bootstrap_options *o, ecg_bootstrap *out,
                                 ecg_class_metrics *cls_low, ecg_class_metrics *cls_high, ecg_error *err)
{
    struct boot b = {.m = m};
    ecg__pool *pool = NULL;
    memset(out, 0, sizeof *out);
    ecg_status s = check(&b, o, err);
    if (s != ECG_OK)
        return s;
    const bool by_patient = !b.o.pictures && m->unknown == 0 && m->groups.count >= 2;
    b.unit = by_patient ? m->group : NULL;
    b.units = by_patient ? m->groups.count : (size_t)m->count;
    s = ecg__pool_new(&pool, b.o.threads);
    if (s == ECG_OK)
        s = prepare(&b, ecg__pool_workers(pool));
    if (s == ECG_OK) {
        ecg__parallel_for(pool, b.o.replicates, replicate, &b);
        out->by_patient = by_patient;
        out->replicates = b.o.replicates;
        out->units = b.units;
        intervals(&b, out, cls_low, cls_high);
    } else {
        ecg__fail(err, s, "bootstrap: out of memory");
    }
    ecg__pool_free(pool);
    ecg__free(b.order);
    ecg__free(b.brier);
    ecg__free(b.loss);
    ecg__free(b.result);
    ecg__free(b.weight);
    ecg__free(b.block);
    return s;
}
