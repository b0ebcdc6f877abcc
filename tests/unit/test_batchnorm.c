#include "unit.h"

#include "layer_run.h"

enum { GAMMA, BETA, MEAN, VARIANCE };

static void open_batch(layer_run *r, const char *text, ecg_shape in, size_t n, uint32_t shards)
{
    ecg_error err;
    ck_ok(layer_open(r, "batchnorm", text, in, n, shards, &err), err);
}

static void statistics(const layer_run *r, size_t c, double *mean, double *variance)
{
    const size_t channels = r->plan.in.c, all = r->n * r->plan.in_count;
    double sum = 0, square = 0, n = (double)(all / channels);
    for (size_t i = c; i < all; i += channels)
        sum += (double)r->x[i];
    *mean = sum / n;
    for (size_t i = c; i < all; i += channels)
        square += ((double)r->x[i] - *mean) * ((double)r->x[i] - *mean);
    *variance = square / n;
}

START_TEST(tensors)
{
    layer_run r;
    open_batch(&r, "", (ecg_shape){3, 4, 5}, 2, 1);
    ck_assert_uint_eq(r.plan.tensors, 4);
    for (uint32_t t = 0; t < 4; t++) {
        ck_assert_uint_eq(r.plan.tensor[t].count, 5);
        ck_assert(r.plan.tensor[t].trainable == (t == GAMMA || t == BETA));
        ck_assert(!r.plan.tensor[t].decays);
        ck_assert(fabsf(r.tensor[t][0] - (t == GAMMA || t == VARIANCE ? 1.0f : 0.0f)) <= 0.0f);
    }
    layer_close(&r);
}
END_TEST

/* As Keras: the running statistics keep `momentum` of themselves, the batch's variance is the biased one. */
START_TEST(running_statistics_move)
{
    layer_run r;
    open_batch(&r, "momentum=0.75", (ecg_shape){3, 4, 5}, 7, 4);
    layer_random(r.x, r.n * r.plan.in_count, 1);
    for (int step = 0; step < 2; step++) {
        double want_mean[5], want_variance[5];
        for (size_t c = 0; c < 5; c++) {
            double mean, variance;
            statistics(&r, c, &mean, &variance);
            want_mean[c] = 0.75 * (double)r.tensor[MEAN][c] + 0.25 * mean;
            want_variance[c] = 0.75 * (double)r.tensor[VARIANCE][c] + 0.25 * variance;
        }
        layer_forward(&r);
        for (size_t c = 0; c < 5; c++) {
            ck_assert(fabs((double)r.tensor[MEAN][c] - want_mean[c]) <= 1e-6);
            ck_assert(fabs((double)r.tensor[VARIANCE][c] - want_variance[c]) <= 1e-6);
        }
    }
    layer_close(&r);
}
END_TEST

/* Mean 10,000 and deviation 0.5: sums of squares in floats would know nothing of the variance. */
START_TEST(a_large_mean_does_not_hurt)
{
    layer_run r;
    open_batch(&r, "eps=1e-12", (ecg_shape){9, 11, 33}, 6, 5);
    const size_t n = r.n * r.plan.in_count;
    layer_random(r.x, n, 2);
    for (size_t i = 0; i < n; i++)
        r.x[i] += 10000.0f;
    layer_forward(&r);
    for (size_t c = 0; c < 33; c++) {
        double mean, variance;
        statistics(&r, c, &mean, &variance);
        for (size_t i = c; i < n; i += 33)
            ck_assert(fabs((double)r.y[i] - ((double)r.x[i] - mean) / sqrt(variance)) <= 2e-3);
    }
    layer_close(&r);
}
END_TEST

START_TEST(a_constant_input_gives_beta)
{
    layer_run r;
    open_batch(&r, "", (ecg_shape){1, 1, 3}, 1, 1);
    layer_random(r.x, 3, 3);
    layer_random(r.tensor[BETA], 3, 4);
    layer_forward(&r);
    for (size_t c = 0; c < 3; c++)
        ck_assert(fabsf(r.y[c] - r.tensor[BETA][c]) <= 0.0f);
    layer_random(r.dy, 3, 5);
    layer_backward(&r, true);
    for (size_t c = 0; c < 3; c++)
        ck_assert(fabsf(r.dx[c]) <= 1e-6f);
    layer_close(&r);
}
END_TEST

START_TEST(inference_uses_running_statistics)
{
    layer_run r;
    open_batch(&r, "eps=0.5", (ecg_shape){1, 1, 2}, 1, 1);
    r.x[0] = 5.0f, r.x[1] = -1.0f;
    r.tensor[GAMMA][0] = 2.0f, r.tensor[GAMMA][1] = 3.0f;
    r.tensor[BETA][0] = 1.0f, r.tensor[BETA][1] = -1.0f;
    r.tensor[MEAN][0] = 3.0f, r.tensor[MEAN][1] = 0.0f;
    r.tensor[VARIANCE][0] = 3.5f, r.tensor[VARIANCE][1] = 0.5f;
    layer_infer(&r, r.x, r.y, 1);
    ck_assert(fabsf(r.y[0] - 3.0f) <= 1e-6f); /* (5 - 3) / 2 * 2 + 1 */
    ck_assert(fabsf(r.y[1] + 4.0f) <= 1e-6f); /* -1 / 1 * 3 - 1 */
    layer_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("batchnorm");
    TCase *t = tcase_create("all");
    tcase_add_test(t, tensors);
    tcase_add_test(t, running_statistics_move);
    tcase_add_test(t, a_large_mean_does_not_hurt);
    tcase_add_test(t, a_constant_input_gives_beta);
    tcase_add_test(t, inference_uses_running_statistics);
    suite_add_tcase(s, t);
    return unit_run(s);
}
