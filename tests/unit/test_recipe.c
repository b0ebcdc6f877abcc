#include "unit.h"

#include "ecgcnn/beats.h"

static void prints_as(const char *text, const char *want)
{
    ecg_recipe *r = NULL, *again = NULL;
    ecg_error err;
    char out[600], twice[600];
    ck_ok(ecg_recipe_parse(&r, text, &err), err);
    ck_assert_uint_eq(ecg_recipe_print(r, out, sizeof out), strlen(out));
    ck_assert_str_eq(out, want);
    ck_ok(ecg_recipe_parse(&again, out, &err), err);
    ecg_recipe_print(again, twice, sizeof twice);
    ck_assert_str_eq(out, twice);
    char few[8];
    ck_assert_uint_eq(ecg_recipe_print(r, few, sizeof few), strlen(out));
    ck_assert_uint_eq(strlen(few), 7);
    ck_assert_uint_eq(ecg_recipe_print(r, NULL, 0), strlen(out));
    ecg_recipe_free(r);
    ecg_recipe_free(again);
}

START_TEST(test_defaults)
{
    prints_as("fixed", "fixed views=beat lead=MLII,II,0 second=auto size=128x192 box=24:15:173:114 pen=0.6 "
                       "scale=mv top=1.076 bottom=-1.777 baseline=none");
    prints_as(" rr\n",
              "rr views=beat lead=MLII,II,0 second=auto size=128x128 box=0:0:127:127 pen=1.5 scale=mv "
              "top=2 bottom=-1.5 baseline=0.6");
    prints_as("rhythm", "rhythm views=close,usual,strip lead=MLII,II,0 second=auto size=64x96 box=0:0:95:63 "
                        "pen=1.5 scale=qrs top=1.3 bottom=-1.3 baseline=0.6");
    prints_as("size=64x96", "fixed views=beat lead=MLII,II,0 second=auto size=64x96 box=12:8:87:57 pen=0.6 "
                            "scale=mv top=1.076 bottom=-1.777 baseline=none");
    prints_as("rr views=second,beat lead=V5 second=0,II size=8x9 box=1:0:8:7 pen=2.25 scale=qrs top=.5 "
              "bottom=-3 baseline=1",
              "rr views=second,beat lead=V5 second=0,II size=8x9 box=1:0:8:7 pen=2.25 scale=qrs top=0.5 "
              "bottom=-3 baseline=1");
}
END_TEST

START_TEST(test_shape)
{
    static const struct {
        const char *text;
        uint32_t c;
    } cases[] = {{"fixed", 1}, {"fixed views=strip", 1}, {"fixed views=beat,strip", 3}, {"rhythm", 3}};
    for (size_t k = 0; k < 4; k++) {
        ecg_recipe *r = NULL;
        ecg_error err;
        ck_ok(ecg_recipe_parse(&r, cases[k].text, &err), err);
        ck_assert_uint_eq(ecg_recipe_shape(r).c, cases[k].c);
        ecg_recipe_free(r);
    }
}
END_TEST

START_TEST(test_wrong)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "no text"},
        {"   ", "no text"},
        {"round", "'round'"},
        {"fixed rr", "'rr'"},
        {"views=beat fixed", "'fixed'"},
        {"fixed views=", "views="},
        {"fixed views=beat,", "one to three"},
        {"fixed views=beat,beat,beat,beat", "one to three"},
        {"fixed views=side", "one to three"},
        {"fixed lead=", "names or numbers"},
        {"fixed lead=a,,b", "names or numbers"},
        {"fixed size=7x9", "8 to 4096"},
        {"fixed size=64", "8 to 4096"},
        {"fixed size=64x-9", "8 to 4096"},
        {"fixed size=64x5000", "8 to 4096"},
        {"fixed size=64x64x3", "8 to 4096"},
        {"fixed box=0:0:192:127", "inside the 128x192"},
        {"fixed box=9:9:15:40", "8 columns"},
        {"fixed box=0:0:9", "COLUMN:ROW"},
        {"fixed box=0:0:9:9:9", "COLUMN:ROW"},
        {"fixed pen=0", "above 0"},
        {"fixed pen=nan", "above 0"},
        {"fixed scale=cm", "mv or qrs"},
        {"fixed top=-2", "not above"},
        {"fixed top=1e99", "1000000"},
        {"fixed baseline=0", "none, or seconds"},
        {"fixed pen=1 pen=1", "twice"},
        {"fixed color=1", "'color=1'"},
    };
    ecg_recipe *r = NULL;
    ecg_error err;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ck_fails(ecg_recipe_parse(&r, cases[k].text, &err), err, ECG_EINVAL, cases[k].part);
        ck_assert_ptr_null(r);
    }
    ck_fails(ecg_recipe_parse(&r, NULL, &err), err, ECG_EINVAL, "no text");
}
END_TEST

/* Names first, then numbers; one after the other; a second lead that is another one. */
START_TEST(test_leads)
{
    static const struct {
        const char *text;
        int lead, second;
    } cases[] = {
        {"fixed", 1, -1},
        {"fixed lead=mlii", 1, -1},
        {"fixed lead=V9,V5", 2, -1},
        {"fixed lead=9,0", 0, -1},
        {"fixed views=second", 1, 0},
        {"fixed views=second lead=0", 0, 1},
        {"fixed views=second lead=V5 second=V5,MLII", 2, 1},
    };
    const char *path = unit_tmp("three.csv");
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("V1,MLII,V5\n0,0,0\n0.1,0.2,0.3\n", f);
    fclose(f);
    ecg_record_options o = ECG_RECORD_OPTIONS_INIT;
    ecg_record *record = NULL;
    ecg_recipe *r = NULL;
    ecg_error err;
    int64_t lead, second;
    o.rate = 250;
    ck_ok(ecg_record_open(&record, path, &o, &err), err);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ck_ok(ecg_recipe_parse(&r, cases[k].text, &err), err);
        ck_ok(ecg_recipe_signals(r, record, &lead, &second, &err), err);
        ck_assert_msg(lead == cases[k].lead && second == cases[k].second, "%s: %d and %d", cases[k].text,
                      (int)lead, (int)second);
        ecg_recipe_free(r);
    }
    ck_ok(ecg_recipe_parse(&r, "fixed lead=V9,7", &err), err);
    ck_fails(ecg_recipe_signals(r, record, &lead, &second, &err), err, ECG_EINVAL, "3: V1, MLII, V5");
    ecg_recipe_free(r);
    ck_ok(ecg_recipe_parse(&r, "fixed views=second lead=V5 second=V5", &err), err);
    ck_fails(ecg_recipe_signals(r, record, &lead, &second, &err), err, ECG_EINVAL, "'V5'");
    ecg_recipe_free(r);
    ecg_record_close(record);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recipe");
    TCase *t = tcase_create("recipe");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_shape);
    tcase_add_test(t, test_wrong);
    tcase_add_test(t, test_leads);
    suite_add_tcase(s, t);
    return unit_run(s);
}
