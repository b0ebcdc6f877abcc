/* System calls of the library that fail at will: the linker puts these between the two (ld --wrap). */
#ifndef ECG_INJECT_CALLS_H
#define ECG_INJECT_CALLS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum call_kind {
    CALL_OPEN, /* open and openat */
    CALL_READ,
    CALL_WRITE,
    CALL_FSYNC,
    CALL_CLOSE, /* closed all the same, as Linux does */
    CALL_RENAME,
    CALL_STAT, /* fstat, fstatat, stat and lstat */
    CALL_READDIR,
    CALL_FDOPENDIR,
    CALL_FCHMOD,
    CALL_MMAP,
    CALL_THREAD, /* pthread_create */
    CALL_KINDS,
} call_kind;

/* No error: only a part is read or written. */
enum { CALL_SHORT = -1 };

/* The n-th call of that kind from now fails with `error` (or CALL_SHORT). 0: none. */
void calls_fail_at(call_kind kind, size_t n, int error);
bool calls_failed(void);
const char *calls_name(call_kind kind);

#endif
