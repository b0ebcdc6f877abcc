/* An open recording: one part, or segments of which one at a time is open. */
#ifndef ECG_SIGNAL_RECORD_H
#define ECG_SIGNAL_RECORD_H

#include "signal/record_part.h"

struct ecg_record {
    ecg_record_info info;
    ecg_signal_info *signals;
    char *names; /* of signals that have none */
    char *path, *base;
    ecg__header *head;  /* of a record of segments, else NULL */
    ecg__header *shape; /* whose signals the record has: layout, or first segment; else NULL */
    ecg__part *part;    /* the record, or the open segment; may be NULL with segments */
    uint32_t open_segment;
    int64_t *map; /* [signals] signal of the open segment, -1 for none */
};

/* Make segment i the open part. A gap leaves it NULL. */
ecg_status ecg__record_segment(ecg_record *r, uint32_t i, ecg_error *err);

#endif
