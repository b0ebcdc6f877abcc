#include "layers/elu.h"

#include "layers/same.h"
#include "math/exp.h"
#include "math/vec.h"

static const ecg__attr attrs[] = {
    {"alpha", ECG__ATTR_REAL, offsetof(ecg__elu_attr, alpha), 0, 1e6, "1", true, NULL,
     "value far below 0, with its sign changed"},
    {0},
};

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_Y | ECG__INPLACE);
}

ECG__HOT static void apply(float alpha, const float *x, float *y, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = x[i], below = alpha * ecg__expm1(v);
        y[i] = v > 0.0f ? v : below;
    }
}

void ecg__elu(float alpha, const float *x, float *y, size_t n)
{
    apply(alpha, x, y, n);
}

static void forward(const ecg__forward_args *a)
{
    ecg__elu(((const ecg__elu_attr *)a->attr)->alpha, a->x, a->y, a->n * a->plan->in_count);
}

const ecg__layer_ops ecg__elu_ops = {
    .name = "elu",
    .help = "x above 0, alpha * (exp(x) - 1) below",
    .attrs = attrs,
    .attr_size = sizeof(ecg__elu_attr),
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void apply_grad(float alpha, const float *y, const float *dy, float *dx, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = y[i], g = dy[i];
        dx[i] = v > 0.0f ? g : g * (v + alpha);
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        apply_grad(((const ecg__elu_attr *)a->attr)->alpha, a->y, a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__elu_grad = {.backward = {{backward, false}}};

#endif
