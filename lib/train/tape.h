/* A training step as a list of operations, grouped in phases, with a place in memory for every value.
 *
 * Inside a BY SHARD phase a worker carries its samples through all the operations of the phase before it
 * takes the next shard, so that what it makes is still in its cache when it is used. Values that are born and
 * die inside one such phase need memory per worker only, not per sample of the batch. */
#ifndef ECG_TRAIN_TAPE_H
#define ECG_TRAIN_TAPE_H

#include "layers/layer.h"
#include "net/spec.h"

typedef enum ecg__op_kind {
    ECG__OP_FETCH, /* samples into the input buffer */
    ECG__OP_FORWARD,
    ECG__OP_LOSS, /* logits to their gradient */
    ECG__OP_BACKWARD,
} ecg__op_kind;

typedef struct ecg__op {
    ecg__op_kind kind;
    uint32_t layer;
    void (*run)(const ecg__train_args *a, size_t part); /* NULL: FETCH, LOSS, or the inference forward */
} ecg__op;

/* Operations first .. first + count - 1, run without waiting in between. */
typedef struct ecg__phase {
    uint32_t first, count;
    bool by_block;
    size_t blocks; /* parts, if by_block */
} ecg__phase;

typedef struct ecg__buffer {
    bool local;    /* per worker, for one shard; else for all samples */
    bool shared;   /* BY BLOCK steps use it: for the whole batch; else for this process's samples */
    size_t bytes;  /* per sample; 0: there is none */
    size_t offset; /* into the worker's arena or the common one */
} ecg__buffer;

typedef struct ecg__tape {
    uint32_t layers;        /* trained ones: the final softmax belongs to the loss */
    uint32_t first_trained; /* backward ends here: no parameters before it */
    uint32_t ops, phases, loss_phase;
    ecg__op *op;
    ecg__phase *phase;
    ecg__buffer input;  /* of the network */
    ecg__buffer *y;     /* [layers]: outputs */
    ecg__buffer *dy;    /* [layers]: their gradients */
    ecg__buffer *saved; /* [layers] */
    size_t common_bytes;
    size_t worker_bytes; /* arena of one worker, its scratch included */
    size_t scratch;      /* offset of the scratch in it */
} ecg__tape;

/* For `batch` samples, `own` of them this process's, and at most `most` in a shard. ECG_EINVAL: the network
 * does not end in softmax, or has nothing to train. ECG_ENOMEM. */
ecg_status ecg__tape_new(ecg__tape *out, const ecg_spec *spec, uint32_t batch, uint32_t own, uint32_t most,
                         ecg_error *err);
void ecg__tape_end(ecg__tape *t);

#endif
