#include "unit/unit.h"

#include <jpeglib.h>

#include "base/file.h"
#include "base/mem.h"
#include "ecgcnn/image.h"

static ecg_error err;

static unsigned char *vector(const char *name, size_t *n)
{
    char path[256];
    unsigned char *b;
    snprintf(path, sizeof path, "image/images/%s", name);
    ck_ok(ecg__file_read(&b, n, unit_data(path), 1 << 20, &err), err);
    return b;
}

static ecg_status decode(ecg_pixels **p, const unsigned char *b, size_t n, ecg_color color,
                         ecg_profile profile)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = color;
    o.profile = profile;
    return ecg_pixels_decode(p, b, n, "f.jpg", &o, &err);
}

/* Colours are pinned by golden_image; here: the same pixels in both profiles. */
START_TEST(test_profiles_agree)
{
    const char *names[] = {"rgb_420.jpg", "rgb_progressive.jpg", "gray.jpg", "cmyk.jpg"};
    const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 3; k++) {
            size_t n;
            unsigned char *b = vector(names[i], &n);
            ecg_pixels *p, *q;
            ck_ok(decode(&p, b, n, colors[k], ECG_PROFILE_CORRECT), err);
            ck_ok(decode(&q, b, n, colors[k], ECG_PROFILE_KERAS), err);
            const ecg_image v = ecg_pixels_view(p), u = ecg_pixels_view(q);
            ck_assert_uint_eq(v.w, 26);
            ck_assert_uint_eq(v.h, 19);
            ck_assert_uint_eq(v.c, (unsigned)colors[k]);
            ck_assert_mem_eq(v.px, u.px, v.stride * v.h);
            ecg_pixels_free(p);
            ecg_pixels_free(q);
            ecg__free(b);
        }
}
END_TEST

/* Held upright by turning a quarter to the right: the first column is the last row read backwards. */
START_TEST(test_orientation)
{
    size_t n;
    unsigned char *b = vector("gray_turned.jpg", &n);
    ecg_pixels *p, *q;
    ck_ok(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err);
    ck_ok(decode(&q, b, n, ECG_COLOR_GRAY, ECG_PROFILE_KERAS), err);
    const ecg_image up = ecg_pixels_view(p), stored = ecg_pixels_view(q);
    ck_assert_uint_eq(up.h, stored.w);
    ck_assert_uint_eq(up.w, stored.h);
    for (uint32_t r = 0; r < up.h; r++)
        for (uint32_t c = 0; c < up.w; c++)
            ck_assert_int_eq(up.px[r * up.stride + c], stored.px[(stored.h - 1 - c) * stored.stride + r]);
    ecg_pixels_free(p);
    ecg_pixels_free(q);
    ecg__free(b);
}
END_TEST

/* Any cut is found, even that of the two bytes of the end marker. */
START_TEST(test_cut)
{
    const char *names[] = {"rgb_420.jpg", "rgb_progressive.jpg", "cmyk.jpg"};
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        unsigned char *b = vector(names[i], &n);
        for (size_t cut = 2; cut < n; cut++) {
            ecg_pixels *p;
            ck_fails(decode(&p, b, cut, ECG_COLOR_GRAY, ECG_PROFILE_KERAS), err, ECG_ECORRUPT,
                     "f.jpg: JPEG ");
            ck_assert_ptr_null(p);
        }
        ecg_pixels *p;
        ck_fails(decode(&p, b, n - 1, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ECORRUPT, "truncated");
        ck_fails(decode(&p, b, n - 2, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ECORRUPT, "truncated");
        ck_ok(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err);
        ecg_pixels_free(p);
        ecg__free(b);
    }
}
END_TEST

/* Damage is reported or passes unseen (JPEG has no checksum); nothing else happens. */
START_TEST(test_flipped_bits)
{
    size_t n, refused = 0;
    unsigned char *b = vector("rgb_progressive.jpg", &n);
    for (size_t bit = 0; bit < 8 * n; bit += 3) {
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ecg_pixels *p;
        const ecg_status s = decode(&p, b, n, ECG_COLOR_RGB, ECG_PROFILE_CORRECT);
        ck_assert((s == ECG_OK) == (p != NULL));
        refused += s != ECG_OK;
        ecg_pixels_free(p);
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_uint_gt(refused, 100);
    ecg__free(b);
}
END_TEST

/* The frame header (SOF0 or SOF2) of a picture that starts with one. */
static unsigned char *frame(unsigned char *b, size_t n)
{
    for (size_t i = 2; i + 9 < n; i += 2 + ((size_t)b[i + 2] << 8 | b[i + 3]))
        if (b[i] == 0xff && (b[i + 1] == 0xc0 || b[i + 1] == 0xc2))
            return b + i;
    ck_abort_msg("no frame header");
}

START_TEST(test_headers)
{
    size_t n;
    unsigned char *b = vector("gray.jpg", &n), *sof = frame(b, n);
    ecg_pixels *p;
    const unsigned char h = sof[5], kind = sof[1];
    sof[5] = 0xf0; /* height 61440 + */
    ck_fails(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ELIMIT, "26 x 61459 pixels");
    sof[5] = h;
    sof[4] = 12; /* bits a sample */
    ck_fails(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_EUNSUPPORTED, "precision 12");
    sof[4] = 8;
    sof[1] = 0xc3; /* lossless */
    ck_fails(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_EUNSUPPORTED, "0xc3");
    sof[1] = kind;
    ck_ok(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err);
    ecg_pixels_free(p);
    ecg__free(b);
}
END_TEST

/* w x 8 colour, in one scan a component if there are any `scans`. */
static unsigned char *encode(unsigned w, const jpeg_scan_info *scans, unsigned long *n)
{
    struct jpeg_compress_struct enc;
    struct jpeg_error_mgr errors;
    unsigned char *b = NULL;
    *n = 0;
    enc.err = jpeg_std_error(&errors);
    jpeg_create_compress(&enc);
    jpeg_mem_dest(&enc, &b, n);
    enc.image_width = w;
    enc.image_height = 8;
    enc.input_components = 3;
    enc.in_color_space = JCS_RGB;
    jpeg_set_defaults(&enc);
    enc.scan_info = scans;
    enc.num_scans = scans ? 3 : 0;
    jpeg_start_compress(&enc, TRUE);
    uint8_t row[3 * 256], *rows[1] = {row};
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = (uint8_t)(i * i);
    for (int i = 0; i < 8; i++)
        jpeg_write_scanlines(&enc, rows, 1);
    jpeg_finish_compress(&enc);
    jpeg_destroy_compress(&enc);
    return b;
}

/* However the last bits fall: sometimes they are all read without a look at what follows. */
START_TEST(test_missing_end)
{
    for (unsigned w = 1; w <= 256; w += 3) {
        unsigned long n;
        unsigned char *b = encode(w, NULL, &n);
        ecg_pixels *p;
        ck_fails(decode(&p, b, n - 2, ECG_COLOR_GRAY, ECG_PROFILE_KERAS), err, ECG_ECORRUPT, "truncated");
        ck_ok(decode(&p, b, n, ECG_COLOR_GRAY, ECG_PROFILE_KERAS), err);
        ecg_pixels_free(p);
        free(b);
    }
}
END_TEST

/* The last scan again and again: on a large picture, a few kilobytes that would take minutes. */
START_TEST(test_scan_bomb)
{
    static const jpeg_scan_info scans[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    unsigned long n;
    unsigned char *b = encode(8, scans, &n);
    size_t sos = n - 2;
    while (!(b[sos] == 0xff && b[sos + 1] == 0xda))
        sos--;
    const size_t scan = n - 2 - sos;
    for (size_t times = 97; times <= 98; times++) {
        unsigned char *bomb = ecg__alloc(n + times * scan);
        ck_assert_ptr_nonnull(bomb);
        memcpy(bomb, b, n - 2);
        for (size_t i = 0; i < times; i++)
            memcpy(bomb + n - 2 + i * scan, b + sos, scan);
        memcpy(bomb + n - 2 + times * scan, "\xff\xd9", 2);
        ecg_pixels *p;
        if (times == 97)
            ck_ok(decode(&p, bomb, n + times * scan, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err);
        else
            ck_fails(decode(&p, bomb, n + times * scan, ECG_COLOR_GRAY, ECG_PROFILE_CORRECT), err, ECG_ELIMIT,
                     "100 scans");
        ecg_pixels_free(p);
        ecg__free(bomb);
    }
    free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jpeg");
    TCase *t = tcase_create("jpeg");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_profiles_agree);
    tcase_add_test(t, test_orientation);
    tcase_add_test(t, test_cut);
    tcase_add_test(t, test_flipped_bits);
    tcase_add_test(t, test_headers);
    tcase_add_test(t, test_missing_end);
    tcase_add_test(t, test_scan_bomb);
    suite_add_tcase(s, t);
    return unit_run(s);
}
