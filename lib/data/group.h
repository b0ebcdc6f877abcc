/* Groups of pictures by a pattern over their names. */
#ifndef ECG_DATA_GROUP_H
#define ECG_DATA_GROUP_H

#include <regex.h>

#include "data/listing.h"

/* A POSIX extended regular expression with a parenthesis; freed by regfree. ECG_EINVAL says where it is
 * wrong. */
ecg_status ecg__group_compile(regex_t *re, const char *pattern, ecg_error *err);

#endif
