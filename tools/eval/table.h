/* table.h: a CSV line for each picture. */
#ifndef ECG_TOOLS_EVAL_TABLE_H
#define ECG_TOOLS_EVAL_TABLE_H

#include "common/judge.h"

typedef struct table {
    FILE *f; /* NULL: none wanted */
    const char *path;
    const ecg_model *model;
    int patients;     /* a last column names them */
    char name[65536]; /* of a picture: longer than any path */
} table;

/* `path` NULL: none wanted. Returns 0 or the exit code. */
int table_open(table *t, const char *path, const ecg_model *m, int patients);

/* The answer for sample i of the dataset. */
void table_row(table *t, const ecg_dataset *data, size_t i, const float *probs, const ecg_decision *d);

int table_close(table *t);

#endif
