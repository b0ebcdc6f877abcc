#include "data/balance.h"

#include "unit.h"

/* A permutation for every size, and another one for another seed, epoch and stream. */
START_TEST(test_permutation)
{
    enum { MOST = 1000 };
    for (uint32_t n = 1; n <= MOST; n += n < 70 ? 1 : 93) {
        uint8_t seen[MOST] = {0};
        uint32_t moved[3] = {0}, fixed = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t v = ecg__permuted(7, 3, 1, n, i);
            ck_assert_uint_lt(v, n);
            ck_assert_uint_eq(seen[v], 0);
            seen[v] = 1;
            fixed += v == i;
            moved[0] += v != ecg__permuted(8, 3, 1, n, i);
            moved[1] += v != ecg__permuted(7, 4, 1, n, i);
            moved[2] += v != ecg__permuted(7, 3, 2, n, i);
        }
        if (n >= 64) {
            ck_assert_uint_lt(fixed, 10);
            for (int k = 0; k < 3; k++)
                ck_assert_uint_gt(moved[k], n - 10);
        }
    }
}
END_TEST

/* Every element comes to every place equally often. */
START_TEST(test_uniform)
{
    enum { N = 9, TURNS = 9000 };
    unsigned hits[N][N] = {{0}};
    for (uint64_t epoch = 1; epoch <= TURNS; epoch++)
        for (uint32_t i = 0; i < N; i++)
            hits[i][ecg__permuted(1, epoch, 0, N, i)]++;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) /* mean 1000, deviation 30 */
            ck_assert_msg(hits[i][k] > 870 && hits[i][k] < 1130, "%d to %d: %u", i, k, hits[i][k]);
}
END_TEST

START_TEST(test_large)
{
    for (uint64_t n = 1; n <= (uint64_t)1 << 32; n = n * 3 + 1)
        ck_assert(ecg__permuted(1, UINT64_MAX, UINT64_MAX, n, (uint32_t)(n - 1)) < n);
    (void)ecg__permuted(1, 1, 1, (uint64_t)1 << 32, UINT32_MAX); /* any value will do */
}
END_TEST

START_TEST(test_pick)
{
    static const uint32_t label[] = {2, 0, 2, 2, 0, 2};
    struct ecg__balance b;
    ecg_error err;
    ck_ok(ecg__balance_init(&b, label, 6, 4, &err), err);
    ck_assert_uint_eq(b.classes, 2);
    for (uint64_t epoch = 1; epoch < 50; epoch++) {
        unsigned seen[6] = {0};
        for (size_t i = 0; i < 8; i++) {
            const size_t k = ecg__balance_pick(&b, 3, epoch, i);
            ck_assert_uint_lt(k, 6);
            ck_assert_uint_eq(label[k], i % 2 ? 2 : 0);
            seen[k]++;
        }
        for (int k = 0; k < 6; k++)
            ck_assert_uint_eq(seen[k], label[k] == 0 ? 2 : 1);
    }
    ecg__balance_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("balance");
    TCase *t = tcase_create("balance");
    tcase_add_test(t, test_permutation);
    tcase_add_test(t, test_uniform);
    tcase_add_test(t, test_large);
    tcase_add_test(t, test_pick);
    suite_add_tcase(s, t);
    return unit_run(s);
}
