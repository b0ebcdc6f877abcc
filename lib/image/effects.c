#include "image/effects.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/hot.h"
#include "base/rng.h"

static void extremes(const float *x, size_t n, float *lo, float *hi)
{
    float a = x[0], b = x[0];
    for (size_t i = 1; i < n; i++) {
        a = x[i] < a ? x[i] : a;
        b = x[i] > b ? x[i] : b;
    }
    *lo = a, *hi = b;
}

void ecg__channel_shift(float *x, size_t n, double v)
{
    float lo, hi;
    const float shift = (float)v;
    extremes(x, n, &lo, &hi);
    for (size_t i = 0; i < n; i++) {
        const float y = x[i] + shift;
        x[i] = y < lo ? lo : y > hi ? hi : y;
    }
}

void ecg__flip_horizontal(float *x, uint32_t h, uint32_t w, uint32_t c)
{
    for (uint32_t r = 0; r < h; r++, x += (size_t)w * c)
        for (uint32_t i = 0, j = w - 1; i < j; i++, j--)
            for (uint32_t k = 0; k < c; k++) {
                const float t = x[(size_t)i * c + k];
                x[(size_t)i * c + k] = x[(size_t)j * c + k];
                x[(size_t)j * c + k] = t;
            }
}

void ecg__flip_vertical(float *x, uint32_t h, uint32_t w, uint32_t c)
{
    const size_t row = (size_t)w * c;
    for (uint32_t i = 0, j = h - 1; i < j; i++, j--)
        for (size_t k = 0; k < row; k++) {
            const float t = x[i * row + k];
            x[i * row + k] = x[j * row + k];
            x[j * row + k] = t;
        }
}

/* Smallest and largest value of the colours; is most of the picture nearer to the largest? */
static bool light_paper(const float *x, size_t pixels, uint32_t c, float *lo, float *hi)
{
    const uint32_t colours = c == 4 ? 3 : c;
    double sum = 0.0;
    *lo = *hi = x[0];
    for (size_t i = 0; i < pixels; i++)
        for (uint32_t k = 0; k < colours; k++) {
            const float v = x[i * c + k];
            *lo = v < *lo ? v : *lo;
            *hi = v > *hi ? v : *hi;
            sum += (double)v;
        }
    return sum / ((double)pixels * colours) > ((double)*lo + (double)*hi) / 2.0;
}

/* to[] = smallest (or largest) of each value and its four neighbours. */
static void spread(const float *restrict x, uint32_t h, uint32_t w, uint32_t c, bool smallest,
                   float *restrict to)
{
    const size_t row = (size_t)w * c;
    for (uint32_t r = 0; r < h; r++) {
        const float *const here = x + r * row, *const up = r > 0 ? here - row : here,
                           *const down = r + 1 < h ? here + row : here;
        float *const out = to + r * row;
        for (size_t i = 0; i < row; i++) {
            const float left = i >= c ? here[i - c] : here[i], right = i + c < row ? here[i + c] : here[i];
            if (smallest) {
                const float a = left < right ? left : right, b = up[i] < down[i] ? up[i] : down[i];
                const float m = a < b ? a : b;
                out[i] = m < here[i] ? m : here[i];
            } else {
                const float a = left > right ? left : right, b = up[i] > down[i] ? up[i] : down[i];
                const float m = a > b ? a : b;
                out[i] = m > here[i] ? m : here[i];
            }
        }
    }
}

void ecg__pen(float *x, uint32_t h, uint32_t w, uint32_t c, double pixels, float *tmp)
{
    const size_t n = (size_t)h * w * c;
    float lo, hi;
    const bool smallest = light_paper(x, (size_t)h * w, c, &lo, &hi) == (pixels > 0.0);
    double left = fabs(pixels);
    for (int step = 0; step < 8 && left > 0.0; step++, left -= 1.0) {
        const float part = left < 1.0 ? (float)left : 1.0f;
        spread(x, h, w, c, smallest, tmp);
        for (size_t i = 0; i < n; i++)
            if (c != 4 || i % 4 != 3)
                x[i] = left >= 1.0 ? tmp[i] : x[i] + part * (tmp[i] - x[i]);
    }
}

void ecg__cutout(float *x, uint32_t h, uint32_t w, uint32_t c, uint32_t first, uint32_t count)
{
    float lo, hi;
    const bool light = light_paper(x, (size_t)h * w, c, &lo, &hi);
    const float paper = light ? hi : lo;
    const uint32_t begin = first < w ? first : w, n = count < w - begin ? count : w - begin;
    for (uint32_t r = 0; r < h; r++)
        for (uint32_t q = begin; q < begin + n; q++)
            for (uint32_t k = 0; k < (c == 4 ? 3 : c); k++)
                x[((size_t)r * w + q) * c + k] = paper;
}

/* Values of the two that one block of random bits is enough for: each a sum of four numbers of 16 bits. */
ECG__FLAT float sum_of_four(uint32_t a, uint32_t b)
{
    const int32_t sum = (int32_t)((a & 0xFFFFu) + (a >> 16) + (b & 0xFFFFu) + (b >> 16)) - 2 * 65535;
    return (float)sum * (1.7320508f / 65536.0f); /* deviation 1 */
}

ECG__HOT void ecg__noise(float *x, uint32_t h, uint32_t w, uint32_t c, double deviation, uint64_t key)
{
    const size_t n = (size_t)h * w * c;
    const float scale = (float)deviation;
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    for (size_t i = 0; i < n; i += 2) {
        const uint32_t counter[4] = {(uint32_t)(i / 2), (uint32_t)((uint64_t)i >> 33), 0,
                                     (uint32_t)ECG__RNG_AUGMENT << 24};
        uint32_t bits[4];
        ecg__philox(counter, k, bits);
        for (size_t j = 0; j < 2 && i + j < n; j++) {
            if (c == 4 && (i + j) % 4 == 3)
                continue;
            const float v = x[i + j] + scale * sum_of_four(bits[2 * j], bits[2 * j + 1]);
            x[i + j] = v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v;
        }
    }
}
