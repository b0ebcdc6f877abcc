#define _XOPEN_SOURCE 700
#include "unit/unit.h"

#include <unistd.h>

#include "base/file.h"
#include "ecgcnn/image.h"
#include "unit/png_bytes.h"

static ecg_error err;
static struct png_bytes f;

static void make_png(uint32_t w, uint32_t h)
{
    static uint8_t rows[1 << 14];
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (uint8_t)(i * 5);
    png_begin(&f, w, h, 8, 0);
    png_pixels(&f, rows, h, w);
    png_end(&f);
}

static const char *write_file(const char *name, const void *data, size_t n)
{
    const char *path = unit_tmp(name);
    ecg__file *out;
    ck_ok(ecg__file_create(&out, path, &err), err);
    ck_ok(ecg__file_write(out, data, n, &err), err);
    ck_ok(ecg__file_commit(out, true, &err), err);
    return path;
}

START_TEST(test_content_decides)
{
    make_png(3, 2);
    ecg_pixels *p;
    ck_ok(ecg_pixels_load(&p, write_file("png.jpg", f.b, f.n), NULL, &err), err);
    const ecg_image v = ecg_pixels_view(p);
    ck_assert_uint_eq(v.w, 3);
    ck_assert_uint_eq(v.h, 2);
    ck_assert_uint_eq(v.c, 1);
    ck_assert_mem_eq(v.px, "\0\5\x0a\x0f\x14\x19", 6);
    ecg_pixels_free(p);
    ecg_pixels_free(NULL);
    ck_fails(ecg_pixels_load(&p, write_file("text.png", "hello", 5), NULL, &err), err, ECG_EFORMAT,
             "text.png: begins with byte 0x68, expected a PNG or JPEG");
    ck_assert_ptr_null(p);
    ck_fails(ecg_pixels_load(&p, write_file("gif.png", "GIF89a", 6), NULL, &err), err, ECG_EFORMAT, "a GIF");
    ck_fails(ecg_pixels_load(&p, write_file("empty.png", "", 0), NULL, &err), err, ECG_EFORMAT,
             "empty.png: is empty");
    ck_fails(ecg_pixels_load(&p, write_file("one.png", "\x89", 1), NULL, &err), err, ECG_EFORMAT, "0x89");
    ck_assert_int_eq(ecg_pixels_load(&p, write_file("one.png", "\x89", 1), NULL, NULL), ECG_EFORMAT);
}
END_TEST

START_TEST(test_what_is_no_file)
{
    ecg_pixels *p;
    const char *fifo = unit_tmp("fifo.png"), *dir = unit_tmp("dir.png");
    unlink(fifo);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    mkdir(dir, 0777);
    ck_fails(ecg_pixels_load(&p, fifo, NULL, &err), err, ECG_EIO, "fifo.png: is a pipe");
    ck_fails(ecg_pixels_load(&p, dir, NULL, &err), err, ECG_EIO, "dir.png: is a folder");
    ck_fails(ecg_pixels_load(&p, "/dev/zero", NULL, &err), err, ECG_EIO, "/dev/zero: is a device");
    ck_fails(ecg_pixels_load(&p, unit_tmp("none.png"), NULL, &err), err, ECG_EIO, "none.png: cannot open");
    ck_fails(ecg_pixels_load(&p, NULL, NULL, &err), err, ECG_EINVAL, "path");
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(test_limits)
{
    make_png(100, 60);
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *p;
    o.max_side = 99;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, NULL, &o, &err), err, ECG_ELIMIT, "picture: 100 x 60 pixels");
    o.max_side = 100;
    o.max_pixels = 5999;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, "a", &o, &err), err, ECG_ELIMIT, "a: 100 x 60 pixels");
    o.max_pixels = 6000;
    o.max_bytes = f.n - 1;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, "a", &o, &err), err, ECG_ELIMIT, "a: ");
    ck_fails(ecg_pixels_load(&p, write_file("big.png", f.b, f.n), &o, &err), err, ECG_ELIMIT, "big.png: ");
    o.max_bytes = f.n;
    ck_ok(ecg_pixels_decode(&p, f.b, f.n, "a", &o, &err), err);
    ecg_pixels_free(p);
}
END_TEST

START_TEST(test_thin_pictures)
{
    ecg_pixels *p;
    for (int tall = 0; tall < 2; tall++) {
        make_png(tall ? 1 : 8192, tall ? 8192 : 1);
        ck_ok(ecg_pixels_decode(&p, f.b, f.n, NULL, NULL, &err), err);
        const ecg_image v = ecg_pixels_view(p);
        ck_assert_uint_eq(v.w, tall ? 1 : 8192);
        int differ = 0;
        for (size_t i = 0; i < 8192; i++)
            differ += v.px[i] != (uint8_t)(i * 5);
        ck_assert_int_eq(differ, 0);
        ecg_pixels_free(p);
    }
}
END_TEST

START_TEST(test_options)
{
    make_png(3, 2);
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *p;
    o.color = (ecg_color)2;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, NULL, &o, &err), err, ECG_EINVAL, "color: 2");
    o.color = ECG_COLOR_RGB;
    o.profile = (ecg_profile)7;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, NULL, &o, &err), err, ECG_EINVAL, "profile: 7");
    o.profile = ECG_PROFILE_KERAS;
    o.size = 1;
    ck_fails(ecg_pixels_decode(&p, f.b, f.n, NULL, &o, &err), err, ECG_EINVAL, "size");
    o.size = 8; /* an old caller, who knew of colour only */
    ck_ok(ecg_pixels_decode(&p, f.b, f.n, NULL, &o, &err), err);
    ck_assert_uint_eq(ecg_pixels_view(p).c, 3);
    ecg_pixels_free(p);
    ck_fails(ecg_pixels_decode(&p, NULL, 5, NULL, NULL, &err), err, ECG_EINVAL, "data");
    ck_fails(ecg_pixels_decode(&p, NULL, 0, NULL, NULL, &err), err, ECG_EFORMAT, "empty");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pixels");
    TCase *t = tcase_create("pixels");
    tcase_add_test(t, test_content_decides);
    tcase_add_test(t, test_what_is_no_file);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_thin_pictures);
    tcase_add_test(t, test_options);
    suite_add_tcase(s, t);
    return unit_run(s);
}
