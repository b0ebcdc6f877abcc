#include <math.h>

#include "base/rng.h"
#include "image/warp.h"
#include "unit.h"

/* The fast way against the general one, on exactly allocated pictures (so that a sanitizer sees a step
 * outside). */
static void compare(const struct ecg__warp *m, uint32_t h, uint32_t w)
{
    const size_t n = (size_t)h * w;
    uint8_t *px = malloc(n);
    float *x = malloc(n * sizeof *x), *fast = malloc(n * sizeof *x), *slow = malloc(n * sizeof *x);
    void *scratch = malloc(ecg__warp_scratch(1, h, w, 1));
    ck_assert(px && x && fast && slow && scratch);
    for (size_t i = 0; i < n; i++)
        x[i] = px[i] = (uint8_t)((i * 97 + i / 7 * 31) % 256);
    ecg__warp_floats(m, x, h, w, 1, slow, scratch);
    ecg__warp_gray(m, px, w, h, w, fast, scratch);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(fast[i] - slow[i]) <= 1e-3f, "%ux%u: pixel %zu is %g, expected %g", h, w, i,
                      (double)fast[i], (double)slow[i]);
    free(scratch);
    free(slow);
    free(fast);
    free(x);
    free(px);
}

static double between(ecg__rng *r, double lo, double hi)
{
    return lo + (hi - lo) * ecg__rng_double(r);
}

START_TEST(test_same_as_general)
{
    static const uint32_t sides[][2] = {{64, 64}, {1, 1},  {1, 40},  {40, 1},
                                        {2, 17},  {5, 18}, {33, 65}, {128, 192}};
    double lift[192];
    ecg__rng r = ecg__rng_at(1, ECG__RNG_AUGMENT, 2, 3);
    for (int i = 0; i < 192; i++)
        lift[i] = 3.0 * sin(i * 0.1);
    for (int k = 0; k < 200; k++) {
        const uint32_t *side = sides[k % 8];
        struct ecg__warp m = {between(&r, 0.5, 1.5),
                              between(&r, -0.4, 0.4),
                              between(&r, -9, 9),
                              between(&r, -0.4, 0.4),
                              between(&r, 0.5, 1.5),
                              between(&r, -9, 9),
                              k % 3 ? NULL : lift,
                              ECG_FILL_NEAREST,
                              17.5,
                              1};
        if (k % 2)
            m.fill = ECG_FILL_CONSTANT;
        compare(&m, side[0], side[1]);
    }
}
END_TEST

/* At and beyond the largest steps that are taken in whole numbers. */
START_TEST(test_large_steps)
{
    static const double steps[] = {3.4999, 3.5, 3.6, -3.5, 100.0, 1e-9};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        for (int fill = 0; fill < 2; fill++) {
            struct ecg__warp m = {0.3, steps[i], -20.3, 0.2, -steps[i], 99.7, NULL, (ecg_fill_mode)fill,
                                  4.0, 1};
            compare(&m, 40, 150);
            m.b0 = -1048575.25, m.b1 = 1048575.25;
            compare(&m, 3, 70);
        }
}
END_TEST

START_TEST(test_exact_borders)
{
    /* Pure shifts read exactly on the border: inside. */
    for (int d = -70; d <= 70; d++) {
        const struct ecg__warp m = {1.0, 0.0, d, 0.0, 1.0, -d, NULL, ECG_FILL_CONSTANT, 255.0, 1};
        compare(&m, 64, 64);
    }
}
END_TEST

START_TEST(test_hostile)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e12};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int which = 0; which < 6; which++)
            for (int fill = 0; fill < 2; fill++) {
                struct ecg__warp m = {1.0, 0.1, 0.5, 0.1, 1.0, 0.5, NULL, (ecg_fill_mode)fill, 9.0, 1};
                double *const field[6] = {&m.l00, &m.l01, &m.b0, &m.l10, &m.l11, &m.b1};
                uint8_t px[6] = {1, 2, 3, 4, 5, 6};
                float out[6];
                uint32_t scratch[1024];
                *field[which] = bad[i];
                ecg__warp_gray(&m, px, 3, 2, 3, out, scratch);
                for (int k = 0; k < 6; k++)
                    ck_assert_msg(out[k] >= 1.0f && out[k] <= 9.0f, "%g", (double)out[k]);
            }
}
END_TEST

START_TEST(test_stride)
{
    const uint8_t px[10] = {1, 2, 3, 200, 200, 4, 5, 6, 200, 200};
    const struct ecg__warp m = {1.0, 0.0, 0.5, 0.0, 1.0, 0.5, NULL, ECG_FILL_NEAREST, 0.0, 1};
    uint32_t scratch[1024];
    float out[6];
    ecg__warp_gray(&m, px, 5, 2, 3, out, scratch);
    ck_assert(out[0] == 3.0f && out[1] == 4.0f && out[2] == 4.5f && out[5] == 6.0f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("warp_gray");
    TCase *t = tcase_create("warp_gray");
    tcase_add_test(t, test_same_as_general);
    tcase_add_test(t, test_large_steps);
    tcase_add_test(t, test_exact_borders);
    tcase_add_test(t, test_hostile);
    tcase_add_test(t, test_stride);
    suite_add_tcase(s, t);
    return unit_run(s);
}
