#define _POSIX_C_SOURCE 200809L
#include "common/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The folder of a file that is not there. Both 0: not there either. */
static struct stat folder_of(const char *path)
{
    struct stat st = {0};
    char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;
    if (slash)
        slash[slash == copy ? 1 : 0] = '\0';
    if (!copy || stat(slash ? copy : ".", &st) != 0)
        st = (struct stat){0};
    free(copy);
    return st;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_ino != 0 && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int paths_same(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return 1;
    const int has_a = stat(a, &x) == 0, has_b = stat(b, &y) == 0;
    if (has_a || has_b)
        return has_a && has_b && same_inode(&x, &y);
    x = folder_of(a);
    y = folder_of(b);
    return same_inode(&x, &y) && strcmp(base_of(a), base_of(b)) == 0;
}
