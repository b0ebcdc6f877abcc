/* Opening a pack, and reading pictures from its shards. */
#define _XOPEN_SOURCE 700
#include "data/pack_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/status.h"

/* Shards that stay open. A process may have 1024 files open, usually. */
enum { MOST_OPEN = 256, WORD_BITS = 32 };

/* ---- Paths ---- */
static bool ends_in(const char *path, const char *end)
{
    const size_t n = strlen(path), k = strlen(end);
    return n >= k && strcmp(path + n - k, end) == 0 && (n == k || path[n - k - 1] == '/');
}

/* path/index.ecgp, or the path itself where it ends so already; NULL: out of memory. */
static char *index_path(const char *path)
{
    if (ends_in(path, ECG_PACK_INDEX))
        return ecg__strdup(path);
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    char *p = ecg__alloc(n + sizeof "/" ECG_PACK_INDEX);
    if (p) {
        memcpy(p, path, n);
        strcpy(p + n, "/" ECG_PACK_INDEX);
    }
    return p;
}

bool ecg__pack_is(const char *path)
{
    struct stat st;
    char *index = path && *path ? index_path(path) : NULL;
    const bool is = index && stat(index, &st) == 0 && !S_ISDIR(st.st_mode);
    ecg__free(index);
    return is;
}

int ecg_pack_is(const char *path)
{
    return ecg__pack_is(path);
}

/* ---- Shards ---- */
static const char *shard_name(uint32_t i, char buf[32])
{
    snprintf(buf, 32, ECG__SHARD_FILE, i);
    return buf;
}

static ecg_status open_shard(const struct ecg__pack *p, uint32_t i, int *fd, uint64_t *size, ecg_error *err)
{
    char name[32];
    const size_t n = strlen(p->root);
    char *path = ecg__alloc(n + 40);
    if (!path)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    memcpy(path, p->root, n);
    snprintf(path + n, 40, "/%s", shard_name(i, name));
    const ecg_status s = ecg__file_open(fd, size, path, err);
    ecg__free(path);
    return s;
}

/* Exactly n bytes. */
static ecg_status read_at(const struct ecg__pack *p, uint32_t shard, int fd, void *to, size_t n, uint64_t at,
                          ecg_error *err)
{
    char name[32];
    for (size_t done = 0; done < n;) {
        const ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            ecg__file_fail(err, shard_name(shard, name), "cannot read", errno);
            return ecg__context(err, ECG_EIO, "%s/", p->root);
        }
        if (got == 0)
            return ecg__fail(err, ECG_ECORRUPT, "%s/%s: ends at byte %" PRIu64 ", expected %zu more", p->root,
                             shard_name(shard, name), at + done, n - done);
        done += (size_t)got;
    }
    return ECG_OK;
}

/* What stands in a shard beside pictures, against the table. */
static ecg_status check_shard(const struct ecg__pack *p, uint32_t i, int fd, uint64_t size, ecg_error *err)
{
    const unsigned char *row = p->shard + ECG__PACK_SHARD * (size_t)i;
    const uint64_t bytes = ecg__get_u64(row);
    unsigned char head[ECG__SHARD_HEADER], foot[ECG__SHARD_FOOTER];
    char name[32];
    shard_name(i, name);
    if (size != bytes)
        return ecg__fail(err, ECG_ECORRUPT, "%s/%s: %" PRIu64 " bytes, expected %" PRIu64, p->root, name,
                         size, bytes);
    ecg_status s = read_at(p, i, fd, head, sizeof head, 0, err);
    if (s == ECG_OK)
        s = read_at(p, i, fd, foot, sizeof foot, bytes - sizeof foot, err);
    if (s != ECG_OK)
        return s;
    if (memcmp(head, ECG__SHARD_MAGIC, 8) != 0 || head[8] != ECG__PACK_MAJOR || head[9] != 0 ||
        ecg__get_u32(head + 12) != i)
        return ecg__fail(err, ECG_ECORRUPT, "%s/%s: does not begin as shard %u of a pack does", p->root, name,
                         i);
    if (memcmp(foot + 16, ECG__SHARD_END, 8) != 0 || ecg__get_u64(foot) != bytes - sizeof foot ||
        memcmp(foot + 8, row + 8, 8) != 0)
        return ecg__fail(err, ECG_ECORRUPT, "%s/%s: is not the shard that the index was written for", p->root,
                         name);
    return ECG_OK;
}

static ecg_status open_shards(struct ecg__pack *p, ecg_error *err)
{
    p->fd = ecg__calloc(MOST_OPEN, sizeof *p->fd);
    const size_t words = ((size_t)p->count + WORD_BITS - 1) / WORD_BITS;
    p->seen = ecg__calloc(words, sizeof *p->seen);
    if (!p->fd || !p->seen)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    ecg_status s = ECG_OK;
    for (uint32_t i = 0; s == ECG_OK && i < p->shards; i++) {
        int fd;
        uint64_t size;
        s = open_shard(p, i, &fd, &size, err);
        if (s != ECG_OK)
            return s;
        s = check_shard(p, i, fd, size, err);
        if (i < MOST_OPEN)
            p->fd[p->open++] = fd;
        else
            close(fd);
    }
    return s;
}

/* ---- Opening ---- */
static ecg_status map_index(const char *path, void **map, size_t *bytes, ecg_error *err)
{
    int fd;
    uint64_t size;
    ecg_status s = ecg__file_open(&fd, &size, path, err);
    if (s != ECG_OK)
        return s;
    if (size == 0 || size > SIZE_MAX) {
        close(fd);
        return ecg__fail(err, ECG_EFORMAT, "%s: %" PRIu64 " bytes, expected the index of a pack", path, size);
    }
    *map = ecg__map(fd, (size_t)size);
    *bytes = (size_t)size;
    if (!*map)
        s = ecg__file_fail(err, path, "cannot map", errno);
    close(fd);
    return s;
}

ecg_status ecg__pack_open(struct ecg__pack **out, const char *path, ecg_error *err)
{
    void *map = NULL;
    size_t bytes = 0;
    struct ecg__pack *p = NULL;
    *out = NULL;
    char *index = index_path(path);
    if (!index)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    ecg_status s = map_index(index, &map, &bytes, err);
    if (s == ECG_OK)
        s = ecg__pack_parse(&p, map, bytes, index, err);
    if (s == ECG_OK) {
        p->mapped = true;
        map = NULL;
        index[strlen(index) - strlen(ECG_PACK_INDEX)] = '\0';
        size_t n = strlen(index);
        while (n > 0 && index[n - 1] == '/')
            index[--n] = '\0';
        /* An index that was named without a folder lies in this one. */
        p->root = ecg__strdup(n || path[0] == '/' ? index : ".");
        s = p->root ? open_shards(p, err) : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    }
    ecg__unmap(map, bytes);
    ecg__free(index);
    if (s != ECG_OK) {
        ecg__pack_free(p);
        return s;
    }
    *out = p;
    return ECG_OK;
}

void ecg__pack_free(struct ecg__pack *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->open; i++)
        close(p->fd[i]);
    for (uint32_t i = 0; p->column && i < p->columns; i++)
        ecg__free(p->column[i].word);
    if (p->mapped)
        ecg__unmap((void *)(uintptr_t)p->map, p->bytes);
    ecg__free(p->fd);
    ecg__free(p->seen);
    ecg__free(p->column);
    ecg__free(p->cls);
    ecg__free(p->end);
    ecg__free(p->root);
    ecg__free(p->path);
    ecg__free(p);
}

/* ---- Pictures ---- */
size_t ecg__pack_name(const struct ecg__pack *p, uint64_t i, char buf[ECG__PACK_NAME])
{
    struct ecg__pack_names w;
    ecg__pack_names_from(&w, p, i);
    ecg__pack_names_next(&w);
    memcpy(buf, w.name, w.n + 1);
    return w.n;
}

uint32_t ecg__pack_class(const struct ecg__pack *p, uint64_t i)
{
    uint32_t low = 0, high = p->classes - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (i < p->end[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int ecg__pack_find_column(const struct ecg__pack *p, const char *name)
{
    for (uint32_t i = 0; i < p->columns; i++)
        if (strcmp(p->column[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Say which picture it is that something is wrong with. */
static ecg_status blame(const struct ecg__pack *p, uint64_t i, ecg_status s, ecg_error *err)
{
    char name[ECG__PACK_NAME];
    if (!err)
        return s;
    ecg__pack_name(p, i, name);
    return ecg__context(err, s, "%s: picture %" PRIu64 ", %.200s, class %.100s", p->path, i, name,
                        p->cls[ecg__pack_class(p, i)]);
}

ecg_status ecg__pack_read(const struct ecg__pack *p, uint64_t i, void *to, bool again, ecg_error *err)
{
    const unsigned char *r = p->record + i * p->stride;
    const uint64_t place = ecg__get_u64(r), at = place & ((UINT64_C(1) << ECG__PACK_PLACE) - 1);
    const uint32_t shard = (uint32_t)(place >> ECG__PACK_PLACE), n = ecg__get_u32(r + 8);
    int fd = -1;
    uint64_t size;
    ecg_status s = ECG_OK;
    if (shard < p->open)
        fd = p->fd[shard];
    else
        s = open_shard(p, shard, &fd, &size, err);
    if (s == ECG_OK)
        s = read_at(p, shard, fd, to, n, at, err);
    if (shard >= p->open && fd >= 0)
        close(fd);
    if (s != ECG_OK)
        return blame(p, i, s, err);
    atomic_uint_least32_t *seen = &p->seen[i / WORD_BITS];
    const uint32_t bit = UINT32_C(1) << i % WORD_BITS;
    if (!again && atomic_load_explicit(seen, memory_order_relaxed) & bit)
        return ECG_OK;
    const uint32_t found = (uint32_t)crc32_z(0, to, n), said = ecg__get_u32(r + 12);
    if (found != said) {
        char name[32];
        s = ecg__fail(err, ECG_ECORRUPT,
                      "damaged: at byte %" PRIu64 " of %s the checksum is %08x, expected %08x", at,
                      shard_name(shard, name), found, said);
        return blame(p, i, s, err);
    }
    atomic_fetch_or_explicit(seen, bit, memory_order_relaxed);
    return ECG_OK;
}

ecg_status ecg__pack_check_shard(const struct ecg__pack *p, uint32_t i, ecg_error *err)
{
    enum { ROOM = 1 << 18 };
    const unsigned char *row = p->shard + ECG__PACK_SHARD * (size_t)i;
    const uint64_t end = ecg__get_u64(row) - ECG__SHARD_FOOTER;
    unsigned char *room = ecg__alloc(ROOM);
    char name[32];
    int fd = -1;
    uint64_t size;
    uint32_t crc = 0;
    ecg_status s = room ? open_shard(p, i, &fd, &size, err)
                        : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    for (uint64_t at = 0; s == ECG_OK && at < end;) {
        const size_t n = end - at < ROOM ? (size_t)(end - at) : ROOM;
        s = read_at(p, i, fd, room, n, at, err);
        crc = s == ECG_OK ? (uint32_t)crc32_z(crc, room, n) : crc;
        at += n;
    }
    if (s == ECG_OK && crc != ecg__get_u32(row + 12))
        s = ecg__fail(err, ECG_ECORRUPT, "%s/%s: its checksum is %08x, expected %08x", p->root,
                      shard_name(i, name), crc, ecg__get_u32(row + 12));
    if (fd >= 0)
        close(fd);
    ecg__free(room);
    return s;
}

/* ---- Names that stand twice: all classes are walked side by side ---- */
struct repeats {
    const struct ecg__pack *p;
    struct ecg__pack_names *walk; /* [classes] */
    uint32_t *order, n;           /* classes that are not at their end, by name */
    bool found;
    uint32_t *cls; /* [2] */
};

/* The next name of a class comes into the order. */
static void advance(struct repeats *r, uint32_t c)
{
    uint32_t low = 0;
    if (r->walk[c].next >= r->p->end[c] || !ecg__pack_names_next(&r->walk[c]))
        return;
    for (uint32_t high = r->n; low < high;) {
        const uint32_t middle = low + (high - low) / 2, other = r->order[middle];
        const int d = strcmp(r->walk[other].name, r->walk[c].name);
        if (d == 0) {
            r->found = true;
            r->cls[0] = other < c ? other : c;
            r->cls[1] = other < c ? c : other;
            return;
        }
        low = d < 0 ? middle + 1 : low;
        high = d < 0 ? high : middle;
    }
    memmove(r->order + low + 1, r->order + low, (r->n - low) * sizeof *r->order);
    r->order[low] = c;
    r->n++;
}

ecg_status ecg__pack_find_repeat(const struct ecg__pack *p, bool *found, char name[ECG__PACK_NAME],
                                 uint32_t cls[2], ecg_error *err)
{
    struct repeats r = {.p = p, .cls = cls};
    r.walk = ecg__calloc(p->classes, sizeof *r.walk);
    r.order = ecg__calloc((size_t)p->classes + 1, sizeof *r.order);
    const bool ok = r.walk && r.order;
    for (uint32_t c = 0; ok && !r.found && c < p->classes; c++) {
        ecg__pack_names_from(&r.walk[c], p, c ? p->end[c - 1] : 0);
        advance(&r, c);
    }
    while (ok && !r.found && r.n > 0) {
        const uint32_t c = r.order[0];
        memmove(r.order, r.order + 1, --r.n * sizeof *r.order);
        advance(&r, c);
    }
    *found = r.found;
    if (r.found)
        memcpy(name, r.walk[cls[0]].name, r.walk[cls[0]].n + 1);
    ecg__free(r.walk);
    ecg__free(r.order);
    return ok ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
}
