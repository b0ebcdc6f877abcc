#include "layers/conv_wino.h"

#include "math/winograd.h"

enum {
    LEAST_CHANNELS = 64,       /* fewer: transforming costs what the products save */
    STRIP_FLOATS = 512 * 1024, /* transformed values of a strip, in the second-level cache */
    GRAD_TILES = 256,          /* so many products share one transform of the kernel's gradient */
    MOST_FLOATS = 1 << 23,
};

static ecg__tiles tiles_of(size_t rows, size_t cols)
{
    return (ecg__tiles){(rows + 1) / 2, (cols + 1) / 2};
}

/* Rows of tiles of a strip; in threes, which is 48 tiles for 16 columns: whole tiles of ecg__grid_gemm. */
static size_t strip_of(size_t channels, size_t rows, size_t cols)
{
    const ecg__tiles t = tiles_of(rows, cols);
    const size_t n = STRIP_FLOATS / (ECG__WINO_PLANES * channels * t.cols);
    const size_t whole = n > 3 ? n - n % 3 : n > 0 ? n : 1;
    return whole < t.rows ? whole : t.rows;
}

/* Floats of a strip of c channels with what is beside it, and of its planes. */
static size_t copy_of(size_t strip, size_t cols, size_t c)
{
    return (2 * strip + 2) * (ecg__conv_wino_even(cols) + 2) * c;
}

static size_t planes_of(size_t strip, size_t cols, size_t c)
{
    return ecg__wino_floats(strip * tiles_of(1, cols).cols, c);
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

bool ecg__conv_wino_make(ecg__conv *j)
{
    const ecg__window *g = &j->g;
    const size_t c = g->c, n = j->filters, cols = g->ow;
    if (!j->grid_input || g->kh != 3 || g->kw != 3 || c < LEAST_CHANNELS || n < LEAST_CHANNELS ||
        g->top > 2 || g->left > 2 || g->oh < 4 || g->ow < 4 || c * n > MOST_FLOATS / ECG__WINO_PLANES ||
        (c + n) * cols > MOST_FLOATS / (4 * ECG__WINO_PLANES))
        return false;
    const size_t forward = strip_of(c + n, g->oh, cols), input = strip_of(c + n, g->h, g->w);
    const size_t wanted = (GRAD_TILES + tiles_of(1, cols).cols - 1) / tiles_of(1, cols).cols;
    const size_t grad = wanted < tiles_of(g->oh, 1).rows ? wanted : tiles_of(g->oh, 1).rows;
    j->rows = (uint32_t)(2 * forward < g->oh ? 2 * forward : g->oh);
    j->input_rows = (uint32_t)(2 * input < g->h ? 2 * input : g->h);
    j->grad_rows = (uint32_t)(2 * grad < g->oh ? 2 * grad : g->oh);
    j->packed = ECG__WINO_PLANES * c * n;
    j->band = copy_of(forward, cols, c) + planes_of(forward, cols, c) + planes_of(forward, cols, n);
    j->band = max(j->band, copy_of(input, g->w, n) + planes_of(input, g->w, n) + planes_of(input, g->w, c));
    j->band = max(j->band, copy_of(grad, cols, c) + planes_of(grad, cols, c));
    j->result = planes_of(grad, cols, n) + ecg__wino_floats(c, n) + copy_of(grad, cols, n);
    return true;
}

void ecg__conv_wino_rows(const ecg__conv *j, const float *x, size_t pitch, size_t c, size_t n,
                         const float *kernel, const float *bias, size_t rows, size_t cols, float *y,
                         float *room)
{
    const ecg__tiles t = tiles_of(rows, cols);
    const size_t tiles = t.rows * t.cols;
    float *m = room + ecg__wino_floats(tiles, c);
    ecg__wino_input(x, pitch, t, c, room);
    ecg__wino_product(j->grid, room, kernel, tiles, c, n, m);
    ecg__wino_output(m, t, n, bias, rows, cols, y);
}

#ifndef ECG_INFER_ONLY

void ecg__conv_wino_grad(const ecg__conv *j, const float *x, size_t pitch, const float *dy, size_t dpitch,
                         size_t rows, size_t cols, float *dkernel, float *room, float *result)
{
    const size_t c = j->g.c, n = j->filters;
    const ecg__tiles t = tiles_of(rows, cols);
    const size_t tiles = t.rows * t.cols;
    ecg__wino_input_columns(x, pitch, t, c, room);
    ecg__wino_doutput(j->grid, dy, dpitch, t, n, result);
    ecg__wino_dkernel(j->grid, room, result, tiles, c, n, dkernel, result + ecg__wino_floats(tiles, n));
}

#endif
