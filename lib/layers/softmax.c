#include <math.h>

#include "layers/same.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_Y | ECG__INPLACE);
}

static void forward(const ecg__forward_args *a)
{
    const size_t c = a->plan->in.c, rows = a->n * a->plan->in_count / c;
    for (size_t r = 0; r < rows; r++) {
        const float *x = a->x + r * c;
        float *y = a->y + r * c, top = x[0];
        for (size_t j = 1; j < c; j++)
            top = x[j] > top ? x[j] : top;
        double sum = 0;
        for (size_t j = 0; j < c; j++) {
            y[j] = expf(x[j] - top);
            sum += (double)y[j];
        }
        const float scale = (float)(1.0 / sum); /* sum >= 1 */
        for (size_t j = 0; j < c; j++)
            y[j] *= scale;
    }
}

const ecg__layer_ops ecg__softmax_ops = {
    .name = "softmax",
    .help = "probabilities over the channels",
    .activation = true,
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t c = a->plan->in.c, rows = a->n * a->plan->in_count / c;
    if (!a->dx)
        return;
    for (size_t r = 0; r < rows; r++) {
        const float *y = a->y + r * c, *dy = a->dy + r * c;
        float *dx = a->dx + r * c;
        double dot = 0;
        for (size_t j = 0; j < c; j++)
            dot += (double)y[j] * (double)dy[j];
        for (size_t j = 0; j < c; j++)
            dx[j] = y[j] * (float)((double)dy[j] - dot);
    }
}

const ecg__layer_grad ecg__softmax_grad = {.backward = {{backward, false}}};

#endif
