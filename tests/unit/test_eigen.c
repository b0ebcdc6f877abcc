#include "math/eigen.h"

#include <math.h>

#include "unit.h"

START_TEST(test_two_by_two)
{
    double a[4] = {2, 1, 1, 2}, v[2];
    ecg_error err;
    ck_ok(ecg__eigen_symmetric(a, 2, v, &err), err);
    ck_assert_double_eq_tol(v[0], 1.0, 1e-14);
    ck_assert_double_eq_tol(v[1], 3.0, 1e-14);
    ck_assert_double_eq_tol(a[0], -a[1], 1e-14); /* a row each */
    ck_assert_double_eq_tol(a[2], a[3], 1e-14);
}
END_TEST

START_TEST(test_reconstructs)
{
    enum { N = 60 };
    static double a[N * N], u[N * N], v[N];
    ecg_error err;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * N + j] = a[j * N + i] = sin((double)(i * 7 + j * 3)) + (i == j ? 2.0 : 0.0);
    memcpy(u, a, sizeof a);
    ck_ok(ecg__eigen_symmetric(u, N, v, &err), err);
    for (size_t i = 0; i < N; i++) {
        ck_assert(i == 0 || v[i - 1] <= v[i]);
        for (size_t j = 0; j < N; j++) {
            double sum = 0.0, dot = 0.0;
            for (size_t e = 0; e < N; e++) {
                sum += u[e * N + i] * v[e] * u[e * N + j];
                dot += u[i * N + e] * u[j * N + e];
            }
            ck_assert_double_eq_tol(sum, a[i * N + j], 1e-12);
            ck_assert_double_eq_tol(dot, i == j ? 1.0 : 0.0, 1e-12);
        }
    }
}
END_TEST

START_TEST(test_refused)
{
    double a[1] = {NAN}, v[1];
    ecg_error err;
    ck_fails(ecg__eigen_symmetric(a, 1, v, &err), err, ECG_ENUMERIC, "finite");
    ck_fails(ecg__eigen_symmetric(a, 0, v, &err), err, ECG_ELIMIT, "0 rows");
    ck_fails(ecg__eigen_symmetric(a, 20000, v, &err), err, ECG_ELIMIT, "20000");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("eigen");
    TCase *t = tcase_create("eigen");
    tcase_add_test(t, test_two_by_two);
    tcase_add_test(t, test_reconstructs);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
