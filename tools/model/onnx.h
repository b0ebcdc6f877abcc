/* onnx.h: ONNX files, written from a model and read into one. */
#ifndef ECG_TOOLS_ONNX_H
#define ECG_TOOLS_ONNX_H

#include <stdio.h>

#include "model/chain.h"
#include "model/protobuf.h"

enum { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT64 = 7, ONNX_DOUBLE = 11, ONNX_IR = 7, ONNX_OPSET = 13 };

/* A constant of the graph: dims, and the values as they lie in `data` (float, int64_t or double): value
 * i, j, k, l of `walk` is at i * step[0] + j * step[1] + ..., so that a kernel is turned while it is written.
 */
typedef struct onnx_constant {
    char name[48];
    int type;
    uint32_t rank;
    int64_t dims[4];
    size_t walk[4], step[4];
    const void *data;
    unsigned char own[64]; /* data of small constants; data is NULL then */
} onnx_constant;

/* A graph under way: nodes as protobuf, constants beside it. */
typedef struct onnx_graph {
    pb nodes;
    onnx_constant *constant;
    size_t constants, room;
    uint32_t count; /* of nodes, which names are made from */
    char value[48]; /* what the last node gave */
    bool failed;    /* out of memory */
} onnx_graph;

typedef struct onnx_attr {
    const char *name; /* NULL ends a list */
    int type;         /* 1: f, 2: i, 7: ints */
    float f;
    int64_t i, ints[4];
    uint32_t n; /* of ints */
} onnx_attr;

/* Append a node op(value, second, ...) whose result is the value now; `second` is a list that NULL ends, or
 * NULL. attr may be NULL. Returns the value. */
const char *onnx_node(onnx_graph *g, const char *op, const char *const *second, const onnx_attr *attr);

/* Constants; each returns its name. */
const char *onnx_small(onnx_graph *g, const char *name, int type, const void *data, uint32_t n, bool scalar);
const char *onnx_turned(onnx_graph *g, const char *name, const float *data, uint32_t rank,
                        const int64_t dims[4], const size_t walk[4], const size_t step[4]);

/* onnx_prepare.c: pixels [N][H][W][C] in the value to the network's input [N][C][H][W]. */
void onnx_prepare(onnx_graph *g, const ecg_preprocess *p, bool bytes);

/* onnx_layers.c: the network, to probabilities [N][classes]. */
void onnx_layers(onnx_graph *g, const chain *c);

/* onnx_write.c: the file. Messages are printed; 0 or the exit code. */
int onnx_write(const chain *c, const char *path, bool bytes);

#endif
