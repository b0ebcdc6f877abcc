#include "unit.h"

#include <math.h>
#include <stdint.h>

#include "image/draw.h"

enum { H = 32, W = 48, STRIDE = 53, GUARD = 0xA7 };

/* A canvas with a guard beyond every row and around the whole. */
static uint8_t store[(H + 2) * STRIDE];
static uint8_t *const px = store + STRIDE;

static void blank(void)
{
    memset(store, GUARD, sizeof store);
    for (size_t r = 0; r < H; r++)
        memset(px + r * STRIDE, 255, W);
}

static void setup(void)
{
    blank();
}

static void check_guard(void)
{
    for (size_t i = 0; i < sizeof store; i++) {
        const size_t row = i / STRIDE, col = i % STRIDE;
        if (row == 0 || row == H + 1 || col >= W)
            ck_assert_uint_eq(store[i], GUARD);
    }
}

static void teardown(void)
{
    check_guard();
}

static void line(float x0, float y0, float x1, float y1, float pen)
{
    const float xy[] = {x0, y0, x1, y1};
    ecg__draw_polyline(px, H, W, STRIDE, xy, 2, pen);
}

static double darkness(void)
{
    double sum = 0;
    for (size_t r = 0; r < H; r++)
        for (size_t c = 0; c < W; c++)
            sum += 255 - px[r * STRIDE + c];
    return sum / 255;
}

/* What the header promises, pixel by pixel in double precision and without any clipping. */
static double distance(double x, double y, const float *a, const float *b)
{
    const double dx = (double)b[0] - (double)a[0], dy = (double)b[1] - (double)a[1];
    const double ex = x - (double)a[0], ey = y - (double)a[1], len2 = dx * dx + dy * dy;
    const double t = len2 > 0 ? fmin(1, fmax(0, (ex * dx + ey * dy) / len2)) : 0;
    return hypot(ex - t * dx, ey - t * dy);
}

static void check_oracle(const float *xy, size_t n, double pen)
{
    for (size_t r = 0; r < H; r++)
        for (size_t c = 0; c < W; c++) {
            double d = 1e30;
            for (size_t i = 0; i + 1 < n; i++)
                d = fmin(d, distance((double)c, (double)r, xy + 2 * i, xy + 2 * i + 2));
            const double cover = fmax(0, fmin(fmin(1, pen), pen / 2 + 0.5 - d));
            ck_assert_msg(fabs(px[r * STRIDE + c] - 255 * (1 - cover)) <= 1.0,
                          "row %zu column %zu: %d, not %g", r, c, px[r * STRIDE + c], 255 * (1 - cover));
        }
}

/* Zigzags of any slope, inside and far outside, against the oracle. */
START_TEST(test_oracle)
{
    const float pens[] = {0.4f, 1.0f, 1.5f, 3.0f, 9.0f};
    uint32_t state = 1;
    float xy[2 * 12];
    for (int k = 0; k < 100; k++) {
        const float spread = k % 3 == 0 ? 400.0f : 60.0f;
        for (size_t i = 0; i < 24; i++) {
            state = state * 1664525u + 1013904223u;
            xy[i] = 20.0f + spread * ((float)(state >> 8) * 0x1p-24f - 0.5f);
        }
        blank();
        ecg__draw_polyline(px, H, W, STRIDE, xy, 12, pens[k % 5]);
        check_oracle(xy, 12, (double)pens[k % 5]);
    }
}
END_TEST

/* A level line of width 1 on a row of pixels covers exactly that row; half way between, half of each. */
START_TEST(test_level)
{
    line(-10, 7, 100, 7, 1);
    for (size_t r = 0; r < H; r++)
        for (size_t c = 0; c < W; c++)
            ck_assert_int_eq(px[r * STRIDE + c], r == 7 ? 0 : 255);
    blank();
    line(-10, 7.5f, 100, 7.5f, 1);
    ck_assert_int_eq(px[7 * STRIDE + 20], 128);
    ck_assert_int_eq(px[8 * STRIDE + 20], 128);
    ck_assert_int_eq(px[6 * STRIDE + 20], 255);
}
END_TEST

/* The area of a line across the picture is its length times its pen, at any slope and thickness. */
START_TEST(test_area)
{
    const float pens[] = {0.25f, 0.5f, 1, 1.5f, 2, 5};
    for (size_t k = 0; k < sizeof pens / sizeof pens[0]; k++)
        for (int dy = -16; dy <= 16; dy += 2) {
            blank();
            line(8.3f, 15.2f - (float)dy * 0.5f, 38.3f, 15.2f + (float)dy * 0.5f, pens[k]);
            const double length = hypot(30, dy), pen = (double)pens[k], round = 0.8 * (pen + 1) * (pen + 1);
            ck_assert_msg(fabs(darkness() - length * pen) < 0.06 * length * pen + round,
                          "pen %g dy %d: %g, not %g", pen, dy, darkness(), length * pen);
        }
}
END_TEST

START_TEST(test_pen)
{
    double last = 0;
    for (float pen = 0.25f; pen < 12; pen += 0.25f) {
        blank();
        line(5, 5, 40, 20, pen);
        ck_assert_double_gt(darkness(), last);
        last = darkness();
    }
    blank();
    line(5, 5, 40, 20, 1e30f);
    ck_assert_double_eq(darkness(), H * W);
    blank();
    line(5, 5, 40, 20, INFINITY);
    ck_assert_double_eq(darkness(), H * W);
    const float nothing[] = {0, -1, NAN, -INFINITY};
    for (size_t i = 0; i < 4; i++) {
        blank();
        line(5, 5, 40, 20, nothing[i]);
        ck_assert_double_eq(darkness(), 0);
    }
}
END_TEST

/* Cutting a line in many does not change it, nor does drawing it again: coverage never adds up. */
START_TEST(test_joints)
{
    static uint8_t first[sizeof store];
    line(4, 6, 44, 26, 1.5f);
    memcpy(first, store, sizeof store);
    line(4, 6, 44, 26, 1.5f);
    ck_assert_mem_eq(first, store, sizeof store);
    blank();
    float xy[2 * 41];
    for (size_t i = 0; i <= 40; i++) {
        xy[2 * i] = 4 + (float)i;
        xy[2 * i + 1] = 6 + 0.5f * (float)i;
    }
    ecg__draw_polyline(px, H, W, STRIDE, xy, 41, 1.5f);
    for (size_t i = 0; i < sizeof store; i++)
        ck_assert_int_le(abs(first[i] - store[i]), 1);
}
END_TEST

START_TEST(test_symmetric)
{
    const float xy[] = {-3, 30, 10, 4, 23.5f, 25, 37, 4, 50, 30};
    ecg__draw_polyline(px, H, W, STRIDE, xy, 5, 1.7f);
    ck_assert_double_gt(darkness(), 50);
    for (size_t r = 0; r < H; r++)
        for (size_t c = 0; c < W; c++)
            ck_assert_int_le(abs(px[r * STRIDE + c] - px[r * STRIDE + W - 1 - c]), 1);
}
END_TEST

START_TEST(test_darkens_only)
{
    for (size_t r = 0; r < H; r++)
        memset(px + r * STRIDE, 100, W);
    line(0, 10.5f, 47, 10.5f, 1);
    ck_assert_int_eq(px[10 * STRIDE + 20], 100); /* half covered would be 128 */
    line(0, 10, 47, 10, 1);
    ck_assert_int_eq(px[10 * STRIDE + 20], 0);
}
END_TEST

/* Whatever the coordinates, only the canvas is written, and what is inside is right. */
START_TEST(test_hostile)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e9f, -1e9f, 1e-40f, 0, 20, 47.5f, -0.5f};
    enum { N = sizeof odd / sizeof odd[0] };
    for (size_t i = 0; i < N * N * N * N; i++)
        line(odd[i % N], odd[i / N % N], odd[i / N / N % N], odd[i / N / N / N], i % 2 ? 1.3f : 40.0f);
    blank();
    line(NAN, 3, 20, 3, 1);
    line(20, 3, 30, NAN, 1);
    ck_assert_double_eq(darkness(), 0);
    line(11, -INFINITY, 11, INFINITY, 1);
    ck_assert_double_eq(darkness(), H);
    blank();
    line(-3e38f, 9, 3e38f, 9, 1);
    ck_assert_double_eq(darkness(), W);
}
END_TEST

START_TEST(test_points)
{
    const float xy[] = {20, 10};
    ecg__draw_polyline(px, H, W, STRIDE, xy, 0, 3);
    ecg__draw_polyline(px, 0, W, STRIDE, xy, 1, 3);
    ecg__draw_polyline(px, H, 0, STRIDE, xy, 1, 3);
    ck_assert_double_eq(darkness(), 0);
    ecg__draw_polyline(px, H, W, STRIDE, xy, 1, 3);
    ck_assert_int_eq(px[10 * STRIDE + 20], 0);
    ck_assert_int_eq(px[11 * STRIDE + 21], (int)(255.5 - 255 * (2 - sqrt(2))));
    ck_assert_int_eq(px[10 * STRIDE + 22], 255);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("draw");
    TCase *t = tcase_create("polyline");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_oracle);
    tcase_add_test(t, test_level);
    tcase_add_test(t, test_area);
    tcase_add_test(t, test_pen);
    tcase_add_test(t, test_joints);
    tcase_add_test(t, test_symmetric);
    tcase_add_test(t, test_darkens_only);
    tcase_add_test(t, test_hostile);
    tcase_add_test(t, test_points);
    suite_add_tcase(s, t);
    return unit_run(s);
}
