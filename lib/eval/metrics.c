/* Collected predictions and the figures made from them. Counts are kept up to date as pictures come in;
 * scores are kept too, for the areas under the ROC curves. */
#include "ecgcnn/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ecg_metrics {
    uint32_t classes;
    uint64_t count, correct;
    double loss;         /* sum of -log p(truth) */
    uint64_t *support;   /* [classes]: pictures of the class */
    uint64_t *predicted; /* [classes]: pictures taken for the class */
    uint64_t **cell;     /* [classes][classes]: a row is there once its class has a picture */
    size_t cap;
    uint32_t *truth; /* [cap] */
    float *score;    /* [cap][classes] */
};

ecg_status ecg_metrics_new(ecg_metrics **out, uint32_t classes)
{
    *out = NULL;
    if (classes < 1 || classes > 65536)
        return ECG_EINVAL;
    ecg_metrics *m = ecg__calloc(1, sizeof *m);
    if (!m)
        return ECG_ENOMEM;
    m->classes = classes;
    m->support = ecg__calloc(classes, sizeof *m->support);
    m->predicted = ecg__calloc(classes, sizeof *m->predicted);
    m->cell = ecg__calloc(classes, sizeof *m->cell);
    if (!m->support || !m->predicted || !m->cell) {
        ecg_metrics_free(m);
        return ECG_ENOMEM;
    }
    *out = m;
    return ECG_OK;
}

void ecg_metrics_free(ecg_metrics *m)
{
    if (!m)
        return;
    for (uint32_t k = 0; m->cell && k < m->classes; k++)
        ecg__free(m->cell[k]);
    ecg__free(m->support);
    ecg__free(m->predicted);
    ecg__free(m->cell);
    ecg__free(m->truth);
    ecg__free(m->score);
    ecg__free(m);
}

/* Room for twice as many pictures. */
static ecg_status grow(ecg_metrics *m)
{
    size_t cap = 0, floats = 0, bytes = 0;
    if (m->cap == 0)
        cap = 64;
    else if (!ecg__mul(&cap, m->cap, 2))
        return ECG_ENOMEM;
    if (!ecg__mul(&floats, cap, m->classes) || !ecg__mul(&bytes, floats, sizeof *m->score))
        return ECG_ENOMEM;
    uint32_t *truth = ecg__alloc(cap * sizeof *truth); /* smaller than bytes */
    float *score = ecg__alloc(bytes);
    if (!truth || !score) {
        ecg__free(truth);
        ecg__free(score);
        return ECG_ENOMEM;
    }
    if (m->cap > 0) {
        memcpy(truth, m->truth, m->cap * sizeof *truth);
        memcpy(score, m->score, m->cap * m->classes * sizeof *score);
    }
    ecg__free(m->truth);
    ecg__free(m->score);
    m->truth = truth;
    m->score = score;
    m->cap = cap;
    return ECG_OK;
}

ecg_status ecg_metrics_add(ecg_metrics *m, uint32_t truth, const float *probs)
{
    if (truth >= m->classes)
        return ECG_EINVAL;
    uint32_t best = 0;
    for (uint32_t k = 0; k < m->classes; k++) {
        if (!(probs[k] >= 0.0f && probs[k] <= 1.0f)) /* NaN too */
            return ECG_ENUMERIC;
        if (probs[k] > probs[best])
            best = k;
    }
    if (m->count == m->cap) {
        const ecg_status s = grow(m);
        if (s != ECG_OK)
            return s;
    }
    if (!m->cell[truth]) {
        m->cell[truth] = ecg__calloc(m->classes, sizeof **m->cell);
        if (!m->cell[truth])
            return ECG_ENOMEM;
    }
    m->truth[m->count] = truth;
    memcpy(m->score + m->count * m->classes, probs, m->classes * sizeof *probs);
    m->count++;
    m->correct += best == truth;
    m->loss -= log(fmax((double)probs[truth], 1e-7));
    m->support[truth]++;
    m->predicted[best]++;
    m->cell[truth][best]++;
    return ECG_OK;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static uint64_t hits(const ecg_metrics *m, uint32_t cls)
{
    return m->cell[cls] ? m->cell[cls][cls] : 0;
}

static double f1(const ecg_metrics *m, uint32_t cls)
{
    /* TP + FN = support and TP + FP = predicted. */
    return ratio(2 * hits(m, cls), m->support[cls] + m->predicted[cls]);
}

uint64_t ecg_metrics_count(const ecg_metrics *m)
{
    return m->count;
}

double ecg_metrics_accuracy(const ecg_metrics *m)
{
    return ratio(m->correct, m->count);
}

double ecg_metrics_macro_f1(const ecg_metrics *m)
{
    double sum = 0.0;
    uint32_t present = 0;
    for (uint32_t k = 0; k < m->classes; k++)
        if (m->support[k] > 0) {
            sum += f1(m, k);
            present++;
        }
    return present > 0 ? sum / present : (double)NAN;
}

double ecg_metrics_loss(const ecg_metrics *m)
{
    return m->count > 0 ? m->loss / (double)m->count : (double)NAN;
}

uint64_t ecg_metrics_confusion(const ecg_metrics *m, uint32_t truth, uint32_t predicted)
{
    if (truth >= m->classes || predicted >= m->classes || !m->cell[truth])
        return 0;
    return m->cell[truth][predicted];
}

static int by_key(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The share of pairs (picture of the class, picture of another) in which the first has the higher score; ties
 * count a half (Mann and Whitney). Pairs are counted in whole halves, so the sum is exact. */
static ecg_status auc(const ecg_metrics *m, uint32_t cls, double *out)
{
    const uint64_t pos = m->support[cls], neg = m->count - pos;
    *out = (double)NAN;
    if (pos == 0 || neg == 0)
        return ECG_OK;
    uint32_t *key = ecg__alloc((size_t)m->count * sizeof *key);
    if (!key)
        return ECG_ENOMEM;
    /* The bits of a float in 0..1 grow with its value and leave the two highest free: score and class in one.
     */
    for (size_t i = 0; i < m->count; i++) {
        uint32_t bits;
        memcpy(&bits, &m->score[i * m->classes + cls], sizeof bits);
        key[i] = bits << 1 | (m->truth[i] == cls);
    }
    qsort(key, (size_t)m->count, sizeof *key, by_key);
    uint64_t halves = 0, below = 0; /* pictures of other classes with a lower score */
    for (size_t i = 0; i < m->count;) {
        const uint32_t score = key[i] >> 1;
        uint64_t group[2] = {0, 0};
        for (; i < m->count && key[i] >> 1 == score; i++)
            group[key[i] & 1]++;
        halves += group[1] * (2 * below + group[0]);
        below += group[0];
    }
    ecg__free(key);
    *out = (double)halves / 2.0 / ((double)pos * (double)neg);
    return ECG_OK;
}

ecg_status ecg_metrics_class(const ecg_metrics *m, uint32_t cls, ecg_class_metrics *out)
{
    memset(out, 0, sizeof *out);
    if (cls >= m->classes)
        return ECG_EINVAL;
    const uint64_t tp = hits(m, cls), others = m->count - m->support[cls], fp = m->predicted[cls] - tp;
    out->support = m->support[cls];
    out->sensitivity = ratio(tp, m->support[cls]);
    out->specificity = ratio(others - fp, others);
    out->ppv = ratio(tp, m->predicted[cls]);
    out->f1 = f1(m, cls);
    return auc(m, cls, &out->auc);
}
