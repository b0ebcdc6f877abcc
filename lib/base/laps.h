/* Where time goes: each worker adds the time between two looks at the clock to slots of its own. What is
 * switched off is a NULL pointer, and costs a branch. */
#ifndef ECG_BASE_LAPS_H
#define ECG_BASE_LAPS_H

#include <stddef.h>
#include <stdint.h>

typedef struct ecg__lap_sum {
    uint64_t ns, laps;
} ecg__lap_sum;

/* One worker's. */
typedef struct ecg__lap_row {
    uint64_t last; /* nanoseconds */
    ecg__lap_sum slot[];
} ecg__lap_row;

typedef struct ecg__laps {
    uint32_t workers, slots;
    size_t stride;       /* bytes */
    unsigned char *rows; /* [workers][stride]: no cache line is shared, nor a pair that is fetched together */
} ecg__laps;

/* All zero; NULL when out of memory. */
ecg__laps *ecg__laps_new(uint32_t workers, uint32_t slots);
void ecg__laps_clear(ecg__laps *l);
void ecg__laps_free(ecg__laps *l); /* NULL is allowed */

/* Of all workers; not while one is at work. */
ecg__lap_sum ecg__laps_sum(const ecg__laps *l, uint32_t slot);
/* Nanoseconds of all slots of all workers. */
uint64_t ecg__laps_total(const ecg__laps *l);

/* A clock that only goes forward. */
uint64_t ecg__nanoseconds(void);

/* NULL for NULL. */
static inline ecg__lap_row *ecg__laps_row(const ecg__laps *l, uint32_t worker)
{
    return l ? (ecg__lap_row *)(void *)(l->rows + worker * l->stride) : NULL;
}

/* The time from here on is counted. NULL: nothing is. */
static inline void ecg__lap_start(ecg__lap_row *r)
{
    if (r)
        r->last = ecg__nanoseconds();
}

void ecg__lap_add(ecg__lap_row *r, uint32_t slot);

/* The time since the last lap or start belongs to `slot`. */
static inline void ecg__lap(ecg__lap_row *r, uint32_t slot)
{
    if (r)
        ecg__lap_add(r, slot);
}

#endif
