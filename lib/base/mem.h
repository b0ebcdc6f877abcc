/* Aligned memory and size arithmetic that cannot wrap. */
#ifndef ECG_BASE_MEM_H
#define ECG_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECG__ALIGN ((size_t)64)

/* n rounded up to a multiple of 64; n must be below SIZE_MAX - 63. */
static inline size_t ecg__align_up(size_t n)
{
    return (n + (ECG__ALIGN - 1)) & ~(ECG__ALIGN - 1);
}

/* *out = a * b or a + b; false (and *out untouched) when that does not fit. */
static inline bool ecg__mul(size_t *out, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

static inline bool ecg__add(size_t *out, size_t a, size_t b)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* 64-byte aligned block of at least `bytes` (0 gives a block too), not cleared; NULL when out of memory.
 * Freed with ecg__free. */
void *ecg__alloc(size_t bytes);

/* count * size bytes, cleared; NULL when that overflows or memory is out. */
void *ecg__calloc(size_t count, size_t size);

/* A copy of s, freed with ecg__free. */
char *ecg__strdup(const char *s);

/* NULL is allowed. */
void ecg__free(void *p);

#endif
