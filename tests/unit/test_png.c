#include "unit/unit.h"

#include "ecgcnn/image.h"
#include "unit/png_bytes.h"

static ecg_error err;
static struct png_bytes f;

static ecg_status decode(ecg_pixels **p, ecg_color color, ecg_profile profile)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = color;
    o.profile = profile;
    return ecg_pixels_decode(p, f.b, f.n, "f.png", &o, &err);
}

static void expect(ecg_color color, ecg_profile profile, uint32_t h, uint32_t w, const uint8_t *want)
{
    ecg_pixels *p;
    ck_ok(decode(&p, color, profile), err);
    const ecg_image v = ecg_pixels_view(p);
    ck_assert_uint_eq(v.h, h);
    ck_assert_uint_eq(v.w, w);
    ck_assert_uint_eq(v.c, (unsigned)color);
    ck_assert_uint_eq(v.stride, (size_t)w * v.c);
    for (size_t i = 0; i < (size_t)h * w * v.c; i++)
        if (v.px[i] != want[i])
            ck_abort_msg("byte %zu is %d, expected %d", i, v.px[i], want[i]);
    ecg_pixels_free(p);
}

static void both(ecg_color color, uint32_t h, uint32_t w, const uint8_t *want)
{
    expect(color, ECG_PROFILE_CORRECT, h, w, want);
    expect(color, ECG_PROFILE_KERAS, h, w, want);
}

START_TEST(test_gray_depths)
{
    png_begin(&f, 9, 1, 1, 0);
    png_pixels(&f, "\xa5\x80", 1, 2);
    png_end(&f);
    both(ECG_COLOR_GRAY, 1, 9, (const uint8_t[]){255, 0, 255, 0, 0, 255, 0, 255, 255});
    png_begin(&f, 3, 2, 2, 0);
    png_pixels(&f, "\x1b\xe4", 2, 1);
    png_end(&f);
    both(ECG_COLOR_GRAY, 2, 3, (const uint8_t[]){0, 85, 170, 255, 170, 85});
    png_begin(&f, 2, 1, 4, 0);
    png_pixels(&f, "\x1f", 1, 1);
    png_end(&f);
    both(ECG_COLOR_RGB, 1, 2, (const uint8_t[]){17, 17, 17, 255, 255, 255});
    png_begin(&f, 1, 3, 8, 0);
    png_pixels(&f, "\1\2\3", 3, 1);
    png_end(&f);
    both(ECG_COLOR_RGBA, 3, 1, (const uint8_t[]){1, 1, 1, 255, 2, 2, 2, 255, 3, 3, 3, 255});
}
END_TEST

START_TEST(test_16_bit)
{
    png_begin(&f, 4, 1, 16, 0);
    png_pixels(&f, "\x00\x07\x00\xff\x01\x00\x80\x01", 1, 8);
    png_end(&f);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 1, 4, (const uint8_t[]){0, 0, 1, 128});
    expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 1, 4, (const uint8_t[]){7, 255, 255, 255});
    png_begin(&f, 1, 1, 16, 2);
    png_pixels(&f, "\x10\xff\x20\xff\x30\xff", 1, 6);
    png_end(&f);
    both(ECG_COLOR_RGB, 1, 1, (const uint8_t[]){16, 32, 48});
    png_begin(&f, 1, 1, 16, 4);
    png_pixels(&f, "\x10\xff\x20\xff", 1, 4);
    png_end(&f);
    both(ECG_COLOR_RGBA, 1, 1, (const uint8_t[]){16, 16, 16, 32});
}
END_TEST

START_TEST(test_luma)
{
    png_begin(&f, 4, 1, 8, 2);
    png_pixels(&f, "\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff", 1, 12);
    png_end(&f);
    both(ECG_COLOR_GRAY, 1, 4, (const uint8_t[]){76, 150, 29, 255});
}
END_TEST

/* Over white: v * a / 255 + 255 - a, to the nearest. */
START_TEST(test_alpha)
{
    png_begin(&f, 4, 1, 8, 4);
    png_pixels(&f, "\0\xff\0\x80\0\0\x64\x32", 1, 8);
    png_end(&f);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 1, 4, (const uint8_t[]){0, 127, 255, 225});
    expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 1, 4, (const uint8_t[]){0, 0, 0, 100});
    png_begin(&f, 2, 1, 8, 6);
    png_pixels(&f, "\x0a\x14\x1e\0\x0a\x14\x1e\x33", 1, 8);
    png_end(&f);
    expect(ECG_COLOR_RGB, ECG_PROFILE_CORRECT, 1, 2, (const uint8_t[]){255, 255, 255, 206, 208, 210});
    expect(ECG_COLOR_RGB, ECG_PROFILE_KERAS, 1, 2, (const uint8_t[]){10, 20, 30, 10, 20, 30});
    both(ECG_COLOR_RGBA, 1, 2, (const uint8_t[]){10, 20, 30, 0, 10, 20, 30, 51});
}
END_TEST

/* Every value and alpha against real arithmetic. */
START_TEST(test_alpha_everywhere)
{
    static uint8_t row[512];
    for (int a = 0; a < 256; a++) {
        for (int v = 0; v < 256; v++)
            row[2 * v] = (uint8_t)v, row[2 * v + 1] = (uint8_t)a;
        png_begin(&f, 256, 1, 8, 4);
        png_pixels(&f, row, 1, 512);
        png_end(&f);
        ecg_pixels *p;
        ck_ok(decode(&p, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err);
        for (int v = 0; v < 256; v++) {
            const double exact = v * a / 255.0 + 255.0 - a;
            const double off = ecg_pixels_view(p).px[v] - exact;
            if (!(off <= 0.5 && off >= -0.5))
                ck_abort_msg("%d with alpha %d: off by %g", v, a, off);
        }
        ecg_pixels_free(p);
    }
}
END_TEST

START_TEST(test_transparent_colour)
{
    png_begin(&f, 3, 1, 4, 0);
    png_chunk(&f, "tRNS", "\0\2", 2);
    png_pixels(&f, "\x02\x30", 1, 2);
    png_end(&f);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 1, 3, (const uint8_t[]){0, 255, 51});
    expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 1, 3, (const uint8_t[]){0, 34, 51});
    expect(ECG_COLOR_RGBA, ECG_PROFILE_CORRECT, 1, 3,
           (const uint8_t[]){0, 0, 0, 255, 34, 34, 34, 0, 51, 51, 51, 255});
    expect(ECG_COLOR_RGBA, ECG_PROFILE_KERAS, 1, 3,
           (const uint8_t[]){0, 0, 0, 255, 34, 34, 34, 255, 51, 51, 51, 255});
    png_begin(&f, 2, 1, 8, 2);
    png_chunk(&f, "tRNS", "\0\1\0\2\0\3", 6);
    png_pixels(&f, "\1\2\3\1\2\4", 1, 6);
    png_end(&f);
    expect(ECG_COLOR_RGB, ECG_PROFILE_CORRECT, 1, 2, (const uint8_t[]){255, 255, 255, 1, 2, 4});
    expect(ECG_COLOR_RGB, ECG_PROFILE_KERAS, 1, 2, (const uint8_t[]){1, 2, 3, 1, 2, 4});
    both(ECG_COLOR_RGBA, 1, 2, (const uint8_t[]){1, 2, 3, 0, 1, 2, 4, 255});
}
END_TEST

START_TEST(test_palette)
{
    png_begin(&f, 3, 1, 8, 3);
    png_chunk(&f, "PLTE", "\x0a\x14\x1e\xc8\xc8\xc8", 6);
    png_chunk(&f, "tRNS", "\0", 1);
    png_pixels(&f, "\1\0\1", 1, 3);
    png_end(&f);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 1, 3, (const uint8_t[]){200, 255, 200});
    expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 1, 3, (const uint8_t[]){200, 18, 200});
    both(ECG_COLOR_RGBA, 1, 3, (const uint8_t[]){200, 200, 200, 255, 10, 20, 30, 0, 200, 200, 200, 255});
    png_begin(&f, 3, 1, 8, 3);
    png_chunk(&f, "PLTE", "\x0a\x14\x1e\xc8\xc8\xc8", 6);
    png_pixels(&f, "\1\0\2", 1, 3);
    png_end(&f);
    ecg_pixels *p;
    ck_fails(decode(&p, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ECORRUPT,
             "index beyond its 2 colours");
    ck_assert_ptr_null(p);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 1, 3, (const uint8_t[]){200, 18, 2});
}
END_TEST

/* eXIf before and after the pixels; little and big endian. */
START_TEST(test_orientation)
{
    static const unsigned char le[26] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0";
    static const unsigned char be[26] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0";
    for (int late = 0; late < 2; late++) {
        png_begin(&f, 3, 2, 8, 0);
        if (!late)
            png_chunk(&f, "eXIf", le, sizeof le);
        png_pixels(&f, "\1\2\3\4\5\6", 2, 3);
        if (late)
            png_chunk(&f, "eXIf", le, sizeof le);
        png_end(&f);
        expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 3, 2, (const uint8_t[]){4, 1, 5, 2, 6, 3});
        expect(ECG_COLOR_GRAY, ECG_PROFILE_KERAS, 2, 3, (const uint8_t[]){1, 2, 3, 4, 5, 6});
    }
    png_begin(&f, 3, 2, 8, 0);
    png_chunk(&f, "eXIf", be, sizeof be);
    png_pixels(&f, "\1\2\3\4\5\6", 2, 3);
    png_end(&f);
    expect(ECG_COLOR_GRAY, ECG_PROFILE_CORRECT, 2, 3, (const uint8_t[]){6, 5, 4, 3, 2, 1});
}
END_TEST

/* Everything but the end chunk is needed; whatever is cut off, the message says so. */
START_TEST(test_cut)
{
    static uint8_t rows[40 * 40];
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (uint8_t)(i * i * 31 >> 3);
    png_begin(&f, 40, 40, 8, 0);
    png_pixels(&f, rows, 40, 40);
    png_end(&f);
    const size_t full = f.n;
    for (int profile = 0; profile < 2; profile++)
        for (size_t n = 2; n <= full; n++) {
            ecg_pixels *p;
            f.n = n;
            if (n >= full - 12) {
                expect(ECG_COLOR_GRAY, (ecg_profile)profile, 40, 40, rows);
                continue;
            }
            ck_fails(decode(&p, ECG_COLOR_GRAY, (ecg_profile)profile), err, ECG_ECORRUPT,
                     "f.png: PNG truncated");
            ck_assert_ptr_null(p);
        }
}
END_TEST

/* A flipped bit in header or pixels is found by a checksum; none crashes. */
START_TEST(test_flipped_bits)
{
    png_begin(&f, 5, 3, 8, 2);
    png_pixels(&f, "0123456789abcde0123456789abcde0123456789abcde", 3, 15);
    png_end(&f);
    const size_t full = f.n;
    for (size_t bit = 0; bit < 8 * full; bit++) {
        f.b[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ecg_pixels *p;
        const ecg_status s = decode(&p, ECG_COLOR_RGB, ECG_PROFILE_CORRECT);
        if (bit < 32)
            ck_assert_int_eq(s, ECG_EFORMAT);
        else if (bit / 8 < full - 12)
            ck_assert_msg(s == ECG_ECORRUPT || s == ECG_ELIMIT, "bit %zu: %s", bit, ecg_status_name(s));
        ck_assert((s == ECG_OK) == (p != NULL));
        ecg_pixels_free(p);
        f.b[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}
END_TEST

START_TEST(test_bad_headers)
{
    static const struct {
        uint32_t w, h;
        int depth, type;
        ecg_status status;
        const char *part;
    } bad[] = {{100000, 100000, 8, 0, ECG_ELIMIT, "100000 x 100000 pixels"},
               {8193, 1, 8, 0, ECG_ELIMIT, "8192 a side"},
               {8192, 8192, 8, 0, ECG_ELIMIT, "33554432 in all"},
               {0xffffffff, 0xffffffff, 8, 0, ECG_ELIMIT, "a side"},
               {0, 5, 8, 0, ECG_ECORRUPT, "0 x 5"},
               {5, 0, 8, 0, ECG_ECORRUPT, "5 x 0"},
               {4, 4, 3, 0, ECG_ECORRUPT, "damaged"},
               {4, 4, 8, 5, ECG_ECORRUPT, "damaged"},
               {4, 4, 8, 3, ECG_ECORRUPT, "PLTE"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        png_begin(&f, bad[i].w, bad[i].h, bad[i].depth, bad[i].type);
        png_pixels(&f, "....................", 4, 4);
        png_end(&f);
        ecg_pixels *p;
        ck_fails(decode(&p, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, bad[i].status, bad[i].part);
    }
    memcpy(f.b + 4, "\n\x1a\n", 3);
    ecg_pixels *p;
    ck_fails(decode(&p, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ECORRUPT, "signature");
}
END_TEST

/* Ancillary chunks, however odd, neither matter nor fail. */
START_TEST(test_ancillary_chunks_are_skipped)
{
    png_begin(&f, 2, 1, 8, 0);
    for (int i = 0; i < 100; i++)
        png_chunk(&f, "tEXt", "no separator", 12);
    png_chunk(&f, "gAMA", "\0\0\0\1", 4);
    png_chunk(&f, "iCCP", "x", 1);
    png_chunk(&f, "zTXt", "a\0\0\xff\xff", 5);
    png_chunk(&f, "eXIf", "II*", 3);
    png_chunk(&f, "abCd", "?", 1);
    png_pixels(&f, "\x40\x80", 1, 2);
    png_end(&f);
    both(ECG_COLOR_GRAY, 1, 2, (const uint8_t[]){64, 128});
}
END_TEST

int main(void)
{
    Suite *s = suite_create("png");
    TCase *t = tcase_create("png");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_gray_depths);
    tcase_add_test(t, test_16_bit);
    tcase_add_test(t, test_luma);
    tcase_add_test(t, test_alpha);
    tcase_add_test(t, test_alpha_everywhere);
    tcase_add_test(t, test_transparent_colour);
    tcase_add_test(t, test_palette);
    tcase_add_test(t, test_orientation);
    tcase_add_test(t, test_cut);
    tcase_add_test(t, test_flipped_bits);
    tcase_add_test(t, test_bad_headers);
    tcase_add_test(t, test_ancillary_chunks_are_skipped);
    suite_add_tcase(s, t);
    return unit_run(s);
}
