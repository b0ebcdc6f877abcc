#include "unit.h"

#include <math.h>

#include "base/rng.h"
#include "math/gemm.h"

static float *random_floats(size_t n, uint64_t seed)
{
    float *v = malloc((n ? n : 1) * sizeof *v);
    ck_assert_ptr_nonnull(v);
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++)
        v[i] = ecg__rng_float(&r) - 0.5f;
    return v;
}

static void check(bool ta, bool tb, size_t m, size_t n, size_t k, float beta)
{
    const size_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1,
                 ldc = n + 2; /* rows longer than they need be */
    float *a = random_floats((ta ? k : m) * lda, 1), *b = random_floats((tb ? n : k) * ldb, 2);
    float *c = random_floats(m * ldc, 3), *old = random_floats(m * ldc, 3);
    if (beta == 0.0f)
        for (size_t i = 0; i < m * ldc; i++)
            c[i] = i % ldc < n ? NAN : c[i]; /* must not be read */
    ecg__gemm(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = (double)beta * (double)old[i * ldc + j];
            for (size_t p = 0; p < k; p++)
                sum += (double)(ta ? a[p * lda + i] : a[i * lda + p]) *
                       (double)(tb ? b[j * ldb + p] : b[p * ldb + j]);
            ck_assert_msg(fabs(sum - (double)c[i * ldc + j]) <= 1e-6 * (double)(k + 1),
                          "%d %d %zux%zux%zu beta %g", ta, tb, m, n, k, (double)beta);
        }
        for (size_t j = n; j < ldc; j++)
            ck_assert(memcmp(&c[i * ldc + j], &old[i * ldc + j], sizeof *c) == 0);
    }
    free(a);
    free(b);
    free(c);
    free(old);
}

START_TEST(agrees_with_three_loops)
{
    static const size_t sizes[][3] = {{1, 1, 1},   {1, 32, 100},  {7, 5, 3},
                                      {33, 17, 9}, {64, 32, 288}, {3, 40, 1}};
    static const float betas[] = {0.0f, 1.0f, 0.5f};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int t = 0; t < 4; t++)
            for (int b = 0; b < 3; b++)
                check(t & 1, t & 2, sizes[s][0], sizes[s][1], sizes[s][2], betas[b]);
}
END_TEST

START_TEST(pins_nest)
{
    ecg__blas_pin();
    ecg__blas_pin();
    check(false, true, 70, 80, 90, 1.0f);
    ecg__blas_unpin();
    check(true, false, 70, 80, 90, 0.0f);
    ecg__blas_unpin();
    check(false, false, 70, 80, 90, 0.0f);
    ck_assert(ecg__blas_name() && ecg__blas_core() && ecg__blas_threading());
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gemm");
    TCase *t = tcase_create("all");
    tcase_add_test(t, agrees_with_three_loops);
    tcase_add_test(t, pins_nest);
    suite_add_tcase(s, t);
    return unit_run(s);
}
