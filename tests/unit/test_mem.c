/* Memory and size arithmetic. */
#include "unit/unit.h"

#include "base/mem.h"

START_TEST(blocks_are_aligned_and_cleared)
{
    for (size_t n = 0; n < 300; n += 7) {
        unsigned char *p = ecg__calloc(n, 3);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < 3 * n; i++)
            ck_assert_uint_eq(p[i], 0);
        ecg__free(p);
    }
    ecg__free(NULL);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    ck_assert_ptr_null(ecg__alloc(SIZE_MAX));
    ck_assert_ptr_null(ecg__alloc(SIZE_MAX - 10));
    ck_assert_ptr_null(ecg__calloc(SIZE_MAX / 2, 3));
    size_t out = 5;
    ck_assert(!ecg__mul(&out, SIZE_MAX, 2));
    ck_assert(!ecg__add(&out, SIZE_MAX, 1));
    ck_assert_uint_eq(out, 5);
    ck_assert(ecg__mul(&out, SIZE_MAX, 1) && out == SIZE_MAX);
    ck_assert(ecg__mul(&out, SIZE_MAX, 0) && out == 0);
    ck_assert(ecg__add(&out, SIZE_MAX - 1, 1) && out == SIZE_MAX);
}
END_TEST

START_TEST(strings_are_copied)
{
    char *s = ecg__strdup("beat");
    ck_assert_str_eq(s, "beat");
    ecg__free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem");
    TCase *t = tcase_create("mem");
    tcase_add_test(t, blocks_are_aligned_and_cleared);
    tcase_add_test(t, impossible_sizes_are_refused);
    tcase_add_test(t, strings_are_copied);
    suite_add_tcase(s, t);
    return unit_run(s);
}
