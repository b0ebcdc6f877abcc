#include "unit.h"

#include <math.h>

#include "ecgcnn/beats.h"

enum { RATE = 360, N = 20 * RATE, BEATS = 20, H = 64, W = 96 };

static float mv[N], other[N];
static uint64_t at[BEATS];
static uint8_t px[256 * 256 * 3];

/* A narrow triangle 1 mV high at 0.5 s and every second after it; `level` and `slope` are the baseline's. */
static void make(float level, float slope)
{
    for (size_t i = 0; i < N; i++)
        mv[i] = level + slope * (float)i / RATE;
    for (size_t b = 0; b < BEATS; b++) {
        at[b] = b * RATE + RATE / 2;
        for (int k = -10; k <= 10; k++)
            mv[at[b] + (uint64_t)(k + 10) - 10] += 1.0f - (float)abs(k) / 10.0f;
    }
    for (size_t i = 0; i < N; i++)
        other[i] = 2.0f * mv[i];
}

static ecg_painter *painter(const char *text)
{
    ecg_recipe *r = NULL;
    ecg_painter *p = NULL;
    ecg_error err;
    ck_ok(ecg_recipe_parse(&r, text, &err), err);
    ck_ok(ecg_painter_new(&p, r, mv, other, N, RATE, at, BEATS, &err), err);
    ecg_recipe_free(r);
    return p;
}

/* The darkest row of a column, of one channel; -1: blank. */
static int row_of(int x, int h, int w, int c, int channel)
{
    int best = -1, dark = 200;
    for (int y = 0; y < h; y++)
        if (px[(y * w + x) * c + channel] < dark) {
            dark = px[(y * w + x) * c + channel];
            best = y;
        }
    return best;
}

/* The geometry of the original's pictures: 192 samples over columns 24 to 173, row = 52.34 - 34.7 mV. */
START_TEST(test_fixed)
{
    make(0.0f, 0.0f);
    ecg_painter *p = painter("fixed pen=1");
    ck_assert_int_eq(ecg_painter_draw(p, 3, px), ECG_OK);
    ck_assert_int_eq(row_of(24, 128, 192, 1, 0), 52);
    ck_assert_int_eq(row_of(173, 128, 192, 1, 0), 52);
    ck_assert_int_eq(row_of(23, 128, 192, 1, 0), -1);
    ck_assert_int_eq(row_of(174, 128, 192, 1, 0), -1);
    int top = 128, peak = 0;
    for (int x = 24; x <= 173; x++)
        for (int y = 0; y < 128; y++)
            if (px[y * 192 + x] < 128 && y < top) {
                top = y;
                peak = x;
            }
    ck_assert_int_eq(abs(top - 18) <= 1, 1);
    ck_assert_int_eq(abs(peak - (24 + 96 * 149 / 191)) <= 1, 1);
    ecg_painter_free(p);
    make(5.0f, 0.0f); /* far above the box: nothing is left */
    p = painter("fixed");
    ck_assert_int_eq(ecg_painter_draw(p, 3, px), ECG_OK);
    for (int i = 0; i < 128 * 192; i++)
        ck_assert_int_eq(px[i], 255);
    ecg_painter_free(p);
}
END_TEST

/* Scaled by the QRS, less the baseline: size, offset and drift of a lead do not show. */
START_TEST(test_invariant)
{
    static uint8_t before[H * W * 3];
    make(0.0f, 0.0f);
    ecg_painter *p = painter("rhythm");
    ck_assert(fabs(ecg_painter_qrs_mv(p) - 1.0) < 0.02);
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    memcpy(before, px, sizeof before);
    ecg_painter_free(p);
    make(-3.0f, 0.2f);
    for (size_t i = 0; i < N; i++)
        mv[i] *= 7.0f;
    p = painter("rhythm");
    ck_assert(fabs(ecg_painter_qrs_mv(p) - 7.0) < 0.3);
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    double ink = 0, differs = 0;
    for (size_t i = 0; i < sizeof before; i++) {
        ink += 255.0 - before[i];
        differs += abs(px[i] - before[i]);
    }
    ck_assert_msg(differs < 0.1 * ink, "ink %g, difference %g", ink, differs);
    ecg_painter_free(p);
}
END_TEST

/* Each view in its channel: a strange beat shows in close, not in usual, and both neighbours show in strip.
 */
START_TEST(test_views)
{
    make(0.0f, 0.0f);
    for (int k = -10; k <= 10; k++) /* beat 9 points down */
        mv[at[9] + (uint64_t)(k + 10) - 10] = -1.0f + (float)abs(k) / 10.0f;
    ecg_painter *p = painter("rhythm pen=1");
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    const int beat = (int)(0.35 / 0.8 * (W - 1) + 0.5), zero = H / 2;
    ck_assert_int_gt(row_of(beat, H, W, 3, 0), zero + 8);
    ck_assert_int_lt(row_of(beat, H, W, 3, 1), zero - 8);
    int up = 0;
    for (int x = 1; x + 1 < W; x++) {
        const int y = row_of(x, H, W, 3, 2);
        up += y >= 0 && y < zero - 8 && row_of(x + 1, H, W, 3, 2) >= zero - 8;
    }
    ck_assert_int_eq(up, 3); /* at -2, -1 and +1 s */
    ecg_painter_free(p);
    p = painter("fixed views=beat,second size=64x96 box=0:0:95:63 pen=1 top=2.5 bottom=-1");
    ck_assert_int_eq(ecg_painter_draw(p, 3, px), ECG_OK);
    int first = H, second = H;
    for (int x = 40; x < 56; x++)
        for (int y = 0; y < H; y++) {
            first = px[(y * W + x) * 3] < 128 && y < first ? y : first;
            second = px[(y * W + x) * 3 + 1] < 128 && y < second ? y : second;
            ck_assert_int_eq(px[(y * W + x) * 3 + 2], 255);
        }
    ck_assert_int_lt(second, first - 10);
    ecg_painter_free(p);
}
END_TEST

/* The usual beat is made of beats that do not come early, even where most of the others do. */
START_TEST(test_usual)
{
    make(0.0f, 0.0f);
    for (size_t b = 1; b < BEATS; b += 2) { /* every second beat is early, and upside down */
        memset(mv + at[b] - 20, 0, 41 * sizeof *mv);
        at[b] -= RATE / 3;
        for (int k = -10; k <= 10; k++)
            mv[at[b] + (uint64_t)(k + 10) - 10] = -2.0f + (float)abs(k) / 5.0f;
    }
    ecg_painter *p = painter("rhythm pen=1 scale=mv views=usual");
    ck_assert_int_eq(ecg_painter_draw(p, 3, px), ECG_OK);
    ck_assert_int_lt(row_of((int)(0.35 / 0.8 * (W - 1) + 0.5), H, W, 1, 0), H / 2 - 8);
    ecg_painter_free(p);
}
END_TEST

/* From neighbour to neighbour, whatever lies between; the ends of a record take the other side's distance. */
START_TEST(test_rr)
{
    make(0.0f, 0.0f);
    ecg_painter *p = painter("rr pen=1");
    for (size_t i = 0; i < BEATS; i += BEATS - 1) {
        ck_assert_int_eq(ecg_painter_draw(p, i, px), ECG_OK);
        ck_assert_int_eq(abs(row_of(64, 128, 128, 1, 0) - (int)(1.0 * 127 / 3.5)) <= 12, 1);
    }
    ck_assert_int_eq(ecg_painter_draw(p, 5, px), ECG_OK);
    int wide = 0; /* columns that the triangle lifts: 20 of 680 samples */
    for (int x = 0; x < 128; x++)
        wide += row_of(x, 128, 128, 1, 0) < 65;
    ck_assert_int_ge(wide, 2);
    ck_assert_int_le(wide, 6);
    ecg_painter_free(p);
}
END_TEST

/* Columns in which the line goes down through 8 rows above zero: where beats end. */
static int ends(int *column)
{
    int n = 0;
    for (int x = 0; x + 1 < W; x++) {
        const int y = row_of(x, H, W, 1, 0), next = row_of(x + 1, H, W, 1, 0);
        if (y >= 0 && y < H / 2 - 8 && next >= H / 2 - 8 && n < 8)
            column[n++] = x;
    }
    return n;
}

/* In `pace` regular beats stand in the same columns at any rate, and an early one nearer to the one before.
 */
START_TEST(test_pace)
{
    int slow[8], fast[8], early[8];
    make(0.0f, 0.0f);
    ecg_painter *p = painter("rhythm views=pace pen=1");
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    ck_assert_int_eq(ends(slow), 4); /* two before, the beat, one after */
    ecg_painter_free(p);
    memset(mv, 0, sizeof mv);
    for (size_t b = 0; b < BEATS; b++) { /* twice as fast, and beat 9 early by a quarter */
        at[b] = b * RATE / 2 + RATE / 2 - (b == 9 ? RATE / 8 : 0);
        for (int k = -5; k <= 5; k++)
            mv[at[b] + (uint64_t)(k + 5) - 5] = 1.0f - (float)abs(k) / 5.0f;
    }
    p = painter("rhythm views=pace pen=1");
    ck_assert_int_eq(ecg_painter_draw(p, 5, px), ECG_OK);
    ck_assert_int_eq(ends(fast), 4);
    for (int k = 0; k < 4; k++)
        ck_assert_int_le(abs(fast[k] - slow[k]), 1);
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    ck_assert_int_eq(ends(early), 4);
    ck_assert_int_le(abs(early[2] - slow[2]), 1);
    ck_assert_int_le(abs(early[1] - slow[1] - (W - 1) / 16), 1);
    ecg_painter_free(p);
    ecg_recipe *r = NULL;
    ecg_error err;
    ck_ok(ecg_recipe_parse(&r, "rhythm views=pace", &err), err);
    ck_ok(ecg_painter_new(&p, r, mv, NULL, N, RATE, at, 1, &err), err); /* alone: 1 s */
    ck_assert_int_eq(ecg_painter_draw(p, 0, px), ECG_OK);
    ck_assert_int_eq(row_of(0, H, W, 1, 0), -1);
    ecg_painter_free(p);
    at[1] = at[2] = at[0]; /* no time between them */
    ck_ok(ecg_painter_new(&p, r, mv, NULL, N, RATE, at, 3, &err), err);
    ck_assert_int_eq(ecg_painter_draw(p, 1, px), ECG_OK);
    ecg_painter_free(p);
    ecg_recipe_free(r);
}
END_TEST

/* Gaps are blank; a gap in a column of many samples is not bridged. */
START_TEST(test_gap)
{
    make(0.0f, 0.0f);
    for (uint64_t i = at[9] - 2 * RATE; i < at[9] - RATE; i++)
        mv[i] = NAN;
    ecg_painter *p = painter("rhythm views=strip pen=1");
    ck_assert_int_eq(ecg_painter_draw(p, 9, px), ECG_OK);
    for (int x = 0; x < W; x++) {
        const double t = -2.5 + 4.0 * x / (W - 1);
        if (t > -1.9 && t < -1.1)
            ck_assert_int_eq(row_of(x, H, W, 1, 0), -1);
        else if (t < -2.1 || t > -0.9)
            ck_assert_int_ge(row_of(x, H, W, 1, 0), 0);
    }
    for (size_t i = 0; i < BEATS; i++) /* the ends of the record too */
        ck_assert_int_eq(ecg_painter_draw(p, i, px), ECG_OK);
    ecg_painter_free(p);
}
END_TEST

START_TEST(test_wrong)
{
    ecg_recipe *r = NULL;
    ecg_painter *p = NULL;
    ecg_error err;
    make(0.0f, 0.0f);
    ck_ok(ecg_recipe_parse(&r, "fixed views=second", &err), err);
    ck_fails(ecg_painter_new(&p, r, mv, NULL, N, RATE, at, BEATS, &err), err, ECG_EINVAL, "second");
    ck_fails(ecg_painter_new(&p, r, mv, other, N, 0, at, BEATS, &err), err, ECG_EINVAL, "expected 1 to");
    ck_fails(ecg_painter_new(&p, r, mv, other, (size_t)at[4], RATE, at, BEATS, &err), err, ECG_EINVAL,
             "beat 4");
    at[7] = at[6] - 1;
    ck_fails(ecg_painter_new(&p, r, mv, other, N, RATE, at, BEATS, &err), err, ECG_EINVAL, "beat 7");
    ck_assert_ptr_null(p);
    ck_ok(ecg_painter_new(&p, r, mv, other, N, RATE, at, 0, &err), err);
    ck_assert_int_eq(ecg_painter_draw(p, 0, px), ECG_EINVAL);
    ecg_painter_free(p);
    ck_ok(ecg_painter_new(&p, r, NULL, NULL, 0, RATE, NULL, 0, &err), err);
    ecg_painter_free(p);
    for (size_t i = 0; i < N; i++)
        mv[i] = NAN;
    at[7] = at[6];
    ck_ok(ecg_painter_new(&p, r, mv, mv, N, RATE, at, BEATS, &err), err);
    ck_assert_int_eq(ecg_painter_draw(p, 7, px), ECG_OK);
    ecg_painter_free(p);
    ecg_recipe_free(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("beat_paint");
    TCase *t = tcase_create("beat_paint");
    tcase_add_test(t, test_fixed);
    tcase_add_test(t, test_invariant);
    tcase_add_test(t, test_views);
    tcase_add_test(t, test_usual);
    tcase_add_test(t, test_rr);
    tcase_add_test(t, test_pace);
    tcase_add_test(t, test_gap);
    tcase_add_test(t, test_wrong);
    suite_add_tcase(s, t);
    return unit_run(s);
}
