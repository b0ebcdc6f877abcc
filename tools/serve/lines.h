/* lines.h: a log of one line each, appended whole: by many threads, and by several servers that share the
 * file. */
#ifndef ECG_SERVE_LINES_H
#define ECG_SERVE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines;

/* Opens or makes a file, mode 0600, that is appended to; `dir` is a folder's descriptor or AT_FDCWD. Neither
 * a symbolic link in the last place nor anything but a file is taken. A line torn by a crash is ended first.
 * NULL: `why` says. */
struct lines *lines_open(int dir, const char *name, char why[160]);
void lines_close(struct lines *l);

/* Appends `text`, which has no line end in it, and a line end. Either all of it is in the file or nothing
 * (where the disk is full, what was written is taken back). It is in the kernel's hands when this returns,
 * not yet on the disk. Any thread. */
bool lines_put(struct lines *l, const char *text, char why[160]);

/* Bytes in the file now; 0 where that cannot be told. */
unsigned long long lines_size(struct lines *l);

#endif
