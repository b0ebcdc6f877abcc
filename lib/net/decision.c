#include "net/decision.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/gate.h"
#include "net/model.h"

ecg_status ecg__rule_check(ecg_rule *out, const ecg_rule *rule, ecg_error *err)
{
    ecg_rule r = ECG_RULE_INIT;
    const ecg_status s = ecg__options_copy(&r, sizeof r, rule, "rule", err);
    if (s != ECG_OK)
        return s;
    r.size = sizeof r;
    if (fpclassify(r.temperature) == FP_ZERO)
        r.temperature = 1.0f;
    if (!(r.temperature >= ECG__TEMPERATURE_LEAST && r.temperature <= ECG__TEMPERATURE_MOST))
        return ecg__fail(err, ECG_EINVAL, "rule: temperature is %g, expected %g..%g", (double)r.temperature,
                         (double)ECG__TEMPERATURE_LEAST, (double)ECG__TEMPERATURE_MOST);
    if (!(r.threshold >= 0.0f && r.threshold <= 1.0f))
        return ecg__fail(err, ECG_EINVAL, "rule: threshold is %g, expected 0..1", (double)r.threshold);
    if (!(r.wanted >= 0.0f && r.wanted <= 1.0f))
        return ecg__fail(err, ECG_EINVAL, "rule: wanted is %g, expected 0..1", (double)r.wanted);
    if ((unsigned)r.chosen_by > ECG_THRESHOLD_COVERAGE)
        return ecg__fail(err, ECG_EINVAL, "rule: chosen_by is %u, expected 0..3", (unsigned)r.chosen_by);
    if (r.apart > 1)
        return ecg__fail(err, ECG_EINVAL, "rule: apart is %u, expected 0 or 1", r.apart);
    r.threshold += 0.0f; /* -0 becomes 0: there is one way to write a rule */
    r.wanted += 0.0f;
    *out = r;
    return ECG_OK;
}

const ecg_rule *ecg_model_rule(const ecg_model *m)
{
    return &m->rule;
}

ecg_status ecg__model_again(ecg_model **out, ecg_model *m, ecg_error *err)
{
    *out = NULL;
    const char **meta = ecg__calloc(2 * m->metas + 1, sizeof *meta);
    if (!meta)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    for (size_t i = 0; i < m->metas; i++) {
        meta[2 * i] = m->meta[i].key;
        meta[2 * i + 1] = m->meta[i].value;
    }
    const ecg_status s = ecg__model_new(out, m->spec, &m->prep, (const char *const *)m->class_name,
                                        m->classes, meta, m->weights, true, err);
    ecg__free((void *)meta);
    if (s != ECG_OK)
        return s;
    (*out)->base = ecg_model_retain(m);
    (*out)->rule = m->rule;
    if (m->gate && !((*out)->gate = ecg__gate_copy(m->gate, m->classes))) {
        ecg_model_free(*out);
        *out = NULL;
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    }
    return ECG_OK;
}

ecg_status ecg_model_with_rule(ecg_model **out, ecg_model *m, const ecg_rule *rule, ecg_error *err)
{
    ecg_rule checked;
    *out = NULL;
    ecg_status s = ecg__rule_check(&checked, rule, err);
    if (s == ECG_OK)
        s = ecg__model_again(out, m, err);
    if (s == ECG_OK)
        (*out)->rule = checked;
    return s;
}

double ecg__log_prob(float p)
{
    return log(p > 0.0f ? (double)p : (double)FLT_TRUE_MIN);
}

static uint32_t best_of(const float *probs, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < n; k++)
        if (probs[k] > probs[best])
            best = k;
    return best;
}

void ecg__soften(float *probs, uint32_t n, float temperature)
{
    if (!(temperature < 1.0f || temperature > 1.0f))
        return;
    const uint32_t best = best_of(probs, n);
    const double top = ecg__log_prob(probs[best]), beta = 1.0 / (double)temperature;
    double sum = 0.0;
    for (uint32_t k = 0; k < n; k++)
        sum += exp((ecg__log_prob(probs[k]) - top) * beta);
    for (uint32_t k = 0; k < n; k++)
        probs[k] = (float)(exp((ecg__log_prob(probs[k]) - top) * beta) / sum);
    /* What was smaller may have been rounded to the same. */
    const float most = probs[best], below = nextafterf(most, 0.0f);
    for (uint32_t k = 0; k < n; k++)
        if (k < best && probs[k] > below)
            probs[k] = below;
        else if (probs[k] > most)
            probs[k] = most;
}

void ecg__decision_because(ecg_decision *d, ecg_answer answer, const char *fmt, ...)
{
    if (answer > d->answer)
        d->answer = answer;
    if (d->reasons == ECG_MOST_REASONS)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(d->reason[d->reasons++], sizeof d->reason[0], fmt, args);
    va_end(args);
}

void ecg__decide(const ecg_model *m, const float *probs, const ecg_look *decoded, const float *prepared,
                 const float *f, ecg_decision *out)
{
    memset(out, 0, sizeof *out);
    out->best = best_of(probs, m->classes);
    out->probability = probs[out->best];
    if (m->gate)
        ecg__gate_judge(m->gate, m->classes, decoded, prepared, f, out);
    if (out->probability < m->rule.threshold)
        ecg__decision_because(out, ECG_ANSWER_UNCERTAIN, "probability %.3g is below %.3g",
                              (double)out->probability, (double)m->rule.threshold);
}

void ecg_decide(const ecg_model *m, const float *probs, ecg_decision *out)
{
    ecg__decide(m, probs, NULL, NULL, NULL, out);
}

const char *ecg_answer_name(ecg_answer a)
{
    static const char *const name[] = {"ok", "uncertain", "not_ecg"};
    return (unsigned)a < sizeof name / sizeof *name ? name[a] : NULL;
}
