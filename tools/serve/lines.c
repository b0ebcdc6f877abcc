#define _GNU_SOURCE /* flock */
#include "serve/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct lines {
    int fd;
    pthread_mutex_t lock; /* flock does not tell threads of one process apart */
};

static bool fail(char why[160], const char *doing, int error)
{
    snprintf(why, 160, "log: %s: %s", doing, strerror(error));
    return false;
}

static int lock_file(int fd, int how)
{
    int result;
    do
        result = flock(fd, how);
    while (result != 0 && errno == EINTR);
    return result;
}

/* All of it, or what there was before. The file is locked. */
static bool append(int fd, const char *text, size_t size, char why[160])
{
    struct stat st;
    size_t done = 0;
    if (fstat(fd, &st) != 0)
        return fail(why, "size", errno);
    while (done < size) {
        const ssize_t n = write(fd, text + done, size - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            const int error = n == 0 ? ENOSPC : errno;
            if (done > 0 && ftruncate(fd, st.st_size) != 0)
                return fail(why, "a torn line stays", errno);
            return fail(why, "write", error);
        }
    }
    return true;
}

/* The last line of a server that was killed within it. */
static bool mend(int fd, char why[160])
{
    struct stat st;
    char last = '\n';
    if (fstat(fd, &st) != 0)
        return fail(why, "size", errno);
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, 160, "log: not a file");
        return false;
    }
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
        return fail(why, "read", errno);
    return last == '\n' || append(fd, "\n", 1, why);
}

struct lines *lines_open(int dir, const char *name, char why[160])
{
    struct lines *l = calloc(1, sizeof *l);
    if (!l) {
        fail(why, "open", ENOMEM);
        return NULL;
    }
    /* A pipe with nobody at its end is not waited for. */
    l->fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
                   0600);
    if (l->fd < 0) {
        fail(why, "open", errno);
        free(l);
        return NULL;
    }
    bool ok = lock_file(l->fd, LOCK_EX) == 0 || fail(why, "lock", errno);
    if (ok) {
        ok = mend(l->fd, why);
        lock_file(l->fd, LOCK_UN);
    }
    if (ok && pthread_mutex_init(&l->lock, NULL) != 0)
        ok = fail(why, "open", ENOMEM);
    if (ok)
        return l;
    close(l->fd);
    free(l);
    return NULL;
}

void lines_close(struct lines *l)
{
    if (!l)
        return;
    close(l->fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

bool lines_put(struct lines *l, const char *text, char why[160])
{
    const size_t size = strlen(text);
    if (memchr(text, '\n', size)) {
        snprintf(why, 160, "log: a line end within a line");
        return false;
    }
    char *line = malloc(size + 1);
    if (!line)
        return fail(why, "write", ENOMEM);
    memcpy(line, text, size);
    line[size] = '\n';
    pthread_mutex_lock(&l->lock);
    bool ok = lock_file(l->fd, LOCK_EX) == 0 || fail(why, "lock", errno);
    if (ok) {
        ok = append(l->fd, line, size + 1, why);
        lock_file(l->fd, LOCK_UN);
    }
    pthread_mutex_unlock(&l->lock);
    free(line);
    return ok;
}

unsigned long long lines_size(struct lines *l)
{
    struct stat st;
    return fstat(l->fd, &st) == 0 && st.st_size > 0 ? (unsigned long long)st.st_size : 0;
}
