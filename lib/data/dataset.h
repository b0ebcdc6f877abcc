/* Inside a dataset: samples from a listing, or those of a pack. */
#ifndef ECG_DATA_DATASET_H
#define ECG_DATA_DATASET_H

#include "ecgcnn/data.h"

struct ecg__packed;

struct ecg_dataset {
    ecg_sample *sample; /* [count] by class, then by name; NULL of a pack */
    size_t count;
    const char **cls; /* [classes] */
    uint32_t classes;
    size_t *start; /* [classes + 1] first sample of a class */
    size_t ignored;
    int has_patients, has_groups;
    char *text;                 /* all strings */
    struct ecg__packed *packed; /* NULL: a folder */
};

/* Sample i prepared to px[h][w][c]; p has been checked. */
ecg_status ecg__dataset_prepare(const ecg_dataset *d, size_t i, const ecg_preprocess *p, uint8_t *px,
                                ecg_error *err);

/* FNV-1a of the names of d's samples index[0..count), each with its end. */
uint64_t ecg__dataset_names_print(const ecg_dataset *d, const uint32_t *index, size_t count);

/* Keep the part of each class that the options' subset asks for: a class's samples [from, to) of [0, n). */
void ecg__subset_range(const ecg_dataset_options *o, size_t n, size_t *from, size_t *to);

/* ---- Packs ---- */
ecg_status ecg__packed_open(ecg_dataset **out, const char *path, const ecg_dataset_options *o,
                            ecg_error *err);
void ecg__packed_free(struct ecg__packed *k, size_t samples); /* NULL is allowed */
const ecg_sample *ecg__packed_sample(const ecg_dataset *d, size_t i);

/* Groups were asked for, other than patients. */
int ecg__packed_grouped(const ecg_dataset *d);

/* Numbers below *numbers for sample i's patient or group, in the order of the words. */
uint32_t ecg__packed_who(const ecg_dataset *d, size_t i, int by_group);
uint32_t ecg__packed_numbers(const ecg_dataset *d, int by_group);

#endif
