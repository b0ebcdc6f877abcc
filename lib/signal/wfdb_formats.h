/* How samples are packed into the bytes of a signal file. Facts: signal(5) of the WFDB Applications Guide. */
#ifndef ECG_SIGNAL_WFDB_FORMATS_H
#define ECG_SIGNAL_WFDB_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ecg__wfdb_format {
    uint32_t code;
    uint32_t group;       /* samples that share bytes: a stream can be entered at a multiple of it */
    uint32_t group_bytes; /* bytes they take */
    uint32_t resolution;  /* of the ADC, where a header does not say */
    int32_t invalid;      /* the stored value that means "no sample"; for 8 none does */
    bool differences;     /* samples are sums of what is stored */
    /* n samples from bytes of group_bytes a group; a last group may be cut after the bytes that n needs. */
    void (*decode)(int32_t *out, const unsigned char *bytes, size_t n);
} ecg__wfdb_format;

/* NULL for a code that is not known; FLAC formats are not. */
const ecg__wfdb_format *ecg__wfdb_format_find(uint32_t code);

/* "508, 516 and 524" and the like: a code that WFDB knows as compressed. */
bool ecg__wfdb_format_is_flac(uint32_t code);

/* Bytes that the first n samples take; n is at most 2^56. */
uint64_t ecg__wfdb_format_bytes(const ecg__wfdb_format *f, uint64_t n);

#endif
