/* Filling an ecg_error, and the internal rule for options structs. */
#ifndef ECG_BASE_STATUS_H
#define ECG_BASE_STATUS_H

#include <stddef.h>

#include "ecgcnn/status.h"

#if defined(__GNUC__)
#define ECG__PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ECG__PRINTF(fmt, args)
#endif

/* Fill *err (if not NULL) and return `s`, so that `return ecg__fail(err, ECG_EIO, "...")` is one line. */
ecg_status ecg__fail(ecg_error *err, ecg_status s, const char *fmt, ...) ECG__PRINTF(3, 4);

/* The same with a layer index or byte offset. */
ecg_status ecg__fail_at(ecg_error *err, ecg_status s, uint32_t where, const char *fmt, ...) ECG__PRINTF(4, 5);

/* Put "prefix: " before the message that is already there, to add context on the way up. Returns `s`. */
ecg_status ecg__context(ecg_error *err, ecg_status s, const char *fmt, ...) ECG__PRINTF(3, 4);

/* Copy a caller's options struct (`src`, its first field the caller's sizeof) over `dst`, which holds the
 * library's defaults and is `known` bytes long. src may be NULL. ECG_EINVAL: size smaller than a uint32_t,
 * or so large that it was never set; ECG_EVERSION: the caller set fields this library does not know. */
ecg_status ecg__options_copy(void *dst, size_t known, const void *src, const char *what, ecg_error *err);

#endif
