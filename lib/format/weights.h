/* The weights of a network as a chunk. */
#ifndef ECG_FORMAT_WEIGHTS_H
#define ECG_FORMAT_WEIGHTS_H

#include "format/chunk.h"
#include "net/spec.h"

enum { ECG__WGTS_HEAD = 16, ECG__WGTS_ROW = 88 };

/* Head, table and padding of a payload that begins at byte `at` of the file: its length, and where p is not
 * NULL, its bytes. The data follows. */
size_t ecg__weights_table(unsigned char *p, const ecg_spec *s, uint64_t at);

/* weights[s->floats] as they stand in memory, in the chunk WGTS; ECG_EINVAL when the gaps between tensors are
 * not zero. */
ecg_status ecg__weights_write(ecg__chunk_writer *w, const ecg_spec *s, const float *weights, ecg_error *err);

/* r has gone to WGTS. Everything but the values must be as `s` says; allocates no more than the file is long.
 * Freed with ecg__free. */
ecg_status ecg__weights_read(float **out, ecg__chunk_reader *r, const ecg_spec *s, ecg_error *err);

/* The same without a copy: *out points into the data of a reader of memory, which must begin on a multiple of
 * 64 bytes. */
ecg_status ecg__weights_lend(const float **out, ecg__chunk_reader *r, const ecg_spec *s, ecg_error *err);

#endif
