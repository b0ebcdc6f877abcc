/* Checkpoints as chunks: a model file, and after its last chunk what a training needs to go on. FORMAT.md has
 * every byte. */
#ifndef ECG_FORMAT_CHECKPOINT_H
#define ECG_FORMAT_CHECKPOINT_H

#include <stdbool.h>

#include "format/model_io.h"

enum {
    ECG__CHECKPOINT_VERSION = 1,
    ECG__CHECKPOINT_MOMENTS = 3,      /* at most */
    ECG__CHECKPOINT_EPOCHS = 1000000, /* at most */
    ECG__CHECKPOINT_FACTS = 1024,     /* pairs, at most */
};

/* An epoch that is done. */
typedef struct ecg__past {
    double loss, accuracy;
    double val_loss, val_accuracy; /* 0 without validation */
    double seconds;
    float lr;  /* of its last step */
    bool best; /* its score, val_loss or without validation loss, is below all earlier ones */
} ecg__past;

typedef struct ecg__checkpoint {
    const char *const *fact; /* key, value, ..., NULL: what decided the bits so far */

    uint64_t train_count, val_count; /* samples of an epoch; train_count 0: no epochs, only steps */
    uint64_t steps;                  /* of the optimiser */
    /* The epoch under way; all 0 before its first step. */
    uint64_t samples; /* done */
    uint64_t right;   /* of these, predicted rightly */
    double loss;      /* sum over these */
    double seconds;
    float lr; /* of the last step */

    size_t epochs;
    const ecg__past *past; /* [epochs] */

    uint32_t moments;
    const float *moment[ECG__CHECKPOINT_MOMENTS]; /* [moments][trainable floats of the network] */
    const float *best; /* [floats of the network], of the last epoch that was best; NULL: none was */

    void *held[6]; /* a reader's blocks */
} ecg__checkpoint;

/* m holds the weights as they are now. Written whole or not at all, through to the disk. Errors: ECG_EIO,
 * ECG_ENOMEM, ECG_ENUMERIC (a value that is not finite), ECG_EINVAL (what no reader would take). */
ecg_status ecg__checkpoint_write(const ecg__checkpoint *c, const ecg_model *m, const char *path,
                                 ecg_error *err);

/* Everything in *c is checked against the network of the file; allocates no more than the input is long, and
 * a little. *m and *c are the caller's: ecg_model_free, ecg__checkpoint_free. Errors: those of a model;
 * ECG_EFORMAT: a model file that is no checkpoint. */
ecg_status ecg__checkpoint_read(ecg__checkpoint *c, ecg_model **m, ecg__chunk_reader *r,
                                const ecg_load_options *o, ecg_error *err);
void ecg__checkpoint_free(ecg__checkpoint *c);

#endif
