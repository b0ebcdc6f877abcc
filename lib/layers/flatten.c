#include <string.h>

#include "layers/layer.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)in;
    (void)err;
    out->out = (ecg_shape){1, 1, (uint32_t)out->in_count};
    out->flags = ECG__INPLACE;
    return ECG_OK;
}

static void forward(const ecg__forward_args *a)
{
    if (a->y != a->x)
        memcpy(a->y, a->x, a->n * a->plan->in_count * sizeof *a->y);
}

const ecg__layer_ops ecg__flatten_ops = {
    .name = "flatten",
    .help = "rows, columns and channels in one row",
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx && a->dx != a->dy)
        memcpy(a->dx, a->dy, a->n * a->plan->in_count * sizeof *a->dx);
}

const ecg__layer_grad ecg__flatten_grad = {.backward = {{backward, false}}};

#endif
