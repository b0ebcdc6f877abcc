/* Pairs of beats by hand, and every rule of bxb that decides on one. 100 frames a second; window 15 frames.
 */
#include "ecgcnn/record.h"
#include "unit.h"

enum {
    N = ECG_LABEL_N,
    S = ECG_LABEL_S,
    V = ECG_LABEL_V,
    F = ECG_LABEL_F,
    Q = ECG_LABEL_Q,
    O = ECG_LABEL_O,
    X = ECG_LABEL_X
};

/* "N100 V200 [300 ]400 ~500" as annotations; s is ~ that begins a shutdown. */
static size_t read_list(const char *s, ecg_annotation *out)
{
    size_t n = 0;
    while (*s) {
        const int lost = *s == 's';
        const uint8_t code = lost ? ECG_ANN_NOISE : ecg_annotation_from_char(*s);
        ck_assert_msg(code != 0, "%s", s);
        char *end;
        out[n++] = (ecg_annotation){
            .code = code, .sample = strtoull(s + 1, &end, 10), .subtype = (int8_t)(lost ? 0x30 : 0)};
        s = end + (*end == ' ');
    }
    return n;
}

static ecg_beat_table compare_from(const char *reference, const char *test, double from)
{
    ecg_annotation r[64], t[64];
    ecg_beat_table table;
    ecg_error err = {ECG_OK, 0, ""};
    ecg_compare_options o = ECG_COMPARE_OPTIONS_INIT;
    o.from = from;
    const size_t n = read_list(reference, r), m = read_list(test, t);
    ck_ok(ecg_beats_compare(&table, r, n, t, m, 100, 100000, &o, &err), err);
    return table;
}

/* `want` is "Nn2 Vo1": every cell that is not 0. */
static void expect(const ecg_beat_table *t, const char *want, const char *what)
{
    char got[512] = "";
    for (int i = 0; i < ECG_LABELS; i++) {
        for (int k = 0; k < ECG_LABELS; k++) {
            const size_t n = strlen(got);
            if (t->counts[i][k])
                snprintf(got + n, sizeof got - n, "%s%c%c%llu", n ? " " : "", "NSVFQOX"[i], "nsvfqox"[k],
                         (unsigned long long)t -> counts[i][k]);
        }
    }
    ck_assert_msg(strcmp(got, want) == 0, "%s: %s, expected %s", what, got, want);
}

static const struct {
    const char *what, *reference, *test, *want;
} cases[] = {
    {"the same", "N100 V200 A300", "N100 V200 A300", "Nn1 Ss1 Vv1"},
    {"at the window's end", "N100 N300", "N115 N285", "Nn2"},
    {"beyond it", "N100 N300", "N116 N284", "No2 On2"},
    {"classes of bxb", "N1 L101 R201 B301 A401 a501 J601 S701 j801 e901 n1001",
     "N1 N101 N201 N301 A401 A501 A601 A701 "
     "A801 A901 A1001",
     "Nn4 Ss7"},
    {"the others", "V1 E101 r201 F301 Q401 /501 f601 ?701", "V1 V101 V201 F301 Q401 Q501 Q601 Q701",
     "Vv3 Ff1 Qq4"},
    {"confused", "N100 A200 V300 F400 /500", "V100 N200 A300 V400 F500", "Nv1 Sn1 Vs1 Fv1 Qf1"},
    {"missed and extra", "N100 V300", "A200", "No1 Vo1 Os1"},
    {"the nearer of two tests", "N100", "V90 N105", "Nn1 Ov1"},
    {"equally near: the later", "N100", "V95 N105", "Nn1 Ov1"},
    {"the nearer of two references", "N100 V110", "V108", "No1 Vv1"},
    {"equally near: the later reference", "N100 V110", "N105", "No1 Vn1"},
    /* The case of bxb's note of 2002, in its frames: the second pair is so good that the first holds. */
    {"a better pair behind it", "N1000 N1020", "N1010 N1021", "Nn2"},
    {"and the other way round", "N1010 N1021", "N1000 N1020", "Nn2"},
    {"flutter is left out", "N100 [200 !210 V220 !230 ]300 N400", "N100 V210 V230 N400", "Nn2"},
    {"flutter of the test", "N100 N250 N400", "N100 [200 N250 ]300 N400", "Nn2 No1"},
    {"flutter to the end", "N100 [200 V220", "N100 V220 V5000", "Nn1"},
    {"a wave outside an episode is no beat", "N100 !200", "N100 V201", "Nn1 Ov1"},
    {"nor does it count alone", "N100 !200", "N100", "Nn1"},
    {"lost signal of the test", "N100 V200 N400", "N100 s150 ~250 N400", "Nn2 Vx1"},
    {"lost signal of the reference", "N100 s150 ~350 N400", "N100 V200 A300 N400", "Nn2 Xs1 Xv1"},
    {"in the middle of a loss", "N100 s200 N400", "N100 V120 V380 N400", "Nn2 Xv2"},
    {"but not within a window of its ends", "N100 s200 N400", "V96 V114 N400", "Nn1 Nv1 Ov1"},
    {"lost to the end", "N100 N9000", "N100 s150", "Nn1 Nx1"},
    {"other annotations are none", "+5 N100 ~150 |160 x170", "N100 \"120 x300", "Nn1"},
    {"nothing at all", "", "", ""},
};

START_TEST(by_hand)
{
    const ecg_beat_table t = compare_from(cases[_i].reference, cases[_i].test, 0);
    expect(&t, cases[_i].want, cases[_i].what);
}
END_TEST

static const struct {
    const char *what, *reference, *test, *want;
} starts[] = {
    {"before the start does not count", "N900 V999 N1100", "N900 A999 N1100", "Nn1"},
    {"at the start does", "N1000", "N1000", "Nn1"},
    {"a test just before it for a reference after it", "N1003 N1100", "N995 N1100", "Nn2"},
    {"unless a later one is nearer", "N1003 N1100", "V995 N1004 N1100", "Nn2"},
    {"a test just after it for one before it", "N999 N1030", "V1001 N1030", "Nn1"},
    {"too far to be dropped", "N999 N1030", "V1016 N1030", "Nn1 Ov1"},
};

START_TEST(the_start)
{
    const ecg_beat_table t = compare_from(starts[_i].reference, starts[_i].test, 10);
    expect(&t, starts[_i].want, starts[_i].what);
}
END_TEST

START_TEST(measures)
{
    ecg_beat_table t = {.flutter_beats = 0};
    uint64_t v = 1;
    for (int i = 0; i < ECG_LABELS; i++) {
        for (int k = 0; k < ECG_LABELS && (i < O || k < O); k++)
            t.counts[i][k] = v++; /* N 1-7, S 8-14, V 15-21, F 22-28, Q 29-35, O 36-40, X 41-45 */
    }
    ecg_beat_measures m;
    ecg_beats_measure(&m, &t);
    const uint64_t pairs = 15 + 50 + 85 + 120 + 155, missed = 13 + 27 + 41 + 55 + 69, extra = 190 + 215;
    ck_assert(m.qrs_sensitivity.part == pairs && m.qrs_sensitivity.whole == pairs + missed);
    ck_assert(m.qrs_ppv.part == pairs && m.qrs_ppv.whole == pairs + extra);
    ck_assert(m.veb_sensitivity.part == 17 && m.veb_sensitivity.whole == 126);
    ck_assert(m.veb_ppv.part == 17 && m.veb_ppv.whole == 17 + 3 + 10 + 38 + 43);
    const uint64_t not_v = 12 + 40 + 22 + 23 + 25 + 26 + 29 + 30 + 32 + 33 + 36 + 37 + 39 + 40 + 41 + 42 +
                           44 + 45;
    ck_assert(m.veb_fpr.part == 94 && m.veb_fpr.whole == 94 + not_v);
    ck_assert(m.sveb_sensitivity.part == 9 && m.sveb_sensitivity.whole == 77);
    ck_assert(m.sveb_ppv.part == 9 && m.sveb_ppv.whole == 9 + 2 + 16 + 23 + 37 + 42);
}
END_TEST

START_TEST(counted_beside)
{
    const ecg_beat_table t = compare_from("N50 [60 !70 !80 N90 ]99 !200", "N50 s150 ~350", 0);
    ck_assert_uint_eq(t.flutter_beats, 3);
    ck_assert_uint_eq(t.flutter_waves, 1);
    ck_assert_uint_eq(t.shutdown, 200);
}
END_TEST

START_TEST(refused)
{
    ecg_beat_table t;
    ecg_error err = {ECG_OK, 0, ""};
    ecg_annotation a[2];
    ecg_compare_options o = ECG_COMPARE_OPTIONS_INIT;
    read_list("N5 N4", a);
    ck_fails(ecg_beats_compare(&t, a, 2, a, 1, 100, 100000, NULL, &err), err, ECG_EINVAL,
             "reference annotation 1");
    ck_fails(ecg_beats_compare(&t, a, 1, a, 2, 100, 100000, NULL, &err), err, ECG_EINVAL,
             "test annotation 1");
    ck_fails(ecg_beats_compare(&t, a, 1, a, 1, 0, 100000, NULL, &err), err, ECG_EINVAL, "rate 0");
    ck_fails(ecg_beats_compare(&t, a, 1, a, 1, 100, 100, NULL, &err), err, ECG_EINVAL, "the record has 1");
    o.window = 0;
    ck_fails(ecg_beats_compare(&t, a, 1, a, 1, 100, 100000, &o, &err), err, ECG_EINVAL, "window 0");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("beat_match");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, by_hand, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(t, the_start, 0, sizeof starts / sizeof *starts);
    tcase_add_test(t, measures);
    tcase_add_test(t, counted_beside);
    tcase_add_test(t, refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
