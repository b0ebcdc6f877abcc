#include "signal/wfdb_header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"

void ecg__header_free(ecg__header *h)
{
    if (!h)
        return;
    ecg__free(h->text);
    ecg__free(h->path);
    ecg__free(h->signals);
    ecg__free(h->segments);
    ecg__free(h->comments);
    ecg__free(h);
}

/* The text, line by line. Empty lines are passed over; comments are gathered once the record line is read. */
typedef struct reader {
    ecg__header *h;
    char *at, *stop;
    unsigned number; /* of the line last read */
    uint32_t comment_room;
    bool begun;
    ecg_error *err;
} reader;

static ecg_status keep_comment(reader *r, char *s, char *end)
{
    ecg__header *h = r->h;
    if (h->info.comments == r->comment_room) {
        const uint32_t room = r->comment_room ? 2 * r->comment_room : 8;
        const char **more = ecg__calloc(room, sizeof *more);
        if (!more)
            return ecg__fail(r->err, ECG_ENOMEM, "%s: out of memory", h->path);
        for (uint32_t i = 0; i < h->info.comments; i++)
            more[i] = h->comments[i];
        ecg__free(h->comments);
        h->comments = more;
        r->comment_room = room;
    }
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    *end = '\0';
    h->comments[h->info.comments++] = s;
    return ECG_OK;
}

/* *line is NULL at the end of the text. */
static ecg_status next_line(reader *r, char **line, char **end)
{
    *line = NULL;
    while (r->at < r->stop) {
        char *start = r->at;
        char *nl = memchr(start, '\n', (size_t)(r->stop - start));
        char *stop = nl ? nl : r->stop;
        r->at = nl ? nl + 1 : r->stop;
        r->number++;
        char *s = start;
        while (s < stop && (*s == ' ' || *s == '\t' || *s == '\r'))
            s++;
        if (s == stop)
            continue;
        if (*s != '#') {
            *line = s;
            *end = stop;
            return ECG_OK;
        }
        const ecg_status status = r->begun ? keep_comment(r, s + 1, stop) : ECG_OK;
        if (status != ECG_OK)
            return status;
    }
    return ECG_OK;
}

#define REFUSE(r, w, what, expected)                                                                         \
    ecg__fail((r)->err, ECG_EFORMAT, "%s:%u: %s \"%.*s\", expected %s", (r)->h->path, (r)->number, what,     \
              (int)((w).n < 60 ? (w).n : 60), (w).s, expected)

/* RATE[/COUNTER[(BASE)]] */
static ecg_status parse_rate(reader *r, ecg__word w)
{
    static const char expected[] = "a number > 0, as 360 or 360/1000(0)";
    ecg_record_info *i = &r->h->info;
    const char *slash = memchr(w.s, '/', w.n);
    const size_t n = slash ? (size_t)(slash - w.s) : w.n;
    if (!ecg__number_read(w.s, n, &i->rate, NULL) || i->rate < 1e-6 || i->rate > 1e9)
        return REFUSE(r, w, "rate", expected);
    i->counter_rate = i->rate;
    if (!slash)
        return ECG_OK;
    const char *s = slash + 1;
    const size_t left = w.n - n - 1;
    const char *open = memchr(s, '(', left);
    if (!ecg__number_read(s, open ? (size_t)(open - s) : left, &i->counter_rate, NULL) || i->counter_rate < 0)
        return REFUSE(r, w, "counter rate in", expected);
    if (i->counter_rate == 0)
        i->counter_rate = i->rate;
    if (!open)
        return ECG_OK;
    const char *close = memchr(open, ')', left - (size_t)(open - s));
    if (!close || !ecg__number_read(open + 1, (size_t)(close - open) - 1, &i->counter_base, NULL))
        return REFUSE(r, w, "counter base in", expected);
    return ECG_OK;
}

/* NAME[/SEGMENTS] SIGNALS [RATE [FRAMES [TIME [DATE]]]] */
static ecg_status parse_record_line(reader *r, char *line, char *end)
{
    ecg_record_info *info = &r->h->info;
    ecg__word name = ecg__word_next(&line, end);
    const ecg__word signals = ecg__word_next(&line, end), rate = ecg__word_next(&line, end);
    const ecg__word frames = ecg__word_next(&line, end), time = ecg__word_next(&line, end);
    const ecg__word date = ecg__word_next(&line, end);
    int64_t v;
    char *slash = memchr(name.s, '/', name.n);
    if (slash) {
        const ecg__word count = {slash + 1, name.n - (size_t)(slash - name.s) - 1};
        if (!ecg__word_int(count, 1, ECG__MAX_SEGMENTS, &v))
            return REFUSE(r, name, "number of segments", "1 to 1048576 after the record's name");
        r->h->segment_count = (uint32_t)v;
        name.n = (size_t)(slash - name.s);
    }
    if (name.n == 0)
        return REFUSE(r, name, "record", "its name");
    if (!ecg__word_int(signals, 0, ECG__MAX_SIGNALS, &v))
        return REFUSE(r, signals, "number of signals", "0 to 4096 after the record's name");
    info->signals = (uint32_t)v;
    info->rate = info->counter_rate = 250;
    if (rate.n > 0) {
        const ecg_status s = parse_rate(r, rate);
        if (s != ECG_OK)
            return s;
    }
    if (frames.n > 0 && !ecg__word_int(frames, 0, INT64_MAX, &v))
        return REFUSE(r, frames, "number of frames", "a whole number >= 0");
    info->frames = frames.n > 0 ? (uint64_t)v : 0;
    r->h->frames_said = info->frames > 0;
    info->segments = 1;
    name.s[name.n] = time.s[time.n] = date.s[date.n] = '\0';
    info->name = name.s;
    info->start_time = time.s;
    info->start_date = date.s;
    return ECG_OK;
}

static ecg_status expect_line(reader *r, char **line, char **end, const char *what, uint32_t index,
                              uint32_t count)
{
    const ecg_status s = next_line(r, line, end);
    if (s != ECG_OK || *line)
        return s;
    return ecg__fail(r->err, ECG_ECORRUPT, "%s:%u: ends after %s %u, expected %u", r->h->path, r->number,
                     what, index, count);
}

/* Signals of one file stand together, in one format from one offset. */
static ecg_status join_files(reader *r, uint32_t i)
{
    ecg__signal *s = r->h->signals;
    if (strcmp(s[i].file, "~") == 0)
        return ECG_OK;
    for (uint32_t j = 0; j < i; j++) {
        if (strcmp(s[j].file, s[i].file) != 0)
            continue;
        if (strcmp(s[i - 1].file, s[i].file) != 0)
            return ecg__fail(r->err, ECG_EFORMAT,
                             "%s:%u: signal %u is in %s as signal %u is, expected signals of a file together",
                             r->h->path, r->number, i, s[i].file, j);
        s[i].same_file = true;
        s[i].column = s[i - 1].column + s[i - 1].per_block;
        if (s[i].column > ECG__MAX_BLOCK - s[i].per_block)
            return ecg__fail(r->err, ECG_ELIMIT, "%s:%u: more than %d samples in a frame", r->h->path,
                             r->number, ECG__MAX_BLOCK);
        if (s[j].info.format != s[i].info.format || (s[i].offset && s[i].offset != s[j].offset))
            return ecg__fail(r->err, ECG_EFORMAT,
                             "%s:%u: signal %u: format %u+%llu, but signal %u in the same file has %u+%llu",
                             r->h->path, r->number, i, s[i].info.format, (unsigned long long)s[i].offset, j,
                             s[j].info.format, (unsigned long long)s[j].offset);
        s[i].offset = s[j].offset;
        break;
    }
    return ECG_OK;
}

static ecg_status parse_signals(reader *r)
{
    ecg__header *h = r->h;
    const uint32_t n = h->info.signals;
    if (!(h->signals = ecg__calloc(n ? n : 1, sizeof *h->signals)))
        return ecg__fail(r->err, ECG_ENOMEM, "%s: out of memory", h->path);
    for (uint32_t i = 0; i < n; i++) {
        char *line, *end;
        ecg_status s = expect_line(r, &line, &end, "signal", i, n);
        if (s == ECG_OK)
            s = ecg__wfdb_signal_parse(&h->signals[i], line, end, i, h->path, r->number, r->err);
        if (s == ECG_OK)
            s = join_files(r, i);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}

/* NAME FRAMES */
static ecg_status parse_segment(reader *r, uint32_t i, uint64_t *sum)
{
    ecg__segment *g = &r->h->segments[i];
    char *line, *end;
    const ecg_status s = expect_line(r, &line, &end, "segment", i, r->h->segment_count);
    if (s != ECG_OK)
        return s;
    const ecg__word name = ecg__word_next(&line, end), frames = ecg__word_next(&line, end);
    int64_t v;
    if (!ecg__word_int(frames, 0, INT64_MAX, &v) || (uint64_t)v > ECG__MAX_SAMPLES - *sum)
        return REFUSE(r, frames, "number of frames of a segment", "a whole number below 2^56");
    name.s[name.n] = '\0';
    if (!ecg__name_is_inside(name.s))
        return ecg__fail(r->err, ECG_EINVAL,
                         "%s:%u: segment \"%.100s\": expected a record in the header's folder", r->h->path,
                         r->number, name.s);
    if (v == 0 && i > 0)
        return REFUSE(r, frames, "number of frames of a segment",
                      "more than 0 but in the first (the layout)");
    *g = (ecg__segment){name.s, (uint64_t)v, *sum};
    *sum += (uint64_t)v;
    return ECG_OK;
}

static ecg_status parse_segments(reader *r)
{
    ecg__header *h = r->h;
    uint64_t sum = 0;
    const unsigned record_line = r->number;
    /* A line takes at least four bytes. */
    if (h->segment_count > (size_t)(r->stop - r->at) / 3)
        return ecg__fail(r->err, ECG_ECORRUPT, "%s:%u: %u segments, more than the file has lines for",
                         h->path, r->number, h->segment_count);
    if (!(h->segments = ecg__calloc(h->segment_count, sizeof *h->segments)))
        return ecg__fail(r->err, ECG_ENOMEM, "%s: out of memory", h->path);
    for (uint32_t i = 0; i < h->segment_count; i++) {
        const ecg_status s = parse_segment(r, i, &sum);
        if (s != ECG_OK)
            return s;
    }
    h->layout = h->segments[0].frames == 0;
    if (h->layout && (h->segment_count == 1 || strcmp(h->segments[0].name, "~") == 0))
        return ecg__fail(r->err, ECG_EFORMAT,
                         "%s:%u: the first of %u segments is empty, expected it to be a layout", h->path,
                         record_line + 1, h->segment_count);
    h->info.segments = h->segment_count - h->layout;
    if (h->frames_said && h->info.frames != sum)
        return ecg__fail(r->err, ECG_ECORRUPT, "%s:%u: %llu frames, but its segments have %llu together",
                         h->path, record_line, (unsigned long long)h->info.frames, (unsigned long long)sum);
    h->info.frames = sum;
    h->frames_said = true;
    return ECG_OK;
}

static ecg_status parse(reader *r)
{
    char *line, *end;
    ecg_status s = next_line(r, &line, &end);
    if (s == ECG_OK && !line)
        s = ecg__fail(r->err, ECG_EFORMAT, "%s: empty, expected a WFDB header", r->h->path);
    if (s == ECG_OK)
        s = parse_record_line(r, line, end);
    if (s != ECG_OK)
        return s;
    r->begun = true;
    s = r->h->segment_count ? parse_segments(r) : parse_signals(r);
    if (s == ECG_OK)
        s = next_line(r, &line, &end);
    if (s == ECG_OK && line)
        s = ecg__fail(r->err, ECG_EFORMAT, "%s:%u: a line after the last of %u %s, expected only comments",
                      r->h->path, r->number, r->h->segment_count ? r->h->segment_count : r->h->info.signals,
                      r->h->segment_count ? "segments" : "signals");
    return s;
}

ecg_status ecg__wfdb_header_parse(ecg__header **out, const char *text, size_t n, const char *path,
                                  ecg_error *err)
{
    *out = NULL;
    if (n > ECG__HEADER_BYTES)
        return ecg__fail(err, ECG_ELIMIT, "%s: larger than a header may be (%d bytes)", path,
                         ECG__HEADER_BYTES);
    const char *zero = n ? memchr(text, '\0', n) : NULL;
    if (zero)
        return ecg__fail(err, ECG_EFORMAT, "%s: a zero at byte %zu, expected the text of a WFDB header", path,
                         (size_t)(zero - text));
    ecg__header *h = ecg__calloc(1, sizeof *h);
    if (h) {
        h->path = ecg__strdup(path);
        h->text = ecg__calloc(n + 1, 1);
    }
    if (!h || !h->path || !h->text) {
        ecg__header_free(h);
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    }
    if (n)
        memcpy(h->text, text, n);
    reader r = {.h = h, .at = h->text, .stop = h->text + n, .err = err};
    const ecg_status s = parse(&r);
    if (s != ECG_OK) {
        ecg__header_free(h);
        return s;
    }
    *out = h;
    return ECG_OK;
}

ecg_status ecg__wfdb_header_read(ecg__header **out, const char *path, ecg_error *err)
{
    unsigned char *text;
    size_t n;
    *out = NULL;
    ecg_status s = ecg__file_read(&text, &n, path, ECG__HEADER_BYTES, err);
    if (s != ECG_OK)
        return s;
    s = ecg__wfdb_header_parse(out, (const char *)text, n, path, err);
    ecg__free(text);
    return s;
}
