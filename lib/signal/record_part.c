#include "signal/record_part.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

enum { PIECE = 1024 };

char *ecg__path_beside(const char *beside, const char *name, const char *extension)
{
    const char *slash = strrchr(beside, '/');
    const size_t dir = slash ? (size_t)(slash - beside) + 1 : 0, n = strlen(name), e = strlen(extension);
    char *path = ecg__alloc(dir + n + e + 1);
    if (path) {
        memcpy(path, beside, dir);
        memcpy(path + dir, name, n);
        memcpy(path + dir + n, extension, e + 1);
    }
    return path;
}

void ecg__part_close(ecg__part *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->files && i < p->file_count; i++)
        ecg__signal_file_close(p->files[i]);
    ecg__free(p->files);
    ecg__free(p->file_of);
    ecg__csv_close(p->csv);
    ecg__header_free(p->header);
    ecg__free(p);
}

/* The file of signals [i, j). */
static ecg_status open_file(ecg__part *p, uint32_t i, uint32_t j, ecg_error *err)
{
    const ecg__header *h = p->header;
    const ecg__signal *s = h->signals + i;
    const uint32_t block = h->block_samples ? h->block_samples : s[j - i - 1].column + s[j - i - 1].per_block;
    const uint64_t blocks = h->info.frames / (s->per_block / s->info.samples_per_frame);
    char *path = ecg__path_beside(h->path, s->file, "");
    if (!path)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", h->path);
    ecg_status status = ecg__signal_file_open(&p->files[p->file_count], path, s, j - i, block, blocks,
                                              h->path, err);
    ecg__free(path);
    if (status != ECG_OK)
        return status;
    const uint64_t held = ecg__signal_file_blocks(p->files[p->file_count]);
    const uint64_t frames = held * (s->per_block / s->info.samples_per_frame);
    if (!h->frames_said && (p->file_count == 0 || frames < p->frames))
        p->frames = frames;
    for (; i < j; i++)
        p->file_of[i] = (int32_t)p->file_count;
    p->file_count++;
    return ECG_OK;
}

static ecg_status open_files(ecg__part *p, ecg_error *err)
{
    const ecg__header *h = p->header;
    const uint32_t n = h->info.signals;
    p->frames = h->info.frames;
    p->files = ecg__calloc(n ? n : 1, sizeof *p->files);
    p->file_of = ecg__calloc(n ? n : 1, sizeof *p->file_of);
    if (!p->files || !p->file_of)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", h->path);
    for (uint32_t i = 0; i < n; i++)
        p->file_of[i] = -1;
    for (uint32_t i = 0, j; i < n && !p->csv; i = j) {
        j = i + 1;
        while (j < n && h->signals[j].same_file)
            j++;
        if (strcmp(h->signals[i].file, "~") == 0)
            continue;
        const ecg_status s = open_file(p, i, j, err);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}

ecg_status ecg__part_open(ecg__part **out, ecg__header *header, ecg__csv *csv, ecg_error *err)
{
    *out = NULL;
    ecg__part *p = ecg__calloc(1, sizeof *p);
    if (!p) {
        ecg__header_free(header);
        ecg__csv_close(csv);
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    }
    p->header = header;
    p->csv = csv;
    const ecg_status s = open_files(p, err);
    if (s != ECG_OK) {
        ecg__part_close(p);
        return s;
    }
    *out = p;
    return ECG_OK;
}

ecg_status ecg__part_read_raw(ecg__part *p, uint32_t signal, uint64_t first, size_t n, bool stored,
                              int32_t *raw, ecg_error *err)
{
    const ecg__signal *s = &p->header->signals[signal];
    ecg__signal_file *f = p->file_of[signal] < 0 ? NULL : p->files[p->file_of[signal]];
    if (!f) {
        for (size_t i = 0; i < n; i++)
            raw[i] = ECG_SAMPLE_INVALID;
        return ECG_OK;
    }
    const int32_t invalid = stored ? ECG_SAMPLE_INVALID : ecg__signal_file_invalid(f);
    uint32_t width = p->header->block_samples;
    if (width == 0) { /* the end of the last signal in the same file */
        uint32_t last = signal;
        while (last + 1 < p->header->info.signals && p->header->signals[last + 1].same_file)
            last++;
        width = p->header->signals[last].column + p->header->signals[last].per_block;
    }
    for (size_t i = 0; i < n;) {
        const int32_t *samples;
        uint64_t start, block = (first + i) / s->per_block;
        uint32_t blocks, k = (uint32_t)((first + i) % s->per_block);
        const ecg_status status = ecg__signal_file_load(f, block, &samples, &start, &blocks, err);
        if (status != ECG_OK)
            return status;
        for (; i < n && block < start + blocks; block++) {
            const int32_t *cell = samples + (size_t)(block - start) * width + s->column;
            for (; i < n && k < s->per_block; k++)
                raw[i++] = cell[k] == invalid ? ECG_SAMPLE_INVALID : cell[k];
            k = 0;
        }
    }
    return ECG_OK;
}

ecg_status ecg__part_read_mv(ecg__part *p, uint32_t signal, uint64_t first, size_t n, float *mv,
                             ecg_error *err)
{
    const ecg_signal_info *info = &p->header->signals[signal].info;
    const double unit = info->mv_per_unit > 0 ? info->mv_per_unit : 1;
    if (p->csv)
        return ecg__csv_read(p->csv, signal, first, n, unit, mv, err);
    int32_t raw[PIECE];
    for (size_t i = 0; i < n;) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        const ecg_status s = ecg__part_read_raw(p, signal, first + i, m, false, raw, err);
        if (s != ECG_OK)
            return s;
        for (size_t k = 0; k < m; k++, i++)
            mv[i] = raw[k] == ECG_SAMPLE_INVALID ? NAN
                                                 : (float)((raw[k] - info->baseline) / info->gain * unit);
    }
    return ECG_OK;
}

static ecg_status verify_signal(ecg__part *p, uint32_t signal, ecg_error *err)
{
    const ecg__signal *s = &p->header->signals[signal];
    const uint64_t n = p->frames * s->info.samples_per_frame;
    int32_t raw[PIECE];
    uint32_t sum = 0;
    for (uint64_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? (size_t)(n - i) : PIECE;
        const ecg_status status = ecg__part_read_raw(p, signal, i, m, true, raw, err);
        if (status != ECG_OK)
            return status;
        if (i == 0 && s->has_initial && raw[0] != s->info.initial && s->info.format != 8)
            return ecg__fail(err, ECG_ECORRUPT, "%s: %s: first sample of signal %u is %d, expected %d (%s)",
                             p->header->path, s->file, signal, raw[0], s->info.initial, s->info.name);
        for (size_t k = 0; k < m; k++)
            sum += (uint32_t)raw[k];
    }
    const int32_t found = (int32_t)((sum & 0xffff) ^ 0x8000) - 0x8000;
    if (found != s->info.checksum)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %s: checksum of signal %u is %d, expected %d (%s)",
                         p->header->path, s->file, signal, found, s->info.checksum, s->info.name);
    return ECG_OK;
}

ecg_status ecg__part_verify(ecg__part *p, ecg_error *err)
{
    for (uint32_t i = 0; i < p->header->info.signals; i++) {
        if (p->file_of[i] < 0 || !p->header->signals[i].info.has_checksum)
            continue;
        const ecg_status s = verify_signal(p, i, err);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}
