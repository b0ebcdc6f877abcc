#include "layers/same.h"
#include "math/exp.h"
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
        y[i] = ecg__sigmoid(x[i]);
}

static void forward(const ecg__forward_args *a)
{
    apply(a->x, a->y, a->n * a->plan->in_count);
}

const ecg__layer_ops ecg__sigmoid_ops = {
    .name = "sigmoid",
    .help = "1 / (1 + exp(-x))",
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void apply_grad(const float *y, const float *dy, float *dx, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        apply_grad(a->y, a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__sigmoid_grad = {.backward = {{backward, false}}};

#endif
