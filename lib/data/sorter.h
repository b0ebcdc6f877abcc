/* Any number of rows in order, with so much memory and no more: what does not fit goes through a file. */
#ifndef ECG_DATA_SORTER_H
#define ECG_DATA_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

struct ecg__sorter;

/* Sorted by `major`, then by the bytes of `name`, which is terminated and at most ECG__PACK_NAME long. */
struct ecg__row {
    uint32_t major;
    const char *name;
    size_t n;
    const unsigned char *fixed; /* [fixed_bytes] */
};

/* The file is made in `folder` (used until the sorter is freed) when it is needed, and has no name: nobody
 * has to remove it. fixed_bytes at most 1024; memory at least 64 KiB. */
ecg_status ecg__sorter_new(struct ecg__sorter **out, const char *folder, size_t memory, size_t fixed_bytes,
                           ecg_error *err);
ecg_status ecg__sorter_add(struct ecg__sorter *s, const struct ecg__row *row, ecg_error *err);

/* No row is added after this. May be called again: the rows come from the start. */
ecg_status ecg__sorter_begin(struct ecg__sorter *s, ecg_error *err);

/* Good until the next call. */
ecg_status ecg__sorter_next(struct ecg__sorter *s, struct ecg__row *row, bool *more, ecg_error *err);
void ecg__sorter_free(struct ecg__sorter *s); /* NULL is allowed */

#endif
