/* A gate from training pictures, its limits from others. */
#include "eval/gate_fit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/gate.h"

enum { MOST = 8192, HELD_EACH = 4 };
static const double TAIL = 0.001, MARGIN = 0.25, REFUSED = 0.003, SLACK = 1.05;

/* Beyond the quantiles at least so much: what another program's drawing or a JPEG changes. */
static const double FLOOR[ECG_LOOK_DECODED] = {
    [ECG_LOOK_BACKGROUND] = 0.03, [ECG_LOOK_INK] = 0.01,    [ECG_LOOK_BRIGHT] = 0.005,
    [ECG_LOOK_GRAIN] = 0.03,      [ECG_LOOK_DEPTH] = 0.08,  [ECG_LOOK_COLUMNS] = 0.04,
    [ECG_LOOK_STROKES] = 0.15,    [ECG_LOOK_BREAKS] = 0.02, [ECG_LOOK_REACH] = 0.03,
    [ECG_LOOK_ROWS] = 0.03,       [ECG_LOOK_BORDER] = 0.02, [ECG_LOOK_COLOR] = 0.02,
    [ECG_LOOK_ASPECT] = 0.1,
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ecg__quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, by_value);
    const double place = q * (double)(n - 1);
    const size_t i = (size_t)place;
    return i + 1 < n ? v[i] + (place - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

/* ---- Which pictures ---- */

/* Every HELD_EACH-th is held out where there are no others; part 0 is what stays, 1 what is held out, 2 all.
 * At most `most` of them, evenly taken. */
static size_t choose(size_t **out, size_t count, int part, size_t most)
{
    const size_t held = count / HELD_EACH, all = part == 2 ? count : part == 1 ? held : count - held;
    const size_t n = all < most ? all : most;
    *out = ecg__alloc((n ? n : 1) * sizeof **out);
    for (size_t i = 0; *out && i < n; i++) {
        const size_t k = (size_t)((double)i * (double)all / (double)n);
        (*out)[i] = part == 2 ? k : part == 1 ? HELD_EACH * k + HELD_EACH - 1 : k + k / (HELD_EACH - 1);
    }
    return n;
}

static ecg_status see(ecg__sight *out, ecg_model *m, const ecg_gate_pictures *p, int part,
                      const ecg_gate_options *o, ecg_error *err)
{
    size_t *index;
    const size_t n = choose(&index, p->count, part, o->most);
    if (!index)
        return ecg__fail(err, ECG_ENOMEM, "gate: out of memory");
    const ecg_status s = ecg__gate_see(out, m, p, index, n, o, err);
    ecg__free(index);
    return s;
}

/* ---- Limits ---- */

static void intervals(ecg_gate *g, const ecg__sight *s, double *v)
{
    for (int k = 0; k < ECG_LOOKS; k++) {
        for (size_t i = 0; i < s->count; i++)
            v[i] = (double)s->seen[i].look[k];
        const double low = ecg__quantile(v, s->count, TAIL), high = ecg__quantile(v, s->count, 1.0 - TAIL);
        const double share = MARGIN * (high - low);
        const double floor = FLOOR[k < ECG_LOOK_DECODED ? k : k - ECG_LOOK_DECODED];
        const double margin = share > floor ? share : floor;
        g->low[k] = (float)(low - margin);
        g->high[k] = (float)(high + margin);
    }
}

/* Wider on both sides of their middles, until few enough held-out pictures are outside of any. */
static void widen(ecg_gate *g, const ecg__sight *held, double refused, double *v)
{
    for (size_t i = 0; i < held->count; i++) {
        v[i] = 0.0;
        for (uint32_t k = 0; k < ECG_LOOKS; k++)
            v[i] = fmax(v[i], ecg__gate_ratio(g, k, held->seen[i].look[k]));
    }
    const double by = ecg__quantile(v, held->count, 1.0 - refused) * SLACK;
    for (int k = 0; by > SLACK && k < ECG_LOOKS; k++) {
        const double middle = ((double)g->low[k] + (double)g->high[k]) / 2.0;
        const double half = ((double)g->high[k] - (double)g->low[k]) / 2.0 * by;
        g->low[k] = (float)(middle - half);
        g->high[k] = (float)(middle + half);
    }
}

static void set_limit(ecg_gate *g, const ecg__sight *held, uint32_t classes, double refused, double *v)
{
    for (size_t i = 0; i < held->count; i++)
        v[i] = ecg__gate_distance(g, classes, held->f + i * g->features);
    const double limit = SLACK * ecg__quantile(v, held->count, 1.0 - refused);
    g->limit = (float)fmin(fmax(limit, 1e-3), (double)FLT_MAX / 2.0);
}

static ecg_status fit(ecg_model **out, ecg_model *m, const ecg__sight *train, const ecg__sight *held,
                      const ecg_gate_options *o, ecg_error *err)
{
    const uint32_t n = ecg_gate_features(m), classes = ecg_model_classes(m);
    if (train->count < 2 || held->count < 1)
        return ecg__fail(err, ECG_EINVAL, "gate: %zu training and %zu held-out pictures, expected 2 and 1",
                         train->count, held->count);
    ecg_gate g = {.size = sizeof g,
                  .pictures = (uint32_t)train->count,
                  .held_out = (uint32_t)held->count,
                  .features = n};
    float *factor = ecg__alloc((size_t)n * (n + 1) / 2 * sizeof *factor);
    float *centre = ecg__alloc((size_t)classes * n * sizeof *centre);
    double *v = ecg__alloc((train->count + held->count) * sizeof *v);
    ecg_status s = factor && centre && v ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "gate: out of memory");
    if (s == ECG_OK)
        s = ecg__gate_space(train, n, classes, factor, centre, err);
    if (s == ECG_OK) {
        g.factor = factor;
        g.centre = centre;
        intervals(&g, train, v);
        widen(&g, held, o->refused, v);
        set_limit(&g, held, classes, o->refused, v);
        s = ecg_model_with_gate(out, m, &g, err);
    }
    ecg__free(factor);
    ecg__free(centre);
    ecg__free(v);
    return s;
}

ecg_status ecg_gate_fit(ecg_model **out, ecg_model *m, const ecg_gate_pictures *train,
                        const ecg_gate_pictures *held_out, const ecg_gate_options *options, ecg_error *err)
{
    ecg_gate_options o = ECG_GATE_OPTIONS_INIT;
    ecg__sight trained = {.count = 0}, held = {.count = 0};
    *out = NULL;
    ecg_status s = ecg__options_copy(&o, sizeof o, options, "gate options", err);
    if (s != ECG_OK)
        return s;
    if (!(o.refused >= 0.0 && o.refused <= 0.5))
        return ecg__fail(err, ECG_EINVAL, "gate options: refused is %g, expected 0..0.5", o.refused);
    if (fpclassify(o.refused) == FP_ZERO)
        o.refused = REFUSED;
    if (o.most == 0)
        o.most = MOST;
    s = see(&trained, m, train, held_out ? 2 : 0, &o, err);
    if (s == ECG_OK)
        s = see(&held, m, held_out ? held_out : train, held_out ? 2 : 1, &o, err);
    if (s == ECG_OK)
        s = fit(out, m, &trained, &held, &o, err);
    ecg__sight_free(&trained);
    ecg__sight_free(&held);
    return s;
}
