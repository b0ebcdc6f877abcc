/* Tables of samples. */
#include <math.h>

#include "ecgcnn/record.h"
#include "unit.h"

static const char *write_text(const char *name, const char *text)
{
    const char *path = unit_tmp(name);
    FILE *f = fopen(path, "wb");
    ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static ecg_record *open_ok(const char *path, const ecg_record_options *o)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_open(&r, path, o, &err), err);
    return r;
}

static const struct {
    const char *text;
    double rate;
    uint64_t frames;
    const char *names[2], *units[2];
    float mv[4]; /* the first two rows */
} good[] = {
    {"time,MLII,V1\n0,1,2\n0.004,3,4\n0.008,5,6\n", 250, 3, {"MLII", "V1"}, {"mV", "mV"}, {1, 2, 3, 4}},
    {"'Elapsed "
     "time','MLII','V5'\n'hh:mm:ss.mmm','uV','V'\n'0:00.000',-145,0.25\n'0:00.250',-,nan\n'0:00.500',1,\n"
     "'0:00.750',1,1\n'0:01.000',1,1\n",
     4,
     5,
     {"MLII", "V5"},
     {"uV", "V"},
     {-0.145f, 250, NAN, NAN}},
    {"# made by hand\n# fs = 500 Hz\n1 2\n\n3\t4\r\n",
     500,
     2,
     {"signal 0", "signal 1"},
     {"mV", "mV"},
     {1, 2, 3, 4}},
    {"sample #;I;II\n# rate 360\n7;1e-1;2\n8;3;4\n", 360, 2, {"I", "II"}, {"mV", "mV"}, {0.1f, 2, 3, 4}},
    {"I,II\nmmHg,mV\n1,2\n3,4", 77, 2, {"I", "II"}, {"mmHg", "mV"}, {1, 2, 3, 4}},
    {"\"Seconds\",\"A b\",\"C\"\n10.0,1,2\n10.5,3,4\n", 2, 2, {"A b", "C"}, {"mV", "mV"}, {1, 2, 3, 4}},
};

START_TEST(understood)
{
    ecg_record_options o = ECG_RECORD_OPTIONS_INIT;
    o.rate = good[_i].rate == 77 ? 77 : 0;
    ecg_record *r = open_ok(write_text("good.csv", good[_i].text), &o);
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_record_info *info = ecg_record_get_info(r);
    ck_assert_double_eq(info->rate, good[_i].rate);
    ck_assert_uint_eq(info->frames, good[_i].frames);
    ck_assert_uint_eq(info->signals, 2);
    ck_assert_str_eq(info->kind, "CSV");
    ck_assert_str_eq(info->name, "good");
    float mv[4];
    ck_ok(ecg_record_read(r, 0, 2, mv, &err), err);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_str_eq(ecg_record_signal(r, i % 2)->name, good[_i].names[i % 2]);
        ck_assert_str_eq(ecg_record_signal(r, i % 2)->units, good[_i].units[i % 2]);
        ck_assert(isnan(good[_i].mv[i]) ? isnan(mv[i]) : mv[i] == good[_i].mv[i]);
    }
    int32_t raw;
    ck_fails(ecg_record_read_raw(r, 0, 0, 1, &raw, &err), err, ECG_EUNSUPPORTED, "no stored integers");
    ck_ok(ecg_record_verify(r, &err), err);
    ecg_record_close(r);
}
END_TEST

static const struct {
    const char *text;
    ecg_status status;
    const char *part;
} bad[] = {
    {"", ECG_EFORMAT, "no samples"},
    {"time,I\n", ECG_EFORMAT, "no samples"},
    {"time\n0\n1\n", ECG_EFORMAT, "no samples"},
    {"1,2\n3,4\n", ECG_EFORMAT, "frames a second not known"},
    {"# rate 5\n1,2\n3\n", ECG_EFORMAT, "bad.csv:3: 1 fields, expected 2"},
    {"# rate 5\n1,2\n3,4,5\n", ECG_EFORMAT, "bad.csv:3: 3 fields, expected 2"},
    {"time,I\n0,1\n1,x\n", ECG_EFORMAT, "bad.csv:3: field 2 is \"x\""},
    {"time,I\n0,1\n-1,2\n", ECG_EFORMAT, "bad.csv:3: time -1 after 0"},
    {"time,I\n0,1\n1,2\n2,2\n9,1\n10,1\n", ECG_EFORMAT, "bad.csv:5: a step of 7 seconds"},
    {"# rate 9\nsample,I\n0,1\n2,1\n", ECG_EFORMAT, "rise by 1"},
    {"time,I\n0,1\n0:99,1\n", ECG_EFORMAT, "time \"0:99\""},
    {"time,I\n0,1\n0,1\n", ECG_EFORMAT, "frames a second"},
};

START_TEST(refused)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ck_fails(ecg_record_open(&r, write_text("bad.csv", bad[_i].text), NULL, &err), err, bad[_i].status,
             bad[_i].part);
    ck_assert_ptr_null(r);
}
END_TEST

/* More rows than are held at a time, in any order. */
START_TEST(long_table)
{
    enum { ROWS = 5000 };
    const char *path = unit_tmp("long.csv");
    FILE *f = fopen(path, "wb");
    fputs("# rate 100\n", f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "%d,%d.5\n", i, -i);
    ck_assert_int_eq(fclose(f), 0);
    ecg_record *r = open_ok(path, NULL);
    ecg_error err = {ECG_OK, 0, ""};
    static float mv[ROWS];
    ck_ok(ecg_record_read_signal(r, 0, 0, ROWS, mv, &err), err);
    for (int i = 0; i < ROWS; i++)
        ck_assert(mv[i] == (float)i);
    for (int at = ROWS - 10; at >= 0; at -= 997) {
        ck_ok(ecg_record_read_signal(r, 1, (uint64_t)at, 10, mv, &err), err);
        for (int i = 0; i < 10; i++)
            ck_assert(mv[i] == (float)(at + i == 0 ? 0.5 : -(at + i) - 0.5));
    }
    ck_fails(ecg_record_read_signal(r, 0, ROWS, 1, mv, &err), err, ECG_EINVAL, "it has 5000");
    f = fopen(path, "wb");
    fputs("# rate 100\n1,2\n", f);
    ck_assert_int_eq(fclose(f), 0);
    ck_fails(ecg_record_read_signal(r, 0, 3000, 1, mv, &err), err, ECG_ECORRUPT, "has become shorter");
    ecg_record_close(r);
}
END_TEST

START_TEST(options_and_limits)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ecg_record_options o = ECG_RECORD_OPTIONS_INIT;
    o.units = "uV";
    o.rate = 10;
    r = open_ok(write_text("o.txt", "t,I\n0,1000\n1,2000\n"), &o);
    ck_assert_double_eq(ecg_record_get_info(r)->rate, 10);
    ck_assert_str_eq(ecg_record_signal(r, 0)->units, "uV");
    float mv;
    ck_ok(ecg_record_read(r, 1, 1, &mv, &err), err);
    ck_assert(mv == 2);
    ecg_record_close(r);
    static char wide[70000];
    memset(wide, '1', sizeof wide - 1);
    ck_fails(ecg_record_open(&r, write_text("wide.csv", wide), NULL, &err), err, ECG_ELIMIT,
             "a line longer than");
    for (size_t i = 1; i < 12000; i += 2)
        wide[i] = ',';
    wide[12001] = '\0';
    ck_fails(ecg_record_open(&r, write_text("wide.csv", wide), &o, &err), err, ECG_ELIMIT,
             "expected 4096 at the most");
    o.units = "a unit with a name that is too long for it";
    ck_fails(ecg_record_open(&r, unit_tmp("o.txt"), &o, &err), err, ECG_EINVAL, "units");
    ck_fails(ecg_record_open(&r, unit_tmp("none.csv"), NULL, &err), err, ECG_EIO, "none.csv");
    ck_fails(ecg_record_open(&r, "/dev/zero/.csv", NULL, &err), err, ECG_EIO, "/dev/zero");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record_csv");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, understood, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(t, refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, long_table);
    tcase_add_test(t, options_and_limits);
    suite_add_tcase(s, t);
    return unit_run(s);
}
