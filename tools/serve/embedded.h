/* embedded.h: files that were compiled in (embed.cmake). */
#ifndef ECG_TOOLS_SERVE_EMBEDDED_H
#define ECG_TOOLS_SERVE_EMBEDDED_H

#include <stddef.h>

typedef struct embedded_file {
    const char *name; /* NULL ends the list */
    const unsigned char *data;
    size_t size; /* a zero byte follows, which is not counted */
} embedded_file;

extern const embedded_file embedded_files[];

#endif
