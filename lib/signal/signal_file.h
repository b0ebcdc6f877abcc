/* One signal file, read in pieces. It is a row of blocks (frames of WFDB, data records of EDF) of the same
 * size. */
#ifndef ECG_SIGNAL_SIGNAL_FILE_H
#define ECG_SIGNAL_SIGNAL_FILE_H

#include "signal/wfdb_header.h"

typedef struct ecg__signal_file ecg__signal_file;

/* `signals` (all in this file; they must outlive it) with block_samples >= 1 of them together in a block.
 * blocks 0: as many as the file holds, else it must hold at least those. `header` is named in messages. */
ecg_status ecg__signal_file_open(ecg__signal_file **out, const char *path, const ecg__signal *signals,
                                 uint32_t count, uint32_t block_samples, uint64_t blocks, const char *header,
                                 ecg_error *err);
void ecg__signal_file_close(ecg__signal_file *f);
uint64_t ecg__signal_file_blocks(const ecg__signal_file *f);

/* The stored value that stands for no sample. */
int32_t ecg__signal_file_invalid(const ecg__signal_file *f);

/* Blocks [*first, *first + *n) around `block`, as stored, [*n][block_samples]; good until the next call. */
ecg_status ecg__signal_file_load(ecg__signal_file *f, uint64_t block, const int32_t **samples,
                                 uint64_t *first, uint32_t *n, ecg_error *err);

#endif
