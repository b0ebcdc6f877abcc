#include "layers/same.h"
#include "math/exp.h"
#include "math/vec.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    return ecg__plan_same(out, in, ECG__READS_Y | ECG__INPLACE);
}

ECG__HOT static void apply(const float *x, float *y, size_t rows, size_t c)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        float top = x[0];
        for (size_t j = 1; j < c; j++)
            top = x[j] > top ? x[j] : top;
        double sum = 0;
        ECG__IVDEP
        for (size_t j = 0; j < c; j++)
            y[j] = ecg__exp(x[j] - top);
        for (size_t j = 0; j < c; j++)
            sum += (double)y[j];
        const float scale = (float)(1.0 / sum); /* sum >= 1 */
        for (size_t j = 0; j < c; j++)
            y[j] *= scale;
    }
}

static void forward(const ecg__forward_args *a)
{
    const size_t c = a->plan->in.c;
    apply(a->x, a->y, a->n * a->plan->in_count / c, c);
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
