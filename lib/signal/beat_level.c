#include "signal/beat_level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const double BLOCK = 0.02; /* seconds */

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float ecg__median(float *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[(n - 1) / 2];
}

/* Index of the first of sorted[n] that is not below v. */
static size_t place(const float *sorted, size_t n, float v)
{
    size_t lo = 0;
    while (n > 0) {
        const size_t half = n / 2;
        if (sorted[lo + half] < v) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

/* out[i] = median of the numbers among in[i - half .. i + half]; NaN where there are none. `sorted` has room
 * for 2 * half + 1. */
static void running_median(float *out, const float *in, size_t n, size_t half, float *sorted)
{
    size_t held = 0, next = 0;
    for (size_t i = 0; i < n; i++) {
        for (; next < n && next <= i + half; next++)
            if (!isnan(in[next])) {
                const size_t k = place(sorted, held, in[next]);
                memmove(sorted + k + 1, sorted + k, (held - k) * sizeof *sorted);
                sorted[k] = in[next];
                held++;
            }
        if (i > half && !isnan(in[i - half - 1])) {
            const size_t k = place(sorted, held, in[i - half - 1]);
            memmove(sorted + k, sorted + k + 1, (held - k - 1) * sizeof *sorted);
            held--;
        }
        out[i] = held ? sorted[(held - 1) / 2] : NAN;
    }
}

static void block_means(float *mean, size_t blocks, const float *mv, size_t n, size_t width)
{
    for (size_t b = 0; b < blocks; b++) {
        const size_t end = (b + 1) * width < n ? (b + 1) * width : n;
        double sum = 0.0;
        size_t count = 0;
        for (size_t i = b * width; i < end; i++)
            if (isfinite(mv[i])) {
                sum += (double)mv[i];
                count++;
            }
        mean[b] = count ? (float)(sum / (double)count) : NAN;
    }
}

/* Levels stand in the middle of their blocks. */
static void subtract(float *mv, size_t n, size_t width, const float *level, size_t blocks)
{
    const float middle = 0.5f * (float)(width - 1), per_block = 1.0f / (float)width;
    for (size_t b = 0; b < blocks; b++) {
        const size_t end = (b + 1) * width < n ? (b + 1) * width : n;
        for (size_t i = b * width; i < end; i++) {
            const float at = ((float)(i - b * width) - middle) * per_block; /* -0.5 .. 0.5 */
            const size_t other = at < 0.0f ? (b > 0 ? b - 1 : b) : (b + 1 < blocks ? b + 1 : b);
            const float to = isnan(level[other]) ? level[b] : level[other];
            mv[i] -= level[b] + fabsf(at) * (to - level[b]);
        }
    }
}

ecg_status ecg__level_take(float *mv, size_t n, double rate, double seconds)
{
    const size_t width = (size_t)fmax(1.0, floor(BLOCK * rate + 0.5)), blocks = n / width + (n % width != 0);
    const double per_second = rate / (double)width;
    const size_t wide = (size_t)fmax(1.0, 0.5 * seconds * per_second), narrow = wide / 3 ? wide / 3 : 1;
    float *mean = ecg__calloc(blocks, sizeof *mean), *level = ecg__calloc(blocks, sizeof *level);
    float *sorted = ecg__calloc(2 * wide + 2, sizeof *sorted);
    const ecg_status s = mean && level && sorted ? ECG_OK : ECG_ENOMEM;
    if (s == ECG_OK) {
        block_means(mean, blocks, mv, n, width);
        running_median(level, mean, blocks, narrow, sorted);
        running_median(mean, level, blocks, wide, sorted);
        subtract(mv, n, width, mean, blocks);
    }
    ecg__free(mean);
    ecg__free(level);
    ecg__free(sorted);
    return s;
}
