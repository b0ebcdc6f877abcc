/* What decides the bits of a training, as text: kept in checkpoints and compared when they are read. */
#ifndef ECG_TRAIN_FACTS_H
#define ECG_TRAIN_FACTS_H

#include "train/trainer.h"

enum { ECG__OWN_FACTS = 24 };

typedef struct ecg__facts {
    char number[ECG__OWN_FACTS][24];
    char weights[420];
    size_t count;
    const char **list; /* key, value, ..., NULL; ecg__facts_end */
} ecg__facts;

/* The options of t, then `more` (key, value, ..., NULL; may be NULL). Errors: ECG_EINVAL (too many, a key
 * that repeats), ECG_ENOMEM. On failure there is nothing to end. */
ecg_status ecg__facts_make(ecg__facts *f, const ecg_trainer *t, const char *const *more, ecg_error *err);
void ecg__facts_end(ecg__facts *f);

/* ECG_EINVAL: "NAME: KEY is A in the checkpoint, B here" of the first difference. `epochs` may differ as far
 * as the schedule allows. */
ecg_status ecg__facts_compare(const char *const *kept, const ecg__facts *here, const char *name,
                              ecg_error *err);

/* The same for one value. */
ecg_status ecg__fact_compare(const char *key, const char *kept, const char *here, const char *name,
                             ecg_error *err);

/* Network, classes and preprocessing of the checkpoint's model against those here. */
ecg_status ecg__facts_model(const ecg_model *kept, const ecg_model *here, const char *name, ecg_error *err);

#endif
