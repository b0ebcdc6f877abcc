/* The planner against brute force: no two values that live together overlap. */
#include "unit/unit.h"

#include "base/rng.h"
#include "net/arena.h"

enum { MOST = 40 };

START_TEST(values_that_live_together_never_overlap)
{
    for (uint32_t trial = 0; trial < 3000; trial++) {
        ecg__rng r = ecg__rng_at(trial, ECG__RNG_INIT, 0, 0);
        ecg__value v[MOST];
        uint32_t order[2 * MOST];
        const uint32_t n = 1 + ecg__rng_below(&r, MOST);
        size_t sum = 0, peak = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t first = ecg__rng_below(&r, 30);
            v[i] = (ecg__value){.bytes = ecg__rng_below(&r, 5) ? ecg__rng_below(&r, 5000) : 0,
                                .first = first,
                                .last = first + ecg__rng_below(&r, 8)};
            sum += (v[i].bytes + 63) / 64 * 64;
        }
        const size_t total = ecg__arena_plan(v, n, order);
        for (uint32_t time = 0; time < 40; time++) {
            size_t live = 0;
            for (uint32_t i = 0; i < n; i++)
                live += v[i].first <= time && time <= v[i].last ? (v[i].bytes + 63) / 64 * 64 : 0;
            peak = live > peak ? live : peak;
        }
        ck_assert_uint_ge(total, peak);
        ck_assert_uint_le(total, sum);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_eq(v[i].offset % 64, 0);
            ck_assert_uint_le(v[i].offset + v[i].bytes, total);
            for (uint32_t k = 0; k < i; k++) {
                const int together = v[i].first <= v[k].last && v[k].first <= v[i].last;
                const int apart = v[i].offset + v[i].bytes <= v[k].offset ||
                                  v[k].offset + v[k].bytes <= v[i].offset;
                ck_assert(!together || apart);
            }
        }
    }
}
END_TEST

START_TEST(a_chain_needs_its_two_largest_neighbours)
{
    ecg__value v[4] = {{1000, 0, 1, 0}, {3000, 1, 2, 0}, {2000, 2, 3, 0}, {500, 3, 4, 0}};
    uint32_t order[8];
    ck_assert_uint_eq(ecg__arena_plan(v, 4, order), 3008 + 2048);
    ck_assert_uint_eq(ecg__arena_plan(v, 0, order), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("arena");
    TCase *t = tcase_create("arena");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, values_that_live_together_never_overlap);
    tcase_add_test(t, a_chain_needs_its_two_largest_neighbours);
    suite_add_tcase(s, t);
    return unit_run(s);
}
