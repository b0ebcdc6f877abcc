#include "ecgcnn/augment.h"

#include <math.h>

#include "unit.h"

START_TEST(test_nothing)
{
    ecg_augment_options o;
    ecg_error err;
    memset(&o, 0xAB, sizeof o);
    ck_ok(ecg_augment_check(&o, NULL, &err), err);
    ck_assert_uint_eq(o.size, sizeof o);
    ck_assert_uint_eq(o.interpolation_order, 1);
    ck_assert(!ecg_augment_changes(&o));
}
END_TEST

START_TEST(test_each_parameter_changes)
{
    static const char *const on[] = {"rotation_range=1",
                                     "width_shift_range=2",
                                     "height_shift_range=0.1",
                                     "shear_range=1",
                                     "zoom_range=0.1",
                                     "horizontal_flip",
                                     "vertical_flip",
                                     "channel_shift_range=1",
                                     "brightness_range=0.1",
                                     "time_shift=0.1",
                                     "time_stretch=0.1",
                                     "gain=0.1",
                                     "wander=0.1",
                                     "pen=1",
                                     "noise=1",
                                     "cutout=0.1",
                                     "crop=0.9",
                                     "nine_crops=0.75",
                                     "geometry=keras1,brightness_range=1:1"};
    static const char *const off[] = {"none",
                                      "zoom_range=1:1",
                                      "gain=1:1",
                                      "crop=1",
                                      "mixup=0.2",
                                      "cval=3",
                                      "geometry=keras1",
                                      "fill_mode=wrap",
                                      "brightness_range=1:1",
                                      "width_shift_range=0",
                                      "width_shift_range=0:0"};
    ecg_augment_options o;
    ecg_error err;
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++) {
        ck_ok(ecg_augment_parse(&o, on[i], &err), err);
        ck_assert_msg(ecg_augment_changes(&o), "%s", on[i]);
    }
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        ck_ok(ecg_augment_parse(&o, off[i], &err), err);
        ck_assert_msg(!ecg_augment_changes(&o), "%s", off[i]);
    }
}
END_TEST

/* Bad ranges are refused by the name of the field, and the output is left alone. */
START_TEST(test_ranges_refused)
{
    const double bad[][2] = {{NAN, 1},   {0, NAN},     {INFINITY, INFINITY}, {-INFINITY, 1},
                             {1e7, 1e7}, {-1e7, -1e6}, {70000, 70000}};
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT, out;
    ecg_error err;
    const struct {
        ecg_range *range;
        const char *name;
    } fields[] = {{&o.rotation_range, "rotation_range"},
                  {&o.shear_range, "shear_range"},
                  {&o.zoom_range, "zoom_range"},
                  {&o.brightness_range, "brightness_range"},
                  {&o.channel_shift_range, "channel_shift_range"},
                  {&o.time_shift, "time_shift"},
                  {&o.time_stretch, "time_stretch"},
                  {&o.gain, "gain"},
                  {&o.wander, "wander"},
                  {&o.pen, "pen"},
                  {&o.noise, "noise"},
                  {&o.cutout, "cutout"},
                  {&o.crop, "crop"}};
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            *fields[f].range = (ecg_range){bad[i][0], bad[i][1]};
            memset(&out, 0x11, sizeof out);
            ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, fields[f].name);
            ck_assert_uint_eq(out.size, 0x11111111);
        }
        *fields[f].range = (ecg_range){1.0, 0.9};
        ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, fields[f].name);
        *fields[f].range = (ecg_range){0, 0};
    }
    o.zoom_range = (ecg_range){0.0, 2.0}; /* a zoom of 0 */
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "zoom_range must be");
}
END_TEST

START_TEST(test_shifts_refused)
{
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT, out;
    ecg_error err;
    o.width_shift_range = (ecg_shift){ECG_SHIFT_FLOAT, 0, {1e6}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "width_shift_range");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_FLOAT, 0, {NAN}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "not a finite");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_FLOAT, 0, {-3}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "negative");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_INT, 0, {2.5}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "whole");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_LIST, 17, {1}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "1..16");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_PAIR, 0, {3, 1}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "lower first");
    o.width_shift_range = (ecg_shift){(ecg_shift_kind)9, 0, {0}};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "kind 9");
    o.width_shift_range = (ecg_shift){ECG_SHIFT_LIST, 2, {-3, 4}};
    ck_ok(ecg_augment_check(&out, &o, &err), err);
}
END_TEST

START_TEST(test_others_refused)
{
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT, out;
    ecg_error err;
    o.interpolation_order = 2;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "interpolation_order");
    o.interpolation_order = 4;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "interpolation_order");
    o.interpolation_order = 3;
    o.geometry = (ecg_geometry)3;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "geometry");
    o.geometry = ECG_GEOMETRY_KERAS2;
    o.fill_mode = (ecg_fill_mode)77;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "fill_mode");
    o.fill_mode = ECG_FILL_WRAP;
    o.cval = NAN;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "cval");
    o.cval = -10;
    o.horizontal_flip = 2;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "horizontal_flip");
    o.horizontal_flip = 1;
    o.probability[ECG_AUGMENT_NOISE] = 1.5f;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "probability of noise");
    o.probability[ECG_AUGMENT_NOISE] = NAN;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "probability of noise");
    o.probability[ECG_AUGMENT_NOISE] = 0.5f;
    o.nine_crops = 0.75;
    o.crop = (ecg_range){0.8, 1.0};
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "exclude");
    o.nine_crops = 0;
    o.size = 3;
    ck_fails(ecg_augment_check(&out, &o, &err), err, ECG_EINVAL, "");
    o.size = sizeof o;
    ck_ok(ecg_augment_check(&out, &o, &err), err);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("augment");
    TCase *t = tcase_create("check");
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_each_parameter_changes);
    tcase_add_test(t, test_ranges_refused);
    tcase_add_test(t, test_shifts_refused);
    tcase_add_test(t, test_others_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
