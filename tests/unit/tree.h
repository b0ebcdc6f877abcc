/* Folder trees for the tests of the data room. Include after defining _GNU_SOURCE (nftw). */
#ifndef ECG_UNIT_TREE_H
#define ECG_UNIT_TREE_H

#include <ftw.h>
#include <unistd.h>

#include "unit.h"

static inline int tree_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* An empty folder of that name in the test's own. */
static inline const char *tree_new(const char *name)
{
    const char *root = unit_tmp(name);
    nftw(root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    ck_assert_msg(mkdir(root, 0777) == 0, "cannot make %s: %s", root, strerror(errno));
    return root;
}

/* root/name, with the folders it needs; what ends in a slash is a folder. Static storage, a few at a time. */
static inline const char *tree_path(const char *root, const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        ck_assert_msg(mkdir(path, 0777) == 0 || errno == EEXIST, "cannot make %s: %s", path, strerror(errno));
        *slash = '/';
    }
    return path;
}

static inline void tree_write(const char *root, const char *name, const char *text)
{
    const char *path = tree_path(root, name);
    if (path[strlen(path) - 1] == '/')
        return;
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f != NULL, "cannot write %s: %s", path, strerror(errno));
    ck_assert(fputs(text, f) >= 0);
    ck_assert(fclose(f) == 0);
}

/* Files of one byte each, and folders (with a slash), to a NULL. */
static inline void tree_fill(const char *root, const char *const *names)
{
    for (; *names; names++)
        tree_write(root, *names, "x");
}

static inline void tree_link(const char *root, const char *name, const char *target)
{
    const char *path = tree_path(root, name);
    ck_assert_msg(symlink(target, path) == 0, "cannot link %s: %s", path, strerror(errno));
}

#endif
