#include "layers/conv_norm.h"

#include <math.h>

#include "base/mem.h"
#include "math/vec.h"

/* What runs has two tensors, this layer these; the bias may be missing. */
enum { KERNEL, BIAS };
enum { GAMMA, BETA, MEAN, VARIANCE };

enum { MANY_PLACES = 64 };

bool ecg__conv_norm_pays(const ecg__conv_attr *at, ecg_shape in)
{
    const ecg__conv j = ecg__conv_of(at, in);
    return (size_t)j.g.oh * j.g.ow >= MANY_PLACES;
}

static const ecg__layer_ops *inner(const ecg__conv_norm_attr *at)
{
    return at->pooled ? &ecg__conv_pool_ops : &ecg__conv2d_ops;
}

/* Bytes of the folded kernel; of the folded bias behind it, and of the factors behind that. */
static size_t kernel_bytes(const ecg__plan *p)
{
    return ecg__align_up(p->tensor[KERNEL].count * sizeof(float));
}

static size_t bias_bytes(const ecg__conv_norm_attr *at)
{
    return ecg__align_up(at->to.conv.filters * sizeof(float));
}

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    const ecg__conv_norm_attr *at = attr;
    const uint32_t dims[4] = {at->to.conv.filters, 0, 0, 0};
    const ecg_status s = inner(at)->plan(&at->to, in, out, err);
    if (s != ECG_OK)
        return s;
    out->tensors = at->biased ? 2 : 1;
    ecg__plan_tensor(out, "gamma", dims, true);
    ecg__plan_tensor(out, "beta", dims, true);
    ecg__plan_tensor(out, "mean", dims, false);
    ecg__plan_tensor(out, "variance", dims, false);
    out->scratch += kernel_bytes(out) + 2 * bias_bytes(at);
    return ECG_OK;
}

ECG__HOT static void scale_columns(const float *restrict x, const float *restrict scale, size_t rows,
                                   size_t cols, float *restrict y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < cols; j++)
            y[r * cols + j] = x[r * cols + j] * scale[j];
}

static void forward(const ecg__forward_args *a)
{
    const ecg__conv_norm_attr *at = a->attr;
    const size_t filters = at->to.conv.filters;
    const float *const *s = a->tensor + (at->biased ? 2 : 1), *own = at->biased ? a->tensor[BIAS] : NULL;
    unsigned char *base = a->scratch;
    float *kernel = a->scratch, *bias = (float *)(void *)(base + kernel_bytes(a->plan));
    float *scale = (float *)(void *)(base + kernel_bytes(a->plan) + bias_bytes(at));

    for (size_t j = 0; j < filters; j++) {
        const double by = (double)s[GAMMA][j] / sqrt((double)s[VARIANCE][j] + (double)at->eps);
        const double b = own ? (double)own[j] : 0.0;
        scale[j] = (float)by;
        bias[j] = (float)((double)s[BETA][j] + (b - (double)s[MEAN][j]) * by);
    }
    scale_columns(a->tensor[KERNEL], scale, a->plan->tensor[KERNEL].count / filters, filters, kernel);

    const float *folded[] = {kernel, bias};
    ecg__plan p = *a->plan;
    p.tensors = 2;
    ecg__forward_args f = *a;
    f.attr = &at->to;
    f.plan = &p;
    f.tensor = folded;
    f.scratch = base + kernel_bytes(a->plan) + 2 * bias_bytes(at);
    inner(at)->forward(&f);
}

const ecg__layer_ops ecg__conv_norm_ops = {
    .name = "conv2d+batchnorm",
    .help = "convolution and batchnorm in one, with relu and maxpool or without",
    .attr_size = sizeof(ecg__conv_norm_attr),
    .plan = plan,
    .forward = forward,
};
