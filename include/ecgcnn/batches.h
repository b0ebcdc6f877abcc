/* batches.h: batches of a loader's pictures, for a program with a training loop of its own.
 *
 *     ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
 *     o.augment = &augment;
 *     ecg_batches *b = NULL;
 *     if (ecg_batches_new(&b, loader, &o, &err) == ECG_OK) {
 *         ecg_batch batch;
 *         while (ecg_batches_next(b, &batch, &err) == ECG_OK && batch.epoch <= 10)
 *             step(batch.x, batch.y, batch.count);              // x[count][h][w][c], y[count][classes]
 *         ecg_batches_free(b);
 *     }
 */
#ifndef ECGCNN_BATCHES_H
#define ECGCNN_BATCHES_H

#include "data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What y is, as Keras' class_mode. */
typedef enum ecg_class_mode {
    ECG_CLASS_CATEGORICAL = 0, /* y[count][classes], 1 at the class */
    ECG_CLASS_BINARY = 1,      /* y[count], the class; not checked to be one of two */
    ECG_CLASS_SPARSE = 2,      /* the same */
    ECG_CLASS_INPUT = 3,       /* y is x, after augmentation and preprocessing */
    ECG_CLASS_NONE = 4,        /* y is NULL */
} ecg_class_mode;

typedef struct ecg_batch_options {
    uint32_t size;
    uint32_t batch; /* pictures, 1..65536; the last batch of an epoch may be shorter */
    uint32_t
        shuffle; /* 1: a new order in each epoch, as the trainer's with that seed; 0: the loader's order */
    uint32_t threads; /* 0: one per core */
    uint64_t seed;
    ecg_class_mode class_mode;
    /* Copied; NULL: none. What the loader's own options say about these is for its source only. mixup needs
     * ECG_CLASS_CATEGORICAL: x and y are then mixed with those of another sample of the epoch. */
    const ecg_augment_options *augment;
    uint32_t balance;                    /* as ecg_loader_options.balance */
    ecg_preprocessing_fn *preprocessing; /* may be NULL */
    void *preprocessing_ctx;
    /* Write each picture as x has it into this folder, which must exist: PREFIX_INDEX_HASH.png, the index in
     * the dataset and a number below 10^7 that seed, epoch and sample decide. Contrast is stretched to
     * 0..255: for looking at. NULL: not. */
    const char *save_to_dir;
    const char *save_prefix; /* NULL: "" */
} ecg_batch_options;
#define ECG_BATCH_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        sizeof(ecg_batch_options), 32, 1, 0, 0, ECG_CLASS_CATEGORICAL, NULL, 0, NULL, NULL, NULL, NULL       \
    }

typedef struct ecg_batch {
    const float *x;        /* [count][h][w][c] */
    const float *y;        /* see ecg_class_mode */
    const uint32_t *index; /* [count] pictures of the loader */
    size_t count;
    uint64_t epoch; /* from 1 */
    size_t number;  /* in its epoch, from 0 */
} ecg_batch;

/* One caller at a time. */
typedef struct ecg_batches ecg_batches;

/* l must outlive the batches and have a picture. Errors: ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_batches_new(ecg_batches **out, const ecg_loader *l, const ecg_batch_options *o,
                                   ecg_error *err);
ECG_API size_t ecg_batches_per_epoch(const ecg_batches *b);

/* The next batch, epoch after epoch, without end. What it points to is valid until the next call. After an
 * error (the first picture's in order) the position has moved on: the caller may go on. */
ECG_API ecg_status ecg_batches_next(ecg_batches *b, ecg_batch *out, ecg_error *err);

/* Any batch: a pure function of the options, the epoch (0: neither changed nor shuffled nor balanced) and the
 * number. Does not move the position. */
ECG_API ecg_status ecg_batches_get(ecg_batches *b, uint64_t epoch, size_t number, ecg_batch *out,
                                   ecg_error *err);

/* Back to the first batch of epoch 1. */
ECG_API void ecg_batches_reset(ecg_batches *b);
ECG_API void ecg_batches_free(ecg_batches *b); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
