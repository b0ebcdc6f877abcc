#define _POSIX_C_SOURCE 200809L
#include "signal/record_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"
#include "signal/csv_line.h"

enum { CHUNK_ROWS = 1024 };

struct ecg__csv {
    ecg__lines lines;
    char *path;
    uint32_t columns; /* of the file */
    bool timed;       /* the first is no signal */
    bool counted;     /* but the number of the sample */
    char separator;
    uint64_t rows;
    uint64_t *offsets; /* where each chunk of rows begins */
    size_t chunks, room;
    uint64_t loaded;
    double *values; /* [CHUNK_ROWS][columns] */

    /* While the file is read for the first time. */
    const char *names, *units; /* lines, kept in the header's text */
    double rate;
    double time, time0, longest; /* last, first, longest step and where */
    uint64_t longest_line;
    ecg_error *err;
};

void ecg__csv_close(ecg__csv *c)
{
    if (!c)
        return;
    if (c->lines.fd >= 0)
        close(c->lines.fd);
    ecg__free(c->path);
    ecg__free(c->offsets);
    ecg__free(c->values);
    ecg__free(c);
}

static bool is_one_of(ecg__field f, const char *const *words)
{
    for (; *words; words++) {
        if (f.n == strlen(*words) && strncasecmp(f.s, *words, f.n) == 0)
            return true;
    }
    return false;
}

/* "# rate 360", "# fs=360 Hz" */
static void take_comment(ecg__csv *c, const char *s, size_t n)
{
    static const char *const words[] = {"sampling rate", "sampling_rate", "rate", "fs"};
    for (; n > 0 && (*s == '#' || *s == ' '); n--)
        s++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t k = strlen(words[i]);
        if (n <= k || strncasecmp(s, words[i], k) != 0)
            continue;
        while (k < n && strchr(" :=\t", s[k]))
            k++;
        size_t stop = k;
        while (stop < n && strchr("0123456789.", s[stop]))
            stop++;
        double rate;
        if (ecg__number_read(s + k, stop - k, &rate, NULL) && rate >= 1e-6 && rate <= 1e9)
            c->rate = rate;
        return;
    }
}

/* Fields of a line that are no numbers. */
static uint32_t count_words(const ecg__csv *c, const char *s, size_t n, uint32_t *fields)
{
    uint32_t words = 0;
    ecg__field f;
    double v;
    *fields = 0;
    for (const char *at = s; ecg__field_next(&at, s + n, c->separator, &f); (*fields)++)
        words += !ecg__field_number(f, &v) && !ecg__field_time(f, &v);
    return words;
}

static ecg_status take_time(ecg__csv *c, ecg__field f)
{
    double t;
    const unsigned long long number = c->lines.number;
    if (!ecg__field_time(f, &t))
        return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: time \"%.*s\", expected seconds or minutes:seconds",
                         c->path, number, (int)(f.n < 40 ? f.n : 40), f.s);
    if (c->rows == 0) {
        c->time0 = t;
    } else {
        const double step = t - c->time;
        if (step < 0 || (c->counted && step != 1))
            return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: time %.9g after %.9g, expected it to rise%s",
                             c->path, number, t, c->time, c->counted ? " by 1" : "");
        if (step > c->longest) {
            c->longest = step;
            c->longest_line = number;
        }
    }
    c->time = t;
    return ECG_OK;
}

/* The values of a row into v[columns], which may be NULL. */
static ecg_status read_row(ecg__csv *c, const char *s, size_t n, double *v)
{
    uint32_t k = 0;
    ecg__field f;
    double ignored;
    for (const char *at = s; ecg__field_next(&at, s + n, c->separator, &f); k++) {
        if (k == c->columns)
            break;
        if (k == 0 && c->timed)
            continue;
        if (!ecg__field_number(f, v ? &v[k] : &ignored))
            return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: field %u is \"%.*s\", expected a number", c->path,
                             (unsigned long long)c->lines.number, k + 1, (int)(f.n < 40 ? f.n : 40), f.s);
    }
    if (k < c->columns)
        return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: %u fields, expected %u", c->path,
                         (unsigned long long)c->lines.number, k, c->columns);
    return ECG_OK;
}

static ecg_status index_row(ecg__csv *c, const char *s, size_t n, uint64_t offset)
{
    uint32_t fields;
    count_words(c, s, n, &fields);
    if (fields != c->columns)
        return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: %u fields, expected %u", c->path,
                         (unsigned long long)c->lines.number, fields, c->columns);
    ecg_status status = read_row(c, s, n, NULL);
    ecg__field first;
    const char *at = s;
    if (status == ECG_OK && c->timed && ecg__field_next(&at, s + n, c->separator, &first))
        status = take_time(c, first);
    if (status != ECG_OK)
        return status;
    if (c->rows++ % CHUNK_ROWS != 0)
        return ECG_OK;
    if (c->chunks == c->room) {
        const size_t room = c->room ? 2 * c->room : 64;
        uint64_t *more = ecg__calloc(room, sizeof *more);
        if (!more)
            return ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->path);
        if (c->chunks)
            memcpy(more, c->offsets, c->chunks * sizeof *more);
        ecg__free(c->offsets);
        c->offsets = more;
        c->room = room;
    }
    c->offsets[c->chunks++] = offset;
    return ECG_OK;
}

/* The line with the names, which decides on columns too; keeps a copy at *room. */
static void take_names(ecg__csv *c, const char *s, size_t n, char **room)
{
    static const char *const times[] = {"time", "t", "seconds", "elapsed time", "time (s)", NULL};
    static const char *const numbers[] = {"sample", "sample #", "sample number", NULL};
    ecg__field first;
    const char *at = s;
    memcpy(*room, s, n);
    c->names = *room;
    *room += n + 1;
    ecg__field_next(&at, s + n, c->separator, &first);
    c->counted = is_one_of(first, numbers);
    c->timed = c->counted || is_one_of(first, times);
}

static ecg_status read_through(ecg__csv *c, char *room)
{
    for (;;) {
        const char *s;
        size_t n;
        uint64_t offset;
        const ecg_status status = ecg__lines_next(&c->lines, &s, &n, &offset, c->err);
        if (status != ECG_OK || !s)
            return status;
        if (n == 0)
            continue;
        if (s[0] == '#' && c->rows == 0) {
            take_comment(c, s, n);
            continue;
        }
        uint32_t fields, words;
        if (c->columns == 0) {
            c->separator = ecg__csv_separator(s, n);
            words = count_words(c, s, n, &c->columns);
            if (words > 0) {
                take_names(c, s, n, &room);
                continue;
            }
        } else if (c->names && !c->units && c->rows == 0) {
            words = count_words(c, s, n, &fields);
            if (words > 0 && fields == c->columns && words >= fields - c->timed) {
                memcpy(room, s, n);
                c->units = room;
                room += n + 1;
                continue;
            }
        }
        const ecg_status row = index_row(c, s, n, offset);
        if (row != ECG_OK)
            return row;
    }
}

/* Frames a second by the times, which may be rounded to milliseconds. */
static ecg_status find_rate(ecg__csv *c, const ecg_record_options *o)
{
    if (o->rate > 0) {
        c->rate = o->rate;
    } else if (c->timed && !c->counted && c->rows > 1 && c->time > c->time0) {
        const double span = c->time - c->time0, rate = (double)(c->rows - 1) / span;
        const double doubt = rate * (0.0011 / span > 1e-6 ? 0.0011 / span : 1e-6);
        c->rate = floor(rate + 0.5) > 0 && fabs(floor(rate + 0.5) - rate) <= doubt ? floor(rate + 0.5) : rate;
        if (c->longest > 1.5 / c->rate + 0.0011)
            return ecg__fail(c->err, ECG_EFORMAT, "%s:%llu: a step of %.9g seconds, expected steps of %.9g",
                             c->path, (unsigned long long)c->longest_line, c->longest, 1 / c->rate);
    }
    if (!(c->rate >= 1e-6 && c->rate <= 1e9))
        return ecg__fail(
            c->err, ECG_EFORMAT,
            "%s: frames a second not known: expected a column of times, a line \"# rate 360\" or the "
            "option rate",
            c->path);
    return ECG_OK;
}

/* Field k of a kept line, ended in place. */
static const char *cut(const char *line, size_t length, uint32_t k, char separator, char *copy)
{
    ecg__field f = {NULL, 0};
    const char *at = line;
    for (uint32_t i = 0; i <= k; i++) {
        if (!ecg__field_next(&at, line + length, separator, &f))
            return "";
    }
    memcpy(copy, f.s, f.n);
    copy[f.n] = '\0';
    return copy;
}

static void fill_header(ecg__csv *c, ecg__header *h, const ecg_record_options *o, char *room)
{
    const size_t names = c->names ? strlen(c->names) : 0, units = c->units ? strlen(c->units) : 0;
    h->info = (ecg_record_info){.name = h->text,
                                .rate = c->rate,
                                .counter_rate = c->rate,
                                .frames = c->rows,
                                .signals = c->columns - c->timed,
                                .segments = 1,
                                .start_time = "",
                                .start_date = ""};
    h->frames_said = true;
    for (uint32_t i = 0; i < h->info.signals; i++) {
        ecg_signal_info *s = &h->signals[i].info;
        *s = (ecg_signal_info){
            .name = "", .units = o->units ? o->units : "mV", .gain = 1, .samples_per_frame = 1};
        h->signals[i].file = "~";
        h->signals[i].per_block = 1;
        if (c->names) {
            s->name = cut(c->names, names, i + c->timed, c->separator, room);
            room += strlen(s->name) + 1;
        }
        if (c->units && !o->units) {
            const char *u = cut(c->units, units, i + c->timed, c->separator, room);
            s->units = *u ? u : "mV";
            room += strlen(u) + 1;
        } else if (o->units) {
            s->units = strcpy(room, o->units);
            room += strlen(o->units) + 1;
        }
        s->mv_per_unit = ecg__mv_per_unit(s->units);
    }
}

static ecg_status open_lines(ecg__csv *c)
{
    struct stat st;
    do
        c->lines.fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (c->lines.fd < 0 && errno == EINTR);
    if (c->lines.fd < 0)
        return ecg__file_fail(c->err, c->path, "cannot open", errno);
    if (fstat(c->lines.fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ecg__fail(c->err, ECG_EIO, "%s: is not a regular file, expected a table", c->path);
    return ECG_OK;
}

static ecg_status open_all(ecg__csv *c, ecg__header *h, const ecg_record_options *o)
{
    /* Room for the name, both lines kept whole and cut, and units by option. */
    const size_t unit = o->units ? strlen(o->units) : 0, name = strlen(c->path) + 1;
    if (unit > 32)
        return ecg__fail(c->err, ECG_EINVAL, "%s: units \"%.40s\", expected 32 bytes at the most", c->path,
                         o->units);
    const char *slash = strrchr(c->path, '/');
    h->path = ecg__strdup(c->path);
    h->text = ecg__calloc(name + 6 * (size_t)ECG__CSV_LINE + (size_t)ECG__MAX_SIGNALS * (unit + 1), 1);
    ecg_status s = h->path && h->text ? open_lines(c)
                                      : ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->path);
    if (s != ECG_OK)
        return s;
    strcpy(h->text, slash ? slash + 1 : c->path);
    char *dot = strrchr(h->text, '.');
    if (dot && dot != h->text)
        *dot = '\0';
    s = read_through(c, h->text + name);
    if (s == ECG_OK && (c->rows == 0 || c->columns <= c->timed))
        s = ecg__fail(c->err, ECG_EFORMAT, "%s: no samples, expected lines of numbers", c->path);
    if (s == ECG_OK && c->columns - c->timed > ECG__MAX_SIGNALS)
        s = ecg__fail(c->err, ECG_ELIMIT, "%s: %u signals, expected %d at the most", c->path, c->columns,
                      ECG__MAX_SIGNALS);
    if (s == ECG_OK)
        s = find_rate(c, o);
    if (s != ECG_OK)
        return s;
    c->values = ecg__calloc((size_t)CHUNK_ROWS * c->columns, sizeof *c->values);
    h->signals = ecg__calloc(c->columns, sizeof *h->signals);
    if (!c->values || !h->signals)
        return ecg__fail(c->err, ECG_ENOMEM, "%s: out of memory", c->path);
    fill_header(c, h, o, h->text + name + 2 * (size_t)ECG__CSV_LINE);
    return ECG_OK;
}

ecg_status ecg__csv_open(ecg__csv **out, ecg__header **header, const char *path, const ecg_record_options *o,
                         ecg_error *err)
{
    *out = NULL;
    *header = NULL;
    ecg__csv *c = ecg__calloc(1, sizeof *c);
    ecg__header *h = ecg__calloc(1, sizeof *h);
    if (c) {
        c->lines.fd = -1;
        c->loaded = UINT64_MAX;
        c->err = err;
        c->lines.path = c->path = ecg__strdup(path);
    }
    const ecg_status s = c && h && c->path ? open_all(c, h, o)
                                           : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    if (s != ECG_OK) {
        ecg__csv_close(c);
        ecg__header_free(h);
        return s;
    }
    *out = c;
    *header = h;
    return ECG_OK;
}

static ecg_status load(ecg__csv *c, uint64_t chunk)
{
    const uint64_t left = c->rows - chunk * CHUNK_ROWS;
    c->loaded = UINT64_MAX;
    ecg__lines_seek(&c->lines, c->offsets[chunk]);
    for (uint64_t i = 0; i < left && i < CHUNK_ROWS;) {
        const char *s;
        size_t n;
        uint64_t offset;
        ecg_status status = ecg__lines_next(&c->lines, &s, &n, &offset, c->err);
        if (status != ECG_OK)
            return status;
        if (!s)
            return ecg__fail(c->err, ECG_ECORRUPT,
                             "%s: ends in row %llu, expected %llu: it has become shorter", c->path,
                             (unsigned long long)(chunk * CHUNK_ROWS + i), (unsigned long long)c->rows);
        if (n == 0)
            continue;
        status = read_row(c, s, n, c->values + i * c->columns);
        if (status != ECG_OK)
            return status;
        i++;
    }
    c->loaded = chunk;
    return ECG_OK;
}

ecg_status ecg__csv_read(ecg__csv *c, uint32_t signal, uint64_t first, size_t n, double unit, float *mv,
                         ecg_error *err)
{
    c->err = err;
    for (size_t i = 0; i < n; i++) {
        const uint64_t chunk = (first + i) / CHUNK_ROWS;
        const ecg_status s = chunk == c->loaded ? ECG_OK : load(c, chunk);
        if (s != ECG_OK)
            return s;
        mv[i] = (float)(c->values[(first + i) % CHUNK_ROWS * c->columns + signal + c->timed] * unit);
    }
    return ECG_OK;
}
