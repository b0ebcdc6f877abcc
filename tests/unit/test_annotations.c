/* Annotation files: by hand, there and back, damaged, and those of the database. */
#define _XOPEN_SOURCE 700
#include "signal/annotations.h"

#include <dirent.h>

#include "unit.h"

enum { SKIP = 59, NUM, SUB, CHN, AUX };

typedef struct bytes {
    unsigned char b[1024];
    size_t n;
} bytes;

static void word(bytes *w, unsigned code, unsigned interval)
{
    const unsigned v = code << 10 | interval;
    w->b[w->n++] = (unsigned char)v;
    w->b[w->n++] = (unsigned char)(v >> 8);
}

static void skip(bytes *w, int32_t n)
{
    const uint32_t v = (uint32_t)n;
    word(w, SKIP, 0);
    word(w, 0, 0);
    word(w, 0, 0);
    w->b[w->n - 4] = (unsigned char)(v >> 16); /* the high half first, each low byte first */
    w->b[w->n - 3] = (unsigned char)(v >> 24);
    w->b[w->n - 2] = (unsigned char)v;
    w->b[w->n - 1] = (unsigned char)(v >> 8);
}

static void aux(bytes *w, const char *text, size_t n)
{
    word(w, AUX, (unsigned)n);
    memcpy(w->b + w->n, text, n);
    w->n += n + n % 2;
}

static ecg_annotations *parse(const bytes *w, double rate)
{
    ecg_annotations *a;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg__annotations_parse(&a, w->b, w->n, rate, "x.atr", &err), err);
    return a;
}

static void expect(const ecg_annotations *a, size_t i, uint64_t sample, int code, int subtype, int chan,
                   int num, const char *text)
{
    const ecg_annotation *n = ecg_annotations_get(a, i);
    ck_assert_ptr_nonnull(n);
    ck_assert_uint_eq(n->sample, sample);
    ck_assert_int_eq(n->code, code);
    ck_assert_int_eq(n->subtype, subtype);
    ck_assert_int_eq(n->chan, chan);
    ck_assert_int_eq(n->num, num);
    if (text)
        ck_assert_str_eq(n->aux, text);
    else
        ck_assert_ptr_null(n->aux);
}

START_TEST(every_field)
{
    bytes w = {.n = 0};
    word(&w, ECG_ANN_RHYTHM, 18);
    aux(&w, "(N\0", 3);
    word(&w, ECG_ANN_NORMAL, 59);
    word(&w, SUB, 0x3ff); /* -1 */
    word(&w, CHN, 1);
    word(&w, NUM, 0xfe); /* -2 */
    word(&w, ECG_ANN_PVC, 1023);
    skip(&w, 100000);
    word(&w, ECG_ANN_APC, 0);
    aux(&w, "note", 4);
    word(&w, CHN, 0);
    skip(&w, -50);
    word(&w, ECG_ANN_NOISE, 10);
    word(&w, 49, 0);
    word(&w, 0, 5); /* code 0 is one, with an interval */
    word(&w, 0, 0);
    word(&w, 1, 1); /* beyond the end mark */
    ecg_annotations *a = parse(&w, 0);
    ck_assert_uint_eq(ecg_annotations_count(a), 7);
    expect(a, 0, 18, ECG_ANN_RHYTHM, 0, 0, 0, "(N");
    ck_assert_int_eq(ecg_annotations_get(a, 0)->aux_size, 3);
    expect(a, 1, 77, ECG_ANN_NORMAL, -1, 1, -2, NULL);
    expect(a, 2, 1100, ECG_ANN_PVC, 0, 1, -2, NULL); /* chan and num stay, the subtype does not */
    /* In order of sample: the one that steps back comes first, equal ones as they stood. */
    expect(a, 3, 101060, ECG_ANN_NOISE, 0, 0, -2, NULL);
    expect(a, 4, 101060, 49, 0, 0, -2, NULL);
    expect(a, 5, 101065, 0, 0, 0, -2, NULL);
    expect(a, 6, 101100, ECG_ANN_APC, 0, 0, -2, "note");
    ck_assert_ptr_null(ecg_annotations_get(a, 7));
    ck_assert_double_eq(ecg_annotations_rate(a), 0);
    ecg_annotations_free(a);
}
END_TEST

START_TEST(notes_of_the_file)
{
    bytes w = {.n = 0};
    static const char *const notes[] = {"## time resolution: 250", "## annotation type definitions",
                                        "42 x Ectopic beat", "43 y", "## end of definitions"};
    for (size_t i = 0; i < 5; i++) {
        word(&w, ECG_ANN_NOTE, 0);
        aux(&w, notes[i], strlen(notes[i]));
    }
    word(&w, ECG_ANN_NOTE, 0);
    aux(&w, "an ordinary one", 15);
    word(&w, 42, 125);
    word(&w, 0, 0);
    ecg_annotations *a = parse(&w, 360);
    ck_assert_uint_eq(ecg_annotations_count(a), 2);
    ck_assert_double_eq(ecg_annotations_rate(a), 250);
    expect(a, 0, 0, ECG_ANN_NOTE, 0, 0, 0, "an ordinary one");
    expect(a, 1, 180, 42, 0, 0, 0, NULL); /* half a second */
    ck_assert_str_eq(ecg_annotations_custom_char(a, 42), "x");
    ck_assert_str_eq(ecg_annotations_custom_name(a, 42), "Ectopic beat");
    ck_assert_str_eq(ecg_annotations_custom_char(a, 43), "y");
    ck_assert_str_eq(ecg_annotations_custom_name(a, 43), "");
    ck_assert_ptr_null(ecg_annotations_custom_char(a, 44));
    ck_assert_ptr_null(ecg_annotations_custom_char(a, 200));
    ecg_annotations_free(a);
    a = parse(&w, 0);
    ck_assert_uint_eq(ecg_annotations_get(a, 1)->sample, 125);
    ecg_annotations_free(a);
}
END_TEST

START_TEST(damaged)
{
    ecg_annotations *a;
    ecg_error err = {ECG_OK, 0, ""};
    bytes w = {.n = 0};
    ck_fails(ecg__annotations_parse(&a, w.b, 0, 0, "x.atr", &err), err, ECG_ECORRUPT,
             "x.atr: ends at byte 0");
    word(&w, 1, 5);
    ck_fails(ecg__annotations_parse(&a, w.b, 2, 0, "x.atr", &err), err, ECG_ECORRUPT, "ends at byte 2");
    ck_fails(ecg__annotations_parse(&a, w.b, 1, 0, "x.atr", &err), err, ECG_ECORRUPT, "ends at byte 1");
    word(&w, AUX, 9);
    w.n += 4;
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT, "expected 6 more");
    w.n = 2;
    word(&w, AUX, 256);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT,
             "text of 256 bytes at byte 2");
    w.n = 2;
    word(&w, 55, 0);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT, "code 55 at byte 2");
    w.n = 0;
    word(&w, CHN, 1);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT, "code 62 at byte 0");
    w.n = 0;
    skip(&w, -7);
    word(&w, 1, 5);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT, "at sample -2");
    w.n = 0;
    word(&w, SKIP, 0);
    word(&w, 0, 0);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT,
             "ends at byte 4, expected 2 more");
    w.n = 0;
    word(&w, ECG_ANN_NOTE, 0);
    aux(&w, "## time resolution: 0", 21);
    word(&w, 0, 0);
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, 0, "x.atr", &err), err, ECG_ECORRUPT,
             "time resolution \"0\"");
    ck_assert_ptr_null(a);
    ck_fails(ecg_annotations_read(&a, unit_tmp("none.atr"), 0, &err), err, ECG_EIO, "none.atr");
    ck_fails(ecg__annotations_parse(&a, w.b, w.n, -1, "x.atr", &err), err, ECG_EINVAL, "rate -1");
    ecg_annotations_free(NULL);
}
END_TEST

START_TEST(written_and_read_back)
{
    const ecg_annotation all[] = {{.sample = 0, .code = 1},
                                  {.sample = 1023, .code = 5, .subtype = -1, .chan = 3, .num = 7},
                                  {.sample = 2047, .code = 28, .chan = 3, .num = 7, .aux = "(AFIB"},
                                  {.sample = 2047, .code = 22, .num = -8, .aux = "a\0b", .aux_size = 3},
                                  {.sample = 7000000000, .code = 49, .aux = ""}};
    enum { N = sizeof all / sizeof *all };
    ecg_annotations *a;
    ecg_error err = {ECG_OK, 0, ""};
    for (int rate = 0; rate <= 360; rate += 360) {
        const char *path = unit_tmp("w.cnn");
        ck_ok(ecg_annotations_write(all, N, rate, path, &err), err);
        ck_ok(ecg_annotations_read(&a, path, rate * 2, &err), err);
        ck_assert_uint_eq(ecg_annotations_count(a), N);
        ck_assert_double_eq(ecg_annotations_rate(a), rate);
        for (size_t i = 0; i < N; i++)
            expect(a, i, all[i].sample * (rate ? 2 : 1), all[i].code, all[i].subtype, all[i].chan, all[i].num,
                   i < 3 ? all[i].aux : ecg_annotations_get(a, i)->aux);
        ck_assert_mem_eq(ecg_annotations_get(a, 3)->aux, "a\0b", 4);
        ecg_annotations_free(a);
    }
    /* The bytes of a small one, by hand. */
    ck_ok(ecg_annotations_write(all, 2, 0, unit_tmp("w.cnn"), &err), err);
    FILE *f = fopen(unit_tmp("w.cnn"), "rb");
    unsigned char got[32];
    const unsigned char want[] = {0, 4, 0xff, 0x17, 0xff, 0xf7, 3, 0xf8, 7, 0xf0, 0, 0};
    ck_assert_uint_eq(fread(got, 1, sizeof got, f), sizeof want);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_mem_eq(got, want, sizeof want);
}
END_TEST

START_TEST(what_is_not_written)
{
    ecg_error err = {ECG_OK, 0, ""};
    static char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    const char *path = unit_tmp("never.cnn");
    remove(path);
    const ecg_annotation back[] = {{.sample = 5, .code = 1}, {.sample = 4, .code = 1}};
    const ecg_annotation zero = {.sample = 5}, high = {.code = 50}, text = {.code = 1, .aux = longer},
                         far = {.code = 1, .sample = UINT64_MAX};
    ck_fails(ecg_annotations_write(back, 2, 0, path, &err), err, ECG_EINVAL, "annotation 1: sample 4");
    ck_fails(ecg_annotations_write(&zero, 1, 0, path, &err), err, ECG_EINVAL, "code 0");
    ck_fails(ecg_annotations_write(&high, 1, 0, path, &err), err, ECG_EINVAL, "code 50");
    ck_fails(ecg_annotations_write(&text, 1, 0, path, &err), err, ECG_EINVAL, "text of 299 bytes");
    ck_fails(ecg_annotations_write(&far, 1, 0, path, &err), err, ECG_EINVAL, "sample");
    ck_fails(ecg_annotations_write(back, 1, -1, path, &err), err, ECG_EINVAL, "rate");
    ck_fails(ecg_annotations_write(back, 1, 0, "/nonexistent/x", &err), err, ECG_EIO, "/nonexistent/x");
    ck_assert_ptr_null(fopen(path, "rb"));
}
END_TEST

START_TEST(codes)
{
    static const char table[] = "NLRaVFJASEj/Q~";
    for (int i = 0; i < 14; i++) {
        ck_assert_int_eq(ecg_annotation_char((uint8_t)(i + 1)), table[i]);
        ck_assert_int_eq(ecg_annotation_is_beat((uint8_t)(i + 1)), i < 13);
    }
    int beats = 0;
    for (int i = 0; i < 256; i++) {
        const char c = ecg_annotation_char((uint8_t)i);
        beats += ecg_annotation_is_beat((uint8_t)i);
        ck_assert(!c || (ecg_annotation_from_char(c) == i && *ecg_annotation_code_name((uint8_t)i)));
    }
    ck_assert_int_eq(beats, 19);
    ck_assert_int_eq(ecg_annotation_from_char('!'), ECG_ANN_FLWAV);
    ck_assert_int_eq(ecg_annotation_is_beat(ECG_ANN_FLWAV), 0);
    ck_assert_int_eq(ecg_annotation_from_char('Z'), 0);
    ck_assert_int_eq(ecg_annotation_from_char('\0'), 0);
    ck_assert_str_eq(ecg_annotation_code_name(200), "");
}
END_TEST

/* ---- the database ---- */

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    unsigned char *b = malloc(1 << 20);
    *n = fread(b, 1, 1 << 20, f);
    ck_assert_int_eq(fclose(f), 0);
    return b;
}

/* How often a code occurs, and the sum of its samples. */
typedef struct tally {
    uint64_t n, sum;
} tally;

static void check_record(const char *dir, const char *name, tally *counts)
{
    char path[1024], atr[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(atr, sizeof atr, "%s/%s.atr", dir, name);
    ecg_record *r;
    ecg_annotations *a;
    ecg_error err = {ECG_OK, 0, ""};
    ck_ok(ecg_record_open(&r, path, NULL, &err), err);
    ck_ok(ecg_record_verify(r, &err), err);
    ck_assert_uint_eq(ecg_record_get_info(r)->frames, 650000);
    ck_assert_uint_eq(ecg_record_get_info(r)->signals, 2);
    ck_fails(ecg_record_annotations(&a, r, "../x", &err), err, ECG_EINVAL, "annotator");
    ck_ok(ecg_record_annotations(&a, r, "atr", &err), err);
    const char *copy = unit_tmp("copy.atr");
    ck_ok(ecg_annotations_write(ecg_annotations_all(a), ecg_annotations_count(a), 0, copy, &err), err);
    size_t n, m;
    unsigned char *own = slurp(copy, &n), *given = slurp(atr, &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(own, given, n);
    free(own);
    free(given);
    for (size_t i = 0; i < ecg_annotations_count(a); i++) {
        counts[ecg_annotations_get(a, i)->code].n++;
        counts[ecg_annotations_get(a, i)->code].sum += ecg_annotations_get(a, i)->sample;
    }
    ecg_annotations_free(a);
    ecg_record_close(r);
}

/* The same counts by tests/check/mitdb.py, which shares nothing with the library. */
static void compare_with_python(const char *dir, const tally *c, const tally *p)
{
    char command[4096], line[128];
    snprintf(command, sizeof command, "command -v python3 >/dev/null && python3 '%s' '%s'/*.atr",
             unit_data("../check/mitdb.py"), dir);
    FILE *f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    tally other[256] = {{0, 0}};
    int lines = 0;
    for (; fgets(line, sizeof line, f); lines++) {
        unsigned code;
        unsigned long long n, sum;
        ck_assert_msg(sscanf(line, "%u %llu %llu", &code, &n, &sum) == 3 && code < 256, "%s", line);
        other[code] = (tally){n, sum};
    }
    if (pclose(f) != 0 && lines == 0) {
        printf("SKIP: no python3 for the second count\n");
        return;
    }
    for (int i = 0; i < 256; i++) {
        ck_assert_msg(c[i].n + p[i].n == other[i].n && c[i].sum + p[i].sum == other[i].sum,
                      "code %d: %llu and %llu, the other reader has %llu", i, (unsigned long long)c[i].n,
                      (unsigned long long)p[i].n, (unsigned long long)other[i].n);
    }
    ck_assert_int_gt(lines, 15);
}

/* Every record to its last sample and annotation; the classes of the training half as in the literature,
 * those of the set jun8 as counted by the other reader. */
START_TEST(the_database)
{
    static const char ds1[] =
        "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230";
    static const char paced[] = "102 104 107 217";
    char dir[900];
    const char *shared = getenv("ECG_SHARED");
    snprintf(dir, sizeof dir, "%s/data/mitdb", shared ? shared : "../shared");
    DIR *d = opendir(dir);
    if (!d) {
        printf("SKIP: no folder %s\n", dir);
        return;
    }
    closedir(d);
    tally c[256] = {{0, 0}}, p[256] = {{0, 0}};
    char name[4] = "";
    for (const char *s = ds1; s < ds1 + sizeof ds1; s += 4)
        check_record(dir, memcpy(name, s, 3), c);
    for (const char *s = paced; s < paced + sizeof paced; s += 4)
        check_record(dir, memcpy(name, s, 3), p);
    ck_assert_uint_eq(c[1].n + c[2].n + c[3].n + c[34].n + c[11].n, 45866); /* N L R e j */
    ck_assert_uint_eq(c[8].n + c[4].n + c[7].n + c[9].n, 944);              /* A a J S */
    ck_assert_uint_eq(c[5].n + c[10].n, 3788);                              /* V E */
    ck_assert_uint_eq(c[6].n, 415);
    ck_assert_uint_eq(c[12].n + c[38].n + c[13].n, 8); /* paced, f, Q */
    /* jun8, both parts: the numbers of those classes that lie in one part only are those of the whole
     * database */
    ck_assert_uint_eq(c[31].n + p[31].n, 472); /* ! */
    ck_assert_uint_eq(p[12].n, 7028);          /* paced */
    ck_assert_uint_eq(c[10].n + p[10].n, 105); /* E */
    compare_with_python(dir, c, p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("annotations");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_field);
    tcase_add_test(t, notes_of_the_file);
    tcase_add_test(t, damaged);
    tcase_add_test(t, written_and_read_back);
    tcase_add_test(t, what_is_not_written);
    tcase_add_test(t, codes);
    tcase_add_test(t, the_database);
    suite_add_tcase(s, t);
    return unit_run(s);
}
