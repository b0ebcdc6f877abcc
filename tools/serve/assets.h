/* assets.h: the files of the page: compiled in, or taken from a folder when the server starts. Only names
 * that are compiled in are ever opened. */
#ifndef ECG_TOOLS_SERVE_ASSETS_H
#define ECG_TOOLS_SERVE_ASSETS_H

#include <stddef.h>

typedef struct asset {
    const char *name; /* "app.js" */
    const char *type; /* of its content */
    const unsigned char *data;
    size_t size; /* a zero byte follows, which is not counted */
    char etag[20];
    unsigned char *own; /* read from the folder */
} asset;

typedef struct assets assets;

/* dir NULL: what is compiled in. NULL after a message (in why) where the folder cannot be used. */
assets *assets_new(const char *dir, char *why, size_t cap);
void assets_free(assets *a); /* NULL is allowed */

/* NULL: there is none of this name. */
const asset *assets_find(const assets *a, const char *name);

#endif
