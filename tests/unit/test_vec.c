#include "unit.h"

#include <math.h>

#include "math/exp.h"
#include "math/vec.h"

static const size_t widths[] = {1, 2, 3, 6, 15, 16, 17, 31, 32, 33, 64, 100, 129, 512, 513, 3000};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

static float *floats(size_t n)
{
    float *v = malloc((n ? n : 1) * sizeof *v);
    ck_assert_ptr_nonnull(v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((i * 7919) % 1009) - 504.0f;
    return v;
}

START_TEST(fill_rows)
{
    const size_t c = widths[_i];
    static const size_t counts[] = {0, 1, 2, 3, 7, 64, 100, 333};
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++)
        for (size_t gap = 0; gap < 2; gap++) {
            const size_t stride = c + gap, n = counts[k] * stride;
            size_t wrong = 0;
            float *row = floats(c), *y = floats(n), *old = floats(n);
            ecg__vec_fill_rows(y, stride, row, counts[k], c);
            for (size_t i = 0; i < n; i++)
                wrong += memcmp(&y[i], i % stride < c ? &row[i % stride] : &old[i], sizeof *y) != 0;
            ck_assert_uint_eq(wrong, 0);
            free(row);
            free(y);
            free(old);
        }
}
END_TEST

START_TEST(sum_rows)
{
    const size_t c = widths[_i];
    static const size_t counts[] = {0, 1, 5, 127, 128, 129, 300};
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        const size_t stride = c + 3, rows = counts[k];
        float *x = floats(rows * stride), *sum = floats(c), *old = floats(c);
        ecg__vec_sum_rows(x, stride, rows, c, sum);
        for (size_t j = 0; j < c; j++) {
            double want = (double)old[j];
            for (size_t r = 0; r < rows; r++)
                want += (double)x[r * stride + j];
            ck_assert(fabs(want - (double)sum[j]) <= 0.0); /* whole numbers: exact */
        }
        free(x);
        free(sum);
        free(old);
    }
}
END_TEST

/* A million times 0.1 in one float would be off by one percent. */
START_TEST(long_sums_stay_accurate)
{
    const size_t n = 1000000;
    float *x = floats(n), sum = 0.0f;
    for (size_t i = 0; i < n; i++)
        x[i] = 0.1f;
    ecg__vec_sum_rows(x, 1, n, 1, &sum);
    ck_assert(fabs((double)sum - 1e6 * (double)0.1f) <= 1e-5 * 1e5 * 20);
    free(x);
}
END_TEST

START_TEST(add)
{
    const size_t n = widths[_i];
    float *a = floats(n), *b = floats(n + 1), *old = floats(n);
    ecg__vec_add(a, b + 1, n);
    for (size_t i = 0; i < n; i++)
        ck_assert(fabsf(a[i] - old[i] - b[i + 1]) <= 0.0f);
    free(a);
    free(b);
    free(old);
}
END_TEST

static double worst_of(float (*f)(float), double (*want)(double), float from, float to)
{
    double worst = 0;
    for (int i = 0; i <= 400000; i++) {
        const float x = from + (to - from) * (float)i / 400000.0f;
        const double w = want((double)x), off = fabs((double)f(x) - w) / fabs(w);
        worst = off <= worst ? worst : off;
    }
    return worst;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Relative errors; a unit in the last place is 1.2e-7 or half of that. */
START_TEST(exponentials_are_accurate)
{
    ck_assert(worst_of(ecg__exp, exp, -87.0f, 88.0f) <= 1.5e-7);
    ck_assert(worst_of(ecg__expm1, expm1, -80.0f, -1e-3f) <= 1.5e-7);
    ck_assert(worst_of(ecg__expm1, expm1, 1e-30f, 20.0f) <= 1.5e-7);
    ck_assert(worst_of(ecg__tanh, tanh, 1e-6f, 30.0f) <= 2.5e-7);
    ck_assert(worst_of(ecg__tanh, tanh, -3.0f, -1e-6f) <= 2.5e-7);
    ck_assert(worst_of(ecg__sigmoid, logistic, -80.0f, 80.0f) <= 2e-7);
}
END_TEST

START_TEST(exponentials_end_well)
{
    ck_assert(isnan(ecg__exp(NAN)) && isnan(ecg__expm1(NAN)) && isnan(ecg__tanh(NAN)) &&
              isnan(ecg__sigmoid(NAN)));
    ck_assert(ecg__exp(-INFINITY) < 1e-37f && ecg__exp(INFINITY) > 1e38f && isfinite(ecg__exp(1e30f)));
    ck_assert(fabsf(ecg__exp(0.0f) - 1.0f) <= 0.0f && fabsf(ecg__expm1(0.0f)) <= 0.0f);
    ck_assert(fabsf(ecg__tanh(INFINITY) - 1.0f) <= 0.0f && fabsf(ecg__tanh(-INFINITY) + 1.0f) <= 0.0f);
    ck_assert(fabsf(ecg__sigmoid(INFINITY) - 1.0f) <= 0.0f && ecg__sigmoid(-INFINITY) < 1e-37f);
    ck_assert(fabsf(ecg__expm1(-INFINITY) + 1.0f) <= 0.0f);
}
END_TEST

START_TEST(normal_distribution)
{
    for (int i = -12500; i <= 12500; i++) {
        const float x = (float)i * 0.001f;
        const double want = 0.5 * erfc(-(double)x / sqrt(2.0)), below = x > -1.0f ? 5e-7 : 5e-6;
        float bell;
        const double got = (double)ecg__normal(x, &bell);
        ck_assert_msg(fabs(got - want) <= below * want, "Phi(%g) is %g, not %g", (double)x, got, want);
        ck_assert(fabs((double)bell - exp(-0.5 * (double)x * (double)x)) <= 3e-7);
    }
    float bell;
    ck_assert(fabsf(ecg__normal(INFINITY, &bell) - 1.0f) <= 0.0f &&
              fabsf(ecg__normal(-20.0f, &bell)) <= 0.0f);
    ck_assert(isnan(ecg__normal(NAN, &bell)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("vec");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, fill_rows, 0, WIDTHS);
    tcase_add_loop_test(t, sum_rows, 0, WIDTHS);
    tcase_add_loop_test(t, add, 0, WIDTHS);
    tcase_add_test(t, exponentials_are_accurate);
    tcase_add_test(t, exponentials_end_well);
    tcase_add_test(t, normal_distribution);
    tcase_add_test(t, long_sums_stay_accurate);
    suite_add_tcase(s, t);
    return unit_run(s);
}
