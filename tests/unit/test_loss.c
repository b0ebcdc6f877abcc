#include "train/loss.h"

#include <math.h>

#include "unit.h"

enum { N = 7, C = 6 };

/* Values in about +-3 that repeat for no small stride. */
static void fill(float *z, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        z[i] = (float)(seed >> 8) * (6.0f / 16777216.0f) - 3.0f;
    }
}

/* The formula as it stands in a textbook, for logits that are small enough. */
static double naive(const struct ecg__loss_args *a, const double *z, const uint32_t *y, size_t n)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0, loss = 0.0;
        for (uint32_t k = 0; k < a->classes; k++)
            sum += exp(z[i * a->classes + k]);
        for (uint32_t k = 0; k < a->classes; k++) {
            const double target = (k == y[i] ? 1.0 - (double)a->smoothing : 0.0) +
                                  (double)a->smoothing / a->classes;
            loss -= target * log(exp(z[i * a->classes + k]) / sum);
        }
        total += loss * (a->class_weight ? (double)a->class_weight[y[i]] : 1.0);
    }
    return total;
}

static const uint32_t labels[N] = {2, 0, 5, 1, 1, 3, 4};
static const float weights[C] = {1.0f, 2.0f, 0.5f, 3.0f, 0.0f, 0.25f};

static const struct ecg__loss_args variants[] = {
    {C, 0.0f, NULL},
    {C, 0.1f, NULL},
    {C, 0.0f, weights},
    {C, 0.3f, weights},
};

START_TEST(test_value_and_gradient)
{
    const struct ecg__loss_args a = variants[_i];
    float z[N * C], d[N * C], p[N * C];
    double wide[N * C];
    fill(z, N * C, 7);
    for (int i = 0; i < N * C; i++)
        wide[i] = (double)z[i];
    uint32_t correct = 100, right = 0;
    const double loss = ecg__cross_entropy(&a, z, labels, N, 0.25, d, p, &correct);
    ck_assert_double_eq_tol(loss, naive(&a, wide, labels, N), 1e-12 * N * C);
    for (int i = 0; i < N * C; i++) {
        const double h = 1e-4, at = wide[i];
        wide[i] = at + h;
        const double up = naive(&a, wide, labels, N);
        wide[i] = at - h;
        const double down = naive(&a, wide, labels, N);
        wide[i] = at;
        ck_assert_double_eq_tol((double)d[i], 0.25 * (up - down) / (2.0 * h), 1e-7);
    }
    for (int i = 0; i < N; i++) {
        double sum = 0.0;
        int top = 0;
        for (int k = 0; k < C; k++) {
            sum += (double)p[i * C + k];
            top = p[i * C + k] > p[i * C + top] ? k : top;
        }
        ck_assert_double_eq_tol(sum, 1.0, 1e-6);
        right += (uint32_t)top == labels[i];
    }
    ck_assert_uint_eq(correct, 100 + right);
}
END_TEST

/* The same bits whatever is asked for beside the loss, and with the gradient over the logits. */
START_TEST(test_outputs_are_optional)
{
    const struct ecg__loss_args a = variants[_i];
    float z[N * C], d[N * C], p[N * C], alone[N * C];
    fill(z, N * C, 99);
    const double loss = ecg__cross_entropy(&a, z, labels, N, 1.0 / N, d, p, NULL);
    ck_assert(ecg__cross_entropy(&a, z, labels, N, 5.0, NULL, NULL, NULL) == loss);
    ecg__cross_entropy(&a, z, labels, N, 1.0, NULL, alone, NULL);
    ck_assert_mem_eq(alone, p, sizeof p);
    ck_assert(ecg__cross_entropy(&a, z, labels, N, 1.0 / N, z, NULL, NULL) == loss);
    ck_assert_mem_eq(z, d, sizeof d);
    ck_assert(ecg__cross_entropy(&a, z, labels, 0, 1.0, d, p, NULL) == 0.0);
}
END_TEST

START_TEST(test_extreme_logits)
{
    const float z[4][3] = {
        {1e4f, -1e4f, 0.0f}, {-1e4f, 1e4f, 1e4f}, {-1e30f, 0.0f, -INFINITY}, {88.8f, 0, -88.8f}};
    const uint32_t y[4] = {0, 0, 1, 0};
    const double want[4] = {0.0, 2e4 + log(2.0), 0.0, 0.0};
    const struct ecg__loss_args a = {3, 0.0f, NULL};
    for (int i = 0; i < 4; i++) {
        float d[3], p[3];
        ck_assert_double_eq_tol(ecg__cross_entropy(&a, z[i], &y[i], 1, 1.0, d, p, NULL), want[i], 1e-9);
        for (int k = 0; k < 3; k++) {
            ck_assert(p[k] >= 0.0f && p[k] <= 1.0f);
            ck_assert_double_eq_tol((double)d[k], (double)p[k] - ((uint32_t)k == y[i]), 1e-7);
        }
    }
    const struct ecg__loss_args smooth = {3, 0.3f, NULL};
    const double loss = ecg__cross_entropy(&smooth, z[0], y, 1, 1.0, NULL, NULL, NULL);
    ck_assert_double_eq_tol(loss, (double)0.3f / 3.0 * 3e4,
                            1e-9); /* third of smoothing on 1e4 and 2e4 below */
}
END_TEST

START_TEST(test_small_gradients_do_not_cancel)
{
    const float z[2] = {30.0f, 0.0f};
    const uint32_t y = 0;
    float d[2];
    const struct ecg__loss_args a = {2, 0.0f, NULL};
    const double loss = ecg__cross_entropy(&a, z, &y, 1, 1.0, d, NULL, NULL), e = exp(-30.0);
    ck_assert_double_eq_tol(loss / e, 1.0, 2e-3); /* log(1 + e) in double keeps three digits of e = 1e-13 */
    ck_assert_double_eq_tol((double)d[1] / e, 1.0, 1e-6);
    ck_assert_double_eq_tol((double)d[0] / -e, 1.0, 2e-3);
}
END_TEST

START_TEST(test_not_finite_shows)
{
    const struct ecg__loss_args a = {3, 0.0f, NULL};
    const uint32_t y[2] = {1, 1};
    float z[6] = {0, 1, 2, 0, 1, 2};
    const float bad[2] = {NAN, INFINITY};
    for (int i = 0; i < 6; i++)
        for (int b = 0; b < 2; b++) {
            const float kept = z[i];
            z[i] = bad[b];
            ck_assert(!isfinite(ecg__cross_entropy(&a, z, y, 2, 1.0, NULL, NULL, NULL)));
            z[i] = kept;
        }
}
END_TEST

START_TEST(test_first_of_equals_is_predicted)
{
    const struct ecg__loss_args a = {3, 0.0f, NULL};
    const float z[9] = {1, 1, 0, 1, 1, 0, 0, 1, 1};
    const uint32_t y[3] = {0, 1, 1};
    uint32_t correct = 0;
    ecg__cross_entropy(&a, z, y, 3, 1.0, NULL, NULL, &correct);
    ck_assert_uint_eq(correct, 2);
}
END_TEST

/* With both, the label's weight multiplies the whole smoothed loss. */
START_TEST(test_weight_multiplies_smoothed_loss)
{
    float z[C], plain[C], weighted[C];
    fill(z, C, 3);
    for (uint32_t y = 0; y < C; y++) {
        const double a = ecg__cross_entropy(&variants[1], z, &y, 1, 1.0, plain, NULL, NULL);
        const struct ecg__loss_args both = {C, 0.1f, weights};
        ck_assert_double_eq_tol(ecg__cross_entropy(&both, z, &y, 1, 1.0, weighted, NULL, NULL),
                                (double)weights[y] * a, 1e-14);
        for (int k = 0; k < C; k++)
            ck_assert_double_eq_tol((double)weighted[k], (double)weights[y] * (double)plain[k], 3e-7);
    }
}
END_TEST

/* Reference vectors that were made with PyTorch; not shipped. */
static size_t golden(const char *name, float *out, size_t n)
{
    const char *shared = getenv("ECG_SHARED");
    char path[1024];
    snprintf(path, sizeof path, "%s/golden/nn/%s.f32", shared ? shared : "", name);
    FILE *f = shared ? fopen(path, "rb") : NULL;
    if (!f) {
        printf("SKIP: no %s.f32, ECG_SHARED names the folder of golden/nn\n", name);
        return 0;
    }
    const size_t got = fread(out, sizeof *out, n, f);
    fclose(f);
    return got;
}

START_TEST(test_golden)
{
    static const char *const names[] = {"ce", "ce_smooth", "ce_weighted"};
    const float class_weight[C] = {1.0f, 2.0f, 0.5f, 3.0f, 1.0f, 0.25f};
    const uint32_t y[C] = {2, 0, 5, 1, 1, 3};
    const struct ecg__loss_args a = {C, _i == 1 ? 0.1f : 0.0f, _i == 2 ? class_weight : NULL};
    char file[64];
    float z[C * C], want[C * C], loss[1], d[C * C];
    snprintf(file, sizeof file, "%s.logits", names[_i]);
    if (golden(file, z, C * C) == 0)
        return;
    snprintf(file, sizeof file, "%s.dlogits", names[_i]);
    ck_assert_uint_eq(golden(file, want, C * C), C * C);
    snprintf(file, sizeof file, "%s.loss", names[_i]);
    ck_assert_uint_eq(golden(file, loss, 1), 1);
    double sum = 0.0;
    for (int i = 0; i < C; i++)
        sum += a.class_weight ? (double)a.class_weight[y[i]] : 1.0;
    const double got = ecg__cross_entropy(&a, z, y, C, 1.0 / sum, d, NULL, NULL) / sum;
    ck_assert_double_eq_tol(got, (double)loss[0], 1e-6 * got);
    for (int i = 0; i < C * C; i++)
        ck_assert_double_eq_tol((double)d[i], (double)want[i], 2e-8);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loss");
    TCase *t = tcase_create("loss");
    tcase_add_loop_test(t, test_value_and_gradient, 0, 4);
    tcase_add_loop_test(t, test_outputs_are_optional, 0, 4);
    tcase_add_test(t, test_extreme_logits);
    tcase_add_test(t, test_small_gradients_do_not_cancel);
    tcase_add_test(t, test_not_finite_shows);
    tcase_add_test(t, test_first_of_equals_is_predicted);
    tcase_add_test(t, test_weight_multiplies_smoothed_loss);
    tcase_add_loop_test(t, test_golden, 0, 3);
    suite_add_tcase(s, t);
    return unit_run(s);
}
