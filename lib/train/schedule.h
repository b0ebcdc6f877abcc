/* The learning rate of each step. */
#ifndef ECG_TRAIN_SCHEDULE_H
#define ECG_TRAIN_SCHEDULE_H

#include <stdint.h>

#include "ecgcnn/train.h"

/* Plain data without padding: stored and compared as bytes. Only best, wait and rate ever change. */
typedef struct ecg__schedule_state {
    uint64_t steps_per_epoch; /* at least 1 */
    uint64_t total;           /* steps of all epochs */
    double best;              /* PLATEAU: lowest validation loss, +inf at first */
    uint32_t kind;            /* ecg_schedule */
    uint32_t every, warmup;   /* epochs */
    uint32_t wait;            /* PLATEAU: epochs since best */
    float lr, lr_min, gamma;
    float rate; /* PLATEAU: the rate now */
} ecg__schedule_state;

/* From checked options. steps_per_epoch 0 counts as 1. */
void ecg__schedule_begin(ecg__schedule_state *s, const ecg_train_options *o, uint64_t steps_per_epoch);

/* Rate of step 0, 1, 2, ... of the run; steps after the last get what the schedule ends with.
 * COSINE: step s of W warmup steps has lr * (s + 1) / (W + 1), then T = total - W steps lead from lr towards
 * lr_min as PyTorch's CosineAnnealingLR(T) does: lr_min would be the step after the last. ONE_CYCLE:
 * PyTorch's OneCycleLR(lr, total) with its defaults; the last step has lr / 25 / 1e4. */
float ecg__schedule_rate(const ecg__schedule_state *s, uint64_t step);

/* PLATEAU: after an epoch; as Keras' ReduceLROnPlateau with min_delta 0. NaN (no validation) changes nothing.
 */
void ecg__schedule_epoch(ecg__schedule_state *s, double val_loss);

#endif
