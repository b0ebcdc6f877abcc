#include "ecgcnn/eval.h"

#include <math.h>

#include "base/rng.h"
#include "eval/groups.h"
#include "unit.h"

#define ck_near(a, b) ck_assert_double_eq_tol(a, b, 1e-12)

static ecg_metrics *metrics(uint32_t classes)
{
    ecg_metrics *m = NULL;
    ck_assert_int_eq(ecg_metrics_new(&m, classes), ECG_OK);
    return m;
}

/* Ten pictures of three classes, as in test_metrics.c: confusion 3 1 0 / 1 2 1 / 0 0 2. */
static ecg_metrics *ten(void)
{
    static const struct {
        uint32_t truth;
        float p[3];
    } rows[] = {
        {0, {0.75f, 0.125f, 0.125f}}, {0, {0.5f, 0.25f, 0.25f}},    {0, {0.5f, 0.5f, 0.0f}},
        {0, {0.25f, 0.5f, 0.25f}},    {1, {0.5f, 0.25f, 0.25f}},    {1, {0.0f, 1.0f, 0.0f}},
        {1, {0.25f, 0.75f, 0.0f}},    {1, {0.125f, 0.125f, 0.75f}}, {2, {0.25f, 0.25f, 0.5f}},
        {2, {0.0f, 0.0f, 1.0f}},
    };
    ecg_metrics *m = metrics(3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_int_eq(ecg_metrics_add(m, rows[i].truth, rows[i].p), ECG_OK);
    return m;
}

START_TEST(by_hand)
{
    ecg_metrics *m = ten();
    ecg_figures f;
    ck_assert_int_eq(ecg_metrics_figures(m, &f), ECG_OK);
    ck_near(f.accuracy, 0.7);
    ck_near(f.balanced_accuracy, (0.75 + 0.5 + 1.0) / 3.0);
    ck_near(f.macro.sensitivity, f.balanced_accuracy);
    ck_near(f.macro.ppv, (0.75 + 2.0 / 3.0 + 2.0 / 3.0) / 3.0);
    ck_near(f.weighted.ppv, (4 * 0.75 + 4 * 2.0 / 3.0 + 2 * 2.0 / 3.0) / 10.0);
    ck_near(f.weighted.sensitivity, 0.7);
    ck_near(f.macro.specificity, (5.0 / 6.0 + 5.0 / 6.0 + 7.0 / 8.0) / 3.0);
    ck_near(f.macro.f1, ecg_metrics_macro_f1(m));
    ck_near(f.macro.f1, (6.0 / 8.0 + 4.0 / 7.0 + 4.0 / 5.0) / 3.0);
    /* Chance: (4*4 + 4*3 + 2*3) / 100. */
    ck_near(f.kappa, (0.7 - 0.34) / (1.0 - 0.34));
    ck_near(f.loss, ecg_metrics_loss(m));
    ck_assert_double_nan(f.j_index);
    ck_assert_double_nan(f.j_kappa);
    ecg_metrics_j(m, 1, 2);
    ck_assert_int_eq(ecg_metrics_figures(m, &f), ECG_OK);
    ck_near(f.j_index, 0.5 + 2.0 / 3.0 + 1.0 + 2.0 / 3.0);
    ck_near(f.j_kappa, f.kappa / 2.0 + f.j_index / 8.0);
    /* Brier of each picture: .09375 .375 .5 .875 .875 0 .125 1.34375 .375 0. */
    ck_near(f.brier, (0.09375 + 0.375 + 0.5 + 0.875 + 0.875 + 0.0 + 0.125 + 1.34375 + 0.375 + 0.0) / 10.0);
    /* Bins of 15: five of 0.5 (three right), two of 1 (both), three of 0.75 (two). */
    ck_near(f.ece, (fabs(3 - 5 * 0.5) + 0.0 + fabs(2 - 3 * 0.75)) / 10.0);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(average_precision_by_hand)
{
    /* Scores of class 0, highest first: + - (+ -) -: recall 1/2 at 1, then 1 at 2/4. */
    static const float p[5] = {0.9f, 0.8f, 0.5f, 0.5f, 0.1f};
    static const uint32_t truth[5] = {0, 1, 0, 1, 1};
    ecg_metrics *m = metrics(2);
    for (size_t i = 0; i < 5; i++) {
        const float row[2] = {p[i], 1.0f - p[i]};
        ck_assert_int_eq(ecg_metrics_add(m, truth[i], row), ECG_OK);
    }
    ecg_class_metrics c;
    ck_assert_int_eq(ecg_metrics_class(m, 0, &c), ECG_OK);
    ck_near(c.pr_auc, 0.5 * 1.0 + 0.5 * 0.5);
    ck_near(c.auc, (3.0 + 1.5) / 6.0);
    ecg_curve v;
    ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_PR, 0, &v), ECG_OK);
    ck_assert_uint_eq(v.count, 5);
    ck_near(v.point[0].y, 1.0);
    ck_assert(isinf(v.point[0].threshold));
    ck_near(v.point[3].x, 1.0);
    ck_near(v.point[3].y, 0.5);
    ck_near(v.point[3].threshold, 0.5);
    ecg_curve_free(&v);
    ecg_metrics_free(m);
}
END_TEST

/* The area below the ROC curve's points is the AUC, and the steps of the PR curve are the average precision.
 */
START_TEST(curves_hold_the_areas)
{
    ecg_metrics *m = metrics(4);
    ecg__rng r = ecg__rng_at(3, ECG__RNG_SYNTH, 0, 0);
    for (int i = 0; i < 500; i++) {
        float p[4];
        for (int k = 0; k < 4; k++)
            p[k] = (float)ecg__rng_below(&r, 17) / 16.0f;
        ck_assert_int_eq(ecg_metrics_add(m, ecg__rng_below(&r, 4), p), ECG_OK);
    }
    for (uint32_t k = 0; k < 4; k++) {
        ecg_class_metrics c;
        ecg_curve roc, pr;
        ck_assert_int_eq(ecg_metrics_class(m, k, &c), ECG_OK);
        ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_ROC, k, &roc), ECG_OK);
        ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_PR, k, &pr), ECG_OK);
        ck_assert_uint_eq(roc.count, 18);
        double area = 0.0, precision = 0.0;
        for (size_t i = 1; i < roc.count; i++) {
            area += (roc.point[i].x - roc.point[i - 1].x) * (roc.point[i].y + roc.point[i - 1].y) / 2.0;
            precision += (pr.point[i].x - pr.point[i - 1].x) * pr.point[i].y;
            ck_assert(roc.point[i].threshold < roc.point[i - 1].threshold);
        }
        ck_near(area, c.auc);
        ck_near(precision, c.pr_auc);
        ck_near(roc.point[17].x, 1.0);
        ck_near(roc.point[17].y, 1.0);
        ecg_curve_free(&roc);
        ecg_curve_free(&pr);
    }
    ecg_metrics_free(m);
}
END_TEST

START_TEST(risk_and_reliability)
{
    ecg_metrics *m = ten();
    ecg_curve v;
    ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_RISK, 99, &v), ECG_OK);
    ck_assert_uint_eq(v.count, 4); /* nothing, 1, 0.75, 0.5 */
    ck_near(v.point[0].x, 0.0);
    ck_near(v.point[1].x, 0.2);
    ck_near(v.point[1].y, 0.0);
    ck_near(v.point[2].x, 0.5);
    ck_near(v.point[2].y, 0.2);
    ck_near(v.point[3].x, 1.0);
    ck_near(v.point[3].y, 0.3);
    ck_near(v.point[3].threshold, 0.5);
    ecg_curve_free(&v);
    ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_ROC, 3, &v), ECG_EINVAL);
    ck_assert_int_eq(ecg_metrics_curve(m, (ecg_curve_kind)3, 0, &v), ECG_EINVAL);
    ecg_reliability_bin bin[4];
    ecg_metrics_reliability(m, 4, bin);
    /* Upper ends belong to a bin: 0.5 to the second of four, 0.75 to the third. */
    ck_assert_uint_eq(bin[0].count, 0);
    ck_assert_double_nan(bin[0].accuracy);
    ck_assert_uint_eq(bin[1].count, 5);
    ck_near(bin[1].accuracy, 0.6);
    ck_near(bin[1].confidence, 0.5);
    ck_assert_uint_eq(bin[2].count, 3);
    ck_near(bin[2].accuracy, 2.0 / 3.0);
    ck_assert_uint_eq(bin[3].count, 2);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(nothing_and_one_class)
{
    ecg_metrics *m = metrics(2);
    ecg_figures f;
    ecg_curve v;
    ck_assert_int_eq(ecg_metrics_figures(m, &f), ECG_OK);
    ck_assert_double_nan(f.accuracy);
    ck_assert_double_nan(f.kappa);
    ck_assert_double_nan(f.macro.f1);
    ck_assert_double_nan(f.brier);
    ck_assert_double_nan(f.ece);
    ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_RISK, 0, &v), ECG_OK);
    ck_assert_uint_eq(v.count, 0);
    static const float p[2] = {0.75f, 0.25f};
    ck_assert_int_eq(ecg_metrics_add(m, 0, p), ECG_OK);
    ck_assert_int_eq(ecg_metrics_figures(m, &f), ECG_OK);
    ck_near(f.accuracy, 1.0);
    ck_assert_double_nan(f.kappa); /* chance is certain, too */
    ck_assert_double_nan(f.macro.auc);
    ck_assert_int_eq(ecg_metrics_curve(m, ECG_CURVE_ROC, 0, &v), ECG_OK);
    ck_assert_uint_eq(v.count, 0);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(patients_are_kept)
{
    ecg_metrics *m = metrics(2);
    static const float p[2] = {0.75f, 0.25f};
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "p%d", i % 300);
        ck_assert_int_eq(ecg_metrics_add_patient(m, 1, p, i % 7 ? name : NULL), ECG_OK);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        const ecg_metrics_case c = ecg_metrics_at(m, i);
        snprintf(name, sizeof name, "p%d", (int)i % 300);
        ck_assert_uint_eq(c.truth, 1);
        ck_assert_uint_eq(c.predicted, 0);
        ck_assert_double_eq((double)c.probs[0], 0.75);
        if (i % 7)
            ck_assert_str_eq(c.patient, name);
        else
            ck_assert_ptr_null(c.patient);
    }
    ecg_metrics_free(m);
    ecg__groups g = {0};
    ck_assert_uint_eq(ecg__groups_find(&g, "a"), ECG__NO_GROUP);
    ck_assert_uint_eq(ecg__groups_add(&g, "a"), 0);
    ck_assert_uint_eq(ecg__groups_add(&g, "b"), 1);
    ck_assert_uint_eq(ecg__groups_add(&g, "a"), 0);
    ck_assert_uint_eq(ecg__groups_find(&g, "b"), 1);
    ck_assert_uint_eq(g.count, 2);
    ecg__groups_free(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("figures");
    TCase *t = tcase_create("figures");
    tcase_add_test(t, by_hand);
    tcase_add_test(t, average_precision_by_hand);
    tcase_add_test(t, curves_hold_the_areas);
    tcase_add_test(t, risk_and_reliability);
    tcase_add_test(t, nothing_and_one_class);
    tcase_add_test(t, patients_are_kept);
    suite_add_tcase(s, t);
    return unit_run(s);
}
