#define _GNU_SOURCE
#include "serve/uploads_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 64 };

struct kept {
    int64_t time;
    long nsec;
    uint64_t size;
    char name[DIGITS + 1];
};

struct list {
    struct kept *item;
    size_t count, cap;
};

static bool fail(char why[160], const char *doing, int error)
{
    snprintf(why, 160, "uploads: %s: %s", doing, strerror(error));
    return false;
}

static bool digits(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

bool sweep_is_ours(const char *folder, const char *name)
{
    return digits(folder, 2) && digits(name, DIGITS) && memcmp(folder, name, 2) == 0;
}

static int open_folder(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool add(struct list *l, const char *name, const struct stat *st)
{
    if (l->count == l->cap) {
        const size_t cap = l->cap ? 2 * l->cap : 1024;
        struct kept *more = cap <= SIZE_MAX / sizeof *more ? realloc(l->item, cap * sizeof *more) : NULL;
        if (!more)
            return false;
        l->item = more;
        l->cap = cap;
    }
    struct kept *k = &l->item[l->count++];
    k->time = (int64_t)st->st_mtim.tv_sec;
    k->nsec = st->st_mtim.tv_nsec;
    k->size = (uint64_t)st->st_size;
    memcpy(k->name, name, sizeof k->name);
    return true;
}

static bool list_folder(int dir, const char *folder, const struct sweep_rules *rules, struct list *l,
                        char why[160])
{
    const int fd = open_folder(dir, folder);
    if (fd < 0) /* a link, a file, gone: not ours */
        return true;
    DIR *d = fdopendir(fd);
    if (!d) {
        const int error = errno;
        close(fd);
        return fail(why, "read a folder", error);
    }
    bool ok = true;
    const struct dirent *e;
    while (ok && (e = readdir(d)) != NULL) {
        struct stat st;
        const bool unfinished = strncmp(e->d_name, SWEEP_UNFINISHED, sizeof SWEEP_UNFINISHED - 1) == 0;
        if ((!unfinished && !sweep_is_ours(folder, e->d_name)) ||
            fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (!unfinished)
            ok = add(l, e->d_name, &st) || fail(why, "list", ENOMEM);
        else if ((int64_t)st.st_mtim.tv_sec < rules->unfinished_before)
            unlinkat(fd, e->d_name, 0);
    }
    closedir(d);
    return ok;
}

static bool list_all(int dir, const struct sweep_rules *rules, struct list *l, char why[160])
{
    const int fd = open_folder(dir, ".");
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        const int error = errno;
        if (fd >= 0)
            close(fd);
        return fail(why, "read the folder", error);
    }
    bool ok = true;
    const struct dirent *e;
    while (ok && (e = readdir(d)) != NULL)
        if (digits(e->d_name, 2))
            ok = list_folder(dir, e->d_name, rules, l, why);
    closedir(d);
    return ok;
}

static int older_first(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->nsec != y->nsec)
        return x->nsec < y->nsec ? -1 : 1;
    return memcmp(x->name, y->name, DIGITS);
}

/* Unless it was sent again since it was listed. */
static bool remove_kept(int dir, const struct kept *k, char why[160])
{
    const char folder[3] = {k->name[0], k->name[1], '\0'};
    struct stat st;
    const int fd = open_folder(dir, folder);
    if (fd < 0)
        return errno == ENOENT || fail(why, "open a folder", errno);
    bool ok = true;
    if (fstatat(fd, k->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        (int64_t)st.st_mtim.tv_sec == k->time && st.st_mtim.tv_nsec == k->nsec)
        ok = unlinkat(fd, k->name, 0) == 0 || errno == ENOENT || fail(why, "remove", errno);
    close(fd);
    return ok;
}

bool sweep_folder(int dir, const struct sweep_rules *rules, struct sweep_result *r, char why[160])
{
    struct list l = {0};
    memset(r, 0, sizeof *r);
    bool ok = list_all(dir, rules, &l, why);
    for (size_t i = 0; i < l.count; i++)
        r->bytes += l.item[i].size;
    r->files = l.count;
    if (l.count > 1)
        qsort(l.item, l.count, sizeof *l.item, older_first);
    for (size_t i = 0; ok && i < l.count && (l.item[i].time < rules->before || r->bytes > rules->bytes);
         i++) {
        ok = remove_kept(dir, &l.item[i], why);
        if (ok) {
            r->files--;
            r->bytes -= l.item[i].size;
            r->removed++;
        }
    }
    free(l.item);
    return ok;
}
