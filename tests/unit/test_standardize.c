#include "ecgcnn/standardize.h"

#include <math.h>

#include "unit.h"

static void plus_one(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c)
{
    ++*(int *)ctx;
    for (size_t i = 0; i < (size_t)h * w * c; i++)
        x[i] += 1.0f;
}

START_TEST(test_neutral)
{
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    ecg_error err;
    float x[4] = {1.5f, -2, 300, 0}, same[4];
    memcpy(same, x, sizeof x);
    ck_ok(ecg_standardize_check(&s, &s, &err), err);
    ecg_standardize_values(&s, x, 2, 2, 1, NULL);
    ck_assert_mem_eq(x, same, sizeof x);
}
END_TEST

START_TEST(test_order)
{
    /* The callback comes before the rescale, the picture's own mean after it. */
    int calls = 0;
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    s.preprocessing = plus_one, s.ctx = &calls, s.rescale = 0.5f;
    float x[2] = {1, 3};
    ecg_standardize_values(&s, x, 1, 2, 1, NULL);
    ck_assert(x[0] == 1.0f && x[1] == 2.0f && calls == 1);
    ecg_error err;
    s.samplewise_std = 1;
    ck_ok(ecg_standardize_check(&s, &s, &err), err);
    ck_assert_uint_eq(s.samplewise_center, 1);
    float y[2] = {1, 3};
    ecg_standardize_values(&s, y, 1, 2, 1, NULL);
    ck_assert_double_eq_tol((double)y[0], -1.0, 1e-4);
    ck_assert_double_eq_tol((double)y[1], 1.0, 1e-4);
}
END_TEST

START_TEST(test_features_and_whitening)
{
    const float zca[4] = {1, 2, 3, 4};
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    ecg_error err;
    s.featurewise_std = 1;
    s.mean[0] = 10, s.mean[1] = 20, s.deviation[0] = 2, s.deviation[1] = 4;
    ck_ok(ecg_standardize_check(&s, &s, &err), err);
    float x[2] = {14, 12}, scratch[2];
    ecg_standardize_values(&s, x, 1, 1, 2, NULL);
    ck_assert_double_eq_tol((double)x[0], 2.0, 1e-4);
    ck_assert_double_eq_tol((double)x[1], -2.0, 1e-4);
    s.zca = zca, s.zca_n = 2;
    ck_ok(ecg_standardize_check(&s, &s, &err), err);
    ck_assert(s.featurewise_std == 0 && s.featurewise_center == 1);
    float y[2] = {11, 22}; /* row (1, 2) times the matrix */
    ecg_standardize_values(&s, y, 1, 1, 2, scratch);
    ck_assert(y[0] == 7.0f && y[1] == 10.0f);
}
END_TEST

START_TEST(test_flat_picture)
{
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    s.samplewise_center = s.samplewise_std = 1;
    float x[3] = {7, 7, 7};
    ecg_standardize_values(&s, x, 1, 3, 1, NULL);
    ck_assert(x[0] == 0.0f && x[2] == 0.0f);
}
END_TEST

START_TEST(test_refused)
{
    ecg_standardize out, s = ECG_STANDARDIZE_INIT;
    ecg_error err;
    float bad[1] = {NAN};
    s.rescale = INFINITY;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "rescale");
    s.rescale = 0;
    s.samplewise_std = 2;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "samplewise_std");
    s.samplewise_std = 0;
    s.mean[2] = NAN;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "mean[2]");
    s.mean[2] = 0;
    s.deviation[1] = -1;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "deviation[1]");
    s.deviation[1] = 0;
    s.zca_n = 1;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "zca");
    s.zca = bad;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_EINVAL, "zca[0]");
    s.zca_n = ECG_ZCA_MAX + 1;
    ck_fails(ecg_standardize_check(&out, &s, &err), err, ECG_ELIMIT, "zca_n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("standardize");
    TCase *t = tcase_create("standardize");
    tcase_add_test(t, test_neutral);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_features_and_whitening);
    tcase_add_test(t, test_flat_picture);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
