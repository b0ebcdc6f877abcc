#include "unit.h"

#include <math.h>

#include "ecgcnn/beats.h"

enum { MOST = 64000 };

static float mv[MOST];
static double truth[256];
static size_t beats, n;

static double bump(double t, double at, double width)
{
    const double d = (t - at) / width;
    return exp(-0.5 * d * d);
}

/* Forty seconds: a beat every 0.7 to 0.9 s, with P, Q, R, S and a T that is 0.3 mV high, some wander and hum.
 */
static void make(double rate, double sign)
{
    n = (size_t)(40.0 * rate);
    beats = 0;
    for (double t = 0.6; t < 39.0; t += 0.8 + 0.1 * sin(3.0 * (double)beats))
        truth[beats++] = t;
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i / rate;
        double v = 0.2 * sin(1.3 * t) + 0.01 * sin(2.0 * 3.14159265 * 50.0 * t);
        for (size_t b = 0; b < beats; b++)
            if (fabs(t - truth[b]) < 0.7)
                v += sign * (0.1 * bump(t, truth[b] - 0.17, 0.025) - 0.1 * bump(t, truth[b] - 0.025, 0.008) +
                             1.1 * bump(t, truth[b], 0.012) - 0.2 * bump(t, truth[b] + 0.027, 0.01) +
                             0.3 * bump(t, truth[b] + 0.28, 0.05));
        mv[i] = (float)v;
    }
}

/* Every beat between `from` and `to` is found at its place, and nothing else. */
static void expect(double rate, double from, double to)
{
    uint64_t *at = NULL;
    size_t count = 0, k = 0, wanted = 0;
    ecg_error err;
    ck_ok(ecg_beats_detect(&at, &count, mv, n, rate, NULL, &err), err);
    for (size_t b = 0; b < beats; b++) {
        if (truth[b] >= from && truth[b] < to)
            continue;
        wanted++;
        while (k < count && (double)at[k] / rate < truth[b] - 0.1)
            k++;
        ck_assert_msg(k < count && fabs((double)at[k] / rate - truth[b]) <= 0.012, "rate %g: no beat at %g s",
                      rate, truth[b]);
    }
    ck_assert_uint_eq(count, wanted);
    ecg_beats_free(at);
}

START_TEST(test_rates)
{
    static const double rates[] = {100, 128, 250, 360, 500, 1000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        make(rates[i], 1.0);
        expect(rates[i], 0, 0);
    }
}
END_TEST

START_TEST(test_polarity_and_size)
{
    make(360, -1.0);
    expect(360, 0, 0);
    make(360, 0.1);
    expect(360, 0, 0);
    make(360, 30.0);
    expect(360, 0, 0);
}
END_TEST

/* The lead falls off for five seconds, and is as far off as an amplifier can be before and after. */
START_TEST(test_gap)
{
    make(360, 1.0);
    for (size_t i = 12 * 360; i < 17 * 360; i++)
        mv[i] = i % 3 ? NAN : INFINITY;
    uint64_t *at = NULL;
    size_t count = 0;
    ecg_error err;
    ck_ok(ecg_beats_detect(&at, &count, mv, n, 360, NULL, &err), err);
    for (size_t i = 0; i < count; i++)
        ck_assert(at[i] < 12 * 360 || at[i] >= 17 * 360);
    ecg_beats_free(at);
    expect(360, 11.9, 17.1);
}
END_TEST

/* A beat a third as high as the others is found by searching back. */
START_TEST(test_small_beat)
{
    make(360, 1.0);
    const size_t at = (size_t)(truth[20] * 360);
    for (size_t i = at - 30; i < at + 30; i++)
        mv[i] = mv[at - 30] + 0.3f * (mv[i] - mv[at - 30]);
    expect(360, 0, 0);
}
END_TEST

START_TEST(test_silence)
{
    uint64_t *at = NULL;
    size_t count = 9;
    ecg_error err;
    ck_ok(ecg_beats_detect(&at, &count, NULL, 0, 360, NULL, &err), err);
    ck_assert_uint_eq(count, 0);
    ecg_beats_free(at);
    for (size_t i = 0; i < 3600; i++)
        mv[i] = 0.5f;
    ck_ok(ecg_beats_detect(&at, &count, mv, 3600, 360, NULL, &err), err);
    ck_assert_uint_eq(count, 0);
    ecg_beats_free(at);
    for (size_t i = 0; i < 3600; i++)
        mv[i] = NAN;
    ck_ok(ecg_beats_detect(&at, &count, mv, 3600, 360, NULL, &err), err);
    ck_assert_uint_eq(count, 0);
    ecg_beats_free(at);
}
END_TEST

/* Records shorter than a window, and of one to a few samples. */
START_TEST(test_short)
{
    ecg_error err;
    for (size_t k = 1; k < 200; k++) {
        uint64_t *at = NULL;
        size_t count = 0;
        for (size_t i = 0; i < k; i++)
            mv[i] = i == k / 2 ? 1.0f : 0.0f;
        ck_ok(ecg_beats_detect(&at, &count, mv, k, 360, NULL, &err), err);
        ck_assert_uint_le(count, 1);
        ck_assert(count == 0 || at[0] < k);
        ecg_beats_free(at);
    }
}
END_TEST

START_TEST(test_options)
{
    uint64_t *at = NULL;
    size_t count = 0;
    ecg_error err;
    make(360, 1.0);
    ecg_detect_options o = ECG_DETECT_OPTIONS_INIT;
    ck_fails(ecg_beats_detect(&at, &count, mv, n, 99, NULL, &err), err, ECG_EINVAL, "99");
    ck_fails(ecg_beats_detect(&at, &count, mv, n, (double)NAN, NULL, &err), err, ECG_EINVAL, "100 to 1000");
    ck_fails(ecg_beats_detect(&at, &count, NULL, n, 360, NULL, &err), err, ECG_EINVAL, "signal");
    o.high = 150;
    ck_fails(ecg_beats_detect(&at, &count, mv, n, 360, &o, &err), err, ECG_EINVAL, "150");
    o = (ecg_detect_options)ECG_DETECT_OPTIONS_INIT;
    o.threshold = 1.0;
    ck_fails(ecg_beats_detect(&at, &count, mv, n, 360, &o, &err), err, ECG_EINVAL, "option");
    ck_assert_ptr_null(at);
    o.threshold = 0.0;
    o.refractory = 0.95; /* longer than every interval: every second beat at most */
    ck_ok(ecg_beats_detect(&at, &count, mv, n, 360, &o, &err), err);
    ck_assert_uint_le(count, beats / 2 + 1);
    ecg_beats_free(at);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("detect");
    TCase *t = tcase_create("detect");
    tcase_add_test(t, test_rates);
    tcase_add_test(t, test_polarity_and_size);
    tcase_add_test(t, test_gap);
    tcase_add_test(t, test_small_beat);
    tcase_add_test(t, test_silence);
    tcase_add_test(t, test_short);
    tcase_add_test(t, test_options);
    suite_add_tcase(s, t);
    return unit_run(s);
}
