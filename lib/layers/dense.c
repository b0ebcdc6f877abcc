#include <string.h>

#include "layers/inits.h"
#include "layers/layer.h"
#include "math/gemm.h"
#include "math/grid.h"
#include "math/vec.h"

typedef struct dense {
    uint32_t units;
    uint32_t bias, init;
    float l2;
} dense;

static const ecg__attr attrs[] = {
    {"units", ECG__ATTR_UINT, offsetof(dense, units), 1, 1048576, NULL, true, NULL, "outputs"},
    {"bias", ECG__ATTR_UINT, offsetof(dense, bias), 0, 1, "1", false, NULL, "add a bias"},
    {"init", ECG__ATTR_NAME, offsetof(dense, init), 0, 0, "glorot_uniform", false, ecg__init_names,
     "initial kernel"},
    {"l2", ECG__ATTR_REAL, offsetof(dense, l2), 0, 1e6, "0", false, NULL,
     "adds l2 * sum of squares to the loss"},
    {0},
};

enum { MACS_PER_BLOCK = 32768, MAX_BLOCKS = 64, GRANULE = 16 };

/* NULL: the processor or the number of outputs does not allow for it. */
static const ecg__grid_level *level_for(size_t units)
{
    return units % ECG__GRID_UNIT == 0 ? ecg__grid_level_at(0) : NULL;
}

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    const dense *at = attr;
    (void)in;
    (void)err;
    out->out = (ecg_shape){1, 1, at->units};
    out->macs = (uint64_t)out->in_count * at->units;
    const uint64_t blocks = out->macs / MACS_PER_BLOCK;
    out->blocks = blocks < 1 ? 1 : blocks > MAX_BLOCKS ? MAX_BLOCKS : (size_t)blocks;
    out->flags = ECG__READS_X | ECG__GRADS_BY_BLOCK;
    if (level_for(at->units))
        out->scratch = ecg__grid_rows_room(level_for(at->units), at->units) * sizeof(float);

    const uint32_t inputs = (uint32_t)out->in_count; /* at most INT32_MAX */
    ecg__tensor *t = ecg__plan_tensor(out, "kernel", (uint32_t[4]){inputs, at->units, 0, 0}, true);
    t->decays = true;
    t->init = (ecg__init)at->init;
    t->l2 = at->l2;
    t->fan_in = inputs;
    t->fan_out = at->units;
    if (at->bias)
        ecg__plan_tensor(out, "bias", (uint32_t[4]){at->units, 0, 0, 0}, true);
    return ECG_OK;
}

/* An answer must not depend on its neighbours: BLAS, whose sums depend on the number of rows, gets one at a
 * time. */
static void forward(const ecg__forward_args *a)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    const float *bias = a->plan->tensors > 1 ? a->tensor[1] : NULL;
    const ecg__grid_level *level = level_for(out);
    if (level) {
        if (bias)
            ecg__vec_fill_rows(a->y, out, bias, a->n, out);
        else
            memset(a->y, 0, a->n * out * sizeof *a->y);
        ecg__grid_rows(level, a->x, a->n, in, a->tensor[0], out, a->y, a->scratch);
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        float *y = a->y + i * out;
        if (bias)
            ecg__vec_fill_rows(y, out, bias, 1, out);
        ecg__gemm(false, false, 1, out, in, a->x + i * in, in, a->tensor[0], out, bias ? 1.0f : 0.0f, y, out);
    }
}

const ecg__layer_ops ecg__dense_ops = {
    .name = "dense",
    .help = "fully connected: every output sees every input",
    .attrs = attrs,
    .attr_size = sizeof(dense),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

/* Piece `part` of an axis of n, cut in whole cache lines. False: nothing is left for it. */
static bool cut(size_t n, size_t blocks, size_t part, size_t *first, size_t *count)
{
    const size_t granules = (n + GRANULE - 1) / GRANULE;
    const size_t lo = granules * part / blocks * GRANULE, hi = granules * (part + 1) / blocks * GRANULE;
    *first = lo;
    *count = (hi < n ? hi : n) - lo;
    return hi > lo;
}

/* Block: some of the outputs. */
static void train_forward(const ecg__train_args *a, size_t part)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    const bool bias = a->plan->tensors > 1;
    size_t first, count;
    if (!cut(out, a->plan->blocks, part, &first, &count))
        return;
    if (bias)
        ecg__vec_fill_rows(a->y + first, out, a->tensor[1] + first, a->n, count);
    ecg__gemm(false, false, a->n, count, in, a->x, in, a->tensor[0] + first, out, bias ? 1.0f : 0.0f,
              a->y + first, out);
}

/* Block: some of the inputs, with their rows of the kernel; and some of the biases. */
static void backward(const ecg__train_args *a, size_t part)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    size_t first, count;
    if (a->plan->tensors > 1 && cut(out, a->plan->blocks, part, &first, &count))
        ecg__vec_sum_rows(a->dy + first, out, a->n, count, a->grad[1] + first);
    if (!cut(in, a->plan->blocks, part, &first, &count))
        return;
    ecg__gemm(true, false, count, out, a->n, a->x + first, in, a->dy, out, 1.0f, a->grad[0] + first * out,
              out);
    if (a->dx)
        ecg__gemm(false, true, a->n, count, out, a->dy, out, a->tensor[0] + first * out, out, 0.0f,
                  a->dx + first, in);
}

const ecg__layer_grad ecg__dense_grad = {.forward = {{train_forward, true}}, .backward = {{backward, true}}};

#endif
