/* What the library says of itself. */
#define _POSIX_C_SOURCE 200809L
#include "unit/unit.h"

#include "ecgcnn/version.h"
#include "math/gemm.h"

START_TEST(version_matches_the_header)
{
    char want[32];
    snprintf(want, sizeof want, "%d.%d.%d", ECG_VERSION_MAJOR, ECG_VERSION_MINOR, ECG_VERSION_PATCH);
    ck_assert_str_eq(ecg_version(), want);
}
END_TEST

START_TEST(info_is_one_line_with_version_and_blas)
{
    const char *info = ecg_build_info();
    ck_assert_ptr_nonnull(strstr(info, ecg_version()));
    ck_assert_ptr_nonnull(strstr(info, ecg__blas_name()));
    ck_assert_ptr_nonnull(strstr(info, ecg__blas_core()));
    ck_assert_ptr_null(strchr(info, '\n'));
    ck_assert_ptr_eq(info, ecg_build_info());
}
END_TEST

START_TEST(advice_is_silent_when_the_variable_is_set)
{
    const char *advice = ecg_blas_advice();
    ck_assert(advice == NULL || strcmp(advice, "SkylakeX") == 0 || strcmp(advice, "Haswell") == 0);
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    ck_assert_ptr_null(ecg_blas_advice());
}
END_TEST

/* The kernels are those the BLAS was loaded with; the variable, set afterwards, silences the advice but not
 * what the library says of itself. What it says is tested from outside, with slow kernels, in tests/cli. */
START_TEST(info_warns_whatever_the_variable)
{
    unsetenv("OPENBLAS_CORETYPE");
    const char *advice = ecg_blas_advice();
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    const char *info = ecg_build_info();
    ck_assert_int_eq(strstr(info, "slower BLAS kernels") != NULL, advice != NULL);
    ck_assert(!advice || strstr(info, advice) != NULL);
}
END_TEST

START_TEST(an_empty_variable_is_none)
{
    unsetenv("OPENBLAS_CORETYPE");
    const char *advice = ecg_blas_advice();
    setenv("OPENBLAS_CORETYPE", "", 1);
    ck_assert_ptr_eq(ecg_blas_advice(), advice);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("build_info");
    TCase *t = tcase_create("build_info");
    tcase_add_test(t, version_matches_the_header);
    tcase_add_test(t, info_is_one_line_with_version_and_blas);
    tcase_add_test(t, advice_is_silent_when_the_variable_is_set);
    tcase_add_test(t, info_warns_whatever_the_variable);
    tcase_add_test(t, an_empty_variable_is_none);
    suite_add_tcase(s, t);
    return unit_run(s);
}
