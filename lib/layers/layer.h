/* What a layer is: a const table of functions, one file and one row in layers.def.
 *
 * The backward contract in one sentence: parameter gradients are accumulated (+=), input gradients are
 * overwritten (=), and dx is NULL for the first layer of a network.
 *
 * Everything that can fail fails in plan(). The other functions are void: no allocation, no files, no
 * threads, no globals, no random state but the key they are given.
 *
 * Training runs a layer in one or two steps over the whole batch. A step is either BY SHARD (part s is given
 * the samples of shard s alone, and adds to gradients that shard s alone owns; the trainer sums them in shard
 * order) or BY BLOCK (part b is given all samples, works on block b of plan->blocks, and owns its piece of
 * the only gradients there are). Cutting depends on shapes alone, never on the number of threads, so neither
 * do the bits. Where two steps follow each other, the second sees everything that all parts of the first have
 * done.
 *
 * The half of each file that training alone needs stands inside `#ifndef ECG_INFER_ONLY`.
 */
#ifndef ECG_LAYERS_LAYER_H
#define ECG_LAYERS_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/types.h"
#include "layers/attr.h"

enum { ECG__MAX_TENSORS = 6, ECG__MAX_STEPS = 2 };

typedef enum ecg__init {
    ECG__INIT_FILL = 0, /* every value = ecg__tensor.fill */
    ECG__INIT_GLOROT_UNIFORM,
    ECG__INIT_GLOROT_NORMAL,
    ECG__INIT_HE_UNIFORM,
    ECG__INIT_HE_NORMAL,
} ecg__init;

/* One parameter tensor. */
typedef struct ecg__tensor {
    const char *name; /* "kernel", "bias", "gamma", "beta", "mean", "variance" */
    uint32_t rank, dims[4];
    size_t count;     /* product of dims */
    bool trainable;   /* false: state that forward moves (running statistics) */
    bool decays;      /* kernels: weight decay and L2 apply */
    bool nonnegative; /* a variance: a model with a negative value in it is refused */
    ecg__init init;
    float fill;
    uint32_t fan_in, fan_out;
    float l2; /* loss += l2 * sum of squares (Keras' regularizers.l2) */
} ecg__tensor;

enum {
    ECG__READS_X = 1,        /* backward reads x */
    ECG__READS_Y = 2,        /* backward reads y */
    ECG__INPLACE = 4,        /* y may be x, and dx may be dy */
    ECG__GRADS_BY_BLOCK = 8, /* parameter gradients are written by BY BLOCK steps */
    ECG__HANDS_OVER = 16,    /* where grad[0] is NULL, backward hands it to `take` in pieces */
};

/* What plan() says about a layer for an input shape. Zeroed before plan() is called; in, in_count and
 * out_count are filled by the caller of plan() (ecg__layer_plan). */
typedef struct ecg__plan {
    ecg_shape in, out;
    size_t in_count, out_count; /* floats per sample */
    uint32_t tensors;
    ecg__tensor tensor[ECG__MAX_TENSORS];
    size_t scratch;       /* bytes per worker for forward() */
    size_t train_scratch; /* bytes per worker for any training step */
    size_t saved;         /* bytes per sample kept from the training forward to backward */
    size_t partial;       /* doubles per shard: sums over samples that cross shards */
    size_t blocks;        /* parts of BY BLOCK steps */
    uint32_t flags;
    uint64_t macs; /* multiply-adds of forward per sample, for the summary and benchmarks */
} ecg__plan;

/* Inference: every sample by itself, so that an answer does not depend on its neighbours. */
typedef struct ecg__forward_args {
    const void *attr;
    const ecg__plan *plan;
    const float *const *tensor; /* [plan->tensors] */
    const float *x;             /* [n][in_count] */
    float *y;                   /* [n][out_count]; may be x with ECG__INPLACE */
    size_t n;
    void *scratch; /* 64-byte aligned, plan->scratch bytes */
} ecg__forward_args;

/* Training: n samples, those of shard `part` in a BY SHARD step, the whole batch in a BY BLOCK step. */
typedef struct ecg__train_args {
    const void *attr;
    const ecg__plan *plan;
    float *const *tensor;
    const float *x;       /* [n][in_count] */
    float *y;             /* [n][out_count]; may be x with ECG__INPLACE */
    const float *dy;      /* [n][out_count]; backward only */
    float *dx;            /* [n][in_count]; may be dy with ECG__INPLACE; NULL: not wanted */
    unsigned char *saved; /* [n][plan->saved] */
    const uint64_t *key;  /* [n]: identity of each sample in this epoch, for dropout */
    size_t n;
    float *const *grad; /* [plan->tensors], of this part; NULL where not trainable */
    /* With ECG__HANDS_OVER: the whole gradient of values first .. first + count - 1 of tensor 0, which
     * changes them. Everything once, in any order, from any part. */
    void (*take)(void *ctx, size_t first, size_t count, const float *grad);
    void *take_ctx;
    void *scratch;   /* 64-byte aligned, plan->train_scratch bytes */
    double *partial; /* [shards][plan->partial], of all shards: sums over the batch; kept until backward is
                        done */
    uint32_t shards; /* never more than samples in the batch: no shard is empty */
    uint64_t seed;
    uint32_t layer; /* index of the layer in its network */
} ecg__train_args;

typedef struct ecg__step {
    void (*run)(const ecg__train_args *a, size_t part); /* NULL: no (more) steps */
    bool by_block;
} ecg__step;

/* The half that training alone needs. */
typedef struct ecg__layer_grad {
    ecg__step forward[ECG__MAX_STEPS]; /* none: the inference forward, by shard */
    ecg__step backward[ECG__MAX_STEPS];
} ecg__layer_grad;

typedef struct ecg__layer_ops {
    const char *name;  /* in the architecture text */
    const char *alias; /* also accepted there; NULL: none */
    const char *help;  /* one line */
    const ecg__attr *attrs;
    size_t attr_size; /* sizeof the attribute struct, at most ECG__ATTR_BYTES */
    bool activation;  /* may stand at the end of a conv2d or dense item: "conv2d 32 3x3 relu" */
    ecg_status (*plan)(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err);
    void (*forward)(const ecg__forward_args *a);
} ecg__layer_ops;

/* ---- registry.c: the table made from layers.def ---- */

typedef struct ecg__layer_row {
    uint32_t tag; /* on disk, never reused */
    const ecg__layer_ops *ops;
} ecg__layer_row;

extern const ecg__layer_row ecg__layer_rows[];
extern const size_t ecg__layer_row_count;

/* NULL when there is none. `n` characters of name. */
const ecg__layer_ops *ecg__layer_by_name(const char *name, size_t n);

/* Check `in`, clear *out, call the layer's plan and complete it; the message names the layer's kind. */
ecg_status ecg__layer_plan(const ecg__layer_ops *ops, const void *attr, ecg_shape in, ecg__plan *out,
                           ecg_error *err);

/* ---- helpers for the layers' plan functions ---- */

/* Append a tensor; dims that are 0 end the list. */
ecg__tensor *ecg__plan_tensor(ecg__plan *p, const char *name, const uint32_t dims[4], bool trainable);

#ifndef ECG_INFER_ONLY
/* grads.c of room `train` makes the other table from the same rows. */
#define ECG__LAYER(tag, name)                                                                                \
    extern const ecg__layer_ops ecg__##name##_ops;                                                           \
    extern const ecg__layer_grad ecg__##name##_grad;
#else
#define ECG__LAYER(tag, name) extern const ecg__layer_ops ecg__##name##_ops;
#endif
#include "layers/layers.def"
#undef ECG__LAYER

#endif
