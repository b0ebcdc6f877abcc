/* The cases of resize_cases.tsv, ninecrop_cases.tsv and load_cases.tsv, in the keras profile. */
#ifndef ECG_GOLDEN_IMAGE_CASES_H
#define ECG_GOLDEN_IMAGE_CASES_H

#include "golden/golden_image_table.h"

golden_run golden_resize_case;
golden_run golden_ninecrop_case;
/* A case of an optional format that is refused as such is not counted. */
golden_run golden_load_case;

/* The numbers x[n] as bytes; NULL when one is not a whole number of 0..255. */
uint8_t *golden_bytes(const float *x, size_t n);

#endif
