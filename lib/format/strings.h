/* Lists of strings as chunks. */
#ifndef ECG_FORMAT_STRINGS_H
#define ECG_FORMAT_STRINGS_H

#include "format/chunk.h"

/* count entries of `each` strings: text[count * each]. */
ecg_status ecg__strings_put(ecg__chunk_writer *w, const char tag[4], const char *const *text, size_t count,
                            size_t each, ecg_error *err);

/* The open chunk, checked and of at most `max` bytes: *out is [count * each + 1], its last NULL, and points
 * into *bytes. Both are set to NULL on failure and freed with ecg__free. */
ecg_status ecg__strings_get(ecg__chunk_reader *r, uint64_t max, size_t each, const char ***out,
                            unsigned char **bytes, ecg_error *err);

#endif
