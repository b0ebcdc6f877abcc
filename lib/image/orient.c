#include "image/orient.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

struct tiff {
    const unsigned char *p;
    size_t n;
    bool big;
};

static uint32_t get16(const struct tiff *t, size_t at)
{
    const uint32_t a = t->p[at], b = t->p[at + 1];
    return t->big ? a << 8 | b : b << 8 | a;
}

static uint32_t get32(const struct tiff *t, size_t at)
{
    const uint32_t a = get16(t, at), b = get16(t, at + 2);
    return t->big ? a << 16 | b : b << 16 | a;
}

uint32_t ecg__exif_orientation(const unsigned char *tiff, size_t n)
{
    struct tiff t = {tiff, n, false};
    if (n < 8 || (memcmp(tiff, "II", 2) != 0 && memcmp(tiff, "MM", 2) != 0))
        return 1;
    t.big = tiff[0] == 'M';
    const size_t dir = get32(&t, 4);
    if (get16(&t, 2) != 42 || dir < 8 || dir > n - 2)
        return 1;
    const size_t entries = get16(&t, dir);
    if (entries > (n - dir - 2) / ENTRY)
        return 1;
    for (size_t i = 0; i < entries; i++) {
        const size_t at = dir + 2 + i * ENTRY;
        if (get16(&t, at) != TAG_ORIENTATION)
            continue;
        const uint32_t value = get16(&t, at + 8);
        const bool good = get16(&t, at + 2) == TYPE_SHORT && get32(&t, at + 4) == 1;
        return good && value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

/* Where the stored picture's row 0 and column 0 are to go, by orientation 1..8:
 *     1 top left, 2 top right, 3 bottom right, 4 bottom left,
 *     5 left top, 6 right top, 7 right bottom, 8 left bottom. */
ecg_pixels *ecg__oriented(const ecg_pixels *p, uint32_t orientation)
{
    const bool swapped = orientation >= 5;
    const bool flip_rows = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    const bool flip_cols = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const uint32_t h = swapped ? p->w : p->h, w = swapped ? p->h : p->w;
    const size_t c = p->c;
    ecg_pixels *out = ecg__pixels_new(h, w, p->c);
    if (!out)
        return NULL;
    uint8_t *to = out->px;
    for (uint32_t i = 0; i < h; i++)
        for (uint32_t k = 0; k < w; k++, to += c) {
            const size_t row = flip_rows ? h - 1 - i : i, col = flip_cols ? w - 1 - k : k;
            memcpy(to, p->px + (swapped ? col * p->w + row : row * p->w + col) * c, c);
        }
    return out;
}
