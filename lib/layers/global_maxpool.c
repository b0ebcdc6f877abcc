#include <string.h>

#include "layers/layer.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    out->out = (ecg_shape){1, 1, in.c};
    out->saved = in.c * sizeof(uint32_t); /* the row * w + column that gave each output */
    return ECG_OK;
}

/* The first of equals wins; what is not a number stays. */
ECG__HOT static void pool(const float *restrict x, size_t cells, size_t c, float *restrict y)
{
    memcpy(y, x, c * sizeof *y);
    for (size_t p = 1; p < cells; p++)
        for (size_t j = 0; j < c; j++) {
            const float v = x[p * c + j], best = y[j];
            y[j] = ((v > best) | (v != v)) ? v : best;
        }
}

static void forward(const ecg__forward_args *a)
{
    const size_t c = a->plan->in.c;
    for (size_t i = 0; i < a->n; i++)
        pool(a->x + i * a->plan->in_count, a->plan->in_count / c, c, a->y + i * c);
}

const ecg__layer_ops ecg__global_maxpool_ops = {
    .name = "global_maxpool",
    .alias = "global_maxpool2d",
    .help = "largest value of each channel",
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void pool_saving(const float *restrict x, size_t cells, size_t c, float *restrict y,
                                 uint32_t *restrict cell)
{
    memcpy(y, x, c * sizeof *y);
    memset(cell, 0, c * sizeof *cell);
    for (size_t p = 1; p < cells; p++)
        for (size_t j = 0; j < c; j++) {
            const float v = x[p * c + j], best = y[j];
            const uint32_t was = cell[j];
            const int better = (v > best) | (v != v);
            y[j] = better ? v : best;
            cell[j] = better ? (uint32_t)p : was;
        }
}

static void train_forward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t c = a->plan->in.c;
    void *cell = a->saved;
    for (size_t i = 0; i < a->n; i++)
        pool_saving(a->x + i * a->plan->in_count, a->plan->in_count / c, c, a->y + i * c,
                    (uint32_t *)cell + i * c);
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t c = a->plan->in.c;
    const void *saved = a->saved;
    const uint32_t *cell = saved;
    if (!a->dx)
        return;
    memset(a->dx, 0, a->n * a->plan->in_count * sizeof *a->dx);
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < c; j++)
            a->dx[i * a->plan->in_count + cell[i * c + j] * c + j] = a->dy[i * c + j];
}

const ecg__layer_grad ecg__global_maxpool_grad = {.forward = {{train_forward, false}},
                                                  .backward = {{backward, false}}};

#endif
