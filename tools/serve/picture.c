#include "serve/picture.h"

#include <string.h>

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* Marker by marker to the frame, which has the size. */
static void look_jpeg(picture_head *h, const unsigned char *data, size_t n)
{
    size_t at = 2;
    while (at + 4 <= n && data[at] == 0xff) {
        const unsigned marker = data[at + 1];
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        const size_t length = be16(data + at + 2);
        const int frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
                          marker != 0xcc;
        if (length < 2 || marker == 0xd9 || marker == 0xda)
            return;
        if (frame) {
            if (length >= 8 && n - at >= 9) {
                h->height = be16(data + at + 5);
                h->width = be16(data + at + 7);
            }
            return;
        }
        if (length + 2 > n - at)
            return;
        at += length + 2;
    }
}

picture_head picture_look(const unsigned char *data, size_t n)
{
    static const unsigned char png[] = {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a};
    picture_head h = {NULL, 0, 0};
    if (n >= sizeof png && memcmp(data, png, sizeof png) == 0) {
        h.type = "image/png";
        if (n >= 24 && memcmp(data + 12, "IHDR", 4) == 0) {
            h.width = be32(data + 16);
            h.height = be32(data + 20);
        }
    } else if (n >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff) {
        h.type = "image/jpeg";
        look_jpeg(&h, data, n);
    }
    return h;
}
