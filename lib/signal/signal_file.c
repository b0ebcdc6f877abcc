#define _POSIX_C_SOURCE 200809L
#include "signal/signal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "signal/wfdb_formats.h"

enum { CHUNK_SAMPLES = 1 << 13, GROUPS = 6 /* every format's samples per group divide it */ };

struct ecg__signal_file {
    char *path;
    int fd;
    const ecg__wfdb_format *format;
    uint64_t offset, blocks;
    uint32_t block_samples, chunk_blocks, loaded_blocks;
    uint64_t loaded;  /* index of the chunk in `samples`, UINT64_MAX for none */
    int32_t *samples; /* [chunk_blocks][block_samples] */
    unsigned char *bytes;

    /* Format 8: values of the signals before each chunk, known for chunks [0, known]. */
    const ecg__signal *signals;
    uint32_t count;
    int32_t *before; /* [chunks][count] */
    uint64_t known;
};

void ecg__signal_file_close(ecg__signal_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    ecg__free(f->path);
    ecg__free(f->samples);
    ecg__free(f->bytes);
    ecg__free(f->before);
    ecg__free(f);
}

uint64_t ecg__signal_file_blocks(const ecg__signal_file *f)
{
    return f->blocks;
}

int32_t ecg__signal_file_invalid(const ecg__signal_file *f)
{
    return f->format->invalid;
}

static ecg_status open_file(ecg__signal_file *f, uint64_t *size, const char *header, ecg_error *err)
{
    do
        f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (f->fd < 0 && errno == EINTR);
    struct stat st;
    if (f->fd < 0)
        return ecg__context(err, ecg__file_fail(err, f->path, "cannot open", errno), "%s", header);
    if (fstat(f->fd, &st) != 0)
        return ecg__file_fail(err, f->path, "cannot stat", errno);
    if (!S_ISREG(st.st_mode))
        return ecg__fail(err, ECG_EIO, "%s: is not a regular file, expected a signal file", f->path);
    *size = (uint64_t)st.st_size;
    return ECG_OK;
}

/* Blocks the file holds, which must be at least `blocks`. */
static ecg_status check_length(ecg__signal_file *f, uint64_t size, uint64_t blocks, const char *header,
                               ecg_error *err)
{
    const ecg__wfdb_format *w = f->format;
    if (blocks > ECG__MAX_SAMPLES / f->block_samples)
        return ecg__fail(err, ECG_ELIMIT, "%s: %llu frames of %u samples, over the limit of 2^56 samples",
                         header, (unsigned long long)blocks, f->block_samples);
    const uint64_t need = ecg__wfdb_format_bytes(w, blocks * f->block_samples);
    if (f->offset > size || need > size - f->offset)
        return ecg__fail(
            err, ECG_ECORRUPT,
            "%s: %llu bytes, expected at least %llu after byte %llu: %llu blocks of %u samples in "
            "format %u, as %s says",
            f->path, (unsigned long long)size, (unsigned long long)need, (unsigned long long)f->offset,
            (unsigned long long)blocks, f->block_samples, w->code, header);
    f->blocks = blocks;
    if (blocks > 0)
        return ECG_OK;
    const uint64_t bytes = size - f->offset;
    uint64_t samples = bytes / w->group_bytes * w->group;
    while (ecg__wfdb_format_bytes(w, samples + 1) <= bytes)
        samples++;
    f->blocks = samples / f->block_samples;
    return ECG_OK;
}

/* Buffers, for a chunk of some thousand samples that starts at a whole byte. */
static bool allocate(ecg__signal_file *f)
{
    uint64_t chunk = CHUNK_SAMPLES / f->block_samples / GROUPS * GROUPS;
    if (chunk == 0)
        chunk = f->format->group == 1 ? 1 : GROUPS;
    if (chunk > f->blocks)
        chunk = f->blocks ? f->blocks : 1;
    f->chunk_blocks = (uint32_t)chunk;
    const size_t samples = (size_t)chunk * f->block_samples;
    f->samples = ecg__calloc(samples, sizeof *f->samples);
    f->bytes = ecg__calloc((size_t)ecg__wfdb_format_bytes(f->format, samples), 1);
    if (!f->samples || !f->bytes)
        return false;
    if (!f->format->differences)
        return true;
    const uint64_t chunks = f->blocks / chunk + 1;
    size_t cells;
    if (chunks > SIZE_MAX || !ecg__mul(&cells, (size_t)chunks, f->count))
        return false;
    f->before = ecg__calloc(cells, sizeof *f->before);
    for (uint32_t i = 0; f->before && i < f->count; i++)
        f->before[i] = f->signals[i].info.initial;
    return f->before != NULL;
}

ecg_status ecg__signal_file_open(ecg__signal_file **out, const char *path, const ecg__signal *signals,
                                 uint32_t count, uint32_t block_samples, uint64_t blocks, const char *header,
                                 ecg_error *err)
{
    *out = NULL;
    ecg__signal_file *f = ecg__calloc(1, sizeof *f);
    if (!f)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    f->fd = -1;
    f->format = ecg__wfdb_format_find(signals[0].info.format);
    f->offset = signals[0].offset;
    f->block_samples = block_samples;
    f->signals = signals;
    f->count = count;
    f->loaded = UINT64_MAX;
    f->path = ecg__strdup(path);
    uint64_t size = 0;
    ecg_status s = !f->path     ? ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path)
                   : !f->format ? ecg__fail(err, ECG_EFORMAT, "%s: format %u is not known", path,
                                            signals[0].info.format)
                                : open_file(f, &size, header, err);
    if (s == ECG_OK)
        s = check_length(f, size, blocks, header, err);
    if (s == ECG_OK && !allocate(f))
        s = ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    if (s != ECG_OK) {
        ecg__signal_file_close(f);
        return s;
    }
    *out = f;
    return ECG_OK;
}

static ecg_status read_bytes(ecg__signal_file *f, uint64_t at, size_t n, ecg_error *err)
{
    for (size_t have = 0; have < n;) {
        const ssize_t got = pread(f->fd, f->bytes + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__file_fail(err, f->path, "cannot read", errno);
        if (got == 0)
            return ecg__fail(err, ECG_ECORRUPT, "%s: ends at byte %llu, expected %llu: it has become shorter",
                             f->path, (unsigned long long)(at + have), (unsigned long long)(at + n));
        have += (size_t)got;
    }
    return ECG_OK;
}

/* Differences to sums, signal by signal. They may wrap around in a damaged file. */
static void sum_up(ecg__signal_file *f, uint64_t chunk, uint32_t blocks)
{
    const int32_t *before = f->before + chunk * f->count;
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t v = (uint32_t)before[i];
        for (uint32_t b = 0; b < blocks; b++) {
            int32_t *cell = f->samples + (size_t)b * f->block_samples + f->signals[i].column;
            for (uint32_t k = 0; k < f->signals[i].per_block; k++) {
                v += (uint32_t)cell[k];
                memcpy(&cell[k], &v, sizeof v);
            }
        }
        if (chunk == f->known && blocks == f->chunk_blocks)
            memcpy(&f->before[(chunk + 1) * f->count + i], &v, sizeof v);
    }
    f->known += chunk == f->known && blocks == f->chunk_blocks;
}

static ecg_status load_chunk(ecg__signal_file *f, uint64_t chunk, ecg_error *err)
{
    const uint64_t first = chunk * f->chunk_blocks, left = f->blocks - first;
    const uint32_t blocks = left < f->chunk_blocks ? (uint32_t)left : f->chunk_blocks;
    const size_t samples = (size_t)blocks * f->block_samples;
    const uint64_t at = f->offset + ecg__wfdb_format_bytes(f->format, first * f->block_samples);
    f->loaded = UINT64_MAX;
    const ecg_status s = read_bytes(f, at, (size_t)ecg__wfdb_format_bytes(f->format, samples), err);
    if (s != ECG_OK)
        return s;
    f->format->decode(f->samples, f->bytes, samples);
    if (f->format->differences)
        sum_up(f, chunk, blocks);
    f->loaded = chunk;
    f->loaded_blocks = blocks;
    return ECG_OK;
}

ecg_status ecg__signal_file_load(ecg__signal_file *f, uint64_t block, const int32_t **samples,
                                 uint64_t *first, uint32_t *n, ecg_error *err)
{
    const uint64_t chunk = block / f->chunk_blocks;
    /* Sums need all before them once. */
    while (f->format->differences && f->known < chunk) {
        const ecg_status s = load_chunk(f, f->known, err);
        if (s != ECG_OK)
            return s;
    }
    if (f->loaded != chunk) {
        const ecg_status s = load_chunk(f, chunk, err);
        if (s != ECG_OK)
            return s;
    }
    *samples = f->samples;
    *first = chunk * f->chunk_blocks;
    *n = f->loaded_blocks;
    return ECG_OK;
}
