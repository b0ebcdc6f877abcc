/* A network as ONNX nodes. ONNX wants channels before rows and columns; where the network makes a vector of a
 * picture, the weights that follow are turned rather than the picture. */
#include <math.h>

#include "model/onnx.h"

/* What a value is: a picture [N][c][h][w], or a vector [N][n]; `turned`: a vector in the order c, h, w of
 * shape `s`, where the network has h, w, c. */
typedef struct state {
    onnx_graph *g;
    const chain *c;
    uint32_t i; /* layer */
    ecg_shape s;
    bool flat, turned;
} state;

/* "conv2d_3_kernel" */
static const char *name_of(const state *t, const char *tensor, char out[48])
{
    snprintf(out, 48, "%s_%u_%s", t->c->layer[t->i].name, t->i + 1, tensor);
    return out;
}

/* A tensor [n] for each value of a vector or each channel of a picture. */
static const char *vector(const state *t, const char *tensor, const float *data, uint32_t n)
{
    char name[48];
    const int64_t dims[4] = {n};
    size_t walk[4] = {1, 1, 1, n}, step[4] = {0, 0, 0, 1};
    const ecg_shape s = t->s;
    if (t->turned && n == chain_count(s)) {
        const size_t w[4] = {1, s.c, s.h, s.w}, p[4] = {0, 1, (size_t)s.w * s.c, s.c};
        for (int k = 0; k < 4; k++)
            walk[k] = w[k], step[k] = p[k];
    }
    return onnx_turned(t->g, name_of(t, tensor, name), data, 1, dims, walk, step);
}

static void shape_to(const state *t, ecg_shape s)
{
    char name[48];
    const int64_t to[4] = {-1, s.c, s.h, s.w};
    onnx_node(
        t->g, "Reshape",
        (const char *const[]){onnx_small(t->g, name_of(t, "shape", name), ONNX_INT64, to, 4, false), NULL},
        NULL);
}

/* Whether what stands behind layer i looks at a vector in the order the network has it in. */
static bool wants_order(const chain *c, uint32_t i)
{
    while (++i < c->layers) {
        const chain_kind k = c->layer[i].kind;
        if (k == CHAIN_DENSE)
            return false;
        if (!chain_elementwise(k) && k != CHAIN_BATCHNORM && k != CHAIN_SOFTMAX && k != CHAIN_FLATTEN)
            return true;
    }
    return true;
}

/* flatten; and what dense and the last softmax do by themselves. */
static void flatten(state *t, bool order)
{
    if (t->flat)
        return;
    t->turned = t->s.h > 1 || t->s.w > 1;
    if (t->turned && order) {
        onnx_node(t->g, "Transpose", NULL,
                  (const onnx_attr[]){{.name = "perm", .type = 7, .ints = {0, 2, 3, 1}, .n = 4}, {0}});
        t->turned = false;
    }
    onnx_node(t->g, "Flatten", NULL, (const onnx_attr[]){{.name = "axis", .type = 2, .i = 1}, {0}});
    t->flat = true;
}

static void picture(state *t, const chain_layer *l)
{
    if (t->flat)
        shape_to(t, l->in);
    t->flat = t->turned = false;
}

static void conv(state *t, const chain_layer *l)
{
    char name[48];
    const size_t in = l->in.c, out = l->out.c;
    const int64_t dims[4] = {(int64_t)out, (int64_t)in, l->kh, l->kw};
    const size_t walk[4] = {out, in, l->kh, l->kw}, step[4] = {1, out, l->kw * in * out, in * out};
    const onnx_attr attr[] = {
        {.name = "kernel_shape", .type = 7, .ints = {l->kh, l->kw}, .n = 2},
        {.name = "strides", .type = 7, .ints = {l->sh, l->sw}, .n = 2},
        {.name = "pads", .type = 7, .ints = {l->top, l->left, l->bottom, l->right}, .n = 4},
        {.name = "dilations", .type = 7, .ints = {l->dh, l->dw}, .n = 2},
        {0}};
    picture(t, l);
    const char *kernel = onnx_turned(t->g, name_of(t, "kernel", name), l->kernel, 4, dims, walk, step);
    char kept[48], bias[48] = "";
    snprintf(kept, sizeof kept, "%s", kernel);
    if (l->bias)
        snprintf(bias, sizeof bias, "%s", vector(t, "bias", l->bias, l->out.c));
    onnx_node(t->g, "Conv", (const char *const[]){kept, l->bias ? bias : NULL, NULL}, attr);
}

static void pool(state *t, const chain_layer *l, const char *op, bool average)
{
    const onnx_attr attr[] = {
        {.name = "kernel_shape", .type = 7, .ints = {l->kh, l->kw}, .n = 2},
        {.name = "strides", .type = 7, .ints = {l->sh, l->sw}, .n = 2},
        {.name = "pads", .type = 7, .ints = {l->top, l->left, l->bottom, l->right}, .n = 4},
        {.name = average ? "count_include_pad" : NULL, .type = 2, .i = 0},
        {0}};
    picture(t, l);
    onnx_node(t->g, op, NULL, attr);
}

static void dense(state *t, const chain_layer *l)
{
    char name[48], kernel[48], bias[48] = "";
    const size_t out = l->out.c, n = chain_count(l->in);
    const int64_t dims[4] = {(int64_t)n, (int64_t)out};
    flatten(t, false);
    const ecg_shape s = t->turned ? t->s : (ecg_shape){1, 1, (uint32_t)n};
    const size_t walk[4] = {s.c, s.h, s.w, out}, step[4] = {out, (size_t)s.w * s.c * out, s.c * out, 1};
    snprintf(kernel, sizeof kernel, "%s",
             onnx_turned(t->g, name_of(t, "kernel", name), l->kernel, 2, dims, walk, step));
    t->turned = false;
    if (l->bias)
        snprintf(bias, sizeof bias, "%s", vector(t, "bias", l->bias, l->out.c));
    onnx_node(t->g, "Gemm", (const char *const[]){kernel, l->bias ? bias : NULL, NULL}, NULL);
}

static void batchnorm(state *t, const chain_layer *l)
{
    char name[4][48];
    const float *const data[4] = {l->gamma, l->beta, l->mean, l->variance};
    static const char *const tensor[4] = {"gamma", "beta", "mean", "variance"};
    for (int k = 0; k < 4; k++)
        snprintf(name[k], sizeof name[k], "%s", vector(t, tensor[k], data[k], l->in.c));
    onnx_node(t->g, "BatchNormalization", (const char *const[]){name[0], name[1], name[2], name[3], NULL},
              (const onnx_attr[]){{.name = "epsilon", .type = 1, .f = l->eps},
                                  {.name = "momentum", .type = 1, .f = l->momentum},
                                  {0}});
}

static void scalar(state *t, const char *op, const char *name, float v)
{
    char full[48];
    onnx_node(t->g, op,
              (const char *const[]){onnx_small(t->g, name_of(t, name, full), ONNX_FLOAT, &v, 1, true), NULL},
              NULL);
}

/* x * 0.5 * (1 + erf(x / sqrt 2)) */
static void gelu(state *t)
{
    char x[48];
    snprintf(x, sizeof x, "%s", t->g->value);
    scalar(t, "Div", "root", sqrtf(2.0f));
    onnx_node(t->g, "Erf", NULL, NULL);
    scalar(t, "Add", "one", 1.0f);
    onnx_node(t->g, "Mul", (const char *const[]){x, NULL}, NULL);
    scalar(t, "Mul", "half", 0.5f);
}

static void silu(state *t)
{
    char x[48];
    snprintf(x, sizeof x, "%s", t->g->value);
    onnx_node(t->g, "Sigmoid", NULL, NULL);
    onnx_node(t->g, "Mul", (const char *const[]){x, NULL}, NULL);
}

/* With the rule's temperature: p^(1/T), made to sum to 1, is softmax(x / T). */
static void softmax(state *t)
{
    const float temperature = ecg_model_rule(t->c->model)->temperature;
    const bool last = t->i + 1 == t->c->layers;
    if (last)
        flatten(t, true);
    if (last && (temperature < 1.0f || temperature > 1.0f))
        scalar(t, "Div", "temperature", temperature);
    onnx_node(t->g, "Softmax", NULL, (const onnx_attr[]){{.name = "axis", .type = 2, .i = 1}, {0}});
}

static void activation(state *t, const chain_layer *l)
{
    static const char *const op[CHAIN_KINDS] = {[CHAIN_RELU] = "Relu",
                                                [CHAIN_ELU] = "Elu",
                                                [CHAIN_LEAKY_RELU] = "LeakyRelu",
                                                [CHAIN_SIGMOID] = "Sigmoid",
                                                [CHAIN_TANH] = "Tanh"};
    const bool alpha = l->kind == CHAIN_ELU || l->kind == CHAIN_LEAKY_RELU;
    onnx_node(t->g, op[l->kind], NULL,
              (const onnx_attr[]){{.name = alpha ? "alpha" : NULL, .type = 1, .f = l->value}, {0}});
}

static void layer(state *t, const chain_layer *l)
{
    switch (l->kind) {
    case CHAIN_CONV2D:
        conv(t, l);
        break;
    case CHAIN_DENSE:
        dense(t, l);
        break;
    case CHAIN_FLATTEN:
        flatten(t, wants_order(t->c, t->i));
        break;
    case CHAIN_MAXPOOL:
        pool(t, l, "MaxPool", false);
        break;
    case CHAIN_AVGPOOL:
        pool(t, l, "AveragePool", true);
        break;
    case CHAIN_GLOBAL_AVGPOOL:
    case CHAIN_GLOBAL_MAXPOOL:
        if (!t->flat) /* of a vector it is what it was */
            onnx_node(t->g, l->kind == CHAIN_GLOBAL_AVGPOOL ? "GlobalAveragePool" : "GlobalMaxPool", NULL,
                      NULL);
        break;
    case CHAIN_BATCHNORM:
        batchnorm(t, l);
        break;
    case CHAIN_DROPOUT:
        scalar(t, "Dropout", "rate", l->value);
        break;
    case CHAIN_GELU:
        gelu(t);
        break;
    case CHAIN_SILU:
        silu(t);
        break;
    case CHAIN_SOFTMAX:
        softmax(t);
        break;
    default:
        activation(t, l);
    }
    if (!t->turned)
        t->s = l->out;
}

void onnx_layers(onnx_graph *g, const chain *c)
{
    state t = {.g = g, .c = c, .s = ecg_spec_input(ecg_model_spec(c->model))};
    for (t.i = 0; t.i < c->layers; t.i++)
        layer(&t, &c->layer[t.i]);
}
