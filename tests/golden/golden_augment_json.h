/* As much of JSON as the tables hold: objects, arrays, strings without escapes, numbers, true, false, null.
 */
#ifndef ECG_GOLDEN_AUGMENT_JSON_H
#define ECG_GOLDEN_AUGMENT_JSON_H

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/augment.h"
#include "golden/mt19937.h"

/* Step over `c` (and white space before it). */
static inline bool json_take(const char **at, char c)
{
    while (isspace((unsigned char)**at))
        ++*at;
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static inline bool json_end(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return *at == '\0';
}

static inline bool json_word(const char **at, const char *word)
{
    while (isspace((unsigned char)**at))
        ++*at;
    const size_t n = strlen(word);
    if (strncmp(*at, word, n) != 0)
        return false;
    *at += n;
    return true;
}

static inline bool json_string(const char **at, char *out, size_t cap)
{
    if (!json_take(at, '"'))
        return false;
    const size_t n = strcspn(*at, "\"\\");
    if ((*at)[n] != '"' || n >= cap)
        return false;
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n + 1;
    return true;
}

/* *whole: an int in Python. */
static inline bool json_number(const char **at, double *out, bool *whole)
{
    char *end;
    *out = strtod(*at, &end);
    if (end == *at)
        return false;
    *whole = true;
    for (const char *p = *at; p < end; p++)
        *whole = *whole && *p != '.' && *p != 'e' && *p != 'E';
    *at = end;
    return true;
}

/* Keras' arguments, as an object, to options; false for what is unknown. (golden_augment_draws.c) */
bool golden_arguments(const char *json, ecg_augment_options *o);
/* One argument from the text of a number. */
bool golden_shift_argument(const char **at, ecg_shift *s);

/* What Keras draws from its stream for one picture, in its order. */
void golden_keras_draw(mt19937 *mt, const ecg_augment_options *o, uint32_t h, uint32_t w,
                       ecg_augmentation *a);

#endif
