#include "layers/conv.h"
#include "layers/elu.h"

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    return ecg__conv_plan(attr, in, out, err);
}

static void forward(const ecg__forward_args *a)
{
    const ecg__conv j = ecg__conv_of(a->attr, a->plan->in);
    const float *kernel = ecg__conv_kernel(&j, a->tensor[0], a->scratch);
    const ecg__conv_attr *at = a->attr;
    const size_t row = (size_t)j.g.ow * j.filters;
    for (size_t i = 0; i < a->n; i++)
        for (uint32_t r = 0; r < j.g.oh; r += j.rows) {
            const uint32_t rows = j.g.oh - r < j.rows ? j.g.oh - r : j.rows;
            float *y = a->y + i * a->plan->out_count + r * row;
            ecg__conv_rows(&j, a->x + i * a->plan->in_count, kernel,
                           a->plan->tensors > 1 ? a->tensor[1] : NULL, r, rows, y, a->scratch);
            if (at->elu)
                ecg__elu(at->alpha, y, y, rows * row);
        }
}

const ecg__layer_ops ecg__conv2d_ops = {
    .name = "conv2d",
    .help = "convolution: slides a kernel over rows and columns",
    .attrs = ecg__conv_attrs,
    .attr_size = sizeof(ecg__conv_attr),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const ecg__conv j = ecg__conv_of(a->attr, a->plan->in);
    const size_t in = a->plan->in_count, out = a->plan->out_count, row = (size_t)j.g.ow * j.filters;
    const float *turned = a->dx ? ecg__conv_turned(&j, a->tensor[0], a->scratch) : NULL;
    ecg__conv_grad_begin(&j, a->scratch);
    for (size_t i = 0; i < a->n; i++) {
        const float *dy = a->dy + i * out;
        for (uint32_t r = 0; r < j.g.oh; r += j.grad_rows)
            ecg__conv_rows_grad(&j, a->x + i * in, r, j.g.oh - r < j.grad_rows ? j.g.oh - r : j.grad_rows,
                                dy + r * row, a->grad[0], a->plan->tensors > 1 ? a->grad[1] : NULL,
                                a->scratch);
        if (a->dx)
            ecg__conv_input_grad(&j, dy, turned, a->dx + i * in, a->scratch);
    }
    ecg__conv_grad_end(&j, a->grad[0], a->scratch);
}

const ecg__layer_grad ecg__conv2d_grad = {.backward = {{backward, false}}};

#endif
