#include "math/im2col.h"

#include <stdbool.h>
#include <string.h>

#include "math/vec.h"

/* The taps of one kernel row that fall inside the picture: kernel columns [*lo, *hi). */
static void inside(const ecg__window *g, int64_t col0, uint32_t *lo, uint32_t *hi)
{
    const int64_t dw = g->dw;
    *lo = col0 >= 0 ? 0 : (uint32_t)((-col0 + dw - 1) / dw < g->kw ? (-col0 + dw - 1) / dw : g->kw);
    const int64_t room = (int64_t)g->w - col0; /* taps start before this */
    *hi = room <= 0 ? 0 : (uint32_t)((room + dw - 1) / dw < g->kw ? (room + dw - 1) / dw : g->kw);
    if (*lo > *hi)
        *lo = *hi;
}

/* One row of one window. */
static void copy_taps(const ecg__window *g, const float *src, int64_t col0, uint32_t lo, uint32_t hi,
                      float *cols)
{
    const size_t c = g->c;
    memset(cols, 0, lo * c * sizeof *cols);
    if (g->dw == 1 && lo < hi)
        memcpy(cols + lo * c, src + (size_t)(col0 + lo) * c, (hi - lo) * c * sizeof *cols);
    else
        for (uint32_t j = lo; j < hi; j++)
            memcpy(cols + j * c, src + (size_t)(col0 + (int64_t)j * g->dw) * c, c * sizeof *cols);
    memset(cols + hi * c, 0, (g->kw - hi) * c * sizeof *cols);
}

static void copy_window(const ecg__window *g, const float *x, uint32_t r, uint32_t q, float *cols)
{
    const int64_t col0 = (int64_t)q * g->sw - g->left;
    uint32_t lo, hi;
    inside(g, col0, &lo, &hi);
    for (uint32_t i = 0; i < g->kh; i++, cols += (size_t)g->kw * g->c) {
        const int64_t row = (int64_t)r * g->sh + (int64_t)i * g->dh - g->top;
        if (row < 0 || row >= (int64_t)g->h)
            memset(cols, 0, (size_t)g->kw * g->c * sizeof *cols);
        else
            copy_taps(g, x + (size_t)row * g->w * g->c, col0, lo, hi, cols);
    }
}

/* Windows that lie in the picture, with few floats to a row: each row is copied `width` floats long, a
 * constant, of which the surplus is overwritten by the next. src is the first window's first cell. */
static inline void copy_wide(const float *restrict src, size_t pitch, size_t step, size_t kh, size_t tap_row,
                             size_t windows, size_t width, float *restrict cols)
{
    for (size_t q = 0; q < windows; q++, src += step)
        for (size_t i = 0; i < kh; i++, cols += tap_row)
            memcpy(cols, src + i * pitch, width * sizeof *cols);
}

ECG__HOT static void copy_narrow(const float *restrict src, size_t pitch, size_t step, size_t kh,
                                 size_t tap_row, size_t windows, float *restrict cols)
{
    if (tap_row <= 4)
        copy_wide(src, pitch, step, kh, tap_row, windows, 4, cols);
    else if (tap_row <= 8)
        copy_wide(src, pitch, step, kh, tap_row, windows, 8, cols);
    else
        copy_wide(src, pitch, step, kh, tap_row, windows, 16, cols);
}

enum { NARROW = 16 };

/* How many windows of row r, from q on, copy_narrow may take: all cells in the picture, and its surplus
 * neither read beyond the picture nor written beyond the row's last window. */
static uint32_t narrow_windows(const ecg__window *g, uint32_t r, uint32_t q)
{
    const int64_t row0 = (int64_t)r * g->sh - g->top, last = row0 + (int64_t)(g->kh - 1) * g->dh;
    const int64_t col0 = (int64_t)q * g->sw - g->left;
    const size_t width = (size_t)g->kw * g->c;
    const uint32_t surplus = (uint32_t)((NARROW - width + g->c - 1) / g->c); /* columns, at most */
    if (width > NARROW || g->dw != 1 || row0 < 0 || last >= (int64_t)g->h || col0 < 0)
        return 0;
    const int64_t room = (int64_t)g->w - col0 - g->kw - surplus; /* the first window may move right by this */
    const int64_t fit = room < 0 ? 0 : room / g->sw + 1, left = (int64_t)g->ow - q - 1 - NARROW / g->c;
    const int64_t n = fit < left ? fit : left;
    return n > 0 ? (uint32_t)n : 0;
}

/* Windows [*from, *to) of each output row have all their columns in the picture, and those that are side by
 * side in memory: a row of such a window is one run of floats. */
static void inner_windows(const ecg__window *g, uint32_t *from, uint32_t *to)
{
    const int64_t span = (int64_t)(g->kw - 1) * g->dw + 1, room = (int64_t)g->w - span + g->left;
    *from = (g->left + g->sw - 1) / g->sw;
    *to = room < 0 || g->dw != 1 ? 0 : (uint32_t)(room / g->sw) + 1;
    if (*to > g->ow)
        *to = g->ow;
}

/* Whether all rows of the windows of output row r are in the picture. */
static bool inner_row(const ecg__window *g, uint32_t r)
{
    const int64_t row0 = (int64_t)r * g->sh - g->top;
    return row0 >= 0 && row0 + (int64_t)(g->kh - 1) * g->dh < (int64_t)g->h;
}

void ecg__im2col(const ecg__window *g, const float *x, uint32_t first, uint32_t rows, float *cols)
{
    const size_t tap_row = (size_t)g->kw * g->c, taps = g->kh * tap_row, pitch = (size_t)g->w * g->c;
    uint32_t from, to;
    inner_windows(g, &from, &to);
    for (uint32_t r = first; r < first + rows; r++) {
        const bool inner = inner_row(g, r);
        for (uint32_t q = 0; q < g->ow;) {
            if (inner && tap_row > NARROW && q >= from && q < to) {
                const float *src = x + ((size_t)r * g->sh - g->top) * pitch +
                                   ((size_t)q * g->sw - g->left) * g->c;
                for (uint32_t i = 0; i < g->kh; i++, cols += tap_row)
                    memcpy(cols, src + i * g->dh * pitch, tap_row * sizeof *cols);
                q++;
                continue;
            }
            const uint32_t n = narrow_windows(g, r, q);
            if (n > 0) {
                const size_t row = (size_t)r * g->sh - g->top, col = (size_t)q * g->sw - g->left;
                copy_narrow(x + row * pitch + col * g->c, g->dh * pitch, (size_t)g->sw * g->c, g->kh, tap_row,
                            n, cols);
                q += n;
                cols += n * taps;
            } else {
                copy_window(g, x, r, q, cols);
                q++;
                cols += taps;
            }
        }
    }
}

void ecg__col2im(const ecg__window *g, const float *cols, uint32_t first, uint32_t rows, float *dx)
{
    const size_t c = g->c, tap_row = (size_t)g->kw * c, pitch = (size_t)g->w * c;
    uint32_t from, to;
    inner_windows(g, &from, &to);
    for (uint32_t r = first; r < first + rows; r++) {
        const bool inner = inner_row(g, r);
        for (uint32_t q = 0; q < g->ow; q++) {
            if (inner && q >= from && q < to) {
                float *dst = dx + ((size_t)r * g->sh - g->top) * pitch + ((size_t)q * g->sw - g->left) * c;
                for (uint32_t i = 0; i < g->kh; i++, cols += tap_row)
                    ecg__vec_add(dst + i * g->dh * pitch, cols, tap_row);
                continue;
            }
            const int64_t col0 = (int64_t)q * g->sw - g->left;
            uint32_t lo, hi;
            inside(g, col0, &lo, &hi);
            for (uint32_t i = 0; i < g->kh; i++, cols += tap_row) {
                const int64_t row = (int64_t)r * g->sh + (int64_t)i * g->dh - g->top;
                if (row < 0 || row >= (int64_t)g->h || lo == hi)
                    continue;
                float *dst = dx + ((size_t)row * g->w) * c;
                if (g->dw == 1)
                    ecg__vec_add(dst + (size_t)(col0 + lo) * c, cols + lo * c, (hi - lo) * c);
                else
                    for (uint32_t j = lo; j < hi; j++)
                        ecg__vec_add(dst + (size_t)(col0 + (int64_t)j * g->dw) * c, cols + j * c, c);
            }
        }
    }
}
