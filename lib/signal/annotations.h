/* Annotations in memory. The file format: annot(5) of the WFDB Applications Guide. */
#ifndef ECG_SIGNAL_ANNOTATIONS_H
#define ECG_SIGNAL_ANNOTATIONS_H

#include "ecgcnn/record.h"

/* Codes that change the next annotation or the last one instead of being one. */
enum { ECG__ANN_SKIP = 59, ECG__ANN_NUM, ECG__ANN_SUB, ECG__ANN_CHN, ECG__ANN_AUX };
enum { ECG__ANN_FILE_BYTES = 1 << 28 };

/* The same as ecg_annotations_read, of n bytes. */
ecg_status ecg__annotations_parse(ecg_annotations **out, const unsigned char *bytes, size_t n, double rate,
                                  const char *path, ecg_error *err);

#endif
