#include "layers/same.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_Y | ECG__INPLACE);
}

ECG__HOT static void apply(const float *x, float *y, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

static void forward(const ecg__forward_args *a)
{
    apply(a->x, a->y, a->n * a->plan->in_count);
}

const ecg__layer_ops ecg__relu_ops = {
    .name = "relu",
    .help = "max(x, 0); not a number stays what it is",
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void apply_grad(const float *y, const float *dy, float *dx, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float g = dy[i];
        dx[i] = y[i] <= 0.0f ? 0.0f : g;
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        apply_grad(a->y, a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__relu_grad = {.backward = {{backward, false}}};

#endif
