/* Where values lie in one block of memory: a pure function of their sizes and lifetimes. */
#ifndef ECG_NET_ARENA_H
#define ECG_NET_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Something that must lie somewhere from time `first` to time `last`, both included. */
typedef struct ecg__value {
    size_t bytes;
    uint32_t first, last;
    size_t offset; /* out: a multiple of 64 */
} ecg__value;

/* Give every value an offset so that no two that live at the same time overlap; returns the bytes needed.
 * Largest first, each in the tightest gap that holds it (as XNNPACK's memory planner). order[2 * n] is
 * scratch. */
size_t ecg__arena_plan(ecg__value *v, uint32_t n, uint32_t *order);

#endif
