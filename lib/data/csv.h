/* Records of comma-separated values (RFC 4180), one at a time. */
#ifndef ECG_DATA_CSV_H
#define ECG_DATA_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "ecgcnn/status.h"

enum { ECG__CSV_RECORD = 65535, ECG__CSV_FIELDS = 256 };

struct ecg__csv {
    const char *path; /* for messages */
    const char *at, *end;
    size_t next_line; /* of `at`, from 1 */

    /* The record read last. */
    size_t line; /* where it began */
    size_t fields;
    const char *field[ECG__CSV_FIELDS]; /* terminated, unquoted; good until the next record */
    size_t length[ECG__CSV_FIELDS];
    char bytes[ECG__CSV_RECORD + ECG__CSV_FIELDS];
};

void ecg__csv_init(struct ecg__csv *c, const char *text, size_t n, const char *path);

/* The next record that is not an empty line; *more is false at the end. Errors: ECG_EFORMAT, ECG_ELIMIT, both
 * with the line. */
ecg_status ecg__csv_next(struct ecg__csv *c, bool *more, ecg_error *err);

/* The field of that name in the record read last, which is the header: its index, or -1. */
int ecg__csv_column(const struct ecg__csv *c, const char *name);

#endif
