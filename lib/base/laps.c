#define _POSIX_C_SOURCE 200809L
#include "base/laps.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"

ecg__laps *ecg__laps_new(uint32_t workers, uint32_t slots)
{
    ecg__laps *l = ecg__calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (ecg__laps){.workers = workers, .slots = slots};
    l->stride = ecg__align_up(sizeof(ecg__lap_row) + (size_t)slots * sizeof(ecg__lap_sum)) + ECG__ALIGN;
    l->rows = ecg__calloc(workers, l->stride);
    if (l->rows)
        return l;
    ecg__free(l);
    return NULL;
}

void ecg__laps_clear(ecg__laps *l)
{
    memset(l->rows, 0, l->workers * l->stride);
}

void ecg__laps_free(ecg__laps *l)
{
    if (l)
        ecg__free(l->rows);
    ecg__free(l);
}

ecg__lap_sum ecg__laps_sum(const ecg__laps *l, uint32_t slot)
{
    ecg__lap_sum all = {0, 0};
    for (uint32_t w = 0; w < l->workers; w++) {
        const ecg__lap_sum *s = &ecg__laps_row(l, w)->slot[slot];
        all.ns += s->ns;
        all.laps += s->laps;
    }
    return all;
}

uint64_t ecg__laps_total(const ecg__laps *l)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < l->slots; i++)
        ns += ecg__laps_sum(l, i).ns;
    return ns;
}

uint64_t ecg__nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void ecg__lap_add(ecg__lap_row *r, uint32_t slot)
{
    const uint64_t now = ecg__nanoseconds();
    r->slot[slot].ns += now - r->last;
    r->slot[slot].laps++;
    r->last = now;
}
