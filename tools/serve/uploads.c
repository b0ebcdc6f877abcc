#define _GNU_SOURCE
#include "serve/uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "serve/lines.h"
#include "serve/uploads_sweep.h"

struct uploads {
    int dir;
    uint32_t retain_days;
    uint64_t max_disk;
    struct lines *log;
    pthread_mutex_t lock;     /* of the counts and the number */
    pthread_mutex_t sweeping; /* held by the one that does */
    struct uploads_counts counts;
    unsigned long number; /* of the next unfinished file */
};

static bool fail(char why[160], const char *doing, int error)
{
    snprintf(why, 160, "uploads: %s: %s", doing, strerror(error));
    return false;
}

struct uploads *uploads_open(const char *dir, uint32_t retain_days, uint64_t max_disk, char why[160])
{
    struct uploads *u = calloc(1, sizeof *u);
    if (!u) {
        fail(why, "open", ENOMEM);
        return NULL;
    }
    u->retain_days = retain_days;
    u->max_disk = max_disk;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        fail(why, "make the folder", errno);
        free(u);
        return NULL;
    }
    u->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (u->dir < 0) {
        fail(why, "open the folder", errno);
        free(u);
        return NULL;
    }
    u->log = lines_open(u->dir, "uploads.jsonl", why);
    if (!u->log) {
        close(u->dir);
        free(u);
        return NULL;
    }
    pthread_mutex_init(&u->lock, NULL);
    pthread_mutex_init(&u->sweeping, NULL);
    if (uploads_sweep(u, (int64_t)time(NULL), why))
        return u;
    uploads_close(u);
    return NULL;
}

void uploads_close(struct uploads *u)
{
    if (!u)
        return;
    lines_close(u->log);
    close(u->dir);
    pthread_mutex_destroy(&u->lock);
    pthread_mutex_destroy(&u->sweeping);
    free(u);
}

struct uploads_counts uploads_counts(struct uploads *u)
{
    pthread_mutex_lock(&u->lock);
    const struct uploads_counts counts = u->counts;
    pthread_mutex_unlock(&u->lock);
    return counts;
}

static bool sweep_to(struct uploads *u, int64_t now, uint64_t limit, char why[160])
{
    struct sweep_result r = {0};
    const struct sweep_rules rules = {
        .before = u->retain_days ? now - (int64_t)u->retain_days * 86400 : INT64_MIN,
        .bytes = limit,
        .unfinished_before = now - 3600,
    };
    if (!sweep_folder(u->dir, &rules, &r, why))
        return false;
    pthread_mutex_lock(&u->lock);
    u->counts.files = r.files;
    u->counts.bytes = r.bytes;
    pthread_mutex_unlock(&u->lock);
    return true;
}

/* What pictures may take: what the log leaves of max_disk. */
static uint64_t room(struct uploads *u)
{
    if (u->max_disk == 0)
        return UINT64_MAX;
    const uint64_t log = lines_size(u->log);
    return u->max_disk > log ? u->max_disk - log : 0;
}

bool uploads_sweep(struct uploads *u, int64_t now, char why[160])
{
    if (pthread_mutex_trylock(&u->sweeping) != 0)
        return true;
    const bool ok = sweep_to(u, now, room(u), why);
    pthread_mutex_unlock(&u->sweeping);
    return ok;
}

/* Room for `size` bytes more: the oldest go, and a tenth of the limit with them, so that this is not done for
 * each picture. */
static bool make_room(struct uploads *u, uint64_t size, char why[160])
{
    const uint64_t limit = room(u);
    if (uploads_counts(u).bytes + size <= limit)
        return true;
    if (size > limit) {
        snprintf(why, 160, "uploads: it is larger than what --max-disk leaves");
        return false;
    }
    const uint64_t spare = limit / 10, rest = limit - size;
    bool ok = true;
    pthread_mutex_lock(&u->sweeping);
    if (uploads_counts(u).bytes + size > limit) /* nobody else has made room meanwhile */
        ok = sweep_to(u, (int64_t)time(NULL), rest > spare ? rest - spare : rest, why);
    pthread_mutex_unlock(&u->sweeping);
    if (ok && uploads_counts(u).bytes + size > limit) {
        snprintf(why, 160, "uploads: there is no room below --max-disk");
        return false;
    }
    return ok;
}

static bool write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (n == 0) {
            errno = ENOSPC;
            return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Unfinished under a name of its own, then whole under its right one; whatever stood there, a link too, is
 * replaced. */
static bool write_file(struct uploads *u, int folder, const char *name, const void *bytes, size_t size,
                       char why[160])
{
    char unfinished[64];
    int fd = -1;
    for (int tries = 0; fd < 0; tries++) {
        pthread_mutex_lock(&u->lock);
        const unsigned long number = u->number++;
        pthread_mutex_unlock(&u->lock);
        /* In a container every server may have the same process number: the clock tells them apart, O_EXCL
         * makes sure. */
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        snprintf(unfinished, sizeof unfinished, SWEEP_UNFINISHED "%ld-%lu-%09ld", (long)getpid(), number,
                 t.tv_nsec);
        fd = openat(folder, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && (errno != EEXIST || tries == 100))
            return fail(why, "make a file", errno);
    }
    const char *doing = "write";
    bool ok = write_all(fd, bytes, size);
    int error = errno;
    if (ok && fsync(fd) != 0) {
        ok = false;
        doing = "put on the disk";
        error = errno;
    }
    if (close(fd) != 0 && ok) {
        ok = false;
        doing = "close";
        error = errno;
    }
    if (ok && renameat(folder, unfinished, folder, name) != 0) {
        ok = false;
        doing = "rename";
        error = errno;
    }
    if (!ok) {
        unlinkat(folder, unfinished, 0);
        return fail(why, doing, error);
    }
    return fsync(folder) == 0 || fail(why, "put the folder on the disk", errno);
}

static bool keep_file(struct uploads *u, const char *sha256, const void *bytes, size_t size, char why[160])
{
    const char name[3] = {sha256[0], sha256[0] ? sha256[1] : '\0', '\0'};
    struct stat st;
    if (!sweep_is_ours(name, sha256)) {
        snprintf(why, 160, "uploads: not a SHA-256");
        return false;
    }
    if (mkdirat(u->dir, name, 0700) == 0) {
        if (fsync(u->dir) != 0)
            return fail(why, "put the folder on the disk", errno);
    } else if (errno != EEXIST) {
        return fail(why, "make a folder", errno);
    }
    const int folder = openat(u->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return fail(why, "open a folder", errno);
    bool ok;
    if (fstatat(folder, sha256, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 &&
        (uint64_t)st.st_size == size && utimensat(folder, sha256, NULL, AT_SYMLINK_NOFOLLOW) == 0) {
        ok = true; /* young again */
    } else if ((ok = make_room(u, size, why) && write_file(u, folder, sha256, bytes, size, why))) {
        pthread_mutex_lock(&u->lock);
        u->counts.files++;
        u->counts.bytes += size;
        pthread_mutex_unlock(&u->lock);
    }
    close(folder);
    return ok;
}

static bool log_line(struct uploads *u, const char *json, bool kept, char why[160])
{
    const size_t size = strlen(json) + 32;
    char *line = malloc(size);
    if (!line)
        return fail(why, "log", ENOMEM);
    snprintf(line, size, "{\"kept\":%s%s%s", kept ? "true" : "false", json[1] == '}' ? "" : ",", json + 1);
    const bool ok = lines_put(u->log, line, why);
    free(line);
    return ok;
}

bool uploads_keep(struct uploads *u, const char *sha256, const void *bytes, size_t size,
                  const char *json_line, char why[160])
{
    char log_why[160] = "";
    const bool kept = keep_file(u, sha256, bytes, size, why);
    bool logged = true;
    if (json_line && json_line[0] != '{') {
        snprintf(log_why, sizeof log_why, "log: not a JSON object");
        logged = false;
    } else if (json_line) {
        logged = log_line(u, json_line, kept, log_why);
    }
    if (kept && !logged)
        memcpy(why, log_why, sizeof log_why);
    if (!kept) {
        pthread_mutex_lock(&u->lock);
        u->counts.failed++;
        pthread_mutex_unlock(&u->lock);
    }
    return kept && logged;
}
