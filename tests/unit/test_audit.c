/* Planted copies and flaws among drawn beats. */
#define _GNU_SOURCE
#include "ecgcnn/audit.h"

#include <math.h>

#include "base/rng.h"
#include "ecgcnn/image.h"
#include "eval/audit.h"
#include "tree.h"

#include <jpeglib.h>

enum { W = 96, H = 64 };

/* A beat-like line on white, drawn soft; every seed another one. */
static void draw(uint8_t px[H * W], uint64_t seed, int dx, int dy)
{
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    double at[6], height[6], width[6];
    for (int i = 0; i < 6; i++) {
        at[i] = 15 + 66 * ecg__rng_double(&r);
        height[i] = 18 * (ecg__rng_double(&r) - 0.3);
        width[i] = 1.5 + 5 * ecg__rng_double(&r);
    }
    memset(px, 255, (size_t)H * W);
    double last = 0;
    for (int x = 8; x < W - 8; x++) {
        double y = 40;
        for (int i = 0; i < 6; i++)
            y -= height[i] * exp(-(x - at[i]) * (x - at[i]) / (2 * width[i] * width[i]));
        y = y < 6 ? 6 : y > H - 7 ? H - 7 : y;
        const double from = x == 8 || last > y ? y : last, to = x == 8 || last < y ? y : last;
        for (int row = 4; row < H - 4; row++) {
            const double far = row < from ? from - row : row > to ? row - to : 0;
            const double ink = far < 1.3 ? 1 - far / 1.3 : 0;
            uint8_t *p = &px[(row + dy) * W + x + dx];
            const int v = (int)(255 - 255 * ink);
            *p = (uint8_t)(v < *p ? v : *p);
        }
        last = y;
    }
}

static const char *save(const char *root, const char *name, const uint8_t *px, uint32_t w, uint32_t h,
                        uint32_t c)
{
    ecg_error err = {0};
    const char *path = tree_path(root, name);
    const ecg_image v = {px, w, h, c, (size_t)w * c};
    ck_ok(ecg_image_save_png(&v, path, &err), err);
    return path;
}

static const char *save_jpeg(const char *root, const char *name, const uint8_t *px, int quality)
{
    const char *path = tree_path(root, name);
    struct jpeg_compress_struct enc;
    struct jpeg_error_mgr errors;
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    enc.err = jpeg_std_error(&errors);
    jpeg_create_compress(&enc);
    jpeg_stdio_dest(&enc, f);
    enc.image_width = W;
    enc.image_height = H;
    enc.input_components = 1;
    enc.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&enc);
    jpeg_set_quality(&enc, quality, TRUE);
    jpeg_start_compress(&enc, TRUE);
    while (enc.next_scanline < H) {
        uint8_t row[W], *rows[1] = {row};
        memcpy(row, px + enc.next_scanline * (size_t)W, W);
        jpeg_write_scanlines(&enc, rows, 1);
    }
    jpeg_finish_compress(&enc);
    jpeg_destroy_compress(&enc);
    fclose(f);
    return path;
}

static ecg_audit *audit(void)
{
    ecg_audit *a;
    ck_assert_int_eq(ecg_audit_new(&a), ECG_OK);
    return a;
}

static void run(ecg_audit *a, uint32_t threads)
{
    ecg_error err = {0};
    ecg_audit_options o = ECG_AUDIT_OPTIONS_INIT;
    o.threads = threads;
    ck_ok(ecg_audit_run(a, &o, &err), err);
}

START_TEST(planted_copies_and_nothing_else)
{
    enum { N = 120 };
    const char *root = tree_new("planted");
    ecg_audit *a = audit(), *again = audit();
    static uint8_t px[H * W];
    char name[32];
    for (int i = 0; i < 2 * N; i++) {
        /* The second half are copies: moved, as JPEG, both; then a few exact ones. */
        const int of = i % N, copy = i >= N, dx = copy ? of % 3 - 1 : 0, dy = copy ? of / 3 % 3 - 1 : 0;
        draw(px, (uint64_t)of, dx, dy);
        snprintf(name, sizeof name, "%s/%d.%s", copy ? "b" : "a", of, copy && of % 2 ? "jpg" : "png");
        const char *path = copy && of % 2 ? save_jpeg(root, name, px, 75) : save(root, name, px, W, H, 1);
        ck_assert_int_eq(ecg_audit_add(a, path), ECG_OK);
        ck_assert_int_eq(ecg_audit_add(again, path), ECG_OK);
    }
    run(a, 3);
    run(again, 1);
    size_t n, exact = 0, m;
    const ecg_audit_pair *p = ecg_audit_near(a, &n), *q = ecg_audit_near(again, &m);
    for (size_t i = 0; i < 2 * N; i++) {
        const ecg_audit_found *f = ecg_audit_at(a, i);
        ck_assert_uint_eq(f->like, i % N);
        exact += f->same != i;
        ck_assert(f->same == i || f->same == i % N);
        ck_assert_mem_eq(f, ecg_audit_at(again, i), sizeof *f);
    }
    ck_assert_uint_eq(ecg_audit_count(a), 2 * N);
    ck_assert(exact > 0 && n + exact == N);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(p, q, n * sizeof *p);
    for (size_t i = 0; i < n; i++) {
        const int of = (int)p[i].a;
        ck_assert_uint_eq(p[i].b, p[i].a + N);
        ck_assert_int_eq(p[i].dx, of % 3 - 1);
        ck_assert_int_eq(p[i].dy, of / 3 % 3 - 1);
    }
    ecg_audit_free(a);
    ecg_audit_free(again);
}
END_TEST

START_TEST(near_is_near)
{
    static uint8_t a[H * W], b[H * W];
    int32_t dx, dy;
    draw(a, 1, 0, 0);
    draw(b, 1, 1, -1);
    const ecg__gray x = {a, W, H}, y = {b, W, H}, other = {b, W - 1, H};
    ck_assert(ecg__audit_is_near(&x, &y, 255, 255, &dx, &dy));
    ck_assert_int_eq(dx, 1);
    ck_assert_int_eq(dy, -1);
    ck_assert(!ecg__audit_is_near(&x, &other, 255, 255, &dx, &dy));
    draw(b, 1, 2, 0);
    ck_assert(!ecg__audit_is_near(&x, &y, 255, 255, &dx, &dy)); /* two pixels are too far */
    draw(b, 1, 0, 0);
    for (int i = 20; i < 24; i++)
        b[30 * W + i] = 0; /* one stroke more */
    ck_assert(!ecg__audit_is_near(&x, &y, 255, 255, &dx, &dy));
}
END_TEST

START_TEST(flaws)
{
    const char *root = tree_new("flaws");
    ecg_audit *a = audit();
    static uint8_t px[H * W], rgb[H * W * 3];
    char name[32];
    for (int i = 0; i < 6; i++) {
        draw(px, 100 + (uint64_t)i, 0, 0);
        snprintf(name, sizeof name, "%d.png", i);
        ecg_audit_add(a, save(root, name, px, W, H, 1));
    }
    for (size_t i = 0; i < (size_t)H * W * 3; i++)
        rgb[i] = px[i / 3];
    ecg_audit_add(a, save(root, "rgb.png", rgb, W, H, 3)); /* 6: the pixels of 5, in another mode */
    for (size_t i = 0; i < (size_t)H * W; i++)
        px[i] = (uint8_t)(255 - px[i]);
    ecg_audit_add(a, save(root, "inverted.png", px, W, H, 1)); /* 7 */
    memset(px, 255, sizeof px);
    ecg_audit_add(a, save(root, "blank.png", px, W, H, 1));     /* 8 */
    ecg_audit_add(a, save(root, "blank2.png", px, W, H, 1));    /* 9 */
    ecg_audit_add(a, save(root, "small.png", px, W, H / 2, 1)); /* 10 */
    tree_write(root, "text.png", "no picture");
    ecg_audit_add(a, tree_path(root, "text.png")); /* 11 */
    ecg_audit_add(a, tree_path(root, "gone.png")); /* 12 */
    draw(px, 100, 0, 0);
    ecg_audit_add(a, save_jpeg(root, "0.jpg", px, 90)); /* 13 */
    run(a, 2);
    static const uint32_t want[14] = {[6] = ECG_AUDIT_ODD_MODE,
                                      [7] = ECG_AUDIT_ODD_GROUND,
                                      [8] = ECG_AUDIT_BLANK,
                                      [9] = ECG_AUDIT_BLANK,
                                      [10] = ECG_AUDIT_BLANK | ECG_AUDIT_ODD_SIZE,
                                      [11] = ECG_AUDIT_UNREADABLE,
                                      [12] = ECG_AUDIT_UNREADABLE,
                                      [13] = ECG_AUDIT_ODD_MODE};
    for (size_t i = 0; i < 14; i++)
        ck_assert_msg(ecg_audit_at(a, i)->flags == want[i], "picture %zu: %u", i, ecg_audit_at(a, i)->flags);
    ck_assert_int_eq(ecg_audit_at(a, 11)->status, ECG_EFORMAT);
    ck_assert_int_eq(ecg_audit_at(a, 12)->status, ECG_EIO);
    ck_assert_uint_eq(ecg_audit_at(a, 6)->same, 5);
    ck_assert_uint_eq(ecg_audit_at(a, 6)->same_bytes, 6);
    ck_assert_uint_eq(ecg_audit_at(a, 6)->channels, 3);
    ck_assert_uint_eq(ecg_audit_at(a, 9)->same_bytes, 8);
    ck_assert_uint_eq(ecg_audit_at(a, 10)->same, 10);
    ck_assert_uint_eq(ecg_audit_at(a, 13)->same, 13);
    ck_assert_uint_eq(ecg_audit_at(a, 13)->like, 0);
    ck_assert_uint_eq(ecg_audit_at(a, 13)->jpeg, 1);
    ck_assert_uint_eq(ecg_audit_at(a, 0)->w, W);
    ck_assert_uint_eq(ecg_audit_at(a, 0)->h, H);
    ck_assert_uint_eq(ecg_audit_at(a, 0)->bits, 8);
    /* The line ends eight columns before either side. */
    ck_assert_uint_eq(ecg_audit_at(a, 0)->border[1], 8);
    ck_assert_uint_eq(ecg_audit_at(a, 0)->border[3], 8);
    ck_assert_str_eq(ecg_audit_path(a, 12) + strlen(ecg_audit_path(a, 12)) - 8, "gone.png");
    ecg_audit_free(a);
}
END_TEST

static int stop(void *payload, size_t done, size_t total)
{
    (void)total;
    *(size_t *)payload = done;
    return 1;
}

START_TEST(none_and_stopped)
{
    ecg_error err = {0};
    ecg_audit *a = audit();
    size_t n = 1, seen = 0;
    run(a, 0);
    ecg_audit_near(a, &n);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(ecg_audit_add(a, "x"), ECG_EINVAL);
    ck_fails(ecg_audit_run(a, NULL, &err), err, ECG_EINVAL, "has run");
    ecg_audit_free(a);
    a = audit();
    ck_assert_int_eq(ecg_audit_add(a, "nowhere.png"), ECG_OK);
    ecg_audit_options o = ECG_AUDIT_OPTIONS_INIT;
    o.progress = stop;
    o.payload = &seen;
    ck_fails(ecg_audit_run(a, &o, &err), err, ECG_ECANCELLED, "after 1 of 1");
    ck_assert_uint_eq(seen, 1);
    ecg_audit_free(a);
    ecg_audit_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit");
    TCase *t = tcase_create("audit");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, planted_copies_and_nothing_else);
    tcase_add_test(t, near_is_near);
    tcase_add_test(t, flaws);
    tcase_add_test(t, none_and_stopped);
    suite_add_tcase(s, t);
    return unit_run(s);
}
