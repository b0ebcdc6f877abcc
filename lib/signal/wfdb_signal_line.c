/* FILE FORMAT[xSPF][:SKEW][+OFFSET] [GAIN[(BASELINE)][/UNITS] [RES [ZERO [INIT [SUM [BLOCK [NAME]]]]]]] */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "signal/wfdb_formats.h"
#include "signal/wfdb_header.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

ecg__word ecg__word_next(char **at, char *end)
{
    char *s = *at;
    while (s < end && blank(*s))
        s++;
    char *stop = s;
    while (stop < end && !blank(*stop))
        stop++;
    *at = stop;
    return (ecg__word){s, (size_t)(stop - s)};
}

bool ecg__word_int(ecg__word w, int64_t min, int64_t max, int64_t *out)
{
    const bool minus = w.n > 0 && w.s[0] == '-';
    size_t i = w.n > 0 && (minus || w.s[0] == '+');
    int64_t v = 0;
    if (i == w.n)
        return false;
    for (; i < w.n; i++) {
        const int digit = w.s[i] - '0';
        if (digit < 0 || digit > 9 || v > (INT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    v = minus ? -v : v;
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

bool ecg__name_is_inside(const char *name)
{
    if (name[0] == '/' || name[0] == '\0')
        return false;
    for (const char *p = name; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return false;
    }
    return true;
}

double ecg__mv_per_unit(const char *units)
{
    static const struct {
        const char *name;
        double mv;
    } known[] = {{"mV", 1}, {"uV", 1e-3}, {"\xc2\xb5V", 1e-3}, {"\xce\xbcV", 1e-3}, {"V", 1e3}, {"nV", 1e-6}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(units, known[i].name) == 0)
            return known[i].mv;
    }
    return 0.0;
}

/* Where a line is read, for messages. */
typedef struct place {
    const char *path;
    unsigned number;
    ecg_error *err;
} place;

static ecg_status refuse(const place *at, const char *what, ecg__word w, const char *expected)
{
    return ecg__fail(at->err, ECG_EFORMAT, "%s:%u: %s \"%.*s\", expected %s", at->path, at->number, what,
                     (int)(w.n < 60 ? w.n : 60), w.n ? w.s : "", expected);
}

/* The part of *w before any byte of `stops`, which is taken away. */
static ecg__word before(ecg__word *w, const char *stops)
{
    size_t n = 0;
    while (n < w->n && (n == 0 || !strchr(stops, w->s[n])))
        n++;
    const ecg__word part = {w->s, n};
    w->s += n;
    w->n -= n;
    return part;
}

static ecg_status parse_format(ecg__signal *s, ecg__word w, const place *at)
{
    const ecg__word all = w;
    int64_t v;
    s->info.samples_per_frame = 1;
    if (!ecg__word_int(before(&w, "x:+"), 0, UINT16_MAX, &v))
        return refuse(at, "format", all, "its number, as 212 or 16x2:3+512");
    s->info.format = (uint32_t)v;
    while (w.n > 0) {
        const char kind = w.s[0];
        ecg__word part = before(&w, "x:+");
        part.s++;
        part.n--;
        if (kind == 'x') {
            if (!ecg__word_int(part, 1, ECG__MAX_BLOCK, &v))
                return refuse(at, "samples per frame in format", all, "1 to 1048576 after x");
            s->info.samples_per_frame = (uint32_t)v;
        } else if (kind == ':') {
            if (!ecg__word_int(part, 0, INT32_MAX, &v))
                return refuse(at, "skew in format", all, "a number >= 0 after :");
            s->info.skew = (uint32_t)v;
        } else {
            if (!ecg__word_int(part, 0, INT64_MAX, &v))
                return refuse(at, "byte offset in format", all, "a number >= 0 after +");
            s->offset = (uint64_t)v;
        }
    }
    s->per_block = s->info.samples_per_frame;
    const uint32_t code = s->info.format;
    if (ecg__wfdb_format_is_flac(code))
        return ecg__fail(
            at->err, ECG_EUNSUPPORTED,
            "%s:%u: format %u: signals compressed with FLAC (508, 516, 524) are not supported; convert "
            "them, as with `xform -i RECORD -o NEW -O 16`",
            at->path, at->number, code);
    if (strcmp(s->file, "~") != 0 && !ecg__wfdb_format_find(code))
        return refuse(at, "format", all, "8, 16, 24, 32, 61, 80, 160, 212, 310 or 311");
    return ECG_OK;
}

static ecg_status parse_gain(ecg__signal *s, ecg__word w, bool *has_baseline, const place *at)
{
    const ecg__word all = w;
    const ecg__word number = before(&w, "(/");
    if (!ecg__number_read(number.s, number.n, &s->info.gain, NULL) || s->info.gain < 0 ||
        (s->info.gain > 0 && (s->info.gain < 1e-30 || s->info.gain > 1e30)))
        return refuse(at, "gain", all, "a number >= 0, as 200 or 200(1024)/mV");
    if (s->info.gain == 0)
        s->info.gain = 200;
    if (w.n > 0 && w.s[0] == '(') {
        const char *close = memchr(w.s, ')', w.n);
        int64_t v;
        if (!close ||
            !ecg__word_int((ecg__word){w.s + 1, (size_t)(close - w.s) - 1}, INT32_MIN, INT32_MAX, &v))
            return refuse(at, "baseline in gain", all, "a whole number in parentheses");
        s->info.baseline = (double)v;
        *has_baseline = true;
        w.n -= (size_t)(close - w.s) + 1;
        w.s += close - w.s + 1;
    }
    if (w.n == 0)
        return ECG_OK;
    if (w.s[0] != '/' || w.n == 1)
        return refuse(at, "gain", all, "units after /, as 200/mV");
    s->info.units = w.s + 1;
    return ECG_OK;
}

/* The whole numbers between gain and name; absent ones keep their defaults. */
static ecg_status parse_numbers(ecg__signal *s, char **line, char *end, bool has_baseline, const place *at)
{
    static const struct {
        const char *what, *expected;
        int64_t min, max;
    } fields[] = {{"ADC resolution", "0 to 64", 0, 64},
                  {"ADC zero", "a whole number of 32 bits", INT32_MIN, INT32_MAX},
                  {"initial value", "a whole number of 32 bits", INT32_MIN, INT32_MAX},
                  {"checksum", "-32768 to 65535", INT16_MIN, UINT16_MAX},
                  {"block size", "a number of bytes", 0, INT32_MAX}};
    enum { FIELDS = sizeof fields / sizeof *fields };
    int64_t v[FIELDS];
    size_t have = 0;
    for (; have < FIELDS; have++) {
        const ecg__word w = ecg__word_next(line, end);
        if (w.n == 0)
            break;
        if (!ecg__word_int(w, fields[have].min, fields[have].max, &v[have]))
            return refuse(at, fields[have].what, w, fields[have].expected);
    }
    const ecg__wfdb_format *f = ecg__wfdb_format_find(s->info.format);
    s->info.resolution = have > 0 && v[0] ? (uint32_t)v[0] : f ? f->resolution : 0;
    s->info.zero = have > 1 ? (int32_t)v[1] : 0;
    s->info.initial = have > 2 ? (int32_t)v[2] : s->info.zero;
    s->has_initial = have > 2;
    s->info.has_checksum = have > 3;
    if (have > 3)
        s->info.checksum = (int32_t)(v[3] > INT16_MAX ? v[3] - 65536 : v[3]);
    if (!has_baseline)
        s->info.baseline = s->info.zero;
    return ECG_OK;
}

ecg_status ecg__wfdb_signal_parse(ecg__signal *s, char *line, char *end, uint32_t index, const char *path,
                                  unsigned number, ecg_error *err)
{
    const place at = {path, number, err};
    const ecg__word file = ecg__word_next(&line, end);
    const ecg__word format = ecg__word_next(&line, end), gain = ecg__word_next(&line, end);
    if (format.n == 0)
        return ecg__fail(err, ECG_EFORMAT, "%s:%u: signal %u: expected a file name and a format", path,
                         number, index);
    *s = (ecg__signal){.file = file.s, .info.units = "mV", .info.gain = 200};
    bool has_baseline = false;
    file.s[file.n] = '\0';
    if (!ecg__name_is_inside(file.s) || strcmp(file.s, "-") == 0)
        return ecg__fail(err, ECG_EINVAL,
                         "%s:%u: signal file \"%.100s\": expected a file in the header's folder", path,
                         number, file.s);
    ecg_status status = parse_format(s, format, &at);
    if (status == ECG_OK && gain.n > 0)
        status = parse_gain(s, gain, &has_baseline, &at);
    if (status == ECG_OK)
        status = parse_numbers(s, &line, end, has_baseline, &at);
    if (status != ECG_OK)
        return status;
    if (gain.n > 0)
        gain.s[gain.n] = '\0'; /* ends the units; the rest of the line has been read up to `line` */
    while (line < end && blank(*line))
        line++;
    while (end > line && blank(end[-1]))
        end--;
    *end = '\0';
    s->info.name = line;
    s->info.mv_per_unit = ecg__mv_per_unit(s->info.units);
    return ECG_OK;
}
