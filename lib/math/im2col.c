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

/* The same floats for windows that lie in the picture with their rows in one run each. `width` is how many
 * floats are copied for a row of a window, at least tap_row: as a constant it makes a copy one instruction,
 * and the surplus is overwritten by the next. src is the first window's first cell. */
static inline void copy_runs(const float *restrict src, size_t pitch, size_t step, size_t kh, size_t tap_row,
                             size_t windows, size_t width, float *restrict cols)
{
    for (size_t q = 0; q < windows; q++, src += step)
        for (size_t i = 0; i < kh; i++, cols += tap_row)
            memcpy(cols, src + i * pitch, width * sizeof *cols);
}

/* A constant width for short rows; for long ones, or 0 surplus, their own. */
static size_t width_for(size_t tap_row)
{
    return tap_row <= 4 ? 4 : tap_row <= 8 ? 8 : tap_row <= 16 ? 16 : tap_row;
}

ECG__HOT static void copy_inner(const float *restrict src, size_t pitch, size_t step, size_t kh,
                                size_t tap_row, size_t windows, size_t width, float *restrict cols)
{
    if (width == 4)
        copy_runs(src, pitch, step, kh, tap_row, windows, 4, cols);
    else if (width == 8)
        copy_runs(src, pitch, step, kh, tap_row, windows, 8, cols);
    else if (width == 16)
        copy_runs(src, pitch, step, kh, tap_row, windows, 16, cols);
    else
        copy_runs(src, pitch, step, kh, tap_row, windows, width, cols);
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

/* Of the inner windows up to `to`, those before the returned one may be copied `width` floats a row: the
 * surplus is neither read beyond the picture's row nor written beyond the output row's last window. */
static uint32_t wide_until(const ecg__window *g, uint32_t to, size_t width)
{
    const size_t tap_row = (size_t)g->kw * g->c, taps = g->kh * tap_row, row = (size_t)g->w * g->c;
    if (row < width)
        return 0;
    const size_t last = ((row - width) / g->c + g->left) / g->sw, kept = (width - tap_row + taps - 1) / taps;
    const size_t end = g->ow > kept ? g->ow - kept : 0, n = last + 1 < end ? last + 1 : end;
    return n < to ? (uint32_t)n : to;
}

void ecg__im2col(const ecg__window *g, const float *x, uint32_t first, uint32_t rows, float *cols)
{
    const size_t tap_row = (size_t)g->kw * g->c, taps = g->kh * tap_row, pitch = (size_t)g->w * g->c;
    const size_t step = (size_t)g->sw * g->c, width = width_for(tap_row);
    uint32_t from, to;
    inner_windows(g, &from, &to);
    const uint32_t wide = wide_until(g, to, width);
    for (uint32_t r = first; r < first + rows; r++) {
        const bool inner = inner_row(g, r);
        for (uint32_t q = 0; q < g->ow;) {
            if (!inner || q < from || q >= to) {
                copy_window(g, x, r, q++, cols);
                cols += taps;
                continue;
            }
            const float *src = x + ((size_t)r * g->sh - g->top) * pitch +
                               ((size_t)q * g->sw - g->left) * g->c;
            const bool surplus = q < wide;
            const uint32_t n = (surplus ? wide : to) - q;
            copy_inner(src, g->dh * pitch, step, g->kh, tap_row, n, surplus ? width : tap_row, cols);
            q += n;
            cols += n * taps;
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
