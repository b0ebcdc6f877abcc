/* The short way gives what libpng gives, and leaves everything else to it. */
#include "image/png_plain.h"

#include "base/rng.h"
#include "png_bytes.h"
#include "unit.h"

static ecg_error err;

enum { MOST_W = 40, H = 9 };

struct kind {
    int color_type;
    uint32_t channels;
};
static const struct kind kinds[] = {{0, 1}, {2, 3}, {4, 2}, {6, 4}};

static int paeth(int a, int b, int c)
{
    const int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* Rows of n bytes as the filter of each row codes them; filter 5: another one for each row. */
static size_t filtered(unsigned char *to, const unsigned char *px, size_t n, size_t step, int filter)
{
    unsigned char *start = to;
    for (size_t y = 0; y < H; y++) {
        const int f = filter < 5 ? filter : (int)(y * 3 % 5);
        *to++ = (unsigned char)f;
        for (size_t i = 0; i < n; i++) {
            const int a = i < step ? 0 : px[y * n + i - step], b = y ? px[(y - 1) * n + i] : 0,
                      c = i < step || y == 0 ? 0 : px[(y - 1) * n + i - step];
            const int guess[] = {0, a, b, (a + b) / 2, paeth(a, b, c)};
            *to++ = (unsigned char)(px[y * n + i] - guess[f]);
        }
    }
    return (size_t)(to - start);
}

/* A picture of smooth and of random parts, in `pieces` chunks. exif: with a chunk that only libpng reads. */
static void make(struct png_bytes *f, const struct kind *k, uint32_t w, int filter, size_t pieces, int exif)
{
    unsigned char px[MOST_W * 4 * H], raw[sizeof px + H], packed[2 * sizeof raw];
    const size_t n = (size_t)w * k->channels;
    ecg__rng r = ecg__rng_at(w, ECG__RNG_SYNTH, (uint64_t)filter, 0);
    for (size_t i = 0; i < n * H; i++)
        px[i] = (unsigned char)(i % n < n / 2 ? ecg__rng_u32(&r) : 250 + i / 3);
    const size_t rows = filtered(raw, px, n, k->channels, filter);
    uLongf size = sizeof packed;
    ck_assert_int_eq(compress2(packed, &size, raw, (uLong)rows, 6), Z_OK);
    png_begin(f, w, H, 8, k->color_type);
    if (exif)
        png_chunk(f, "eXIf", "MM\0*\0\0\0\x8\0\0", 10);
    png_chunk(f, "tEXt", "a\0b", 3);
    for (size_t i = 0; i < pieces; i++) {
        const size_t from = size * i / pieces, to = size * (i + 1) / pieces;
        png_chunk(f, "IDAT", packed + from, to - from);
    }
    png_end(f);
}

static struct ecg__encoded encoded(const struct png_bytes *f, ecg_color color, ecg_profile profile)
{
    return (struct ecg__encoded){f->b, f->n, "picture", color, profile, 8192, 1 << 25};
}

START_TEST(test_same_as_libpng)
{
    static struct png_bytes plain, other;
    static const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    const struct kind *k = &kinds[_i];
    for (uint32_t w = 1; w <= MOST_W; w++)
        for (int filter = 0; filter < 6; filter++) {
            make(&plain, k, w, filter, 1 + w % 3, 0);
            make(&other, k, w, filter, 1, 1);
            const ecg_color color = colors[(w + (uint32_t)filter) % 3];
            const ecg_profile profile = w / 2 % 2 ? ECG_PROFILE_KERAS : ECG_PROFILE_CORRECT;
            ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
            o.color = color;
            o.profile = profile;
            ecg_pixels *a = NULL, *b = NULL, *none = NULL;
            const struct ecg__encoded in = encoded(&plain, color, profile),
                                      slow = encoded(&other, color, profile);
            ck_assert_msg(ecg__png_plain(&a, &in), "width %u, filter %d", w, filter);
            ck_assert(!ecg__png_plain(&none, &slow));
            ck_assert_ptr_null(none);
            ck_ok(ecg_pixels_decode(&b, other.b, other.n, NULL, &o, &err), err);
            ck_assert(a->w == b->w && a->h == b->h && a->c == b->c);
            ck_assert_mem_eq(a->px, b->px, (size_t)a->w * a->h * a->c);
            ecg_pixels_free(a);
            ecg_pixels_free(b);
        }
}
END_TEST

/* Checksums see every changed byte; what is short is not whole. */
START_TEST(test_damage)
{
    static struct png_bytes f;
    make(&f, &kinds[0], 20, 5, 2, 0);
    const size_t n = f.n;
    ecg_pixels *p = NULL;
    for (size_t i = 8; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            f.b[i] ^= (unsigned char)(1 << bit);
            const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
            ck_assert_msg(!ecg__png_plain(&p, &in), "byte %zu, bit %d", i, bit);
            f.b[i] ^= (unsigned char)(1 << bit);
        }
    }
    for (f.n = 0; f.n < n; f.n++) {
        const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
        ck_assert_msg(!ecg__png_plain(&p, &in), "%zu bytes", f.n);
    }
    ck_assert_ptr_null(p);
}
END_TEST

/* Sound chunks with too little, too much or wrong pixels in them. */
START_TEST(test_wrong_pixels)
{
    static struct png_bytes f;
    static const int lengths[] = {0, 1, 8 * 9 - 1, 8 * 9 + 1, 8 * 9 + 9};
    ecg_pixels *p = NULL;
    unsigned char raw[256] = {0}, packed[256];
    for (size_t k = 0; k < 7; k++) {
        uLongf size = sizeof packed;
        raw[9] = k == 5 ? 5 : 0; /* no such filter */
        const uLong rows = k < 5 ? (uLong)lengths[k] : 8 * 9;
        ck_assert_int_eq(compress2(packed, &size, raw, rows, 6), Z_OK);
        png_begin(&f, 8, 8, 8, 0);
        png_chunk(&f, "IDAT", packed, size);
        if (k == 6)
            png_chunk(&f, "tEXt", "a\0b", 3), png_chunk(&f, "IDAT", "x", 1); /* parted by another */
        png_end(&f);
        const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
        ck_assert_msg(!ecg__png_plain(&p, &in), "case %zu", k);
    }
    png_begin(&f, 8, 8, 8, 0); /* no pixels at all */
    png_end(&f);
    const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
    ck_assert(!ecg__png_plain(&p, &in));
    ck_assert_ptr_null(p);
}
END_TEST

/* Kinds that are left to libpng. */
START_TEST(test_others)
{
    static struct png_bytes f;
    static const int depths[][2] = {{1, 0}, {2, 0}, {4, 0}, {16, 0}, {8, 3}, {16, 2}, {16, 6}};
    unsigned char rows[8 * 8 * 8] = {0};
    ecg_pixels *p = NULL;
    for (size_t k = 0; k < sizeof depths / sizeof depths[0]; k++) {
        png_begin(&f, 8, 8, depths[k][0], depths[k][1]);
        png_pixels(&f, rows, 8, 8);
        png_end(&f);
        const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
        ck_assert(!ecg__png_plain(&p, &in));
    }
    static const char *const chunks[] = {"tRNS", "eXIf", "PLTE", "QRST"};
    for (size_t k = 0; k < 4; k++) {
        png_begin(&f, 8, 8, 8, 0);
        png_chunk(&f, chunks[k], "\0\0", 2);
        png_pixels(&f, rows, 8, 8);
        png_end(&f);
        const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
        ck_assert(!ecg__png_plain(&p, &in));
    }
    png_begin(&f, 8, 8, 8, 0);
    f.b[28] = 1; /* interlaced */
    png_u32(f.b + 29, (uint32_t)crc32(0, f.b + 12, 17));
    png_pixels(&f, rows, 8, 8);
    png_end(&f);
    const struct ecg__encoded in = encoded(&f, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT);
    ck_assert(!ecg__png_plain(&p, &in));
    ck_assert_ptr_null(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("png_plain");
    TCase *t = tcase_create("png_plain");
    tcase_add_loop_test(t, test_same_as_libpng, 0, 4);
    tcase_add_test(t, test_damage);
    tcase_add_test(t, test_wrong_pixels);
    tcase_add_test(t, test_others);
    suite_add_tcase(s, t);
    return unit_run(s);
}
