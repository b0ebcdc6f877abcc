/* Laps: time goes to the slot that was named, of the worker that spent it. */
#define _POSIX_C_SOURCE 200809L
#include "base/laps.h"

#include <time.h>

#include "unit/unit.h"

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

START_TEST(time_goes_where_it_was_spent)
{
    ecg__laps *l = ecg__laps_new(3, 5);
    ck_assert_ptr_nonnull(l);
    for (uint32_t w = 0; w < 3; w += 2) {
        ecg__lap_row *r = ecg__laps_row(l, w);
        const uint64_t start = ecg__nanoseconds();
        ecg__lap_start(r);
        pause_ms(2);
        ecg__lap(r, 1);
        pause_ms(6);
        ecg__lap(r, 4);
        ecg__lap(r, 4);
        const uint64_t took = ecg__nanoseconds() - start;
        ck_assert_uint_eq(r->slot[1].laps, 1);
        ck_assert_uint_eq(r->slot[4].laps, 2);
        ck_assert_uint_ge(r->slot[1].ns, 2000000);
        ck_assert_uint_ge(r->slot[4].ns, 6000000);
        ck_assert_uint_le(r->slot[1].ns + r->slot[4].ns, took);
    }
    ck_assert_uint_eq(ecg__laps_sum(l, 0).laps, 0);
    ck_assert_uint_eq(ecg__laps_sum(l, 1).laps, 2);
    ck_assert_uint_eq(ecg__laps_sum(l, 4).laps, 4);
    ck_assert_uint_ge(ecg__laps_sum(l, 4).ns, 12000000);
    ck_assert_uint_eq(ecg__laps_total(l), ecg__laps_sum(l, 1).ns + ecg__laps_sum(l, 4).ns);
    ecg__laps_clear(l);
    ck_assert_uint_eq(ecg__laps_total(l), 0);
    ck_assert_uint_eq(ecg__laps_sum(l, 4).laps, 0);
    ecg__laps_free(l);
}
END_TEST

START_TEST(rows_share_no_cache_line)
{
    ecg__laps *l = ecg__laps_new(4, 7);
    for (uint32_t w = 0; w + 1 < 4; w++) {
        const char *end = (const char *)&ecg__laps_row(l, w)->slot[7],
                   *next = (const char *)ecg__laps_row(l, w + 1);
        ck_assert_int_ge(next - end, 64);
    }
    ecg__laps_free(l);
}
END_TEST

START_TEST(off_is_nothing)
{
    ck_assert_ptr_null(ecg__laps_row(NULL, 3));
    ecg__lap_start(NULL);
    ecg__lap(NULL, 9);
    ecg__laps_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("laps");
    TCase *t = tcase_create("laps");
    tcase_add_test(t, time_goes_where_it_was_spent);
    tcase_add_test(t, rows_share_no_cache_line);
    tcase_add_test(t, off_is_nothing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
