#include "ecgcnn/eval.h"

#include <math.h>

#include "base/rng.h"
#include "unit.h"

static ecg_metrics *metrics(uint32_t classes)
{
    ecg_metrics *m = NULL;
    ck_assert_int_eq(ecg_metrics_new(&m, classes), ECG_OK);
    ck_assert_ptr_nonnull(m);
    return m;
}

static ecg_class_metrics of_class(const ecg_metrics *m, uint32_t cls)
{
    ecg_class_metrics c;
    ck_assert_int_eq(ecg_metrics_class(m, cls, &c), ECG_OK);
    return c;
}

#define ck_near(a, b) ck_assert_double_eq_tol(a, b, 1e-12)

START_TEST(by_hand)
{
    /* Ten pictures, three classes; predictions worked out on paper:
     *            predicted 0  1  2
     *   truth 0            3  1  0
     *   truth 1            1  2  1
     *   truth 2            0  0  2 */
    static const struct {
        uint32_t truth;
        float p[3];
    } rows[] = {
        {0, {0.75f, 0.125f, 0.125f}}, {0, {0.5f, 0.25f, 0.25f}},    {0, {0.5f, 0.5f, 0.0f}},
        {0, {0.25f, 0.5f, 0.25f}},    {1, {0.5f, 0.25f, 0.25f}},    {1, {0.0f, 1.0f, 0.0f}},
        {1, {0.25f, 0.75f, 0.0f}},    {1, {0.125f, 0.125f, 0.75f}}, {2, {0.25f, 0.25f, 0.5f}},
        {2, {0.0f, 0.0f, 1.0f}},
    };
    static const uint64_t confusion[3][3] = {{3, 1, 0}, {1, 2, 1}, {0, 0, 2}};
    ecg_metrics *m = metrics(3);
    double loss = 0.0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(ecg_metrics_add(m, rows[i].truth, rows[i].p), ECG_OK);
        loss -= log((double)rows[i].p[rows[i].truth]);
    }
    ck_assert_uint_eq(ecg_metrics_count(m), 10);
    for (uint32_t t = 0; t < 3; t++)
        for (uint32_t p = 0; p < 3; p++)
            ck_assert_uint_eq(ecg_metrics_confusion(m, t, p), confusion[t][p]);
    ck_near(ecg_metrics_accuracy(m), 0.7);
    ck_near(ecg_metrics_loss(m), loss / 10.0);
    ck_near(ecg_metrics_macro_f1(m), (6.0 / 8.0 + 4.0 / 7.0 + 4.0 / 5.0) / 3.0);

    ecg_class_metrics c = of_class(m, 0);
    ck_assert_uint_eq(c.support, 4);
    ck_near(c.sensitivity, 3.0 / 4.0);
    ck_near(c.specificity, 5.0 / 6.0);
    ck_near(c.ppv, 3.0 / 4.0);
    ck_near(c.f1, 6.0 / 8.0);
    /* Scores of class 0: .75 .5 .5 .25 against .5 0 .25 .125 .25 0: 6 + 5.5 + 5.5 + (3 + 2/2) of 24 pairs. */
    ck_near(c.auc, 21.0 / 24.0);
    c = of_class(m, 1);
    ck_assert_uint_eq(c.support, 4);
    ck_near(c.sensitivity, 2.0 / 4.0);
    ck_near(c.specificity, 5.0 / 6.0);
    ck_near(c.ppv, 2.0 / 3.0);
    ck_near(c.f1, 4.0 / 7.0);
    c = of_class(m, 2);
    ck_assert_uint_eq(c.support, 2);
    ck_near(c.sensitivity, 1.0);
    ck_near(c.specificity, 7.0 / 8.0);
    ck_near(c.ppv, 2.0 / 3.0);
    ck_near(c.f1, 4.0 / 5.0);
    /* Scores of class 2: .5 and 1 against six at most .25, .75 and 0: 7 + 8 of 16 pairs. */
    ck_near(c.auc, 15.0 / 16.0);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(auc_is_the_share_of_ordered_pairs)
{
    enum { N = 300, K = 5 };
    for (uint64_t seed = 1; seed <= 8; seed++) {
        ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
        ecg_metrics *m = metrics(K);
        static float p[N][K];
        static uint32_t truth[N];
        /* Few distinct values at first, so that most pairs tie; fine ones later. */
        const uint32_t steps = seed <= 4 ? 4 * (uint32_t)seed : 1u << 20;
        for (size_t i = 0; i < N; i++) {
            truth[i] = ecg__rng_below(&r, K);
            for (size_t k = 0; k < K; k++)
                p[i][k] = (float)ecg__rng_below(&r, steps + 1) / (float)steps;
            if (i % 7 == 0)
                p[i][0] = -0.0f; /* equal to 0, not below it */
            ck_assert_int_eq(ecg_metrics_add(m, truth[i], p[i]), ECG_OK);
        }
        for (uint32_t k = 0; k < K; k++) {
            double pairs = 0.0, won = 0.0;
            for (size_t i = 0; i < N; i++)
                for (size_t j = 0; j < N && truth[i] == k; j++)
                    if (truth[j] != k) {
                        pairs += 1.0;
                        won += p[i][k] > p[j][k] ? 1.0 : p[i][k] < p[j][k] ? 0.0 : 0.5;
                    }
            ck_near(of_class(m, k).auc, won / pairs);
        }
        ecg_metrics_free(m);
    }
}
END_TEST

START_TEST(auc_knows_its_ends)
{
    static const float low[2] = {0.25f, 0.75f}, high[2] = {0.75f, 0.25f}, same[2] = {0.5f, 0.5f};
    ecg_metrics *m = metrics(2);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ecg_metrics_add(m, 0, high), ECG_OK);
        ck_assert_int_eq(ecg_metrics_add(m, 1, low), ECG_OK);
    }
    ck_assert_double_eq(of_class(m, 0).auc, 1.0);
    ck_assert_double_eq(of_class(m, 1).auc, 1.0);
    ecg_metrics_free(m);
    m = metrics(2);
    ck_assert_int_eq(ecg_metrics_add(m, 0, low), ECG_OK);
    ck_assert_int_eq(ecg_metrics_add(m, 1, high), ECG_OK);
    ck_assert_double_eq(of_class(m, 0).auc, 0.0);
    ecg_metrics_free(m);
    m = metrics(2);
    ck_assert_int_eq(ecg_metrics_add(m, 0, same), ECG_OK);
    ck_assert_int_eq(ecg_metrics_add(m, 1, same), ECG_OK);
    ck_assert_double_eq(of_class(m, 0).auc, 0.5);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(nothing_is_nan)
{
    ecg_metrics *m = metrics(3);
    ck_assert_uint_eq(ecg_metrics_count(m), 0);
    ck_assert_double_nan(ecg_metrics_accuracy(m));
    ck_assert_double_nan(ecg_metrics_macro_f1(m));
    ck_assert_double_nan(ecg_metrics_loss(m));
    ck_assert_uint_eq(ecg_metrics_confusion(m, 1, 2), 0);
    const ecg_class_metrics c = of_class(m, 1);
    ck_assert_uint_eq(c.support, 0);
    ck_assert_double_nan(c.sensitivity);
    ck_assert_double_nan(c.specificity);
    ck_assert_double_nan(c.ppv);
    ck_assert_double_nan(c.f1);
    ck_assert_double_nan(c.auc);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(empty_class)
{
    /* Class 2 has no picture and is never predicted; class 1 has none but is predicted once. */
    static const float a[3] = {0.8f, 0.1f, 0.1f}, b[3] = {0.2f, 0.7f, 0.1f};
    ecg_metrics *m = metrics(3);
    ck_assert_int_eq(ecg_metrics_add(m, 0, a), ECG_OK);
    ck_assert_int_eq(ecg_metrics_add(m, 0, b), ECG_OK);
    ecg_class_metrics c = of_class(m, 0);
    ck_near(c.sensitivity, 0.5);
    ck_assert_double_nan(c.specificity); /* no picture of another class */
    ck_near(c.ppv, 1.0);
    ck_assert_double_nan(c.auc);
    c = of_class(m, 1);
    ck_assert_double_nan(c.sensitivity);
    ck_near(c.specificity, 0.5);
    ck_near(c.ppv, 0.0);
    ck_near(c.f1, 0.0);
    c = of_class(m, 2);
    ck_assert_double_nan(c.sensitivity);
    ck_near(c.specificity, 1.0);
    ck_assert_double_nan(c.ppv);
    ck_assert_double_nan(c.f1);
    ck_near(ecg_metrics_macro_f1(m), 2.0 / 3.0); /* class 0 alone */
    ck_assert_uint_eq(ecg_metrics_confusion(m, 1, 1), 0);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 0, 1), 1);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(one_class)
{
    static const float p = 1.0f;
    ecg_metrics *m = metrics(1);
    ck_assert_int_eq(ecg_metrics_add(m, 0, &p), ECG_OK);
    ck_near(ecg_metrics_accuracy(m), 1.0);
    ck_near(ecg_metrics_macro_f1(m), 1.0);
    ck_assert_double_eq(ecg_metrics_loss(m), 0.0);
    const ecg_class_metrics c = of_class(m, 0);
    ck_near(c.sensitivity, 1.0);
    ck_assert_double_nan(c.specificity);
    ck_assert_double_nan(c.auc);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(many_classes)
{
    enum { K = 65536 };
    float *p = calloc(K, sizeof *p);
    ck_assert_ptr_nonnull(p);
    ecg_metrics *m = metrics(K);
    p[K - 1] = 1.0f;
    ck_assert_int_eq(ecg_metrics_add(m, K - 1, p), ECG_OK);
    p[K - 1] = 0.5f;
    p[7] = 0.5f; /* the first of equals is the prediction */
    ck_assert_int_eq(ecg_metrics_add(m, 3, p), ECG_OK);
    ck_assert_uint_eq(ecg_metrics_confusion(m, K - 1, K - 1), 1);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 3, 7), 1);
    ck_near(ecg_metrics_loss(m), -log(1e-7) / 2.0);
    ck_near(ecg_metrics_macro_f1(m), 0.5);
    ck_near(of_class(m, K - 1).auc, 1.0);
    ecg_metrics_free(m);
    free(p);
}
END_TEST

START_TEST(many_pictures)
{
    /* More than the first allocation holds, so that earlier pictures must survive growing. */
    ecg_metrics *m = metrics(2);
    for (uint32_t i = 0; i < 1000; i++) {
        const float hi = (float)(i + 1) / 1024.0f, p[2] = {hi, 1.0f - hi};
        ck_assert_int_eq(ecg_metrics_add(m, i < 700, p), ECG_OK);
    }
    /* Pictures 700 to 999 are of class 0 and have its highest scores; 0.5 is at i = 511. */
    ck_assert_double_eq(of_class(m, 0).auc, 1.0);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 0, 0), 300);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 1, 1), 511);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 1, 0), 189);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    ecg_metrics *m = NULL;
    ck_assert_int_eq(ecg_metrics_new(&m, 0), ECG_EINVAL);
    ck_assert_ptr_null(m);
    ck_assert_int_eq(ecg_metrics_new(&m, 65537), ECG_EINVAL);
    m = metrics(2);
    static const float bad[][2] = {{NAN, 1.0f},       {0.5f, NAN},      {-0.25f, 1.0f},
                                   {0.0f, 1.000001f}, {INFINITY, 0.0f}, {0.0f, -INFINITY}};
    static const float good[2] = {0.0f, 1.0f};
    ck_assert_int_eq(ecg_metrics_add(m, 2, good), ECG_EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(ecg_metrics_add(m, 0, bad[i]), ECG_ENUMERIC);
    ck_assert_uint_eq(ecg_metrics_count(m), 0);
    ck_assert_int_eq(ecg_metrics_add(m, 1, good), ECG_OK);
    ck_assert_double_eq(ecg_metrics_accuracy(m), 1.0);
    ck_assert_uint_eq(ecg_metrics_confusion(m, 2, 0), 0);
    ecg_class_metrics c;
    ck_assert_int_eq(ecg_metrics_class(m, 2, &c), ECG_EINVAL);
    ecg_metrics_free(m);
    ecg_metrics_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");
    tcase_add_test(t, by_hand);
    tcase_add_test(t, auc_is_the_share_of_ordered_pairs);
    tcase_add_test(t, auc_knows_its_ends);
    tcase_add_test(t, nothing_is_nan);
    tcase_add_test(t, empty_class);
    tcase_add_test(t, one_class);
    tcase_add_test(t, many_classes);
    tcase_add_test(t, many_pictures);
    tcase_add_test(t, bad_input_changes_nothing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
