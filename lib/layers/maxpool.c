#include <string.h>

#include "layers/layer.h"
#include "layers/pool.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    ecg__window g;
    const ecg_status s = ecg__pool_plan(&g, attr, in, out, err);
    if (s != ECG_OK)
        return s;
    /* Which cell of its window gave each output. */
    out->saved = out->out.h * (size_t)out->out.w * out->out.c *
                 (g.kh * g.kw <= UINT8_MAX + 1u ? sizeof(uint8_t) : sizeof(uint16_t));
    return ECG_OK;
}

/* One cell of a window: a later cell wins only when it is larger, or not a number. */
static inline void take(float *restrict y, const float *restrict x, size_t c)
{
    for (size_t j = 0; j < c; j++) {
        const float v = x[j], best = y[j];
        y[j] = ((v > best) | (v != v)) ? v : best;
    }
}

ECG__HOT static void pool_row(const ecg__window *g, const float *restrict x, uint32_t r, float *restrict y)
{
    const size_t c = g->c;
    const ecg__cells rows = ecg__cells_of((int64_t)r * g->sh - g->top, g->kh, g->h);
    for (uint32_t q = 0; q < g->ow; q++, y += c) {
        const ecg__cells cols = ecg__cells_of((int64_t)q * g->sw - g->left, g->kw, g->w);
        memcpy(y, x + (rows.first * g->w + cols.first) * c, c * sizeof *y);
        for (size_t i = 0; i < rows.n; i++)
            for (size_t k = i == 0; k < cols.n; k++)
                take(y, x + ((rows.first + i) * g->w + cols.first + k) * c, c);
    }
}

static void forward(const ecg__forward_args *a)
{
    ecg__window g = ecg__pool_window(a->attr, a->plan);
    const size_t row = (size_t)g.ow * g.c;
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < g.oh; r++)
            pool_row(&g, a->x + i * a->plan->in_count, r, a->y + i * a->plan->out_count + r * row);
}

const ecg__layer_ops ecg__maxpool_ops = {
    .name = "maxpool",
    .alias = "maxpool2d",
    .help = "largest value of each window",
    .attrs = ecg__pool_attrs,
    .attr_size = sizeof(ecg__pool_attr),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

enum { FEW_CELLS = 16 };

/* `width` channels of one window: largest value, and its cell counted over the whole kernel, padding
 * included. */
ECG__FLAT void best_of(const float *restrict x, size_t pitch, size_t c, const ecg__cells *rows,
                       const ecg__cells *cols, uint32_t kw, size_t width, float *restrict best,
                       uint32_t *restrict cell)
{
    const uint32_t first = (uint32_t)(rows->skip * kw + cols->skip);
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        best[j] = x[j];
        cell[j] = first;
    }
    for (size_t i = 0; i < rows->n; i++)
        for (size_t k = i == 0; k < cols->n; k++) {
            const float *restrict from = x + i * pitch + k * c;
            const uint32_t here = first + (uint32_t)(i * kw + k);
            ECG__ROLLED
            for (size_t j = 0; j < width; j++) {
                const float v = from[j], b = best[j];
                const uint32_t was = cell[j];
                best[j] = ((v > b) | (v != v)) ? v : b;
                cell[j] = ((v > b) | (v != v)) ? here : was;
            }
        }
}

/* The same into the output, and the cell as a byte or a word. */
ECG__FLAT void save(const float *restrict x, size_t pitch, size_t c, const ecg__cells *rows,
                    const ecg__cells *cols, uint32_t kw, size_t width, float *restrict y,
                    uint8_t *restrict byte, uint16_t *restrict word)
{
    float best[ECG__WIDEST];
    uint32_t cell[ECG__WIDEST];
    best_of(x, pitch, c, rows, cols, kw, width, best, cell);
    memcpy(y, best, width * sizeof *y);
    if (byte) {
        ECG__ROLLED
        for (size_t k = 0; k < width; k++)
            byte[k] = (uint8_t)cell[k];
    } else {
        ECG__ROLLED
        for (size_t k = 0; k < width; k++)
            word[k] = (uint16_t)cell[k];
    }
}

ECG__HOT static void pool_row_saving(const ecg__window *g, const float *restrict x, uint32_t r,
                                     float *restrict y, uint8_t *restrict byte, uint16_t *restrict word)
{
    const size_t c = g->c, pitch = g->w * c;
    const ecg__cells rows = ecg__cells_of((int64_t)r * g->sh - g->top, g->kh, g->h);
    for (uint32_t q = 0; q < g->ow; q++) {
        const ecg__cells cols = ecg__cells_of((int64_t)q * g->sw - g->left, g->kw, g->w);
        const float *from = x + (rows.first * g->w + cols.first) * c;
#define SAVE(j, width)                                                                                       \
    save(from + (j), pitch, c, &rows, &cols, g->kw, width, y + q * c + (j),                                  \
         byte ? byte + q * c + (j) : NULL, word ? word + q * c + (j) : NULL)
        ECG__BY_WIDTH(c, SAVE);
    }
}

static void train_forward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const ecg__window g = ecg__pool_window(a->attr, a->plan);
    const size_t row = (size_t)g.ow * g.c;
    const bool bytes = a->plan->saved == a->plan->out_count;
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < g.oh; r++) {
            void *cell = a->saved + i * a->plan->saved + r * row * (bytes ? 1 : 2);
            pool_row_saving(&g, a->x + i * a->plan->in_count, r, a->y + i * a->plan->out_count + r * row,
                            bytes ? cell : NULL, bytes ? NULL : cell);
        }
}

/* Small windows: every cell takes the gradient that is its own, or nothing. No branch, no scatter. With
 * `alone` it is in no other window. */
ECG__FLAT void give(float *restrict dx, const float *restrict dy, const uint8_t *restrict byte, uint32_t cell,
                    bool alone, size_t c)
{
    ECG__ROLLED
    for (size_t j = 0; j < c; j++) {
        const float g = dy[j], mine = byte[j] == cell ? g : 0.0f;
        dx[j] = alone ? mine : dx[j] + mine;
    }
}

ECG__HOT static void unpool_row(const ecg__window *g, float *restrict dx, uint32_t r,
                                const float *restrict dy, const uint8_t *restrict byte, bool alone)
{
    const size_t c = g->c;
    const ecg__cells rows = ecg__cells_of((int64_t)r * g->sh - g->top, g->kh, g->h);
    for (uint32_t q = 0; q < g->ow; q++, dy += c, byte += c) {
        const ecg__cells cols = ecg__cells_of((int64_t)q * g->sw - g->left, g->kw, g->w);
        for (size_t i = 0; i < rows.n; i++)
            for (size_t k = 0; k < cols.n; k++) {
                const uint32_t cell = (uint32_t)((rows.skip + i) * g->kw + cols.skip + k);
                float *to = dx + ((rows.first + i) * g->w + cols.first + k) * c;
#define GIVE(j, width) give(to + (j), dy + (j), byte + (j), cell, true, width)
#define ADD(j, width)  give(to + (j), dy + (j), byte + (j), cell, false, width)
                if (alone)
                    ECG__BY_WIDTH(c, GIVE);
                else
                    ECG__BY_WIDTH(c, ADD);
            }
    }
}

/* Large windows: one addition for each output, wherever it falls. */
static void scatter_row(const ecg__window *g, float *restrict dx, uint32_t r, const float *restrict dy,
                        const uint8_t *byte, const uint16_t *word)
{
    for (uint32_t q = 0; q < g->ow; q++)
        for (uint32_t j = 0; j < g->c; j++) {
            const size_t at = (size_t)q * g->c + j;
            const uint32_t cell = byte ? byte[at] : word[at];
            const size_t row = (size_t)r * g->sh + cell / g->kw - g->top;
            const size_t col = (size_t)q * g->sw + cell % g->kw - g->left;
            dx[(row * g->w + col) * g->c + j] += dy[at];
        }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const ecg__window g = ecg__pool_window(a->attr, a->plan);
    const size_t row = (size_t)g.ow * g.c;
    const bool bytes = a->plan->saved == a->plan->out_count;
    if (!a->dx)
        return;
    /* Windows that cover the picture without overlapping write every cell themselves. */
    const bool alone = g.kh * g.kw <= FEW_CELLS && g.kh == g.sh && g.kw == g.sw && !g.top && !g.left &&
                       g.oh * g.kh == g.h && g.ow * g.kw == g.w;
    if (!alone)
        memset(a->dx, 0, a->n * a->plan->in_count * sizeof *a->dx);
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < g.oh; r++) {
            float *dx = a->dx + i * a->plan->in_count;
            const float *dy = a->dy + i * a->plan->out_count + r * row;
            const void *cell = a->saved + i * a->plan->saved + r * row * (bytes ? 1 : 2);
            if (g.kh * g.kw <= FEW_CELLS)
                unpool_row(&g, dx, r, dy, cell, alone);
            else
                scatter_row(&g, dx, r, dy, bytes ? cell : NULL, bytes ? NULL : cell);
        }
}

const ecg__layer_grad ecg__maxpool_grad = {.forward = {{train_forward, false}},
                                           .backward = {{backward, false}}};

#endif
