#include "unit/unit.h"

#include "ecgcnn/image.h"

START_TEST(test_round_trip)
{
    const char *filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
    for (int i = 0; i < 6; i++) {
        ecg_filter f = (ecg_filter)-1;
        ck_assert_str_eq(ecg_filter_name((ecg_filter)i), filters[i]);
        ck_assert_int_eq(ecg_filter_parse(&f, filters[i]), ECG_OK);
        ck_assert_int_eq((int)f, i);
    }
    const ecg_profile profiles[] = {ECG_PROFILE_CORRECT, ECG_PROFILE_KERAS};
    for (int i = 0; i < 2; i++) {
        ecg_profile p = (ecg_profile)9;
        ck_assert_int_eq(ecg_profile_parse(&p, ecg_profile_name(profiles[i])), ECG_OK);
        ck_assert_int_eq(p, profiles[i]);
    }
    ck_assert_str_eq(ecg_profile_name(ECG_PROFILE_KERAS), "keras");
    const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    for (int i = 0; i < 3; i++) {
        ecg_color c = (ecg_color)9;
        ck_assert_int_eq(ecg_color_parse(&c, ecg_color_name(colors[i])), ECG_OK);
        ck_assert_int_eq(c, colors[i]);
    }
    ck_assert_str_eq(ecg_color_name(ECG_COLOR_GRAY), "gray");
}
END_TEST

START_TEST(test_other_names)
{
    ecg_color c = ECG_COLOR_RGBA;
    ck_assert_int_eq(ecg_color_parse(&c, "grayscale"), ECG_OK);
    ck_assert_int_eq(c, ECG_COLOR_GRAY);
    const char *wrong[] = {"", "Gray", "gray ", "grey", NULL};
    for (int i = 0; i < 5; i++) {
        ecg_filter f = ECG_FILTER_BOX;
        ecg_profile p = ECG_PROFILE_KERAS;
        c = ECG_COLOR_RGB;
        ck_assert_int_eq(ecg_color_parse(&c, wrong[i]), ECG_EINVAL);
        ck_assert_int_eq(ecg_filter_parse(&f, wrong[i]), ECG_EINVAL);
        ck_assert_int_eq(ecg_profile_parse(&p, wrong[i]), ECG_EINVAL);
        ck_assert(c == ECG_COLOR_RGB && f == ECG_FILTER_BOX && p == ECG_PROFILE_KERAS);
    }
    ck_assert_ptr_null(ecg_color_name((ecg_color)2));
    ck_assert_ptr_null(ecg_filter_name((ecg_filter)6));
    ck_assert_ptr_null(ecg_profile_name((ecg_profile)2));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("names");
    TCase *t = tcase_create("names");
    tcase_add_test(t, test_round_trip);
    tcase_add_test(t, test_other_names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
