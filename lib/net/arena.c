#include "net/arena.h"

#include <stdbool.h>

#include "base/mem.h"

static bool live_together(const ecg__value *a, const ecg__value *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Largest first; equal sizes in order of index, so that the result is one. */
static void sort_by_size(const ecg__value *v, uint32_t n, uint32_t *order)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;
        for (; at > 0 && v[order[at - 1]].bytes < v[i].bytes; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

size_t ecg__arena_plan(ecg__value *v, uint32_t n, uint32_t *order)
{
    uint32_t *const placed = order + n; /* by offset */
    size_t total = 0;
    sort_by_size(v, n, order);
    for (uint32_t i = 0; i < n; i++) {
        ecg__value *value = &v[order[i]];
        const size_t bytes = ecg__align_up(value->bytes);
        size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
        for (uint32_t j = 0; j < i; j++) {
            const ecg__value *other = &v[placed[j]];
            if (!live_together(value, other))
                continue;
            if (other->offset >= end + bytes && other->offset - end < best_gap) {
                best = end;
                best_gap = other->offset - end;
            }
            const size_t other_end = other->offset + ecg__align_up(other->bytes);
            if (other_end > end)
                end = other_end;
        }
        value->offset = best != SIZE_MAX ? best : end;
        if (value->offset + bytes > total)
            total = value->offset + bytes;
        uint32_t at = i;
        for (; at > 0 && v[placed[at - 1]].offset > value->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = order[i];
    }
    return total;
}
