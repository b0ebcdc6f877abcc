/* PNG files: the first bytes decide that it is this decoder that sees them. What both our own reader of plain
 * files and libpng can read is the same picture. */
#include <zlib.h>

#include "fuzz_picture.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
    __attribute__((weak)); /* of libFuzzer; not there when a corpus is replayed */

enum { SIGNATURE = 8, AFTER_HEADER = 33, CHUNK = 12, RAW = 1 << 16 };

static size_t get(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_checksum(uint8_t *chunk, size_t n)
{
    put(chunk + 8 + n, crc32_z(0, chunk + 4, n + 4));
}

static bool holds(const uint8_t *data, size_t n, const char *kind)
{
    for (size_t i = 0; i + 4 <= n; i++)
        if (memcmp(data + i, kind, 4) == 0)
            return true;
    return false;
}

/* An eXIf chunk that says nothing takes a file away from our own reader. */
static void compare_readers(const uint8_t *data, size_t n)
{
    ecg_pixels *own = fuzz_decode(data, n, ECG_COLOR_RGBA, ECG_PROFILE_CORRECT);
    uint8_t *copy = own && !holds(data, n, "eXIf") ? malloc(n + CHUNK + 4) : NULL;
    if (copy) {
        memcpy(copy, data, AFTER_HEADER);
        put(copy + AFTER_HEADER, 4);
        memcpy(copy + AFTER_HEADER + 4, "eXIfII*", 8);
        put_checksum(copy + AFTER_HEADER, 4);
        memcpy(copy + AFTER_HEADER + CHUNK + 4, data + AFTER_HEADER, n - AFTER_HEADER);
        ecg_pixels *other = fuzz_decode(copy, n + CHUNK + 4, ECG_COLOR_RGBA, ECG_PROFILE_CORRECT);
        fuzz_require(other);
        const ecg_image a = ecg_pixels_view(own), b = ecg_pixels_view(other);
        fuzz_require(a.w == b.w && a.h == b.h && memcmp(a.px, b.px, a.stride * a.h) == 0);
        ecg_pixels_free(other);
    }
    free(copy);
    ecg_pixels_free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || memcmp(data, "\x89P", 2) != 0)
        return 0;
    fuzz_picture(data, n);
    compare_readers(data, n);
    return 0;
}

/* Change the pixels before they are compressed, in the first chunk of them. The new size, or 0. */
static size_t mutate_pixels(uint8_t *data, size_t size, size_t max_size)
{
    size_t at = SIGNATURE, n = 0;
    for (; size - at >= CHUNK; at += CHUNK + n) {
        n = get(data + at);
        if (n > size - at - CHUNK)
            return 0;
        if (memcmp(data + at + 4, "IDAT", 4) == 0)
            break;
    }
    if (size - at < CHUNK)
        return 0;
    static uint8_t raw[RAW], packed[2 * RAW];
    uLongf have = sizeof raw;
    if (uncompress(raw, &have, data + at + 8, n) != Z_OK)
        return 0;
    const size_t changed = LLVMFuzzerMutate(raw, have, sizeof raw), rest = size - at - 8 - n;
    uLongf now = sizeof packed;
    if (compress2(packed, &now, raw, changed, 1) != Z_OK || at + 8 + now + rest > max_size)
        return 0;
    memmove(data + at + 8 + now, data + at + 8 + n, rest);
    memcpy(data + at + 8, packed, now);
    put(data + at, now);
    return at + 8 + now + rest;
}

/* Mostly with right checksums: else nothing gets past them. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const size_t pixels = seed % 4 == 1 && size > SIGNATURE ? mutate_pixels(data, size, max_size) : 0;
    size = pixels ? pixels : LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 == 0)
        return size;
    for (size_t at = SIGNATURE, n; at <= size && size - at >= CHUNK; at += CHUNK + n) {
        n = get(data + at);
        if (n > size - at - CHUNK)
            break;
        put_checksum(data + at, n);
    }
    return size;
}
