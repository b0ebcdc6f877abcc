/* SHA-256 (FIPS 180-4), for the names of files in logs. It proves nothing about who wrote them. */
#ifndef ECG_BASE_SHA256_H
#define ECG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { ECG__SHA256_HEX = 65 }; /* digits and a NUL */

typedef struct ecg__sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} ecg__sha256;

void ecg__sha256_begin(ecg__sha256 *s);
void ecg__sha256_add(ecg__sha256 *s, const void *data, size_t n);

/* The digest of all bytes as 64 lower-case hexadecimal digits and a NUL. */
void ecg__sha256_end(ecg__sha256 *s, char hex[ECG__SHA256_HEX]);

#endif
