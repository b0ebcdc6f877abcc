#include "signal/detect_energy.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

static const double PI = 3.14159265358979323846;

/* A second-order section of a Butterworth filter (bilinear transform). */
struct section {
    double b0, b1, b2, a1, a2;
};

static struct section butterworth(double hz, double rate, bool high_pass)
{
    const double w = tan(PI * hz / rate), w2 = w * w, d = 1.0 + sqrt(2.0) * w + w2;
    const double b = (high_pass ? 1.0 : w2) / d;
    return (struct section){b, high_pass ? -2.0 * b : 2.0 * b, b, 2.0 * (w2 - 1.0) / d,
                            (1.0 - sqrt(2.0) * w + w2) / d};
}

/* In place, from `first` in steps of `step`; begins as if the first sample had always been there. */
static void run_section(const struct section *s, float *x, size_t n, bool backward)
{
    const double gain = (s->b0 + s->b1 + s->b2) / (1.0 + s->a1 + s->a2); /* of a constant */
    const double start = (double)x[backward ? n - 1 : 0];
    double z2 = s->b2 * start - s->a2 * gain * start;
    double z1 = z2 + s->b1 * start - s->a1 * gain * start;
    for (size_t i = 0; i < n; i++) {
        float *at = backward ? x + (n - 1 - i) : x + i;
        const double v = (double)*at, y = s->b0 * v + z1;
        z1 = s->b1 * v - s->a1 * y + z2;
        z2 = s->b2 * v - s->a2 * y;
        *at = (float)y;
    }
}

/* Samples that are not finite become a straight line between their neighbours. */
static void bridge(float *out, const float *mv, size_t n)
{
    size_t last = n; /* the last finite sample, n: none yet */
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(mv[i]))
            continue;
        out[i] = mv[i];
        const size_t from = last == n ? 0 : last + 1;
        const float a = last == n ? mv[i] : mv[last];
        for (size_t k = from; k < i; k++)
            out[k] = last == n ? a : a + (mv[i] - a) * (float)(k - last) / (float)(i - last);
        last = i;
    }
    for (size_t k = last == n ? 0 : last + 1; k < n; k++)
        out[k] = last == n ? 0.0f : mv[last];
}

/* level[i] = root of the mean of squared slopes over `width` samples around i. */
static void smooth_slope(float *level, const float *band, size_t n, size_t width, double rate)
{
    const size_t half = width / 2;
    double sum = 0.0;
    size_t in = 0, out = 0; /* slopes [out, in) are in the sum */
    for (size_t i = 0; i < n; i++) {
        const size_t end = i + half + 1 < n ? i + half + 1 : n;
        for (; in < end; in++) {
            const size_t a = in > 0 ? in - 1 : 0, b = in + 1 < n ? in + 1 : in;
            const double d = ((double)band[b] - (double)band[a]) * 0.5 * rate;
            sum += d * d;
        }
        for (; out + half < i; out++) {
            const size_t a = out > 0 ? out - 1 : 0, b = out + 1 < n ? out + 1 : out;
            const double d = ((double)band[b] - (double)band[a]) * 0.5 * rate;
            sum -= d * d;
        }
        level[i] = (float)sqrt(fmax(0.0, sum) / (double)(2 * half + 1));
    }
}

ecg_status ecg__energy_make(struct ecg__energy *e, const float *mv, size_t n, double rate, double low,
                            double high, double window)
{
    *e = (struct ecg__energy){.n = n};
    if (n > SIZE_MAX / sizeof(float))
        return ECG_ENOMEM;
    e->level = ecg__alloc(n * sizeof(float));
    e->band = ecg__alloc(n * sizeof(float));
    if (!e->level || !e->band) {
        ecg__energy_free(e);
        return ECG_ENOMEM;
    }
    if (n == 0)
        return ECG_OK;
    bridge(e->band, mv, n);
    const struct section s[2] = {butterworth(low, rate, true), butterworth(high, rate, false)};
    for (int k = 0; k < 4; k++)
        run_section(&s[k % 2], e->band, n, k >= 2);
    const size_t width = (size_t)fmax(3.0, floor(window * rate + 0.5));
    smooth_slope(e->level, e->band, n, width, rate);
    /* A gap, and what touches it: the ends of a line are no slopes of a heart. */
    const size_t touch = width / 2;
    size_t clear = 0; /* first sample not yet cleared */
    for (size_t i = 0; i < n; i++)
        if (!isfinite(mv[i])) {
            const size_t from = i > touch ? i - touch : 0, to = i + touch + 1 < n ? i + touch + 1 : n;
            for (size_t k = from > clear ? from : clear; k < to; k++)
                e->level[k] = 0.0f;
            clear = to;
        }
    return ECG_OK;
}

void ecg__energy_free(struct ecg__energy *e)
{
    ecg__free(e->level);
    ecg__free(e->band);
    *e = (struct ecg__energy){0};
}
