/* Recordings in all formats, written here and read back; segments, skew, short files, memory. */
#define _XOPEN_SOURCE 700
#include "ecgcnn/record.h"

#include <math.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unit.h"

static void write_file(const char *name, const void *data, size_t n)
{
    const char *path = unit_tmp(name);
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f && fwrite(data, 1, n, f) == n && fclose(f) == 0, "cannot write %s", path);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static ecg_record *open_ok(const char *name)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_open(&r, unit_tmp(name), NULL, &err), err);
    return r;
}

/* ---- small writers, one for each format, as signal(5) describes them ---- */

static size_t put_bytes(unsigned char *b, size_t at, uint32_t v, int n, bool big)
{
    for (int k = 0; k < n; k++)
        b[at + (size_t)k] = (unsigned char)(v >> 8 * (big ? n - 1 - k : k));
    return at + (size_t)n;
}

static size_t encode(uint32_t format, unsigned char *b, const int32_t *v, size_t n, size_t signals)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)v[i];
        switch (format) {
        case 8: /* the initial value is the first sample */
            at = put_bytes(b, at, i < signals ? 0 : u - (uint32_t)v[i - signals], 1, false);
            break;
        case 16:
            at = put_bytes(b, at, u, 2, false);
            break;
        case 24:
            at = put_bytes(b, at, u, 3, false);
            break;
        case 32:
            at = put_bytes(b, at, u, 4, false);
            break;
        case 61:
            at = put_bytes(b, at, u, 2, true);
            break;
        case 80:
            at = put_bytes(b, at, u + 128, 1, false);
            break;
        case 160:
            at = put_bytes(b, at, u + 32768, 2, false);
            break;
        case 212:
            if (i % 2 == 0) {
                at = put_bytes(b, at, u & 0xfff, 2, false);
            } else {
                b[at - 1] = (unsigned char)(b[at - 1] | (u >> 8 & 15) << 4);
                at = put_bytes(b, at, u, 1, false);
            }
            break;
        case 310:
            if (i % 3 < 2) {
                at = put_bytes(b, at, (u & 0x3ff) << 1, 2, false);
            } else {
                b[at - 3] = (unsigned char)(b[at - 3] | (u & 31) << 3);
                b[at - 1] = (unsigned char)(b[at - 1] | (u >> 5 & 31) << 3);
            }
            break;
        default: /* 311: as many bytes as the bits need, in the end four */
            if (i % 3 == 0)
                at = put_bytes(b, at, u & 0x3ff, 2, false);
            else if (i % 3 == 1) {
                b[at - 1] = (unsigned char)(b[at - 1] | (u & 63) << 2);
                at = put_bytes(b, at, u >> 6 & 15, 1, false);
            } else {
                b[at - 1] = (unsigned char)(b[at - 1] | (u & 15) << 4);
                at = put_bytes(b, at, u >> 4 & 63, 1, false);
            }
        }
    }
    return at;
}

static const uint32_t formats[] = {8, 16, 24, 32, 61, 80, 160, 212, 310, 311};
enum { FORMATS = sizeof formats / sizeof *formats, FRAMES = 20011 };

static int32_t wave(size_t frame, size_t signal)
{
    return (int32_t)lround(100 * sin((double)frame * 0.02 + (double)signal)) - (int32_t)signal;
}

static int checksum(const int32_t *v, size_t n, size_t signals, size_t s)
{
    uint32_t sum = 0;
    for (size_t i = s; i < n; i += signals)
        sum += (uint32_t)v[i];
    return (int)((sum & 0xffff) ^ 0x8000) - 0x8000;
}

/* Three signals, so that frames do not end where groups of two do; more frames than fit into a chunk. */
START_TEST(written_and_read_back)
{
    const uint32_t format = formats[_i];
    const size_t n = (size_t)FRAMES * 3;
    int32_t *v = calloc(n, sizeof *v), *raw = calloc(FRAMES, sizeof *raw);
    unsigned char *b = calloc(n * 4 + 100, 1);
    float *mv = calloc(n, sizeof *mv);
    for (size_t i = 0; i < n; i++)
        v[i] = wave(i / 3, i % 3);
    const size_t bytes = encode(format, b + 64, v, n, 3);
    char text[512];
    size_t at = (size_t)snprintf(text, sizeof text, "f 3 250 %d\n", FRAMES);
    for (size_t s = 0; s < 3; s++)
        at += (size_t)snprintf(text + at, sizeof text - at, "f.dat %u+64 100(%d)/mV 12 0 %d %d 0 s%zu\n",
                               format, (int)s * 5, v[s], checksum(v, n, 3, s), s);
    write_text("f.hea", text);
    write_file("f.dat", b, 64 + bytes);

    ecg_record *r = open_ok("f");
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_verify(r, &err), err);
    ck_ok(ecg_record_read(r, 0, FRAMES, mv, &err), err);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(mv[i] - (float)((v[i] - (int)(i % 3) * 5) / 100.0)) < 1e-6f,
                      "format %u sample %zu: %g", format, i, (double)mv[i]);
    for (size_t s = 0; s < 3; s++) {
        ck_ok(ecg_record_read_raw(r, (uint32_t)s, 0, FRAMES, raw, &err), err);
        for (size_t i = 0; i < FRAMES; i++)
            ck_assert_int_eq(raw[i], v[3 * i + s]);
    }
    /* Backwards, in pieces of another length. */
    for (size_t from = FRAMES; from > 0;) {
        const size_t m = from < 777 ? from : 777;
        from -= m;
        ck_ok(ecg_record_read_raw(r, 1, from, m, raw, &err), err);
        for (size_t i = 0; i < m; i++)
            ck_assert_int_eq(raw[i], v[3 * (from + i) + 1]);
    }
    ck_fails(ecg_record_read_raw(r, 1, FRAMES, 1, raw, &err), err, ECG_EINVAL, "it has 20011");
    ck_fails(ecg_record_read(r, FRAMES - 1, 2, mv, &err), err, ECG_EINVAL, "frames 20010 to 20012");
    ck_fails(ecg_record_read_raw(r, 3, 0, 1, raw, &err), err, ECG_EINVAL, "signal 3");
    ecg_record_close(r);

    /* The same without a length in the header, and one byte too short with it. */
    char open_end[512];
    snprintf(open_end, sizeof open_end, "g 3 250\n%s", strchr(text, '\n') + 1);
    write_text("g.hea", open_end);
    r = open_ok("g");
    ck_assert_uint_eq(ecg_record_get_info(r)->frames, FRAMES);
    ecg_record_close(r);
    write_file("f.dat", b, 64 + bytes - 1);
    ck_fails(ecg_record_open(&r, unit_tmp("f"), NULL, &err), err, ECG_ECORRUPT, "f.dat");
    ck_assert_ptr_null(r);
    /* A bit changed is found by the sum, of which the message names both sides. */
    b[64 + 12] ^= 4;
    write_file("f.dat", b, 64 + bytes);
    r = open_ok("f");
    ck_fails(ecg_record_verify(r, &err), err, ECG_ECORRUPT, "checksum of signal");
    ecg_record_close(r);
    free(v);
    free(raw);
    free(b);
    free(mv);
}
END_TEST

START_TEST(invalid_samples)
{
    static const struct {
        uint32_t format;
        int32_t invalid;
    } known[] = {{16, -32768},  {24, -8388608}, {32, INT32_MIN}, {61, -32768}, {80, -128},
                 {160, -32768}, {212, -2048},   {310, -512},     {311, -512}};
    const int32_t v[6] = {1, known[_i].invalid, 3, known[_i].invalid + 1, 5, 6};
    unsigned char b[32] = {0};
    char text[128];
    snprintf(text, sizeof text, "i 1 100 6\ni.dat %u 2/mmHg\n", known[_i].format);
    write_text("i.hea", text);
    write_file("i.dat", b, encode(known[_i].format, b, v, 6, 1));
    ecg_record *r = open_ok("i.hea");
    ecg_error err = {ECG_OK, 0, ""};
    int32_t raw[6];
    float mv[6];
    ck_ok(ecg_record_read_raw(r, 0, 0, 6, raw, &err), err);
    ck_ok(ecg_record_read_signal(r, 0, 0, 6, mv, &err), err);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(raw[i], i == 1 ? ECG_SAMPLE_INVALID : v[i]);
        ck_assert(i == 1 ? isnan(mv[i]) : mv[i] == (float)(v[i] / 2.0)); /* no voltage: in its own unit */
    }
    ck_assert_str_eq(ecg_record_signal(r, 0)->name, "signal 0");
    ecg_record_close(r);
}
END_TEST

/* Two files; the second has two samples a frame, is late by 2 frames and in microvolts. */
START_TEST(files_frames_and_skew)
{
    int32_t a[6] = {0, 10, 20, 30, 40, 50}, b[12];
    unsigned char bytes[64] = {0};
    for (int i = 0; i < 12; i++)
        b[i] = 100 * i;
    write_file("m1.dat", bytes, encode(16, bytes, a, 6, 1));
    write_file("m2.dat", bytes, encode(61, bytes, b, 12, 1));
    write_text("m.hea", "m 2 100 6\nm1.dat 16 10 0 0 0 0 0 I\nm2.dat 61x2:2 100(200)/uV 0 0 0 0 0 II\n");
    ecg_record *r = open_ok("m");
    ecg_error err = {ECG_OK, 0, ""};
    float mv[12], one[12];
    ck_ok(ecg_record_read(r, 0, 6, mv, &err), err);
    ck_ok(ecg_record_read_signal(r, 1, 0, 12, one, &err), err);
    for (int i = 0; i < 12; i++)
        ck_assert(i < 8 ? fabsf(one[i] - (float)(i + 4 - 2) / 1000) < 1e-8f : isnan(one[i]));
    for (int i = 0; i < 6; i++) {
        ck_assert(mv[2 * i] == (float)i);
        ck_assert(i < 4 ? fabsf(mv[2 * i + 1] - (one[2 * i] + one[2 * i + 1]) / 2) < 1e-8f
                        : isnan(mv[2 * i + 1]));
    }
    ck_assert_int_eq(ecg_record_find_signal(r, "ii"), 1);
    ck_assert_int_eq(ecg_record_find_signal(r, "MLII"), -1);
    ck_fails(ecg_record_verify(r, &err), err, ECG_ECORRUPT, "checksum of signal 0 is 150, expected 0 (I)");
    ecg_record_close(r);
    ck_assert_int_eq(remove(unit_tmp("m2.dat")), 0);
    ck_fails(ecg_record_open(&r, unit_tmp("m"), NULL, &err), err, ECG_EIO, "m2.dat");
}
END_TEST

/* s1 has I and II, s2 has II at another gain: the layout puts them into rows, with a gap between. */
START_TEST(variable_layout)
{
    const int32_t a[6] = {1, 2, 3, 4, 5, 6}, b[2] = {10, 20};
    unsigned char bytes[32] = {0};
    write_file("s1.dat", bytes, encode(16, bytes, a, 6, 2));
    write_file("s2.dat", bytes, encode(16, bytes, b, 2, 1));
    write_text("s1.hea", "s1 2 10 3\ns1.dat 16 1 0 0 1 9 0 I\ns1.dat 16 1 0 0 2 12 0 II\n");
    write_text("s2.hea", "s2 1 10 2\ns2.dat 16 10 0 0 10 30 0 II\n");
    write_text("lay.hea", "lay 2 10 0\n~ 0 1 0 0 0 0 0 I\n~ 0 1 0 0 0 0 0 II\n");
    write_text("v.hea", "v/4 2 10 7\nlay 0\ns1 3\n~ 2\ns2 2\n# note\n");
    ecg_record *r = open_ok("v");
    ecg_error err = {ECG_OK, 0, ""};
    const float want[7][2] = {{1, 2}, {3, 4}, {5, 6}, {NAN, NAN}, {NAN, NAN}, {NAN, 1}, {NAN, 2}};
    float mv[7][2];
    int32_t raw[7];
    ck_ok(ecg_record_read(r, 0, 7, &mv[0][0], &err), err);
    for (int i = 0; i < 14; i++)
        ck_assert(isnan(want[i / 2][i % 2]) ? isnan(mv[i / 2][i % 2])
                                            : mv[i / 2][i % 2] == want[i / 2][i % 2]);
    ck_assert_uint_eq(ecg_record_get_info(r)->segments, 3);
    ck_assert_str_eq(ecg_record_comment(r, 0), "note");
    ck_ok(ecg_record_verify(r, &err), err);
    ck_ok(ecg_record_read_raw(r, 1, 0, 5, raw, &err), err);
    ck_fails(ecg_record_read_raw(r, 1, 0, 7, raw, &err), err, ECG_EUNSUPPORTED, "gain 10(0) of II");
    ecg_record_close(r);
}
END_TEST

START_TEST(fixed_layout)
{
    const int32_t a[3] = {1, 2, 3}, b[2] = {4, 5};
    unsigned char bytes[32] = {0};
    write_file("p1.dat", bytes, encode(16, bytes, a, 3, 1));
    write_file("p2.dat", bytes, encode(16, bytes, b, 2, 1));
    write_text("p1.hea", "p1 1 10 3\np1.dat 16:1 1 0 0 1 6 0 I\n");
    write_text("p2.hea", "p2 1 10 2\np2.dat 16:1 1 0 0 4 9 0 I\n");
    write_text("x.hea", "x/3 1 10 6\np1 3\n~ 1\np2 2\n");
    ecg_record *r = open_ok("x");
    ecg_error err = {ECG_OK, 0, ""};
    float mv[6];
    /* The skew reaches across segments. */
    ck_ok(ecg_record_read_signal(r, 0, 0, 6, mv, &err), err);
    ck_assert(mv[0] == 2 && mv[1] == 3 && isnan(mv[2]) && mv[3] == 4 && mv[4] == 5 && isnan(mv[5]));
    ck_ok(ecg_record_verify(r, &err), err);
    ecg_record_close(r);
    /* Segments that disagree with the record are found when they are read. */
    static const char *const lies[][2] = {
        {"p2 1 10 1\np2.dat 16:1 1 0 0 4 4 0 I\n", "1 frames, expected 2"},
        {"p2 1 20 2\np2.dat 16:1 1\n", "20 frames a second, expected 10"},
        {"p2 2 10 2\np2.dat 16 1\n~ 0\n", "2 signals, expected 1"},
        {"p2 1 10 1\np2.dat 16x2:1 1\n", "frames, expected 2"},
        {"p2 1 10 2\np2.dat 16 1\n", "skew 0"},
        {"p2/1 1 10 2\np1 2\n", "has segments"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        write_text("p2.hea", lies[i][0]);
        r = open_ok("x");
        ck_ok(ecg_record_read_signal(r, 0, 0, 3, mv, &err), err);
        err.message[0] = '\0';
        ck_assert_int_ne(ecg_record_read_signal(r, 0, 4, 1, mv, &err), ECG_OK);
        ck_assert_msg(strstr(err.message, lies[i][1]) != NULL, "%s", err.message);
        ck_assert_int_ne(ecg_record_verify(r, &err), ECG_OK);
        ecg_record_close(r);
    }
    write_text("x.hea", "x/2 2 10 5\np1 3\np2 2\n");
    ck_fails(ecg_record_open(&r, unit_tmp("x"), NULL, &err), err, ECG_ECORRUPT, "2 signals, but");
    write_text("x.hea", "x/2 1 10 5\n~ 3\n~ 2\n");
    ck_fails(ecg_record_open(&r, unit_tmp("x"), NULL, &err), err, ECG_EFORMAT, "all segments are gaps");
}
END_TEST

START_TEST(what_cannot_be)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    write_text("l.dat", "123456");
    write_text("l.hea", "l 1 360 4611686018427387904\nl.dat 16\n");
    ck_fails(ecg_record_open(&r, unit_tmp("l"), NULL, &err), err, ECG_ELIMIT, "4611686018427387904 frames");
    write_text("l.hea", "l 1 360 1000000000000\nl.dat 212\n");
    ck_fails(ecg_record_open(&r, unit_tmp("l"), NULL, &err), err, ECG_ECORRUPT,
             "l.dat: 6 bytes, expected at least 1500000000000");
    write_text("l.hea", "l 1 360\nl.dat 212+7\n");
    ck_fails(ecg_record_open(&r, unit_tmp("l"), NULL, &err), err, ECG_ECORRUPT, "after byte 7");
    write_text("l.hea", "l 1 360 4\n. 16\n");
    ck_fails(ecg_record_open(&r, unit_tmp("l"), NULL, &err), err, ECG_EIO, "not a regular file");
    ck_fails(ecg_record_open(&r, unit_tmp("nothing"), NULL, &err), err, ECG_EIO, "nothing.hea");
    ck_fails(ecg_record_open(&r, "", NULL, &err), err, ECG_EINVAL, "no path");
    ck_fails(ecg_record_open(&r, NULL, NULL, &err), err, ECG_EINVAL, "no path");
    ecg_record_options o = ECG_RECORD_OPTIONS_INIT;
    o.rate = NAN;
    ck_fails(ecg_record_open(&r, unit_tmp("l"), &o, &err), err, ECG_EINVAL, "rate");
    /* One that becomes shorter while it is open. */
    write_text("l.hea", "l 1 360 3\nl.dat 16\n");
    r = open_ok("l");
    write_text("l.dat", "12");
    float mv[3];
    ck_fails(ecg_record_read(r, 0, 3, mv, &err), err, ECG_ECORRUPT, "ends at byte 2, expected 6");
    ecg_record_close(r);
    ecg_record_close(NULL);
}
END_TEST

/* 24 hours of two signals, in a format that must be read from the beginning: well below its 35 MB (measured
 * 0.5 MB). */
START_TEST(a_day_in_little_memory)
{
    enum { RATE = 200, N = 24 * 3600 * RATE, PIECE = 1 << 16 };
    FILE *f = fopen(unit_tmp("day.dat"), "wb");
    static signed char bytes[2 * PIECE];
    for (size_t i = 0; i < 2 * PIECE; i++)
        bytes[i] = (signed char)(i % 4 < 2 ? 3 : -3);
    for (size_t left = 2 * (size_t)N; left > 0;) {
        const size_t m = left < sizeof bytes ? left : sizeof bytes;
        ck_assert_uint_eq(fwrite(bytes, 1, m, f), m);
        left -= m;
    }
    ck_assert_int_eq(fclose(f), 0);
    write_text("day.hea", "day 2 200 17280000\nday.dat 8 200 0 0 0 0 0 I\nday.dat 8 200 0 0 7 0 0 II\n");
    ecg_error err = {ECG_OK, 0, ""};
    struct rusage before, after;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
    ecg_record *r = open_ok("day");
    static float mv[2 * 4096];
    double sum = 0;
    for (uint64_t at = 0; at < N; at += 4096) {
        const size_t m = N - at < 4096 ? (size_t)(N - at) : 4096;
        ck_ok(ecg_record_read(r, at, m, mv, &err), err);
        for (size_t i = 0; i < 2 * m; i++)
            sum += (double)mv[i];
    }
    /* 3, 0, 3, 0 and 10, 7, 10, 7 at 200 per millivolt */
    ck_assert_double_eq_tol(sum, N / 2 * (3 + 10 + 7) / 200.0, 1);
    ck_ok(ecg_record_read(r, 5, 1, mv, &err), err);
    ck_assert(fabsf(mv[1] - 7.0f / 200) < 1e-7f);
    ecg_record_close(r);
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
    ck_assert_msg(after.ru_maxrss - before.ru_maxrss < 16 * 1024, "%ld KB",
                  after.ru_maxrss - before.ru_maxrss);
    ck_assert_int_eq(remove(unit_tmp("day.dat")), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, written_and_read_back, 0, FORMATS);
    tcase_add_loop_test(t, invalid_samples, 0, 9);
    tcase_add_test(t, files_frames_and_skew);
    tcase_add_test(t, variable_layout);
    tcase_add_test(t, fixed_layout);
    tcase_add_test(t, what_cannot_be);
    tcase_add_test(t, a_day_in_little_memory);
    suite_add_tcase(s, t);
    return unit_run(s);
}
