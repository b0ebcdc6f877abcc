#define _POSIX_C_SOURCE 200809L
#include "signal/csv_line.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/status.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void ecg__lines_seek(ecg__lines *l, uint64_t offset)
{
    l->start = offset;
    l->at = l->have = 0;
    l->number = 0;
    l->end = false;
}

/* Moves what is left to the front and fills up the buffer. */
static ecg_status refill(ecg__lines *l, ecg_error *err)
{
    memmove(l->buffer, l->buffer + l->at, l->have - l->at);
    l->start += l->at;
    l->have -= l->at;
    l->at = 0;
    while (!l->end && l->have < sizeof l->buffer) {
        const ssize_t got = pread(l->fd, l->buffer + l->have, sizeof l->buffer - l->have,
                                  (off_t)(l->start + l->have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__file_fail(err, l->path, "cannot read", errno);
        l->end = got == 0;
        l->have += (size_t)got;
    }
    return ECG_OK;
}

ecg_status ecg__lines_next(ecg__lines *l, const char **line, size_t *n, uint64_t *offset, ecg_error *err)
{
    *line = NULL;
    const char *nl = memchr(l->buffer + l->at, '\n', l->have - l->at);
    if (!nl && !l->end) {
        const ecg_status s = refill(l, err);
        if (s != ECG_OK)
            return s;
        nl = memchr(l->buffer, '\n', l->have);
    }
    const char *s = l->buffer + l->at, *stop = nl ? nl : l->buffer + l->have;
    if (!nl && l->at == l->have)
        return ECG_OK;
    l->number++;
    if (stop - s >= ECG__CSV_LINE)
        return ecg__fail(err, ECG_ELIMIT, "%s:%llu: a line longer than %d bytes", l->path,
                         (unsigned long long)l->number, ECG__CSV_LINE);
    *offset = l->start + l->at;
    l->at = (size_t)(stop - l->buffer) + (nl != NULL);
    while (s < stop && blank(*s) && *s != '\t')
        s++;
    while (stop > s && blank(stop[-1]) && stop[-1] != '\t')
        stop--;
    *line = s;
    *n = (size_t)(stop - s);
    return ECG_OK;
}

bool ecg__field_next(const char **at, const char *end, char separator, ecg__field *out)
{
    const char *s = *at;
    if (!s)
        return false;
    while (separator == ' ' && s < end && blank(*s))
        s++;
    const char *stop = s;
    while (stop < end && (separator == ' ' ? !blank(*stop) : *stop != separator))
        stop++;
    const char *rest = stop;
    while (separator == ' ' && rest < end && blank(*rest))
        rest++;
    *at = rest == end ? NULL : separator == ' ' ? rest : rest + 1;
    while (s < stop && (blank(*s) || *s == '"' || *s == '\''))
        s++;
    while (stop > s && (blank(stop[-1]) || stop[-1] == '"' || stop[-1] == '\''))
        stop--;
    *out = (ecg__field){s, (size_t)(stop - s)};
    return true;
}

bool ecg__field_number(ecg__field f, double *out)
{
    if (f.n == 0 || (f.n == 1 && f.s[0] == '-') || (f.n == 3 && strncasecmp(f.s, "nan", 3) == 0)) {
        *out = (double)NAN;
        return true;
    }
    return ecg__number_read(f.s, f.n, out, NULL);
}

bool ecg__field_time(ecg__field f, double *out)
{
    double sum = 0;
    int parts = 0;
    for (const char *s = f.s, *end = f.s + f.n;; parts++) {
        const char *colon = memchr(s, ':', (size_t)(end - s));
        double v;
        if (!ecg__number_read(s, (size_t)((colon ? colon : end) - s), &v, NULL) || parts > 2 ||
            (parts > 0 && (v < 0 || v >= 60)))
            return false;
        sum = sum * 60 + v;
        if (!colon)
            break;
        s = colon + 1;
    }
    *out = sum;
    return true;
}

char ecg__csv_separator(const char *line, size_t n)
{
    static const char known[] = "\t;,";
    for (const char *c = known; *c; c++) {
        if (memchr(line, *c, n))
            return *c;
    }
    return ' ';
}
