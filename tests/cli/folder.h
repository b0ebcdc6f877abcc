/* A folder of a test's own, and paths in it. Sources define _GNU_SOURCE first. */
#ifndef ECG_CLI_FOLDER_H
#define ECG_CLI_FOLDER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/unit.h"

static char folder[512];

/* A new empty one; others may be running. */
static inline void folder_new(const char *name)
{
    snprintf(folder, sizeof folder, "%s.XXXXXX", unit_tmp(name));
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* A path in it, good for the next seven calls. */
static inline const char *in(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline const char *in(const char *fmt, ...)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    va_list args;
    const int n = snprintf(path, sizeof paths[0], "%s/", folder);
    va_start(args, fmt);
    vsnprintf(path + n, sizeof paths[0] - (size_t)n, fmt, args);
    va_end(args);
    return path;
}

#endif
