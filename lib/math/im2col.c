#include "math/im2col.h"

#include <string.h>

/* The taps of one kernel row that fall inside the picture: kernel columns [*lo, *hi). */
static void inside(const ecg__window *g, int64_t col0, uint32_t *lo, uint32_t *hi)
{
    const int64_t dw = g->dw;
    *lo = col0 >= 0 ? 0 : (uint32_t)((-col0 + dw - 1) / dw);
    const int64_t room = (int64_t)g->w - col0; /* taps start before this */
    *hi = room <= 0 ? 0 : (uint32_t)((room + dw - 1) / dw);
    if (*hi > g->kw)
        *hi = g->kw;
    if (*lo > *hi)
        *lo = *hi;
}

void ecg__im2col(const ecg__window *g, const float *x, uint32_t first, uint32_t rows, float *cols)
{
    const size_t c = g->c, tap_row = (size_t)g->kw * c;
    for (uint32_t r = first; r < first + rows; r++) {
        for (uint32_t q = 0; q < g->ow; q++) {
            const int64_t col0 = (int64_t)q * g->sw - g->left;
            uint32_t lo, hi;
            inside(g, col0, &lo, &hi);
            for (uint32_t i = 0; i < g->kh; i++, cols += tap_row) {
                const int64_t row = (int64_t)r * g->sh + (int64_t)i * g->dh - g->top;
                if (row < 0 || row >= (int64_t)g->h || lo == hi) {
                    memset(cols, 0, tap_row * sizeof *cols);
                    continue;
                }
                const float *src = x + ((size_t)row * g->w) * c;
                memset(cols, 0, lo * c * sizeof *cols);
                if (g->dw == 1)
                    memcpy(cols + lo * c, src + (size_t)(col0 + lo) * c, (hi - lo) * c * sizeof *cols);
                else
                    for (uint32_t j = lo; j < hi; j++)
                        memcpy(cols + j * c, src + (size_t)(col0 + (int64_t)j * g->dw) * c, c * sizeof *cols);
                memset(cols + hi * c, 0, (g->kw - hi) * c * sizeof *cols);
            }
        }
    }
}

static void add(float *restrict dst, const float *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] += src[i];
}

void ecg__col2im(const ecg__window *g, const float *cols, uint32_t first, uint32_t rows, float *dx)
{
    const size_t c = g->c, tap_row = (size_t)g->kw * c;
    for (uint32_t r = first; r < first + rows; r++) {
        for (uint32_t q = 0; q < g->ow; q++) {
            const int64_t col0 = (int64_t)q * g->sw - g->left;
            uint32_t lo, hi;
            inside(g, col0, &lo, &hi);
            for (uint32_t i = 0; i < g->kh; i++, cols += tap_row) {
                const int64_t row = (int64_t)r * g->sh + (int64_t)i * g->dh - g->top;
                if (row < 0 || row >= (int64_t)g->h)
                    continue;
                float *dst = dx + ((size_t)row * g->w) * c;
                if (g->dw == 1)
                    add(dst + (size_t)(col0 + lo) * c, cols + lo * c, (hi - lo) * c);
                else
                    for (uint32_t j = lo; j < hi; j++)
                        add(dst + (size_t)(col0 + (int64_t)j * g->dw) * c, cols + j * c, c);
            }
        }
    }
}
