/* onnx_walk.h: a graph walked from its pictures to its probabilities, one node or known group of nodes after
 * the other. */
#ifndef ECG_TOOLS_ONNX_WALK_H
#define ECG_TOOLS_ONNX_WALK_H

#include "model/chain.h"
#include "model/import.h"
#include "model/onnx.h"
#include "model/onnx_file.h"

/* What has been done to the pixels. */
typedef enum onnx_stage {
    STAGE_PIXELS,
    STAGE_SCALED,
    STAGE_CENTRED, /* own mean subtracted */
    STAGE_DIVIDED, /* by own deviation */
    STAGE_MEAN,
    STAGE_DEVIATION,
    STAGE_WHITENED,
    STAGE_LAYERS, /* the network has begun */
} onnx_stage;

typedef enum onnx_order {
    ORDER_OPEN,     /* of the picture that comes in: not known yet */
    ORDER_CHANNELS, /* [N][c][h][w] */
    ORDER_PIXELS,   /* [N][h][w][c] */
    ORDER_FLAT,     /* [N][n] as the network has it: h, w, c */
    ORDER_TURNED,   /* [N][n], but c, h, w of s */
} onnx_order;

typedef struct onnx_walk {
    const onnx_file *file;
    const import_options *options;
    import_model *m;
    ecg_error *err;
    onnx_text value; /* what comes next is made of it */
    int64_t last;    /* index of the node that gave it; -1: the input */
    ecg_shape s;     /* of the value; the flat ones but ORDER_TURNED: {1, 1, n} */
    onnx_order order;
    onnx_stage stage;
    double factor; /* of the pixels, before the graph: 1, or --rescale */
    double scale;  /* of the pixels, by the graph */
    pb text;       /* the network so far */
    ecg_shape in;  /* of the network */
    uint32_t layers;
    float temperature;   /* divides the logits; 0: none */
    bool softmax;        /* the last layer */
    size_t floats, most; /* of weights: taken, and to be had from a file of this size */
} onnx_walk;

/* A message that names the node. */
ecg_status onnx_refuse(const onnx_walk *w, const onnx_op *op, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The value is output 0 of this node now. */
void onnx_step(onnx_walk *w, const onnx_op *op);

/* Nodes that use a value, other than to ask for its shape: how many, and the first two. */
uint32_t onnx_users(const onnx_walk *w, onnx_text value, const onnx_op *user[2]);
/* The only one, of that type; NULL: it is not so. */
const onnx_op *onnx_only_user(const onnx_walk *w, onnx_text value, const char *type);

/* Input i as a tensor of numbers; NULL: it is no constant. */
const onnx_tensor *onnx_constant_input(const onnx_walk *w, const onnx_op *op, uint32_t i);
/* One number that is a constant input of a node with two inputs, the other one is `value`. */
bool onnx_scalar_beside(const onnx_walk *w, const onnx_op *op, onnx_text value, double *out);

int64_t onnx_int(const onnx_op *op, const char *attribute, int64_t fallback);
/* The n numbers of an attribute; false: there are not n. Without it they stay as they are. */
bool onnx_ints(const onnx_op *op, const char *attribute, uint32_t n, int64_t *out);

/* One more layer, as text: "; conv2d 32 3x3". Its number counts from 1. */
ecg_status onnx_layer(onnx_walk *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A tensor of the layer that was added last. NULL after the error was filled. */
float *onnx_weights(onnx_walk *w, const char *layer, const char *tensor, size_t count);

/* onnx_pixels.c: nodes before the network; *done says whether the value was moved on. */
ecg_status onnx_pixels(onnx_walk *w, const onnx_op *user[2], uint32_t users, bool *done);
/* The order of what comes in is known now, or was: s, in, and the steps so far must agree. */
ecg_status onnx_settle(onnx_walk *w, const onnx_op *op, onnx_order order);

/* onnx_groups.c: activations of several nodes; as onnx_pixels. */
ecg_status onnx_groups(onnx_walk *w, const onnx_op *user[2], bool *done);

/* onnx_take.c, onnx_take_more.c: one node of the network. */
ecg_status onnx_take(onnx_walk *w, const onnx_op *op);
ecg_status onnx_take_conv(onnx_walk *w, const onnx_op *op);
ecg_status onnx_take_pool(onnx_walk *w, const onnx_op *op, bool average);
ecg_status onnx_take_dense(onnx_walk *w, const onnx_op *op);
ecg_status onnx_take_norm(onnx_walk *w, const onnx_op *op);
ecg_status onnx_take_reshape(onnx_walk *w, const onnx_op *op);
/* Rows and columns side by side; text "flatten" where there is more than one. */
ecg_status onnx_flatten(onnx_walk *w, const onnx_op *op);

/* onnx_import.c: bytes in memory to *m, as import_onnx does a file. */
ecg_status import_onnx_bytes(import_model *m, const unsigned char *data, size_t n, const import_options *o,
                             ecg_error *err);

#endif
