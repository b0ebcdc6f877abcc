/* A folder of uploads for tests, and what is in it. Sources define _GNU_SOURCE first. */
#ifndef ECG_CLI_UPLOADS_FOLDER_H
#define ECG_CLI_UPLOADS_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "cli/folder.h"
#include "serve/uploads.h"
#include "serve/uploads_sweep.h"

static char why[160];

static inline struct uploads *opened(uint32_t days, uint64_t max)
{
    struct uploads *u = uploads_open(folder, days, max, why);
    ck_assert_msg(u != NULL, "%s", why);
    return u;
}

static inline const char *hash(unsigned n) /* as good as a SHA-256 */
{
    static char text[8][65];
    static unsigned next;
    char *t = text[next++ % 8];
    snprintf(t, 65, "%02x%062x", n * 37 % 256, n);
    return t;
}

static inline const char *place(unsigned n)
{
    const char *h = hash(n);
    return in("%.2s/%s", h, h);
}

static inline bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static inline char *read_whole(const char *path, size_t *size)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    *size = fread(text, 1, sizeof text - 1, f);
    text[*size] = '\0';
    fclose(f);
    return text;
}

static inline void write_whole(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f != NULL, "%s", path);
    fputs(text, f);
    fclose(f);
}

static inline void aged(const char *path, int64_t seconds)
{
    const struct timespec t[2] = {{(time_t)seconds, 0}, {(time_t)seconds, 0}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

static inline unsigned unfinished(const char *part)
{
    unsigned n = 0;
    DIR *d = opendir(in("%.2s", part));
    const struct dirent *e;
    while (d && (e = readdir(d)) != NULL)
        n += strncmp(e->d_name, SWEEP_UNFINISHED, sizeof SWEEP_UNFINISHED - 1) == 0;
    if (d)
        closedir(d);
    return n;
}

#endif
