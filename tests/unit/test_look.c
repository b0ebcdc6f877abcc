/* Looks of pictures: by hand, and against sums made another way. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ecgcnn/image.h"
#include "image/look.h"
#include "unit.h"

enum { W = 70, H = 9 };

static ecg_image gray(const uint8_t *px, uint32_t w, uint32_t h)
{
    return (ecg_image){px, w, h, 1, w};
}

static void near(float got, double want)
{
    ck_assert_double_eq_tol((double)got, want, 1e-6);
}

START_TEST(by_hand)
{
    uint8_t px[H][W];
    float of[ECG_LOOK_PREPARED];
    memset(px, 250, sizeof px);
    const ecg_image v = gray(&px[0][0], W, H);
    ecg_look_prepared(&v, of); /* blank */
    near(of[ECG_LOOK_BACKGROUND], 250.0 / 255.0);
    for (int i = 1; i < ECG_LOOK_PREPARED; i++)
        near(of[i], 0.0);
    /* Two strokes in columns 60 to 69, over the edge of a strip, the lower one two rows high; then a column
     * whose ink is two rows away: it does not touch. */
    for (int x = 60; x < 69; x++) {
        px[2][x] = 50;
        px[5][x] = px[6][x] = 100;
    }
    px[8][69] = 0;
    ecg_look_prepared(&v, of);
    near(of[ECG_LOOK_INK], 28.0 / (W * H));
    near(of[ECG_LOOK_BRIGHT], 0.0);
    near(of[ECG_LOOK_DEPTH], (9 * 200.0 + 18 * 150.0 + 250.0) / 28.0 / 255.0);
    near(of[ECG_LOOK_COLUMNS], 10.0 / W);
    near(of[ECG_LOOK_STROKES], 19.0 / 10.0);
    near(of[ECG_LOOK_BREAKS], 1.0 / 9.0);
    near(of[ECG_LOOK_REACH], (9 * 5.0 + 1.0) / 10.0 / H);
    near(of[ECG_LOOK_ROWS], 4.0 / H);
    near(of[ECG_LOOK_BORDER], 1.0 / (2 * (W + H) - 4));
    px[0][0] = 255; /* not bright: by 5 only; it is grain, of two neighbours' difference less */
    ecg_look_prepared(&v, of);
    near(of[ECG_LOOK_BRIGHT], 0.0);
    ck_assert(of[ECG_LOOK_GRAIN] > 0.0f);
    px[7][69] = 0; /* beside the row 6 of the column before */
    ecg_look_prepared(&v, of);
    near(of[ECG_LOOK_BREAKS], 0.0);
}
END_TEST

START_TEST(bright_on_dark)
{
    uint8_t px[8 * 8] = {0};
    float of[ECG_LOOK_PREPARED];
    px[3 * 8 + 3] = 32;
    px[3 * 8 + 4] = 31;
    const ecg_image v = gray(px, 8, 8);
    ecg_look_prepared(&v, of);
    near(of[ECG_LOOK_BACKGROUND], 0.0);
    near(of[ECG_LOOK_BRIGHT], 1.0 / 64.0);
    near(of[ECG_LOOK_INK], 0.0);
    /* Of 56 pairs in rows one differs by 32, one by 1, one by 31. */
    near(of[ECG_LOOK_GRAIN], 32.0 / 32.0 / 55.0);
    const ecg_image dot = gray(px, 1, 1);
    ecg_look_prepared(&dot, of);
    for (int i = 0; i < ECG_LOOK_PREPARED; i++)
        ck_assert(isfinite(of[i]));
}
END_TEST

/* A row of w pixels enlarged by whole factors looks the same but for its border and grain. */
START_TEST(size_does_not_matter)
{
    enum { w = 40, h = 24, K = 3 };
    static uint8_t a[h][w], b[h * K][w * K];
    ecg__rng r = ecg__rng_at(3, ECG__RNG_SYNTH, 0, 0);
    memset(a, 255, sizeof a);
    uint32_t at = 12;
    for (int x = 4; x < w - 4; x++) {
        at = at + ecg__rng_below(&r, 3) - 1;
        a[at][x] = 0;
    }
    for (int y = 0; y < h * K; y++)
        for (int x = 0; x < w * K; x++)
            b[y][x] = a[y / K][x / K];
    float of[2][ECG_LOOK_PREPARED];
    const ecg_image v = gray(&a[0][0], w, h), u = gray(&b[0][0], w * K, h * K);
    ecg_look_prepared(&v, of[0]);
    ecg_look_prepared(&u, of[1]);
    for (int i = 0; i < ECG_LOOK_PREPARED; i++)
        near(of[1][i], (double)of[0][i]);
}
END_TEST

static ecg_preprocess prep_of(ecg_color c)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = 16;
    p.w = 20;
    p.color = c;
    ecg_error err;
    ck_ok(ecg_preprocess_check(&p, &p, &err), err);
    return p;
}

/* The same pixels as without a look, from file, memory and decoded picture; and colour. */
START_TEST(reading)
{
    enum { w = 30, h = 17 };
    static uint8_t px[h][w][3];
    ecg__rng r = ecg__rng_at(5, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < sizeof px; i++)
        (&px[0][0][0])[i] = (uint8_t)ecg__rng_below(&r, 256);
    const ecg_image v = {&px[0][0][0], w, h, 3, w * 3};
    const char *path = unit_tmp("look.png");
    ecg_error err = {0};
    ck_ok(ecg_image_save_png(&v, path, &err), err);
    double color = 0.0;
    for (int i = 0; i < w * h; i++) {
        const uint8_t *p = &px[0][0][0] + 3 * i;
        uint8_t most = p[0], least = p[0];
        for (int k = 1; k < 3; k++) {
            most = p[k] > most ? p[k] : most;
            least = p[k] < least ? p[k] : least;
        }
        color += most - least;
    }
    for (int c = 1; c <= 3; c += 2) {
        const ecg_preprocess p = prep_of((ecg_color)c);
        ecg_pixels *plain, *seen, *decoded;
        ecg_look a, b;
        ck_ok(ecg_preprocess_load(&plain, &p, path, &err), err);
        ck_ok(ecg_look_load(&seen, &a, &p, path, &err), err);
        ck_ok(ecg_look_image(&decoded, &b, &p, &v, &err), err);
        const ecg_image x = ecg_pixels_view(plain), y = ecg_pixels_view(seen), z = ecg_pixels_view(decoded);
        ck_assert_uint_eq(y.w, 20);
        ck_assert_mem_eq(x.px, y.px, (size_t)20 * 16 * c);
        ck_assert_mem_eq(x.px, z.px, (size_t)20 * 16 * c);
        ck_assert_mem_eq(&a, &b, sizeof a);
        near(a.of[ECG_LOOK_COLOR], color / (255.0 * w * h));
        near(a.of[ECG_LOOK_ASPECT], log2(30.0 / 17.0));
        ecg_pixels_free(plain);
        ecg_pixels_free(seen);
        ecg_pixels_free(decoded);
    }
    const ecg_preprocess p = prep_of(ECG_COLOR_GRAY);
    ecg_pixels *none;
    ecg_look look;
    ck_fails(ecg_look_load(&none, &look, &p, "/nowhere/x.png", &err), err, ECG_EIO, "/nowhere/x.png");
    ck_assert_ptr_null(none);
    ck_fails(ecg_look_decode(&none, &look, &p, "no picture", 10, "it", &err), err, ECG_EFORMAT, "it");
    const ecg_image bad = {NULL, 3, 3, 1, 3};
    ck_fails(ecg_look_image(&none, &look, &p, &bad, &err), err, ECG_EINVAL, "without pixels");
}
END_TEST

START_TEST(names)
{
    for (uint32_t i = 0; i < ECG_LOOKS; i++) {
        ck_assert_ptr_nonnull(ecg_look_name(i));
        for (uint32_t k = 0; k < i; k++)
            ck_assert_str_ne(ecg_look_name(i), ecg_look_name(k));
    }
    ck_assert_ptr_null(ecg_look_name(ECG_LOOKS));
    static const uint8_t clear[4] = {10, 20, 30, 0}, full[4] = {10, 20, 30, 255};
    ck_assert_uint_eq(ecg__gray(clear, 4), 255);
    ck_assert_uint_eq(ecg__gray(full, 4), ecg__gray(full, 3));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("look");
    TCase *t = tcase_create("look");
    tcase_add_test(t, by_hand);
    tcase_add_test(t, bright_on_dark);
    tcase_add_test(t, size_does_not_matter);
    tcase_add_test(t, reading);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
