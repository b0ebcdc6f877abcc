/* How a graph prepares its pixels, as far as ecg_preprocess can say the same: factor, own mean and deviation,
 * mean and deviation of each channel, whitening, in this order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_walk.h"

static const onnx_op *producer_behind_cast(const onnx_walk *w, onnx_text value)
{
    const onnx_op *op = onnx_producer(w->file, value);
    if (op && onnx_is(op->type, "Cast") && op->inputs)
        op = onnx_producer(w->file, op->input[0]);
    return op;
}

/* Whether v is `value`, or a cast of it. */
static bool is_cast_of(const onnx_walk *w, onnx_text v, onnx_text value)
{
    const onnx_op *op = onnx_producer(w->file, v);
    if (onnx_same(v, value))
        return true;
    return op && onnx_is(op->type, "Cast") && op->inputs && onnx_same(op->input[0], value);
}

/* Whether op is the mean of rows, columns and channels of each picture. */
static bool is_mean(const onnx_op *op)
{
    int64_t axes[3] = {0};
    if (!op || !onnx_is(op->type, "ReduceMean") || op->inputs != 1 || !onnx_attribute_of(op, "axes") ||
        !onnx_ints(op, "axes", 3, axes))
        return false;
    return axes[0] == 1 && axes[1] == 2 && axes[2] == 3 && onnx_int(op, "keepdims", 1) == 1;
}

/* x - mean(x) */
static bool centred(const onnx_walk *w, const onnx_op *op)
{
    if (!onnx_is(op->type, "Sub") || op->inputs != 2 || !onnx_same(op->input[0], w->value))
        return false;
    const onnx_op *mean = producer_behind_cast(w, op->input[1]);
    return is_mean(mean) && is_cast_of(w, mean->input[0], w->value);
}

/* x / (sqrt(mean(x * x)) + 1e-6) */
static bool divided(const onnx_walk *w, const onnx_op *op)
{
    double epsilon;
    if (!onnx_is(op->type, "Div") || op->inputs != 2 || !onnx_same(op->input[0], w->value))
        return false;
    const onnx_op *add = producer_behind_cast(w, op->input[1]);
    const onnx_op *root = add && add->inputs == 2 ? onnx_producer(w->file, add->input[0]) : NULL;
    if (!root || !onnx_is(add->type, "Add") || !onnx_is(root->type, "Sqrt") || root->inputs != 1 ||
        !onnx_scalar_beside(w, add, add->input[0], &epsilon) || fabs(epsilon - 1e-6) > 1e-12)
        return false;
    const onnx_op *mean = onnx_producer(w->file, root->input[0]);
    const onnx_op *square = is_mean(mean) ? onnx_producer(w->file, mean->input[0]) : NULL;
    return square && onnx_is(square->type, "Mul") && square->inputs == 2 &&
           onnx_same(square->input[0], square->input[1]) && is_cast_of(w, square->input[0], w->value);
}

/* ---- one number, or one for each channel ---- */

/* n numbers, 1 or one for each channel; 0: it is something else. Where channels are told apart, the order of
 * dimensions is known from then on. */
static uint32_t numbers(onnx_walk *w, const onnx_op *op, double v[4])
{
    if (op->inputs != 2)
        return 0;
    const onnx_tensor *t = onnx_constant_input(w, op, onnx_same(op->input[0], w->value) ? 1 : 0);
    if (!t || t->count == 0 || t->count > 4 || t->rank > 4)
        return 0;
    for (uint32_t k = 0; k < t->count; k++) {
        v[k] = onnx_real(t, k);
        if (!isfinite(v[k]))
            return 0;
    }
    if (t->count == 1)
        return 1;
    /* [C], [1][1][C] ... or [C][1][1], [1][C][1][1] */
    const bool last = t->dim[t->rank - 1] == t->count;
    const bool third = t->rank >= 3 && t->dim[t->rank - 3] == t->count;
    if (!last && !third)
        return 0;
    if (onnx_settle(w, op, last ? ORDER_PIXELS : ORDER_CHANNELS) != ECG_OK)
        return 0;
    return t->count == w->s.c ? w->s.c : 0;
}

static bool to_floats(const double v[4], uint32_t n, double sign, float out[4])
{
    for (uint32_t k = 0; k < 4; k++) {
        out[k] = (float)(sign * v[n == 1 ? 0 : k < n ? k : n - 1]);
        if (!isfinite(out[k]))
            return false;
    }
    return true;
}

static ecg_status arithmetic(onnx_walk *w, const onnx_op *op)
{
    double v[4];
    ecg_preprocess *p = &w->m->prep;
    const bool mul = onnx_is(op->type, "Mul"), div = onnx_is(op->type, "Div"), add = onnx_is(op->type, "Add");
    const uint32_t n = numbers(w, op, v);
    if (n == 0)
        return onnx_refuse(w, op, "expected one number, or one for each channel");
    if ((div || onnx_is(op->type, "Sub")) && !onnx_same(op->input[0], w->value))
        return onnx_refuse(w, op, "a number less or by the pixels is not supported");
    for (uint32_t k = 0; k < n && (mul || div); k++)
        if (!(v[k] > 0.0))
            return onnx_refuse(w, op, "expected a number above 0");
    if (mul || div) {
        if (w->stage == STAGE_PIXELS && n == 1) {
            w->scale = mul ? v[0] : 1.0 / v[0];
            w->stage = STAGE_SCALED;
            return ECG_OK;
        }
        for (uint32_t k = 0; k < n && mul; k++)
            v[k] = 1.0 / v[k];
        if (w->stage >= STAGE_DEVIATION || !to_floats(v, n, 1.0, p->deviation))
            return onnx_refuse(w, op, "the pixels are multiplied or divided once more than is supported");
        w->stage = STAGE_DEVIATION;
        return ECG_OK;
    }
    if (w->stage >= STAGE_MEAN || !to_floats(v, n, add ? -1.0 : 1.0, p->mean))
        return onnx_refuse(w, op, "a mean is subtracted once more, or later, than is supported");
    w->stage = STAGE_MEAN;
    return ECG_OK;
}

/* ---- a matrix: Flatten, MatMul, Reshape back ---- */

static ecg_status whiten(onnx_walk *w, const onnx_op *flatten, bool *done)
{
    const onnx_op *by = onnx_only_user(w, flatten->output[0], "MatMul");
    const onnx_op *back = by ? onnx_only_user(w, by->output[0], "Reshape") : NULL;
    const onnx_op *turn = back ? onnx_only_user(w, back->output[0], "Transpose") : NULL;
    if (!turn) /* the network begins */
        return w->order == ORDER_OPEN ? onnx_settle(w, flatten, ORDER_CHANNELS) : ECG_OK;
    const ecg_status s = onnx_settle(w, flatten, ORDER_PIXELS);
    if (s != ECG_OK)
        return s;
    const size_t n = (size_t)w->s.h * w->s.w * w->s.c;
    const onnx_tensor *t = onnx_constant_input(w, by, 1);
    if (!t || t->type != ONNX_FLOAT || t->rank != 2 || t->dim[0] != n || t->dim[1] != n ||
        w->stage >= STAGE_WHITENED)
        return onnx_refuse(w, by, "expected a matrix of %zux%zu floats", n, n);
    w->m->zca = malloc(n * n * sizeof(float));
    if (!w->m->zca)
        return import_fail(w->err, ECG_ENOMEM, "out of memory");
    for (size_t i = 0; i < n * n; i++)
        w->m->zca[i] = (float)onnx_real(t, i);
    w->m->prep.zca = w->m->zca;
    w->m->prep.zca_n = (uint32_t)n;
    w->stage = STAGE_WHITENED;
    onnx_step(w, back);
    *done = true;
    return ECG_OK;
}

/* ---- all of it ---- */

static bool one_of(const onnx_op *op, const char *const *names)
{
    for (; *names; names++)
        if (onnx_is(op->type, *names))
            return true;
    return false;
}

static ecg_status own(onnx_walk *w, const onnx_op *op)
{
    ecg_preprocess *p = &w->m->prep;
    if (w->stage < STAGE_CENTRED) {
        p->samplewise_center = 1;
        w->stage = STAGE_CENTRED;
    } else {
        p->samplewise_std = 1;
        w->stage = STAGE_DIVIDED;
    }
    onnx_step(w, op);
    return ECG_OK;
}

static ecg_status transpose(onnx_walk *w, const onnx_op *op)
{
    int64_t perm[4] = {0};
    if (!onnx_attribute_of(op, "perm") || !onnx_ints(op, "perm", 4, perm) || perm[0] != 0 || perm[1] != 3 ||
        perm[2] != 1 || perm[3] != 2)
        return onnx_refuse(w, op, "expected perm 0, 3, 1, 2 of the pictures");
    const ecg_status s = onnx_settle(w, op, ORDER_PIXELS);
    if (s != ECG_OK)
        return s;
    w->order = ORDER_CHANNELS;
    onnx_step(w, op);
    return ECG_OK;
}

ecg_status onnx_pixels(onnx_walk *w, const onnx_op *user[2], uint32_t users, bool *done)
{
    static const char *const numbers_of[] = {"Mul", "Div", "Add", "Sub", NULL};
    for (uint32_t k = 0; k < 2 && k < users; k++) {
        const onnx_op *op = user[k];
        if (op->outputs == 0)
            continue;
        if (users == 2 &&
            ((w->stage < STAGE_CENTRED && centred(w, op)) || (w->stage == STAGE_CENTRED && divided(w, op)))) {
            *done = true;
            return own(w, op);
        }
    }
    const onnx_op *op = user[0];
    if (users != 1 || op->outputs == 0 || op->index <= w->last)
        return ECG_OK;
    if (onnx_is(op->type, "Flatten"))
        return whiten(w, op, done);
    const bool cast = onnx_is(op->type, "Cast") || onnx_is(op->type, "Identity");
    const bool turn = onnx_is(op->type, "Transpose");
    if (!cast && !turn && !one_of(op, numbers_of)) {
        /* The network begins. Pictures that were not turned have their channels first. */
        return w->order == ORDER_OPEN ? onnx_settle(w, op, ORDER_CHANNELS) : ECG_OK;
    }
    *done = true;
    if (turn)
        return transpose(w, op);
    const ecg_status s = cast ? ECG_OK : arithmetic(w, op);
    if (s == ECG_OK)
        onnx_step(w, op);
    return s;
}
