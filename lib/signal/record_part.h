/* An unsegmented recording, or one segment: a header and its signal files. */
#ifndef ECG_SIGNAL_RECORD_PART_H
#define ECG_SIGNAL_RECORD_PART_H

#include "signal/record_csv.h"
#include "signal/signal_file.h"

typedef struct ecg__part {
    ecg__header *header;
    uint64_t frames;
    ecg__signal_file **files; /* [file_count] */
    uint32_t file_count;
    int32_t *file_of; /* [signals] index in files, -1 for a signal that is nowhere */
    ecg__csv *csv;    /* instead of files */
} ecg__part;

/* Takes the header (unsegmented) and the table, which may be NULL, in every case. Signal files are beside
 * header->path.
 */
ecg_status ecg__part_open(ecg__part **out, ecg__header *header, ecg__csv *csv, ecg_error *err);
void ecg__part_close(ecg__part *p);

/* Samples [first, first + n) of a signal, which must exist; ECG_SAMPLE_INVALID for none, or as stored. */
ecg_status ecg__part_read_raw(ecg__part *p, uint32_t signal, uint64_t first, size_t n, bool stored,
                              int32_t *raw, ecg_error *err);
ecg_status ecg__part_read_mv(ecg__part *p, uint32_t signal, uint64_t first, size_t n, float *mv,
                             ecg_error *err);

/* Read it all and compare with first samples and checksums. */
ecg_status ecg__part_verify(ecg__part *p, ecg_error *err);

/* FOLDER of `beside`/NAME + EXTENSION; ecg__free. */
char *ecg__path_beside(const char *beside, const char *name, const char *extension);

#endif
