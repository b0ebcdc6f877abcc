#define _POSIX_C_SOURCE 200809L
#include "format/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

/* As in PNG: a byte above 127 shows transfer that strips the high bit, CR LF one that changes line ends, and
 * Control-Z ends a listing on some terminals. */
const unsigned char ecg__signature[ECG__SIGNATURE_BYTES] = {0x8a, 'E', 'C', 'G', 'M', '\r', '\n', 0x1a};

/* Bytes that are read or written, and summed while they are still in the cache, at a time. */
enum { PIECE = 1 << 18 };

static uint32_t sum(uint32_t crc, const void *data, size_t n)
{
    return (uint32_t)crc32_z(crc, data, n);
}

/* ---- writing ---- */

static ecg_status put(ecg__chunk_writer *w, const void *data, size_t n, ecg_error *err)
{
    w->at += n;
    return ecg__file_write(w->file, data, n, err);
}

ecg_status ecg__chunk_create(ecg__chunk_writer *w, const char *path, ecg_error *err)
{
    *w = (ecg__chunk_writer){0};
    ecg_status s = ecg__file_create(&w->file, path, err);
    if (s != ECG_OK)
        return s;
    ecg__file_tidy(w->file);
    s = put(w, ecg__signature, sizeof ecg__signature, err);
    return s == ECG_OK ? s : ecg__chunk_close(w, s, err);
}

ecg_status ecg__chunk_begin(ecg__chunk_writer *w, const char tag[4], uint64_t length, ecg_error *err)
{
    unsigned char head[ECG__CHUNK_HEAD];
    memcpy(head, tag, 4);
    ecg__put_u64(head + 4, length);
    w->left = length;
    w->crc = sum(0, head, sizeof head);
    return put(w, head, sizeof head, err);
}

ecg_status ecg__chunk_write(ecg__chunk_writer *w, const void *data, size_t n, ecg_error *err)
{
    if (n > w->left)
        return ecg__fail(err, ECG_EINVAL, "chunk: %zu bytes too many", n - (size_t)w->left);
    const unsigned char *p = data;
    w->left -= n;
    ecg_status s = ECG_OK;
    while (s == ECG_OK && n > 0) {
        const size_t piece = n < PIECE ? n : PIECE;
        w->crc = sum(w->crc, p, piece);
        s = put(w, p, piece, err);
        p += piece;
        n -= piece;
    }
    return s;
}

ecg_status ecg__chunk_end(ecg__chunk_writer *w, ecg_error *err)
{
    if (w->left > 0)
        return ecg__fail(err, ECG_EINVAL, "chunk: %" PRIu64 " bytes too few", w->left);
    unsigned char tail[ECG__CHUNK_TAIL];
    ecg__put_u32(tail, w->crc);
    return put(w, tail, sizeof tail, err);
}

ecg_status ecg__chunk_put(ecg__chunk_writer *w, const char tag[4], const void *data, size_t n, ecg_error *err)
{
    ecg_status s = ecg__chunk_begin(w, tag, n, err);
    if (s == ECG_OK)
        s = ecg__chunk_write(w, data, n, err);
    return s == ECG_OK ? ecg__chunk_end(w, err) : s;
}

ecg_status ecg__chunk_close(ecg__chunk_writer *w, ecg_status s, ecg_error *err)
{
    if (s == ECG_OK)
        s = ecg__file_commit(w->file, true, err);
    else
        ecg__file_abandon(w->file);
    w->file = NULL;
    return s;
}

/* ---- messages ---- */

static uint32_t where(uint64_t offset)
{
    return offset < UINT32_MAX ? (uint32_t)offset : UINT32_MAX;
}

ecg_status ecg__reader_fail(const ecg__chunk_reader *r, ecg_error *err, ecg_status s, const char *fmt, ...)
{
    if (!err)
        return s;
    char text[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!*r->tag)
        return ecg__fail_at(err, s, where(r->at), "%s: at byte %" PRIu64 ": %s", r->name, r->at, text);
    return ecg__fail_at(err, s, where(r->start), "%s: chunk %s at byte %" PRIu64 ": %s", r->name, r->tag,
                        r->start, text);
}

ecg_status ecg__reader_context(const ecg__chunk_reader *r, ecg_error *err, ecg_status s)
{
    if (!err)
        return s;
    char text[sizeof err->message];
    memcpy(text, err->message, sizeof text);
    return ecg__reader_fail(r, err, s, "%s", text);
}

/* ---- reading ---- */

static ecg_status read_file(ecg__chunk_reader *r, unsigned char *p, size_t n, ecg_error *err)
{
    while (n > 0) {
        const ssize_t got = read(r->fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__file_fail(err, r->name, "cannot read", errno);
        if (got == 0)
            return ecg__fail_at(err, ECG_ECORRUPT, where(r->at),
                                "%s: became shorter while it was read: ends at byte %" PRIu64
                                ", had %" PRIu64,
                                r->name, r->at, r->size);
        p += got;
        n -= (size_t)got;
        r->at += (uint64_t)got;
    }
    return ECG_OK;
}

/* The input is a file or memory; all else is the same for both. The caller has checked n against the rest. */
static ecg_status take(ecg__chunk_reader *r, void *buf, size_t n, ecg_error *err)
{
    ecg_status s = ECG_OK;
    if (r->data) {
        memcpy(buf, r->data + r->at, n);
        r->at += n;
    } else {
        s = read_file(r, buf, n, err);
    }
    if (s == ECG_OK && r->hash)
        ecg__sha256_add(r->hash, buf, n);
    return s;
}

static ecg_status check_signature(ecg__chunk_reader *r, uint64_t max_bytes, ecg_error *err)
{
    if (r->size > max_bytes)
        return ecg__fail(err, ECG_ELIMIT, "%s: has %" PRIu64 " bytes, the limit is %" PRIu64, r->name,
                         r->size, max_bytes);
    unsigned char found[sizeof ecg__signature] = {0};
    const size_t n = r->size < sizeof found ? (size_t)r->size : sizeof found;
    const ecg_status s = take(r, found, n, err);
    if (s != ECG_OK)
        return s;
    if (n == sizeof found && memcmp(found, ecg__signature, n) == 0)
        return ECG_OK;
    if (n >= 5 && memcmp(found + 1, ecg__signature + 1, 4) == 0)
        return ecg__fail(err, ECG_ECORRUPT,
                         "%s: the signature is damaged; was the file sent as text, or cut off?", r->name);
    return ecg__fail(err, ECG_EFORMAT, "%s: is no model file (it begins with %02x %02x %02x %02x)", r->name,
                     found[0], found[1], found[2], found[3]);
}

ecg_status ecg__reader_open(ecg__chunk_reader *r, const char *path, uint64_t max_bytes, ecg_error *err)
{
    *r = (ecg__chunk_reader){.name = path, .fd = -1};
    if (!path)
        return ecg__fail(err, ECG_EINVAL, "no path given");
    do /* O_NONBLOCK: opening a pipe must not wait for a writer */
        r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (r->fd < 0 && errno == EINTR);
    if (r->fd < 0)
        return ecg__file_fail(err, path, "cannot open", errno);
    struct stat st;
    ecg_status s = ECG_OK;
    if (fstat(r->fd, &st) != 0)
        s = ecg__file_fail(err, path, "cannot stat", errno);
    else if (!S_ISREG(st.st_mode))
        s = ecg__fail(err, ECG_EIO, "%s: is not a regular file", path);
    if (s == ECG_OK) {
        r->size = (uint64_t)st.st_size;
        s = check_signature(r, max_bytes, err);
    }
    if (s != ECG_OK)
        ecg__reader_close(r);
    return s;
}

ecg_status ecg__reader_open_memory(ecg__chunk_reader *r, const void *data, size_t n, const char *name,
                                   uint64_t max_bytes, ecg_error *err)
{
    *r = (ecg__chunk_reader){.name = name, .fd = -1, .data = data, .size = n};
    if (!data)
        return ecg__fail(err, ECG_EINVAL, "%s: no data given", name);
    return check_signature(r, max_bytes, err);
}

void ecg__reader_hash(ecg__chunk_reader *r, ecg__sha256 *hash)
{
    ecg__sha256_begin(hash);
    ecg__sha256_add(hash, ecg__signature, sizeof ecg__signature); /* has been read, and is right */
    r->hash = hash;
}

void ecg__reader_close(ecg__chunk_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

static bool is_letter(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

ecg_status ecg__reader_next(ecg__chunk_reader *r, ecg_error *err)
{
    const uint64_t rest = r->size - r->at;
    unsigned char head[ECG__CHUNK_HEAD];
    r->tag[0] = '\0';
    if (rest < ECG__CHUNK_HEAD + ECG__CHUNK_TAIL)
        return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                "%" PRIu64 " bytes to the end where a chunk of at least %d was expected",
                                rest, ECG__CHUNK_HEAD + ECG__CHUNK_TAIL);
    r->start = r->at;
    const ecg_status s = take(r, head, sizeof head, err);
    if (s != ECG_OK)
        return s;
    for (int i = 0; i < 4; i++)
        if (!is_letter(head[i])) {
            r->at = r->start;
            return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                    "found bytes %02x %02x %02x %02x where a chunk's tag was expected",
                                    head[0], head[1], head[2], head[3]);
        }
    memcpy(r->tag, head, 4);
    r->tag[4] = '\0';
    r->crc = sum(0, head, sizeof head);
    r->length = r->left = ecg__get_u64(head + 4);
    const uint64_t room = rest - ECG__CHUNK_HEAD - ECG__CHUNK_TAIL;
    if (r->length > room) {
        r->left = 0;
        return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                "claims %" PRIu64 " bytes, at most %" PRIu64 " remain in the file", r->length,
                                room);
    }
    return ECG_OK;
}

ecg_status ecg__reader_read(ecg__chunk_reader *r, void *buf, size_t n, ecg_error *err)
{
    if (n > r->left)
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "%" PRIu64 " bytes left where %zu were expected",
                                r->left, n);
    unsigned char *p = buf;
    while (n > 0) {
        const size_t piece = n < PIECE ? n : PIECE;
        const ecg_status s = take(r, p, piece, err);
        if (s != ECG_OK)
            return s;
        r->crc = sum(r->crc, p, piece);
        r->left -= piece;
        p += piece;
        n -= piece;
    }
    return ECG_OK;
}

ecg_status ecg__reader_lend(ecg__chunk_reader *r, const void **out, size_t n, ecg_error *err)
{
    *out = NULL;
    if (!r->data || n > r->left)
        return ecg__reader_fail(r, err, r->data ? ECG_ECORRUPT : ECG_EINVAL,
                                "%" PRIu64 " bytes left where %zu were expected", r->left, n);
    const unsigned char *p = r->data + r->at;
    r->crc = sum(r->crc, p, n);
    if (r->hash)
        ecg__sha256_add(r->hash, p, n);
    r->left -= n;
    r->at += n;
    *out = p;
    return ECG_OK;
}

ecg_status ecg__reader_end(ecg__chunk_reader *r, ecg_error *err)
{
    unsigned char buf[4096];
    while (r->left > 0) {
        const size_t n = r->left < sizeof buf ? (size_t)r->left : sizeof buf;
        const ecg_status s = ecg__reader_read(r, buf, n, err);
        if (s != ECG_OK)
            return s;
    }
    unsigned char tail[ECG__CHUNK_TAIL];
    const ecg_status s = take(r, tail, sizeof tail, err);
    if (s != ECG_OK)
        return s;
    if (ecg__get_u32(tail) != r->crc)
        return ecg__reader_fail(r, err, ECG_ECORRUPT,
                                "damaged: its checksum is %08" PRIx32 ", its bytes give %08" PRIx32,
                                ecg__get_u32(tail), r->crc);
    return ECG_OK;
}

ecg_status ecg__reader_get(ecg__chunk_reader *r, unsigned char **out, uint64_t max, ecg_error *err)
{
    *out = NULL;
    if (r->length > max)
        return ecg__reader_fail(r, err, ECG_ELIMIT, "has %" PRIu64 " bytes, the limit is %" PRIu64, r->length,
                                max);
    unsigned char *p = r->length < SIZE_MAX ? ecg__alloc((size_t)r->length + 1) : NULL;
    if (!p)
        return ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory for %" PRIu64 " bytes", r->length);
    ecg_status s = ecg__reader_read(r, p, (size_t)r->length, err);
    if (s == ECG_OK)
        s = ecg__reader_end(r, err);
    if (s != ECG_OK) {
        ecg__free(p);
        return s;
    }
    p[r->length] = '\0';
    *out = p;
    return ECG_OK;
}

ecg_status ecg__reader_finish(ecg__chunk_reader *r, ecg_error *err)
{
    if (r->at == r->size)
        return ECG_OK;
    r->tag[0] = '\0';
    return ecg__reader_fail(r, err, ECG_ECORRUPT, "%" PRIu64 " bytes follow the last chunk", r->size - r->at);
}
