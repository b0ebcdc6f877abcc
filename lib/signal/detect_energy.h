/* The slope energy of a lead, in which every QRS is one hump. */
#ifndef ECG_SIGNAL_DETECT_ENERGY_H
#define ECG_SIGNAL_DETECT_ENERGY_H

#include <stddef.h>

#include "ecgcnn/status.h"

struct ecg__energy {
    float *level; /* [n] root of the mean squared slope around each sample, mV/s; 0 in and beside gaps */
    float *band;  /* [n] the signal in the pass band, mV */
    size_t n;
};

/* mv[n] to *e, by filters that go forward and backward, so that nothing is delayed. Gaps are bridged by
 * straight lines. ECG_ENOMEM. */
ecg_status ecg__energy_make(struct ecg__energy *e, const float *mv, size_t n, double rate, double low,
                            double high, double window);
void ecg__energy_free(struct ecg__energy *e);

#endif
