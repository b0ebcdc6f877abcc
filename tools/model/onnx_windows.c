/* Convolution and pooling nodes as layers. */
#include "model/onnx_walk.h"

enum { MOST_KERNEL = 255, MOST_PAD = 4096 };

typedef struct window {
    int64_t kernel[2], stride[2], dilation[2], pad[4]; /* top, left, bottom, right */
    uint32_t in[2];
} window;

static bool within(const int64_t *v, int n, int64_t least, int64_t most)
{
    for (int k = 0; k < n; k++)
        if (v[k] < least || v[k] > most)
            return false;
    return true;
}

/* auto_pad instead of pads. */
static ecg_status automatic(const onnx_walk *w, const onnx_op *op, window *g)
{
    const onnx_attribute *a = onnx_attribute_of(op, "auto_pad");
    if (!a || onnx_is(a->s, "NOTSET") || a->s.n == 0)
        return ECG_OK;
    for (int k = 0; k < 4; k++)
        g->pad[k] = 0;
    if (onnx_is(a->s, "VALID"))
        return ECG_OK;
    const bool upper = onnx_is(a->s, "SAME_UPPER");
    if (!upper && !onnx_is(a->s, "SAME_LOWER"))
        return onnx_refuse(w, op, "auto_pad is not known");
    for (int k = 0; k < 2; k++) {
        uint32_t before, after;
        chain_same(g->in[k], (uint32_t)g->kernel[k], (uint32_t)g->stride[k], (uint32_t)g->dilation[k],
                   &before, &after);
        g->pad[k] = upper ? before : after; /* the odd one stands after, or before */
        g->pad[k + 2] = upper ? after : before;
    }
    return ECG_OK;
}

/* Where the last window is cut off by the edge, or not; the same for most. */
static int64_t outputs(const window *g, int k, bool ceil)
{
    const int64_t reach = (g->kernel[k] - 1) * g->dilation[k] + 1;
    const int64_t room = g->in[k] + g->pad[k] + g->pad[k + 2] - reach;
    return room < 0 ? 0 : (room + (ceil ? g->stride[k] - 1 : 0)) / g->stride[k] + 1;
}

static ecg_status read_window(const onnx_walk *w, const onnx_op *op, window *g)
{
    g->in[0] = w->s.h;
    g->in[1] = w->s.w;
    for (int k = 0; k < 2; k++)
        g->stride[k] = g->dilation[k] = 1, g->pad[k] = g->pad[k + 2] = 0;
    if (w->order != ORDER_CHANNELS)
        return onnx_refuse(w, op, "expected a picture, channels first");
    if (!onnx_ints(op, "kernel_shape", 2, g->kernel) || !onnx_ints(op, "strides", 2, g->stride) ||
        !onnx_ints(op, "dilations", 2, g->dilation) || !onnx_ints(op, "pads", 4, g->pad) ||
        !within(g->kernel, 2, 1, MOST_KERNEL) || !within(g->stride, 2, 1, MOST_KERNEL) ||
        !within(g->dilation, 2, 1, MOST_KERNEL) || !within(g->pad, 4, 0, MOST_PAD))
        return onnx_refuse(w, op, "kernel, strides, dilations or pads are not those of a picture");
    const ecg_status s = automatic(w, op, g);
    if (s != ECG_OK)
        return s;
    if (outputs(g, 0, false) < 1 || outputs(g, 1, false) < 1)
        return onnx_refuse(w, op, "a window of %dx%d does not fit into %ux%u", (int)g->kernel[0],
                           (int)g->kernel[1], g->in[0], g->in[1]);
    return ECG_OK;
}

/* " stride=2x2 pad=same dilation=1x2", what is not usual. */
static const char *words(const window *g, bool pool, char *out, size_t cap)
{
    uint32_t same[4];
    size_t n = 0;
    for (int k = 0; k < 2; k++)
        chain_same(g->in[k], (uint32_t)g->kernel[k], (uint32_t)g->stride[k], (uint32_t)g->dilation[k],
                   &same[k], &same[k + 2]);
    const bool none = within(g->pad, 4, 0, 0);
    bool is_same = true;
    for (int k = 0; k < 4; k++)
        is_same = is_same && g->pad[k] == same[k];
    out[0] = '\0';
    const bool usual = pool ? g->stride[0] == g->kernel[0] && g->stride[1] == g->kernel[1]
                            : g->stride[0] == 1 && g->stride[1] == 1;
    if (!usual)
        n += (size_t)snprintf(out + n, cap - n, " stride=%dx%d", (int)g->stride[0], (int)g->stride[1]);
    if (!none && is_same)
        n += (size_t)snprintf(out + n, cap - n, " pad=same");
    else if (!none)
        n += (size_t)snprintf(out + n, cap - n, " pad=%d,%d,%d,%d", (int)g->pad[0], (int)g->pad[2],
                              (int)g->pad[1], (int)g->pad[3]);
    if (!within(g->dilation, 2, 1, 1))
        snprintf(out + n, cap - n, " dilation=%dx%d", (int)g->dilation[0], (int)g->dilation[1]);
    return out;
}

ecg_status onnx_take_conv(onnx_walk *w, const onnx_op *op)
{
    window g;
    char text[160];
    const onnx_tensor *t = onnx_constant_input(w, op, 1), *bias = NULL;
    if (onnx_int(op, "group", 1) != 1)
        return onnx_refuse(w, op, "groups of channels are not supported");
    if (!t || t->rank != 4 || t->dim[1] != w->s.c || t->count == 0 || !onnx_same(op->input[0], w->value))
        return onnx_refuse(w, op, "expected constant weights for %u channels", w->s.c);
    g.kernel[0] = (int64_t)t->dim[2];
    g.kernel[1] = (int64_t)t->dim[3];
    ecg_status s = read_window(w, op, &g);
    if (s != ECG_OK)
        return s;
    const size_t out = (size_t)t->dim[0], in = w->s.c, kh = (size_t)g.kernel[0], kw = (size_t)g.kernel[1];
    if (kh != t->dim[2] || kw != t->dim[3])
        return onnx_refuse(w, op, "kernel_shape is not that of the weights");
    if (op->inputs > 2 && op->input[2].n) {
        bias = onnx_constant_input(w, op, 2);
        if (!bias || bias->count != out)
            return onnx_refuse(w, op, "expected a constant bias of %zu values", out);
    }
    s = onnx_layer(w, "conv2d %zu %zux%zu%s%s", out, kh, kw, words(&g, false, text, sizeof text),
                   bias ? "" : " bias=0");
    float *to = s == ECG_OK ? onnx_weights(w, "conv2d", "kernel", t->count) : NULL;
    size_t at = 0; /* [out][in][kh][kw] to [kh][kw][in][out] */
    for (size_t o = 0; to && o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t k = 0; k < kh * kw; k++)
                to[(k * in + i) * out + o] = (float)onnx_real(t, at++);
    float *add = to && bias ? onnx_weights(w, "conv2d", "bias", out) : NULL;
    for (size_t o = 0; add && o < out; o++)
        add[o] = (float)onnx_real(bias, o);
    w->s = (ecg_shape){(uint32_t)outputs(&g, 0, false), (uint32_t)outputs(&g, 1, false), (uint32_t)out};
    return s != ECG_OK ? s : !to || (bias && !add) ? w->err->status : ECG_OK;
}

ecg_status onnx_take_pool(onnx_walk *w, const onnx_op *op, bool average)
{
    window g = {.kernel = {0, 0}};
    char text[160];
    ecg_status s = read_window(w, op, &g);
    if (s != ECG_OK)
        return s;
    const bool ceil = onnx_int(op, "ceil_mode", 0) != 0, padded = !within(g.pad, 4, 0, 0);
    if (!within(g.dilation, 2, 1, 1) || onnx_int(op, "storage_order", 0) != 0)
        return onnx_refuse(w, op, "dilations and another storage_order are not supported");
    if (ceil &&
        (outputs(&g, 0, true) != outputs(&g, 0, false) || outputs(&g, 1, true) != outputs(&g, 1, false)))
        return onnx_refuse(w, op, "ceil_mode is not supported where it matters");
    if (average && padded && onnx_int(op, "count_include_pad", 0) != 0)
        return onnx_refuse(w, op, "padding that counts is not supported");
    s = onnx_layer(w, "%s %dx%d%s", average ? "avgpool" : "maxpool", (int)g.kernel[0], (int)g.kernel[1],
                   words(&g, true, text, sizeof text));
    w->s = (ecg_shape){(uint32_t)outputs(&g, 0, false), (uint32_t)outputs(&g, 1, false), w->s.c};
    return s;
}
