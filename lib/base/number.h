/* Numbers from text and back, whatever the locale of the host program says about points. */
#ifndef ECG_BASE_NUMBER_H
#define ECG_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { ECG__NUMBER_TEXT = 32 };

/* All n bytes as a decimal with optional sign, point and exponent; finite. *whole (may be NULL): digits
 * alone, as Python tells an int from a float. False, and outputs untouched, when it is not one. */
bool ecg__number_read(const char *s, size_t n, double *out, bool *whole);

/* The shortest decimal that reads back as v, which must be finite. Returns its length. */
size_t ecg__number_print(double v, char out[ECG__NUMBER_TEXT]);

#endif
