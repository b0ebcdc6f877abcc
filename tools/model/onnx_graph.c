/* Nodes and constants of an ONNX graph that is being written. */
#include <stdlib.h>
#include <string.h>

#include "model/onnx.h"

/* Fields of onnx.proto. */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5, GRAPH_NODE = 1 };
enum { ATTR_NAME = 1, ATTR_F = 2, ATTR_I = 3, ATTR_INTS = 8, ATTR_TYPE = 20 };

static void put_attr(pb *node, const onnx_attr *a)
{
    pb b = {0};
    pb_text(&b, ATTR_NAME, a->name);
    if (a->type == 1)
        pb_float(&b, ATTR_F, a->f);
    else if (a->type == 2)
        pb_int(&b, ATTR_I, a->i);
    for (uint32_t i = 0; a->type == 7 && i < a->n; i++)
        pb_int(&b, ATTR_INTS, a->ints[i]);
    pb_int(&b, ATTR_TYPE, a->type);
    pb_put(node, NODE_ATTRIBUTE, &b);
}

const char *onnx_node(onnx_graph *g, const char *op, const char *const *second, const onnx_attr *attr)
{
    pb b = {0};
    char name[40];
    snprintf(name, sizeof name, "%s_%u", op, ++g->count);
    pb_text(&b, NODE_INPUT, g->value);
    for (; second && *second; second++)
        pb_text(&b, NODE_INPUT, *second);
    snprintf(g->value, sizeof g->value, "%s_out", name);
    pb_text(&b, NODE_OUTPUT, g->value);
    pb_text(&b, NODE_NAME, name);
    pb_text(&b, NODE_OP, op);
    for (; attr && attr->name; attr++)
        put_attr(&b, attr);
    pb_put(&g->nodes, GRAPH_NODE, &b);
    return g->value;
}

/* A new constant; one that goes nowhere when memory is short. */
static onnx_constant *constant(onnx_graph *g, const char *name)
{
    static const onnx_constant none = {0};
    if (g->constants == g->room) {
        const size_t room = g->room ? 2 * g->room : 32;
        onnx_constant *grown = realloc(g->constant, room * sizeof *grown);
        if (!grown) {
            g->failed = true;
            if (!g->constant)
                return NULL;
            g->constants--; /* the file is not written any more */
        } else {
            g->constant = grown;
            g->room = room;
        }
    }
    onnx_constant *c = &g->constant[g->constants++];
    *c = none;
    snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

const char *onnx_small(onnx_graph *g, const char *name, int type, const void *data, uint32_t n, bool scalar)
{
    onnx_constant *c = constant(g, name);
    if (!c)
        return name;
    c->type = type;
    c->rank = scalar ? 0 : 1;
    c->dims[0] = n;
    for (int k = 0; k < 4; k++)
        c->walk[k] = k == 3 ? n : 1, c->step[k] = k == 3;
    memcpy(c->own, data, n * (type == ONNX_FLOAT ? sizeof(float) : sizeof(int64_t)));
    return c->name;
}

const char *onnx_turned(onnx_graph *g, const char *name, const float *data, uint32_t rank,
                        const int64_t dims[4], const size_t walk[4], const size_t step[4])
{
    onnx_constant *c = constant(g, name);
    if (!c)
        return name;
    c->type = ONNX_FLOAT;
    c->rank = rank;
    c->data = data;
    memcpy(c->dims, dims, rank * sizeof *dims);
    memcpy(c->walk, walk, sizeof c->walk);
    memcpy(c->step, step, sizeof c->step);
    return c->name;
}
