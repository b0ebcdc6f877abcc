#define _XOPEN_SOURCE 700
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/leftover.h"
#include "base/mem.h"
#include "base/status.h"

ecg_status ecg__file_fail(ecg_error *err, const char *path, const char *doing, int code)
{
    char text[128];
    if (strerror_r(code, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", code);
    return ecg__fail(err, code == ENOMEM ? ECG_ENOMEM : ECG_EIO, "%s: %s: %s", path, doing, text);
}

static ecg_status no_memory(ecg_error *err, const char *path)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
}

static ecg_status check_regular(mode_t mode, const char *path, ecg_error *err)
{
    if (S_ISREG(mode))
        return ECG_OK;
    const char *kind = S_ISDIR(mode)    ? "a folder"
                       : S_ISFIFO(mode) ? "a pipe"
                       : S_ISSOCK(mode) ? "a socket"
                                        : "a device";
    return ecg__fail(err, ECG_EIO, "%s: is %s, expected a regular file", path, kind);
}

/* ---- reading ---- */

static ecg_status over_limit(ecg_error *err, const char *path, uint64_t max_bytes)
{
    return ecg__fail(err, ECG_ELIMIT, "%s: larger than the limit of %llu bytes", path,
                     (unsigned long long)max_bytes);
}

/* A file may be longer than fstat said (or, in /proc, say 0), so the end is where read() says it is. */
static ecg_status read_all(unsigned char **out, size_t *n, int fd, size_t expected, const char *path,
                           uint64_t max_bytes, ecg_error *err)
{
    size_t cap = expected + 1, have = 0;
    unsigned char *buf = ecg__alloc(cap);
    while (buf) {
        if (have == cap) {
            size_t more;
            unsigned char *larger = ecg__mul(&more, cap, 2) ? ecg__alloc(more) : NULL;
            if (larger)
                memcpy(larger, buf, have);
            ecg__free(buf);
            buf = larger;
            cap = more;
            continue;
        }
        const ssize_t got = read(fd, buf + have, cap - have < SSIZE_MAX ? cap - have : SSIZE_MAX);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            const int code = errno;
            ecg__free(buf);
            return ecg__file_fail(err, path, "cannot read", code);
        }
        if (got == 0) {
            *out = buf;
            *n = have;
            return ECG_OK;
        }
        have += (size_t)got;
        if (have > max_bytes) {
            ecg__free(buf);
            return over_limit(err, path, max_bytes);
        }
    }
    return no_memory(err, path);
}

ecg_status ecg__file_open(int *fd, uint64_t *size, const char *path, ecg_error *err)
{
    *fd = -1;
    *size = 0;
    if (!path)
        return ecg__fail(err, ECG_EINVAL, "no path given");
    do /* O_NONBLOCK: opening a pipe must not wait for a writer */
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (*fd < 0 && errno == EINTR);
    if (*fd < 0)
        return ecg__file_fail(err, path, "cannot open", errno);
    struct stat st;
    const ecg_status s = fstat(*fd, &st) != 0 ? ecg__file_fail(err, path, "cannot stat", errno)
                                              : check_regular(st.st_mode, path, err);
    if (s != ECG_OK) {
        close(*fd);
        *fd = -1;
        return s;
    }
    *size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return ECG_OK;
}

ecg_status ecg__file_read(unsigned char **out, size_t *n, const char *path, uint64_t max_bytes,
                          ecg_error *err)
{
    *out = NULL;
    *n = 0;
    int fd;
    uint64_t size;
    ecg_status s = ecg__file_open(&fd, &size, path, err);
    if (s != ECG_OK)
        return s;
    if (size > max_bytes)
        s = over_limit(err, path, max_bytes);
    else if (size >= SIZE_MAX)
        s = no_memory(err, path);
    else
        s = read_all(out, n, fd, (size_t)size, path, max_bytes, err);
    close(fd);
    return s;
}

/* ---- writing ---- */

enum { BUFFER = 1 << 15, TEMP_ROOM = 64, TEMP_TRIES = 10000 };

struct ecg__file {
    int fd;
    ecg_status failed;
    char *path;     /* where the file goes, links followed */
    char *temp;     /* where it is now */
    size_t dir_n;   /* length of the folder part, with its slash */
    uint64_t bytes; /* given by the caller */
    uint32_t sum;   /* CRC-32 of them */
    size_t used;
    unsigned char buffer[BUFFER];
};

/* Closes, forgets the temporary file (removing it if `remove`) and frees. */
static void file_free(ecg__file *f, bool remove)
{
    if (!f)
        return;
    if (remove && f->temp)
        unlink(f->temp);
    if (f->fd >= 0)
        close(f->fd);
    ecg__free(f->path);
    ecg__free(f->temp);
    ecg__free(f);
}

/* f->path: `path`, or what it leads to if it is a link to something that exists. */
static ecg_status resolve(ecg__file *f, const char *path, struct stat *st, bool *exists, ecg_error *err)
{
    *exists = stat(path, st) == 0;
    if (!*exists && errno != ENOENT)
        return ecg__file_fail(err, path, "cannot write", errno);
    if (*exists) {
        const ecg_status s = check_regular(st->st_mode, path, err);
        if (s != ECG_OK)
            return s;
        if (access(path, W_OK) != 0)
            return ecg__file_fail(err, path, "cannot write", errno);
    }
    struct stat link;
    if (*exists && lstat(path, &link) == 0 && S_ISLNK(link.st_mode)) {
        char *real = realpath(path, NULL);
        if (!real)
            return ecg__file_fail(err, path, "cannot follow the link", errno);
        f->path = ecg__strdup(real);
        free(real);
    } else {
        f->path = ecg__strdup(path);
    }
    if (!f->path)
        return no_memory(err, path);
    const char *slash = strrchr(f->path, '/');
    f->dir_n = slash ? (size_t)(slash - f->path) + 1 : 0;
    return ECG_OK;
}

static ecg_status open_temp(ecg__file *f, const char *path, ecg_error *err)
{
    char *temp = ecg__alloc(f->dir_n + TEMP_ROOM);
    if (!temp)
        return no_memory(err, path);
    memcpy(temp, f->path, f->dir_n);
    for (int i = 0; i < TEMP_TRIES; i++) {
        ecg__temp_name(temp + f->dir_n, TEMP_ROOM, i);
        f->fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0 && ecg__temp_hold(f->fd)) {
            f->temp = temp;
            return ECG_OK;
        }
        if (f->fd >= 0) {
            close(f->fd);
            f->fd = -1;
            continue;
        }
        if (errno == EINTR)
            i--;
        else if (errno != EEXIST)
            break;
    }
    const int code = errno;
    ecg__free(temp);
    return ecg__file_fail(err, path, "cannot create a file in its folder", code);
}

ecg_status ecg__file_create(ecg__file **out, const char *path, ecg_error *err)
{
    *out = NULL;
    if (!path || !*path)
        return ecg__fail(err, ECG_EINVAL, "no path given");
    ecg__file *f = ecg__calloc(1, sizeof *f);
    if (!f)
        return no_memory(err, path);
    f->fd = -1;
    struct stat st;
    bool exists;
    ecg_status s = resolve(f, path, &st, &exists, err);
    if (s == ECG_OK && f->path[f->dir_n] == '\0')
        s = ecg__fail(err, ECG_EIO, "%s: is a folder, expected a regular file", path);
    if (s == ECG_OK)
        s = open_temp(f, path, err);
    if (s == ECG_OK && exists && fchmod(f->fd, st.st_mode & 0777) != 0)
        s = ecg__file_fail(err, path, "cannot set permissions", errno);
    if (s != ECG_OK) {
        file_free(f, true);
        return s;
    }
    *out = f;
    return ECG_OK;
}

void ecg__file_tidy(ecg__file *f)
{
    const char kept = f->temp[f->dir_n];
    f->temp[f->dir_n] = '\0';
    ecg__leftovers_remove(f->dir_n ? f->temp : ".", f->fd, ecg__is_local(f->fd));
    f->temp[f->dir_n] = kept;
}

static ecg_status write_out(ecg__file *f, const unsigned char *p, size_t n, ecg_error *err)
{
    while (n > 0) {
        const ssize_t put = write(f->fd, p, n < SSIZE_MAX ? n : SSIZE_MAX);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return f->failed = ecg__file_fail(err, f->path, "cannot write", errno);
        p += put;
        n -= (size_t)put;
    }
    return ECG_OK;
}

ecg_status ecg__file_write(ecg__file *f, const void *data, size_t n, ecg_error *err)
{
    if (f->failed != ECG_OK)
        return ecg__fail(err, f->failed, "%s: an earlier write failed", f->path);
    if (n)
        f->sum = (uint32_t)crc32_z(f->sum, data, n);
    f->bytes += n;
    if (n <= BUFFER - f->used) {
        if (n)
            memcpy(f->buffer + f->used, data, n);
        f->used += n;
        return ECG_OK;
    }
    const size_t held = f->used;
    f->used = 0;
    const ecg_status s = write_out(f, f->buffer, held, err);
    if (s != ECG_OK)
        return s;
    if (n >= BUFFER)
        return write_out(f, data, n, err);
    memcpy(f->buffer, data, n);
    f->used = n;
    return ECG_OK;
}

/* So that the name survives a power cut. Some file systems cannot do it, and a folder may be writable but not
 * readable: only a real input or output error counts. */
static ecg_status sync_folder(ecg__file *f, ecg_error *err)
{
    f->temp[f->dir_n] = '\0';
    const int fd = open(f->dir_n ? f->temp : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ECG_OK;
    int code;
    do
        code = fsync(fd) == 0 ? 0 : errno;
    while (code == EINTR);
    close(fd);
    return code == EIO ? ecg__file_fail(err, f->path, "cannot sync its folder", code) : ECG_OK;
}

/* What stands in the file, not in our memory: pages that have reached the disk are dropped and read again. */
static ecg_status read_back(ecg__file *f, ecg_error *err)
{
    uint64_t at = 0;
    uint32_t found = 0;
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
    for (;;) {
        const ssize_t got = pread(f->fd, f->buffer, BUFFER, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__file_fail(err, f->path, "cannot read back what was written", errno);
        if (got == 0)
            break;
        found = (uint32_t)crc32_z(found, f->buffer, (size_t)got);
        at += (uint64_t)got;
    }
    if (at == f->bytes && found == f->sum)
        return ECG_OK;
    return ecg__fail(
        err, ECG_EIO,
        "%s: what was written reads back otherwise: %llu bytes with checksum %08lx, expected %llu "
        "with %08lx; the disk or its cable may be failing",
        f->path, (unsigned long long)at, (unsigned long)found, (unsigned long long)f->bytes,
        (unsigned long)f->sum);
}

static ecg_status make_durable(ecg__file *f, ecg_error *err)
{
    int code;
    do
        code = fsync(f->fd) == 0 ? 0 : errno;
    while (code == EINTR);
    if (code != 0 && code != EINVAL && code != ENOTSUP)
        return ecg__file_fail(err, f->path, "cannot sync", code);
    return read_back(f, err);
}

/* Some file systems report a failed write only now. By way of a copy: closing f->fd would let go of the
 * temporary file before it is renamed. */
static ecg_status close_checked(ecg__file *f, ecg_error *err)
{
    int copy = dup(f->fd);
    if (copy < 0) {
        copy = f->fd;
        f->fd = -1;
    }
    return close(copy) != 0 && errno != EINTR ? ecg__file_fail(err, f->path, "cannot close", errno) : ECG_OK;
}

ecg_status ecg__file_commit(ecg__file *f, bool durable, ecg_error *err)
{
    ecg_status s = ecg__file_write(f, NULL, 0, err);
    if (s == ECG_OK)
        s = write_out(f, f->buffer, f->used, err);
    if (s == ECG_OK && durable)
        s = make_durable(f, err);
    if (s == ECG_OK)
        s = close_checked(f, err);
    if (s == ECG_OK && rename(f->temp, f->path) != 0)
        s = ecg__file_fail(err, f->path, "cannot rename the finished file to this name", errno);
    const bool renamed = s == ECG_OK;
    if (renamed && durable)
        s = sync_folder(f, err);
    file_free(f, !renamed);
    return s;
}

void ecg__file_abandon(ecg__file *f)
{
    file_free(f, true);
}
