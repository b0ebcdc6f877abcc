#include "image/effects.h"

#include <math.h>

#include "unit.h"

START_TEST(test_channel_shift_clamps)
{
    float x[4] = {10, 20, 30, 250};
    ecg__channel_shift(x, 4, 15.0);
    ck_assert(x[0] == 25.0f && x[1] == 35.0f && x[2] == 45.0f && x[3] == 250.0f);
    ecg__channel_shift(x, 4, -500.0);
    ck_assert(x[0] == 25.0f && x[3] == 25.0f);
}
END_TEST

START_TEST(test_flips)
{
    float x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, y[12];
    memcpy(y, x, sizeof x);
    ecg__flip_horizontal(x, 2, 3, 2);
    ck_assert(x[0] == 5.0f && x[1] == 6.0f && x[2] == 3.0f && x[4] == 1.0f && x[6] == 11.0f);
    ecg__flip_horizontal(x, 2, 3, 2);
    ck_assert_mem_eq(x, y, sizeof x);
    ecg__flip_vertical(x, 2, 3, 2);
    ck_assert(x[0] == 7.0f && x[5] == 12.0f && x[6] == 1.0f);
    ecg__flip_vertical(x, 2, 3, 2);
    ck_assert_mem_eq(x, y, sizeof x);
}
END_TEST

/* A dot of ink on paper. */
static void dot(float x[25], float ink, float paper)
{
    for (int i = 0; i < 25; i++)
        x[i] = i == 12 ? ink : paper;
}

START_TEST(test_pen)
{
    float x[25], tmp[25];
    for (int dark = 0; dark < 2; dark++) {
        const float ink = dark ? 0.0f : 255.0f, paper = 255.0f - ink;
        dot(x, ink, paper);
        ecg__pen(x, 5, 5, 1, 1.0, tmp);
        int inked = 0;
        for (int i = 0; i < 25; i++)
            inked += x[i] == ink;
        ck_assert_int_eq(inked, 5); /* a cross */
        ck_assert(x[7] == ink && x[11] == ink && x[6] == paper);
        ecg__pen(x, 5, 5, 1, -1.0, tmp);
        ck_assert(x[12] == ink && x[11] == paper);
        ecg__pen(x, 5, 5, 1, 0.5, tmp);
        ck_assert(x[12] == ink && x[11] == 127.5f);
    }
    float same[25], one[1] = {9};
    dot(x, 0, 255);
    memcpy(same, x, sizeof x);
    ecg__pen(x, 5, 5, 1, NAN, tmp);
    ck_assert_mem_eq(x, same, sizeof x);
    ecg__pen(one, 1, 1, 1, 8.0, tmp);
    ck_assert(one[0] == 9.0f);
}
END_TEST

START_TEST(test_pen_leaves_alpha)
{
    float x[9 * 4], tmp[9 * 4];
    for (int i = 0; i < 36; i++)
        x[i] = i % 4 == 3 ? (float)i : i / 4 == 4 ? 0.0f : 255.0f;
    ecg__pen(x, 3, 3, 4, 1.0, tmp);
    for (int i = 3; i < 36; i += 4)
        ck_assert(x[i] == (float)i);
    ck_assert(x[4] == 0.0f && x[0] == 255.0f);
}
END_TEST

START_TEST(test_cutout)
{
    float x[12] = {255, 255, 0, 255, 255, 0, 255, 255, 255, 255, 0, 255};
    ecg__cutout(x, 3, 4, 1, 2, 1);
    ck_assert(x[2] == 255.0f && x[5] == 0.0f && x[10] == 255.0f);
    ecg__cutout(x, 3, 4, 1, 1, 4000000000u); /* to the edge */
    ck_assert(x[5] == 255.0f);
    ecg__cutout(x, 3, 4, 1, 4000000000u, 5);
}
END_TEST

START_TEST(test_noise)
{
    enum { N = 200 * 200 };
    static float x[N], y[N], z[N];
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < N; i++)
        x[i] = y[i] = z[i] = 128.0f;
    ecg__noise(x, 200, 200, 1, 10.0, 77);
    ecg__noise(y, 200, 200, 1, 10.0, 77);
    ecg__noise(z, 200, 200, 1, 10.0, 78);
    ck_assert_mem_eq(x, y, sizeof x);
    ck_assert(memcmp(x, z, sizeof x) != 0);
    for (int i = 0; i < N; i++) {
        sum += (double)x[i] - 128.0;
        squares += ((double)x[i] - 128.0) * ((double)x[i] - 128.0);
    }
    ck_assert_double_eq_tol(sum / N, 0.0, 0.25); /* 5 deviations of the mean of 40000 */
    ck_assert_double_eq_tol(sqrt(squares / N), 10.0, 0.2);
    /* Neighbours have nothing to do with each other. */
    double product = 0.0;
    for (int i = 0; i + 1 < N; i++)
        product += ((double)x[i] - 128.0) * ((double)x[i + 1] - 128.0);
    ck_assert_double_eq_tol(product / N / 100.0, 0.0, 0.025);
    float edge[3] = {0.0f, 255.0f, 0.0f};
    ecg__noise(edge, 1, 3, 1, 1000.0, 5);
    for (int i = 0; i < 3; i++)
        ck_assert(edge[i] >= 0.0f && edge[i] <= 255.0f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("effects");
    TCase *t = tcase_create("effects");
    tcase_add_test(t, test_channel_shift_clamps);
    tcase_add_test(t, test_flips);
    tcase_add_test(t, test_pen);
    tcase_add_test(t, test_pen_leaves_alpha);
    tcase_add_test(t, test_cutout);
    tcase_add_test(t, test_noise);
    suite_add_tcase(s, t);
    return unit_run(s);
}
