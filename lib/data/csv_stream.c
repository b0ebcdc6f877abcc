#define _POSIX_C_SOURCE 200809L
#include "data/csv_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"

/* A record takes twice its limit at most, every byte of it a doubled quote, and a quote or comma a field. */
enum { ROOM = 1 << 20, LEAST = 4 * ECG__CSV_RECORD };

struct ecg__csv_stream {
    int fd;
    bool ended, begun;
    struct ecg__csv csv; /* over buffer */
    char buffer[ROOM];
};

ecg_status ecg__csv_stream_open(struct ecg__csv_stream **out, const char *path, ecg_error *err)
{
    uint64_t size;
    *out = NULL;
    struct ecg__csv_stream *s = ecg__alloc(sizeof *s);
    if (!s)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    s->ended = s->begun = false;
    ecg__csv_init(&s->csv, s->buffer, 0, path);
    const ecg_status st = ecg__file_open(&s->fd, &size, path, err);
    if (st != ECG_OK) {
        ecg__free(s);
        return st;
    }
    *out = s;
    return ECG_OK;
}

void ecg__csv_stream_close(struct ecg__csv_stream *s)
{
    if (!s)
        return;
    close(s->fd);
    ecg__free(s);
}

static ecg_status fill(struct ecg__csv_stream *s, ecg_error *err)
{
    const char *path = s->csv.path;
    size_t used = (size_t)(s->csv.end - s->csv.at);
    if (s->ended || used >= LEAST)
        return ECG_OK;
    memmove(s->buffer, s->csv.at, used);
    while (used < ROOM && !s->ended) {
        const ssize_t got = read(s->fd, s->buffer + used, ROOM - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__file_fail(err, path, "cannot read", errno);
        s->ended = got == 0;
        used += (size_t)got;
    }
    if (s->begun) {
        s->csv.at = s->buffer;
        s->csv.end = s->buffer + used;
    } else {
        ecg__csv_init(&s->csv, s->buffer, used, path);
    }
    s->begun = true;
    return ECG_OK;
}

ecg_status ecg__csv_stream_next(struct ecg__csv_stream *s, struct ecg__csv **c, ecg_error *err)
{
    bool more = false;
    ecg_status st;
    *c = NULL;
    do {
        st = fill(s, err);
        if (st == ECG_OK)
            st = ecg__csv_next(&s->csv, &more, err);
    } while (st == ECG_OK && !more && !s->ended); /* nothing but empty lines so far */
    if (st == ECG_OK && more)
        *c = &s->csv;
    return st;
}
