#define _XOPEN_SOURCE 700
#include "unit/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ecgcnn/image.h"

static ecg_error err;
static uint8_t px[50 * 50 * 4];

static void fill(void)
{
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * i / 7 + (i % 3) * 50);
}

START_TEST(test_round_trip)
{
    const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    const char *path = unit_tmp("round.png");
    fill();
    for (int i = 0; i < 3; i++)
        for (uint32_t w = 1; w <= 40; w += 13) {
            const uint32_t c = (uint32_t)colors[i];
            const ecg_image img = {px, w, 47, c, w * c + (size_t)i};
            ck_ok(ecg_image_save_png(&img, path, &err), err);
            ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
            o.color = colors[i];
            ecg_pixels *p;
            ck_ok(ecg_pixels_load(&p, path, &o, &err), err);
            const ecg_image v = ecg_pixels_view(p);
            ck_assert(v.w == w && v.h == 47 && v.c == c);
            for (size_t y = 0; y < 47; y++)
                ck_assert_mem_eq(v.px + y * v.stride, px + y * img.stride, w * c);
            ecg_pixels_free(p);
        }
}
END_TEST

static unsigned char *saved(const ecg_image *img, size_t *n)
{
    unsigned char *b;
    const char *path = unit_tmp("same.png");
    ck_ok(ecg_image_save_png(img, path, &err), err);
    ck_ok(ecg__file_read(&b, n, path, 1 << 20, &err), err);
    return b;
}

/* The same bytes each time; of the chunks only those that must be. */
START_TEST(test_bytes)
{
    fill();
    const ecg_image img = {px, 50, 50, 3, 150};
    size_t n, m;
    unsigned char *a = saved(&img, &n), *b = saved(&img, &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(a, b, n);
    for (size_t at = 8; at < n;) {
        ck_assert(memcmp(a + at + 4, "IHDR", 4) == 0 || memcmp(a + at + 4, "IDAT", 4) == 0 ||
                  memcmp(a + at + 4, "IEND", 4) == 0);
        at += 12 + ((size_t)a[at] << 24 | (size_t)a[at + 1] << 16 | (size_t)a[at + 2] << 8 | a[at + 3]);
    }
    ecg__free(a);
    ecg__free(b);
}
END_TEST

typedef struct taken {
    unsigned char at[1 << 16];
    size_t n, most;
} taken;

static int take(void *payload, const void *data, size_t n)
{
    taken *t = payload;
    if (n > t->most - t->n)
        return 1;
    memcpy(t->at + t->n, data, n);
    t->n += n;
    return 0;
}

/* To a function: the bytes of the file; one that takes no more ends it, wherever that is. */
START_TEST(test_to_function)
{
    static taken t;
    fill();
    ecg_image img = {px, 50, 50, 3, 150};
    size_t n;
    unsigned char *file = saved(&img, &n);
    t = (taken){.most = sizeof t.at};
    ck_ok(ecg_image_encode_png(&img, take, &t, &err), err);
    ck_assert_uint_eq(t.n, n);
    ck_assert_mem_eq(t.at, file, n);
    ecg__free(file);
    for (size_t most = 0; most < n; most += n / 7) {
        t = (taken){.most = most};
        ck_fails(ecg_image_encode_png(&img, take, &t, &err), err, ECG_EIO, "could not take");
        ck_assert_uint_le(t.n, most);
    }
    ck_fails(ecg_image_encode_png(&img, NULL, &t, &err), err, ECG_EINVAL, "no function");
    img.c = 2;
    ck_fails(ecg_image_encode_png(&img, take, &t, &err), err, ECG_EINVAL, "2 channels");
}
END_TEST

START_TEST(test_failures_leave_nothing)
{
    fill();
    ecg_image img = {px, 10, 10, 1, 10};
    const char *dir = unit_tmp("nothing");
    mkdir(dir, 0777);
    char path[1100];
    snprintf(path, sizeof path, "%s/none/a.png", dir);
    ck_fails(ecg_image_save_png(&img, path, &err), err, ECG_EIO, "none/a.png: ");
    snprintf(path, sizeof path, "%s/a.png", dir);
    img.stride = 9;
    ck_fails(ecg_image_save_png(&img, path, &err), err, ECG_EINVAL, "stride");
    img.stride = 10;
    img.c = 2;
    ck_fails(ecg_image_save_png(&img, path, &err), err, ECG_EINVAL, "2 channels");
    img.c = 1;
    img.px = NULL;
    ck_fails(ecg_image_save_png(&img, path, &err), err, ECG_EINVAL, "without pixels");
    ck_fails(ecg_image_save_png(&img, NULL, &err), err, ECG_EINVAL, "path");
    DIR *d = opendir(dir);
    int files = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        files += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    ck_assert_int_eq(files, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("encode");
    TCase *t = tcase_create("encode");
    tcase_add_test(t, test_round_trip);
    tcase_add_test(t, test_bytes);
    tcase_add_test(t, test_to_function);
    tcase_add_test(t, test_failures_leave_nothing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
