#include "net/gate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/decision.h"
#include "net/model.h"

static const double MOST_SCORE = 1e6; /* what is farther out, or no number at all */

/* ---- What a gate holds ---- */

static size_t triangle(uint32_t n)
{
    return (size_t)n * (n + 1) / 2;
}

static ecg_status check_floats(const float *v, size_t count, const char *what, ecg_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return ecg__fail(err, ECG_EINVAL, "gate: %s[%zu] is not a finite number", what, i);
    return ECG_OK;
}

ecg_status ecg__gate_check(const ecg_gate *g, uint32_t n, uint32_t classes, ecg_error *err)
{
    if (g->features != n)
        return ecg__fail(err, ECG_EINVAL, "gate: features is %u, the network needs %u", g->features, n);
    if (!g->factor || !g->centre)
        return ecg__fail(err, ECG_EINVAL, "gate: %s is missing", g->factor ? "centre" : "factor");
    if (!(g->limit > 0.0f && isfinite(g->limit)))
        return ecg__fail(err, ECG_EINVAL, "gate: limit is %g, expected a finite number above 0",
                         (double)g->limit);
    if (g->pictures == 0)
        return ecg__fail(err, ECG_EINVAL, "gate: pictures is 0");
    ecg_status s = check_floats(g->low, ECG_LOOKS, "low", err);
    if (s == ECG_OK)
        s = check_floats(g->high, ECG_LOOKS, "high", err);
    for (uint32_t i = 0; s == ECG_OK && i < ECG_LOOKS; i++)
        if (!(g->low[i] < g->high[i]))
            return ecg__fail(err, ECG_EINVAL, "gate: low[%u] is %g, expected less than high[%u], %g", i,
                             (double)g->low[i], i, (double)g->high[i]);
    if (s == ECG_OK)
        s = check_floats(g->factor, triangle(n), "factor", err);
    for (uint32_t i = 0; s == ECG_OK && i < n; i++)
        if (!(g->factor[triangle(i) + i] > 0.0f))
            return ecg__fail(err, ECG_EINVAL, "gate: factor[%zu], on the diagonal, is %g, expected above 0",
                             triangle(i) + i, (double)g->factor[triangle(i) + i]);
    return s == ECG_OK ? check_floats(g->centre, (size_t)classes * n, "centre", err) : s;
}

ecg_gate *ecg__gate_copy(const ecg_gate *g, uint32_t classes)
{
    const size_t f = triangle(g->features), c = (size_t)classes * g->features;
    const size_t head = ecg__align_up(sizeof *g);
    unsigned char *block = ecg__alloc(head + (f + c) * sizeof(float));
    if (!block)
        return NULL;
    ecg_gate *copy = (ecg_gate *)(void *)block;
    float *factor = (float *)(void *)(block + head);
    memcpy(factor, g->factor, f * sizeof *factor);
    memcpy(factor + f, g->centre, c * sizeof *factor);
    *copy = *g;
    copy->size = sizeof *copy;
    copy->factor = factor;
    copy->centre = factor + f;
    return copy;
}

/* ---- Features ---- */

uint32_t ecg__gate_layer(const ecg_spec *s)
{
    for (uint32_t i = s->layers; i-- > 0;)
        if (strcmp(s->layer[i].ops->name, "dense") == 0)
            return i;
    return s->layers - 1;
}

uint32_t ecg_gate_features(const ecg_model *m)
{
    const size_t n = m->spec->layer[ecg__gate_layer(m->spec)].plan.in_count;
    return n < ECG_GATE_FEATURES ? (uint32_t)n : ECG_GATE_FEATURES;
}

/* A sign for each place, that looks like chance. */
static bool is_taken(size_t i)
{
    uint64_t h = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h >> 63;
}

void ecg__gate_fold(const float *x, size_t count, uint32_t n, float *out)
{
    if (count <= n) {
        memcpy(out, x, count * sizeof *out);
        return;
    }
    double sum[ECG_GATE_FEATURES] = {0.0};
    for (size_t i = 0, k = 0; i < count; i++, k = k + 1 < n ? k + 1 : 0)
        sum[k] += is_taken(i) ? -(double)x[i] : (double)x[i];
    for (uint32_t k = 0; k < n; k++)
        out[k] = (float)sum[k];
}

double ecg__gate_distance(const ecg_gate *g, uint32_t classes, const float *f)
{
    double z[ECG_GATE_FEATURES], least = (double)INFINITY;
    const float *row = g->factor;
    const uint32_t n = g->features;
    for (uint32_t i = 0; i < n; row += ++i) {
        z[i] = 0.0;
        for (uint32_t j = 0; j <= i; j++)
            z[i] += (double)row[j] * (double)f[j];
    }
    for (uint32_t c = 0; c < classes; c++) {
        double sum = 0.0;
        for (uint32_t i = 0; i < n; i++) {
            const double d = z[i] - (double)g->centre[(size_t)c * n + i];
            sum += d * d;
        }
        least = sum < least ? sum : least;
    }
    return sqrt(least);
}

/* ---- Judging ---- */

double ecg__gate_ratio(const ecg_gate *g, uint32_t i, float v)
{
    const double low = (double)g->low[i], high = (double)g->high[i], x = (double)v;
    const double ratio = fabs(x - (low + high) / 2.0) / ((high - low) / 2.0);
    if (v >= g->low[i] && v <= g->high[i])
        return ratio < 1.0 ? ratio : 1.0;
    return ratio > 1.0 ? fmin(ratio, MOST_SCORE) : 1.0 + 1e-6;
}

static void say(const ecg_gate *g, uint32_t which, double v, ecg_decision *d)
{
    if (which == ECG_LOOKS)
        ecg__decision_because(d, ECG_ANSWER_NOT_ECG,
                              "unlike the training pictures: %.3g, expected at most %.3g", v,
                              (double)g->limit);
    else
        ecg__decision_because(d, ECG_ANSWER_NOT_ECG, "%s: %.3g, expected at %s %.3g", ecg_look_name(which), v,
                              v > (double)g->high[which] ? "most" : "least",
                              v > (double)g->high[which] ? (double)g->high[which] : (double)g->low[which]);
}

void ecg__gate_judge(const ecg_gate *g, uint32_t classes, const ecg_look *decoded, const float *prepared,
                     const float *f, ecg_decision *d)
{
    double ratio[ECG_LOOKS + 1] = {0.0}, value[ECG_LOOKS + 1] = {0.0};
    for (uint32_t i = 0; i < ECG_LOOKS; i++) {
        const bool first = i < ECG_LOOK_DECODED;
        if (first ? !decoded : !prepared)
            continue;
        const float v = first ? decoded->of[i] : prepared[i - ECG_LOOK_DECODED];
        value[i] = (double)v;
        ratio[i] = ecg__gate_ratio(g, i, v);
    }
    if (f) {
        const double distance = ecg__gate_distance(g, classes, f);
        value[ECG_LOOKS] = distance;
        ratio[ECG_LOOKS] = fmin(distance / (double)g->limit, MOST_SCORE);
    }
    for (;;) {
        uint32_t worst = 0;
        for (uint32_t i = 1; i <= ECG_LOOKS; i++)
            if (ratio[i] > ratio[worst])
                worst = i;
        if (d->score < (float)ratio[worst])
            d->score = (float)ratio[worst];
        if (!(ratio[worst] > 1.0) || d->reasons == ECG_MOST_REASONS)
            return;
        if (!(d->score > 1.0f)) /* rounded */
            d->score = nextafterf(1.0f, 2.0f);
        say(g, worst, value[worst], d);
        ratio[worst] = 0.0;
    }
}

/* ---- Of a model ---- */

const ecg_gate *ecg_model_gate(const ecg_model *m)
{
    return m->gate;
}

ecg_status ecg_model_with_gate(ecg_model **out, ecg_model *m, const ecg_gate *gate, ecg_error *err)
{
    ecg_gate full = {.size = sizeof full};
    *out = NULL;
    ecg_status s = ECG_OK;
    if (gate)
        s = ecg__options_copy(&full, sizeof full, gate, "gate", err);
    if (s == ECG_OK && gate)
        s = ecg__gate_check(&full, ecg_gate_features(m), m->classes, err);
    if (s == ECG_OK)
        s = ecg__model_again(out, m, err);
    if (s != ECG_OK)
        return s;
    ecg__free((*out)->gate);
    (*out)->gate = gate ? ecg__gate_copy(&full, m->classes) : NULL;
    if (gate && !(*out)->gate) {
        ecg_model_free(*out);
        *out = NULL;
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    }
    return ECG_OK;
}
