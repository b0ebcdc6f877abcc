/* Inside a dataset that is a pack. */
#ifndef ECG_DATA_PACKED_H
#define ECG_DATA_PACKED_H

#include "data/dataset.h"
#include "data/pack_read.h"
#include "data/words.h"

enum { ECG__PACKED_BLOCK = 1024 };

/* Samples that somebody asked for, with their strings. */
struct ecg__packed_block {
    ecg_sample sample[ECG__PACKED_BLOCK];
    char text[];
};

struct ecg__packed {
    struct ecg__pack *pack;
    uint64_t *first; /* [classes] the picture of a class's first sample */
    const struct ecg__pack_column *patient, *split, *group; /* NULL: there is none */
    bool grouped;
    /* With a pattern: */
    uint32_t *group_of;      /* [pictures of the pack] rank of the group's name */
    const char **group_name; /* [groups] sorted */
    struct ecg__words groups;
    _Atomic(struct ecg__packed_block *) *block; /* [samples / ECG__PACKED_BLOCK, rounded up] */
};

/* Fill group_of. ECG_EINVAL: the expression, or a picture that it does not match. */
ecg_status ecg__packed_group(ecg_dataset *d, const char *pattern, ecg_error *err);

/* The picture of the pack that sample i is. */
uint64_t ecg__packed_picture(const ecg_dataset *d, size_t i);

#endif
