/* Collected predictions and the figures made from them. Counts are kept up to date as pictures come in;
 * scores are kept too, for what needs their order. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/cases.h"

ecg_status ecg_metrics_new(ecg_metrics **out, uint32_t classes)
{
    *out = NULL;
    if (classes < 1 || classes > 65536)
        return ECG_EINVAL;
    ecg_metrics *m = ecg__calloc(1, sizeof *m);
    if (!m)
        return ECG_ENOMEM;
    m->classes = classes;
    m->j_s = m->j_v = UINT32_MAX;
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
    ecg__free(m->best);
    ecg__free(m->group);
    ecg__free(m->score);
    ecg__groups_free(&m->groups);
    ecg__free(m);
}

/* A larger copy of a block, which is freed; NULL, and the block still there, when out of memory. */
static void *larger(void *old, size_t used, size_t bytes)
{
    void *block = ecg__alloc(bytes);
    if (block && used)
        memcpy(block, old, used);
    if (block)
        ecg__free(old);
    return block;
}

/* Room for twice as many pictures. */
static ecg_status grow(ecg_metrics *m)
{
    size_t cap = 64, bytes = 0;
    if (m->cap && !ecg__mul(&cap, m->cap, 2))
        return ECG_ENOMEM;
    if (cap > ECG__PICTURE || !ecg__mul(&bytes, cap * sizeof *m->score, m->classes))
        return ECG_ENOMEM;
    uint32_t **const list[] = {&m->truth, &m->best, &m->group};
    for (size_t i = 0; i < 3; i++) {
        uint32_t *block = larger(*list[i], m->cap * sizeof *block, cap * sizeof *block);
        if (!block)
            return ECG_ENOMEM;
        *list[i] = block;
    }
    float *score = larger(m->score, m->cap * m->classes * sizeof *score, bytes);
    if (!score)
        return ECG_ENOMEM;
    m->score = score;
    m->cap = cap;
    return ECG_OK;
}

ecg_status ecg_metrics_add_patient(ecg_metrics *m, uint32_t truth, const float *probs, const char *patient)
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
    const bool known = patient && *patient;
    const uint32_t group = known ? ecg__groups_add(&m->groups, patient) : ECG__NO_GROUP;
    if (known && group == ECG__NO_GROUP)
        return ECG_ENOMEM;
    m->truth[m->count] = truth;
    m->best[m->count] = best;
    m->group[m->count] = group;
    memcpy(m->score + m->count * m->classes, probs, m->classes * sizeof *probs);
    m->count++;
    m->unknown += !known;
    m->correct += best == truth;
    m->loss += ecg__case_loss(probs[truth]);
    m->support[truth]++;
    m->predicted[best]++;
    m->cell[truth][best]++;
    return ECG_OK;
}

ecg_status ecg_metrics_add(ecg_metrics *m, uint32_t truth, const float *probs)
{
    return ecg_metrics_add_patient(m, truth, probs, NULL);
}

ecg_metrics_case ecg_metrics_at(const ecg_metrics *m, uint64_t i)
{
    const uint32_t group = m->group[i];
    return (ecg_metrics_case){m->truth[i], m->best[i], m->score + i * m->classes,
                              group == ECG__NO_GROUP ? NULL : m->groups.name[group]};
}

void ecg_metrics_j(ecg_metrics *m, uint32_t s, uint32_t v)
{
    m->j_s = s;
    m->j_v = v;
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

uint32_t ecg_metrics_classes(const ecg_metrics *m)
{
    return m->classes;
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
    out->auc = out->pr_auc = (double)NAN;
    const size_t n = (size_t)m->count;
    if (n == 0)
        return ECG_OK;
    uint32_t *order = ecg__alloc(n * sizeof *order);
    if (!order)
        return ECG_ENOMEM;
    const ecg_status s = ecg__order(order, m->score + cls, m->classes, n, ecg__is_of_class, m, cls);
    if (s == ECG_OK)
        ecg__areas(order, n, NULL, &out->auc, &out->pr_auc);
    ecg__free(order);
    return s;
}
