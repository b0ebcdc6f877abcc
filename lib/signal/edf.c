#define _POSIX_C_SOURCE 200809L
#include "signal/edf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"

enum { FIXED = 256, PER_SIGNAL = 256 };

/* Columns of the signal part: each holds `width` bytes for every signal. */
enum {
    LABEL,
    TRANSDUCER,
    UNITS,
    PHYSICAL_MIN,
    PHYSICAL_MAX,
    DIGITAL_MIN,
    DIGITAL_MAX,
    FILTER,
    SAMPLES,
    FIELDS
};
static const unsigned char widths[FIELDS] = {16, 80, 8, 8, 8, 8, 8, 80, 8};
static const char *const field_names[FIELDS] = {
    "label",           "transducer",      "units",  "physical minimum",       "physical maximum",
    "digital minimum", "digital maximum", "filter", "samples per data record"};

bool ecg__edf_is(const unsigned char magic[ECG__EDF_MAGIC])
{
    return memcmp(magic, "0       ", ECG__EDF_MAGIC) == 0 ||
           memcmp(magic, "\377BIOSEMI", ECG__EDF_MAGIC) == 0;
}

typedef struct reader {
    ecg__header *h;
    const unsigned char *bytes;
    char *at; /* free room in the header's text */
    const char *path;
    ecg_error *err;
    uint32_t columns; /* signals in the file, those of annotations too */
    bool bdf;
} reader;

/* The field without the blanks around it, as a string that the header keeps. */
static char *field(reader *r, size_t offset, size_t width)
{
    char *s = r->at;
    while (width > 0 && r->bytes[offset] == ' ') {
        offset++;
        width--;
    }
    while (width > 0 && (r->bytes[offset + width - 1] == ' ' || r->bytes[offset + width - 1] == '\0'))
        width--;
    for (size_t i = 0; i < width; i++)
        s[i] = r->bytes[offset + i] >= ' ' ? (char)r->bytes[offset + i] : '?';
    s[width] = '\0';
    r->at += width + 1;
    return s;
}

static ecg_status bad(const reader *r, size_t offset, const char *what, const char *found,
                      const char *expected)
{
    return ecg__fail_at(r->err, ECG_EFORMAT, (uint32_t)offset, "%s: byte %zu: %s \"%s\", expected %s",
                        r->path, offset, what, found, expected);
}

static ecg_status number(reader *r, size_t offset, size_t width, const char *what, double min, double max,
                         bool whole, double *out)
{
    const char *s = field(r, offset, width);
    char range[96];
    if (ecg__number_read(s, strlen(s), out, NULL) && *out >= min && *out <= max &&
        (!whole || *out == floor(*out)))
        return ECG_OK;
    snprintf(range, sizeof range, "a %snumber from %.9g to %.9g", whole ? "whole " : "", min, max);
    return bad(r, offset, what, s, range);
}

static size_t offset_of(const reader *r, int f, uint32_t column)
{
    size_t offset = FIXED;
    for (int i = 0; i < f; i++)
        offset += (size_t)widths[i] * r->columns;
    return offset + (size_t)widths[f] * column;
}

static char *text(reader *r, int f, uint32_t column)
{
    return field(r, offset_of(r, f, column), widths[f]);
}

static ecg_status parse_scale(reader *r, uint32_t column, ecg_signal_info *info)
{
    const double low = r->bdf ? -8388608 : -32768, high = -low - 1;
    double v[4];
    for (int i = 0; i < 4; i++) {
        const int f = PHYSICAL_MIN + i;
        const bool digital = f >= DIGITAL_MIN;
        const ecg_status s = number(r, offset_of(r, f, column), widths[f], field_names[f],
                                    digital ? low : -1e30, digital ? high : 1e30, digital, &v[i]);
        if (s != ECG_OK)
            return s;
    }
    if (v[0] == v[1] || v[2] >= v[3])
        return ecg__fail(
            r->err, ECG_EFORMAT,
            "%s: signal %u (%s): physical %g to %g, digital %g to %g, expected two different values and "
            "rising ones",
            r->path, column, info->name, v[0], v[1], v[2], v[3]);
    info->gain = (v[3] - v[2]) / (v[1] - v[0]);
    info->baseline = v[2] - v[0] * info->gain;
    if (!isfinite(info->gain) || info->gain == 0 || !isfinite(info->baseline))
        return ecg__fail(r->err, ECG_EFORMAT,
                         "%s: signal %u (%s): a scale of %g, expected a number that is not 0", r->path,
                         column, info->name, info->gain);
    return ECG_OK;
}

static uint32_t divisor(uint32_t a, uint32_t b)
{
    while (b) {
        const uint32_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

static ecg_status parse_signals(reader *r)
{
    ecg__header *h = r->h;
    uint32_t common = 0, column = 0;
    for (uint32_t i = 0; i < r->columns; i++) {
        double samples;
        const size_t at = offset_of(r, SAMPLES, i);
        ecg_status status = number(r, at, widths[SAMPLES], field_names[SAMPLES], 1, ECG__MAX_BLOCK - column,
                                   true, &samples);
        if (status != ECG_OK)
            return status;
        char *name = text(r, LABEL, i);
        ecg__signal *s = &h->signals[h->info.signals];
        *s = (ecg__signal){.file = strrchr(h->path, '/') ? strrchr(h->path, '/') + 1 : h->path,
                           .offset = FIXED + (uint64_t)PER_SIGNAL * r->columns,
                           .per_block = (uint32_t)samples,
                           .column = column,
                           .same_file = h->info.signals > 0};
        column += s->per_block;
        if (strcmp(name, "EDF Annotations") == 0 || strcmp(name, "BDF Annotations") == 0)
            continue;
        s->info.name = strncmp(name, "ECG ", 4) == 0 && name[4] ? name + 4 : name;
        s->info.units = text(r, UNITS, i);
        s->info.mv_per_unit = ecg__mv_per_unit(s->info.units);
        s->info.format = r->bdf ? 24 : 16;
        s->info.resolution = s->info.format;
        status = parse_scale(r, i, &s->info);
        if (status != ECG_OK)
            return status;
        common = divisor(s->per_block, common);
        h->info.signals++;
    }
    for (uint32_t i = 0; i < h->info.signals; i++)
        h->signals[i].info.samples_per_frame = h->signals[i].per_block / common;
    h->block_samples = column;
    h->info.rate = common; /* a data record, for now */
    return ECG_OK;
}

/* 0: version 8, patient 80, recording 80, date 8, time 8, header bytes 8, reserved 44, records 8, seconds 8,
 * signals 4.
 */
static ecg_status parse(reader *r)
{
    enum { DATE = 168, TIME = 176, HEADER = 184, RESERVED = 192, RECORDS = 236, SECONDS = 244 };
    ecg_record_info *info = &r->h->info;
    double bytes, records, seconds;
    info->start_date = field(r, DATE, 8);
    info->start_time = field(r, TIME, 8);
    const char *reserved = field(r, RESERVED, 44);
    if (strncmp(reserved, "EDF+D", 5) == 0 || strncmp(reserved, "BDF+D", 5) == 0)
        return ecg__fail(r->err, ECG_EUNSUPPORTED,
                         "%s: byte %d: \"%.5s\": a recording with gaps in time, expected EDF or EDF+C",
                         r->path, RESERVED, reserved);
    ecg_status s = number(r, HEADER, 8, "header size", 0, 1e8, true, &bytes);
    if (s == ECG_OK && bytes != (double)FIXED + (double)PER_SIGNAL * r->columns)
        s = ecg__fail(r->err, ECG_ECORRUPT, "%s: byte %d: a header of %.0f bytes, expected %u for %u signals",
                      r->path, HEADER, bytes, FIXED + PER_SIGNAL * r->columns, r->columns);
    if (s == ECG_OK)
        s = number(r, RECORDS, 8, "number of data records", -1, 99999999, true, &records);
    if (s == ECG_OK)
        s = number(r, SECONDS, 8, "seconds of a data record", 0, 1e6, false, &seconds);
    if (s == ECG_OK)
        s = parse_signals(r);
    if (s != ECG_OK)
        return s;
    if (info->signals > 0 && seconds < 1e-6)
        return ecg__fail(r->err, ECG_EFORMAT, "%s: byte %d: data records of %g seconds, expected more",
                         r->path, SECONDS, seconds);
    const double common = info->rate;
    info->rate = info->counter_rate = info->signals > 0 ? common / seconds : 1;
    info->segments = 1;
    r->h->frames_said = records > 0;
    info->frames = records > 0 && info->signals > 0 ? (uint64_t)records * (uint64_t)common : 0;
    return ECG_OK;
}

ecg_status ecg__edf_parse(ecg__header **out, const unsigned char *bytes, size_t n, const char *path,
                          ecg_error *err)
{
    *out = NULL;
    if (n < FIXED)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %zu bytes, expected the %d of an EDF header", path, n,
                         FIXED);
    if (!ecg__edf_is(bytes))
        return ecg__fail(err, ECG_EFORMAT, "%s: byte 0: expected the version of EDF (0) or BDF", path);
    reader r = {.bytes = bytes, .path = path, .err = err, .bdf = bytes[0] == 0xff};
    char few[8], *const enough = few;
    r.at = enough;
    double columns;
    ecg_status s = number(&r, 252, 4, "number of signals", 1, ECG__MAX_SIGNALS, true, &columns);
    if (s != ECG_OK)
        return s;
    r.columns = (uint32_t)columns;
    const size_t need = FIXED + (size_t)PER_SIGNAL * r.columns;
    if (n < need)
        return ecg__fail(err, ECG_ECORRUPT, "%s: %zu bytes, expected %zu: a header of %u signals", path, n,
                         need, r.columns);
    ecg__header *h = ecg__calloc(1, sizeof *h);
    const char *slash = strrchr(path, '/');
    if (h) {
        /* Every field at the most once, with a zero after each. */
        h->text = ecg__calloc(2 * need + strlen(path) + 1, 1);
        h->path = ecg__strdup(path);
        h->signals = ecg__calloc(r.columns, sizeof *h->signals);
    }
    if (!h || !h->text || !h->path || !h->signals) {
        ecg__header_free(h);
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    }
    r.h = h;
    r.at = h->text;
    strcpy(r.at, slash ? slash + 1 : path);
    h->info.name = r.at;
    r.at += strlen(r.at) + 1;
    char *dot = strrchr(h->text, '.');
    if (dot && dot != h->text)
        *dot = '\0';
    s = parse(&r);
    if (s != ECG_OK) {
        ecg__header_free(h);
        return s;
    }
    *out = h;
    return ECG_OK;
}

/* The first n bytes, or as many as there are. */
static ecg_status read_start(const char *path, unsigned char *bytes, size_t n, size_t *have, ecg_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0)
        return ecg__file_fail(err, path, "cannot open", errno);
    ecg_status s = ECG_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        s = ecg__fail(err, ECG_EIO, "%s: is not a regular file, expected a recording", path);
    for (*have = 0; s == ECG_OK && *have < n;) {
        const ssize_t got = read(fd, bytes + *have, n - *have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            s = ecg__file_fail(err, path, "cannot read", errno);
        if (got <= 0)
            break;
        *have += (size_t)got;
    }
    close(fd);
    return s;
}

ecg_status ecg__edf_read(ecg__header **out, const char *path, ecg_error *err)
{
    const size_t most = FIXED + (size_t)PER_SIGNAL * ECG__MAX_SIGNALS;
    size_t have = 0;
    unsigned char *bytes = ecg__alloc(most);
    *out = NULL;
    if (!bytes)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    ecg_status s = read_start(path, bytes, most, &have, err);
    if (s == ECG_OK)
        s = ecg__edf_parse(out, bytes, have, path, err);
    ecg__free(bytes);
    return s;
}
