#include <string.h>

#include "layers/layer.h"
#include "layers/pool.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    ecg__window g;
    return ecg__pool_plan(&g, attr, in, out, err);
}

ECG__HOT static void pool_row(const ecg__window *g, const float *restrict x, uint32_t r, float *restrict y)
{
    const size_t c = g->c;
    const ecg__cells rows = ecg__cells_of((int64_t)r * g->sh - g->top, g->kh, g->h);
    for (uint32_t q = 0; q < g->ow; q++, y += c) {
        const ecg__cells cols = ecg__cells_of((int64_t)q * g->sw - g->left, g->kw, g->w);
        const float scale = 1.0f / (float)(rows.n * cols.n);
        memcpy(y, x + (rows.first * g->w + cols.first) * c, c * sizeof *y);
        for (size_t i = 0; i < rows.n; i++)
            for (size_t k = i == 0; k < cols.n; k++) {
                const float *restrict from = x + ((rows.first + i) * g->w + cols.first + k) * c;
                for (size_t j = 0; j < c; j++)
                    y[j] += from[j];
            }
        for (size_t j = 0; j < c; j++)
            y[j] *= scale;
    }
}

static void forward(const ecg__forward_args *a)
{
    const ecg__window g = ecg__pool_window(a->attr, a->plan);
    const size_t row = (size_t)g.ow * g.c;
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < g.oh; r++)
            pool_row(&g, a->x + i * a->plan->in_count, r, a->y + i * a->plan->out_count + r * row);
}

const ecg__layer_ops ecg__avgpool_ops = {
    .name = "avgpool",
    .alias = "avgpool2d",
    .help = "mean of each window, padding left out",
    .attrs = ecg__pool_attrs,
    .attr_size = sizeof(ecg__pool_attr),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void unpool_row(const ecg__window *g, float *restrict dx, uint32_t r,
                                const float *restrict dy)
{
    const size_t c = g->c;
    const ecg__cells rows = ecg__cells_of((int64_t)r * g->sh - g->top, g->kh, g->h);
    for (uint32_t q = 0; q < g->ow; q++, dy += c) {
        const ecg__cells cols = ecg__cells_of((int64_t)q * g->sw - g->left, g->kw, g->w);
        const float scale = 1.0f / (float)(rows.n * cols.n);
        for (size_t i = 0; i < rows.n; i++)
            for (size_t k = 0; k < cols.n; k++) {
                float *restrict to = dx + ((rows.first + i) * g->w + cols.first + k) * c;
                for (size_t j = 0; j < c; j++)
                    to[j] += scale * dy[j];
            }
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const ecg__window g = ecg__pool_window(a->attr, a->plan);
    const size_t row = (size_t)g.ow * g.c;
    if (!a->dx)
        return;
    memset(a->dx, 0, a->n * a->plan->in_count * sizeof *a->dx);
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < g.oh; r++)
            unpool_row(&g, a->dx + i * a->plan->in_count, r, a->dy + i * a->plan->out_count + r * row);
}

const ecg__layer_grad ecg__avgpool_grad = {.backward = {{backward, false}}};

#endif
