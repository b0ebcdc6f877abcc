#include <math.h>

#include "ecgcnn/augment.h"
#include "unit.h"

static ecg_augment_options parse(const char *text)
{
    ecg_augment_options o;
    ecg_error err;
    ck_ok(ecg_augment_parse(&o, text, &err), err);
    return o;
}

START_TEST(test_forms)
{
    const ecg_augment_options o = parse(
        "rotation_range=5, zoom_range=0.9:1.1 ,gain=0.25,crop=0.8,noise=4,width_shift_range=5,"
        "height_shift_range=0.1,horizontal_flip@0.25,fill_mode=constant,cval=255,interpolation_order=3,"
        "geometry=keras2,pen=-1:1@0.5,mixup=0.2,vertical_flip=0");
    ck_assert(o.rotation_range.lo == -5 && o.rotation_range.hi == 5);
    ck_assert(o.zoom_range.lo == 0.9 && o.zoom_range.hi == 1.1);
    ck_assert(o.gain.lo == 0.75 && o.gain.hi == 1.25);
    ck_assert(o.crop.lo == 0.8 && o.crop.hi == 1.0);
    ck_assert(o.noise.lo == 0 && o.noise.hi == 4);
    ck_assert(o.width_shift_range.kind == ECG_SHIFT_INT && o.width_shift_range.value[0] == 5);
    ck_assert(o.height_shift_range.kind == ECG_SHIFT_FLOAT && o.height_shift_range.value[0] == 0.1);
    ck_assert(o.horizontal_flip == 1 && o.probability[ECG_AUGMENT_HORIZONTAL_FLIP] == 0.25f);
    ck_assert(o.vertical_flip == 0 && o.fill_mode == ECG_FILL_CONSTANT && o.cval == 255);
    ck_assert(o.interpolation_order == 3 && o.geometry == ECG_GEOMETRY_KERAS2 && o.mixup == 0.2);
    ck_assert(o.pen.lo == -1 && o.probability[ECG_AUGMENT_PEN] == 0.5f);
}
END_TEST

START_TEST(test_shift_kinds)
{
    ck_assert_int_eq(parse("width_shift_range=5.0").width_shift_range.kind, ECG_SHIFT_FLOAT);
    ck_assert_int_eq(parse("width_shift_range=1").width_shift_range.kind, ECG_SHIFT_INT);
    ck_assert_int_eq(parse("width_shift_range=1.0").width_shift_range.kind, ECG_SHIFT_FLOAT);
    const ecg_shift pair = parse("width_shift_range=-0.1:0.2").width_shift_range;
    ck_assert(pair.kind == ECG_SHIFT_PAIR && pair.value[0] == -0.1 && pair.value[1] == 0.2);
    const ecg_shift list = parse("height_shift_range=-3/4/7").height_shift_range;
    ck_assert(list.kind == ECG_SHIFT_LIST && list.count == 3 && list.value[0] == -3 && list.value[2] == 7);
}
END_TEST

START_TEST(test_presets)
{
    const ecg_augment_options ecg = parse("ecg"), seed = parse("keras-seed"), none = parse("none");
    ck_assert(!ecg.horizontal_flip && !ecg.vertical_flip && ecg.geometry == ECG_GEOMETRY_CORRECT);
    ck_assert(ecg_augment_changes(&ecg));
    ck_assert(ecg.fill_mode == ECG_FILL_NEAREST);
    ck_assert(seed.horizontal_flip == 1 && seed.shear_range.hi == 0.2 && seed.zoom_range.lo == 0.8 &&
              seed.geometry == ECG_GEOMETRY_KERAS1);
    ck_assert(!ecg_augment_changes(&none));
    /* Overrides come on top. */
    const ecg_augment_options o = parse("ecg,time_shift=0.08,wander=0");
    ck_assert(o.time_shift.hi == 0.08 && o.wander.hi == 0 && o.gain.hi == ecg.gain.hi);
}
END_TEST

START_TEST(test_refused)
{
    static const struct {
        const char *text, *part;
    } bad[] = {{"ecgg", "did you mean ecg"},
               {"ecg,timeshift=0.1", "did you mean time_shift"},
               {"zoom_rnage=0.1", "did you mean zoom_range"},
               {"ecg,ecg", "did you mean"},
               {"qqqqqqqqqqqq=1", "no parameter"},
               {"", "NAME=VALUE"},
               {"ecg,", "NAME=VALUE"},
               {"=3", "NAME=VALUE"},
               {"rotation_range", "got nothing"},
               {"rotation_range=", "got nothing"},
               {"rotation_range=nan", "rotation_range must be"},
               {"rotation_range=1:", "rotation_range must be"},
               {"rotation_range=5:1", "lower first"},
               {"rotation_range=1e9", "rotation_range must be"},
               {"zoom_range=0:0.5", "zoom_range must be"},
               {"zoom_range=1", "zoom_range must be"},
               {"gain=1", "gain must be"},
               {"width_shift_range=1000000", "width_shift_range must be"},
               {"width_shift_range=1//2", "width_shift_range must be"},
               {"width_shift_range=1/2/3/4/5/6/7/8/9/1/2/3/4/5/6/7/8", "width_shift_range must be"},
               {"fill_mode=mirror", "nearest, constant, reflect or wrap"},
               {"interpolation_order=2", "interpolation_order must be"},
               {"interpolation_order=", "interpolation_order must be"},
               {"horizontal_flip=2", "0 or 1"},
               {"gain=0.1@2", "probability of gain"},
               {"gain=0.1@0", "probability of gain"},
               {"gain=0.1@", "probability of gain"},
               {"cval=3@0.5", "no probability"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ecg_augment_options o;
        ecg_error err;
        memset(&o, 0x11, sizeof o);
        ck_fails(ecg_augment_parse(&o, bad[i].text, &err), err, ECG_EINVAL, bad[i].part);
        ck_assert_uint_eq(o.size, 0x11111111);
    }
    ecg_augment_options o;
    ecg_error err;
    ck_fails(ecg_augment_parse(&o, NULL, &err), err, ECG_EINVAL, "text");
    char endless[5000];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    ck_fails(ecg_augment_parse(&o, endless, &err), err, ECG_EINVAL, "xxx");
}
END_TEST

START_TEST(test_print_round_trip)
{
    static const char *const texts[] = {
        "none",
        "ecg",
        "keras-seed",
        "ecg,time_shift=0.08,zoom_range=0.9:1.1",
        "width_shift_range=5.0,height_shift_range=1/2.5/0.1@0.3,geometry=keras2,fill_mode=wrap,cval=-3.5,"
        "interpolation_order=0,mixup=0.4@0.7,nine_crops=0.75,cutout=0.1:0.2@0.1,brightness_range=0.5:1.5",
        "width_shift_range=3,height_shift_range=-2:3,gain=1:1,vertical_flip@1,interpolation_order=3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const ecg_augment_options o = parse(texts[i]);
        char text[1024], cut[20];
        const size_t n = ecg_augment_print(&o, text, sizeof text);
        ck_assert_uint_eq(n, strlen(text));
        const ecg_augment_options back = parse(text);
        ck_assert_msg(memcmp(&o, &back, sizeof o) == 0, "%s became %s", texts[i], text);
        ck_assert_uint_eq(ecg_augment_print(&o, cut, sizeof cut), n);
        ck_assert_uint_eq(strlen(cut), n < 19 ? n : 19);
        ck_assert(strncmp(cut, text, strlen(cut)) == 0);
        ck_assert_uint_eq(ecg_augment_print(&o, NULL, 0), n);
    }
}
END_TEST

START_TEST(test_help)
{
    size_t n = 0, flips = 0;
    for (const ecg_augment_param *p; (p = ecg_augment_help(n)) != NULL; n++) {
        ck_assert(p->name && p->range && p->text && p->text[0]);
        flips += strcmp(p->name, "horizontal_flip") == 0 && strstr(p->text, "time") != NULL;
        for (size_t j = 0; j < n; j++)
            ck_assert_str_ne(p->name, ecg_augment_help(j)->name);
        /* Every fallback can be written out and changes nothing. */
        if (p->fallback) {
            char text[128];
            snprintf(text, sizeof text, "%s=%s", p->name, p->fallback);
            const ecg_augment_options o = parse(text), none = parse("none");
            ck_assert_msg(memcmp(&o, &none, sizeof o) == 0, "%s", text);
        }
    }
    ck_assert_uint_eq(n, 3 + 23);
    ck_assert_uint_eq(flips, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("augment_text");
    TCase *t = tcase_create("text");
    tcase_add_test(t, test_forms);
    tcase_add_test(t, test_shift_kinds);
    tcase_add_test(t, test_presets);
    tcase_add_test(t, test_refused);
    tcase_add_test(t, test_print_round_trip);
    tcase_add_test(t, test_help);
    suite_add_tcase(s, t);
    return unit_run(s);
}
