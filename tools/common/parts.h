/* parts.h: which pictures train, which select the best epoch, and which are only reported. */
#ifndef ECG_TOOLS_PARTS_H
#define ECG_TOOLS_PARTS_H

#include "ecgcnn/data.h"

/* Samples of one dataset: for training, validation or test. `data` is NULL where there is no such part. */
typedef struct part {
    const ecg_dataset *data;
    uint32_t *index;
    size_t count;
} part;

typedef struct parts {
    part train, val, test;
    ecg_dataset *sets[3]; /* what the parts point into */
    ecg_dataset *all;     /* the training folder with its empty classes; NULL: it has none */
    const char **classes; /* those with pictures, in order; names belong to sets[0] */
    uint32_t class_count;
    const char *how; /* how validation pictures were chosen: "by patient", "its own folder", ... */
    double fraction; /* of the split; 0: none was made */
    int may_share;   /* validation pictures may be of patients who are in training too */
} parts;

typedef struct parts_options {
    const char
        *dir; /* class folders, or train/ with val/ and test/; or a manifest that says which is which */
    const char *val; /* folder with validation pictures; NULL: dir/val, the manifest, or a split */
    double fraction; /* 0: 0.1 */
    ecg_split_mode mode;
    uint64_t seed;
    uint32_t keras_rules, follow_links; /* of all folders */
    /* Of the training folder; NULL: none. */
    const char *group_pattern, *group_column;
} parts_options;

/* Lists folders; no picture is opened. Messages and warnings (empty classes) are printed. Returns 0 or the
 * exit code; free with parts_free in any case. */
int parts_open(parts *p, const parts_options *o);
void parts_free(parts *p);

/* Training or other samples of class i. */
size_t part_class_count(const part *p, uint32_t i);

/* dir/name if that is a folder: allocated; NULL: not there, or out of memory. */
char *parts_folder(const char *dir, const char *name);

/* Indices of the samples that the manifest gives to the split `name`, or NULL with *count 0 where there are
 * none. The caller frees it. */
uint32_t *parts_of_manifest(const ecg_dataset *d, const char *name, size_t *count);

#endif
