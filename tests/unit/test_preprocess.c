#include "unit/unit.h"

#include <math.h>

#include "ecgcnn/image.h"
#include "unit/png_bytes.h"

static ecg_error err;
static struct png_bytes f;

START_TEST(test_defaults)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.color = (ecg_color)0;
    ck_ok(ecg_preprocess_check(&p, &p, &err), err);
    ck_assert(p.h == 64 && p.w == 64 && p.color == ECG_COLOR_GRAY && p.filter == ECG_FILTER_BILINEAR);
    ck_assert(p.rescale == 1.0f / 255.0f);
    for (int k = 0; k < 4; k++)
        ck_assert(p.mean[k] == 0.0f && p.deviation[k] == 1.0f);
    ecg_preprocess q;
    ck_ok(ecg_preprocess_check(&q, &p, &err), err);
    ck_assert_mem_eq(&q, &p, sizeof p);
}
END_TEST

START_TEST(test_refusals)
{
    const ecg_preprocess good = ECG_PREPROCESS_INIT;
    ecg_preprocess out = good, p;
#define REFUSED(field, value, part)                                                                          \
    p = good;                                                                                                \
    p.field = value;                                                                                         \
    ck_fails(ecg_preprocess_check(&out, &p, &err), err, ECG_EINVAL, part)
    REFUSED(h, 0, "h is 0");
    REFUSED(h, 4097, "h is 4097");
    REFUSED(w, 4097, "w is 4097");
    REFUSED(color, (ecg_color)2, "color: 2");
    REFUSED(profile, (ecg_profile)2, "profile: 2");
    REFUSED(filter, (ecg_filter)6, "filter: 6");
    REFUSED(rescale, NAN, "rescale");
    REFUSED(rescale, INFINITY, "rescale");
    REFUSED(mean[3], NAN, "mean[3]");
    REFUSED(deviation[1], -1.0f, "deviation[1]");
    REFUSED(deviation[2], INFINITY, "deviation[2]");
    REFUSED(deviation[0], 1e-44f, "deviation[0]");
    REFUSED(rescale, 1e38f, "overflows");
    REFUSED(size, 2, "size");
#undef REFUSED
    ck_assert_mem_eq(&out, &good, sizeof out);
}
END_TEST

START_TEST(test_values)
{
    static uint8_t px[7 * 5 * 4];
    static float x[7 * 5 * 4 + 1];
    const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 41);
    for (int i = 0; i < 3; i++) {
        ecg_preprocess p = {.size = sizeof p,
                            .h = 7,
                            .w = 5,
                            .color = colors[i],
                            .mean = {0.5f, 0.25f, 0, 0.125f},
                            .deviation = {0.5f, 0, 3.0f, 0.3f}};
        ck_ok(ecg_preprocess_check(&p, &p, &err), err);
        const size_t c = (size_t)colors[i], n = 7 * 5 * c;
        x[n] = 99.0f;
        ecg_preprocess_values(&p, px, x);
        for (size_t k = 0; k < n; k++) {
            const float scaled = (float)px[k] * p.rescale;
            const volatile float centred = scaled - p.mean[k % c];
            ck_assert(x[k] == centred / p.deviation[k % c]);
        }
        ck_assert(x[n] == 99.0f);
    }
}
END_TEST

/* Loading is decoding with the same colour and profile, then resizing. */
START_TEST(test_decode_is_decode_and_resize)
{
    static uint8_t rows[9 * 22];
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (uint8_t)(i * 67);
    png_begin(&f, 11, 9, 8, 4);
    png_pixels(&f, rows, 9, 22);
    png_end(&f);
    for (int profile = 0; profile < 2; profile++)
        for (int same = 0; same < 2; same++) {
            ecg_preprocess p = ECG_PREPROCESS_INIT;
            p.profile = (ecg_profile)profile;
            p.h = same ? 9 : 5, p.w = same ? 11 : 20;
            ck_ok(ecg_preprocess_check(&p, &p, &err), err);
            ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
            o.profile = p.profile;
            ecg_pixels *whole, *want, *got;
            ck_ok(ecg_pixels_decode(&whole, f.b, f.n, NULL, &o, &err), err);
            const ecg_image v = ecg_pixels_view(whole);
            ck_ok(ecg_pixels_resize(&want, &v, p.h, p.w, p.filter, &err), err);
            ck_ok(ecg_preprocess_decode(&got, &p, f.b, f.n, NULL, &err), err);
            ck_assert(ecg_pixels_view(got).h == p.h && ecg_pixels_view(got).w == p.w);
            ck_assert_mem_eq(ecg_pixels_view(got).px, ecg_pixels_view(want).px, (size_t)p.h * p.w);
            ecg_pixels_free(got);
            const char *path = unit_tmp("a.png");
            ck_ok(ecg_image_save_png(&v, path, &err), err);
            ck_ok(ecg_preprocess_load(&got, &p, path, &err), err);
            ck_assert_mem_eq(ecg_pixels_view(got).px, ecg_pixels_view(want).px, (size_t)p.h * p.w);
            ecg_pixels_free(got);
            ecg_pixels_free(want);
            ecg_pixels_free(whole);
        }
    const ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_pixels *got;
    ck_fails(ecg_preprocess_load(&got, &p, unit_tmp("none.png"), &err), err, ECG_EIO, "none.png");
    ck_assert_ptr_null(got);
    ck_fails(ecg_preprocess_decode(&got, &p, "text", 4, "t.png", &err), err, ECG_EFORMAT, "t.png");
    ck_assert_ptr_null(got);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("preprocess");
    TCase *t = tcase_create("preprocess");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_refusals);
    tcase_add_test(t, test_values);
    tcase_add_test(t, test_decode_is_decode_and_resize);
    suite_add_tcase(s, t);
    return unit_run(s);
}
