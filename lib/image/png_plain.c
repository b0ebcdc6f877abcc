/* The PNG that most datasets are made of, without libpng: 8 bits a sample, not interlaced, no palette, and
 * nothing in it that changes pixels. All of it is inflated in one call, which lets zlib copy in long runs;
 * libpng asks for a row at a time. Whatever else a file holds, or does not, is left to libpng. */
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "image/png_plain.h"

enum { SIGNATURE = 8, HEADER = 33, CHUNK = 12 };

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What is read of a file. */
struct plain {
    uint32_t w, h, channels;
    enum ecg__sample_kind kind;
    const unsigned char *data; /* the compressed pixels: in the file, or in `joined` */
    size_t n;
    unsigned char *joined;
};

static bool read_header(struct plain *p, const unsigned char *d)
{
    p->w = big_endian(d + 16);
    p->h = big_endian(d + 20);
    if (d[24] != 8 || d[26] != 0 || d[27] != 0 || d[28] != 0)
        return false;
    switch (d[25]) {
    case 0:
        p->kind = ECG__GRAY, p->channels = 1;
        return true;
    case 2:
        p->kind = ECG__RGB, p->channels = 3;
        return true;
    case 4:
        p->kind = ECG__GRAY_ALPHA, p->channels = 2;
        return true;
    case 6:
        p->kind = ECG__RGB_ALPHA, p->channels = 4;
        return true;
    default:
        return false;
    }
}

/* Another chunk of pixels after those there are. `most`: bytes left in the file. */
static bool join(struct plain *p, const unsigned char *data, size_t n, size_t most)
{
    if (p->n == 0) {
        p->data = data;
        p->n = n;
        return true;
    }
    if (!p->joined) {
        p->joined = ecg__alloc(p->n + most);
        if (!p->joined)
            return false;
        memcpy(p->joined, p->data, p->n);
        p->data = p->joined;
    }
    memcpy(p->joined + p->n, data, n);
    p->n += n;
    return true;
}

/* Four letters, as libpng wants them. */
static bool is_name(const unsigned char *kind)
{
    for (int i = 0; i < 4; i++)
        if ((kind[i] | 0x20) < 'a' || (kind[i] | 0x20) > 'z')
            return false;
    return true;
}

/* All chunks, in order and whole, to the end chunk. */
static bool read_chunks(struct plain *p, const struct ecg__encoded *in)
{
    bool pixels_over = false;
    for (size_t at = SIGNATURE; in->n - at >= CHUNK;) {
        const unsigned char *c = in->data + at;
        const size_t n = big_endian(c);
        if (n > in->n - at - CHUNK || !is_name(c + 4))
            return false;
        const bool is_pixels = memcmp(c + 4, "IDAT", 4) == 0, header = at == SIGNATURE;
        if (crc32(crc32(0, NULL, 0), c + 4, (uInt)n + 4) != big_endian(c + 8 + n))
            return false;
        if (memcmp(c + 4, "IEND", 4) == 0)
            return n == 0 && p->n > 0;
        if (is_pixels) {
            if (pixels_over || !join(p, c + 8, n, in->n - at))
                return false;
        } else if (header) {
            if (n != HEADER - SIGNATURE - CHUNK || !read_header(p, in->data))
                return false;
        } else if (!(c[4] & 0x20) || memcmp(c + 4, "tRNS", 4) == 0 || memcmp(c + 4, "eXIf", 4) == 0) {
            return false; /* a critical one, or one that counts */
        }
        pixels_over = p->n > 0 && !is_pixels;
        at += CHUNK + n;
    }
    return false;
}

/* Exactly `n` bytes, and a sound end. */
static bool inflate_all(const struct plain *p, unsigned char *to, size_t n)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    if (inflateInit(&z) != Z_OK)
        return false;
    z.next_in = (z_const Bytef *)(uintptr_t)p->data;
    z.avail_in = (uInt)p->n;
    z.next_out = to;
    z.avail_out = (uInt)n;
    const int code = inflate(&z, Z_FINISH);
    const bool whole = code == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
    inflateEnd(&z);
    return whole;
}

/* ---- Filters: each byte was coded as its difference from what a guess by its neighbours says ---- */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Running sums of bytes, eight at a time: the even and the odd ones in 16 bits each, so that sums of eight
 * have room, and a multiplication adds them up. */
static size_t sums_by_eight(unsigned char *row, size_t n)
{
    const uint64_t ones = 0x0001000100010001u, low = 0x00ff00ff00ff00ffu;
    uint64_t carry = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t v;
        memcpy(&v, row + i, 8);
        const uint64_t even = (v & low) * ones, odd = (v >> 8 & low) * ones, before = carry * ones;
        const uint64_t to_odd = even + odd + before;
        v = ((even + (odd << 16) + before) & low) | (to_odd & low) << 8;
        memcpy(row + i, &v, 8);
        carry = to_odd >> 48 & 0xff;
    }
    return i;
}
#else
static size_t sums_by_eight(unsigned char *row, size_t n)
{
    (void)row;
    (void)n;
    return 0;
}
#endif

static void undo_sub(unsigned char *row, size_t n, size_t step)
{
    size_t i = step == 1 ? sums_by_eight(row, n) : 0;
    for (i = i < step ? step : i; i < n; i++)
        row[i] = (unsigned char)(row[i] + row[i - step]);
}

static void undo_up(unsigned char *restrict row, const unsigned char *restrict above, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row[i] = (unsigned char)(row[i] + above[i]);
}

static void undo_average(unsigned char *restrict row, const unsigned char *restrict above, size_t n,
                         size_t step)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t left = i < step ? 0 : row[i - step];
        row[i] = (unsigned char)(row[i] + ((left + above[i]) >> 1));
    }
}

static void undo_paeth(unsigned char *restrict row, const unsigned char *restrict above, size_t n,
                       size_t step)
{
    for (size_t i = 0; i < n; i++) {
        const int a = i < step ? 0 : row[i - step], b = above[i], c = i < step ? 0 : above[i - step];
        const int pa = b > c ? b - c : c - b, pb = a > c ? a - c : c - a;
        const int d = a + b - 2 * c, pc = d < 0 ? -d : d;
        const int guess = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
        row[i] = (unsigned char)(row[i] + guess);
    }
}

/* row[0] names the filter of row[1..n]; `above` is the row before without it. */
static bool undo(unsigned char *row, const unsigned char *above, size_t n, size_t step)
{
    switch (row[0]) {
    case 0:
        return true;
    case 1:
        undo_sub(row + 1, n, step);
        return true;
    case 2:
        undo_up(row + 1, above, n);
        return true;
    case 3:
        undo_average(row + 1, above, n, step);
        return true;
    case 4:
        undo_paeth(row + 1, above, n, step);
        return true;
    default:
        return false;
    }
}

/* raw: rows as inflated; above: a row of zeros. */
static bool to_pixels(const struct plain *p, const struct ecg__encoded *in, unsigned char *raw,
                      const unsigned char *above, uint8_t *scratch, ecg_pixels *px)
{
    const size_t n = (size_t)p->w * p->channels, out_row = (size_t)p->w * px->c;
    const struct ecg__samples samples = {.kind = p->kind, .bits = 8};
    for (size_t y = 0; y < p->h; y++) {
        unsigned char *row = raw + y * (n + 1);
        if (!undo(row, above, n, p->channels) ||
            !ecg__color_row(&samples, row + 1, p->w, in->color, in->profile, scratch, px->px + y * out_row))
            return false;
        above = row + 1;
    }
    return true;
}

static bool decode(ecg_pixels **out, const struct plain *p, const struct ecg__encoded *in)
{
    enum { MOST = 1 << 30 }; /* zlib counts in 32 bits */
    size_t row, all, room;
    if (!ecg__mul(&row, p->w, p->channels) || !ecg__mul(&all, row + 1, p->h) || all > MOST || p->n > MOST)
        return false;
    const size_t scratch = (size_t)p->w * 4;
    if (!ecg__add(&room, all, row + scratch))
        return false;
    unsigned char *raw = ecg__alloc(room);
    ecg_pixels *px = raw ? ecg__pixels_new(p->h, p->w, (uint32_t)in->color) : NULL;
    bool ok = px && inflate_all(p, raw, all);
    if (ok) {
        memset(raw + all, 0, row);
        ok = to_pixels(p, in, raw, raw + all, raw + all + row, px);
    }
    ecg__free(raw);
    if (!ok) {
        ecg_pixels_free(px);
        return false;
    }
    *out = px;
    return true;
}

bool ecg__png_plain(ecg_pixels **out, const struct ecg__encoded *in)
{
    struct plain p = {.n = 0};
    const bool ok = in->n >= HEADER && read_chunks(&p, in) && decode(out, &p, in);
    ecg__free(p.joined);
    return ok;
}
