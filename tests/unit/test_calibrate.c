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

/* The loss at a temperature, the truth's probability mixed with `doubt` of an even one. */
static double loss_at(const ecg_metrics *m, float temperature, double doubt)
{
    ecg_metrics *soft;
    double sum = 0.0;
    ck_assert_int_eq(ecg_metrics_soften(m, temperature, &soft), ECG_OK);
    const uint64_t n = ecg_metrics_count(soft);
    for (uint64_t i = 0; i < n; i++) {
        const ecg_metrics_case c = ecg_metrics_at(soft, i);
        sum -= log((1.0 - doubt) * (double)c.probs[c.truth] + doubt / ecg_metrics_classes(soft));
    }
    ecg_metrics_free(soft);
    return sum / (double)n;
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
        ck_assert_double_le(loss_at(m, t, 0.0), loss_at(m, 1.0f, 0.0) + 1e-6);
        /* It is the best: to either side the doubted loss is larger. Where 1 is right to within chance, the
         * plain loss may keep it there. */
        for (float by = 0.5f; i != 1 && by < 2.0f; by *= 1.15f)
            ck_assert(loss_at(m, t, 0.01) <= loss_at(m, t * by, 0.01) + 1e-7);
        ecg_metrics_free(m);
    }
}
END_TEST

static void add(ecg_metrics *m, int times, uint32_t truth, float p0, float p1, float p2)
{
    const float p[3] = {p0, p1, p2};
    for (int i = 0; i < times; i++)
        ck_assert_int_eq(ecg_metrics_add(m, truth, p), ECG_OK);
}

/* Underconfident on the whole, but very sure of the few errors: being surer would cost more than it gains. */
START_TEST(loss_never_rises)
{
    ecg_metrics *m;
    ecg_error err = {0};
    float t;
    ck_assert_int_eq(ecg_metrics_new(&m, 3), ECG_OK);
    add(m, 988, 0, 0.85f, 0.1f, 0.05f);
    add(m, 12, 2, 0.99f, 0.0099f, 0.0001f);
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    ck_assert_double_le(loss_at(m, t, 0.0), loss_at(m, 1.0f, 0.0) + 1e-6);
    ck_assert_msg(t < 0.99f && loss_at(m, t * 0.9f, 0.01) < loss_at(m, t, 0.01), "temperature %g", (double)t);
    ck_assert_double_eq_tol(loss_at(m, t, 0.0), loss_at(m, 1.0f, 0.0), 1e-5); /* as far as it goes */
    ecg_metrics_free(m);
    /* The plain loss wants it less sure, the doubted one surer: it stays. */
    ck_assert_int_eq(ecg_metrics_new(&m, 3), ECG_OK);
    add(m, 488, 0, 0.85f, 0.1f, 0.05f);
    add(m, 12, 2, 0.99f, 0.0099999f, 1e-7f);
    ck_assert(loss_at(m, 0.9f, 0.01) < loss_at(m, 1.0f, 0.01) &&
              loss_at(m, 1.1f, 0.0) < loss_at(m, 1.0f, 0.0));
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    ck_assert_double_eq_tol((double)t, 1.0, 1e-6);
    ecg_metrics_free(m);
}
END_TEST

/* Odds of two classes that serve best, one of which is right with chance p, when 0.01 of labels are doubted.
 */
#define QUOTED(p) (((p)-0.005) / (1.0 - (p)-0.005))

/* Labels that are wrong at random, of which the network is sure: the plain loss would make all others unsure.
 */
START_TEST(wrong_labels_do_not_rule)
{
    ecg_metrics *m;
    ecg_error err = {0};
    float t;
    ck_assert_int_eq(ecg_metrics_new(&m, 3), ECG_OK);
    add(m, 800, 0, 0.8f, 0.15f, 0.05f);
    add(m, 200, 1, 0.8f, 0.15f, 0.05f);
    add(m, 1000, 1, 0.0f, 1.0f, 0.0f);
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    const float without = t;
    add(m, 5, 2, 0.0f, 1.0f, 0.0f);
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    ck_assert_msg(t < 1.2f * without, "%g, then %g", (double)without, (double)t);
    ck_assert(loss_at(m, 2.0f * without, 0.0) < loss_at(m, without, 0.0));
    ecg_metrics_free(m);
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
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_ENUMERIC,
             "nothing about these pictures (9 of 10 ");
    /* 9 wrong of 199 do not make it surer of the others; 10 of 200 do. */
    for (int i = 0; i < 189; i++)
        ck_assert_int_eq(ecg_metrics_add(m, 0, sure), ECG_OK);
    t = 5.0f;
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_ENUMERIC,
             "only 9 of 199 predictions are wrong, too");
    ck_assert_double_eq((double)t, 1.0);
    ck_assert_int_eq(ecg_metrics_add(m, 1, sure), ECG_OK);
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    ck_assert_double_eq_tol((double)t, log(9.0) / log(QUOTED(0.95)), 1e-3); /* about 0.95 in place of 0.9 */
    ecg_metrics *soft;
    ck_assert_int_eq(ecg_metrics_soften(m, 0.04f, &soft), ECG_EINVAL);
    ck_assert_int_eq(ecg_metrics_soften(m, 21.0f, &soft), ECG_EINVAL);
    ck_assert_int_eq(ecg_metrics_soften(m, NAN, &soft), ECG_EINVAL);
    ck_assert_ptr_null(soft);
    ecg_metrics_free(m);
    /* A few are enough to make it less sure: 0.8 in place of 0.9. */
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_int_eq(ecg_metrics_add(m, i == 0, sure), ECG_OK);
    ck_ok(ecg_metrics_temperature(m, &t, &err), err);
    ck_assert_double_eq_tol((double)t, log(9.0) / log(QUOTED(0.8)), 1e-3);
    ecg_metrics_free(m);
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    static const float flat[2] = {0.501f, 0.499f};
    for (uint32_t i = 0; i < 40; i++)
        ck_assert_int_eq(ecg_metrics_add(m, i % 4 == 0, flat), ECG_OK);
    ck_fails(ecg_metrics_temperature(m, &t, &err), err, ECG_ENUMERIC, "too close to each other");
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
    tcase_add_test(t, loss_never_rises);
    tcase_add_test(t, wrong_labels_do_not_rule);
    tcase_add_test(t, error_falls_and_answers_stay);
    tcase_add_test(t, when_there_is_no_temperature);
    tcase_add_test(t, thresholds);
    suite_add_tcase(s, t);
    return unit_run(s);
}
