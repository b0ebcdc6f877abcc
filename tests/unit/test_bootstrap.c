#include <math.h>

#include "base/rng.h"
#include "ecgcnn/eval.h"
#include "unit.h"

/* n pictures of two classes, `right` of ten of them right; ten pictures of a patient, where patients are
 * wanted. */
static ecg_metrics *make(size_t n, uint32_t right, int patients)
{
    ecg_metrics *m;
    ck_assert_int_eq(ecg_metrics_new(&m, 2), ECG_OK);
    for (size_t i = 0; i < n; i++) {
        const uint32_t truth = i % 2, hit = (i / 10 * 7 + 3) % 10 < right;
        const float top = 0.6f + 0.001f * (float)(i % 300),
                    p[2] = {truth ^ hit ? top : 1 - top, truth ^ hit ? 1 - top : top};
        char name[32];
        snprintf(name, sizeof name, "p%zu", i / 10);
        ck_assert_int_eq(ecg_metrics_add_patient(m, truth, p, patients ? name : NULL), ECG_OK);
    }
    return m;
}

static ecg_bootstrap boot(const ecg_metrics *m, const ecg_bootstrap_options *o, ecg_class_metrics *low,
                          ecg_class_metrics *high)
{
    ecg_bootstrap b;
    ecg_error err = {0};
    ck_ok(ecg_metrics_bootstrap(m, o, &b, low, high, &err), err);
    return b;
}

START_TEST(as_the_binomial_says)
{
    ecg_metrics *m = make(2000, 8, 0);
    ecg_class_metrics low[2], high[2];
    ecg_bootstrap_options o = ECG_BOOTSTRAP_OPTIONS_INIT;
    o.replicates = 4000;
    const ecg_bootstrap b = boot(m, &o, low, high);
    const double p = ecg_metrics_accuracy(m), sd = sqrt(p * (1 - p) / 2000);
    ck_assert_uint_eq(b.by_patient, 0);
    ck_assert_uint_eq(b.units, 2000);
    ck_assert_uint_eq(b.replicates, 4000);
    ck_assert_double_eq_tol(b.low.accuracy, p - 1.96 * sd, 0.15 * sd);
    ck_assert_double_eq_tol(b.high.accuracy, p + 1.96 * sd, 0.15 * sd);
    for (int k = 0; k < 2; k++) {
        ecg_class_metrics c;
        ck_assert_int_eq(ecg_metrics_class(m, (uint32_t)k, &c), ECG_OK);
        ck_assert_uint_eq(low[k].support, 1000);
        const double class_sd = sqrt(c.sensitivity * (1 - c.sensitivity) / 1000);
        ck_assert_double_eq_tol(low[k].sensitivity, c.sensitivity - 1.96 * class_sd, 0.2 * class_sd);
        ck_assert(low[k].auc < c.auc && c.auc < high[k].auc && high[k].auc - low[k].auc < 0.1);
        ck_assert(low[k].f1 < c.f1 && c.f1 < high[k].f1);
        ck_assert(low[k].pr_auc < c.pr_auc && c.pr_auc < high[k].pr_auc);
    }
    ecg_figures f;
    ck_assert_int_eq(ecg_metrics_figures(m, &f), ECG_OK);
    ck_assert(b.low.kappa < f.kappa && f.kappa < b.high.kappa);
    ck_assert(b.low.brier < f.brier && f.brier < b.high.brier);
    ck_assert(b.low.loss < f.loss && f.loss < b.high.loss);
    ck_assert_double_nan(b.low.j_kappa);
    o.level = 0.5;
    const ecg_bootstrap half = boot(m, &o, NULL, NULL);
    ck_assert(half.low.accuracy > b.low.accuracy && half.high.accuracy < b.high.accuracy);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(whole_patients_are_drawn)
{
    /* A patient's pictures are all right or all wrong: the interval is that of 100 things, not of 1000. */
    ecg_metrics *m = make(1000, 8, 1);
    const ecg_bootstrap b = boot(m, NULL, NULL, NULL);
    ck_assert_uint_eq(b.by_patient, 1);
    ck_assert_uint_eq(b.units, 100);
    ecg_bootstrap_options o = ECG_BOOTSTRAP_OPTIONS_INIT;
    o.pictures = 1;
    const ecg_bootstrap single = boot(m, &o, NULL, NULL);
    ck_assert_uint_eq(single.by_patient, 0);
    const double wide = b.high.accuracy - b.low.accuracy, narrow = single.high.accuracy - single.low.accuracy;
    ck_assert_double_eq_tol(wide / narrow, sqrt(10.0), 0.6);
    /* One picture without a patient, and patients are no longer known. */
    static const float p[2] = {1.0f, 0.0f};
    ck_assert_int_eq(ecg_metrics_add_patient(m, 0, p, ""), ECG_OK);
    ck_assert_uint_eq(boot(m, NULL, NULL, NULL).by_patient, 0);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(threads_and_seeds)
{
    ecg_metrics *m = make(500, 7, 1);
    ecg_class_metrics low[2][2], high[2][2];
    ecg_bootstrap_options o = ECG_BOOTSTRAP_OPTIONS_INIT;
    o.threads = 1;
    const ecg_bootstrap one = boot(m, &o, low[0], high[0]);
    o.threads = 5;
    const ecg_bootstrap five = boot(m, &o, low[1], high[1]);
    ck_assert_mem_eq(&one.low.accuracy, &five.low.accuracy, sizeof(double) * 14);
    ck_assert_mem_eq(&one.high.accuracy, &five.high.accuracy, sizeof(double) * 14);
    ck_assert_mem_eq(low[0], low[1], sizeof low[0]);
    o.seed = 1;
    const ecg_bootstrap other = boot(m, &o, NULL, NULL);
    ck_assert(other.low.loss < one.low.loss || other.low.loss > one.low.loss);
    ecg_metrics_free(m);
}
END_TEST

START_TEST(what_is_refused)
{
    ecg_metrics *m = make(10, 7, 0), *none, *many;
    ecg_bootstrap b;
    ecg_error err;
    ecg_bootstrap_options o = ECG_BOOTSTRAP_OPTIONS_INIT;
    ck_assert_int_eq(ecg_metrics_new(&none, 2), ECG_OK);
    ck_assert_int_eq(ecg_metrics_new(&many, 1025), ECG_OK);
    ck_fails(ecg_metrics_bootstrap(none, NULL, &b, NULL, NULL, &err), err, ECG_EINVAL, "no pictures");
    float *p = calloc(1025, sizeof *p);
    ck_assert_int_eq(ecg_metrics_add(many, 7, p), ECG_OK);
    ck_fails(ecg_metrics_bootstrap(many, NULL, &b, NULL, NULL, &err), err, ECG_ELIMIT, "1025 classes");
    o.level = 1.0;
    ck_fails(ecg_metrics_bootstrap(m, &o, &b, NULL, NULL, &err), err, ECG_EINVAL, "level 1");
    o.level = (double)NAN;
    ck_fails(ecg_metrics_bootstrap(m, &o, &b, NULL, NULL, &err), err, ECG_EINVAL, "level");
    o.level = 0.9;
    o.replicates = 100001;
    ck_fails(ecg_metrics_bootstrap(m, &o, &b, NULL, NULL, &err), err, ECG_EINVAL, "100001");
    free(p);
    ecg_metrics_free(m);
    ecg_metrics_free(none);
    ecg_metrics_free(many);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bootstrap");
    TCase *t = tcase_create("bootstrap");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, as_the_binomial_says);
    tcase_add_test(t, whole_patients_are_drawn);
    tcase_add_test(t, threads_and_seeds);
    tcase_add_test(t, what_is_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
