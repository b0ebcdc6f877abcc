/* Resampling with Pillow's arithmetic: the order of every floating-point step counts, because a weight that
 * rounds differently in its 22nd bit may change a pixel. */
#define _XOPEN_SOURCE 700 /* M_PI */
#include <math.h>
#include <string.h>

#include "base/hot.h"
#include "base/mem.h"
#include "base/status.h"
#include "image/pixels.h"

enum { MAX_OUT = 32768, BITS = 22 };

struct filter {
    double support; /* half its width, in input pixels when enlarging */
    double (*at)(double x);
};

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double sinc(double x)
{
    if (x == 0.0)
        return 1.0;
    x *= M_PI;
    return sin(x) / x;
}

/* Pillow's constants are single precision. */
static double hamming(double x)
{
    x = fabs(x);
    return x < 1.0 ? sinc(x) * ((double)0.54f + (double)0.46f * cos(x * M_PI)) : 0.0;
}

/* Keys' cubic, a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static double lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

static const struct filter filters[] = {
    [ECG_FILTER_BOX] = {0.5, box},         [ECG_FILTER_BILINEAR] = {1.0, triangle},
    [ECG_FILTER_HAMMING] = {1.0, hamming}, [ECG_FILTER_BICUBIC] = {2.0, cubic},
    [ECG_FILTER_LANCZOS] = {3.0, lanczos},
};

/* One axis: output i is the sum over taps k < n[i] of weight[i][k] * input[first[i] + k]. */
struct axis {
    uint32_t in, out;
    uint32_t taps; /* room per output */
    uint32_t *first, *n;
    int32_t *weight; /* [out][taps], 22 fractional bits */
    double *exact;   /* [taps], while they are made */
};

static void axis_free(struct axis *a)
{
    ecg__free(a->first);
    ecg__free(a->n);
    ecg__free(a->weight);
    ecg__free(a->exact);
}

static void weights_at(struct axis *a, const struct filter *f, uint32_t i, double scale, double width)
{
    const double support = f->support * width, centre = (i + 0.5) * scale, shrink = 1.0 / width;
    const double lo = centre - support + 0.5, hi = centre + support + 0.5;
    const uint32_t first = lo > 0.0 ? (uint32_t)lo : 0;
    const uint32_t end = hi < a->in ? (uint32_t)hi : a->in;
    double sum = 0.0;
    for (uint32_t k = first; k < end; k++) {
        const double w = f->at((k - centre + 0.5) * shrink);
        a->exact[k - first] = w;
        sum += w;
    }
    int32_t *to = a->weight + (size_t)i * a->taps;
    for (uint32_t k = 0; k < end - first; k++) {
        double w = a->exact[k];
        if (sum != 0.0)
            w /= sum;
        w *= 1 << BITS;
        to[k] = (int32_t)(w < 0.0 ? w - 0.5 : w + 0.5);
    }
    a->first[i] = first;
    a->n[i] = end - first;
}

static bool axis_init(struct axis *a, const struct filter *f, uint32_t in, uint32_t out)
{
    const double scale = (double)in / out, width = scale < 1.0 ? 1.0 : scale;
    const double taps = ceil(f->support * width) * 2.0 + 1.0;
    size_t n;
    *a = (struct axis){in, out, 0, NULL, NULL, NULL, NULL};
    if (taps >= INT32_MAX || !ecg__mul(&n, out, (size_t)taps))
        return false;
    a->taps = (uint32_t)taps;
    a->first = ecg__calloc(out, sizeof *a->first);
    a->n = ecg__calloc(out, sizeof *a->n);
    a->weight = ecg__calloc(n, sizeof *a->weight);
    a->exact = ecg__calloc(a->taps, sizeof *a->exact);
    if (!a->first || !a->n || !a->weight || !a->exact) {
        axis_free(a);
        return false;
    }
    for (uint32_t i = 0; i < out; i++)
        weights_at(a, f, i, scale, width);
    return true;
}

static uint8_t clip(int32_t sum)
{
    const int32_t v = sum >> BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* One row, c channels. Without their signs the weights of one output add up to at most 1.572 (Lanczos, 4 to 5
 * pixels), so 32 bits hold the sum.
 */
static inline void across_c(const struct axis *a, const uint8_t *row, uint8_t *to, uint32_t c)
{
    for (uint32_t i = 0; i < a->out; i++) {
        const uint8_t *from = row + (size_t)a->first[i] * c;
        const int32_t *w = a->weight + (size_t)i * a->taps;
        int32_t sum[4] = {1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)};
        for (uint32_t k = 0; k < a->n[i]; k++, from += c)
            for (uint32_t j = 0; j < c; j++)
                sum[j] += from[j] * w[k];
        for (uint32_t j = 0; j < c; j++)
            *to++ = clip(sum[j]);
    }
}

/* LINES rows of gray at once, turned so that vector units work on all of them. column[w][LINES]. */
enum { LINES = 32 };

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Eight rows to column[x][LINES], eight bytes of each at a time: a square of 8 x 8 bytes is turned over by
 * exchanging its halves, then quarters, then neighbours. The first x that is left over. */
ECG__FLAT size_t turn_by_eight(const uint8_t *const *row, size_t n, uint8_t *column)
{
    static const uint64_t mask[3] = {0x00000000ffffffffu, 0x0000ffff0000ffffu, 0x00ff00ff00ff00ffu};
    size_t x = 0;
    for (; x + 8 <= n; x += 8) {
        uint64_t v[8];
        for (size_t k = 0; k < 8; k++)
            memcpy(&v[k], row[k] + x, 8);
        for (size_t step = 0, far = 4; step < 3; step++, far /= 2)
            for (size_t k = 0; k < 8; k++)
                if (!(k & far)) {
                    const uint64_t t = (v[k] >> 8 * far ^ v[k + far]) & mask[step];
                    v[k] ^= t << 8 * far;
                    v[k + far] ^= t;
                }
        for (size_t k = 0; k < 8; k++)
            memcpy(column + (x + k) * LINES, &v[k], 8);
    }
    return x;
}
#else
ECG__FLAT size_t turn_by_eight(const uint8_t *const *row, size_t n, uint8_t *column)
{
    (void)row;
    (void)n;
    (void)column;
    return 0;
}
#endif

ECG__HOT
static void across_lines(const struct axis *restrict a, const uint8_t *const *row, uint8_t *restrict column,
                         uint8_t *const *to)
{
    for (size_t j = 0; j < LINES; j += 8)
        for (size_t x = turn_by_eight(row + j, a->in, column + j); x < a->in; x++)
            for (size_t k = 0; k < 8; k++)
                column[x * LINES + j + k] = row[j + k][x];
    for (uint32_t i = 0; i < a->out; i++) {
        const int32_t *restrict w = a->weight + (size_t)i * a->taps;
        const uint8_t *restrict from = column + (size_t)a->first[i] * LINES;
        const uint32_t taps = a->n[i];
        int32_t sum[LINES];
        for (size_t j = 0; j < LINES; j++)
            sum[j] = 1 << (BITS - 1);
        for (uint32_t k = 0; k < taps; k++, from += LINES)
            for (size_t j = 0; j < LINES; j++)
                sum[j] += from[j] * w[k];
        for (int j = 0; j < LINES; j++)
            to[j][i] = clip(sum[j]);
    }
}

/* All rows of a gray picture. A row that is the one above again, as most are beside a drawn line, is copied.
 */
static bool across_gray(const struct axis *a, const ecg_image *in, uint8_t *px)
{
    uint8_t *column = ecg__alloc((size_t)a->in * LINES);
    const uint8_t *row[LINES];
    uint8_t *to[LINES];
    int n = 0;
    if (!column)
        return false;
    for (size_t y = 0; y < in->h; y++) {
        const uint8_t *from = in->px + y * in->stride;
        if (y > 0 && memcmp(from, from - in->stride, in->w) == 0)
            continue;
        row[n] = from;
        to[n++] = px + y * a->out;
        if (n == LINES) {
            across_lines(a, row, column, to);
            n = 0;
        }
    }
    if (n > 0) {
        for (int j = n; j < LINES; j++)
            row[j] = row[0], to[j] = to[0];
        across_lines(a, row, column, to);
    }
    for (size_t y = 1; y < in->h; y++)
        if (memcmp(in->px + y * in->stride, in->px + (y - 1) * in->stride, in->w) == 0)
            memcpy(px + y * a->out, px + (y - 1) * a->out, a->out);
    ecg__free(column);
    return true;
}

static void across(const struct axis *a, const uint8_t *row, uint8_t *to, uint32_t c)
{
    if (c == 3)
        across_c(a, row, to, 3);
    else
        across_c(a, row, to, 4);
}

/* Output row i from rows of n bytes; sum[n]. */
ECG__HOT
static void down(const struct axis *a, uint32_t i, const uint8_t *px, size_t n, size_t stride,
                 int32_t *restrict sum, uint8_t *restrict to)
{
    const int32_t *w = a->weight + (size_t)i * a->taps;
    for (size_t j = 0; j < n; j++)
        sum[j] = 1 << (BITS - 1);
    for (uint32_t k = 0; k < a->n[i]; k++) {
        const uint8_t *restrict from = px + (a->first[i] + (size_t)k) * stride;
        const int32_t weight = w[k];
        for (size_t j = 0; j < n; j++)
            sum[j] += from[j] * weight;
    }
    for (size_t j = 0; j < n; j++)
        to[j] = clip(sum[j]);
}

/* in -> new picture of width w. */
static ecg_pixels *resize_across(const ecg_image *in, uint32_t w, const struct filter *f)
{
    struct axis a;
    if (!axis_init(&a, f, in->w, w))
        return NULL;
    ecg_pixels *out = ecg__pixels_new(in->h, w, in->c);
    if (out && in->c == 1 && !across_gray(&a, in, out->px)) {
        ecg_pixels_free(out);
        out = NULL;
    }
    if (out && in->c != 1)
        for (size_t y = 0; y < in->h; y++)
            across(&a, in->px + y * in->stride, out->px + y * w * in->c, in->c);
    axis_free(&a);
    return out;
}

static ecg_pixels *resize_down(const ecg_image *in, uint32_t h, const struct filter *f)
{
    struct axis a;
    if (!axis_init(&a, f, in->h, h))
        return NULL;
    const size_t n = (size_t)in->w * in->c;
    int32_t *sum = ecg__calloc(n, sizeof *sum);
    ecg_pixels *out = sum ? ecg__pixels_new(h, in->w, in->c) : NULL;
    if (out)
        for (uint32_t i = 0; i < h; i++)
            down(&a, i, in->px, n, in->stride, sum, out->px + i * n);
    ecg__free(sum);
    axis_free(&a);
    return out;
}

static ecg_pixels *copy(const ecg_image *in)
{
    ecg_pixels *out = ecg__pixels_new(in->h, in->w, in->c);
    const size_t n = (size_t)in->w * in->c;
    if (out)
        for (size_t y = 0; y < in->h; y++)
            memcpy(out->px + y * n, in->px + y * in->stride, n);
    return out;
}

static void premultiply(ecg_pixels *p)
{
    uint8_t *px = p->px;
    for (size_t i = 0; i < (size_t)p->w * p->h; i++, px += 4)
        for (int k = 0; k < 3; k++) {
            const uint32_t t = (uint32_t)px[k] * px[3] + 128;
            px[k] = (uint8_t)((t + (t >> 8)) >> 8);
        }
}

static void unpremultiply(ecg_pixels *p)
{
    uint8_t *px = p->px;
    for (size_t i = 0; i < (size_t)p->w * p->h; i++, px += 4)
        if (px[3] != 0 && px[3] != 255)
            for (int k = 0; k < 3; k++) {
                const uint32_t v = 255u * px[k] / px[3];
                px[k] = (uint8_t)(v < 255 ? v : 255);
            }
}

static ecg_pixels *convolve(const ecg_image *in, uint32_t h, uint32_t w, const struct filter *f)
{
    ecg_image now = *in;
    ecg_pixels *p = NULL;
    if (in->c == 4) {
        p = copy(in);
        if (!p)
            return NULL;
        premultiply(p);
        now = ecg_pixels_view(p);
    }
    if (now.w != w) {
        ecg_pixels *wide = resize_across(&now, w, f);
        ecg_pixels_free(p);
        p = wide;
        if (!p)
            return NULL;
        now = ecg_pixels_view(p);
    }
    if (now.h != h) {
        ecg_pixels *high = resize_down(&now, h, f);
        ecg_pixels_free(p);
        p = high;
    }
    if (p && p->c == 4)
        unpremultiply(p);
    return p;
}

/* index[out]: positions are added up, as Pillow does, not multiplied: the rounding differs. */
static void nearest_index(size_t *index, uint32_t in, uint32_t out)
{
    const double step = (double)in / out;
    double at = step * 0.5;
    for (uint32_t i = 0; i < out; i++, at += step)
        index[i] = at < in ? (size_t)at : in - 1u;
}

static ecg_pixels *nearest(const ecg_image *in, uint32_t h, uint32_t w)
{
    const size_t c = in->c;
    size_t *row = ecg__calloc(h, sizeof *row), *col = ecg__calloc(w, sizeof *col);
    ecg_pixels *out = row && col ? ecg__pixels_new(h, w, in->c) : NULL;
    if (out) {
        nearest_index(row, in->h, h);
        nearest_index(col, in->w, w);
        uint8_t *to = out->px;
        for (size_t y = 0; y < h; y++) {
            const uint8_t *from = in->px + row[y] * in->stride;
            for (size_t x = 0; x < w; x++)
                for (size_t k = 0; k < c; k++)
                    *to++ = from[col[x] * c + k];
        }
    }
    ecg__free(row);
    ecg__free(col);
    return out;
}

ecg_status ecg_pixels_resize(ecg_pixels **out, const ecg_image *in, uint32_t h, uint32_t w, ecg_filter filter,
                             ecg_error *err)
{
    *out = NULL;
    const ecg_status s = ecg__image_check(in, "resize", err);
    if (s != ECG_OK)
        return s;
    if (h < 1 || w < 1 || h > MAX_OUT || w > MAX_OUT)
        return ecg__fail(err, ECG_EINVAL, "resize: to %u x %u pixels, expected 1 to %d a side", w, h,
                         (int)MAX_OUT);
    if (!ecg_filter_name(filter))
        return ecg__fail(err, ECG_EINVAL, "resize: no such filter: %d", (int)filter);
    if (in->h == h && in->w == w)
        *out = copy(in);
    else if (filter == ECG_FILTER_NEAREST)
        *out = nearest(in, h, w);
    else
        *out = convolve(in, h, w, &filters[filter]);
    return *out ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "resize: out of memory");
}
