/* One node of a network as one of our layers: activations, shapes, batch normalisation, dense layers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_walk.h"

static bool flat(const onnx_walk *w)
{
    return w->order == ORDER_FLAT || w->order == ORDER_TURNED;
}

static bool single(const onnx_walk *w)
{
    return w->s.h == 1 && w->s.w == 1;
}

/* Where value i of a vector in the order c, h, w stands in the order h, w, c. */
static size_t straight(const onnx_walk *w, size_t i)
{
    const size_t hw = (size_t)w->s.h * w->s.w;
    return w->order == ORDER_TURNED ? i % hw * w->s.c + i / hw : i;
}

/* ---- shapes ---- */

ecg_status onnx_flatten(onnx_walk *w, const onnx_op *op)
{
    if (flat(w))
        return ECG_OK;
    const bool several = !single(w);
    if (w->order == ORDER_CHANNELS && several) {
        w->order = ORDER_TURNED;
    } else if (w->order == ORDER_PIXELS || w->order == ORDER_CHANNELS) {
        w->order = ORDER_FLAT;
        w->s = (ecg_shape){1, 1, (uint32_t)chain_count(w->s)};
    } else {
        return onnx_refuse(w, op, "not known what it flattens");
    }
    return several ? onnx_layer(w, "flatten") : ECG_OK;
}

/* Dimensions that a graph computes from a shape: `depth` nodes at most. The batch is 0. n is how many there
 * are already. */
static bool computed(const onnx_walk *w, onnx_text name, int depth, int64_t out[4], uint32_t *n)
{
    const onnx_tensor *t = onnx_tensor_of(w->file, name);
    if (t) {
        for (size_t i = 0; i < t->count; i++) {
            if (*n == 4 || t->type != ONNX_INT64)
                return false;
            out[(*n)++] = onnx_whole(t, i);
        }
        return t->type == ONNX_INT64;
    }
    const onnx_op *op = depth ? onnx_producer(w->file, name) : NULL;
    if (!op || op->inputs == 0)
        return false;
    if (onnx_is(op->type, "Concat")) {
        for (uint32_t k = 0; k < op->inputs; k++)
            if (!computed(w, op->input[k], depth - 1, out, n))
                return false;
        return true;
    }
    if (onnx_is(op->type, "Unsqueeze") || onnx_is(op->type, "Cast"))
        return computed(w, op->input[0], depth - 1, out, n);
    /* The size of the batch: element 0 of a shape. */
    const onnx_op *shape = onnx_is(op->type, "Gather") ? onnx_producer(w->file, op->input[0]) : NULL;
    const onnx_tensor *index = onnx_constant_input(w, op, 1);
    if (!shape || !onnx_is(shape->type, "Shape") || !index || index->count != 1 ||
        onnx_whole(index, 0) != 0 || *n == 4)
        return false;
    out[(*n)++] = 0;
    return true;
}

ecg_status onnx_take_reshape(onnx_walk *w, const onnx_op *op)
{
    int64_t to[4];
    uint32_t n = 0;
    const int64_t count = (int64_t)chain_count(w->s);
    if (op->inputs != 2 || !computed(w, op->input[1], 6, to, &n))
        return onnx_refuse(w, op, "its shape is not known");
    const bool batch = n > 0 && to[0] >= -1 && to[0] <= 1;
    if (batch && n == 2 && (to[1] == count || (to[1] == -1 && to[0] != -1)))
        return onnx_flatten(w, op);
    if (batch && n == 4 && w->order == ORDER_FLAT && to[1] == count && to[2] == 1 && to[3] == 1) {
        w->order = ORDER_CHANNELS; /* a picture of one pixel */
        return ECG_OK;
    }
    return onnx_refuse(w, op, "only pictures are made flat, and vectors pictures of one pixel");
}

static ecg_status transpose(onnx_walk *w, const onnx_op *op)
{
    int64_t perm[4] = {0};
    if (onnx_attribute_of(op, "perm") && onnx_ints(op, "perm", 4, perm) && perm[0] == 0) {
        if (w->order == ORDER_CHANNELS && perm[1] == 2 && perm[2] == 3 && perm[3] == 1) {
            w->order = ORDER_PIXELS;
            return ECG_OK;
        }
        if (w->order == ORDER_PIXELS && perm[1] == 3 && perm[2] == 1 && perm[3] == 2) {
            w->order = ORDER_CHANNELS;
            return ECG_OK;
        }
    }
    return onnx_refuse(w, op, "only changes between channels first and channels last are supported");
}

static ecg_status squeeze(onnx_walk *w, const onnx_op *op)
{
    if (!single(w) || w->order != ORDER_CHANNELS)
        return onnx_refuse(w, op, "only pictures of one pixel are squeezed");
    return onnx_flatten(w, op);
}

static ecg_status flatten(onnx_walk *w, const onnx_op *op)
{
    return onnx_int(op, "axis", 1) == 1 ? onnx_flatten(w, op) : onnx_refuse(w, op, "expected axis 1");
}

/* ---- batch normalisation ---- */

ecg_status onnx_take_norm(onnx_walk *w, const onnx_op *op)
{
    static const char *const name[4] = {"gamma", "beta", "mean", "variance"};
    const size_t n = w->order == ORDER_TURNED ? chain_count(w->s) : w->s.c;
    const onnx_tensor *t[4];
    const onnx_attribute *eps = onnx_attribute_of(op, "epsilon"),
                         *momentum = onnx_attribute_of(op, "momentum");
    if (w->order == ORDER_PIXELS || onnx_int(op, "training_mode", 0) != 0)
        return onnx_refuse(w, op, "expected channels first, and no training");
    for (uint32_t k = 0; k < 4; k++) {
        t[k] = onnx_constant_input(w, op, k + 1);
        if (!t[k] || t[k]->count != n)
            return onnx_refuse(w, op, "its %s is no constant of %zu values", name[k], n);
    }
    ecg_status s = onnx_layer(w, "batchnorm eps=%.9g momentum=%.9g", eps ? (double)eps->f : 1e-5,
                              momentum ? (double)momentum->f : 0.9);
    for (uint32_t k = 0; k < 4 && s == ECG_OK; k++) {
        float *to = onnx_weights(w, "batchnorm", name[k], n);
        for (size_t i = 0; to && i < n; i++)
            to[straight(w, i)] = (float)onnx_real(t[k], i);
        s = to ? ECG_OK : w->err->status;
    }
    return s;
}

/* ---- dense ---- */

/* A bias [units] or [1][units], as constant input i; false: it is none. */
static bool bias_of(const onnx_walk *w, const onnx_op *op, uint32_t i, size_t units, const onnx_tensor **out)
{
    const onnx_tensor *t = onnx_constant_input(w, op, i);
    const bool row = t && t->count == units && t->rank >= 1 && t->rank <= 2 && t->dim[t->rank - 1] == units;
    *out = row ? t : NULL;
    return row;
}

static ecg_status dense(onnx_walk *w, const onnx_tensor *kernel, bool transposed, const onnx_tensor *bias)
{
    const size_t n = chain_count(w->s), units = (size_t)kernel->dim[transposed ? 0 : 1];
    ecg_status s = onnx_layer(w, "dense %zu%s", units, bias ? "" : " bias=0");
    float *to = s == ECG_OK ? onnx_weights(w, "dense", "kernel", n * units) : NULL;
    for (size_t i = 0; to && i < n; i++) {
        float *row = to + straight(w, i) * units;
        for (size_t j = 0; j < units; j++)
            row[j] = (float)onnx_real(kernel, transposed ? j * n + i : i * units + j);
    }
    float *add = to && bias ? onnx_weights(w, "dense", "bias", units) : NULL;
    for (size_t j = 0; add && j < units; j++)
        add[j] = (float)onnx_real(bias, j);
    w->order = ORDER_FLAT;
    w->s = (ecg_shape){1, 1, (uint32_t)units};
    return s != ECG_OK ? s : !to || (bias && !add) ? w->err->status : ECG_OK;
}

ecg_status onnx_take_dense(onnx_walk *w, const onnx_op *op)
{
    const bool gemm = onnx_is(op->type, "Gemm"), transposed = gemm && onnx_int(op, "transB", 0) != 0;
    const onnx_tensor *kernel = onnx_constant_input(w, op, 1), *bias = NULL;
    const size_t n = chain_count(w->s);
    if (!flat(w))
        return onnx_refuse(w, op, "expected a vector, a Flatten before it");
    if (!onnx_same(op->input[0], w->value) || !kernel || kernel->rank != 2 ||
        kernel->dim[transposed ? 1 : 0] != n || kernel->count == 0)
        return onnx_refuse(w, op, "expected constant weights for %zu values", n);
    const onnx_attribute *alpha = onnx_attribute_of(op, "alpha"), *beta = onnx_attribute_of(op, "beta");
    if (onnx_int(op, "transA", 0) != 0 || (alpha && fabsf(alpha->f - 1.0f) > 0.0f) ||
        (beta && fabsf(beta->f - 1.0f) > 0.0f))
        return onnx_refuse(w, op, "expected alpha 1, beta 1 and transA 0");
    const size_t units = (size_t)kernel->dim[transposed ? 0 : 1];
    if (op->inputs > 2 && op->input[2].n && !bias_of(w, op, 2, units, &bias))
        return onnx_refuse(w, op, "expected a constant bias of %zu values", units);
    const onnx_op *last = op;
    if (!gemm) { /* MatMul; Add of a constant behind it is its bias */
        const onnx_op *add = onnx_only_user(w, op->output[0], "Add");
        if (add && add->inputs == 2 &&
            bias_of(w, add, onnx_same(add->input[0], op->output[0]) ? 1 : 0, units, &bias))
            last = add;
    }
    const ecg_status s = dense(w, kernel, transposed, bias);
    onnx_step(w, last);
    return s;
}

/* ---- activations ---- */

static ecg_status softmax(onnx_walk *w, const onnx_op *op)
{
    const int64_t axis = onnx_int(op, "axis", w->file->opset >= 13 ? -1 : 1);
    const bool log = onnx_is(op->type, "LogSoftmax"), later = w->file->opset >= 13; /* older ones flatten */
    const bool ok = flat(w)                      ? axis == 1 || axis == -1
                    : w->order == ORDER_CHANNELS ? axis == 1 && (later || single(w))
                                                 : later && (axis == -1 || axis == 3);
    if (!ok)
        return onnx_refuse(w, op, "expected a softmax over classes or channels");
    const ecg_status s = onnx_layer(w, "softmax");
    w->softmax = true;
    if (log && !onnx_same(op->output[0], w->file->output))
        return onnx_refuse(w, op, "expected at the end only");
    if (log)
        import_note(w->m, "the graph gives logarithms of probabilities; the model gives probabilities");
    return s;
}

/* Logits by a number, and the softmax that ends the graph. */
static ecg_status temperature(onnx_walk *w, const onnx_op *op)
{
    double v;
    const bool div = onnx_is(op->type, "Div");
    if ((!div && !onnx_is(op->type, "Mul")) || !onnx_only_user(w, op->output[0], "Softmax") ||
        !onnx_scalar_beside(w, op, w->value, &v) || !(v > 0.0) ||
        (div && !onnx_same(op->input[0], w->value)) || w->temperature > 0.0f)
        return onnx_refuse(w, op, "not supported here: there is no layer for it");
    const onnx_op *end = onnx_only_user(w, op->output[0], "Softmax");
    if (!onnx_same(end->output[0], w->file->output) &&
        !(onnx_only_user(w, end->output[0], "Identity") &&
          onnx_same(onnx_only_user(w, end->output[0], "Identity")->output[0], w->file->output)))
        return onnx_refuse(w, op, "a temperature is supported before the last softmax only");
    w->temperature = (float)(div ? v : 1.0 / v);
    return ECG_OK;
}

static ecg_status dropout(onnx_walk *w, const onnx_op *op)
{
    const onnx_tensor *ratio = onnx_constant_input(w, op, 1);
    const onnx_attribute *a = onnx_attribute_of(op, "ratio");
    const double rate = ratio && ratio->count == 1 ? onnx_real(ratio, 0) : a ? (double)a->f : 0.5;
    if (op->inputs > 2 && op->input[2].n) /* a flag, of a type that is not read */
        return onnx_refuse(w, op, "training_mode is not supported");
    return rate >= 0.0 && rate <= 0.999 ? onnx_layer(w, "dropout %.9g", rate) : ECG_OK;
}

static ecg_status with_alpha(onnx_walk *w, const onnx_op *op, const char *name, double fallback)
{
    const onnx_attribute *a = onnx_attribute_of(op, "alpha");
    return onnx_layer(w, "%s %.9g", name, a ? (double)a->f : fallback);
}

/* ReduceMean over rows and columns. */
static ecg_status mean(onnx_walk *w, const onnx_op *op)
{
    int64_t axes[2] = {0};
    const onnx_tensor *t = onnx_constant_input(w, op, 1);
    bool ok = onnx_attribute_of(op, "axes") && onnx_ints(op, "axes", 2, axes);
    if (t && t->type == ONNX_INT64 && t->count == 2) {
        axes[0] = onnx_whole(t, 0);
        axes[1] = onnx_whole(t, 1);
        ok = true;
    }
    for (int k = 0; k < 2; k++)
        axes[k] += axes[k] < 0 ? 4 : 0;
    if (!ok || w->order != ORDER_CHANNELS || axes[0] + axes[1] != 5 || axes[0] * axes[1] != 6)
        return onnx_refuse(w, op, "only the mean over rows and columns is supported");
    const ecg_status s = onnx_layer(w, "global_avgpool");
    w->s = (ecg_shape){1, 1, w->s.c};
    if (onnx_int(op, "keepdims", 1) == 0)
        w->order = ORDER_FLAT;
    return s;
}

static ecg_status global(onnx_walk *w, const onnx_op *op, const char *name)
{
    if (w->order != ORDER_CHANNELS)
        return onnx_refuse(w, op, "expected a picture, channels first");
    const ecg_status s = onnx_layer(w, "%s", name);
    w->s = (ecg_shape){1, 1, w->s.c};
    return s;
}

/* Those that do not move the value on by themselves. */
static ecg_status plain(onnx_walk *w, const onnx_op *op)
{
    static const char *const same[][2] = {
        {"Relu", "relu"}, {"Sigmoid", "sigmoid"}, {"Tanh", "tanh"}, {"Gelu", "gelu"}};
    for (size_t k = 0; k < sizeof same / sizeof *same; k++)
        if (onnx_is(op->type, same[k][0]) && op->attrs == 0)
            return onnx_layer(w, "%s", same[k][1]);
    if (onnx_is(op->type, "Identity"))
        return ECG_OK;
    if (onnx_is(op->type, "Elu"))
        return with_alpha(w, op, "elu", 1.0);
    if (onnx_is(op->type, "LeakyRelu"))
        return with_alpha(w, op, "leaky_relu", 0.01);
    if (onnx_is(op->type, "Softmax") || onnx_is(op->type, "LogSoftmax"))
        return softmax(w, op);
    if (onnx_is(op->type, "Conv"))
        return onnx_take_conv(w, op);
    if (onnx_is(op->type, "MaxPool"))
        return onnx_take_pool(w, op, false);
    if (onnx_is(op->type, "AveragePool"))
        return onnx_take_pool(w, op, true);
    if (onnx_is(op->type, "GlobalAveragePool"))
        return global(w, op, "global_avgpool");
    if (onnx_is(op->type, "GlobalMaxPool"))
        return global(w, op, "global_maxpool");
    if (onnx_is(op->type, "ReduceMean"))
        return mean(w, op);
    if (onnx_is(op->type, "BatchNormalization"))
        return onnx_take_norm(w, op);
    if (onnx_is(op->type, "Dropout"))
        return dropout(w, op);
    if (onnx_is(op->type, "Flatten"))
        return flatten(w, op);
    if (onnx_is(op->type, "Reshape"))
        return onnx_take_reshape(w, op);
    if (onnx_is(op->type, "Squeeze"))
        return squeeze(w, op);
    if (onnx_is(op->type, "Transpose"))
        return transpose(w, op);
    if (onnx_is(op->type, "Div") || onnx_is(op->type, "Mul"))
        return temperature(w, op);
    return onnx_refuse(w, op, "no such layer here");
}

ecg_status onnx_take(onnx_walk *w, const onnx_op *op)
{
    if (onnx_is(op->type, "Gemm") || onnx_is(op->type, "MatMul"))
        return onnx_take_dense(w, op);
    const ecg_status s = plain(w, op);
    onnx_step(w, op);
    return s;
}
