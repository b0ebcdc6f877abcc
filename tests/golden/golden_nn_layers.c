/* Layers: both forwards, and backward. */
#include <stdio.h>
#include <string.h>

#include "golden/golden_nn_case.h"
#include "unit/layer_run.h"

/* x as a batch: [n][h][w][c], or [n][c]. */
static bool open_layer(golden_case *c, layer_run *r, const char *name, const char *text)
{
    ecg_error err = {.message = ""};
    memset(r, 0, sizeof *r);
    const golden_tensor *x = golden_get(c, "x", GOLDEN_PICTURE);
    if (!x)
        return false;
    if (x->rank != 2 && x->rank != 4)
        return golden_fail(c, "x has %u axes, expected 2 or 4", x->rank);
    ecg_shape in = {1, 1, (uint32_t)x->dims[x->rank - 1]};
    if (x->rank == 4)
        in.h = (uint32_t)x->dims[1], in.w = (uint32_t)x->dims[2];
    const uint32_t shards = x->dims[0] < 3 ? (uint32_t)x->dims[0] : 3;
    if (layer_open(r, name, text, in, x->dims[0], shards, &err) != ECG_OK)
        return golden_fail(c, "%s %s: %s", name, text, err.message);
    memcpy(r->x, x->data, x->count * sizeof *x->data);
    return true;
}

static bool set(golden_case *c, layer_run *r, uint32_t tensor, const char *key, golden_layout layout)
{
    const golden_tensor *t = golden_get(c, key, layout);
    if (!t)
        return false;
    if (tensor >= r->plan.tensors || t->count != r->plan.tensor[tensor].count)
        return golden_fail(c, "%s does not fit the layer", key);
    memcpy(r->tensor[tensor], t->data, t->count * sizeof *t->data);
    return true;
}

static bool match_y(golden_case *c, const layer_run *r)
{
    return golden_match(c, "y", GOLDEN_PICTURE, r->y, r->n * r->plan.out_count);
}

/* The training forward against y, and backward from dy against dx and the gradients of tensors 0 and 1. */
static void train(golden_case *c, layer_run *r, const char *d0, const char *d1)
{
    const golden_tensor *dy = golden_get(c, "dy", GOLDEN_PICTURE);
    layer_forward(r);
    if (!match_y(c, r) || !dy)
        return;
    if (dy->count != r->n * r->plan.out_count) {
        golden_fail(c, "dy does not fit the layer");
        return;
    }
    memcpy(r->dy, dy->data, dy->count * sizeof *dy->data);
    layer_backward(r, true);
    golden_match(c, "dx", GOLDEN_PICTURE, r->dx, r->n * r->plan.in_count);
    if (d0)
        golden_match(c, d0, GOLDEN_KERNEL, r->dtensor[0], r->plan.tensor[0].count);
    if (d1)
        golden_match(c, d1, GOLDEN_PLAIN, r->dtensor[1], r->plan.tensor[1].count);
}

static void run_weighted(golden_case *c, const char *name, const char *text)
{
    layer_run r;
    const bool bias = golden_has(c, "b");
    if (open_layer(c, &r, name, text) && set(c, &r, 0, "w", GOLDEN_KERNEL) &&
        (!bias || set(c, &r, 1, "b", GOLDEN_PLAIN))) {
        layer_infer(&r, r.x, r.y, r.n);
        if (match_y(c, &r))
            train(c, &r, "dw", bias ? "db" : NULL);
    }
    layer_close(&r);
}

static void run_plain(golden_case *c, const char *name, const char *text)
{
    layer_run r;
    if (open_layer(c, &r, name, text)) {
        layer_infer(&r, r.x, r.y, r.n);
        if (match_y(c, &r))
            train(c, &r, NULL, NULL);
    }
    layer_close(&r);
}

/* Append " key=value" for a parameter of the case, under our name. */
static void add_param(const golden_case *c, char *text, size_t cap, const char *theirs, const char *ours)
{
    const char *value = golden_param(c, theirs);
    const size_t n = strlen(text);
    if (value)
        snprintf(text + n, cap - n, " %s=%s", ours, value);
}

static void run_conv2d(golden_case *c)
{
    char text[512];
    const golden_tensor *w = golden_get(c, "w", GOLDEN_KERNEL);
    if (!w)
        return;
    snprintf(text, sizeof text, "%zu bias=%d", w->dims[3], golden_has(c, "b"));
    static const char *const names[] = {"kernel", "stride", "pad", "dilation"};
    for (size_t i = 0; i < 4; i++)
        add_param(c, text, sizeof text, names[i], names[i]);
    run_weighted(c, "conv2d", text);
}

static void run_dense(golden_case *c)
{
    char text[64];
    const golden_tensor *w = golden_get(c, "w", GOLDEN_KERNEL);
    if (!w)
        return;
    snprintf(text, sizeof text, "%zu bias=%d", w->dims[1], golden_has(c, "b"));
    run_weighted(c, "dense", text);
}

static void run_pool(golden_case *c, const char *name)
{
    char text[256] = "";
    add_param(c, text, sizeof text, "kernel", "size");
    add_param(c, text, sizeof text, "stride", "stride");
    add_param(c, text, sizeof text, "pad", "pad");
    if (golden_number(c, "count_include_pad", 0) != 0)
        golden_fail(c, "counting the padding is not supported");
    else
        run_plain(c, name, text);
}

static void run_maxpool(golden_case *c)
{
    run_pool(c, "maxpool");
}

static void run_avgpool(golden_case *c)
{
    run_pool(c, "avgpool");
}

/* Layers whose kind is their name, with at most one parameter of the same name. */
static void run_same(golden_case *c)
{
    char text[128] = "";
    add_param(c, text, sizeof text, "alpha", "alpha");
    add_param(c, text, sizeof text, "slope", "slope");
    run_plain(c, c->kind, text);
}

enum { GAMMA, BETA, MEAN, VARIANCE };

/* Ours moves by the biased variance of the batch, as Keras; the case says which it was made with. */
static void match_variance(golden_case *c, const layer_run *r, double momentum)
{
    const golden_tensor *before = golden_get(c, "var_before", GOLDEN_PLAIN);
    golden_tensor *after = golden_get(c, "var_after", GOLDEN_PLAIN);
    const char *kind = golden_param(c, "running_var");
    const double n = (double)(r->n * r->plan.in_count / r->plan.in.c);
    if (!before || !after)
        return;
    for (size_t i = 0; kind && strcmp(kind, "unbiased") == 0 && i < after->count; i++) {
        const double kept = momentum * (double)before->data[i];
        after->data[i] = (float)(kept + ((double)after->data[i] - kept) * (n - 1) / n);
    }
    golden_match(c, "var_after", GOLDEN_PLAIN, r->tensor[VARIANCE], r->plan.tensor[VARIANCE].count);
}

static void run_batchnorm(golden_case *c)
{
    layer_run r;
    char text[128] = "";
    const double momentum = 1 - golden_number(c, "torch_momentum", 0.01);
    add_param(c, text, sizeof text, "eps", "eps");
    snprintf(text + strlen(text), sizeof text - strlen(text), " momentum=%.9g", momentum);
    if (open_layer(c, &r, "batchnorm", text) && set(c, &r, GAMMA, "gamma", GOLDEN_PLAIN) &&
        set(c, &r, BETA, "beta", GOLDEN_PLAIN) && set(c, &r, MEAN, "mean_before", GOLDEN_PLAIN) &&
        set(c, &r, VARIANCE, "var_before", GOLDEN_PLAIN)) {
        train(c, &r, "dgamma", "dbeta");
        golden_match(c, "mean_after", GOLDEN_PLAIN, r.tensor[MEAN], r.plan.tensor[MEAN].count);
        match_variance(c, &r, momentum);
    }
    layer_close(&r);
}

static void run_batchnorm_inference(golden_case *c)
{
    layer_run r;
    char text[64] = "";
    add_param(c, text, sizeof text, "eps", "eps");
    if (open_layer(c, &r, "batchnorm", text) && set(c, &r, GAMMA, "gamma", GOLDEN_PLAIN) &&
        set(c, &r, BETA, "beta", GOLDEN_PLAIN) && set(c, &r, MEAN, "mean", GOLDEN_PLAIN) &&
        set(c, &r, VARIANCE, "var", GOLDEN_PLAIN)) {
        layer_infer(&r, r.x, r.y, r.n);
        match_y(c, &r);
    }
    layer_close(&r);
}

const golden_kind golden_layer_kinds[] = {
    {"conv2d", run_conv2d},
    {"dense", run_dense},
    {"maxpool2d", run_maxpool},
    {"avgpool2d", run_avgpool},
    {"global_avgpool", run_same},
    {"global_maxpool", run_same},
    {"relu", run_same},
    {"elu", run_same},
    {"leaky_relu", run_same},
    {"sigmoid", run_same},
    {"tanh", run_same},
    {"gelu", run_same},
    {"silu", run_same},
    {"softmax", run_same},
    {"batchnorm", run_batchnorm},
    {"batchnorm_inference", run_batchnorm_inference},
    {NULL, NULL},
};
