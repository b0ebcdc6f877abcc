/* Small files that would become much: refused, or read without what they carry, in less than 10 MiB and
 * without being decoded. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <zlib.h>

#include <jpeglib.h>

#include "ecgcnn/image.h"
#include "inject/heap.h"
#include "unit/unit.h"

enum { MIB = 1 << 20, LIMIT = 10 * MIB };

static ecg_error err;

/* ---- A file that grows ---- */
typedef struct bytes {
    unsigned char *b;
    size_t n, cap;
} bytes;

static unsigned char *room(bytes *f, size_t n)
{
    if (f->n + n > f->cap) {
        f->cap = 2 * (f->n + n);
        f->b = realloc(f->b, f->cap);
        ck_assert_ptr_nonnull(f->b);
    }
    f->n += n;
    return f->b + f->n - n;
}

static void put(bytes *f, const void *data, size_t n)
{
    if (n)
        memcpy(room(f, n), data, n);
}

static void put_u32(bytes *f, uint32_t v)
{
    unsigned char *p = room(f, 4);
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put_chunk(bytes *f, const char *kind, const void *data, size_t n)
{
    put_u32(f, (uint32_t)n);
    const size_t at = f->n;
    put(f, kind, 4);
    put(f, data, n);
    put_u32(f, (uint32_t)crc32_z(0, f->b + at, n + 4));
}

static bytes png(uint32_t w, uint32_t h, int depth, int color, int interlace)
{
    bytes f = {NULL, 0, 0}, head = {NULL, 0, 0};
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_u32(&head, w);
    put_u32(&head, h);
    const unsigned char rest[] = {(unsigned char)depth, (unsigned char)color, 0, 0, (unsigned char)interlace};
    put(&head, rest, sizeof rest);
    put_chunk(&f, "IHDR", head.b, head.n);
    free(head.b);
    return f;
}

/* `prefix`, then n zero bytes compressed: pieces that are compressed once and repeated, and a short one. */
static bytes zeros(const void *prefix, size_t before, uint64_t n)
{
    enum { PIECE = MIB };
    static unsigned char none[PIECE], packed[PIECE + 1000];
    bytes f = {NULL, 0, 0};
    uLong sum = adler32(0, NULL, 0);
    put(&f, prefix, before);
    put(&f, "\x78\xda", 2);
    for (size_t want = PIECE; want > 0; want = want == PIECE ? (size_t)(n % PIECE) : 0) {
        z_stream z = {
            .next_in = none, .avail_in = (uInt)want, .next_out = packed, .avail_out = sizeof packed};
        const uLong own = adler32(adler32(0, NULL, 0), none, (uInt)want);
        ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
        ck_assert_int_eq(deflate(&z, Z_FULL_FLUSH), Z_OK);
        for (uint64_t k = want == PIECE ? n / PIECE : 1; k > 0; k--) {
            put(&f, packed, sizeof packed - z.avail_out);
            sum = adler32_combine(sum, own, (z_off_t)want);
        }
        deflateEnd(&z);
    }
    put(&f, "\3\0", 2); /* the last block, empty */
    put_u32(&f, (uint32_t)sum);
    return f;
}

/* A plain gray picture of 64 x 64 with `extra` before and after its pixels. */
static bytes png_with(const bytes *extra, int color)
{
    bytes f = png(64, 64, 8, color, 0), pixels = zeros("", 0, (64 + 1) * 64);
    if (color == 3)
        put_chunk(&f, "PLTE", "\0\0\0\xff\xff\xff", 6);
    put(&f, extra->b, extra->n);
    put_chunk(&f, "IDAT", pixels.b, pixels.n);
    put(&f, extra->b, extra->n);
    put_chunk(&f, "IEND", NULL, 0);
    free(pixels.b);
    return f;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In both profiles: `want`, in LIMIT bytes at most and a second. Frees the file. */
static void expect(bytes *f, ecg_status want, const char *part)
{
    for (int profile = 0; profile < 2; profile++) {
        ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
        ecg_pixels *p = NULL;
        o.profile = profile ? ECG_PROFILE_KERAS : ECG_PROFILE_CORRECT;
        const double start = cpu_seconds();
        heap_mark();
        if (want == ECG_OK)
            ck_ok(ecg_pixels_decode(&p, f->b, f->n, "bomb", &o, &err), err);
        else
            ck_fails(ecg_pixels_decode(&p, f->b, f->n, "bomb", &o, &err), err, want, part);
        const size_t peak = heap_peak();
        ck_assert_msg(peak < LIMIT, "%s: %zu bytes allocated for a file of %zu", part, peak, f->n);
        const double seconds = cpu_seconds() - start;
        ck_assert_msg(seconds < 1.0, "%s: %.2f s", part, seconds);
        printf("%-42s %8zu bytes: %7zu allocated, %.3f s\n", part, f->n, peak, seconds);
        ecg_pixels_free(p);
    }
    free(f->b);
    *f = (bytes){NULL, 0, 0};
}

START_TEST(the_measure_measures)
{
    heap_mark();
    void *volatile p = malloc(LIMIT);
    ck_assert_uint_ge(heap_peak(), LIMIT);
    free(p);
    ck_assert_uint_ge(heap_peak(), LIMIT);
    heap_mark();
    ck_assert_uint_lt(heap_peak(), 1000);
}
END_TEST

/* Sizes that are over the limits, whatever follows. */
START_TEST(png_headers)
{
    static const uint32_t sizes[][2] = {
        {100000, 100000},        {100000, 1}, {1, 100000}, {8192, 8192}, {0x7fffffff, 0x7fffffff},
        {0xffffffff, 0xffffffff}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bytes f = png(sizes[i][0], sizes[i][1], 16, 6, (int)i % 2), pixels = zeros("", 0, 1000);
        put_chunk(&f, "IDAT", pixels.b, pixels.n);
        put_chunk(&f, "IEND", NULL, 0);
        free(pixels.b);
        expect(&f, ECG_ELIMIT, " pixels, the limit is ");
    }
}
END_TEST

/* Sizes within the limits, that so few bytes cannot hold: deflate makes at most 1032 bytes of one. */
START_TEST(png_promises)
{
    for (int interlace = 0; interlace < 2; interlace++)
        for (int color = 0; color <= 6; color += 2) {
            bytes f = png(8192, 4096, color == 0 ? 16 : 8, color, interlace), pixels = zeros("", 0, 1000);
            put_chunk(&f, "IDAT", pixels.b, pixels.n);
            put_chunk(&f, "IEND", NULL, 0);
            free(pixels.b);
            expect(&f, ECG_ECORRUPT, "truncated");
        }
}
END_TEST

/* Two megabytes that inflate to two gigabytes: as a picture of that size, and as far too much for a small
 * one, in one chunk and in many. */
START_TEST(png_pixels)
{
    const bytes all = zeros("", 0, (uint64_t)2048 * MIB);
    ck_assert_uint_lt(all.n, 3 * MIB);
    bytes f = png(46340, 46340, 8, 0, 0);
    put_chunk(&f, "IDAT", all.b, all.n);
    put_chunk(&f, "IEND", NULL, 0);
    expect(&f, ECG_ELIMIT, "46340 x 46340 pixels, the limit is ");

    for (int interlace = 0; interlace < 2; interlace++)
        for (size_t piece = 8192; piece <= all.n * 2; piece *= 256) {
            f = png(64, 64, 8, 0, interlace);
            for (size_t at = 0; at < all.n; at += piece)
                put_chunk(&f, "IDAT", all.b + at, all.n - at < piece ? all.n - at : piece);
            put_chunk(&f, "IEND", NULL, 0);
            expect(&f, ECG_ECORRUPT, "more data than pixels");
        }
    free(all.b);
}
END_TEST

/* 17 kB of compressed text or profile are 5 MB. They are passed over, inflated by nobody. */
START_TEST(png_text)
{
    static const struct {
        const char *kind, *before;
        size_t n;
    } cases[] = {{"zTXt", "Comment\0", 9}, {"iCCP", "Profile\0", 9}, {"iTXt", "Comment\0\1\0\0", 12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int color = 0; color <= 3; color += 3) { /* our own reader, and libpng */
            bytes chunk = {NULL, 0, 0}, data = zeros(cases[i].before, cases[i].n, 5000000);
            ck_assert_uint_lt(data.n, 17000);
            put_chunk(&chunk, cases[i].kind, data.b, data.n);
            bytes f = png_with(&chunk, color);
            expect(&f, ECG_OK, cases[i].kind);
            free(chunk.b);
            free(data.b);
        }
}
END_TEST

/* Very many chunks, and very large ones; frames of an animation are passed over as well. */
START_TEST(png_floods)
{
    static const char *const kinds[] = {"tEXt", "sPLT", "tIME", "eXIf", "acTL",
                                        "fcTL", "fdAT", "prVt", "tRNS"};
    static unsigned char large[3 * MIB] = "Name\0\10";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int color = 0; color <= 3; color += 3) {
            bytes flood = {NULL, 0, 0}, f;
            for (int k = 0; k < 20000; k++)
                put_chunk(&flood, kinds[i], "ab\0cdefg", i == 8 ? 2 : 8);
            f = png_with(&flood, color);
            expect(&f, ECG_OK, kinds[i]);
            flood.n = 0;
            put_chunk(&flood, kinds[i], large, sizeof large);
            f = png_with(&flood, color);
            expect(&f, ECG_OK, kinds[i]);
            free(flood.b);
        }
}
END_TEST

/* ---- JPEG ---- */

static bytes jpeg(uint32_t side, int components, const jpeg_scan_info *scans, int count)
{
    struct jpeg_compress_struct enc;
    struct jpeg_error_mgr errors;
    unsigned char *b = NULL, *row = calloc(side, 3);
    unsigned long n = 0;
    bytes f = {NULL, 0, 0};
    enc.err = jpeg_std_error(&errors);
    jpeg_create_compress(&enc);
    jpeg_mem_dest(&enc, &b, &n);
    enc.image_width = enc.image_height = side;
    enc.input_components = components;
    enc.in_color_space = components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&enc);
    if (scans) {
        enc.scan_info = scans;
        enc.num_scans = count;
    }
    jpeg_start_compress(&enc, TRUE);
    while (enc.next_scanline < side)
        jpeg_write_scanlines(&enc, &row, 1);
    jpeg_finish_compress(&enc);
    jpeg_destroy_compress(&enc);
    put(&f, b, n);
    free(b);
    free(row);
    return f;
}

/* Where the marker with this second byte begins. */
static size_t find(const bytes *f, int marker, size_t from)
{
    for (size_t i = from; i + 1 < f->n; i++)
        if (f->b[i] == 0xff && f->b[i + 1] == marker)
            return i;
    return f->n;
}

static void set_size(bytes *f, uint32_t h, uint32_t w)
{
    size_t at = find(f, 0xc0, 0);
    at = at < f->n ? at : find(f, 0xc2, 0);
    ck_assert_uint_lt(at + 9, f->n);
    const unsigned char size[] = {(unsigned char)(h >> 8), (unsigned char)h, (unsigned char)(w >> 8),
                                  (unsigned char)w};
    memcpy(f->b + at + 5, size, 4);
}

static const jpeg_scan_info progressive[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};

START_TEST(jpeg_claims)
{
    for (int kind = 0; kind < 4; kind++) {
        bytes f = kind < 2 ? jpeg(1024, 1 + 2 * kind, NULL, 0) : jpeg(1024, 1, progressive, 2);
        if (f.n < 20000)
            memset(room(&f, 20000 - f.n), 0, 20000 - f.n);
        const int small = kind == 3;
        set_size(&f, small ? 4096 : 65500, small ? 8192 : 65500); /* the last is within the limits */
        expect(&f, small ? ECG_ECORRUPT : ECG_ELIMIT,
               small ? "truncated" : "65500 x 65500 pixels, the limit is ");
    }
}
END_TEST

/* The last scan again and again. */
START_TEST(jpeg_scans)
{
    bytes f = jpeg(512, 1, progressive, 2);
    const size_t first = find(&f, 0xda, 0), last = find(&f, 0xda, first + 2), n = f.n - 2 - last;
    bytes scan = {NULL, 0, 0};
    put(&scan, f.b + last, n);
    f.n -= 2;
    for (int i = 0; i < 5000; i++)
        put(&f, scan.b, n);
    put(&f, "\xff\xd9", 2);
    free(scan.b);
    expect(&f, ECG_ELIMIT, "100 scans");
}
END_TEST

/* Many large markers before the picture, as files with thumbnails and profiles have, but far more. */
START_TEST(jpeg_floods)
{
    static unsigned char data[65533] = "Exif\0";
    static const int kinds[] = {0xe1, 0xe2, 0xee, 0xfe, 0xe0};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bytes f = {NULL, 0, 0}, plain = jpeg(64, 1, NULL, 0);
        put(&f, plain.b, 2);
        for (int k = 0; k < 400; k++) {
            const unsigned char head[] = {0xff, (unsigned char)kinds[i], 0xff, 0xff};
            put(&f, head, sizeof head);
            put(&f, data, sizeof data);
        }
        put(&f, plain.b + 2, plain.n - 2);
        free(plain.b);
        expect(&f, ECG_OK, "markers");
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bombs");
    TCase *t = tcase_create("bombs");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_measure_measures);
    tcase_add_test(t, png_headers);
    tcase_add_test(t, png_promises);
    tcase_add_test(t, png_pixels);
    tcase_add_test(t, png_text);
    tcase_add_test(t, png_floods);
    tcase_add_test(t, jpeg_claims);
    tcase_add_test(t, jpeg_scans);
    tcase_add_test(t, jpeg_floods);
    suite_add_tcase(s, t);
    return unit_run(s);
}
