#include "unit.h"

#include <math.h>

#include "ecgcnn/signal.h"

enum { H = 128, W = 192, N = ECG_BEAT_SAMPLES };

static uint8_t px[H * W];

static void level(float *mv, size_t n, float v)
{
    for (size_t i = 0; i < n; i++)
        mv[i] = v;
}

static void draw(const float *mv, size_t n, float pen)
{
    ck_assert_int_eq(ecg_beat_draw(mv, n, 2.0f, -1.5f, pen, px, H, W), ECG_OK);
}

/* `top` is the middle of the first row, `bottom` of the last; the line reaches from edge to edge. */
START_TEST(test_place)
{
    const struct {
        float mv;
        int row;
    } cases[] = {{2.0f, 0}, {-1.5f, H - 1}, {2.0f - 3.5f * 100 / 127, 100}};
    float mv[N];
    for (size_t k = 0; k < 3; k++) {
        level(mv, N, cases[k].mv);
        draw(mv, N, 1);
        for (int r = 0; r < H; r++)
            for (int c = 0; c < W; c++)
                ck_assert_msg(abs(px[r * W + c] - (r == cases[k].row ? 0 : 255)) <= 1, "row %d column %d: %d",
                              r, c, px[r * W + c]);
    }
}
END_TEST

/* Sample i of 192 is in column i; of any other number the first and last are at the edges. */
START_TEST(test_time)
{
    float mv[2000];
    level(mv, N, 10);
    mv[50] = 0;
    draw(mv, N, 1);
    ck_assert_int_lt(px[72 * W + 50], 20);
    level(mv, 2000, 0);
    for (size_t n = 2; n <= 2000; n += n < 10 ? 1 : 127) {
        draw(mv, n, 3);
        for (int c = 0; c < W; c++)
            ck_assert_int_le(px[73 * W + c], 1);
    }
}
END_TEST

START_TEST(test_clipped)
{
    float mv[N];
    level(mv, N, 50);
    draw(mv, N, 2);
    for (size_t i = 0; i < sizeof px; i++)
        ck_assert_int_eq(px[i], 255);
    level(mv, N, -0.5f);
    mv[96] = 3e38f; /* leaves at the top, without a line along the edge */
    draw(mv, N, 1.5f);
    ck_assert_int_eq(px[80], 255);
    ck_assert_int_lt(px[96], 255);
}
END_TEST

START_TEST(test_gap)
{
    const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        float mv[N];
        level(mv, N, 0.25f);
        mv[100] = odd[k];
        draw(mv, N, 1);
        for (int r = 0; r < H; r++)
            ck_assert_int_eq(px[r * W + 100], 255);
        ck_assert_int_lt(px[63 * W + 98] + px[64 * W + 98], 300);
        ck_assert_int_lt(px[63 * W + 102] + px[64 * W + 102], 300);
    }
}
END_TEST

/* Points are drawn in pieces: a long line shows no seam. */
START_TEST(test_long)
{
    enum { LONG = 5000 };
    static float mv[LONG];
    for (size_t i = 0; i < LONG; i++)
        mv[i] = -1.5f + 3.5f * (float)i / (LONG - 1);
    draw(mv, LONG, 2);
    for (int c = 0; c < W; c++) {
        int dark = 0;
        for (int r = 0; r < H; r++)
            dark += 255 - px[r * W + c];
        ck_assert_int_ge(dark, c == 0 || c == W - 1 ? 255 : 2 * 255);
        ck_assert_int_le(dark, 3 * 255);
    }
    static uint8_t wide[8 * 4096];
    level(mv, 600, 0.1f); /* samples 7 pixels apart: a missing piece would be white */
    ck_assert_int_eq(ecg_beat_draw(mv, 600, 1, -1, 3, wide, 8, 4096), ECG_OK);
    for (int c = 0; c < 4096; c++)
        ck_assert_int_le(wide[3 * 4096 + c], 1);
}
END_TEST

START_TEST(test_small)
{
    uint8_t small[66];
    float mv[N];
    level(mv, N, 2);
    small[64] = small[65] = 77;
    ck_assert_int_eq(ecg_beat_draw(mv, N, 2, -2, 1, small, 8, 8), ECG_OK);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(small[i], i < 8 ? 0 : 255);
    ck_assert_int_eq(small[64] + small[65], 2 * 77);
}
END_TEST

START_TEST(test_refused)
{
    const float mv[3] = {0, 1, 0};
    memset(px, 9, sizeof px);
    ck_assert_int_eq(ecg_beat_draw(NULL, 3, 2, -1, 1, px, H, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, -1, 1, NULL, H, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 1, 2, -1, 1, px, H, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, -1, 1, px, 7, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, -1, 1, px, H, 4097), ECG_EINVAL);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        ck_assert_int_eq(ecg_beat_draw(mv, 3, bad[k], -1, 1, px, H, W), ECG_EINVAL);
        ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, bad[k], 1, px, H, W), ECG_EINVAL);
        ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, -1, bad[k], px, H, W), ECG_EINVAL);
    }
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 1, 1, 1, px, H, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 1, 2, 1, px, H, W), ECG_EINVAL);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 2, 1, 0, px, H, W), ECG_EINVAL);
    for (size_t i = 0; i < sizeof px; i++)
        ck_assert_int_eq(px[i], 9);
    ck_assert_int_eq(ecg_beat_draw(mv, 3, 1e-45f, 0, 1, px, H, W), ECG_OK); /* steep beyond floats */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("beat_draw");
    TCase *t = tcase_create("draw");
    tcase_add_test(t, test_place);
    tcase_add_test(t, test_time);
    tcase_add_test(t, test_clipped);
    tcase_add_test(t, test_gap);
    tcase_add_test(t, test_long);
    tcase_add_test(t, test_small);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
