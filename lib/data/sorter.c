#define _XOPEN_SOURCE 700
#include "data/sorter.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "data/listing.h"
#include "data/pack_format.h"

enum { FIXED_MOST = 1024, RUN_BUFFER = 1 << 16, MEMORY_LEAST = 1 << 16 };

/* A row as it lies in memory and in the file: this, the fixed bytes, the name with its end. */
struct head {
    uint32_t bytes, major; /* bytes: of all, rounded up so that the next is aligned */
};

/* Rows in order, written one after the other. */
struct run {
    uint64_t start, end, at; /* in the file; at: of what is to be read next */
    unsigned char *buffer;   /* [RUN_BUFFER] */
    size_t used, from;
};

struct ecg__sorter {
    const char *folder;
    size_t fixed, memory;
    unsigned char *rows; /* [memory] */
    size_t used;
    const unsigned char **row; /* in `rows` */
    size_t count, cap;
    int fd;
    uint64_t written;
    struct run *run;
    size_t runs, run_cap;
    uint32_t *heap; /* runs by their next row, the least first */
    size_t heap_count;
    size_t next; /* without runs: of row[] */
    bool begun, give;
};

static ecg_status no_memory(const struct ecg__sorter *s, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for sorting", s->folder);
}

static const char *name_of(const unsigned char *row, size_t fixed)
{
    return (const char *)row + sizeof(struct head) + fixed;
}

static struct head head_of(const unsigned char *row)
{
    struct head h;
    memcpy(&h, row, sizeof h);
    return h;
}

static int compare(const unsigned char *a, const unsigned char *b, size_t fixed)
{
    const struct head x = head_of(a), y = head_of(b);
    if (x.major != y.major)
        return x.major < y.major ? -1 : 1;
    return strcmp(name_of(a, fixed), name_of(b, fixed));
}

/* ---- In memory: merge sort, since the comparison needs to know where names begin ---- */
static void sort_rows(const unsigned char **v, const unsigned char **spare, size_t n, size_t fixed)
{
    if (n < 2)
        return;
    const size_t half = n / 2;
    sort_rows(v, spare, half, fixed);
    sort_rows(v + half, spare, n - half, fixed);
    memcpy(spare, v, half * sizeof *v);
    for (size_t a = 0, b = half, to = 0; a < half; to++)
        v[to] = b < n && compare(v[b], spare[a], fixed) < 0 ? v[b++] : spare[a++];
}

static ecg_status sort_memory(struct ecg__sorter *s, ecg_error *err)
{
    const unsigned char **spare = ecg__calloc(s->count / 2 + 1, sizeof *spare);
    if (!spare)
        return no_memory(s, err);
    sort_rows(s->row, spare, s->count, s->fixed);
    ecg__free(spare);
    return ECG_OK;
}

/* ---- The file ---- */
static ecg_status open_file(struct ecg__sorter *s, ecg_error *err)
{
    static const char name[] = "/.sorting-XXXXXX";
    char *path = ecg__alloc(strlen(s->folder) + sizeof name);
    if (!path)
        return no_memory(s, err);
    strcpy(path, s->folder);
    strcat(path, name);
    s->fd = mkstemp(path);
    const int code = errno;
    if (s->fd >= 0)
        unlink(path);
    ecg__free(path);
    return s->fd >= 0 ? ECG_OK : ecg__file_fail(err, s->folder, "cannot create a file for sorting", code);
}

static ecg_status put(struct ecg__sorter *s, const unsigned char *p, size_t n, ecg_error *err)
{
    while (n > 0) {
        const ssize_t done = pwrite(s->fd, p, n, (off_t)s->written);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return ecg__file_fail(err, s->folder, "cannot write the file for sorting", errno);
        p += done;
        n -= (size_t)done;
        s->written += (uint64_t)done;
    }
    return ECG_OK;
}

/* The rows in memory become a run. */
static ecg_status spill(struct ecg__sorter *s, ecg_error *err)
{
    struct run *grown = ecg__grown(s->run, &s->run_cap, s->runs, sizeof *grown);
    unsigned char *buffer = ecg__alloc(RUN_BUFFER);
    ecg_status st = ECG_OK;
    if (grown)
        s->run = grown;
    if (!grown || !buffer)
        st = no_memory(s, err);
    if (st == ECG_OK && s->fd < 0)
        st = open_file(s, err);
    if (st == ECG_OK)
        st = sort_memory(s, err);
    const uint64_t start = s->written;
    size_t used = 0;
    for (size_t i = 0; st == ECG_OK && i < s->count; i++) {
        const size_t n = head_of(s->row[i]).bytes;
        if (used + n > RUN_BUFFER) {
            st = put(s, buffer, used, err);
            used = 0;
        }
        memcpy(buffer + used, s->row[i], n);
        used += n;
    }
    if (st == ECG_OK)
        st = put(s, buffer, used, err);
    if (st != ECG_OK) {
        ecg__free(buffer);
        return st;
    }
    s->run[s->runs++] = (struct run){.start = start, .end = s->written, .buffer = buffer};
    s->count = s->used = 0;
    return ECG_OK;
}

/* ---- Reading runs ---- */
static const unsigned char *row_at(const struct run *r)
{
    return r->buffer + r->from;
}

/* The run's next row is whole in its buffer; *more is false at its end. */
static ecg_status fetch(struct ecg__sorter *s, struct run *r, bool *more, ecg_error *err)
{
    const size_t left = r->used - r->from;
    *more = left > 0 || r->at < r->end;
    if (!*more || (left >= sizeof(struct head) && left >= head_of(row_at(r)).bytes))
        return ECG_OK;
    memmove(r->buffer, row_at(r), left);
    r->used = left;
    r->from = 0;
    const uint64_t rest = r->end - r->at;
    size_t want = rest < RUN_BUFFER - left ? (size_t)rest : RUN_BUFFER - left;
    while (want > 0) {
        const ssize_t got = pread(s->fd, r->buffer + r->used, want, (off_t)r->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ecg__file_fail(err, s->folder, "cannot read the file for sorting", got < 0 ? errno : EIO);
        r->used += (size_t)got;
        r->at += (uint64_t)got;
        want -= (size_t)got;
    }
    return ECG_OK;
}

static bool before(const struct ecg__sorter *s, uint32_t a, uint32_t b)
{
    const int d = compare(row_at(&s->run[a]), row_at(&s->run[b]), s->fixed);
    return d ? d < 0 : a < b;
}

static void sink(struct ecg__sorter *s, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < s->heap_count; i = child) {
        if (child + 1 < s->heap_count && before(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s, s->heap[child], s->heap[i]))
            return;
        const uint32_t up = s->heap[child];
        s->heap[child] = s->heap[i];
        s->heap[i] = up;
    }
}

static ecg_status begin_runs(struct ecg__sorter *s, ecg_error *err)
{
    s->heap_count = 0;
    for (size_t i = 0; i < s->runs; i++) {
        struct run *r = &s->run[i];
        bool more;
        r->at = r->start;
        r->used = r->from = 0;
        const ecg_status st = fetch(s, r, &more, err);
        if (st != ECG_OK)
            return st;
        if (more)
            s->heap[s->heap_count++] = (uint32_t)i;
    }
    for (size_t i = s->heap_count; i-- > 0;)
        sink(s, i);
    return ECG_OK;
}

/* Step over the row that was given last. */
static ecg_status step(struct ecg__sorter *s, ecg_error *err)
{
    struct run *r = &s->run[s->heap[0]];
    bool more;
    r->from += head_of(row_at(r)).bytes;
    const ecg_status st = fetch(s, r, &more, err);
    if (st != ECG_OK)
        return st;
    if (!more)
        s->heap[0] = s->heap[--s->heap_count];
    sink(s, 0);
    return ECG_OK;
}

/* ---- The whole ---- */
ecg_status ecg__sorter_new(struct ecg__sorter **out, const char *folder, size_t memory, size_t fixed_bytes,
                           ecg_error *err)
{
    struct ecg__sorter *s = ecg__calloc(1, sizeof *s);
    *out = NULL;
    if (!s || fixed_bytes > FIXED_MOST) {
        ecg__free(s);
        return ecg__fail(err, s ? ECG_EINVAL : ECG_ENOMEM, "%s: rows cannot be sorted", folder);
    }
    s->folder = folder;
    s->memory = memory < MEMORY_LEAST ? MEMORY_LEAST : memory;
    s->fixed = fixed_bytes;
    s->fd = -1;
    s->rows = ecg__alloc(s->memory);
    if (!s->rows) {
        ecg__sorter_free(s);
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for sorting", folder);
    }
    *out = s;
    return ECG_OK;
}

ecg_status ecg__sorter_add(struct ecg__sorter *s, const struct ecg__row *row, ecg_error *err)
{
    if (s->begun || row->n >= ECG__PACK_NAME)
        return ecg__fail(err, ECG_EINVAL, "%s: a row came too late, or its name is too long", s->folder);
    const size_t bytes = (sizeof(struct head) + s->fixed + row->n + 8) & ~(size_t)7;
    /* Pointers to rows count as memory too. */
    if (s->used + bytes + s->count * sizeof *s->row > s->memory) {
        const ecg_status st = spill(s, err);
        if (st != ECG_OK)
            return st;
    }
    const unsigned char **grown = ecg__grown(s->row, &s->cap, s->count, sizeof *grown);
    if (!grown)
        return no_memory(s, err);
    s->row = grown;
    unsigned char *p = s->rows + s->used;
    const struct head h = {(uint32_t)bytes, row->major};
    memset(p + bytes - 8, 0, 8);
    memcpy(p, &h, sizeof h);
    memcpy(p + sizeof h, row->fixed, s->fixed);
    memcpy(p + sizeof h + s->fixed, row->name, row->n);
    s->row[s->count++] = p;
    s->used += bytes;
    return ECG_OK;
}

ecg_status ecg__sorter_begin(struct ecg__sorter *s, ecg_error *err)
{
    ecg_status st = ECG_OK;
    if (!s->begun && s->runs == 0)
        st = sort_memory(s, err);
    if (!s->begun && s->runs > 0) {
        st = spill(s, err);
        ecg__free(s->rows);
        ecg__free(s->row);
        s->rows = NULL;
        s->row = NULL;
        s->heap = ecg__calloc(s->runs, sizeof *s->heap);
        if (st == ECG_OK && !s->heap)
            st = no_memory(s, err);
    }
    s->begun = true;
    s->next = 0;
    s->give = false;
    return st == ECG_OK && s->runs ? begin_runs(s, err) : st;
}

ecg_status ecg__sorter_next(struct ecg__sorter *s, struct ecg__row *row, bool *more, ecg_error *err)
{
    const unsigned char *p = NULL;
    if (s->runs) {
        const ecg_status st = s->give ? step(s, err) : ECG_OK;
        if (st != ECG_OK)
            return st;
        s->give = s->heap_count > 0;
        p = s->give ? row_at(&s->run[s->heap[0]]) : NULL;
    } else if (s->next < s->count) {
        p = s->row[s->next++];
    }
    *more = p != NULL;
    if (!p)
        return ECG_OK;
    row->major = head_of(p).major;
    row->fixed = p + sizeof(struct head);
    row->name = name_of(p, s->fixed);
    row->n = strlen(row->name);
    return ECG_OK;
}

void ecg__sorter_free(struct ecg__sorter *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->runs; i++)
        ecg__free(s->run[i].buffer);
    if (s->fd >= 0)
        close(s->fd);
    ecg__free(s->run);
    ecg__free(s->heap);
    ecg__free(s->rows);
    ecg__free(s->row);
    ecg__free(s);
}
