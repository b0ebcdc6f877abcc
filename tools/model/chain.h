/* chain.h: a model's layers with their numbers, for those who write them out in another form. */
#ifndef ECG_TOOLS_CHAIN_H
#define ECG_TOOLS_CHAIN_H

#include <stdbool.h>

#include "ecgcnn/net.h"

typedef enum chain_kind {
    CHAIN_CONV2D,
    CHAIN_DENSE,
    CHAIN_FLATTEN,
    CHAIN_MAXPOOL,
    CHAIN_AVGPOOL,
    CHAIN_GLOBAL_AVGPOOL,
    CHAIN_GLOBAL_MAXPOOL,
    CHAIN_BATCHNORM,
    CHAIN_DROPOUT,
    CHAIN_RELU,
    CHAIN_ELU,
    CHAIN_LEAKY_RELU,
    CHAIN_SIGMOID,
    CHAIN_TANH,
    CHAIN_GELU,
    CHAIN_SILU,
    CHAIN_SOFTMAX,
    CHAIN_KINDS,
} chain_kind;

typedef struct chain_layer {
    chain_kind kind;
    const char *name; /* "conv2d"; static */
    ecg_shape in, out;
    uint32_t kh, kw, sh, sw, dh, dw;             /* conv2d and pools: kernel, stride, dilation */
    uint32_t top, left, bottom, right;           /* padding; pools do not count it */
    float value;                                 /* alpha of elu, slope of leaky_relu, rate of dropout */
    float eps, momentum;                         /* batchnorm */
    const float *kernel;                         /* conv2d [kh][kw][in.c][out.c], dense [in][out.c] */
    const float *bias;                           /* [out.c] or NULL */
    const float *gamma, *beta, *mean, *variance; /* batchnorm [in.c] */
} chain_layer;

typedef struct chain {
    const ecg_model *model;
    uint32_t layers;
    chain_layer *layer; /* [layers]; weights are the model's */
} chain;

/* Messages are printed; 0 or the exit code. chain_free takes an empty one too. */
int chain_open(chain *out, const ecg_model *m);
void chain_free(chain *c);

/* Whether y depends on each x of its place alone: activations, dropout. Not softmax. */
bool chain_elementwise(chain_kind kind);

static inline size_t chain_count(ecg_shape s)
{
    return (size_t)s.h * s.w * s.c;
}

/* Floats of the weights in all. */
size_t chain_weights(const chain *c);

/* chain_kind of a layer's name; CHAIN_KINDS where there is none. */
chain_kind chain_kind_of(const char *name);

/* Padding before and after along one axis, as `pad=same` has it. */
static inline void chain_same(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t dilation,
                              uint32_t *before, uint32_t *after)
{
    const int64_t reach = ((int64_t)kernel - 1) * dilation + 1, out = ((int64_t)in + stride - 1) / stride;
    const int64_t total = (out - 1) * stride + reach - in;
    *before = total > 0 ? (uint32_t)(total / 2) : 0;
    *after = total > 0 ? (uint32_t)(total - total / 2) : 0;
}

#endif
