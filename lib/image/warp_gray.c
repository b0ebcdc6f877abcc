#include <math.h>
#include <stdbool.h>

#include "base/hot.h"
#include "image/warp.h"

/* Columns at a time: what passes between the loops stays in the nearest cache. */
enum { PIECE = 64 };

/* Each pixel in one word with the one below it, so that four neighbours are one load of two words. A last row
 * and column are repeated. pairs[h][w + 1]. */
ECG__FLAT void pack(const uint8_t *px, size_t stride, uint32_t h, uint32_t w, uint16_t *restrict pairs)
{
    for (uint32_t r = 0; r < h; r++) {
        const uint8_t *const top = px + r * stride, *const low = r + 1 < h ? top + stride : top;
        uint16_t *const to = pairs + (size_t)r * (w + 1);
        for (uint32_t c = 0; c < w; c++)
            to[c] = (uint16_t)(top[c] | low[c] << 8);
        to[w] = to[w - 1];
    }
}

/* One coordinate of PIECE columns: first tap, weight of the second, whether it was in the picture. */
struct axis {
    int32_t k[PIECE], inside[PIECE];
    float f[PIECE];
};

/* In double, with a displacement of each column: any values at all. */
ECG__FLAT void locate_slow(struct axis *restrict s, double start, double step, double offset,
                           const double *lift, uint32_t first, uint32_t n, double limit)
{
    double at[PIECE];
    for (uint32_t i = 0; i < n; i++)
        at[i] = start + (double)(int32_t)(first + i) * step + offset;
    if (lift)
        for (uint32_t i = 0; i < n; i++)
            at[i] += lift[first + i];
    for (uint32_t i = 0; i < n; i++) {
        double v = at[i] > 0.0 ? at[i] : 0.0;
        v = v < limit ? v : limit;
        const int32_t k = (int32_t)v;
        s->inside[i] = v == at[i];
        s->k[i] = k;
        s->f[i] = (float)(v - (double)k);
    }
}

/* In whole numbers of 2^-24, from the exact coordinate of column n / 2: at the ends off by 2^-20 at the most.
 * |step| is at most FAST_STEP and |start| below 2^22, so that nothing overflows. */
static const double fast_step = 3.5, fast_start = 1048576.0;

ECG__FLAT void locate_fast(struct axis *restrict s, double start, int32_t step, int32_t limit, uint32_t n,
                           bool masked)
{
    int32_t base = (int32_t)start;
    base -= (double)base > start;
    int32_t v0 = (int32_t)((start - (double)base) * 0x1p24 + 0.5);
    int64_t lo = -(int64_t)base * (1 << 24), hi = ((int64_t)limit - base) * (1 << 24);
    if (lo > INT32_MAX) /* all before the first sample, by more than the others can make up for */
        base = 0, v0 = -1, step = 0, lo = 0, hi = 0;
    if (hi < INT32_MIN)
        base = limit, v0 = 1, step = 0, lo = 0, hi = 0;
    const int32_t least = lo < INT32_MIN ? INT32_MIN : (int32_t)lo,
                  most = hi > INT32_MAX ? INT32_MAX : (int32_t)hi;
    const int32_t half = (int32_t)(n / 2);
    for (uint32_t i = 0; i < n; i++) {
        const int32_t at = v0 + ((int32_t)i - half) * step;
        int32_t v = at > least ? at : least;
        v = v < most ? v : most;
        if (masked)
            s->inside[i] = v == at;
        s->k[i] = (v >> 24) + base;
        s->f[i] = (float)(v & 0xFFFFFF) * 0x1p-24f;
    }
}

ECG__FLAT void blend(const struct axis *restrict y, const struct axis *restrict x, int32_t width,
                     const uint16_t *restrict pairs, uint32_t n, float *restrict out)
{
    int32_t at[PIECE];
    uint32_t four[PIECE];
    for (uint32_t i = 0; i < n; i++)
        at[i] = y->k[i] * width + x->k[i];
    const volatile int32_t *const one = at; /* load by load: gathers, real or made up, are slower */
    for (uint32_t i = 0; i < n; i++) {
        const uint16_t *const p = pairs + one[i];
        four[i] = (uint32_t)p[0] | (uint32_t)p[1] << 16;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t q = four[i];
        const float a = (float)(int32_t)(q & 255u), c = (float)(int32_t)(q >> 8 & 255u);
        const float b = (float)(int32_t)(q >> 16 & 255u), d = (float)(int32_t)(q >> 24);
        const float top = a + (b - a) * x->f[i], low = c + (d - c) * x->f[i];
        out[i] = top + (low - top) * y->f[i];
    }
}

ECG__FLAT void mask(const struct axis *restrict y, const struct axis *restrict x, float cval, uint32_t n,
                    float *restrict out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = y->inside[i] & x->inside[i] ? out[i] : cval;
}

struct scan {
    const struct ecg__warp *m;
    const uint16_t *pairs;
    int32_t bottom, right, width, y_step, x_step; /* steps in 2^-24 */
};

/* n columns of row r. */
ECG__FLAT void piece(const struct scan *s, uint32_t r, uint32_t first, uint32_t n, bool fast, bool lifted,
                     bool masked, float *out)
{
    const struct ecg__warp *const m = s->m;
    const double y0 = r * m->l00, x0 = r * m->l10;
    struct axis y, x;
    if (fast && !lifted)
        locate_fast(&y, y0 + (first + n / 2) * m->l01 + m->b0, s->y_step, s->bottom, n, masked);
    else
        locate_slow(&y, y0, m->l01, m->b0, m->lift, first, n, s->bottom);
    if (fast)
        locate_fast(&x, x0 + (first + n / 2) * m->l11 + m->b1, s->x_step, s->right, n, masked);
    else
        locate_slow(&x, x0, m->l11, m->b1, NULL, first, n, s->right);
    blend(&y, &x, s->width, s->pairs, n, out);
    if (masked)
        mask(&y, &x, (float)m->cval, n, out);
}

/* Rows by pieces of n columns, at most w of them; the last one overlaps. */
ECG__FLAT void rows(const struct scan *s, uint32_t h, uint32_t w, uint32_t n, bool lifted, bool masked,
                    float *out)
{
    for (uint32_t r = 0; r < h; r++)
        for (uint32_t q = 0; q < w; q += n) {
            const uint32_t first = q + n <= w ? q : w - n;
            piece(s, r, first, n, true, lifted, masked, out + (size_t)r * w + first);
        }
}

static bool is_fast(const struct ecg__warp *m)
{
    return fabs(m->l00) <= fast_step && fabs(m->l01) <= fast_step && fabs(m->l10) <= fast_step &&
           fabs(m->l11) <= fast_step && fabs(m->b0) <= fast_start && fabs(m->b1) <= fast_start;
}

ECG__HOT void ecg__warp_gray(const struct ecg__warp *m, const uint8_t *px, size_t stride, uint32_t h,
                             uint32_t w, float *restrict out, void *scratch)
{
    struct scan s = {m, scratch, (int32_t)h - 1, (int32_t)w - 1, (int32_t)w + 1, 0, 0};
    const bool masked = m->fill == ECG_FILL_CONSTANT;
    pack(px, stride, h, w, scratch);
    if (!is_fast(m)) {
        for (uint32_t r = 0; r < h; r++)
            for (uint32_t q = 0; q < w; q += PIECE)
                piece(&s, r, q, w - q < PIECE ? w - q : PIECE, false, true, masked, out + (size_t)r * w + q);
        return;
    }
    s.y_step = (int32_t)(m->l01 * 0x1p24 + (m->l01 < 0.0 ? -0.5 : 0.5));
    s.x_step = (int32_t)(m->l11 * 0x1p24 + (m->l11 < 0.0 ? -0.5 : 0.5));
    if (w < PIECE)
        rows(&s, h, w, w, m->lift != NULL, masked, out);
    else if (m->lift)
        rows(&s, h, w, PIECE, true, masked, out);
    else if (masked)
        rows(&s, h, w, PIECE, false, true, out);
    else
        rows(&s, h, w, PIECE, false, false, out);
}
