/* export_c.h: a model as one C file and its header. */
#ifndef ECG_TOOLS_EXPORT_C_H
#define ECG_TOOLS_EXPORT_C_H

#include <stdint.h>
#include <stdio.h>

#include "model/chain.h"

/* Writes `path`, which ends in .c, and the header beside it. `name` begins what they define; NULL: the
 * file's. More than `most` bytes of weights are refused. Messages are printed; 0 or the exit code. */
int export_c(const chain *c, const char *path, const char *name, uint64_t most);

/* ---- export_c.c: what is being written ---- */

enum { C_NAME = 64 };

typedef struct c_writer {
    const chain *c;
    const ecg_preprocess *p;
    FILE *f;
    char name[C_NAME], upper[C_NAME];
    size_t room[2]; /* floats of the buffers a and b, between which values go to and fro */
    size_t band;    /* floats of a few rows of a convolution that is pooled at once */
    int at;         /* where the value is: 0 for a, 1 for b */
    size_t bytes;   /* of weights */
} c_writer;

/* A float that C reads back as it was. */
void c_number(FILE *f, float v);
/* Whether one of n values is another than the usual one. */
bool c_any(const float *v, uint32_t n, float usual);

/* ---- export_c_calls.c: the layers, one call after the other ---- */

/* Sizes of buffers and weights. */
void c_plan(c_writer *w);
void c_calls(c_writer *w);

/* ---- export_c_parts.c: the functions of the C file ---- */

/* Those that the layers of c need, as text. */
void export_c_functions(FILE *f, const chain *c);

#endif
