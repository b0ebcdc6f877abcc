/* A number that changes with the bytes: FNV-1a of 64 bits. For noticing differences, not against malice. */
#ifndef ECG_BASE_HASH_H
#define ECG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define ECG__HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t ecg__hash(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* The same on every machine. */
static inline uint64_t ecg__hash_u64(uint64_t h, uint64_t v)
{
    unsigned char p[8];
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (8 * i));
    return ecg__hash(h, p, sizeof p);
}

#endif
