#include "unit.h"

#include "ecgcnn/signal.h"

/* The enum stands in the byte order of the names, so that class i is folder i of a dataset. */
START_TEST(test_order)
{
    for (int c = 1; c < ECG_BEAT_CLASSES; c++)
        ck_assert_int_lt(
            strcmp(ecg_beat_class_name((ecg_beat_class)(c - 1)), ecg_beat_class_name((ecg_beat_class)c)), 0);
}
END_TEST

START_TEST(test_names)
{
    static const struct {
        ecg_beat_class c;
        const char *name;
        char code;
    } want[] = {
        {ECG_BEAT_LBBB, "Left Bundle Branch Block", 'L'},
        {ECG_BEAT_NORMAL, "Normal", 'N'},
        {ECG_BEAT_PACED, "Paced", '/'},
        {ECG_BEAT_PAC, "Premature Atrial Contraction", 'A'},
        {ECG_BEAT_PVC, "Premature Ventricular Contraction", 'V'},
        {ECG_BEAT_RBBB, "Right Bundle Branch Block", 'R'},
        {ECG_BEAT_VFLUTTER, "Ventricular Flutter", '!'},
    };
    ck_assert_int_eq(sizeof want / sizeof want[0], ECG_BEAT_CLASSES);
    for (size_t i = 0; i < ECG_BEAT_CLASSES; i++) {
        ck_assert_str_eq(ecg_beat_class_name(want[i].c), want[i].name);
        ck_assert_int_eq(ecg_beat_class_code(want[i].c), want[i].code);
    }
}
END_TEST

START_TEST(test_range)
{
    const int outside[] = {-1, ECG_BEAT_CLASSES, 1000, -2147483647};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ptr_null(ecg_beat_class_name((ecg_beat_class)outside[i]));
        ck_assert_int_eq(ecg_beat_class_code((ecg_beat_class)outside[i]), 0);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("beat_class");
    TCase *t = tcase_create("names");
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_range);
    suite_add_tcase(s, t);
    return unit_run(s);
}
