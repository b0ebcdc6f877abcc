/* Blocks of memory for threads that nobody counted: a block is taken, used and given back. */
#ifndef ECG_DATA_SCRATCH_H
#define ECG_DATA_SCRATCH_H

#include <stddef.h>

struct ecg__scratches;

/* All blocks have `bytes`. NULL when out of memory. */
struct ecg__scratches *ecg__scratches_new(size_t bytes);
void ecg__scratches_free(struct ecg__scratches *s); /* NULL is allowed */

/* Any thread. A block that was given back is used again; NULL when out of memory. */
void *ecg__scratch_take(struct ecg__scratches *s, size_t *slot);
void ecg__scratch_give(struct ecg__scratches *s, size_t slot, void *block);

#endif
