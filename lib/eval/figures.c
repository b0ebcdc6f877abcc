/* From counts to figures: of all pictures, or of a bootstrap replicate. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/cases.h"

double ecg__case_loss(float p)
{
    return -log(fmax((double)p, 1e-7));
}

double ecg__case_brier(const float *probs, uint32_t classes, uint32_t truth)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < classes; k++) {
        const double d = (double)probs[k] - (k == truth ? 1.0 : 0.0);
        sum += d * d;
    }
    return sum;
}

uint32_t ecg__case_bin(float p, uint32_t n)
{
    const double at = ceil((double)p * n) - 1.0;
    return at <= 0.0 ? 0 : at >= (double)n ? n - 1 : (uint32_t)at;
}

void ecg__tally_reset(ecg__tally *t, double *block, uint32_t classes)
{
    memset(t, 0, sizeof *t);
    memset(block, 0, (size_t)5 * classes * sizeof *block);
    double **const part[] = {&t->support, &t->predicted, &t->hits, &t->auc, &t->pr_auc};
    for (size_t i = 0; i < 5; i++)
        *part[i] = block + i * classes;
}

void ecg__tally_add(ecg__tally *t, uint32_t truth, uint32_t best, float top, double loss, double brier,
                    double weight)
{
    const uint32_t bin = ecg__case_bin(top, ECG_ECE_BINS);
    const double hit = truth == best ? weight : 0.0;
    t->count += weight;
    t->loss += weight * loss;
    t->brier += weight * brier;
    t->support[truth] += weight;
    t->predicted[best] += weight;
    t->hits[truth] += hit;
    t->bin_count[bin] += weight;
    t->bin_hits[bin] += hit;
    t->bin_sum[bin] += weight * (double)top;
}

static double ratio(double part, double whole)
{
    return whole > 0.0 ? part / whole : (double)NAN;
}

void ecg__tally_class(const ecg__tally *t, uint32_t cls, ecg_class_metrics *out)
{
    const double tp = t->hits[cls], others = t->count - t->support[cls], fp = t->predicted[cls] - tp;
    out->support = (uint64_t)t->support[cls];
    out->sensitivity = ratio(tp, t->support[cls]);
    out->specificity = ratio(others - fp, others);
    out->ppv = ratio(tp, t->predicted[cls]);
    out->f1 = ratio(2.0 * tp, t->support[cls] + t->predicted[cls]);
    out->auc = t->auc[cls];
    out->pr_auc = t->pr_auc[cls];
}

/* A mean over classes: of values that are numbers. */
struct mean {
    double sum, weight;
};

static void take(struct mean *macro, struct mean *weighted, double v, double support)
{
    if (isnan(v))
        return;
    macro->sum += v;
    macro->weight += 1.0;
    weighted->sum += v * support;
    weighted->weight += support;
}

static ecg_averages averages(const struct mean m[6])
{
    return (ecg_averages){ratio(m[0].sum, m[0].weight), ratio(m[1].sum, m[1].weight),
                          ratio(m[2].sum, m[2].weight), ratio(m[3].sum, m[3].weight),
                          ratio(m[4].sum, m[4].weight), ratio(m[5].sum, m[5].weight)};
}

static double j_index(const ecg__tally *t, uint32_t classes, uint32_t j_s, uint32_t j_v)
{
    ecg_class_metrics s, v;
    if (j_s >= classes || j_v >= classes)
        return (double)NAN;
    ecg__tally_class(t, j_s, &s);
    ecg__tally_class(t, j_v, &v);
    const double ppv_s = s.support && isnan(s.ppv) ? 0.0 : s.ppv;
    const double ppv_v = v.support && isnan(v.ppv) ? 0.0 : v.ppv;
    return s.sensitivity + ppv_s + v.sensitivity + ppv_v;
}

void ecg__tally_figures(const ecg__tally *t, uint32_t classes, uint32_t j_s, uint32_t j_v, ecg_figures *out)
{
    struct mean macro[6] = {{0.0, 0.0}}, weighted[6] = {{0.0, 0.0}};
    double hits = 0.0, chance = 0.0, gap = 0.0;
    for (uint32_t k = 0; k < classes; k++) {
        hits += t->hits[k];
        chance += t->support[k] * t->predicted[k];
        if (t->support[k] <= 0.0)
            continue;
        ecg_class_metrics c;
        ecg__tally_class(t, k, &c);
        const double v[6] = {c.sensitivity, c.specificity, isnan(c.ppv) ? 0.0 : c.ppv, c.f1, c.auc, c.pr_auc};
        for (size_t i = 0; i < 6; i++)
            take(&macro[i], &weighted[i], v[i], t->support[k]);
    }
    for (size_t i = 0; i < ECG_ECE_BINS; i++)
        gap += fabs(t->bin_hits[i] - t->bin_sum[i]);
    /* Both sides times count^2, so that they are whole and 1 - chance is 0 only where it is. */
    const double all = t->count * t->count;
    *out = (ecg_figures){.accuracy = ratio(hits, t->count),
                         .macro = averages(macro),
                         .weighted = averages(weighted),
                         .kappa = ratio(hits * t->count - chance, all - chance),
                         .j_index = j_index(t, classes, j_s, j_v),
                         .loss = ratio(t->loss, t->count),
                         .brier = ratio(t->brier, t->count),
                         .ece = ratio(gap, t->count)};
    out->balanced_accuracy = out->macro.sensitivity;
    out->j_kappa = out->kappa / 2.0 + out->j_index / 8.0;
}

ecg_status ecg_metrics_figures(const ecg_metrics *m, ecg_figures *out)
{
    const size_t n = (size_t)m->count;
    ecg__tally t;
    double *block = ecg__calloc(m->classes, 5 * sizeof *block);
    uint32_t *order = ecg__alloc(n * sizeof *order);
    ecg_status s = block && order ? ECG_OK : ECG_ENOMEM;
    if (s == ECG_OK)
        ecg__tally_reset(&t, block, m->classes);
    for (size_t i = 0; s == ECG_OK && i < n; i++) {
        const float *p = m->score + i * m->classes;
        ecg__tally_add(&t, m->truth[i], m->best[i], p[m->best[i]], ecg__case_loss(p[m->truth[i]]),
                       ecg__case_brier(p, m->classes, m->truth[i]), 1.0);
    }
    for (uint32_t k = 0; s == ECG_OK && k < m->classes; k++) {
        if (!m->support[k])
            continue;
        s = ecg__order(order, m->score + k, m->classes, n, ecg__is_of_class, m, k);
        if (s == ECG_OK)
            ecg__areas(order, n, NULL, &t.auc[k], &t.pr_auc[k]);
    }
    if (s == ECG_OK)
        ecg__tally_figures(&t, m->classes, m->j_s, m->j_v, out);
    ecg__free(block);
    ecg__free(order);
    return s;
}

void ecg_metrics_reliability(const ecg_metrics *m, uint32_t bins, ecg_reliability_bin *out)
{
    for (uint32_t b = 0; b < bins; b++)
        out[b] = (ecg_reliability_bin){0, 0.0, 0.0};
    for (size_t i = 0; bins && i < m->count; i++) {
        const float top = m->score[i * m->classes + m->best[i]];
        ecg_reliability_bin *b = &out[ecg__case_bin(top, bins)];
        b->count++;
        b->confidence += (double)top;
        b->accuracy += m->best[i] == m->truth[i] ? 1.0 : 0.0;
    }
    for (uint32_t b = 0; b < bins; b++) {
        out[b].confidence = ratio(out[b].confidence, (double)out[b].count);
        out[b].accuracy = ratio(out[b].accuracy, (double)out[b].count);
    }
}
