/* calibrating.h: fits a model's rule on pictures of known class, and keeps it in the model file. */
#ifndef ECG_TOOLS_CALIBRATING_H
#define ECG_TOOLS_CALIBRATING_H

#include <stdio.h>

#include "ecgcnn/data.h"
#include "ecgcnn/eval.h"
#include "ecgcnn/net.h"

/* Which pictures of a list may be used: those of patients who did not train, where that is known. */
typedef struct untrained {
    uint32_t *index; /* allocated */
    size_t count, dropped;
    int apart; /* every picture's patient is named, on both sides, and none of those kept trained */
} untrained;

/* Samples index[0..count) of `data` (NULL: all) without those whose patient is among `train`'s (train_index
 * likewise; train may be NULL: not known). Keeps all, and says apart = 0, where patients are not named or
 * none would be left. Returns 0 or the exit code. */
int untrained_pictures(untrained *u, const ecg_dataset *data, const uint32_t *index, size_t count,
                       const ecg_dataset *train, const uint32_t *train_index, size_t train_count);

typedef struct calibrating {
    const ecg_dataset *data;
    const uint32_t *index; /* NULL: all */
    size_t count;
    int apart;
    double max_error, coverage; /* of the threshold; below 0: none wanted, the model's stays */
    uint32_t threads, skip_bad;
    int quiet;
    const char *output; /* the model file to write */
} calibrating;

typedef struct calibrated {
    int fitted;    /* the temperature could be fitted, else it is 1 */
    ecg_error why; /* it could not be */
    ecg_rule rule;
    ecg_figures before, after;
    ecg_curve_point point; /* what the threshold reaches; x is 0 where none was chosen */
} calibrated;

/* Says on stderr what it does and on which pictures, unless quiet. Where no temperature can be fitted and no
 * threshold was asked for, it writes nothing and leaves it to the caller to say why. Returns 0 or the exit
 * code. */
int calibrating_run(calibrated *out, ecg_model *m, const calibrating *c);

/* {"temperature":...} */
void calibrating_json(const calibrated *c, FILE *f);

#endif
