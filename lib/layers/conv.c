#include "layers/conv.h"

#include <string.h>

#include "base/status.h"
#include "layers/conv_wino.h"
#include "layers/inits.h"
#include "layers/window.h"
#include "math/gemm.h"
#include "math/grid.h"
#include "math/vec.h"
#include "math/winograd.h"

const ecg__attr ecg__conv_attrs[] = {
    {"filters", ECG__ATTR_UINT, offsetof(ecg__conv_attr, filters), 1, 65536, NULL, true, NULL,
     "output channels"},
    {"kernel", ECG__ATTR_PAIR, offsetof(ecg__conv_attr, kernel), 1, 64, NULL, true, NULL,
     "rows and columns of the kernel"},
    {"stride", ECG__ATTR_PAIR, offsetof(ecg__conv_attr, stride), 1, 64, "1", false, NULL,
     "step between windows"},
    {"pad", ECG__ATTR_PAD, offsetof(ecg__conv_attr, pad), 0, 4096, "valid", false, NULL,
     "zeros around the picture"},
    {"dilation", ECG__ATTR_PAIR, offsetof(ecg__conv_attr, dilation), 1, 64, "1", false, NULL,
     "step between taps"},
    {"bias", ECG__ATTR_UINT, offsetof(ecg__conv_attr, bias), 0, 1, "1", false, NULL, "add a bias"},
    {"init", ECG__ATTR_NAME, offsetof(ecg__conv_attr, init), 0, 0, "glorot_uniform", false, ecg__init_names,
     "initial kernel"},
    {"l2", ECG__ATTR_REAL, offsetof(ecg__conv_attr, l2), 0, 1e6, "0", false, NULL,
     "adds l2 * sum of squares to the loss"},
    {0},
};

enum { TILE_BYTES = 256 * 1024, MOST_FLOATS = 1 << 23 };

/* ---- geometry ---- */

/* Floats of the picture that `rows` output rows look at, padding included. */
static uint64_t band_floats(const ecg__window *g, uint64_t rows)
{
    const uint64_t width = (uint64_t)(g->ow - 1) * g->sw + (uint64_t)(g->kw - 1) * g->dw + 1;
    return ((rows - 1) * g->sh + (uint64_t)(g->kh - 1) * g->dh + 1) * width * g->c;
}

static uint32_t tile_rows(uint64_t floats_per_row, uint32_t most)
{
    const uint64_t rows = TILE_BYTES / sizeof(float) / floats_per_row;
    return rows < 1 ? 1 : rows > most ? most : (uint32_t)rows;
}

/* Whether a window reaches beyond the picture. */
static bool padded(const ecg__window *g)
{
    const uint64_t bottom = (uint64_t)(g->oh - 1) * g->sh + (uint64_t)(g->kh - 1) * g->dh;
    const uint64_t right = (uint64_t)(g->ow - 1) * g->sw + (uint64_t)(g->kw - 1) * g->dw;
    return g->top || g->left || bottom >= (uint64_t)g->top + g->h || right >= (uint64_t)g->left + g->w;
}

/* Which passes do without columns, and the tiles and scratch memory for them. */
static void make_grid(ecg__conv *j)
{
    const ecg__window *g = &j->g;
    const uint64_t kernel = (uint64_t)j->taps * j->filters, out_row = (uint64_t)g->ow * j->filters;
    const uint64_t least = band_floats(g, 1);
    const ecg__grid_level *level = ecg__grid_level_at(0);
    if (!level || j->filters % ECG__GRID_UNIT != 0 || g->dw != 1 || kernel > MOST_FLOATS ||
        least > MOST_FLOATS || out_row > MOST_FLOATS)
        return;
    j->grid = level;
    j->rows = tile_rows(band_floats(g, 2) - least + out_row, g->oh);
    j->packed = (size_t)kernel;
    j->result = (size_t)(j->rows * out_row);
    j->band = (size_t)band_floats(g, j->rows);
    const uint64_t wide = ((uint64_t)g->w + g->kw - 1) * j->filters;
    if (g->c % ECG__GRID_UNIT != 0 || g->sh != 1 || g->sw != 1 || g->dh != 1 || g->kh * wide > MOST_FLOATS)
        return;
    j->grid_input = true;
    j->input_rows = tile_rows(wide + (uint64_t)g->w * g->c, g->h);
    const uint64_t band = ((uint64_t)j->input_rows + g->kh - 1) * wide;
    j->band = band > j->band ? (size_t)band : j->band;
}

ecg_status ecg__conv_make(ecg__conv *j, const ecg__conv_attr *at, ecg_shape in, ecg_error *err)
{
    *j = (ecg__conv){.filters = at->filters};
    const ecg_status s = ecg__window_plan(&j->g, in, at->kernel, at->stride, at->dilation, &at->pad, err);
    if (s != ECG_OK)
        return s;
    const ecg__window *g = &j->g;
    const uint64_t taps = (uint64_t)g->kh * g->kw * g->c; /* at most 2^43 */
    const uint64_t row = g->ow * (taps > at->filters ? taps : at->filters);
    if (taps > INT32_MAX || row > INT32_MAX)
        return ecg__fail(err, ECG_ELIMIT, "a row of %u windows of %ux%ux%u is too large", g->ow, g->kh, g->kw,
                         g->c);
    j->taps = (size_t)taps;
    j->whole = g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 && g->oh == g->h && g->ow == g->w;
    make_grid(j);
    j->wino = ecg__conv_wino_make(j);
    if (!j->wino)
        j->grad_rows = j->rows;
    if (j->grid_input)
        return ECG_OK;
    j->input_rows = tile_rows(row, g->oh);
    if (!j->grid)
        j->rows = j->grad_rows = j->input_rows;
    const size_t columns = j->whole ? 0 : (size_t)j->input_rows * g->ow * j->taps;
    j->band = columns > j->band ? columns : j->band;
    return ECG_OK;
}

ecg__conv ecg__conv_of(const ecg__conv_attr *at, ecg_shape in)
{
    ecg__conv j;
    (void)ecg__conv_make(&j, at, in, NULL);
    return j;
}

ecg_status ecg__conv_plan(const ecg__conv_attr *at, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    ecg__conv j;
    const ecg_status s = ecg__conv_make(&j, at, in, err);
    if (s != ECG_OK)
        return s;
    const ecg__window *g = &j.g;
    out->out = (ecg_shape){g->oh, g->ow, at->filters};
    out->flags = ECG__READS_X;
    out->macs = (uint64_t)g->oh * g->ow * j.taps * at->filters;
    const bool packs = j.wino || (j.grid && ecg__grid_panel(j.grid, j.filters, 0) != j.filters);
    out->scratch = (packs ? j.band + j.packed : !j.grid || padded(g) ? j.band : 0) * sizeof(float);
    out->train_scratch = (j.band + j.packed + j.result) * sizeof(float);

    ecg__tensor *t = ecg__plan_tensor(out, "kernel", (uint32_t[4]){g->kh, g->kw, in.c, at->filters}, true);
    t->decays = true;
    t->init = (ecg__init)at->init;
    t->l2 = at->l2;
    t->fan_in = (uint32_t)j.taps;
    t->fan_out = g->kh * g->kw * at->filters;
    if (at->bias)
        ecg__plan_tensor(out, "bias", (uint32_t[4]){at->filters, 0, 0, 0}, true);
    return ECG_OK;
}

/* ---- parts of a picture ---- */

typedef struct view {
    const float *at;
    size_t pitch; /* floats from row to row */
} view;

/* rows x cols cells of x[h][w][c] from row0, col0 on, zero where they are outside: x itself, or a copy. */
static view view_of(const float *x, ecg_shape s, int64_t row0, size_t rows, int64_t col0, size_t cols,
                    float *copy)
{
    const int64_t row_end = row0 + (int64_t)rows, col_end = col0 + (int64_t)cols;
    const size_t c = s.c, pitch = s.w * c;
    if (row0 >= 0 && row_end <= s.h && col0 >= 0 && col_end <= s.w)
        return (view){x + (size_t)row0 * pitch + (size_t)col0 * c, pitch};
    const int64_t lo = col0 > 0 ? col0 : 0, hi = col_end < s.w ? col_end : s.w;
    const view v = {copy, cols * c};
    for (int64_t row = row0; row < row_end; row++, copy += cols * c) {
        if (row < 0 || row >= s.h || lo >= hi) {
            memset(copy, 0, cols * c * sizeof *copy);
            continue;
        }
        const size_t before = (size_t)(lo - col0) * c, n = (size_t)(hi - lo) * c;
        memset(copy, 0, before * sizeof *copy);
        memcpy(copy + before, x + (size_t)row * pitch + (size_t)lo * c, n * sizeof *copy);
        memset(copy + before + n, 0, (cols * c - before - n) * sizeof *copy);
    }
    return v;
}

/* What `rows` output rows look at. */
static view windows_of(const ecg__window *g, const float *x, uint32_t r, uint32_t rows, float *copy)
{
    return view_of(x, (ecg_shape){g->h, g->w, g->c}, (int64_t)r * g->sh - g->top,
                   (size_t)(rows - 1) * g->sh + (size_t)(g->kh - 1) * g->dh + 1, -(int64_t)g->left,
                   (size_t)(g->ow - 1) * g->sw + g->kw, copy);
}

/* Places of the first taps of those windows, and of the taps from there. */
static ecg__grid pixels_of(const ecg__window *g, uint32_t rows, size_t pitch)
{
    return (ecg__grid){rows, g->sh * pitch, g->ow, (size_t)g->sw * g->c};
}

static ecg__grid taps_of(const ecg__window *g, size_t pitch)
{
    return (ecg__grid){g->kh, g->dh * pitch, (size_t)g->kw * g->c, 1};
}

/* The same in whole tiles of conv_wino.h. */
static view tiles_of(const ecg__window *g, const float *x, uint32_t r, uint32_t rows, float *copy)
{
    return view_of(x, (ecg_shape){g->h, g->w, g->c}, (int64_t)r - g->top, ecg__conv_wino_whole(rows) + 2,
                   -(int64_t)g->left, ecg__conv_wino_whole(g->ow) + 2, copy);
}

/* Memory behind such a copy. */
static float *behind(size_t rows, size_t cols, size_t c, float *copy)
{
    return copy + (ecg__conv_wino_whole(rows) + 2) * (ecg__conv_wino_whole(cols) + 2) * c;
}

/* ---- forward ---- */

const float *ecg__conv_kernel(const ecg__conv *j, const float *kernel, float *scratch)
{
    if (j->wino) {
        ecg__wino_kernel(j->grid, kernel, j->g.c, j->filters, scratch + j->band, scratch);
        return scratch + j->band;
    }
    return j->grid ? ecg__grid_pack(j->grid, j->taps, j->filters, kernel, scratch + j->band) : kernel;
}

void ecg__conv_rows(const ecg__conv *j, const float *x, const float *kernel, const float *bias, uint32_t r,
                    uint32_t rows, float *y, float *scratch)
{
    const ecg__window *g = &j->g;
    const size_t m = (size_t)rows * g->ow, n = j->filters;
    if (j->wino) {
        const view v = tiles_of(g, x, r, rows, scratch);
        ecg__conv_wino_rows(j, v.at, v.pitch, g->c, n, kernel, bias, rows, g->ow, y,
                            behind(rows, g->ow, g->c, scratch));
        return;
    }
    if (j->grid) {
        const view v = windows_of(g, x, r, rows, scratch);
        ecg__grid_gemm(j->grid, v.at, pixels_of(g, rows, v.pitch), taps_of(g, v.pitch), kernel, n, bias,
                       false, y, n);
        return;
    }
    const float *cols = j->whole ? x + (size_t)r * g->ow * j->taps : scratch;
    if (!j->whole)
        ecg__im2col(g, x, r, rows, scratch);
    if (bias)
        ecg__vec_fill_rows(y, n, bias, m, n);
    ecg__gemm(false, false, m, n, j->taps, cols, j->taps, kernel, n, bias ? 1.0f : 0.0f, y, n);
}

#ifndef ECG_INFER_ONLY

/* ---- backward ---- */

void ecg__conv_grad_begin(const ecg__conv *j, float *scratch)
{
    if (j->wino)
        ecg__conv_wino_grad_begin(j, scratch + j->band + j->packed);
}

void ecg__conv_grad_end(const ecg__conv *j, float *dkernel, const float *scratch)
{
    if (j->wino)
        ecg__conv_wino_grad_end(j, scratch + j->band + j->packed, dkernel);
}

void ecg__conv_rows_grad(const ecg__conv *j, const float *x, uint32_t r, uint32_t rows, const float *dy,
                         float *dkernel, float *dbias, float *scratch)
{
    const ecg__window *g = &j->g;
    const size_t m = (size_t)rows * g->ow, n = j->filters;
    if (dbias)
        ecg__vec_sum_rows(dy, n, m, n, dbias);
    if (j->wino) {
        const view v = tiles_of(g, x, r, rows, scratch);
        ecg__conv_wino_grad(j, v.at, v.pitch, dy, rows, behind(rows, g->ow, g->c, scratch),
                            scratch + j->band + j->packed);
        return;
    }
    if (j->grid) {
        const view v = windows_of(g, x, r, rows, scratch);
        const float *right = ecg__grid_pack(j->grid, m, n, dy, scratch + j->band + j->packed);
        ecg__grid_gemm(j->grid, v.at, taps_of(g, v.pitch), pixels_of(g, rows, v.pitch), right, n, NULL, true,
                       dkernel, n);
        return;
    }
    const float *cols = j->whole ? x + (size_t)r * g->ow * j->taps : scratch;
    if (!j->whole)
        ecg__im2col(g, x, r, rows, scratch);
    ecg__gemm(true, false, j->taps, n, m, cols, j->taps, dy, n, 1.0f, dkernel, n); /* cols^T dy */
}

/* Rows and columns of taps in reverse, filters and channels exchanged, packed: the input gradient is a
 * convolution of dy with that. */
const float *ecg__conv_turned(const ecg__conv *j, const float *kernel, float *scratch)
{
    const size_t c = j->g.c, n = j->filters, taps = (size_t)j->g.kh * j->g.kw;
    float *to = scratch + j->band;
    if (!j->grid_input)
        return kernel;
    if (j->wino) {
        ecg__wino_turned(j->grid, kernel, c, n, to, scratch);
        return to;
    }
    for (size_t first = 0, width; first < c; first += width) {
        width = ecg__grid_panel(j->grid, c, first);
        for (size_t t = taps; t-- > 0;) {
            const float *from = kernel + (t * c + first) * n;
            for (size_t f = 0; f < n; f++, to += width)
                for (size_t k = 0; k < width; k++)
                    to[k] = from[k * n + f];
        }
    }
    return scratch + j->band;
}

static void input_grad_by_columns(const ecg__conv *j, const float *dy, const float *kernel, float *dx,
                                  float *scratch)
{
    const ecg__window *g = &j->g;
    const size_t n = j->filters;
    if (!j->whole)
        memset(dx, 0, (size_t)g->h * g->w * g->c * sizeof *dx);
    for (uint32_t r = 0; r < g->oh; r += j->input_rows) {
        const uint32_t rows = g->oh - r < j->input_rows ? g->oh - r : j->input_rows;
        const size_t m = (size_t)rows * g->ow, at = (size_t)r * g->ow;
        float *dcols = j->whole ? dx + at * j->taps : scratch;
        ecg__gemm(false, true, m, j->taps, n, dy + at * n, n, kernel, n, 0.0f, dcols, j->taps); /* dy w^T */
        if (!j->whole)
            ecg__col2im(g, dcols, r, rows, dx);
    }
}

void ecg__conv_input_grad(const ecg__conv *j, const float *dy, const float *turned, float *dx, float *scratch)
{
    const ecg__window *g = &j->g;
    const size_t n = j->filters, c = g->c, row = g->w * c;
    if (!j->grid_input) {
        input_grad_by_columns(j, dy, turned, dx, scratch);
        return;
    }
    for (uint32_t r = 0; r < g->h; r += j->input_rows) {
        const uint32_t rows = g->h - r < j->input_rows ? g->h - r : j->input_rows;
        const size_t high = j->wino ? ecg__conv_wino_whole(rows) : rows;
        const size_t wide = j->wino ? ecg__conv_wino_whole(g->w) : g->w;
        const view v = view_of(dy, (ecg_shape){g->oh, g->ow, (uint32_t)n},
                               (int64_t)r + g->top - ((int64_t)g->kh - 1), high + g->kh - 1,
                               (int64_t)g->left - ((int64_t)g->kw - 1), wide + g->kw - 1, scratch);
        if (j->wino) {
            ecg__conv_wino_rows(j, v.at, v.pitch, n, c, turned, NULL, rows, g->w, dx + r * row,
                                behind(rows, g->w, n, scratch));
            continue;
        }
        const ecg__grid pixels = {rows, v.pitch, g->w, n}, taps = {g->kh, v.pitch, g->kw * n, 1};
        ecg__grid_gemm(j->grid, v.at, pixels, taps, turned, c, NULL, false, dx + r * row, c);
    }
}

#endif
