/* Makes PNG files of any kind, good and bad, in memory, for tests. */
#ifndef ECG_PNG_BYTES_H
#define ECG_PNG_BYTES_H

#include <stdint.h>
#include <string.h>
#include <zlib.h>

struct png_bytes {
    size_t n;
    unsigned char b[1 << 16];
};

static inline void png_u32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static inline void png_chunk(struct png_bytes *f, const char *kind, const void *data, size_t n)
{
    unsigned char *p = f->b + f->n;
    png_u32(p, (uint32_t)n);
    memcpy(p + 4, kind, 4);
    if (n)
        memcpy(p + 8, data, n);
    png_u32(p + 8 + n, (uint32_t)crc32(0, p + 4, (uInt)(n + 4)));
    f->n += n + 12;
}

static inline void png_begin(struct png_bytes *f, uint32_t w, uint32_t h, int depth, int color_type)
{
    unsigned char head[13] = {0};
    memcpy(f->b, "\x89PNG\r\n\x1a\n", 8);
    f->n = 8;
    png_u32(head, w);
    png_u32(head + 4, h);
    head[8] = (unsigned char)depth;
    head[9] = (unsigned char)color_type;
    png_chunk(f, "IHDR", head, sizeof head);
}

/* rows: h rows of `bytes` bytes as stored. */
static inline void png_pixels(struct png_bytes *f, const void *rows, uint32_t h, size_t bytes)
{
    static unsigned char raw[1 << 15], packed[1 << 16];
    for (uint32_t y = 0; y < h; y++) {
        raw[y * (bytes + 1)] = 0;
        memcpy(raw + y * (bytes + 1) + 1, (const unsigned char *)rows + y * bytes, bytes);
    }
    uLongf n = sizeof packed;
    compress2(packed, &n, raw, (uLong)(h * (bytes + 1)), 6);
    png_chunk(f, "IDAT", packed, n);
}

static inline void png_end(struct png_bytes *f)
{
    png_chunk(f, "IEND", NULL, 0);
}

#endif
