#include <math.h>

#include "ecgcnn/augment.h"
#include "unit.h"

enum { H = 12, W = 16 };

static ecg_augment_options parse(const char *text)
{
    ecg_augment_options o;
    ecg_error err;
    ck_ok(ecg_augment_parse(&o, text, &err), err);
    return o;
}

static void fill_picture(uint8_t *px, size_t n)
{
    for (size_t i = 0; i < n; i++)
        px[i] = (uint8_t)((i * 89 + i / 5) % 256);
}

/* Both ways through the library, on blocks of exactly the size needed; they must agree. */
static void apply(const ecg_augmentation *a, const ecg_augment_options *o, const uint8_t *px, uint32_t h,
                  uint32_t w, uint32_t c, float *out)
{
    const size_t n = (size_t)h * w * c, bytes = ecg_augment_scratch(o, h, w, c);
    ck_assert_uint_gt(bytes, 0);
    char *scratch = malloc(bytes);
    float *x = malloc(n * sizeof *x), *other = malloc(n * sizeof *other);
    ck_assert(scratch && x && other);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)px[i];
    const ecg_image view = {px, w, h, c, (size_t)w * c};
    ecg_augment_apply(a, o, &view, out, scratch);
    ecg_augment_apply_floats(a, o, x, h, w, c, other, scratch);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(out[i] - other[i]) <= 2e-3f || (isnan(out[i]) && isnan(other[i])),
                      "value %zu: %g from bytes, %g from floats", i, (double)out[i], (double)other[i]);
    free(other);
    free(x);
    free(scratch);
}

START_TEST(test_neutral_is_bits)
{
    uint8_t px[H * W * 4];
    float out[H * W * 4];
    const ecg_augmentation a = ECG_AUGMENTATION_INIT;
    static const char *const options[] = {"none", "geometry=keras1,interpolation_order=3", "ecg",
                                          "geometry=keras2,fill_mode=constant,cval=255"};
    fill_picture(px, sizeof px);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        for (uint32_t c = 1; c <= 4; c++) {
            const ecg_augment_options o = parse(options[i]);
            apply(&a, &o, px, H, W, c, out);
            for (size_t k = 0; k < H * W * c; k++)
                ck_assert(out[k] == (float)px[k]);
        }
}
END_TEST

START_TEST(test_true_centre)
{
    /* Half a turn about the true centre reverses both axes; Keras' old one is a pixel off. */
    uint8_t px[H * W];
    float out[H * W];
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    fill_picture(px, sizeof px);
    a.theta = 180.0;
    ecg_augment_options o = parse("none");
    apply(&a, &o, px, H, W, 1, out);
    for (int i = 0; i < H * W; i++)
        ck_assert_double_eq_tol((double)out[i], (double)px[H * W - 1 - i], 1e-3);
    o = parse("geometry=keras1");
    apply(&a, &o, px, H, W, 1, out);
    ck_assert_double_eq_tol((double)out[H * W - 1], (double)px[2 * W + 2], 1e-3);
}
END_TEST

START_TEST(test_axes)
{
    uint8_t px[H * W];
    float out[H * W];
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    ecg_augment_options o = parse("none");
    fill_picture(px, sizeof px);
    a.ty = 3.0; /* columns: the picture moves left */
    apply(&a, &o, px, H, W, 1, out);
    ck_assert(out[0] == (float)px[3] && out[W + 2] == (float)px[W + 5]);
    o.geometry = ECG_GEOMETRY_KERAS2; /* exchanged */
    apply(&a, &o, px, H, W, 1, out);
    ck_assert(out[0] == (float)px[3 * W]);
    o.geometry = ECG_GEOMETRY_CORRECT;
    a.ty = 0.0;
    a.time_shift = 2.0; /* later */
    apply(&a, &o, px, H, W, 1, out);
    ck_assert(out[2] == (float)px[0] && out[W + 7] == (float)px[W + 5]);
}
END_TEST

START_TEST(test_heartbeat_geometry)
{
    static uint8_t px[65 * 65];
    static float out[65 * 65];
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    const ecg_augment_options o = parse("none");
    px[(32 - 10) * 65 + 32 + 8] = 200; /* 10 up, 8 later than the middle */
    a.gain = 2.0;
    a.time_stretch = 1.5;
    apply(&a, &o, px, 65, 65, 1, out);
    ck_assert_double_eq_tol((double)out[(32 - 20) * 65 + 32 + 12], 200.0, 1e-3);
    a.gain = a.time_stretch = 1.0;
    a.wander = 3.0, a.wander_cycles = 0.0, a.wander_phase = 1.5707963267948966; /* 3 rows everywhere */
    apply(&a, &o, px, 65, 65, 1, out);
    ck_assert_double_eq_tol((double)out[(32 - 13) * 65 + 32 + 8], 200.0, 1e-3);
    a.wander = 0.0, a.wander_ramp = 4.0; /* from -2 to 2 */
    px[22 * 65 + 40] = 0;
    for (int c = 0; c < 65; c++)
        px[30 * 65 + c] = 100;
    apply(&a, &o, px, 65, 65, 1, out);
    ck_assert(out[30 * 65 + 32] == 100.0f && out[32 * 65] > 90.0f && out[28 * 65 + 64] > 90.0f);
}
END_TEST

START_TEST(test_crop)
{
    /* A window of half the sides at an even place: linear enlargement of it. */
    uint8_t px[16];
    float out[16];
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    const ecg_augment_options o = parse("none");
    fill_picture(px, 16);
    a.crop = 0.5, a.crop_row = 2, a.crop_col = 2;
    apply(&a, &o, px, 4, 4, 1, out);
    ck_assert_double_eq_tol((double)out[5],
                            (0.75 * px[10] + 0.25 * px[11]) * 0.75 + (0.75 * px[14] + 0.25 * px[15]) * 0.25,
                            1e-4);
}
END_TEST

START_TEST(test_same_key_same_bits)
{
    uint8_t px[H * W];
    float x[H * W], y[H * W];
    const ecg_augment_options o = parse(
        "ecg,noise=9,pen=-1:1,cutout=0.2,brightness_range=0.2,channel_shift_range=9,horizontal_flip");
    int changed = 0;
    fill_picture(px, sizeof px);
    for (uint64_t k = 0; k < 50; k++) {
        ecg_augmentation a, b;
        ecg_augment_draw(&a, &o, H, W, 1, 2, k);
        ecg_augment_draw(&b, &o, H, W, 1, 2, k);
        apply(&a, &o, px, H, W, 1, x);
        apply(&b, &o, px, H, W, 1, y);
        ck_assert_mem_eq(x, y, sizeof x);
        for (int i = 0; i < H * W; i++) {
            ck_assert(x[i] >= 0.0f && x[i] <= 255.0f);
            changed += x[i] != (float)px[i];
        }
    }
    ck_assert_int_gt(changed, 50 * H * W / 2);
}
END_TEST

/* Made-up values of any kind stay in the picture. */
START_TEST(test_hostile)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, 0.0, 1e6, -1e6, 1e300, 1e-300, -1.0};
    static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 7, 1}, {7, 1, 1}, {1, 1, 4}, {2, 3, 3}, {H, W, 1}};
    static const char *const options[] = {"none",
                                          "fill_mode=constant",
                                          "fill_mode=reflect,interpolation_order=3",
                                          "fill_mode=wrap,interpolation_order=3,geometry=keras1",
                                          "interpolation_order=3,geometry=keras2",
                                          "interpolation_order=0,fill_mode=wrap"};
    uint8_t px[H * W];
    float out[H * W];
    fill_picture(px, sizeof px);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (size_t k = 0; k < sizeof options / sizeof options[0]; k++)
            for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                for (int which = 0; which < 20; which++) {
                    ecg_augmentation a = ECG_AUGMENTATION_INIT;
                    double *const field[20] = {&a.theta,
                                               &a.tx,
                                               &a.ty,
                                               &a.shear,
                                               &a.zx,
                                               &a.zy,
                                               &a.channel_shift,
                                               &a.brightness,
                                               &a.time_shift,
                                               &a.time_stretch,
                                               &a.gain,
                                               &a.wander,
                                               &a.wander_ramp,
                                               &a.wander_cycles,
                                               &a.wander_phase,
                                               &a.pen,
                                               &a.noise,
                                               &a.crop,
                                               &a.crop_row,
                                               &a.crop_col};
                    a.brighten = which == 7;
                    a.wander = which == 13 || which == 14;
                    a.cutout_first = i % 2 ? 4000000000u : 0;
                    a.cutout_count = i % 3 ? 0 : 4000000000u;
                    *field[which] = bad[i];
                    const ecg_augment_options o = parse(options[k]);
                    const uint32_t h = shapes[s][0], w = shapes[s][1], c = shapes[s][2];
                    char *scratch = malloc(ecg_augment_scratch(&o, h, w, c));
                    ck_assert_ptr_nonnull(scratch);
                    const ecg_image view = {px, w, h, c, (size_t)w * c};
                    ecg_augment_apply(&a, &o, &view, out, scratch);
                    free(scratch);
                    for (size_t v = 0; v < (size_t)h * w * c && which != 6 && which != 16; v++)
                        ck_assert_msg(fabsf(out[v]) <= 500.0f, "field %d = %g gives %g", which, bad[i],
                                      (double)out[v]);
                }
}
END_TEST

START_TEST(test_scratch)
{
    const ecg_augment_options o = parse("interpolation_order=3");
    ck_assert_uint_eq(ecg_augment_scratch(&o, 0, 4, 1), 0);
    ck_assert_uint_eq(ecg_augment_scratch(&o, 4, 40000, 1), 0);
    ck_assert_uint_eq(ecg_augment_scratch(&o, 4, 4, 5), 0);
    ck_assert_uint_gt(ecg_augment_scratch(&o, 4, 4, 4), 28 * 28 * 4 * 8);
}
END_TEST

START_TEST(test_nine_crops)
{
    uint8_t px[64 * 64];
    fill_picture(px, sizeof px);
    const ecg_image in = {px, 64, 64, 1, 64};
    for (uint32_t k = 0; k < 9; k++) {
        const ecg_image v = ecg_image_nine_crop(&in, k, 0.75);
        ck_assert(v.w == 48 && v.h == 48 && v.stride == 64 && v.c == 1);
        ck_assert(v.px == px + (k / 3) * 8 * 64 + (k % 3) * 8);
    }
    ck_assert_ptr_null(ecg_image_nine_crop(&in, 9, 0.75).px);
    ck_assert_ptr_null(ecg_image_nine_crop(&in, 0, 0.0).px);
    ck_assert_ptr_null(ecg_image_nine_crop(&in, 0, NAN).px);
    const ecg_image one = {px, 1, 1, 1, 1};
    ck_assert(ecg_image_nine_crop(&one, 8, 0.1).px == px);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("augment_apply");
    TCase *t = tcase_create("apply");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_neutral_is_bits);
    tcase_add_test(t, test_true_centre);
    tcase_add_test(t, test_axes);
    tcase_add_test(t, test_heartbeat_geometry);
    tcase_add_test(t, test_crop);
    tcase_add_test(t, test_same_key_same_bits);
    tcase_add_test(t, test_hostile);
    tcase_add_test(t, test_scratch);
    tcase_add_test(t, test_nine_crops);
    suite_add_tcase(s, t);
    return unit_run(s);
}
