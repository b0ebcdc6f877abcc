/* Who is in a dataset: patients, or other groups, and their pictures of each class. */
#ifndef ECG_DATA_PATIENTS_H
#define ECG_DATA_PATIENTS_H

#include <stdbool.h>

#include "ecgcnn/data.h"

struct ecg__share {
    uint32_t label, count;
};

/* Patients are numbered by the byte order of their names. */
struct ecg__patients {
    size_t count;
    uint32_t classes;
    uint32_t *of_sample;      /* [samples]; 0 where a sample is not split */
    uint32_t *class_count;    /* [classes] pictures */
    size_t *start;            /* [count + 1] a patient's first share */
    struct ecg__share *share; /* by patient, then class; never of no pictures */
};

/* Whether sample i is split at all: those that the manifest gives to "test" are not. */
bool ecg__is_split(const ecg_dataset *d, size_t i);

/* By ecg_sample.group or .patient, of the samples that are split. ECG_EINVAL: one of them without. */
ecg_status ecg__patients_init(struct ecg__patients *p, const ecg_dataset *d, bool by_group, ecg_error *err);
void ecg__patients_free(struct ecg__patients *p);

#endif
