#include "base/number.h"

#include <float.h>
#include <math.h>

#include "unit.h"

static bool reads(const char *text, double want, bool whole)
{
    double v = -99.0;
    bool w = !whole;
    return ecg__number_read(text, strlen(text), &v, &w) && v == want && w == whole;
}

START_TEST(test_read)
{
    ck_assert(reads("5", 5.0, true));
    ck_assert(reads("-12", -12.0, true));
    ck_assert(reads("1.0", 1.0, false));
    ck_assert(reads(".08", 0.08, false));
    ck_assert(reads("+0.1", 0.1, false));
    ck_assert(reads("2.5e-3", 0.0025, false));
    ck_assert(reads("1e3", 1000.0, false));
    ck_assert(reads("0.30000000000000004", 0.1 + 0.2, false));
    ck_assert(reads("1e-320", 1e-320, false));
    ck_assert(reads("0e9999", 0.0, false));
}
END_TEST

START_TEST(test_refuse)
{
    static const char *const bad[] = {"",    "-",     ".",  "nan", "inf",     "0x10",  "1e",  "1e+",
                                      "1,5", "1.2.3", "1 ", " 1",  "1e99999", "1e999", "--1", "12abc"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double v = 7.0;
        ck_assert_msg(!ecg__number_read(bad[i], strlen(bad[i]), &v, NULL), "\"%s\" was read", bad[i]);
        ck_assert(v == 7.0);
    }
}
END_TEST

START_TEST(test_round_trip)
{
    const double values[] = {
        0.0,     1.0,         -1.0,       0.1,        0.04,    1.0 / 3.0, 12345.678, 1e-9,
        6.02e23, DBL_EPSILON, 1.0 + 0.91, 1.0 - 0.91, DBL_MAX, DBL_MIN,   5e-324,    123456789.0123456789};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[ECG__NUMBER_TEXT];
        double back;
        const size_t n = ecg__number_print(values[i], text);
        ck_assert_uint_eq(n, strlen(text));
        ck_assert(ecg__number_read(text, n, &back, NULL));
        ck_assert_msg(back == values[i], "%s", text);
    }
    char text[ECG__NUMBER_TEXT];
    ecg__number_print(0.1, text);
    ck_assert_str_eq(text, "0.1");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("number");
    TCase *t = tcase_create("number");
    tcase_add_test(t, test_read);
    tcase_add_test(t, test_refuse);
    tcase_add_test(t, test_round_trip);
    suite_add_tcase(s, t);
    return unit_run(s);
}
