#include <math.h>

#include "ecgcnn/standardize.h"
#include "image/effects.h"
#include "unit.h"

START_TEST(test_keras1_stretches)
{
    float x[3] = {10, 20, 100}; /* Keras: a factor of 1 is not neutral */
    ecg__brightness(ECG_GEOMETRY_KERAS1, x, 1, 3, 1, 1.0);
    ck_assert(x[0] == 25.0f && x[1] == 51.0f && x[2] == 255.0f);
    float flat[2] = {3, 3}, black[2] = {0, 0};
    ecg__brightness(ECG_GEOMETRY_KERAS1, flat, 1, 2, 1, 0.5);
    ck_assert(flat[0] == 127.0f);
    ecg__brightness(ECG_GEOMETRY_KERAS1, black, 1, 2, 1, 2.0);
    ck_assert(black[0] == 0.0f);
    ecg__brightness(ECG_GEOMETRY_KERAS1, flat, 1, 2, 1, -1.0);
    ck_assert(flat[0] == 0.0f);
}
END_TEST

START_TEST(test_keras2_only_when_needed)
{
    float x[3] = {10.7f, 20, 100}, wide[2] = {-10, 300};
    ecg__brightness(ECG_GEOMETRY_KERAS2, x, 1, 3, 1, 1.0);
    ck_assert(x[0] == 10.0f && x[1] == 20.0f && x[2] == 100.0f);
    ecg__brightness(ECG_GEOMETRY_KERAS2, wide, 1, 2, 1, 1.0);
    ck_assert_double_eq_tol((double)wide[0], -10.0, 1e-3);
    ck_assert_double_eq_tol((double)wide[1], 300.0, 1e-3);
}
END_TEST

START_TEST(test_correct_is_a_factor)
{
    float x[4] = {10.5f, 20, 100, 200}, alpha[4] = {10, 20, 30, 40};
    ecg__brightness(ECG_GEOMETRY_CORRECT, x, 1, 4, 1, 1.0);
    ck_assert(x[0] == 10.5f);
    ecg__brightness(ECG_GEOMETRY_CORRECT, x, 1, 4, 1, 2.0);
    ck_assert(x[0] == 21.0f && x[2] == 200.0f && x[3] == 255.0f);
    ecg__brightness(ECG_GEOMETRY_CORRECT, alpha, 1, 1, 4, 2.0);
    ck_assert(alpha[2] == 60.0f && alpha[3] == 40.0f);
    ecg__brightness(ECG_GEOMETRY_CORRECT, x, 1, 4, 1, (double)NAN);
    for (int i = 0; i < 4; i++)
        ck_assert(x[i] >= 0.0f && x[i] <= 255.0f);
}
END_TEST

START_TEST(test_not_numbers)
{
    float x[3] = {NAN, INFINITY, 5};
    ecg__brightness(ECG_GEOMETRY_KERAS1, x, 1, 3, 1, 1.5);
    for (int i = 0; i < 3; i++)
        ck_assert(x[i] >= 0.0f && x[i] <= 255.0f);
}
END_TEST

START_TEST(test_to_pixels)
{
    const float x[3] = {-1, 0, 3}, high[2] = {100, 200};
    uint8_t px[3];
    ecg_standardize_to_pixels(ECG_GEOMETRY_KERAS1, x, 1, 3, 1, px);
    ck_assert(px[0] == 0 && px[1] == 63 && px[2] == 255);
    ecg_standardize_to_pixels(ECG_GEOMETRY_KERAS1, high, 1, 2, 1, px);
    ck_assert(px[0] == 127 && px[1] == 255);
    ecg_standardize_to_pixels(ECG_GEOMETRY_KERAS2, high, 1, 2, 1, px);
    ck_assert(px[0] == 0 && px[1] == 255);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("brightness");
    TCase *t = tcase_create("brightness");
    tcase_add_test(t, test_keras1_stretches);
    tcase_add_test(t, test_keras2_only_when_needed);
    tcase_add_test(t, test_correct_is_a_factor);
    tcase_add_test(t, test_not_numbers);
    tcase_add_test(t, test_to_pixels);
    suite_add_tcase(s, t);
    return unit_run(s);
}
