/* picture.h: what the first bytes of an upload say. Nothing is decoded. Pure, any thread. */
#ifndef ECG_TOOLS_SERVE_PICTURE_H
#define ECG_TOOLS_SERVE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct picture_head {
    const char *type;       /* "image/png", "image/jpeg"; NULL: neither */
    uint32_t width, height; /* 0: not to be seen */
} picture_head;

picture_head picture_look(const unsigned char *data, size_t n);

#endif
