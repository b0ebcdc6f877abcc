#include "layers/same.h"
#include "math/vec.h"

typedef struct leaky_relu {
    float slope;
} leaky_relu;

static const ecg__attr attrs[] = {
    {"slope", ECG__ATTR_REAL, offsetof(leaky_relu, slope), 0, 1, "0.3", true, NULL, "factor below 0"},
    {0},
};

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_Y | ECG__INPLACE);
}

ECG__HOT static void apply(float slope, const float *x, float *y, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = x[i];
        y[i] = v > 0.0f ? v : slope * v;
    }
}

static void forward(const ecg__forward_args *a)
{
    apply(((const leaky_relu *)a->attr)->slope, a->x, a->y, a->n * a->plan->in_count);
}

const ecg__layer_ops ecg__leaky_relu_ops = {
    .name = "leaky_relu",
    .help = "x above 0, slope * x below",
    .attrs = attrs,
    .attr_size = sizeof(leaky_relu),
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

ECG__HOT static void apply_grad(float slope, const float *y, const float *dy, float *dx, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = y[i], g = dy[i];
        dx[i] = v > 0.0f ? g : slope * g;
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        apply_grad(((const leaky_relu *)a->attr)->slope, a->y, a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__leaky_relu_grad = {.backward = {{backward, false}}};

#endif
