/* Learning standardisation from a loader: what comes out of the source afterwards has the statistics asked
 * for. */
#include "unit/unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ecgcnn/data.h"
#include "ecgcnn/standardize.h"

enum { H = 3, W = 4, N = 40, D = H * W * 3 };

static ecg_dataset *dataset;
static ecg_loader *loader;

static void setup(void)
{
    ecg_error e;
    char path[1100];
    const char *root = unit_tmp("pictures");
    mkdir(root, 0777);
    ecg__rng r = ecg__rng_at(3, ECG__RNG_SYNTH, 0, 0);
    for (int i = 0; i < N; i++) {
        uint8_t px[D];
        for (int k = 0; k < D; k++)
            px[k] = (uint8_t)(ecg__rng_below(&r, 100) + 40u * (unsigned)(k % 3));
        const ecg_image img = {px, W, H, 3, W * 3};
        snprintf(path, sizeof path, "%s/%s", root, i % 2 ? "a" : "b");
        mkdir(path, 0777);
        snprintf(path, sizeof path, "%s/%s/%02d.png", root, i % 2 ? "a" : "b", i);
        ck_ok(ecg_image_save_png(&img, path, &e), e);
    }
    ck_ok(ecg_dataset_open(&dataset, root, NULL, &e), e);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = H;
    p.w = W;
    p.color = ECG_COLOR_RGB;
    ck_ok(ecg_loader_new(&loader, dataset, NULL, 0, &p, NULL, &e), e);
    ck_assert_uint_eq(ecg_loader_count(loader), N);
}

static void teardown(void)
{
    ecg_loader_free(loader);
    ecg_dataset_free(dataset);
}

static void values(float x[N][D])
{
    ecg_error e;
    const ecg_source s = ecg_loader_source(loader);
    uint32_t label;
    for (size_t i = 0; i < N; i++)
        ck_ok(s.fetch(s.ctx, 1, i, x[i], &label, &e), e);
}

/* Mean and deviation over every `step`-th of n values from x. */
static void moments(const float *x, size_t n, size_t step, double *mean, double *deviation)
{
    double sum = 0, square = 0, count = 0;
    for (size_t i = 0; i < n; i += step)
        sum += (double)x[i], count++;
    *mean = sum / count;
    for (size_t i = 0; i < n; i += step)
        square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *deviation = sqrt(square / count);
}

static void use(const ecg_standardize_fit_options *o, float *matrix)
{
    ecg_error e;
    ecg_preprocess p;
    ck_ok(ecg_loader_fit(loader, o, matrix, &p, &e), e);
    ck_ok(ecg_loader_preprocess(loader, &p, &e), e);
}

START_TEST(featurewise_statistics_become_zero_and_one)
{
    static float x[N][D];
    ecg_standardize_fit_options o = ECG_STANDARDIZE_FIT_OPTIONS_INIT;
    for (uint32_t own = 0; own < 2; own++) {
        o.featurewise_center = o.featurewise_std = 1;
        o.samplewise_center = own;
        use(&o, NULL);
        values(x);
        for (size_t k = 0; k < 3; k++) {
            double mean, deviation;
            moments(&x[0][k], N * D - k, 3, &mean, &deviation);
            ck_assert_double_eq_tol(mean, 0, 1e-4);
            ck_assert_double_eq_tol(deviation, 1, 1e-3);
        }
    }
    o.featurewise_std = 0;
    use(&o, NULL);
    values(x);
    double mean, deviation;
    moments(&x[0][0], N * D, 3, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 0, 1e-4);
    ck_assert_double_lt(deviation, 0.5);
}
END_TEST

START_TEST(samplewise_statistics_become_zero_and_one)
{
    static float x[N][D];
    ecg_standardize_fit_options o = ECG_STANDARDIZE_FIT_OPTIONS_INIT;
    o.samplewise_std = 1;
    use(&o, NULL);
    values(x);
    for (size_t i = 0; i < N; i++) {
        double mean, deviation;
        moments(x[i], D, 1, &mean, &deviation);
        ck_assert_double_eq_tol(mean, 0, 1e-4);
        ck_assert_double_eq_tol(deviation, 1, 1e-3);
    }
}
END_TEST

START_TEST(whitened_values_are_uncorrelated)
{
    static float x[N][D], matrix[D * D];
    ecg_standardize_fit_options o = ECG_STANDARDIZE_FIT_OPTIONS_INIT;
    o.zca = 1;
    o.zca_epsilon = 1e-9;
    use(&o, matrix);
    values(x);
    for (size_t a = 0; a < D; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += (double)x[i][a] * (double)x[i][b];
            /* N = 40 pictures of 36 values: the mean is that of a channel, so a little remains. */
            ck_assert_double_eq_tol(sum / N, a == b, 0.02);
        }
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    ecg_error e;
    ecg_preprocess p;
    ecg_standardize_fit_options o = ECG_STANDARDIZE_FIT_OPTIONS_INIT;
    o.zca = 1;
    ck_fails(ecg_loader_fit(loader, &o, NULL, &p, &e), e, ECG_EINVAL, "matrix");
    static float matrix[D * D];
    o.most = D; /* no more pictures than values: rounding noise */
    ck_assert_int_eq(ecg_loader_fit(loader, &o, matrix, &p, &e), ECG_EINVAL);
    ecg_preprocess other = ECG_PREPROCESS_INIT;
    ck_fails(ecg_loader_preprocess(loader, &other, &e), e, ECG_EINVAL, "3x4x3");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("standardizing");
    TCase *t = tcase_create("standardizing");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, featurewise_statistics_become_zero_and_one);
    tcase_add_test(t, samplewise_statistics_become_zero_and_one);
    tcase_add_test(t, whitened_values_are_uncorrelated);
    tcase_add_test(t, what_cannot_be_is_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
