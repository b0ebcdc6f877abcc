/* whole.h: a text file that appears whole or not at all. */
#ifndef ECG_TOOLS_WHOLE_H
#define ECG_TOOLS_WHOLE_H

#include <stdio.h>

typedef struct whole {
    FILE *f;
    const char *path;
    char *temporary; /* beside it */
} whole;

/* Write to w->f, then call one of the others. Messages are printed. 0 or the exit code; *w is empty then. */
int whole_open(whole *w, const char *path);

/* `code` 0: to the disk, and in the place of `path`, whose mode an older file keeps. Else the temporary file
 * is removed. Returns `code`, or the exit code of writing. */
int whole_close(whole *w, int code);

/* Can the file be written, as far as one can know before hours of work? 0 or the exit code. */
int whole_check(const char *path);

#endif
