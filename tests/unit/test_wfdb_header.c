/* Headers: what they say is taken, what cannot be is refused with its line. */
#include "base/mem.h"
#include "signal/wfdb_header.h"
#include "unit.h"

static ecg__header *parse(const char *text)
{
    ecg__header *h;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg__wfdb_header_parse(&h, text, strlen(text), "d/r.hea", &err), err);
    return h;
}

START_TEST(all_fields)
{
    ecg__header *h = parse("# before\n\r\nr 3 360/1000.5(-2) 650000 13:05:00 25/04/1989\r\n"
                           "r.dat 212x2:3+512 200.5(1024)/uV 11 1000 995 -29832 0 lead  II \n"
                           "r.dat 212\n"
                           "sub/x.dat 16 0 16 7\n"
                           "# 69 M 1085\n#\n# end");
    ck_assert_str_eq(h->info.name, "r");
    ck_assert_uint_eq(h->info.signals, 3);
    ck_assert_double_eq(h->info.rate, 360);
    ck_assert_double_eq(h->info.counter_rate, 1000.5);
    ck_assert_double_eq(h->info.counter_base, -2);
    ck_assert_uint_eq(h->info.frames, 650000);
    ck_assert_str_eq(h->info.start_time, "13:05:00");
    ck_assert_str_eq(h->info.start_date, "25/04/1989");
    const ecg__signal *s = h->signals;
    ck_assert_str_eq(s[0].file, "r.dat");
    ck_assert_uint_eq(s[0].info.format, 212);
    ck_assert_uint_eq(s[0].info.samples_per_frame, 2);
    ck_assert_uint_eq(s[0].info.skew, 3);
    ck_assert_uint_eq(s[0].offset, 512);
    ck_assert_double_eq(s[0].info.gain, 200.5);
    ck_assert_double_eq(s[0].info.baseline, 1024);
    ck_assert_str_eq(s[0].info.units, "uV");
    ck_assert_double_eq(s[0].info.mv_per_unit, 0.001);
    ck_assert_uint_eq(s[0].info.resolution, 11);
    ck_assert_int_eq(s[0].info.zero, 1000);
    ck_assert_int_eq(s[0].info.initial, 995);
    ck_assert_int_eq(s[0].info.checksum, -29832);
    ck_assert_uint_eq(s[0].info.has_checksum, 1);
    ck_assert_str_eq(s[0].info.name, "lead  II");
    /* What is not said. */
    ck_assert_double_eq(s[1].info.gain, 200);
    ck_assert_double_eq(s[1].info.baseline, 0);
    ck_assert_str_eq(s[1].info.units, "mV");
    ck_assert_uint_eq(s[1].info.has_checksum, 0);
    ck_assert_uint_eq(s[1].column, 2);
    ck_assert(s[1].same_file && !s[2].same_file);
    ck_assert_uint_eq(s[1].offset, 512);
    ck_assert_double_eq(s[2].info.gain, 200);
    ck_assert_double_eq(s[2].info.baseline, 7);
    ck_assert_uint_eq(h->info.comments, 3);
    ck_assert_str_eq(h->comments[0], "69 M 1085");
    ck_assert_str_eq(h->comments[1], "");
    ck_assert_str_eq(h->comments[2], "end");
    ecg__header_free(h);
    h = parse("r 0");
    ck_assert_double_eq(h->info.rate, 250);
    ck_assert_str_eq(h->info.start_time, "");
    ecg__header_free(h);
    h = parse("r 1\nr.dat 16 200/mV 16 0 0 65535 0\n"); /* a checksum without sign */
    ck_assert_int_eq(h->signals[0].info.checksum, -1);
    ecg__header_free(h);
}
END_TEST

START_TEST(segments)
{
    ecg__header *h = parse("r/4 2 250 30\nlay 0\na 10\n~ 5\nb 15\n# c\n");
    ck_assert(h->layout);
    ck_assert_uint_eq(h->info.segments, 3);
    ck_assert_uint_eq(h->segment_count, 4);
    ck_assert_uint_eq(h->segments[3].start, 15);
    ck_assert_uint_eq(h->info.comments, 1);
    ecg__header_free(h);
    h = parse("r/2 2 250\na 10\nb 15\n");
    ck_assert(!h->layout);
    ck_assert_uint_eq(h->info.frames, 25);
    ecg__header_free(h);
}
END_TEST

static const struct {
    const char *text;
    ecg_status status;
    const char *part;
} bad[] = {
    {"", ECG_EFORMAT, "empty"},
    {"# only a comment\n", ECG_EFORMAT, "empty"},
    {"r\n", ECG_EFORMAT, "d/r.hea:1: number of signals \"\""},
    {"r 1000000000\n", ECG_EFORMAT, "d/r.hea:1: number of signals \"1000000000\", expected 0 to 4096"},
    {"r -1\n", ECG_EFORMAT, "number of signals"},
    {"r 1 0\nr.dat 16\n", ECG_EFORMAT, "rate \"0\""},
    {"r 1 nan\nr.dat 16\n", ECG_EFORMAT, "rate"},
    {"r 1 360/x\nr.dat 16\n", ECG_EFORMAT, "counter rate"},
    {"r 1 360/10(5\nr.dat 16\n", ECG_EFORMAT, "counter base"},
    {"r 1 360 -5\nr.dat 16\n", ECG_EFORMAT, "number of frames \"-5\""},
    {"r 1 360 99999999999999999999\nr.dat 16\n", ECG_EFORMAT, "number of frames"},
    {"r 2 360 5\nr.dat 16\n", ECG_ECORRUPT, "ends after signal 1, expected 2"},
    {"r 1 360 5\nr.dat 16\nr.dat 16\n", ECG_EFORMAT, "d/r.hea:3: a line after the last of 1 signals"},
    {"r 1\n../r.dat 16\n", ECG_EINVAL, "d/r.hea:2: signal file \"../r.dat\""},
    {"r 1\nx/../../r.dat 16\n", ECG_EINVAL, "expected a file in the header's folder"},
    {"r 1\n/etc/passwd 16\n", ECG_EINVAL, "signal file \"/etc/passwd\""},
    {"r 1\n.. 16\n", ECG_EINVAL, "signal file"},
    {"r 1\n- 16\n", ECG_EINVAL, "signal file"},
    {"r 1\nr.dat\n", ECG_EFORMAT, "a file name and a format"},
    {"r 1\nr.dat 17\n", ECG_EFORMAT, "format \"17\", expected 8, 16"},
    {"r 1\nr.dat 516\n", ECG_EUNSUPPORTED, "FLAC"},
    {"r 1\nr.dat 524 200\n", ECG_EUNSUPPORTED, "format 524"},
    {"r 1\nr.dat 508\n", ECG_EUNSUPPORTED, "d/r.hea:2: format 508"},
    {"r 1\nr.dat 16x0\n", ECG_EFORMAT, "samples per frame"},
    {"r 1\nr.dat 16x2000000\n", ECG_EFORMAT, "samples per frame"},
    {"r 1\nr.dat 16:-1\n", ECG_EFORMAT, "skew"},
    {"r 1\nr.dat 16+x\n", ECG_EFORMAT, "byte offset"},
    {"r 1\nr.dat 16 -200\n", ECG_EFORMAT, "gain \"-200\""},
    {"r 1\nr.dat 16 1e-300\n", ECG_EFORMAT, "gain"},
    {"r 1\nr.dat 16 200(1\n", ECG_EFORMAT, "baseline"},
    {"r 1\nr.dat 16 200(x)/mV\n", ECG_EFORMAT, "baseline"},
    {"r 1\nr.dat 16 200/\n", ECG_EFORMAT, "units"},
    {"r 1\nr.dat 16 200 65\n", ECG_EFORMAT, "ADC resolution \"65\""},
    {"r 1\nr.dat 16 200 12 2147483648\n", ECG_EFORMAT, "ADC zero"},
    {"r 1\nr.dat 16 200 12 0 x\n", ECG_EFORMAT, "initial value"},
    {"r 1\nr.dat 16 200 12 0 0 65536\n", ECG_EFORMAT, "checksum \"65536\""},
    {"r 1\nr.dat 16 200 12 0 0 0 -1\n", ECG_EFORMAT, "block size"},
    {"r 2\nr.dat 16\nr.dat 212\n", ECG_EFORMAT, "format 212+0, but signal 0 in the same file has 16+0"},
    {"r 2\nr.dat 16+4\nr.dat 16+8\n", ECG_EFORMAT, "16+8"},
    {"r 3\na.dat 16\nb.dat 16\na.dat 16\n", ECG_EFORMAT, "signals of a file together"},
    {"r 2\na.dat 16x1048576\na.dat 16\n", ECG_ELIMIT, "samples in a frame"},
    {"r/0 1\n", ECG_EFORMAT, "number of segments"},
    {"r/1000000 1\na 1\n", ECG_ECORRUPT, "more than the file has lines for"},
    {"r/2 1 250 30\na 1000\n", ECG_ECORRUPT, "ends after segment 1"},
    {"r/2 1 250 30\na 10\nb 10\n", ECG_ECORRUPT, "d/r.hea:1: 30 frames, but its segments have 20"},
    {"r/2 1 250 20\na 10\n../b 10\n", ECG_EINVAL, "segment \"../b\""},
    {"r/2 1 250 10\na 10\nb 0\n", ECG_EFORMAT, "frames of a segment \"0\""},
    {"r/1 1 250 0\na 0\n", ECG_EFORMAT, "layout"},
    {"r/2 1 250\na 72057594037927936\nb 1\n", ECG_EFORMAT, "below 2^56"},
};

START_TEST(lies)
{
    ecg__header *h;
    ecg_error err = {ECG_OK, 0, ""};
    ck_fails(ecg__wfdb_header_parse(&h, bad[_i].text, strlen(bad[_i].text), "d/r.hea", &err), err,
             bad[_i].status, bad[_i].part);
    ck_assert_ptr_null(h);
    ck_assert_int_eq(strncmp(err.message, "d/r.hea:", 8), 0);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
    ecg__header *h;
    ecg_error err = {ECG_OK, 0, ""};
    ck_fails(ecg__wfdb_header_parse(&h, "r 0\n\0", 5, "r.hea", &err), err, ECG_EFORMAT, "a zero at byte 4");
    ck_fails(ecg__wfdb_header_read(&h, unit_tmp("missing.hea"), &err), err, ECG_EIO, "missing.hea");
}
END_TEST

START_TEST(names)
{
    ck_assert(ecg__name_is_inside("a.dat") && ecg__name_is_inside("a/b..dat") &&
              ecg__name_is_inside("..a/b"));
    ck_assert(!ecg__name_is_inside("") && !ecg__name_is_inside("..") && !ecg__name_is_inside("a/..") &&
              !ecg__name_is_inside("/a") && !ecg__name_is_inside("a/../b"));
    ck_assert_double_eq(ecg__mv_per_unit("V"), 1000);
    ck_assert_double_eq(ecg__mv_per_unit("\xc2\xb5V"), 0.001);
    ck_assert_double_eq(ecg__mv_per_unit("mmHg"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wfdb_header");
    TCase *t = tcase_create("all");
    tcase_add_test(t, all_fields);
    tcase_add_test(t, segments);
    tcase_add_loop_test(t, lies, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, bytes_that_are_no_text);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
