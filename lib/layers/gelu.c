#include <math.h>

#include "layers/same.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_X | ECG__INPLACE);
}

static void apply(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678f));
    }
}

static void forward(const ecg__forward_args *a)
{
    apply(a->x, a->y, a->n * a->plan->in_count);
}

const ecg__layer_ops ecg__gelu_ops = {
    .name = "gelu",
    .help = "x * Phi(x), Phi the normal distribution",
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void apply_grad(const float *x, const float *dy, float *dx, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = x[i], phi = 0.5f * (1.0f + erff(v * 0.70710678f));
        dx[i] = dy[i] * (phi + v * 0.39894228f * expf(-0.5f * v * v)); /* Phi + x Phi' */
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        apply_grad(a->x, a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__gelu_grad = {.backward = {{backward, false}}};

#endif
