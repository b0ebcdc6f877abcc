/* Pictures in the order of their scores, and what follows from it: areas and curves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/cases.h"

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

ecg_status ecg__order(uint32_t *order, const float *scores, size_t stride, size_t n,
                      bool (*positive)(const ecg_metrics *m, size_t i, uint32_t cls), const ecg_metrics *m,
                      uint32_t cls)
{
    uint64_t *key = ecg__alloc(n * sizeof *key);
    if (!key)
        return ECG_ENOMEM;
    /* The bits of a float in 0..1 grow with its value, but for the sign of -0. */
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &scores[i * stride], sizeof bits);
        key[i] = (uint64_t)(UINT32_C(0x7fffffff) - (bits & UINT32_C(0x7fffffff))) << 32 | i;
    }
    qsort(key, n, sizeof *key, by_key);
    for (size_t i = 0; i < n; i++) {
        const uint32_t picture = (uint32_t)key[i];
        const bool last = i + 1 == n || key[i] >> 32 != key[i + 1] >> 32;
        order[i] = picture | (last ? ECG__LAST : 0) | (positive(m, picture, cls) ? ECG__POSITIVE : 0);
    }
    ecg__free(key);
    return ECG_OK;
}

bool ecg__is_of_class(const ecg_metrics *m, size_t i, uint32_t cls)
{
    return m->truth[i] == cls;
}

static bool is_wrong(const ecg_metrics *m, size_t i, uint32_t cls)
{
    (void)cls;
    return m->truth[i] != m->best[i];
}

void ecg__areas(const uint32_t *order, size_t n, const uint32_t *weight, double *auc, double *pr_auc)
{
    double tp = 0.0, fp = 0.0, group[2] = {0.0, 0.0}, pairs = 0.0, area = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t entry = order[i];
        group[(entry & ECG__POSITIVE) != 0] += weight ? (double)weight[entry & ECG__PICTURE] : 1.0;
        if (!(entry & ECG__LAST))
            continue;
        /* Mann and Whitney: the share of pairs in which the class's picture is higher; ties count a half. */
        pairs += group[0] * (tp + group[1] / 2.0);
        tp += group[1];
        fp += group[0];
        if (group[1] > 0.0)
            area += group[1] * (tp / (tp + fp));
        group[0] = group[1] = 0.0;
    }
    *auc = tp > 0.0 && fp > 0.0 ? pairs / (tp * fp) : (double)NAN;
    *pr_auc = tp > 0.0 ? area / tp : (double)NAN;
}

/* ---- Curves ---- */
static ecg_curve_point point_at(ecg_curve_kind kind, const double seen[2], const double all[2], double score)
{
    const double taken = seen[0] + seen[1];
    if (kind == ECG_CURVE_ROC)
        return (ecg_curve_point){seen[0] / all[0], seen[1] / all[1], score};
    if (kind == ECG_CURVE_PR)
        return (ecg_curve_point){seen[1] / all[1], taken > 0.0 ? seen[1] / taken : 1.0, score};
    return (ecg_curve_point){taken / (all[0] + all[1]), taken > 0.0 ? seen[1] / taken : 0.0, score};
}

static void draw(ecg_curve *c, ecg_curve_kind kind, const uint32_t *order, size_t n, const float *score,
                 size_t stride)
{
    double all[2] = {0.0, 0.0}, seen[2] = {0.0, 0.0};
    for (size_t i = 0; i < n; i++)
        all[(order[i] & ECG__POSITIVE) != 0] += 1.0;
    if (kind != ECG_CURVE_RISK && (all[1] <= 0.0 || (kind == ECG_CURVE_ROC && all[0] <= 0.0)))
        return;
    c->point[c->count++] = point_at(kind, seen, all, (double)INFINITY);
    for (size_t i = 0; i < n; i++) {
        seen[(order[i] & ECG__POSITIVE) != 0] += 1.0;
        if (order[i] & ECG__LAST)
            c->point[c->count++] = point_at(kind, seen, all,
                                            (double)score[(order[i] & ECG__PICTURE) * stride]);
    }
}

ecg_status ecg_metrics_curve(const ecg_metrics *m, ecg_curve_kind kind, uint32_t cls, ecg_curve *out)
{
    *out = (ecg_curve){0, NULL};
    const size_t n = (size_t)m->count;
    const bool risk = kind == ECG_CURVE_RISK;
    if ((unsigned)kind > ECG_CURVE_RISK || (!risk && cls >= m->classes))
        return ECG_EINVAL;
    if (n == 0)
        return ECG_OK;
    uint32_t *order = ecg__alloc(n * sizeof *order);
    float *top = risk ? ecg__alloc(n * sizeof *top) : NULL;
    out->point = ecg__calloc(n + 1, sizeof *out->point);
    ecg_status s = order && out->point && (top || !risk) ? ECG_OK : ECG_ENOMEM;
    for (size_t i = 0; risk && s == ECG_OK && i < n; i++)
        top[i] = m->score[i * m->classes + m->best[i]];
    const float *score = risk ? top : m->score + cls;
    const size_t stride = risk ? 1 : m->classes;
    if (s == ECG_OK)
        s = ecg__order(order, score, stride, n, risk ? is_wrong : ecg__is_of_class, m, cls);
    if (s == ECG_OK)
        draw(out, kind, order, n, score, stride);
    if (out->count == 0)
        ecg_curve_free(out);
    ecg__free(order);
    ecg__free(top);
    return s;
}

void ecg_curve_free(ecg_curve *c)
{
    ecg__free(c->point);
    *c = (ecg_curve){0, NULL};
}
