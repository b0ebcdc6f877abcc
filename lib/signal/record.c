#define _POSIX_C_SOURCE 200809L
#include "signal/record.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "signal/edf.h"

void ecg_record_close(ecg_record *r)
{
    if (!r)
        return;
    ecg__part_close(r->part);
    ecg__header_free(r->head);
    ecg__header_free(r->shape);
    ecg__free(r->signals);
    ecg__free(r->names);
    ecg__free(r->path);
    ecg__free(r->base);
    ecg__free(r->map);
    ecg__free(r);
}

static ecg_status no_memory(const ecg_record *r, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", r->path);
}

/* Copies what the header says of the signals, and names those without a name. */
static ecg_status take_signals(ecg_record *r, const ecg__header *h, ecg_error *err)
{
    enum { NAME = 24 };
    const uint32_t n = h->info.signals;
    r->signals = ecg__calloc(n ? n : 1, sizeof *r->signals);
    r->names = ecg__calloc(n ? n : 1, NAME);
    r->map = ecg__calloc(n ? n : 1, sizeof *r->map);
    if (!r->signals || !r->names || !r->map)
        return no_memory(r, err);
    for (uint32_t i = 0; i < n; i++) {
        r->signals[i] = h->signals[i].info;
        if (*r->signals[i].name)
            continue;
        snprintf(r->names + (size_t)i * NAME, NAME, "signal %u", i);
        r->signals[i].name = r->names + (size_t)i * NAME;
    }
    return ECG_OK;
}

static ecg_status open_whole(ecg_record *r, ecg__header *h, ecg__csv *csv, const char *kind, ecg_error *err)
{
    ecg_status s = ecg__part_open(&r->part, h, csv, err);
    if (s != ECG_OK)
        return s;
    h = r->part->header;
    r->info = h->info;
    r->info.kind = kind;
    r->info.frames = r->part->frames;
    return take_signals(r, h, err);
}

static ecg_status read_segment_header(ecg_record *r, uint32_t i, ecg__header **out, ecg_error *err)
{
    *out = NULL;
    char *path = ecg__path_beside(r->head->path, r->head->segments[i].name, ".hea");
    if (!path)
        return no_memory(r, err);
    ecg_status s = ecg__wfdb_header_read(out, path, err);
    ecg__free(path);
    if (s == ECG_OK && (*out)->segment_count) {
        s = ecg__fail(err, ECG_EFORMAT, "%s: has segments, expected a segment of %s", (*out)->path,
                      r->head->path);
        ecg__header_free(*out);
        *out = NULL;
    }
    return s;
}

static ecg_status open_segments(ecg_record *r, ecg__header *h, ecg_error *err)
{
    r->head = h;
    r->open_segment = UINT32_MAX;
    uint32_t i = 0;
    while (i < h->segment_count && strcmp(h->segments[i].name, "~") == 0)
        i++;
    if (i == h->segment_count)
        return ecg__fail(err, ECG_EFORMAT, "%s: all segments are gaps, expected one with signals", h->path);
    const ecg_status s = read_segment_header(r, i, &r->shape, err);
    if (s != ECG_OK)
        return s;
    if (r->shape->info.signals != h->info.signals)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %u signals, but %s has %u", h->path, h->info.signals,
                         r->shape->path, r->shape->info.signals);
    r->info = h->info;
    r->info.kind = "WFDB";
    return take_signals(r, r->shape, err);
}

/* Which signal of the segment is signal i of the record; by name where there is a layout. */
static int64_t find_in_segment(const ecg_record *r, const ecg__header *h, uint32_t i)
{
    if (!r->head->layout)
        return i;
    for (uint32_t k = 0; k < h->info.signals; k++) {
        if (strcmp(h->signals[k].info.name, r->shape->signals[i].info.name) == 0)
            return k;
    }
    return -1;
}

static ecg_status map_signals(ecg_record *r, const ecg__header *h, ecg_error *err)
{
    if (!r->head->layout && h->info.signals != r->info.signals)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %u signals, expected %u as in %s", h->path, h->info.signals,
                         r->info.signals, r->head->path);
    if (fabs(h->info.rate - r->info.rate) > 1e-9 * r->info.rate)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %g frames a second, expected %g as in %s", h->path,
                         h->info.rate, r->info.rate, r->head->path);
    for (uint32_t i = 0; i < r->info.signals; i++) {
        r->map[i] = find_in_segment(r, h, i);
        if (r->map[i] < 0)
            continue;
        const ecg_signal_info *in = &h->signals[r->map[i]].info, *out = &r->signals[i];
        if (in->samples_per_frame != out->samples_per_frame)
            return ecg__fail(err, ECG_ECORRUPT, "%s: %u samples per frame of %s, expected %u as in %s",
                             h->path, in->samples_per_frame, out->name, out->samples_per_frame,
                             r->shape->path);
        if (in->skew != out->skew)
            return ecg__fail(err, ECG_EUNSUPPORTED, "%s: skew %u of %s, expected %u as in %s", h->path,
                             in->skew, out->name, out->skew, r->shape->path);
    }
    return ECG_OK;
}

ecg_status ecg__record_segment(ecg_record *r, uint32_t i, ecg_error *err)
{
    if (!r->head || r->open_segment == i)
        return ECG_OK;
    ecg__part_close(r->part);
    r->part = NULL;
    r->open_segment = UINT32_MAX;
    const ecg__segment *g = &r->head->segments[i];
    ecg_status s = ECG_OK;
    if (strcmp(g->name, "~") != 0) {
        ecg__header *h;
        s = read_segment_header(r, i, &h, err);
        if (s == ECG_OK)
            s = ecg__part_open(&r->part, h, NULL, err);
        if (s == ECG_OK && r->part->frames != g->frames)
            s = ecg__fail(err, ECG_ECORRUPT, "%s: %llu frames, expected %llu as in %s", r->part->header->path,
                          (unsigned long long)r->part->frames, (unsigned long long)g->frames, r->head->path);
        if (s == ECG_OK)
            s = map_signals(r, r->part->header, err);
    }
    if (s != ECG_OK) {
        ecg__part_close(r->part);
        r->part = NULL;
        return s;
    }
    r->open_segment = i;
    return ECG_OK;
}

/* ---- what is at the path ---- */

static bool ends_in(const char *path, const char *extension)
{
    const size_t n = strlen(path), e = strlen(extension);
    return n > e && strcasecmp(path + n - e, extension) == 0;
}

/* A file that is there and begins as EDF does. What else is wrong with it is said on reading it. */
static bool is_edf(const char *path)
{
    unsigned char magic[ECG__EDF_MAGIC];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, magic, sizeof magic);
    close(fd);
    return n == sizeof magic && ecg__edf_is(magic);
}

static ecg_status open_edf(ecg_record *r, ecg_error *err)
{
    ecg__header *h;
    const ecg_status s = ecg__edf_read(&h, r->path, err);
    return s == ECG_OK ? open_whole(r, h, NULL, "EDF", err) : s;
}

static ecg_status open_csv(ecg_record *r, const ecg_record_options *o, ecg_error *err)
{
    ecg__header *h;
    ecg__csv *csv;
    const ecg_status s = ecg__csv_open(&csv, &h, r->path, o, err);
    return s == ECG_OK ? open_whole(r, h, csv, "CSV", err) : s;
}

static ecg_status open_wfdb(ecg_record *r, ecg_error *err)
{
    const size_t n = strlen(r->path);
    char *path = ecg__alloc(n + 5);
    if (!path)
        return no_memory(r, err);
    memcpy(path, r->path, n + 1);
    if (!ends_in(path, ".hea"))
        memcpy(path + n, ".hea", 5);
    ecg__header *h;
    const ecg_status s = ecg__wfdb_header_read(&h, path, err);
    ecg__free(path);
    if (s != ECG_OK)
        return s;
    return h->segment_count ? open_segments(r, h, err) : open_whole(r, h, NULL, "WFDB", err);
}

static ecg_status open_any(ecg_record *r, const ecg_record_options *o, ecg_error *err)
{
    if (ends_in(r->path, ".csv") || ends_in(r->path, ".tsv") || ends_in(r->path, ".txt"))
        return open_csv(r, o, err);
    if (ends_in(r->path, ".edf") || ends_in(r->path, ".bdf") || is_edf(r->path))
        return open_edf(r, err);
    return open_wfdb(r, err);
}

ecg_status ecg_record_open(ecg_record **out, const char *path, const ecg_record_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_record_options options = ECG_RECORD_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&options, sizeof options, o, "record options", err);
    if (s != ECG_OK)
        return s;
    if (!path || !*path)
        return ecg__fail(err, ECG_EINVAL, "no path of a record given");
    if (!(options.rate >= 0 && options.rate <= 1e9))
        return ecg__fail(err, ECG_EINVAL, "%s: rate %g, expected 0 to 1e9 a second", path, options.rate);
    ecg_record *r = ecg__calloc(1, sizeof *r);
    if (r) {
        r->path = ecg__strdup(path);
        r->base = ecg__strdup(path);
    }
    s = r && r->path && r->base ? open_any(r, &options, err)
                                : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    if (s != ECG_OK) {
        ecg_record_close(r);
        return s;
    }
    r->info.path = r->path;
    char *dot = strrchr(r->base, '.');
    if (dot && !strchr(dot, '/') && (strcmp(r->info.kind, "WFDB") != 0 || ends_in(r->base, ".hea")))
        *dot = '\0';
    *out = r;
    return ECG_OK;
}
