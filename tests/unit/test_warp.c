#include "image/warp.h"

#include <math.h>

#include "unit.h"

enum { H = 5, W = 7 };

static struct ecg__warp identity(ecg_fill_mode fill, uint32_t order)
{
    return (struct ecg__warp){1.0, 0.0, 0.0, 0.0, 1.0, 0.0, NULL, fill, -3.0, order};
}

static void fill_picture(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((i * 37 + 11) % 101);
}

static void warp(const struct ecg__warp *m, const float *in, uint32_t h, uint32_t w, uint32_t c, float *out)
{
    void *scratch = malloc(ecg__warp_scratch(m->order, h, w, c));
    ck_assert_ptr_nonnull(scratch);
    ecg__warp_floats(m, in, h, w, c, out, scratch);
    free(scratch);
}

/* What row r of a shifted column of 4 samples reads at r + d, by the rules of SciPy. */
static void check_shift(ecg_fill_mode fill, double d, const float want[4])
{
    const float in[4] = {10, 20, 30, 40};
    float down[4], right[4];
    struct ecg__warp m = identity(fill, 1);
    m.b0 = d;
    warp(&m, in, 4, 1, 1, down);
    m.b0 = 0.0, m.b1 = d;
    warp(&m, in, 1, 4, 1, right);
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(down[i] == want[i], "fill %d by %g: row %d is %g, expected %g", (int)fill, d, i,
                      (double)down[i], (double)want[i]);
        ck_assert(right[i] == want[i]);
    }
}

START_TEST(test_fill_modes)
{
    check_shift(ECG_FILL_NEAREST, 2.0, (const float[]){30, 40, 40, 40});
    check_shift(ECG_FILL_NEAREST, -1.5, (const float[]){10, 10, 15, 25});
    check_shift(ECG_FILL_CONSTANT, 2.0, (const float[]){30, 40, -3, -3});
    check_shift(ECG_FILL_CONSTANT, -0.25, (const float[]){-3, 17.5f, 27.5f, 37.5f});
    check_shift(ECG_FILL_REFLECT, 2.0, (const float[]){30, 40, 40, 30});
    check_shift(ECG_FILL_REFLECT, -5.0, (const float[]){40, 40, 30, 20});
    check_shift(ECG_FILL_WRAP, 2.0, (const float[]){30, 40, 20, 30}); /* first and last sample are one */
    check_shift(ECG_FILL_WRAP, -1.0, (const float[]){30, 10, 20, 30});
}
END_TEST

START_TEST(test_identity)
{
    float in[H * W * 3], out[H * W * 3];
    fill_picture(in, H * W * 3);
    for (int fill = 0; fill < 4; fill++)
        for (uint32_t order = 0; order <= 3; order += order ? 2 : 1) {
            const struct ecg__warp m = identity((ecg_fill_mode)fill, order);
            warp(&m, in, H, W, 3, out);
            for (int i = 0; i < H * W * 3; i++) /* splines go through the samples, up to rounding */
                ck_assert(fabsf(out[i] - in[i]) <= (order == 3 ? 1e-4f : 0.0f));
        }
}
END_TEST

START_TEST(test_ties_round_up)
{
    const float in[4] = {10, 20, 30, 40};
    float out[4];
    struct ecg__warp m = identity(ECG_FILL_NEAREST, 0);
    m.b1 = 0.5;
    warp(&m, in, 1, 4, 1, out);
    ck_assert(out[0] == 20.0f && out[1] == 30.0f && out[2] == 40.0f && out[3] == 40.0f);
}
END_TEST

START_TEST(test_quarter_turn)
{
    float in[6] = {1, 2, 3, 4, 5, 6}, out[6];
    struct ecg__warp m = identity(ECG_FILL_NEAREST, 1); /* 2 x 3 read with rows and columns exchanged */
    m.l00 = 0.0, m.l01 = 1.0, m.l10 = 1.0, m.l11 = 0.0;
    warp(&m, in, 2, 3, 1, out);
    ck_assert(out[0] == 1.0f && out[1] == 4.0f && out[2] == 4.0f && out[3] == 2.0f && out[4] == 5.0f);
}
END_TEST

START_TEST(test_lift_moves_columns)
{
    float in[H * W], out[H * W];
    double lift[W] = {0};
    fill_picture(in, H * W);
    lift[2] = 1.0;
    struct ecg__warp m = identity(ECG_FILL_NEAREST, 1);
    m.lift = lift;
    warp(&m, in, H, W, 1, out);
    for (int r = 0; r < H; r++)
        for (int c = 0; c < W; c++)
            ck_assert(out[r * W + c] == in[(c == 2 && r + 1 < H ? r + 1 : r) * W + c]);
}
END_TEST

/* Whatever the numbers, what is read is in the picture: one pixel wide and high too. */
START_TEST(test_hostile)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e9, -1e9, 0.0};
    const uint32_t sides[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {H, W}};
    float in[81], out[81];
    fill_picture(in, 81);
    for (size_t s = 0; s < sizeof sides / sizeof sides[0]; s++)
        for (int fill = 0; fill < 4; fill++)
            for (uint32_t order = 0; order <= 3; order += order ? 2 : 1)
                for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                    for (int which = 0; which < 6; which++) {
                        struct ecg__warp m = identity((ecg_fill_mode)fill, order);
                        double *const field[6] = {&m.l00, &m.l01, &m.b0, &m.l10, &m.l11, &m.b1};
                        *field[which] = bad[i];
                        warp(&m, in, sides[s][0], sides[s][1], 1, out);
                        for (uint32_t k = 0; k < sides[s][0] * sides[s][1]; k++)
                            ck_assert_msg(fabsf(out[k]) < 400.0f, "%g", (double)out[k]);
                    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("warp");
    TCase *t = tcase_create("warp");
    tcase_add_test(t, test_fill_modes);
    tcase_add_test(t, test_identity);
    tcase_add_test(t, test_ties_round_up);
    tcase_add_test(t, test_quarter_turn);
    tcase_add_test(t, test_lift_moves_columns);
    tcase_add_test(t, test_hostile);
    suite_add_tcase(s, t);
    return unit_run(s);
}
