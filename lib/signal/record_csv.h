/* A table of samples as text, read in pieces. */
#ifndef ECG_SIGNAL_RECORD_CSV_H
#define ECG_SIGNAL_RECORD_CSV_H

#include "signal/wfdb_header.h"

typedef struct ecg__csv ecg__csv;

/* *header is that of an unsegmented record without signal files. Every line is read once, and checked. */
ecg_status ecg__csv_open(ecg__csv **out, ecg__header **header, const char *path, const ecg_record_options *o,
                         ecg_error *err);
void ecg__csv_close(ecg__csv *c);

/* Samples times `unit`; NaN for none. */
ecg_status ecg__csv_read(ecg__csv *c, uint32_t signal, uint64_t first, size_t n, double unit, float *mv,
                         ecg_error *err);

#endif
