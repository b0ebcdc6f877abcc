/* Inside the verification of a file: what its parts share. */
#ifndef ECG_FORMAT_VERIFY_H
#define ECG_FORMAT_VERIFY_H

#include "ecgcnn/net.h"
#include "format/chunk.h"
#include "net/spec.h"

typedef struct ecg__verify {
    const char *name; /* of the file */
    int fd;
    uint64_t size;
    const ecg_verify_hooks *hooks;
    ecg_verify_report *report;
    ecg_error *err;
    ecg_status status;     /* of the first damage */
    ecg_spec *spec;        /* what ARCH says, once it has been read; NULL: not known */
    bool is_checkpoint;    /* it has a chunk of one */
    uint64_t budget;       /* bytes that may still be summed in search of chunks */
    bool lost;             /* the search has come to the end of the file */
    unsigned char *buffer; /* [ECG__VERIFY_PIECE] */
} ecg__verify;

enum { ECG__VERIFY_PIECE = 1 << 16 };

/* n bytes at `at`, which lie in the file. A failure to read ends the verification. */
ecg_status ecg__verify_fetch(ecg__verify *v, uint64_t at, void *out, size_t n);

/* Tell of a damage. */
void ecg__verify_damage(ecg__verify *v, ecg_status s, uint64_t at, const char *tag, const char *tensor,
                        const char *fmt, ...) ECG__PRINTF(6, 7);

/* verify_weights.c: the tensor whose data, in a chunk WGTS at byte `start`, holds byte `at`; "" when that is
 * none's. */
const char *ecg__verify_tensor(const ecg__verify *v, uint64_t start, uint64_t at);

/* Tell of all that is wrong in the payload of a chunk WGTS whose checksum does not fit. */
ecg_status ecg__verify_weights(ecg__verify *v, const ecg_file_chunk *c);

#endif
