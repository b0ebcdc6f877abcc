#include <math.h>

#include "ecgcnn/augment.h"
#include "unit.h"

static const char everything[] =
    "rotation_range=10,width_shift_range=4,height_shift_range=0.1,shear_range=3,zoom_range=0.2,horizontal_"
    "flip,"
    "vertical_flip,channel_shift_range=9,brightness_range=0.3,time_shift=0.05,time_stretch=0.1,gain=0.2,"
    "wander=0.05,pen=-1:1,noise=5,cutout=0.1:0.2,crop=0.8,mixup=0.4";

static ecg_augment_options parse(const char *text)
{
    ecg_augment_options o;
    ecg_error err;
    ck_ok(ecg_augment_parse(&o, text, &err), err);
    return o;
}

static ecg_augmentation draw(const ecg_augment_options *o, uint64_t sample)
{
    ecg_augmentation a;
    memset(&a, 0, sizeof a);
    ecg_augment_draw(&a, o, 128, 192, 42, 3, sample);
    return a;
}

START_TEST(test_neutral)
{
    const ecg_augment_options none = parse("none");
    const ecg_augmentation want = ECG_AUGMENTATION_INIT;
    const ecg_augmentation a = draw(&none, 5);
    ck_assert(a.theta == 0 && a.tx == 0 && a.ty == 0 && a.shear == 0 && a.zx == 1 && a.zy == 1 &&
              a.flip_horizontal == 0 && a.flip_vertical == 0 && a.channel_shift == 0 && a.brighten == 0 &&
              a.brightness == want.brightness && a.time_shift == 0 && a.time_stretch == 1 && a.gain == 1 &&
              a.wander == 0 && a.wander_ramp == 0 && a.pen == 0 && a.noise == 0 && a.cutout_count == 0 &&
              a.crop == 1 && a.crop_row == 0 && a.crop_col == 0);
}
END_TEST

START_TEST(test_function_of_its_key)
{
    const ecg_augment_options o = parse(everything);
    ecg_augmentation a = draw(&o, 7), b = draw(&o, 7), c = draw(&o, 8), d;
    ck_assert(a.theta == b.theta && a.noise_key == b.noise_key && a.crop_row == b.crop_row);
    ck_assert(a.theta != c.theta && a.noise_key != c.noise_key && a.gain != c.gain);
    ecg_augment_draw(&d, &o, 128, 192, 42, 4, 7);
    ck_assert(a.theta != d.theta);
    ecg_augment_draw(&d, &o, 128, 192, 43, 3, 7);
    ck_assert(a.theta != d.theta);
}
END_TEST

/* Switching one parameter off leaves what the others draw. */
START_TEST(test_own_slots)
{
    static const char *const off[] = {"rotation_range=0", "width_shift_range=0",
                                      "zoom_range=0",     "horizontal_flip=0",
                                      "wander=0",         "crop=0",
                                      "cutout=0",         "noise=0"};
    const ecg_augment_options all = parse(everything);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s,%s", everything, off[i]);
        const ecg_augment_options o = parse(text);
        for (uint64_t k = 0; k < 20; k++) {
            const ecg_augmentation a = draw(&all, k), b = draw(&o, k);
            int differ = 0;
            differ += a.theta != b.theta;
            differ += a.tx != b.tx;
            differ += a.ty != b.ty;
            differ += a.shear != b.shear;
            differ += a.zx != b.zx || a.zy != b.zy;
            differ += a.flip_horizontal != b.flip_horizontal;
            differ += a.flip_vertical != b.flip_vertical;
            differ += a.channel_shift != b.channel_shift;
            differ += a.brightness != b.brightness;
            differ += a.time_shift != b.time_shift;
            differ += a.time_stretch != b.time_stretch;
            differ += a.gain != b.gain;
            differ += a.wander != b.wander || a.wander_ramp != b.wander_ramp;
            differ += a.pen != b.pen;
            differ += a.noise != b.noise;
            differ += a.cutout_first != b.cutout_first || a.cutout_count != b.cutout_count;
            differ += a.crop != b.crop || a.crop_row != b.crop_row;
            ck_assert_int_le(differ, 1);
        }
    }
}
END_TEST

/* Nothing goes together that is drawn apart. */
START_TEST(test_independent)
{
    enum { N = 2000, FIELDS = 9 };
    const ecg_augment_options o = parse(everything);
    double sums[FIELDS][FIELDS] = {{0}};
    for (uint64_t k = 0; k < N; k++) {
        const ecg_augmentation a = draw(&o, k);
        const double v[FIELDS] = {a.theta / 10,
                                  a.tx / 12.8,
                                  a.shear / 3,
                                  (a.zx - 1) / 0.2,
                                  (a.zy - 1) / 0.2,
                                  a.channel_shift / 9,
                                  a.time_shift / (0.05 * 192),
                                  (a.gain - 1) / 0.2,
                                  2.0 * a.flip_horizontal - 1};
        for (int i = 0; i < FIELDS; i++)
            for (int j = 0; j < i; j++)
                sums[i][j] += v[i] * v[j];
    }
    for (int i = 0; i < FIELDS; i++)
        for (int j = 0; j < i; j++)
            ck_assert_msg(fabs(sums[i][j] / N) < 0.06, "%d and %d: %g", i, j, sums[i][j] / N);
}
END_TEST

START_TEST(test_ranges_are_kept_and_filled)
{
    const ecg_augment_options o = parse(everything);
    double lo = 1e9, hi = -1e9, sum = 0.0;
    unsigned flips = 0, seen[9] = {0};
    enum { N = 4000 };
    for (uint64_t k = 0; k < N; k++) {
        const ecg_augmentation a = draw(&o, k);
        ck_assert(fabs(a.theta) <= 10 && fabs(a.tx) <= 12.8 && fabs(a.shear) <= 3 && a.zx >= 0.8 &&
                  a.zx <= 1.2);
        ck_assert(fabs(a.ty) <= 3 && a.ty == floor(a.ty)); /* an int of 4 is never reached */
        ck_assert(fabs(a.time_shift) <= 0.05 * 192 && a.gain >= 0.8 && a.gain <= 1.2);
        ck_assert(a.cutout_count >= 19 && a.cutout_count <= 39 && a.cutout_first + a.cutout_count <= 192);
        ck_assert(a.crop >= 0.8 && a.crop <= 1 && a.crop_row >= 0 && a.crop_row <= (1 - a.crop) * 128);
        ck_assert(fabs(a.wander) + fabs(a.wander_ramp) / 2 <= 0.05 * 128 + 1e-9);
        ck_assert(a.brighten == 1 && a.brightness >= 0.7 && a.brightness <= 1.3);
        lo = a.theta < lo ? a.theta : lo, hi = a.theta > hi ? a.theta : hi;
        sum += a.theta;
        flips += a.flip_horizontal;
        seen[(int)a.ty + 4]++;
    }
    ck_assert(lo < -9.9 && hi > 9.9 && fabs(sum / N) < 0.5);
    ck_assert(flips > N / 2 - 160 && flips < N / 2 + 160);
    for (int v = -3; v <= 3; v++) /* 0 twice as often as any other */
        ck_assert_double_eq_tol(seen[v + 4] / (double)N, v == 0 ? 0.25 : 0.125, 0.03);
}
END_TEST

START_TEST(test_probability)
{
    const ecg_augment_options o = parse("rotation_range=10@0.2,nine_crops=0.75,horizontal_flip@1");
    unsigned turned = 0, cropped = 0, corner[9] = {0};
    for (uint64_t k = 0; k < 4000; k++) {
        const ecg_augmentation a = draw(&o, k);
        turned += a.theta != 0;
        ck_assert_uint_eq(a.flip_horizontal, 1);
        if (a.crop != 1) {
            cropped++;
            ck_assert(a.crop == 0.75);
            corner[(int)(a.crop_row / 16 + 0.5) * 3 + (int)(a.crop_col / 24 + 0.5)]++;
        }
    }
    ck_assert(turned > 700 && turned < 900);
    ck_assert(cropped > 3500 && cropped < 3700);
    for (int i = 0; i < 9; i++)
        ck_assert(corner[i] > 320 && corner[i] < 480);
}
END_TEST

START_TEST(test_keras_shift_rules)
{
    ecg_augment_options o = parse("width_shift_range=-3/4/7,height_shift_range=0.1/0.2");
    for (uint64_t k = 0; k < 200; k++) {
        const ecg_augmentation a = draw(&o, k);
        const double v = fabs(a.ty), u = fabs(a.tx);
        ck_assert(v == 3 || v == 4 || v == 7);
        ck_assert(fabs(u - 12.8) < 1e-9 || fabs(u - 25.6) < 1e-9);
    }
    o = parse("width_shift_range=2:5,height_shift_range=0.1:0.2");
    for (uint64_t k = 0; k < 200; k++) {
        const ecg_augmentation a = draw(&o, k);
        ck_assert(a.ty >= 2 && a.ty <= 5 && a.tx >= 12.8 && a.tx <= 25.6);
    }
}
END_TEST

START_TEST(test_mixup)
{
    const ecg_augment_options none = parse("ecg"), o = parse("mixup=0.4"), tiny = parse("mixup=1e-6");
    uint64_t partner, again;
    float lambda, same;
    ecg_augment_mixup(&none, 1, 2, 9, 100, &partner, &lambda);
    ck_assert(partner == 9 && lambda == 1.0f);
    double sum = 0.0;
    unsigned below = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        ecg_augment_mixup(&o, 1, 2, i, 4000, &partner, &lambda);
        ecg_augment_mixup(&o, 1, 2, i, 4000, &again, &same);
        ck_assert(partner == again && lambda == same);
        ck_assert(partner < 4000 && lambda >= 0.5f && lambda <= 1.0f);
        below += partner < 2000;
        /* Of Beta(a, a): the mean square about 1/2 is 1 / (4 (2a + 1)). */
        sum += ((double)lambda - 0.5) * ((double)lambda - 0.5);
        ecg_augment_mixup(&tiny, 1, 2, i, 4000, &partner, &lambda);
        ck_assert(lambda >= 0.5f && lambda <= 1.0f);
    }
    ck_assert_double_eq_tol(sum / 4000, 1.0 / (4.0 * 1.8), 0.006);
    ck_assert(below > 1850 && below < 2150);
    ecg_augment_mixup(&o, 1, 2, 0, 1, &partner, &lambda);
    ck_assert(partner == 0 && lambda == 1.0f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("augment_draw");
    TCase *t = tcase_create("draw");
    tcase_add_test(t, test_neutral);
    tcase_add_test(t, test_function_of_its_key);
    tcase_add_test(t, test_own_slots);
    tcase_add_test(t, test_independent);
    tcase_add_test(t, test_ranges_are_kept_and_filled);
    tcase_add_test(t, test_probability);
    tcase_add_test(t, test_keras_shift_rules);
    tcase_add_test(t, test_mixup);
    suite_add_tcase(s, t);
    return unit_run(s);
}
