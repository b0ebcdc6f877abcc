/* Attributes of layers: one table gives parsing, printing, bounds, help and error messages. */
#ifndef ECG_LAYERS_ATTR_H
#define ECG_LAYERS_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

enum { ECG__ATTR_BYTES = 128 }; /* largest attribute struct */

typedef struct ecg__pair {
    uint32_t h, w;
} ecg__pair;

typedef enum ecg__pad_mode { ECG__PAD_VALID, ECG__PAD_SAME, ECG__PAD_EXPLICIT } ecg__pad_mode;

typedef struct ecg__pad {
    uint32_t mode; /* ecg__pad_mode */
    uint32_t top, bottom, left, right;
} ecg__pad;

typedef enum ecg__attr_kind {
    ECG__ATTR_UINT, /* uint32_t; "32" */
    ECG__ATTR_REAL, /* float; "0.5" */
    ECG__ATTR_PAIR, /* ecg__pair; "3x5", or "3" for 3x3 */
    ECG__ATTR_PAD,  /* ecg__pad; "valid", "same", "1x1" (each side) or "top,bottom,left,right" */
    ECG__ATTR_NAME, /* uint32_t; index into names */
} ecg__attr_kind;

typedef struct ecg__attr {
    const char *name; /* NULL ends a table */
    ecg__attr_kind kind;
    size_t offset;            /* into the attribute struct */
    double min, max;          /* of each number, inclusive */
    const char *fallback;     /* default, as text; NULL: must be given */
    bool positional;          /* may be given without its name, in the order of the table */
    const char *const *names; /* ECG__ATTR_NAME: NULL-terminated */
    const char *help;
} ecg__attr;

/* Fill the struct from the table's defaults; attributes without one are left zero. */
void ecg__attr_defaults(const ecg__attr *table, void *attr);

/* Read n characters of text into the field. ECG_EINVAL with "filters must be 1..4096, got 0". */
ecg_status ecg__attr_parse(const ecg__attr *a, void *attr, const char *text, size_t n, ecg_error *err);

/* The field as canonical text, snprintf rules. */
size_t ecg__attr_print(const ecg__attr *a, const void *attr, char *buf, size_t cap);

#endif
