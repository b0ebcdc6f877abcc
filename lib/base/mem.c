#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *ecg__alloc(size_t bytes)
{
    if (bytes > SIZE_MAX - ECG__ALIGN)
        return NULL;
    return aligned_alloc(ECG__ALIGN, ecg__align_up(bytes ? bytes : 1));
}

void *ecg__calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!ecg__mul(&bytes, count, size))
        return NULL;
    void *p = ecg__alloc(bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

char *ecg__strdup(const char *s)
{
    const size_t n = strlen(s) + 1;
    char *copy = ecg__alloc(n);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void ecg__free(void *p)
{
    free(p);
}
