/* Models as chunks. FORMAT.md has every byte. */
#ifndef ECG_FORMAT_MODEL_IO_H
#define ECG_FORMAT_MODEL_IO_H

#include "ecgcnn/net.h"
#include "format/chunk.h"

enum {
    ECG__FORMAT_MAJOR = 1, /* moves when old readers could not read new files */
    ECG__FORMAT_MINOR = 0, /* moves with new layers, attributes and ancillary chunks */
    ECG__MAX_CLASSES = 65536,
    ECG__MAX_META = 1 << 20, /* bytes of the meta chunk */
};

/* The chunks of a model from HEAD to meta. What has room for more than a model (a checkpoint) writes
 * ancillary chunks after them, then IEND. */
ecg_status ecg__model_write(ecg__chunk_writer *w, const ecg_model *m, ecg_error *err);

/* A caller's ancillary chunk: r has gone to it and r->tag names it. Either reads it whole (ecg__reader_get,
 * or up to ecg__reader_end) and sets *taken, or does not touch it. */
typedef ecg_status ecg__chunk_handler(void *ctx, ecg__chunk_reader *r, bool *taken, ecg_error *err);

/* Chunks from HEAD to IEND. `extra` is asked about each ancillary chunk that is not a model's; NULL: skip
 * them. */
ecg_status ecg__model_read(ecg_model **out, ecg__chunk_reader *r, const ecg_load_options *o,
                           ecg__chunk_handler *extra, void *ctx, ecg_error *err);

/* o with the zeros-mean-default fields written out. */
ecg_status ecg__load_options(ecg_load_options *out, const ecg_load_options *o, ecg_error *err);

#endif
