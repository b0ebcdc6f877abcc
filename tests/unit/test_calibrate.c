#include <math.h>

#include "base/rng.h"
#include "ecgcnn/eval.h"
#include "unit.h"

enum { K = 4 };

static void softmax(const double z[K], double scale, float p[K])
{
    double top = z[0], sum = 0.0;
    for (int k = 1; k < K; k++)
        top = z[k] > top ? z[k] : top;
    for (int k = 0; k < K; k++)
        sum += exp((z[k] - top) * scale);
    for (int k = 0; k < K; k++)
        p[k] = (float)(exp((z[k] - top) * scale) / sum);
}

/* n pictures of a network that knows the true chances but says them `scale` times too loud. */
static ecg_metrics *network(size_t n, double scale, uint64_t seed)
{
    ecg_metrics *m;
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    ck_assert_int_eq(ecg_metrics_new(&m, K), ECG_OK);
    for (size_t i = 0; i < n; i++) {
        double z[K], at = ecg__rng_double(&r);
        float chance[K], said[K];
        for (int k = 0; k < K; k++)
            z[k] = 1.5 * ecg__rng_normal(&r);
        softmax(z, 1.0, chance);
        softmax(z, scale, said);
        uint32_t truth = 0;
        for (at -= (double)chance[0]; at > 0 && truth + 1 < K; at -= (double)chance[truth])
            truth++;
        ck_assert_int_eq(ecg_metrics_add_patient(m, truth, said, i % 2 ? "a" : "b"), ECG_OK);
    }
    return m;
}

static double loss_at(const ecg_metrics *m, float temperature)
{
    ecg_metrics *soft;
    ck_assert_int_eq(ecg_metrics_soften(m, temperature, &soft), ECG_OK);
    const double loss = ecg_metrics_loss(soft);
    ecg_metrics_free(soft);
    return loss;
}

START_TEST(finds_the_temperature)
{
    static const double scales[] = {0.4, 1.0, 3.0, 8.0};
    for (size_t i = 0; i < 4; i++) {
        ecg_metrics *m = network(20000, scales[i], 5);
        ecg_error err = {0};
        float t;
        ck_ok(ecg_metrics_temperature(m, &t, &err), err);
        ck_assert_double_eq_tol((double)t / scales[i], 1.0, 0.04);
        /* It is the best: to either side the loss is larger. */
        ck_assert(loss_at(m, t) <= loss_at(m, t * 1.03f));
        ck_assert(loss_at(m, t) <= loss_at(m, t * 0.97f));
        ecg_metrics_free(m);
    }
}
END_TEST

START_TEST(error_falls_and_answers_stay)
{
    ecg_metrics *fit = network(5000, 3.0, 1), *held_out = network(5000, 3.0, 2), *soft;
    ecg_error err = {0};
    ecg_figures before, after;
    float t;
    ck_ok(ecg_metrics_temperature(fit, &t, &err), err);
    ck_assert_int_eq(ecg_metrics_soften(held_out, t, &soft), ECG_OK);
    ck_assert_int_eq(ecg_metrics_figures(held_out, &before), ECG_OK);
    ck_assert_int_eq(ecg_metrics_figures(soft, &after), ECG_OK);
    ck_assert_msg(before.ece > 0.1 && after.ece < before.ece / 4, "%g, then %g", before.ece, after.ece);
    ck_assert(after.loss < before.loss && after.brier < before.brier);
    ck_assert_double_eq(after.accuracy, before.accuracy);
    for (uint64_t i = 0; i < 5000; i++) {
        const ecg_metrics_case a = ecg_metrics_at(held_out, i), b = ecg_metrics_at(soft, i);
        ck_assert_uint_eq(a.predicted, b.predicted);
        ck_assert_str_eq(a.patient, b.patient);
    }
    ecg_metrics_free(fit);
    ecg_metrics_free(held_out);
    ecg_metrics_free(soft);
}
END_TEST

START_TEST(when_there_is_no_temperature)
{
    ecg_metrics *m;
    ecg_error err;
    float t = 5.0f;
    static const float sure[2] = {0.9f, 0.1f};
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_EINVAL, "no pictures");
    ck_assert_double_eq((double)t, 1.0);
    ck_assert_int_eq(ecg_metrics_add(m, 0, sure), ECG_OK);
    t = 5.0f;
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_ENUMERIC, "all 1 predictions are right");
    ck_assert_double_eq((double)t, 1.0);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(ecg_metrics_add(m, 1, sure), ECG_OK);
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_ENUMERIC, "not within 0.05..20");
    ecg_metrics *soft;
    ck_assert_int_eq(ecg_metrics_soften(m, 0.04f, &soft), ECG_EINVAL);
    ck_assert_int_eq(ecg_metrics_soften(m, 21.0f, &soft), ECG_EINVAL);
    ck_assert_int_eq(ecg_metrics_soften(m, NAN, &soft), ECG_EINVAL);
    ck_assert_ptr_null(soft);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(thresholds)
{
    /* Confidence 0.99 .. 0.50; wrong are the pictures 10, 20, 30, 40 and all from 45 on. */
    ecg_metrics *m;
    ecg_error err = {0};
    ecg_curve_point at;
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    for (int i = 0; i < 50; i++) {
        const float top = 0.99f - 0.0098f * (float)i, p[2] = {top, 1 - top};
        ck_assert_int_eq(ecg_metrics_add(m, (i % 10 == 0 && i > 0) || i >= 45, p), ECG_OK);
    }
    ck_ok(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 0.0, &at, &err), err);
    ck_assert_double_eq(at.x, 10.0 / 50.0);
    ck_assert_double_eq(at.y, 0.0);
    /* 4 of 45 wrong is under a tenth, 5 of 46 is over. */
    ck_ok(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 0.1, &at, &err), err);
    ck_assert_double_eq(at.x, 45.0 / 50.0);
    ck_assert_double_eq_tol(at.y, 4.0 / 45.0, 1e-12);
    ck_assert_double_eq_tol(at.threshold, 0.99 - 0.0098 * 44, 1e-6);
    ck_ok(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 1.0, &at, &err), err);
    ck_assert_double_eq(at.x, 1.0);
    ck_ok(ecg_metrics_threshold(m, ECG_THRESHOLD_COVERAGE, 0.5, &at, &err), err);
    ck_assert_double_eq(at.x, 0.5);
    ck_ok(ecg_metrics_threshold(m, ECG_THRESHOLD_COVERAGE, 0.501, &at, &err), err);
    ck_assert_double_eq(at.x, 26.0 / 50.0);
    ck_fails(ecg_metrics_threshold(m, ECG_THRESHOLD_GIVEN, 0.5, &at, &err), err, ECG_EINVAL, "expected");
    ck_fails(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 1.5, &at, &err), err, ECG_EINVAL, "1.5");
    static const float surest[2] = {1.0f, 0.0f};
    for (int i = 0; i < 60; i++)
        ck_assert_int_eq(ecg_metrics_add(m, 1, surest), ECG_OK);
    ck_fails(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 0.01, &at, &err), err, ECG_ENUMERIC, "0.01");
    ecg_metrics_free(m);
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    ck_fails(ecg_metrics_threshold(m, ECG_THRESHOLD_ERROR, 0.01, &at, &err), err, ECG_EINVAL, "no pictures");
    ecg_metrics_free(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("calibrate");
    TCase *t = tcase_create("calibrate");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, finds_the_temperature);
    tcase_add_test(t, error_falls_and_answers_stay);
    tcase_add_test(t, when_there_is_no_temperature);
    tcase_add_test(t, thresholds);
    suite_add_tcase(s, t);
    return unit_run(s);
}
