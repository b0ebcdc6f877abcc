/* How pixels become the network's input, as nodes. The same steps in the same order as ecg_preprocess_values.
 */
#include "model/onnx.h"

static void cast(onnx_graph *g, int to)
{
    onnx_node(g, "Cast", NULL, (const onnx_attr[]){{.name = "to", .type = 2, .i = to}, {0}});
}

static void scalar(onnx_graph *g, const char *op, const char *name, int type, const void *value)
{
    onnx_node(g, op, (const char *const[]){onnx_small(g, name, type, value, 1, true), NULL}, NULL);
}

/* The mean over rows, columns and channels; in double precision, as the library sums. */
static void mean(onnx_graph *g)
{
    static const onnx_attr axes[] = {
        {.name = "axes", .type = 7, .ints = {1, 2, 3}, .n = 3}, {.name = "keepdims", .type = 2, .i = 1}, {0}};
    onnx_node(g, "ReduceMean", NULL, axes);
}

/* A node op(before, value). */
static void with(onnx_graph *g, const char *op, const char *before)
{
    char value[sizeof g->value];
    snprintf(value, sizeof value, "%s", g->value);
    snprintf(g->value, sizeof g->value, "%s", before);
    onnx_node(g, op, (const char *const[]){value, NULL}, NULL);
}

static void samplewise(onnx_graph *g, const ecg_preprocess *p)
{
    static const double epsilon = 1e-6;
    char x[sizeof g->value], square[sizeof g->value];
    snprintf(x, sizeof x, "%s", g->value);
    cast(g, ONNX_DOUBLE);
    mean(g);
    cast(g, ONNX_FLOAT);
    with(g, "Sub", x);
    if (!p->samplewise_std)
        return;
    snprintf(x, sizeof x, "%s", g->value);
    cast(g, ONNX_DOUBLE);
    snprintf(square, sizeof square, "%s", g->value);
    with(g, "Mul", square);
    mean(g);
    onnx_node(g, "Sqrt", NULL, NULL);
    scalar(g, "Add", "own_deviation_epsilon", ONNX_DOUBLE, &epsilon);
    cast(g, ONNX_FLOAT);
    with(g, "Div", x);
}

static void whiten(onnx_graph *g, const ecg_preprocess *p)
{
    const int64_t back[4] = {-1, p->h, p->w, p->color}, dims[4] = {p->zca_n, p->zca_n};
    const size_t walk[4] = {1, 1, p->zca_n, p->zca_n}, step[4] = {0, 0, p->zca_n, 1};
    onnx_node(g, "Flatten", NULL, (const onnx_attr[]){{.name = "axis", .type = 2, .i = 1}, {0}});
    onnx_node(g, "MatMul", (const char *const[]){onnx_turned(g, "zca", p->zca, 2, dims, walk, step), NULL},
              NULL);
    onnx_node(g, "Reshape",
              (const char *const[]){onnx_small(g, "picture_shape", ONNX_INT64, back, 4, false), NULL}, NULL);
}

static bool all(const float *v, uint32_t n, float what)
{
    for (uint32_t i = 0; i < n; i++)
        if (v[i] < what || v[i] > what)
            return false;
    return true;
}

void onnx_prepare(onnx_graph *g, const ecg_preprocess *p, bool bytes)
{
    static const onnx_attr to_channels[] = {{.name = "perm", .type = 7, .ints = {0, 3, 1, 2}, .n = 4}, {0}};
    const uint32_t c = (uint32_t)p->color;
    if (bytes)
        cast(g, ONNX_FLOAT);
    if (!all(&p->rescale, 1, 1.0f))
        scalar(g, "Mul", "rescale", ONNX_FLOAT, &p->rescale);
    if (p->samplewise_center)
        samplewise(g, p);
    if (!all(p->mean, c, 0.0f))
        onnx_node(g, "Sub", (const char *const[]){onnx_small(g, "mean", ONNX_FLOAT, p->mean, c, false), NULL},
                  NULL);
    if (!all(p->deviation, c, 1.0f))
        onnx_node(g, "Div",
                  (const char *const[]){onnx_small(g, "deviation", ONNX_FLOAT, p->deviation, c, false), NULL},
                  NULL);
    if (p->zca)
        whiten(g, p);
    onnx_node(g, "Transpose", NULL, to_channels);
}
