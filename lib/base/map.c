#define _POSIX_C_SOURCE 200809L
#include "base/map.h"

#include <sys/mman.h>

void *ecg__map(int fd, size_t n)
{
    void *p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

void ecg__unmap(void *p, size_t n)
{
    if (p)
        munmap(p, n);
}
