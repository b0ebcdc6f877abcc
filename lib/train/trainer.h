/* Inside a trainer: weights, gradients, optimiser state, and the memory and threads of a step. */
#ifndef ECG_TRAIN_TRAINER_H
#define ECG_TRAIN_TRAINER_H

#include <stdatomic.h>

#include "base/parallel.h"
#include "ecgcnn/train.h"
#include "net/infer.h"
#include "train/group.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/profile.h"
#include "train/tape.h"

/* A piece of the trainable vector: the unit in which gradients are summed and weights updated. */
typedef struct ecg__piece {
    uint32_t slot;
    size_t offset, count; /* floats, in the flat vector */
    size_t grad_offset;   /* in `grad` */
    size_t shard_offset;  /* floats, in each shard's gradients; SIZE_MAX: gradient made by block */
    bool decays;
    float l2;
} ecg__piece;

/* Where the samples of a step come from: memory, or a source. */
typedef struct ecg__feed {
    const float *x; /* [n][in] or NULL */
    const uint32_t *y;
    const ecg_source *source; /* if x is NULL */
    const uint32_t *index;    /* [n]: samples of the source */
    uint64_t epoch;
} ecg__feed;

struct ecg_trainer {
    ecg_spec *spec;
    ecg_spec *low;         /* as it is run: net/lower.h; what the tape counts in */
    ecg_train_options opt; /* class_weights points to `class_weights` */
    float *class_weights;  /* [classes], or NULL */
    ecg__tape tape;
    ecg__infer infer;
    ecg__pool *pool;
    ecg__group group;

    float *weights; /* [spec->floats] */
    float *state;   /* [spec->floats - spec->trainable_floats]: running statistics before the step */
    float *grad;    /* [grad_floats]: all zero between steps; without what ecg__takes_over says */
    size_t grad_floats;
    float *moment[ECG__MAX_MOMENTS]; /* [spec->trainable_floats] each */
    uint32_t own_shards;             /* most that this process has */
    float *shard_grad;               /* [own_shards][shard_floats] */
    size_t shard_floats;
    float **grad_tensor;   /* [own_shards + 1][slots]: where each slot's gradient goes; last: by block */
    float **weight_tensor; /* [slots] */
    uint32_t pieces;
    ecg__piece *piece;
    double *piece_square, *piece_l2; /* [pieces] */

    unsigned char *common;  /* arena of the batch */
    unsigned char *private; /* arenas of the workers */
    size_t worker_bytes;    /* of each: the larger of training and prediction */
    double *partial;        /* [layers with sums][shards][plan->partial] */
    size_t partial_count;
    size_t *partial_at; /* [layers]: into partial */
    uint32_t *label;    /* [batch] */
    uint64_t *key;      /* [batch] */
    double *shard_loss; /* [shards] */
    uint32_t *shard_correct;
    struct ecg__shared *shared; /* with other ranks; see share.h */

    uint64_t steps;
    uint64_t bytes;
    ecg__profile *profile, *timing; /* timing: profile, or NULL while it is off */

    /* The step under way. */
    ecg__feed feed;
    size_t n;
    uint32_t shards;
    uint32_t shard_lo, shard_hi; /* this process's */
    size_t first, own;           /* its samples */
    double scale;                /* of dlogits */
    const float *sum_of;         /* [sum_count][shard_floats]: what gradients are added from, in this order */
    uint32_t sum_count;
    const ecg__phase *phase;
    uint32_t piece_first; /* of the pieces that are summed */
    ecg__optimizer_step update;
    atomic_int failed; /* fetch; the first to set it owns `fault` */
    ecg_status fault_status;
    ecg_error fault;
};

/* Whether the weights of a slot are updated piece by piece as their gradient is made, which then is nowhere
 * kept as a whole: where nothing needs to be known of all of it. */
bool ecg__takes_over(const ecg_trainer *t, const ecg__slot *slot);

/* One step on n samples with learning rate lr. Allocates nothing. */
ecg_status ecg__trainer_step(ecg_trainer *t, const ecg__feed *feed, size_t n, float lr, ecg_step *out,
                             ecg_error *err);

/* A model over the weights: the trainer's own, or a copy that the model takes over. */
ecg_status ecg__trainer_model(const ecg_trainer *t, const ecg_model_info *info, bool borrow, ecg_model **out,
                              ecg_error *err);

/* A model over other weights of the trainer's network, [spec->floats], which stay the caller's. */
ecg_status ecg__trainer_model_of(const ecg_trainer *t, const ecg_model_info *info, float *weights,
                                 ecg_model **out, ecg_error *err);

#endif
