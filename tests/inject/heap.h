/* The memory a test program allocates: measured, and refused at will.
 *
 * Without a sanitizer these are the allocation functions of the whole program, libjpeg's and zlib's included.
 * Under a sanitizer they stand between our own code and the sanitizer's functions (ld --wrap), so only our
 * own allocations fail; what is measured is everybody's. */
#ifndef ECG_INJECT_HEAP_H
#define ECG_INJECT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes alive now; the most there were since heap_mark, above those at heap_mark; blocks alive now. */
size_t heap_live(void);
void heap_mark(void);
size_t heap_peak(void);
size_t heap_blocks(void);

/* The n-th allocation from now fails, and if `all`, every one after it. 0: none. */
void heap_fail_at(size_t n, bool all);
/* Allocations since heap_fail_at; whether one of them was refused. */
size_t heap_asked(void);
bool heap_failed(void);

#endif
