#include "layers/same.h"
#include "math/exp.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_X | ECG__INPLACE);
}

ECG__HOT static void apply(const float *x, float *y, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        float bell;
        const float v = x[i];
        y[i] = v * ecg__normal(v, &bell);
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

ECG__HOT static void apply_grad(const float *x, const float *dy, float *dx, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        float bell;
        const float v = x[i], g = dy[i], phi = ecg__normal(v, &bell);
        dx[i] = g * (phi + v * 0.39894228f * bell); /* Phi + x Phi' */
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
