#include "signal/beat_usual.h"

#include <math.h>

#include "base/mem.h"
#include "signal/beat_level.h"

enum { MOST_BEATS = 151, MOST_SIZES = 401 };

/* Element k of `some` evenly taken from n. */
static size_t evenly(size_t k, size_t some, size_t n)
{
    return some >= n ? k : (size_t)((double)k * (double)n / (double)some);
}

/* The beats that do not come early, though others may come early as often; the only one where there are no
 * two. Returns how many. */
static size_t not_early(size_t *index, const uint64_t *beats, size_t count)
{
    size_t n = 0;
    for (size_t i = 1; i < count; i++)
        if ((double)(beats[i] - beats[i - 1]) * (double)(count - 1) >= (double)(beats[count - 1] - beats[0]))
            index[n++] = i;
    if (n == 0 && count)
        index[n++] = 0;
    return n;
}

ecg_status ecg__usual_beat(float *out, size_t before, size_t after, const float *mv, size_t n,
                           const uint64_t *beats, size_t count)
{
    size_t *index = ecg__calloc(count + 1, sizeof *index);
    if (!index)
        return ECG_ENOMEM;
    const size_t all = not_early(index, beats, count), some = all < MOST_BEATS ? all : MOST_BEATS;
    for (size_t j = 0; j <= before + after; j++) {
        float v[MOST_BEATS];
        size_t have = 0;
        for (size_t k = 0; k < some; k++) {
            const uint64_t at = beats[index[evenly(k, some, all)]] + j;
            if (at >= before && at - before < n && isfinite(mv[at - before]))
                v[have++] = mv[at - before];
        }
        out[j] = have ? ecg__median(v, have) : NAN;
    }
    ecg__free(index);
    return ECG_OK;
}

double ecg__usual_size(size_t reach, const float *mv, size_t n, const uint64_t *beats, size_t count)
{
    const size_t some = count < MOST_SIZES ? count : MOST_SIZES;
    float size[MOST_SIZES];
    size_t have = 0;
    for (size_t k = 0; k < some; k++) {
        const uint64_t at = beats[evenly(k, some, count)];
        const size_t from = at > reach ? (size_t)at - reach : 0,
                     end = at + reach < n ? (size_t)at + reach + 1 : n;
        float lo = INFINITY, hi = -INFINITY;
        for (size_t i = from; i < end; i++)
            if (isfinite(mv[i])) {
                lo = mv[i] < lo ? mv[i] : lo;
                hi = mv[i] > hi ? mv[i] : hi;
            }
        if (hi > lo)
            size[have++] = hi - lo;
    }
    return have ? (double)ecg__median(size, have) : 0.0;
}
