/* A model's rule, fitted on pictures of known class. */
#include <math.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/cases.h"
#include "net/decision.h"

/* Slope of the loss in beta = 1 / temperature: the mean over pictures of the logit that is expected at beta
 * less that of the truth. The loss is convex in beta, so the slope grows with it. */
static double slope(const ecg_metrics *m, double beta)
{
    double sum = 0.0;
    for (size_t i = 0; i < m->count; i++) {
        const float *p = m->score + i * m->classes;
        const double top = ecg__log_prob(p[m->best[i]]);
        double weight = 0.0, mean = 0.0;
        for (uint32_t k = 0; k < m->classes; k++) {
            const double z = ecg__log_prob(p[k]) - top, w = exp(z * beta);
            weight += w;
            mean += w * z;
        }
        sum += mean / weight - (ecg__log_prob(p[m->truth[i]]) - top);
    }
    return sum / (double)m->count;
}

ecg_status ecg_metrics_temperature(const ecg_metrics *m, float *temperature, ecg_error *err)
{
    double low = 1.0 / (double)ECG__TEMPERATURE_MOST, high = 1.0 / (double)ECG__TEMPERATURE_LEAST;
    *temperature = 1.0f;
    if (m->count == 0)
        return ecg__fail(err, ECG_EINVAL, "temperature: there are no pictures to fit it on");
    if (m->correct == m->count)
        return ecg__fail(
            err, ECG_ENUMERIC,
            "temperature: all %llu predictions are right, which says nothing about how often they "
            "are wrong",
            (unsigned long long)m->count);
    if (slope(m, low) >= 0.0 || slope(m, high) <= 0.0)
        return ecg__fail(err, ECG_ENUMERIC, "temperature: the best one is not within %g..%g",
                         (double)ECG__TEMPERATURE_LEAST, (double)ECG__TEMPERATURE_MOST);
    for (int i = 0; i < 60 && high - low > 1e-9 * high; i++) {
        const double middle = sqrt(low * high);
        if (slope(m, middle) < 0.0)
            low = middle;
        else
            high = middle;
    }
    *temperature = (float)(1.0 / sqrt(low * high));
    return ECG_OK;
}

ecg_status ecg_metrics_soften(const ecg_metrics *m, float temperature, ecg_metrics **out)
{
    *out = NULL;
    if (!(temperature >= ECG__TEMPERATURE_LEAST && temperature <= ECG__TEMPERATURE_MOST))
        return ECG_EINVAL;
    float *p = ecg__calloc(m->classes, sizeof *p);
    ecg_status s = p ? ecg_metrics_new(out, m->classes) : ECG_ENOMEM;
    if (s == ECG_OK)
        ecg_metrics_j(*out, m->j_s, m->j_v);
    for (size_t i = 0; s == ECG_OK && i < m->count; i++) {
        const ecg_metrics_case c = ecg_metrics_at(m, i);
        for (uint32_t k = 0; k < m->classes; k++)
            p[k] = c.probs[k];
        ecg__soften(p, m->classes, temperature);
        s = ecg_metrics_add_patient(*out, c.truth, p, c.patient);
    }
    ecg__free(p);
    if (s != ECG_OK) {
        ecg_metrics_free(*out);
        *out = NULL;
    }
    return s;
}

ecg_status ecg_metrics_threshold(const ecg_metrics *m, ecg_threshold by, double wanted, ecg_curve_point *out,
                                 ecg_error *err)
{
    ecg_curve c;
    *out = (ecg_curve_point){0.0, 0.0, 0.0};
    if ((by != ECG_THRESHOLD_ERROR && by != ECG_THRESHOLD_COVERAGE) || !(wanted >= 0.0 && wanted <= 1.0))
        return ecg__fail(err, ECG_EINVAL, "threshold: wanted is %g, expected 0..1 of errors or of coverage",
                         wanted);
    if (m->count == 0)
        return ecg__fail(err, ECG_EINVAL, "threshold: there are no pictures to choose it on");
    const ecg_status s = ecg_metrics_curve(m, ECG_CURVE_RISK, 0, &c);
    if (s != ECG_OK)
        return ecg__fail(err, s, "threshold: out of memory");
    /* Point 0 answers nothing. ERROR: the last point that is good enough; COVERAGE: the first. */
    size_t found = 0;
    for (size_t i = 1; i < c.count && !(by == ECG_THRESHOLD_COVERAGE && found); i++)
        if (by == ECG_THRESHOLD_ERROR ? c.point[i].y <= wanted : c.point[i].x >= wanted)
            found = i;
    if (found)
        *out = c.point[found];
    ecg_curve_free(&c);
    if (found)
        return ECG_OK;
    return ecg__fail(err, ECG_ENUMERIC,
                     "threshold: of the most certain answers, too, more than %g of all are wrong", wanted);
}
