/* Records of a file that is not held in memory. */
#ifndef ECG_DATA_CSV_STREAM_H
#define ECG_DATA_CSV_STREAM_H

#include "data/csv.h"

struct ecg__csv_stream;

/* `path` is used until it is closed. */
ecg_status ecg__csv_stream_open(struct ecg__csv_stream **out, const char *path, ecg_error *err);
void ecg__csv_stream_close(struct ecg__csv_stream *s); /* NULL is allowed */

/* The next record, in *c until the next call, or NULL at the end. Errors as ecg__csv_next, and ECG_EIO. */
ecg_status ecg__csv_stream_next(struct ecg__csv_stream *s, struct ecg__csv **c, ecg_error *err);

#endif
