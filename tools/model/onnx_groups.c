/* Activations that ONNX has no operator for: their value is read by two nodes. */
#include <math.h>

#include "model/onnx_walk.h"

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * fabs(b);
}

/* The node op(a, b), either way round. */
static const onnx_op *pair(const onnx_walk *w, const char *type, onnx_text a, onnx_text b)
{
    for (uint32_t i = 0; i < w->file->ops; i++) {
        const onnx_op *op = &w->file->op[i];
        if (op->inputs != 2 || op->outputs == 0 || !onnx_is(op->type, type))
            continue;
        if ((onnx_same(op->input[0], a) && onnx_same(op->input[1], b)) ||
            (onnx_same(op->input[0], b) && onnx_same(op->input[1], a)))
            return op;
    }
    return NULL;
}

/* The node that multiplies `value` by one half. */
static const onnx_op *half_of(const onnx_walk *w, onnx_text value)
{
    for (uint32_t i = 0; i < w->file->ops; i++) {
        const onnx_op *op = &w->file->op[i];
        double v;
        if (op->outputs && onnx_is(op->type, "Mul") && onnx_scalar_beside(w, op, value, &v) && near(v, 0.5))
            return op;
    }
    return NULL;
}

/* 1 + erf(x / sqrt 2), from its first node. */
static const onnx_op *error_function(const onnx_walk *w, const onnx_op *op)
{
    double v;
    if (!onnx_scalar_beside(w, op, w->value, &v) || op->outputs == 0)
        return NULL;
    const bool by_root = onnx_is(op->type, "Div") && onnx_same(op->input[0], w->value) && near(v, sqrt(2.0));
    if (!by_root && !(onnx_is(op->type, "Mul") && near(v, sqrt(0.5))))
        return NULL;
    const onnx_op *erf = onnx_only_user(w, op->output[0], "Erf");
    const onnx_op *add = erf ? onnx_only_user(w, erf->output[0], "Add") : NULL;
    return add && onnx_scalar_beside(w, add, erf->output[0], &v) && near(v, 1.0) ? add : NULL;
}

/* The last node of x * 0.5 * (1 + erf(x / sqrt 2)), whichever two are multiplied first. */
static const onnx_op *gelu(const onnx_walk *w, const onnx_op *user[2])
{
    const onnx_op *sum = error_function(w, user[0]), *op;
    if (!sum)
        sum = error_function(w, user[1]);
    if (!sum)
        return NULL;
    if ((op = pair(w, "Mul", w->value, sum->output[0])))
        return half_of(w, op->output[0]);
    if ((op = half_of(w, sum->output[0])))
        return pair(w, "Mul", w->value, op->output[0]);
    if ((op = half_of(w, w->value)))
        return pair(w, "Mul", op->output[0], sum->output[0]);
    return NULL;
}

static const onnx_op *silu(const onnx_walk *w, const onnx_op *user[2])
{
    for (int k = 0; k < 2; k++)
        if (onnx_is(user[k]->type, "Sigmoid") && user[k]->outputs &&
            onnx_only_user(w, user[k]->output[0], "Mul"))
            return pair(w, "Mul", w->value, user[k]->output[0]);
    return NULL;
}

ecg_status onnx_groups(onnx_walk *w, const onnx_op *user[2], bool *done)
{
    const onnx_op *last = silu(w, user);
    const char *name = "silu";
    if (!last) {
        last = gelu(w, user);
        name = "gelu";
    }
    if (!last)
        return ECG_OK;
    *done = true;
    const ecg_status s = w->stage == STAGE_LAYERS ? ECG_OK : onnx_settle(w, last, ORDER_CHANNELS);
    onnx_step(w, last);
    return s == ECG_OK ? onnx_layer(w, "%s", name) : s;
}
