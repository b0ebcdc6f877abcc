/* A model's rule, fitted on pictures of known class. */
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/cases.h"
#include "net/decision.h"

/* Part of the labels that counts as drawn at random. The plain loss is ruled by the few pictures that a
 * network is very sure of and wrong about, mislabelled ones among them; it leaves the others too unsure. */
#define DOUBT 0.01

/* Fewer wrong predictions say too little: 10 tell how often others are wrong to within a third. */
enum { ENOUGH_WRONG = 10 };

/* Mean over the pictures of -log p(truth) at beta = 1 / temperature, the labels being doubted so much.
 * Without doubt it is convex in beta. */
static double loss_at(const ecg_metrics *m, double beta, double doubt)
{
    double sum = 0.0;
    for (size_t i = 0; i < m->count; i++) {
        const float *p = m->score + i * m->classes;
        const double top = ecg__log_prob(p[m->best[i]]);
        double weight = 0.0;
        for (uint32_t k = 0; k < m->classes; k++)
            weight += exp((ecg__log_prob(p[k]) - top) * beta);
        const double truth = (ecg__log_prob(p[m->truth[i]]) - top) * beta - log(weight);
        sum -= doubt > 0.0 ? log((1.0 - doubt) * exp(truth) + doubt / m->classes) : truth;
    }
    return sum / (double)m->count;
}

/* log beta of the least doubted loss: on a grid, since it may have more than one hollow, then by golden
 * section between the neighbours. The ends of the grid are the ends of the temperature. */
static double least(const ecg_metrics *m, double low, double high, bool *at_low, bool *at_high)
{
    enum { POINTS = 61 };
    const double step = (high - low) / (POINTS - 1), ratio = (sqrt(5.0) - 1.0) / 2.0;
    double best_loss = INFINITY;
    int best = 0;
    for (int i = 0; i < POINTS; i++) {
        const double loss = loss_at(m, exp(low + i * step), DOUBT);
        if (loss < best_loss) {
            best_loss = loss;
            best = i;
        }
    }
    *at_low = best == 0;
    *at_high = best == POINTS - 1;
    double a = low + (best - 1) * step, b = low + (best + 1) * step;
    double left = b - ratio * (b - a), right = a + ratio * (b - a);
    double loss_left = loss_at(m, exp(left), DOUBT), loss_right = loss_at(m, exp(right), DOUBT);
    while (b - a > 1e-7) {
        if (loss_left < loss_right) {
            b = right;
            right = left;
            loss_right = loss_left;
            left = b - ratio * (b - a);
            loss_left = loss_at(m, exp(left), DOUBT);
        } else {
            a = left;
            left = right;
            loss_left = loss_right;
            right = a + ratio * (b - a);
            loss_right = loss_at(m, exp(right), DOUBT);
        }
    }
    return (a + b) / 2.0;
}

/* The point furthest from 1 towards beta at which the plain loss is not above that at 1. It being convex, all
 * points up to it are such. */
static double within_loss(const ecg_metrics *m, double beta)
{
    const double most = loss_at(m, 1.0, 0.0);
    if (loss_at(m, beta, 0.0) <= most)
        return beta;
    double good = 1.0, bad = beta;
    for (int i = 0; i < 60 && fabs(bad - good) > 1e-9 * good; i++) {
        const double middle = sqrt(good * bad);
        if (loss_at(m, middle, 0.0) <= most)
            good = middle;
        else
            bad = middle;
    }
    return good;
}

ecg_status ecg_metrics_temperature(const ecg_metrics *m, float *temperature, ecg_error *err)
{
    const double low = -log((double)ECG__TEMPERATURE_MOST), high = -log((double)ECG__TEMPERATURE_LEAST);
    const unsigned long long count = m->count, wrong = m->count - m->correct;
    bool at_low, at_high;
    *temperature = 1.0f;
    if (m->count == 0)
        return ecg__fail(err, ECG_EINVAL, "temperature: there are no pictures to fit it on");
    if (wrong == 0)
        return ecg__fail(
            err, ECG_ENUMERIC,
            "temperature: all %llu predictions are right, which says nothing about how often they "
            "are wrong",
            count);
    const double beta = exp(least(m, low, high, &at_low, &at_high));
    if (at_low)
        return ecg__fail(err, ECG_ENUMERIC,
                         "temperature: the probabilities tell nothing about these pictures (%llu of %llu "
                         "predictions are wrong)",
                         wrong, count);
    if (wrong < ENOUGH_WRONG && beta > 1.0)
        return ecg__fail(err, ECG_ENUMERIC,
                         "temperature: only %llu of %llu predictions are wrong, too few to make the network "
                         "surer than it is",
                         wrong, count);
    if (at_high)
        return ecg__fail(err, ECG_ENUMERIC,
                         "temperature: the probabilities of the classes are too close to each other");
    *temperature = (float)(1.0 / within_loss(m, beta));
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
