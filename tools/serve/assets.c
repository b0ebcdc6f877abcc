#define _POSIX_C_SOURCE 200809L
#include "serve/assets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/embedded.h"

enum { MOST_ASSET = 4 << 20 };

struct assets {
    size_t count;
    asset *file;
};

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".txt", "text/plain; charset=utf-8"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* FNV-1a: tells one state of a file from another, no more. */
static void tag(asset *a)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < a->size; i++)
        h = (h ^ a->data[i]) * 0x100000001b3u;
    snprintf(a->etag, sizeof a->etag, "\"%016llx\"", (unsigned long long)h);
}

/* A regular file of the folder in the place of the one compiled in; one that is not there is no error. */
static int replace(asset *a, int folder, const char *dir, char *why, size_t cap)
{
    const int fd = openat(folder, a->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    struct stat st;
    const char *wrong = NULL;
    if (fd < 0 || fstat(fd, &st) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = "not a regular file";
    else if (st.st_size > MOST_ASSET)
        wrong = "larger than 4 MiB, which is too large for a page";
    unsigned char *data = wrong ? NULL : malloc((size_t)st.st_size + 1);
    size_t n = 0;
    if (!wrong && !data)
        wrong = "out of memory";
    while (!wrong && n < (size_t)st.st_size) {
        const ssize_t got = read(fd, data + n, (size_t)st.st_size - n);
        if (got <= 0)
            wrong = got < 0 ? strerror(errno) : "was cut short while it was read";
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    if (wrong) {
        snprintf(why, cap, "%s/%s: %s", dir, a->name, wrong);
        free(data);
        return 1;
    }
    data[n] = 0;
    a->data = a->own = data;
    a->size = n;
    return 0;
}

static int replace_all(assets *a, const char *dir, char *why, size_t cap)
{
    const int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        snprintf(why, cap, "%s: %s", dir, strerror(errno));
        return 1;
    }
    int bad = 0;
    for (size_t i = 0; i < a->count && !bad; i++)
        bad = replace(&a->file[i], folder, dir, why, cap);
    close(folder);
    return bad;
}

assets *assets_new(const char *dir, char *why, size_t cap)
{
    size_t n = 0;
    while (embedded_files[n].name)
        n++;
    assets *a = calloc(1, sizeof *a);
    asset *file = calloc(n + 1, sizeof *file);
    if (!a || !file) {
        snprintf(why, cap, "out of memory");
        free(a);
        free(file);
        return NULL;
    }
    *a = (assets){n, file};
    for (size_t i = 0; i < n; i++) {
        const embedded_file *from = &embedded_files[i];
        file[i].name = from->name;
        file[i].type = type_of(from->name);
        file[i].data = from->data;
        file[i].size = from->size;
    }
    if (dir && replace_all(a, dir, why, cap)) {
        assets_free(a);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        tag(&file[i]);
    return a;
}

void assets_free(assets *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        free(a->file[i].own);
    free(a->file);
    free(a);
}

const asset *assets_find(const assets *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->file[i].name, name) == 0)
            return &a->file[i];
    return NULL;
}
