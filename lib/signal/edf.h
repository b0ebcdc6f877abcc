/* The header of an EDF, EDF+ or BDF file. */
#ifndef ECG_SIGNAL_EDF_H
#define ECG_SIGNAL_EDF_H

#include "signal/wfdb_header.h"

enum { ECG__EDF_MAGIC = 8 };

bool ecg__edf_is(const unsigned char magic[ECG__EDF_MAGIC]);

/* The file as a header whose one signal file is itself. */
ecg_status ecg__edf_read(ecg__header **out, const char *path, ecg_error *err);

/* The same from the first n bytes of a file, or all. */
ecg_status ecg__edf_parse(ecg__header **out, const unsigned char *bytes, size_t n, const char *path,
                          ecg_error *err);

#endif
