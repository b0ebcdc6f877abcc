#include <math.h>

#include "image/warp.h"
#include "unit.h"

/* Sample i of a signal of n continued by mirroring. */
static double mirrored(const double *v, long i, long n, int half)
{
    const long period = half ? 2 * n : 2 * n - 2;
    if (n == 1)
        return v[0];
    i = ((i % period) + period) % period;
    return v[i < n ? i : (half ? 2 * n - 1 : 2 * n - 2) - i];
}

/* Coefficients c must satisfy (c[i-1] + 4 c[i] + c[i+1]) / 6 = v[i], both continued alike. */
static void check(uint32_t h, uint32_t w, uint32_t c, int half)
{
    const size_t n = (size_t)h * w * c;
    double *x = malloc(n * sizeof *x), *line = malloc((h + w) * sizeof *line);
    ck_assert(x && line);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)((i * 53 + 7) % 211);
    ecg__spline_coefficients(x, h, w, c, half);
    double *const back = malloc(n * sizeof *back);
    ck_assert_ptr_nonnull(back);
    for (uint32_t k = 0; k < c; k++) {
        for (uint32_t r = 0; r < h; r++) { /* along rows, then along columns */
            for (uint32_t q = 0; q < w; q++)
                line[q] = x[((size_t)r * w + q) * c + k];
            for (long q = 0; q < (long)w; q++)
                back[((size_t)r * w + q) * c + k] = w == 1 ? line[0]
                                                           : (mirrored(line, q - 1, w, half) + 4 * line[q] +
                                                              mirrored(line, q + 1, w, half)) /
                                                                 6;
        }
        for (uint32_t q = 0; q < w; q++) {
            for (uint32_t r = 0; r < h; r++)
                line[r] = back[((size_t)r * w + q) * c + k];
            for (long r = 0; r < (long)h; r++) {
                const size_t at = ((size_t)r * w + q) * c + k;
                const double v = h == 1 ? line[0]
                                        : (mirrored(line, r - 1, h, half) + 4 * line[r] +
                                           mirrored(line, r + 1, h, half)) /
                                              6;
                ck_assert_double_eq_tol(v, (double)((at * 53 + 7) % 211), 1e-9);
            }
        }
    }
    free(back);
    free(line);
    free(x);
}

START_TEST(test_through_samples)
{
    static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 2, 1}, {2, 1, 3}, {3, 4, 1}, {12, 16, 2}, {90, 5, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int half = 0; half < 2; half++)
            check(shapes[i][0], shapes[i][1], shapes[i][2], half);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spline");
    TCase *t = tcase_create("spline");
    tcase_add_test(t, test_through_samples);
    suite_add_tcase(s, t);
    return unit_run(s);
}
