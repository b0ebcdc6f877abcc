#include <math.h>

#include "base/rng.h"
#include "ecgcnn/standardize.h"
#include "unit.h"

START_TEST(test_moments)
{
    const float x[8] = {1, 10, 3, 30, 5, 50, 7, 70}; /* 2 pictures of 1x2x2 */
    float mean[4], deviation[4];
    ecg_error err;
    ck_ok(ecg_standardize_fit(mean, deviation, NULL, x, 2, 1, 2, 2, NULL, &err), err);
    ck_assert(mean[0] == 4.0f && mean[1] == 40.0f && mean[2] == 0.0f);
    ck_assert_double_eq_tol((double)deviation[0], (double)(sqrtf(5.0f)), 1e-6);
    ck_assert_double_eq_tol((double)deviation[1], (double)(10.0f * sqrtf(5.0f)), 1e-5);
    ecg_fit_options o = ECG_FIT_OPTIONS_INIT;
    o.rescale = 0.5f;
    ck_ok(ecg_standardize_fit(mean, deviation, NULL, x, 2, 1, 2, 2, &o, &err), err);
    ck_assert(mean[0] == 2.0f && mean[1] == 20.0f);
    o.profile = ECG_GEOMETRY_KERAS1; /* takes no notice of it */
    ck_ok(ecg_standardize_fit(mean, deviation, NULL, x, 2, 1, 2, 2, &o, &err), err);
    ck_assert(mean[0] == 4.0f);
}
END_TEST

START_TEST(test_whitened_is_white)
{
    enum { N = 400, D = 12 };
    static float x[N * D], zca[D * D];
    float mean[4], deviation[4], scratch[D];
    ecg__rng r = ecg__rng_at(3, ECG__RNG_AUGMENT, 1, 1);
    for (size_t j = 0; j < N; j++)
        for (size_t i = 0; i < D; i++) /* neighbours go together */
            x[j * D + i] = (float)(100.0 + 20.0 * ecg__rng_normal(&r)) + (i ? 0.8f * x[j * D + i - 1] : 0.0f);
    ecg_error err;
    ck_ok(ecg_standardize_fit(mean, deviation, zca, x, N, 3, 4, 1, NULL, &err), err);
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    s.zca = zca, s.zca_n = D, s.mean[0] = mean[0];
    ck_ok(ecg_standardize_check(&s, &s, &err), err);
    for (size_t j = 0; j < N; j++)
        ecg_standardize_values(&s, x + j * D, 3, 4, 1, scratch);
    for (size_t a = 0; a < D; a++)
        for (size_t b = 0; b < D; b++) {
            double sum = 0.0;
            for (size_t j = 0; j < N; j++)
                sum += (double)x[j * D + a] * (double)x[j * D + b];
            ck_assert_double_eq_tol(sum / N, a == b ? 1.0 : 0.0, 2e-3);
        }
}
END_TEST

START_TEST(test_refused)
{
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, mean[4], deviation[4], zca[16];
    ecg_error err;
    ecg_fit_options o = ECG_FIT_OPTIONS_INIT;
    ck_fails(ecg_standardize_fit(mean, deviation, NULL, x, 0, 2, 2, 1, NULL, &err), err, ECG_EINVAL,
             "0 pictures");
    ck_fails(ecg_standardize_fit(mean, deviation, NULL, x, 1, 1, 1, 5, NULL, &err), err, ECG_EINVAL,
             "5 channels");
    ck_fails(ecg_standardize_fit(mean, deviation, zca, x, 2, 2, 2, 1, NULL, &err), err, ECG_EINVAL,
             "more than 4 pictures");
    o.zca_epsilon = 0.01;
    ck_ok(ecg_standardize_fit(mean, deviation, zca, x, 2, 2, 2, 1, &o, &err), err);
    o.zca_epsilon = NAN;
    ck_fails(ecg_standardize_fit(mean, deviation, zca, x, 2, 2, 2, 1, &o, &err), err, ECG_EINVAL,
             "zca_epsilon");
    ck_fails(ecg_standardize_fit(mean, deviation, zca, x, 1, 65, 64, 1, NULL, &err), err, ECG_ELIMIT, "4160");
    x[5] = NAN;
    ck_fails(ecg_standardize_fit(mean, deviation, NULL, x, 2, 2, 2, 1, NULL, &err), err, ECG_EINVAL,
             "picture 1");
    ck_fails(ecg_standardize_fit(mean, deviation, NULL, x, SIZE_MAX / 2, 65535, 65535, 4, NULL, &err), err,
             ECG_ELIMIT, "65535");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("data fit");
    TCase *t = tcase_create("fit");
    tcase_add_test(t, test_moments);
    tcase_add_test(t, test_whitened_is_white);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
