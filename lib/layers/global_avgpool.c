#include <string.h>

#include "layers/layer.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    out->out = (ecg_shape){1, 1, in.c};
    return ECG_OK;
}

static void forward(const ecg__forward_args *a)
{
    const size_t c = a->plan->in.c, cells = a->plan->in_count / c;
    const float scale = 1.0f / (float)cells;
    for (size_t i = 0; i < a->n; i++) {
        float *y = a->y + i * c;
        memset(y, 0, c * sizeof *y);
        ecg__vec_sum_rows(a->x + i * a->plan->in_count, c, cells, c, y);
        for (size_t j = 0; j < c; j++)
            y[j] *= scale;
    }
}

const ecg__layer_ops ecg__global_avgpool_ops = {
    .name = "global_avgpool",
    .alias = "global_avgpool2d",
    .help = "mean of each channel",
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t c = a->plan->in.c, cells = a->plan->in_count / c;
    const float scale = 1.0f / (float)cells;
    if (!a->dx)
        return;
    for (size_t i = 0; i < a->n; i++) {
        float *dx = a->dx + i * a->plan->in_count; /* one row made here, the others are copies of it */
        for (size_t j = 0; j < c; j++)
            dx[j] = scale * a->dy[i * c + j];
        ecg__vec_fill_rows(dx + c, c, dx, cells - 1, c);
    }
}

const ecg__layer_grad ecg__global_avgpool_grad = {.backward = {{backward, false}}};

#endif
