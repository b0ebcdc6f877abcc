/* Files as memory. */
#ifndef ECG_BASE_MAP_H
#define ECG_BASE_MAP_H

#include <stddef.h>

/* n > 0 bytes of the open file fd, to be read and not written; NULL with errno set on failure. fd may be
 * closed afterwards. The file may be replaced by rename or removed: what is mapped stays. If it is cut short
 * in place, or its disk fails, reading ends in SIGBUS. */
void *ecg__map(int fd, size_t n);

/* NULL is allowed. */
void ecg__unmap(void *p, size_t n);

#endif
