/* Tables of reference cases: tab-separated with a line of column names; pixels and other numbers are float32
 * files beside them. */
#ifndef ECG_GOLDEN_IMAGE_TABLE_H
#define ECG_GOLDEN_IMAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ecgcnn/image.h"

enum { GOLDEN_LINE = 65536, GOLDEN_COLUMNS = 40, GOLDEN_PATH = 2048, GOLDEN_RANK = 4 };

typedef struct golden_table {
    const char *dir;
    FILE *file;
    char header[GOLDEN_LINE], line[GOLDEN_LINE];
    char *name[GOLDEN_COLUMNS], *cell[GOLDEN_COLUMNS];
    int columns;
    bool broken; /* a line that is too long */
} golden_table;

typedef struct golden_tally {
    int passed, run;
} golden_tally;

typedef struct golden_shape {
    uint32_t rank, dim[GOLDEN_RANK];
    size_t count;
} golden_shape;

/* A kind of case. *counted (true when called) may be set to false: an optional case that does not count. */
typedef bool golden_run(const golden_table *t, bool *counted);

/* False: no such file. */
bool golden_table_open(golden_table *t, const char *dir, const char *name);
bool golden_table_next(golden_table *t);
void golden_table_close(golden_table *t);

/* Run every row of a table; an empty tally when there is no such file. */
golden_tally golden_table_run(const char *dir, const char *name, golden_run *run);

/* The cell of this row in the column `name`; "" when there is none. */
const char *golden_cell(const golden_table *t, const char *name);
/* Is there anything but "" and "-" in it? */
bool golden_has(const golden_table *t, const char *name);
/* False, said as a failure, when the cell is no number. */
bool golden_number(const golden_table *t, const char *name, double *out);
bool golden_uint(const golden_table *t, const char *name, uint32_t *out);

/* Print why this case failed; false. */
bool golden_failed(const golden_table *t, const char *why);

/* "12x16x1", 1 to 4 sizes. */
bool golden_shape_parse(golden_shape *s, const char *text);
/* The same with sides and channels of one picture. */
bool golden_picture_shape(golden_shape *s, const char *text);

/* The n numbers of a file of exactly that length, in the folder of the table; NULL otherwise. */
float *golden_floats(const golden_table *t, const char *file, size_t n);

/* Against the file `output` of shape `out_shape`, within `tol_abs`. */
bool golden_compare(const golden_table *t, const float *got, const golden_shape *shape);
bool golden_compare_pixels(const golden_table *t, const ecg_pixels *p);

#endif
