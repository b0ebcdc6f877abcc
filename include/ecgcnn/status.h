/* status.h: how every fallible function of the library reports.
 *
 * A function that can fail returns an ecg_status; one that touches files or text written by a user also
 * takes an `ecg_error *` last, owned by the caller, which may be NULL. On failure it is filled with one
 * line of text that says which file, layer or option, where, what was found and what was expected.
 * On success it is left alone. Outputs (`T **out`) are set to NULL on failure.
 *
 * The library never prints, exits, aborts, sets errno for the caller to read or keeps a thread-local error.
 */
#ifndef ECGCNN_STATUS_H
#define ECGCNN_STATUS_H

#include <stdint.h>

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text). Values are part of the binary interface and are never renumbered. */
#define ECG_STATUS_LIST(X)                                                                                   \
    X(ECG_OK, 0, "ok")                                                                                       \
    X(ECG_ENOMEM, -1, "out of memory")                                                                       \
    X(ECG_EINVAL, -2, "invalid argument")                                                                    \
    X(ECG_EIO, -3, "input or output error")                                                                  \
    X(ECG_EFORMAT, -4, "not in the expected format")                                                         \
    X(ECG_EVERSION, -5, "unsupported version")                                                               \
    X(ECG_ECORRUPT, -6, "damaged file")                                                                      \
    X(ECG_ELIMIT, -7, "over a limit")                                                                        \
    X(ECG_ESHAPE, -8, "shapes do not fit")                                                                   \
    X(ECG_EUNSUPPORTED, -9, "not supported")                                                                 \
    X(ECG_ECANCELLED, -10, "cancelled by the caller")                                                        \
    X(ECG_ENUMERIC, -11, "not a finite number")

typedef enum ecg_status {
#define ECG_STATUS_ENUM(name, value, text) name = value,
    ECG_STATUS_LIST(ECG_STATUS_ENUM)
#undef ECG_STATUS_ENUM
} ecg_status;

typedef struct ecg_error {
    ecg_status status;
    uint32_t where;    /* layer index or byte offset where that makes sense, else 0 */
    char message[504]; /* one line, always terminated; longer text is cut and ends in "..." */
} ecg_error;

/* "ECG_EIO" for ECG_EIO; "ECG_UNKNOWN" for a value that is none. Never NULL. Any thread. */
ECG_API const char *ecg_status_name(ecg_status s);

/* A short English text for a status: "input or output error". Never NULL. Any thread. */
ECG_API const char *ecg_status_text(ecg_status s);

#ifdef __cplusplus
}
#endif
#endif
