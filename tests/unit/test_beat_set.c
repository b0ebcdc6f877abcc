#include "unit.h"

#include "ecgcnn/beats.h"

/* Which class each code is of in each set, in the order of names; '.' is none. */
START_TEST(test_named)
{
    static const char codes[] = "NLRaVFJASEj/Q!enfx";
    static const struct {
        const char *set, *classes, *of;
    } cases[] = {
        {"ecg7",
         "Left Bundle Branch Block|Normal|Paced|Premature Atrial Contraction|"
         "Premature Ventricular Contraction|Right Bundle Branch Block|Ventricular Flutter|",
         "105.4..3...2.6...."},
        {"jun8",
         "Left Bundle Branch Block|Normal|Paced|Premature Atrial Contraction|"
         "Premature Ventricular Contraction|Right Bundle Branch Block|Ventricular Escape|"
         "Ventricular Flutter|",
         "105.4..3.6.2.7...."},
        {"aami5", "F|N|Q|S|V|", "1113403334122.1.2."},
        {"seed6",
         "Left Bundle Branch Block|Normal|Premature Atrial Contraction|"
         "Premature Ventricular Contractions|Right Bundle Branch Block|Ventricular Fibrillation|",
         "104.3..2.3...5...."},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ecg_beat_set *s = NULL;
        ecg_error err;
        char names[400] = "";
        ck_assert_str_eq(ecg_beat_set_name(k), cases[k].set);
        ck_ok(ecg_beat_set_load(&s, cases[k].set, &err), err);
        for (uint32_t i = 0; i < ecg_beat_set_classes(s); i++) {
            strcat(names, ecg_beat_set_class(s, i));
            strcat(names, "|");
        }
        ck_assert_str_eq(names, cases[k].classes);
        for (size_t i = 0; codes[i]; i++) {
            const int want = cases[k].of[i] == '.' ? -1 : cases[k].of[i] - '0';
            ck_assert_msg(ecg_beat_set_of(s, codes[i]) == want, "%s: %c is %d", cases[k].set, codes[i],
                          ecg_beat_set_of(s, codes[i]));
        }
        ck_assert_int_eq(ecg_beat_set_of(s, (char)200), -1);
        ck_assert_ptr_null(ecg_beat_set_class(s, ecg_beat_set_classes(s)));
        ecg_beat_set_free(s);
    }
    ck_assert_ptr_null(ecg_beat_set_name(4));
}
END_TEST

START_TEST(test_text)
{
    static const char text[] = "# two classes\n\n  Premature = A V\t\r\nNormal beat=N,e\n# end";
    ecg_beat_set *s = NULL;
    ecg_error err;
    ck_ok(ecg_beat_set_parse(&s, text, sizeof text - 1, NULL, &err), err);
    ck_assert_uint_eq(ecg_beat_set_classes(s), 2);
    ck_assert_str_eq(ecg_beat_set_class(s, 0), "Normal beat");
    ck_assert_str_eq(ecg_beat_set_codes(s, 0), "Ne");
    ck_assert_str_eq(ecg_beat_set_codes(s, 1), "AV");
    ck_assert_int_eq(ecg_beat_set_of(s, 'V'), 1);
    ck_assert_int_eq(ecg_beat_set_of(s, 'e'), 0);
    ecg_beat_set_free(s);
}
END_TEST

START_TEST(test_wrong)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "no class"},
        {"# nothing\n", "no class"},
        {"a = N\nNormal", "line 2"},
        {"a = \n", "expected codes"},
        {"a = N\nb = N\n", "line 2"},
        {"a = N N\n", "one class only"},
        {"a = N\na = V\n", "already"},
        {"a = N 5\n", "not an annotation code"},
        {"= N\n", "1 to 100"},
        {".a = N\n", "dot"},
        {"a/b = N\n", "slash"},
        {"a\x01 = N\n", "control"},
    };
    ecg_beat_set *s = NULL;
    ecg_error err;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ck_fails(ecg_beat_set_parse(&s, cases[k].text, strlen(cases[k].text), "mine", &err), err, ECG_EFORMAT,
                 cases[k].part);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(strstr(err.message, "mine"));
    }
}
END_TEST

START_TEST(test_file)
{
    ecg_beat_set *s = NULL;
    ecg_error err;
    const char *path = unit_tmp("classes.txt");
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("b = V\na = N\n", f);
    fclose(f);
    ck_ok(ecg_beat_set_load(&s, path, &err), err);
    ck_assert_str_eq(ecg_beat_set_class(s, 0), "a");
    ecg_beat_set_free(s);
    ck_fails(ecg_beat_set_load(&s, "ecg77", &err), err, ECG_EIO, "seed6");
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(test_code_of_name)
{
    static const struct {
        const char *name;
        char code;
    } cases[] = {{"Normal", 'N'},
                 {"Premature Ventricular Contractions", 'V'},
                 {"Ventricular Fibrillation", '!'},
                 {"Ventricular Escape", 'E'},
                 {"S", 'S'},
                 {"Q", 'Q'},
                 {"Norm", '\0'},
                 {"", '\0'},
                 {"z", '\0'}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        ck_assert_int_eq(ecg_beat_set_code_of_name(cases[k].name), cases[k].code);
    ck_assert_int_eq(ecg_beat_set_code_of_name(NULL), '\0');
}
END_TEST

int main(void)
{
    Suite *s = suite_create("beat_set");
    TCase *t = tcase_create("beat_set");
    tcase_add_test(t, test_named);
    tcase_add_test(t, test_text);
    tcase_add_test(t, test_wrong);
    tcase_add_test(t, test_file);
    tcase_add_test(t, test_code_of_name);
    suite_add_tcase(s, t);
    return unit_run(s);
}
