/* Tagged, checksummed chunks, written to a file and read from a file or memory. Knows no networks; FORMAT.md
 * has every byte. Numbers are those of base/little.h. */
#ifndef ECG_FORMAT_CHUNK_H
#define ECG_FORMAT_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "base/little.h"
#include "base/sha256.h"
#include "base/status.h"

enum { ECG__SIGNATURE_BYTES = 8, ECG__CHUNK_HEAD = 12, ECG__CHUNK_TAIL = 4 };

/* What every model file begins with. */
extern const unsigned char ecg__signature[ECG__SIGNATURE_BYTES];

/* ---- writing ---- */

typedef struct ecg__chunk_writer {
    ecg__file *file;
    uint64_t at;   /* bytes written */
    uint64_t left; /* of the open chunk's payload */
    uint32_t crc;
} ecg__chunk_writer;

/* The temporary file of `path`, with the signature; leftovers of killed processes in its folder are removed.
 * On failure there is nothing to free. */
ecg_status ecg__chunk_create(ecg__chunk_writer *w, const char *path, ecg_error *err);

/* A chunk: its head, its payload in any pieces (exactly `length` bytes in all, else ECG_EINVAL), its
 * checksum. Payload is not copied. */
ecg_status ecg__chunk_begin(ecg__chunk_writer *w, const char tag[4], uint64_t length, ecg_error *err);
ecg_status ecg__chunk_write(ecg__chunk_writer *w, const void *data, size_t n, ecg_error *err);
ecg_status ecg__chunk_end(ecg__chunk_writer *w, ecg_error *err);

/* The three in one. */
ecg_status ecg__chunk_put(ecg__chunk_writer *w, const char tag[4], const void *data, size_t n,
                          ecg_error *err);

/* With ECG_OK: put the file in place. With another status: remove it, and return that status. */
ecg_status ecg__chunk_close(ecg__chunk_writer *w, ecg_status s, ecg_error *err);

/* ---- reading ---- */

typedef struct ecg__chunk_reader {
    const char *name;          /* of the file, for messages; the caller's */
    int fd;                    /* -1: memory */
    const unsigned char *data; /* NULL: file */
    uint64_t size, at;         /* of the whole input */
    char tag[5];               /* of the open chunk, terminated; "" before the first */
    uint64_t start;            /* where it starts */
    uint64_t length, left;     /* of its payload */
    uint32_t crc;
    ecg__sha256 *hash; /* of all that was read; NULL: not wanted */
} ecg__chunk_reader;

/* Refuses what is not a regular file, is larger than max_bytes (ECG_ELIMIT) or has another signature
 * (ECG_EFORMAT). On failure there is nothing to close. `name` and `data` are not copied. */
ecg_status ecg__reader_open(ecg__chunk_reader *r, const char *path, uint64_t max_bytes, ecg_error *err);
ecg_status ecg__reader_open_memory(ecg__chunk_reader *r, const void *data, size_t n, const char *name,
                                   uint64_t max_bytes, ecg_error *err);
void ecg__reader_close(ecg__chunk_reader *r);

/* Right after opening: hash all bytes of the input as they are read. After ecg__reader_finish the hash is
 * that of the file, for the caller to end. */
void ecg__reader_hash(ecg__chunk_reader *r, ecg__sha256 *hash);

/* Go to the next chunk. Its length is checked against the bytes that remain, so a buffer of that length is
 * never larger than the input. Damage is ECG_ECORRUPT here and below. */
ecg_status ecg__reader_next(ecg__chunk_reader *r, ecg_error *err);

/* The next n bytes of the payload. */
ecg_status ecg__reader_read(ecg__chunk_reader *r, void *buf, size_t n, ecg_error *err);

/* The same without a copy, of a reader of memory. */
ecg_status ecg__reader_lend(ecg__chunk_reader *r, const void **out, size_t n, ecg_error *err);

/* Read what is left of the payload and check the checksum. Nothing in a chunk is to be trusted before. */
ecg_status ecg__reader_end(ecg__chunk_reader *r, ecg_error *err);

/* The whole payload, checked, of at most `max` bytes (ECG_ELIMIT): `length` bytes and a NUL, freed with
 * ecg__free. */
ecg_status ecg__reader_get(ecg__chunk_reader *r, unsigned char **out, uint64_t max, ecg_error *err);

/* After the last chunk: nothing may follow. */
ecg_status ecg__reader_finish(ecg__chunk_reader *r, ecg_error *err);

static inline bool ecg__reader_at(const ecg__chunk_reader *r, const char *tag)
{
    return strcmp(r->tag, tag) == 0;
}

/* "FILE: chunk TAG at byte N: ..." */
ecg_status ecg__reader_fail(const ecg__chunk_reader *r, ecg_error *err, ecg_status s, const char *fmt, ...)
    ECG__PRINTF(4, 5);

/* Put the same before the message that is already there; becomes `s`. */
ecg_status ecg__reader_context(const ecg__chunk_reader *r, ecg_error *err, ecg_status s);

#endif
