/* The level that a lead wanders about. */
#ifndef ECG_SIGNAL_BEAT_LEVEL_H
#define ECG_SIGNAL_BEAT_LEVEL_H

#include <stddef.h>

#include "ecgcnn/status.h"

/* mv[n] less its baseline, in place: the running median over `seconds` of the running median over a third of
 * that (so that neither QRS nor T lift it), of means over 20 ms, joined by straight lines. NaN stays NaN and
 * counts nowhere. ECG_ENOMEM. */
ecg_status ecg__level_take(float *mv, size_t n, double rate, double seconds);

/* The median of v[n], which is sorted by this; the lower of two. n > 0, no NaN. */
float ecg__median(float *v, size_t n);

#endif
