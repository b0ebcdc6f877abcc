/* Where the time of a loader's samples goes. Any thread may add to it. */
#ifndef ECG_DATA_TIMES_H
#define ECG_DATA_TIMES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/laps.h"

enum { ECG__TIME_DECODE, ECG__TIME_AUGMENT, ECG__TIME_VALUES, ECG__TIMES };

struct ecg__times {
    struct {
        _Alignas(64) atomic_uint_least64_t ns;
        atomic_uint_least64_t count;
    } part[ECG__TIMES];
    _Alignas(64) atomic_uint_least64_t pictures;
};

/* 0 where timing is off. */
static inline uint64_t ecg__time_begin(const struct ecg__times *t)
{
    return t ? ecg__nanoseconds() : 0;
}

void ecg__time_add(struct ecg__times *t, uint32_t part, uint64_t *begin);

/* The time since *begin belongs to `part`; *begin moves on. */
static inline void ecg__time(struct ecg__times *t, uint32_t part, uint64_t *begin)
{
    if (t)
        ecg__time_add(t, part, begin);
}

#endif
