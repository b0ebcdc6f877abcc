/* What a record's beats have in common. */
#ifndef ECG_SIGNAL_BEAT_USUAL_H
#define ECG_SIGNAL_BEAT_USUAL_H

#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

/* The median, sample by sample, of up to 151 beats evenly taken from those that do not come early (the time
 * since the beat before is the record's mean or more): out[before + after + 1] around the beats' places in
 * mv[n]. NaN where no beat has a sample. ECG_ENOMEM. */
ecg_status ecg__usual_beat(float *out, size_t before, size_t after, const float *mv, size_t n,
                           const uint64_t *beats, size_t count);

/* The median, over up to 401 beats evenly taken, of highest less lowest within `reach` samples of the beat; 0
 * when none has two samples. */
double ecg__usual_size(size_t reach, const float *mv, size_t n, const uint64_t *beats, size_t count);

#endif
