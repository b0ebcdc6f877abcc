/* EDF, EDF+ and BDF, written here by the published layout. */
#include "signal/edf.h"

#include <math.h>

#include "unit.h"

typedef struct column {
    const char *label, *unit, *low, *high, *digital_low, *digital_high;
    int samples;
} column;

typedef struct file {
    unsigned char b[8192];
    size_t n;
} file;

static void put(file *f, size_t width, const char *text)
{
    memset(f->b + f->n, ' ', width);
    memcpy(f->b + f->n, text, strlen(text));
    f->n += width;
}

static void put_number(file *f, size_t width, int v)
{
    char text[16];
    snprintf(text, sizeof text, "%d", v);
    put(f, width, text);
}

/* Header and `records` data records, sample k of column i in record r being 1000 i + 100 r + k. */
static file make(const column *c, int n, const char *reserved, int records, const char *seconds, bool bdf)
{
    file f = {.n = 0};
    put(&f, 8, bdf ? "\377BIOSEMI" : "0");
    put(&f, 80, "patient");
    put(&f, 80, "recording");
    put(&f, 8, "25.04.89");
    put(&f, 8, "13.05.00");
    put_number(&f, 8, 256 * (n + 1));
    put(&f, 44, reserved);
    put_number(&f, 8, records);
    put(&f, 8, seconds);
    put_number(&f, 4, n);
    for (int i = 0; i < n; i++)
        put(&f, 16, c[i].label);
    for (int i = 0; i < n; i++)
        put(&f, 80, "electrode");
    for (int i = 0; i < n; i++)
        put(&f, 8, c[i].unit);
    for (int i = 0; i < n; i++)
        put(&f, 8, c[i].low);
    for (int i = 0; i < n; i++)
        put(&f, 8, c[i].high);
    for (int i = 0; i < n; i++)
        put(&f, 8, c[i].digital_low);
    for (int i = 0; i < n; i++)
        put(&f, 8, c[i].digital_high);
    for (int i = 0; i < n; i++)
        put(&f, 80, "filter");
    for (int i = 0; i < n; i++)
        put_number(&f, 8, c[i].samples);
    for (int i = 0; i < n; i++)
        put(&f, 32, "");
    for (int r = 0; r < (records < 0 ? 3 : records); r++) {
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < c[i].samples; k++) {
                const unsigned v = (unsigned)(1000 * i + 100 * r + k);
                for (int byte = 0; byte < 2 + bdf; byte++)
                    f.b[f.n++] = (unsigned char)(v >> 8 * byte);
            }
        }
    }
    return f;
}

static const char *save(const file *f, const char *name)
{
    const char *path = unit_tmp(name);
    FILE *out = fopen(path, "wb");
    ck_assert(out && fwrite(f->b, 1, f->n, out) == f->n && fclose(out) == 0);
    return path;
}

static const column ecg = {"ECG II", "uV", "-3276.8", "3276.7", "-32768", "32767", 6};
static const column breath = {"Resp", "l", "1", "-1", "-1000", "1000", 2};
static const column marks = {"EDF Annotations", "", "-1", "1", "-32768", "32767", 5};

START_TEST(rates_that_differ)
{
    const column c[] = {ecg, marks, breath};
    const file f = make(c, 3, "EDF+C", 3, "0.5", false);
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_open(&r, save(&f, "a.rec"), NULL, &err), err);
    const ecg_record_info *info = ecg_record_get_info(r);
    ck_assert_str_eq(info->kind, "EDF");
    ck_assert_uint_eq(info->signals, 2);
    ck_assert_double_eq(info->rate, 4); /* 2 frames in half a second */
    ck_assert_uint_eq(info->frames, 6);
    ck_assert_str_eq(info->start_time, "13.05.00");
    ck_assert_str_eq(info->start_date, "25.04.89");
    ck_assert_str_eq(ecg_record_signal(r, 0)->name, "II");
    ck_assert_uint_eq(ecg_record_signal(r, 0)->samples_per_frame, 3);
    ck_assert_uint_eq(ecg_record_signal(r, 1)->samples_per_frame, 1);
    float mv[18], both[12];
    int32_t raw[18];
    ck_ok(ecg_record_read_signal(r, 0, 0, 18, mv, &err), err);
    ck_ok(ecg_record_read_raw(r, 0, 0, 18, raw, &err), err);
    for (int i = 0; i < 18; i++) {
        const int v = 100 * (i / 6) + i % 6; /* a tenth of a microvolt a step */
        ck_assert_int_eq(raw[i], v);
        ck_assert(fabs((double)mv[i] - v * 0.1 / 1000) < 1e-8);
    }
    ck_ok(ecg_record_read(r, 0, 6, both, &err), err);
    for (int i = 0; i < 6; i++) {
        ck_assert(fabs((double)both[2 * i] - (100 * (i / 2) + i % 2 * 3 + 1) * 0.1 / 1000) < 1e-8);
        /* Turned around: 1 at -1000, -1 at 1000. */
        ck_assert(fabs((double)both[2 * i + 1] + (2000 + 100 * (i / 2) + i % 2) / 1000.0) < 1e-6);
    }
    ck_ok(ecg_record_verify(r, &err), err);
    ecg_record_close(r);
}
END_TEST

START_TEST(bdf_and_open_end)
{
    const column c[] = {{"A1", "uV", "-8388608", "8388607", "-8388608", "8388607", 4}};
    file f = make(c, 1, "24BIT", -1, "1", true);
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_open(&r, save(&f, "a.bdf"), NULL, &err), err);
    ck_assert_uint_eq(ecg_record_get_info(r)->frames, 12);
    ck_assert_double_eq(ecg_record_get_info(r)->rate, 4);
    float mv[12];
    ck_ok(ecg_record_read(r, 0, 12, mv, &err), err);
    for (int i = 0; i < 12; i++)
        ck_assert(fabs((double)mv[i] - (100 * (i / 4) + i % 4) / 1000.0) < 1e-6);
    ecg_record_close(r);
}
END_TEST

START_TEST(short_file)
{
    file f = make(&ecg, 1, "", 3, "1", false);
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    f.n--;
    ck_fails(ecg_record_open(&r, save(&f, "s.edf"), NULL, &err), err, ECG_ECORRUPT,
             "s.edf: 547 bytes, expected");
    f.n = 400;
    ck_fails(ecg_record_open(&r, save(&f, "s.edf"), NULL, &err), err, ECG_ECORRUPT,
             "400 bytes, expected 512");
    f.n = 100;
    ck_fails(ecg_record_open(&r, save(&f, "s.edf"), NULL, &err), err, ECG_ECORRUPT,
             "100 bytes, expected the 256");
    memcpy(f.b, "1", 1);
    f.n = 548;
    ck_fails(ecg_record_open(&r, save(&f, "s.edf"), NULL, &err), err, ECG_EFORMAT, "byte 0");
    ck_fails(ecg_record_open(&r, unit_tmp("no.edf"), NULL, &err), err, ECG_EIO, "no.edf");
}
END_TEST

/* One field of a good file changed. */
static const struct {
    size_t offset;
    const char *text;
    ecg_status status;
    const char *part;
} lies[] = {
    {184, "300     ", ECG_ECORRUPT, "byte 184: a header of 300 bytes, expected 512"},
    {184, "x       ", ECG_EFORMAT, "byte 184: header size \"x\""},
    {192, "EDF+D", ECG_EUNSUPPORTED, "gaps in time"},
    {236, "-2      ", ECG_EFORMAT, "number of data records \"-2\""},
    {236, "99999999", ECG_ECORRUPT, "expected at least 1199999988"},
    {244, "0       ", ECG_EFORMAT, "data records of 0 seconds"},
    {244, "nan     ", ECG_EFORMAT, "seconds of a data record"},
    {252, "0   ", ECG_EFORMAT, "byte 252: number of signals"},
    {252, "9999", ECG_EFORMAT, "number of signals \"9999\""},
    {360, "3276.7  ", ECG_EFORMAT, "expected two different values"},
    {368, "x       ", ECG_EFORMAT, "physical maximum \"x\""},
    {376, "32767   ", ECG_EFORMAT, "rising ones"},
    {384, "40000   ", ECG_EFORMAT, "digital maximum \"40000\""},
    {472, "0       ", ECG_EFORMAT, "byte 472: samples per data record \"0\""},
    {472, "2e6     ", ECG_EFORMAT, "samples per data record \"2e6\""},
};

START_TEST(headers_that_lie)
{
    file f = make(&ecg, 1, "", 3, "1", false);
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    memcpy(f.b + lies[_i].offset, lies[_i].text, strlen(lies[_i].text));
    ck_fails(ecg_record_open(&r, save(&f, "l.edf"), NULL, &err), err, lies[_i].status, lies[_i].part);
    ck_assert_ptr_null(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edf");
    TCase *t = tcase_create("all");
    tcase_add_test(t, rates_that_differ);
    tcase_add_test(t, bdf_and_open_end);
    tcase_add_test(t, short_file);
    tcase_add_loop_test(t, headers_that_lie, 0, sizeof lies / sizeof *lies);
    suite_add_tcase(s, t);
    return unit_run(s);
}
