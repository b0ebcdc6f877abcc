#include "layers/conv_wino.h"

#include <string.h>

#include "math/winograd.h"

enum {
    LEAST_CHANNELS = 32,       /* fewer: transforming costs what the products save */
    STRIP_FLOATS = 512 * 1024, /* transformed values of a strip, in the second-level cache */
    GRAD_TILES = 256,          /* of a strip whose products are added to the sums at once */
    MOST_FLOATS = 1 << 24,
};

static ecg__tiles tiles_of(size_t rows, size_t cols)
{
    return (ecg__tiles){(rows + ECG__WINO_STEP - 1) / ECG__WINO_STEP,
                        (cols + ECG__WINO_STEP - 1) / ECG__WINO_STEP};
}

size_t ecg__conv_wino_whole(size_t n)
{
    return (n + ECG__WINO_STEP - 1) / ECG__WINO_STEP * ECG__WINO_STEP;
}

/* Rows of outputs in a strip of `wanted` rows of tiles, of `rows` there are. */
static size_t rows_of(size_t wanted, size_t rows)
{
    const size_t n = ECG__WINO_STEP * (wanted > 0 ? wanted : 1);
    return n < rows ? n : rows;
}

static size_t strip_of(size_t channels, size_t rows, size_t cols)
{
    return rows_of(STRIP_FLOATS / (ECG__WINO_PLANES * channels * tiles_of(1, cols).cols), rows);
}

/* Floats of a strip of c channels with what is beside it, and of its planes. */
static size_t copy_of(size_t rows, size_t cols, size_t c)
{
    return (ecg__conv_wino_whole(rows) + 2) * (ecg__conv_wino_whole(cols) + 2) * c;
}

static size_t planes_of(size_t rows, size_t cols, size_t c)
{
    const ecg__tiles t = tiles_of(rows, cols);
    return ecg__wino_floats(t.rows * t.cols, c);
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
        (c + n) * cols > MOST_FLOATS / ECG__WINO_PLANES)
        return false;
    const size_t forward = strip_of(c + n, g->oh, cols), input = strip_of(c + n, g->h, g->w);
    const size_t grad = rows_of(GRAD_TILES / tiles_of(1, cols).cols, g->oh);
    j->rows = (uint32_t)forward;
    j->input_rows = (uint32_t)input;
    j->grad_rows = (uint32_t)grad;
    j->packed = ECG__WINO_PLANES * c * n;
    j->band = copy_of(forward, cols, c) + planes_of(forward, cols, c) + planes_of(forward, cols, n);
    j->band = max(j->band, copy_of(input, g->w, n) + planes_of(input, g->w, n) + planes_of(input, g->w, c));
    j->band = max(j->band, copy_of(grad, cols, c) + planes_of(grad, cols, c));
    j->result = ecg__wino_floats(c, n) + planes_of(grad, cols, n) + copy_of(grad, cols, n);
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

/* `result`: the sums, the planes of a strip of dy, a copy of it in whole tiles. */

static size_t sums_of(const ecg__conv *j)
{
    return ecg__wino_floats(j->g.c, j->filters);
}

void ecg__conv_wino_grad_begin(const ecg__conv *j, float *result)
{
    memset(result, 0, sums_of(j) * sizeof *result);
}

static const float *whole(const float *dy, size_t rows, size_t row, size_t whole_rows, size_t whole_row,
                          float *copy)
{
    if (rows == whole_rows && row == whole_row)
        return dy;
    for (size_t r = 0; r < rows; r++) {
        memcpy(copy + r * whole_row, dy + r * row, row * sizeof *copy);
        memset(copy + r * whole_row + row, 0, (whole_row - row) * sizeof *copy);
    }
    memset(copy + rows * whole_row, 0, (whole_rows - rows) * whole_row * sizeof *copy);
    return copy;
}

void ecg__conv_wino_grad(const ecg__conv *j, const float *x, size_t pitch, const float *dy, size_t rows,
                         float *room, float *result)
{
    const size_t c = j->g.c, n = j->filters, cols = j->g.ow;
    const ecg__tiles t = tiles_of(rows, cols);
    const size_t tiles = t.rows * t.cols, whole_row = ecg__conv_wino_whole(cols) * n;
    float *dm = result + sums_of(j), *copy = dm + planes_of(j->grad_rows, cols, n);
    dy = whole(dy, rows, cols * n, ecg__conv_wino_whole(rows), whole_row, copy);
    ecg__wino_input_columns(x, pitch, t, c, room);
    ecg__wino_doutput(j->grid, dy, whole_row, t, n, dm);
    ecg__wino_dproduct(j->grid, room, dm, tiles, c, n, result);
}

void ecg__conv_wino_grad_end(const ecg__conv *j, const float *result, float *dkernel)
{
    ecg__wino_dkernel(result, j->g.c, j->filters, dkernel);
}

#endif
