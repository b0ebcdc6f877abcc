#include <stdbool.h>

#include "base/hot.h"
#include "image/warp.h"

enum { PIECE = 16, STRIP = 64 };

ECG__FLAT void pack_piece(const uint8_t *restrict top, const uint8_t *restrict low, uint32_t n,
                          uint32_t *restrict to)
{
    for (uint32_t c = 0; c < n; c++)
        to[c] = (uint32_t)top[c] | (uint32_t)top[c + 1] << 8 | (uint32_t)low[c] << 16 |
                (uint32_t)low[c + 1] << 24;
}

/* Four neighbours in one word, so that a pixel is read with one load: (r, c) lowest, (r, c + 1), (r + 1, c),
 * (r + 1, c + 1) highest. A last row and column are repeated. quads[h][w]. */
ECG__FLAT void pack(const uint8_t *px, size_t stride, uint32_t h, uint32_t w, uint32_t *restrict quads)
{
    const uint32_t pairs = w - 1;
    for (uint32_t r = 0; r < h; r++) {
        const uint8_t *const top = px + r * stride, *const low = r + 1 < h ? top + stride : top;
        uint32_t *const to = quads + (size_t)r * w;
        for (uint32_t c = 0; pairs >= PIECE && c < pairs; c += PIECE) {
            const uint32_t at = c + PIECE <= pairs ? c : pairs - PIECE; /* the last one overlaps */
            pack_piece(top + at, low + at, PIECE, to + at);
        }
        if (pairs < PIECE)
            pack_piece(top, low, pairs, to);
        to[pairs] = (uint32_t)top[pairs] * 0x101u | (uint32_t)low[pairs] * 0x1010000u;
    }
}

/* A strip of columns: what passes between the loops below stays in the nearest cache. */
struct axis {
    double at[STRIP]; /* coordinates */
    int32_t k[STRIP]; /* first tap */
    float f[STRIP];   /* weight of the second */
};

/* Coordinates of n columns from `first` on, held within 0..limit, and their taps. */
ECG__FLAT void locate(struct axis *restrict s, double start, double step, double offset, const double *lift,
                      int first, int n, double limit)
{
    for (int i = 0; i < n; i++)
        s->at[i] = start + (double)(first + i) * step + offset;
    if (lift)
        for (int i = 0; i < n; i++)
            s->at[i] += lift[first + i];
    for (int i = 0; i < n; i++) {
        double v = s->at[i];
        v = v > 0.0 ? v : 0.0;
        v = v < limit ? v : limit;
        const int32_t k = (int32_t)v;
        s->k[i] = k;
        s->f[i] = (float)(v - (double)k);
    }
}

ECG__FLAT void blend(const struct axis *restrict y, const struct axis *restrict x, int32_t width,
                     const uint32_t *restrict quads, int n, float *restrict out)
{
    for (int i = 0; i < n; i++) {
        const uint32_t q = quads[y->k[i] * width + x->k[i]];
        const float a = (float)(int32_t)(q & 255u), b = (float)(int32_t)(q >> 8 & 255u);
        const float c = (float)(int32_t)(q >> 16 & 255u), d = (float)(int32_t)(q >> 24);
        const float top = a + (b - a) * x->f[i], low = c + (d - c) * x->f[i];
        out[i] = top + (low - top) * y->f[i];
    }
}

ECG__FLAT void mask(const struct axis *restrict y, const struct axis *restrict x, double bottom, double right,
                    float cval, int n, float *restrict out)
{
    for (int i = 0; i < n; i++) {
        const bool inside = y->at[i] >= 0.0 && y->at[i] <= bottom && x->at[i] >= 0.0 && x->at[i] <= right;
        out[i] = inside ? out[i] : cval;
    }
}

/* n a constant where this is called for whole strips. */
ECG__FLAT void strip(const struct ecg__warp *m, const uint32_t *quads, uint32_t h, uint32_t w, uint32_t r,
                     int first, int n, float *out)
{
    struct axis y, x;
    const double bottom = h - 1.0, right = w - 1.0;
    locate(&y, r * m->l00, m->l01, m->b0, m->lift, first, n, bottom);
    locate(&x, r * m->l10, m->l11, m->b1, NULL, first, n, right);
    blend(&y, &x, (int32_t)w, quads, n, out);
    if (m->fill == ECG_FILL_CONSTANT)
        mask(&y, &x, bottom, right, (float)m->cval, n, out);
}

ECG__HOT void ecg__warp_gray(const struct ecg__warp *m, const uint8_t *px, size_t stride, uint32_t h,
                             uint32_t w, float *restrict out, void *scratch)
{
    uint32_t *const quads = scratch;
    pack(px, stride, h, w, quads);
    for (uint32_t r = 0; r < h; r++) {
        float *const to = out + (size_t)r * w;
        uint32_t q = 0;
        for (; w - q >= STRIP; q += STRIP)
            strip(m, quads, h, w, r, (int)q, STRIP, to + q);
        if (q < w)
            strip(m, quads, h, w, r, (int)q, (int)(w - q), to + q);
    }
}
