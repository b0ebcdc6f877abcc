#include "image/warp.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* Samples replicated around the picture before cubic splines of it are fitted, for FILL_NEAREST. */
enum { SPLINE_PAD = 12 };

/* NaN becomes lo. */
static inline double clamp(double v, double lo, double hi)
{
    v = v > lo ? v : lo;
    return v < hi ? v : hi;
}

/* Coordinate c of an axis with n samples, brought to where it is read; false: cval. A few samples outside for
 * NEAREST, in [-0.5, n - 0.5] else, whatever c is. */
static inline bool fold(double *c, double n, ecg_fill_mode fill)
{
    double v = *c;
    if (fill == ECG_FILL_NEAREST) {
        *c = clamp(v, -4.0, n + 4.0);
        return true;
    }
    if (v >= 0.0 && v <= n - 1.0)
        return true;
    if (fill == ECG_FILL_CONSTANT)
        return false;
    if (n == 1.0) {
        *c = 0.0;
        return true;
    }
    if (fill == ECG_FILL_WRAP) { /* period n - 1 */
        double q = fmod(v, n - 1.0);
        if (q < 0.0)
            q += n - 1.0;
        *c = q == 0.0 && v < 0.0 ? n - 1.0 : clamp(q, 0.0, n - 1.0);
        return true;
    }
    double q = fmod(v + 0.5, 2.0 * n);
    if (q < 0.0)
        q += 2.0 * n;
    *c = clamp((q <= n ? q : 2.0 * n - q) - 0.5, -0.5, n - 0.5);
    return true;
}

/* Index of a tap that may lie a few samples outside an axis of n. */
static inline long tap(long i, long n, ecg_fill_mode fill)
{
    if (i >= 0 && i < n)
        return i;
    if (fill == ECG_FILL_NEAREST || n == 1)
        return i < 0 ? 0 : n - 1;
    const long period = fill == ECG_FILL_REFLECT ? 2 * n : 2 * n - 2;
    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : (fill == ECG_FILL_REFLECT ? 2 * n - 1 : 2 * n - 2) - i;
}

struct taps {
    int count;
    long index[4];
    double weight[4];
};

static inline void find_taps(struct taps *t, double c, long n, ecg_fill_mode fill, uint32_t order)
{
    const double first = floor(order == 0 ? c + 0.5 : c), f = c - first, u = 1.0 - f;
    const long k = (long)first;
    if (order == 0) {
        t->count = 1;
        t->index[0] = tap(k, n, fill);
        t->weight[0] = 1.0;
    } else if (order == 1) {
        t->count = 2;
        t->weight[0] = u, t->weight[1] = f;
        for (int i = 0; i < 2; i++)
            t->index[i] = tap(k + i, n, fill);
    } else {
        t->count = 4;
        t->weight[0] = u * u * u / 6.0, t->weight[3] = f * f * f / 6.0;
        t->weight[1] = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
        t->weight[2] = (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0;
        for (int i = 0; i < 4; i++)
            t->index[i] = tap(k - 1 + i, n, fill);
    }
}

/* Samples to read from: the picture, or (order 3) spline coefficients of it with `pad` more at each side. */
struct samples {
    const float *x;
    const double *coefficients;
    uint32_t h, w, c, pad;
};

static inline void read_pixel(const struct ecg__warp *m, const struct samples *s, double y, double x,
                              float *out)
{
    y += s->pad, x += s->pad;
    if (!fold(&y, s->h, m->fill) || !fold(&x, s->w, m->fill)) {
        for (uint32_t k = 0; k < s->c; k++)
            out[k] = (float)m->cval;
        return;
    }
    struct taps ty, tx;
    find_taps(&ty, y, (long)s->h, m->fill, m->order);
    find_taps(&tx, x, (long)s->w, m->fill, m->order);
    for (uint32_t k = 0; k < s->c; k++) {
        double sum = 0.0;
        for (int i = 0; i < ty.count; i++)
            for (int j = 0; j < tx.count; j++) {
                const size_t at = ((size_t)ty.index[i] * s->w + (size_t)tx.index[j]) * s->c + k;
                sum += ty.weight[i] * tx.weight[j] * (s->x ? (double)s->x[at] : s->coefficients[at]);
            }
        out[k] = (float)sum;
    }
}

static void spline_samples(struct samples *s, const struct ecg__warp *m, double *to)
{
    const uint32_t pad = m->fill == ECG_FILL_NEAREST ? SPLINE_PAD : 0, h = s->h, w = s->w, c = s->c;
    for (uint32_t r = 0; r < h + 2 * pad; r++)
        for (uint32_t q = 0; q < w + 2 * pad; q++) {
            const uint32_t row = r < pad ? 0 : r - pad >= h ? h - 1 : r - pad;
            const uint32_t col = q < pad ? 0 : q - pad >= w ? w - 1 : q - pad;
            const float *from = s->x + ((size_t)row * w + col) * c;
            for (uint32_t k = 0; k < c; k++)
                to[((size_t)r * (w + 2 * pad) + q) * c + k] = (double)from[k];
        }
    s->h = h + 2 * pad, s->w = w + 2 * pad, s->pad = pad;
    s->x = NULL, s->coefficients = to;
    ecg__spline_coefficients(to, s->h, s->w, c, m->fill == ECG_FILL_NEAREST || m->fill == ECG_FILL_REFLECT);
}

void ecg__warp_floats(const struct ecg__warp *m, const float *in, uint32_t h, uint32_t w, uint32_t c,
                      float *out, void *scratch)
{
    struct samples s = {in, NULL, h, w, c, 0};
    if (m->order == 3)
        spline_samples(&s, m, scratch);
    for (uint32_t r = 0; r < h; r++)
        for (uint32_t q = 0; q < w; q++) {
            const double y = r * m->l00 + q * m->l01 + m->b0, x = r * m->l10 + q * m->l11 + m->b1;
            read_pixel(m, &s, m->lift ? y + m->lift[q] : y, x, out + ((size_t)r * w + q) * c);
        }
}

size_t ecg__warp_scratch(uint32_t order, uint32_t h, uint32_t w, uint32_t c)
{
    const size_t rows = (size_t)h + 2 * SPLINE_PAD, columns = (size_t)w + 2 * SPLINE_PAD;
    size_t n;
    if (!ecg__mul(&n, rows, columns) || !ecg__mul(&n, n, c) ||
        !ecg__mul(&n, n, order == 3 ? sizeof(double) : sizeof(uint32_t)))
        return 0;
    return n;
}
