#define _GNU_SOURCE
#include "ecgcnn/data.h"

#include <math.h>

#include "base/rng.h"
#include "tree.h"

static ecg_error err;

enum { MOST_CLASSES = 6, MOST = 4096 };

/* A dataset by manifest: counts[c] pictures of class c, each of one of `patients` (0: none named). */
static ecg_dataset *make(const uint32_t *counts, uint32_t classes, uint32_t patients, uint64_t seed)
{
    const char *root = tree_new("split");
    FILE *f = fopen(tree_path(root, "manifest.csv"), "w");
    ck_assert_ptr_nonnull(f);
    fputs("image,class,patient\n", f);
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_AUGMENT, 0, 0);
    for (uint32_t c = 0; c < classes; c++)
        for (uint32_t i = 0; i < counts[c]; i++) {
            fprintf(f, "%u/%05u.png,c%u,", c, i, c);
            if (patients)
                fprintf(f, "p%u", ecg__rng_below(&r, patients));
            fputc('\n', f);
        }
    ck_assert_int_eq(fclose(f), 0);
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    return d;
}

static ecg_dataset *from_text(const char *text)
{
    const char *root = tree_new("text");
    tree_write(root, "manifest.csv", text);
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    return d;
}

static ecg_split split(const ecg_dataset *d, double fraction, ecg_split_mode mode, uint64_t seed)
{
    ecg_split s;
    const ecg_split_mode asked = mode;
    ck_ok(ecg_dataset_split(&s, d, fraction, &mode, seed, &err), err);
    ck_assert_int_eq(mode, asked);
    return s;
}

/* Both lists ascend, share nothing and cover all. Marks validation in `val`. */
static void check_lists(const ecg_dataset *d, const ecg_split *s, uint8_t *val)
{
    const size_t n = ecg_dataset_samples(d);
    ck_assert_uint_le(n, MOST);
    ck_assert_uint_gt(s->train_count, 0);
    ck_assert_uint_gt(s->val_count, 0);
    ck_assert_uint_eq(s->train_count + s->val_count, n);
    memset(val, 2, n);
    for (size_t i = 0; i < s->train_count; i++) {
        ck_assert_uint_lt(s->train[i], n);
        ck_assert(i == 0 || s->train[i - 1] < s->train[i]);
        val[s->train[i]] = 0;
    }
    for (size_t i = 0; i < s->val_count; i++) {
        ck_assert_uint_lt(s->val[i], n);
        ck_assert(i == 0 || s->val[i - 1] < s->val[i]);
        ck_assert_uint_eq(val[s->val[i]], 2);
        val[s->val[i]] = 1;
    }
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_ne(val[i], 2);
}

static void count_val(const ecg_dataset *d, const uint8_t *val, size_t *in_val)
{
    memset(in_val, 0, MOST_CLASSES * sizeof *in_val);
    for (size_t i = 0; i < ecg_dataset_samples(d); i++)
        in_val[ecg_dataset_sample(d, i)->label] += val[i];
}

static int same(const ecg_split *a, const ecg_split *b)
{
    return a->val_count == b->val_count && memcmp(a->val, b->val, a->val_count * sizeof *a->val) == 0;
}

START_TEST(test_stratified_random)
{
    static uint8_t val[MOST];
    ecg__rng r = ecg__rng_at(5, ECG__RNG_AUGMENT, 1, 0);
    for (int turn = 0; turn < 60; turn++) {
        uint32_t counts[MOST_CLASSES];
        const uint32_t classes = 1 + ecg__rng_below(&r, MOST_CLASSES);
        for (uint32_t c = 0; c < classes; c++)
            counts[c] = 1 + ecg__rng_below(&r, turn % 3 ? 120 : 6);
        counts[0] += 20;
        const double fraction = 0.05 + 0.9 * ecg__rng_double(&r);
        ecg_dataset *d = make(counts, classes, 0, 1);
        const ecg_split a = split(d, fraction, ECG_SPLIT_STRATIFIED, 7),
                        b = split(d, fraction, ECG_SPLIT_STRATIFIED, 7);
        ck_assert(same(&a, &b));
        check_lists(d, &a, val);
        size_t in_val[MOST_CLASSES];
        count_val(d, val, in_val);
        for (uint32_t c = 0; c < classes; c++) {
            const double wanted = round(fraction * counts[c]); /* away from zero at halves: up */
            const double most = counts[c] >= 2 ? counts[c] - 1 : 1;
            ck_assert_uint_eq(in_val[c], (size_t)fmin(wanted, most));
        }
        ecg_split a_split = a, b_split = b;
        ecg_split_free(&a_split);
        ecg_split_free(&b_split);
        ck_assert_ptr_null(a_split.train);
        ecg_dataset_free(d);
    }
}
END_TEST

/* Other seeds give other splits, and every picture comes to validation about as often as it should. */
START_TEST(test_stratified_seeds)
{
    enum { N = 40, SEEDS = 400 };
    const uint32_t counts[] = {N, N};
    ecg_dataset *d = make(counts, 2, 0, 1);
    unsigned hits[2 * N] = {0}, repeated = 0;
    ecg_split last = {NULL, NULL, 0, 0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ecg_split s = split(d, 0.25, ECG_SPLIT_STRATIFIED, seed);
        repeated += last.val && same(&s, &last);
        for (size_t i = 0; i < s.val_count; i++)
            hits[s.val[i]]++;
        /* The classes are shuffled apart. */
        unsigned differ = 0;
        for (size_t i = 0; i < 10; i++)
            differ += s.val[i] + N != s.val[i + 10];
        ck_assert_uint_gt(differ, 0);
        ecg_split_free(&last);
        last = s;
    }
    ecg_split_free(&last);
    ck_assert_uint_eq(repeated, 0);
    for (int i = 0; i < 2 * N; i++) /* mean 100, deviation 8.7 */
        ck_assert_msg(hits[i] > 60 && hits[i] < 140, "picture %d: %u of %d", i, hits[i], SEEDS);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_leading)
{
    /* fraction, pictures, int(fraction * n) in Python */
    static const struct {
        double fraction;
        uint32_t n, take;
    } cases[] = {{0.29, 100, 28}, {0.3, 7, 2},   {0.29, 7, 2}, {0.1, 10, 1}, {0.7, 10, 7},
                 {0.57, 100, 56}, {0.999, 3, 2}, {0.6, 5, 3},  {0.2, 5, 1}};
    static uint8_t val[MOST];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const uint32_t counts[] = {cases[k].n, cases[k].n, 1};
        ecg_dataset *d = make(counts, 3, 0, 1);
        ecg_split s = split(d, cases[k].fraction, ECG_SPLIT_LEADING, k);
        check_lists(d, &s, val);
        size_t in_val[MOST_CLASSES];
        count_val(d, val, in_val);
        for (size_t c = 0; c < 2; c++) {
            ck_assert_uint_eq(in_val[c], cases[k].take);
            for (size_t i = 0; i < cases[k].n; i++)
                ck_assert_uint_eq(val[c * cases[k].n + i], i < cases[k].take);
        }
        ck_assert_uint_eq(in_val[2], 0);
        ecg_split_free(&s);
        ecg_dataset_free(d);
    }
}
END_TEST

static uint32_t patient_of(const ecg_dataset *d, size_t i)
{
    return (uint32_t)strtoul(ecg_dataset_sample(d, i)->patient + 1, NULL, 10);
}

START_TEST(test_by_patient_random)
{
    enum { PATIENTS = 40 };
    static uint8_t val[MOST];
    ecg__rng r = ecg__rng_at(6, ECG__RNG_AUGMENT, 1, 0);
    unsigned differ = 0;
    for (int turn = 0; turn < 60; turn++) {
        uint32_t counts[MOST_CLASSES];
        const uint32_t classes = 1 + ecg__rng_below(&r, MOST_CLASSES),
                       patients = 2 + ecg__rng_below(&r, PATIENTS - 2);
        for (uint32_t c = 0; c < classes; c++)
            counts[c] = 2 + ecg__rng_below(&r, turn % 3 ? 400 : 8);
        counts[0] += 100;
        const double fraction = 0.05 + 0.5 * ecg__rng_double(&r);
        ecg_dataset *d = make(counts, classes, patients, (uint64_t)turn);
        ecg_split a, b, other;
        ecg_split_mode mode = ECG_SPLIT_AUTO;
        const ecg_status st = ecg_dataset_split(&a, d, fraction, &mode, 7, &err);
        if (st != ECG_OK) { /* possible with very few patients only */
            ck_assert_int_eq(st, ECG_EINVAL);
            ck_assert_uint_le(patients, 4);
            ecg_dataset_free(d);
            continue;
        }
        ck_assert_int_eq(mode, ECG_SPLIT_BY_PATIENT);
        b = split(d, fraction, ECG_SPLIT_BY_PATIENT, 7);
        other = split(d, fraction, ECG_SPLIT_BY_PATIENT, 8);
        ck_assert(same(&a, &b));
        differ += !same(&a, &other);
        check_lists(d, &a, val);
        int side[PATIENTS];
        memset(side, -1, sizeof side);
        for (size_t i = 0; i < ecg_dataset_samples(d); i++) {
            const uint32_t p = patient_of(d, i);
            ck_assert_msg(side[p] < 0 || side[p] == val[i], "patient %u is on both sides", p);
            side[p] = val[i];
        }
        size_t in_val[MOST_CLASSES];
        count_val(d, val, in_val);
        for (uint32_t c = 0; c < classes; c++)
            ck_assert_uint_lt(in_val[c], counts[c]);
        /* Where no class is small, each comes near its fraction. */
        double off = 0.0;
        for (uint32_t c = 0; c < classes; c++)
            off = fmax(off, fabs((double)in_val[c] / counts[c] - fraction));
        if (patients >= 20 && turn % 3)
            ck_assert_double_lt(off, 0.1);
        ecg_split_free(&a);
        ecg_split_free(&b);
        ecg_split_free(&other);
        ecg_dataset_free(d);
    }
    ck_assert_uint_gt(differ, 40);
}
END_TEST

START_TEST(test_by_patient_small)
{
    /* Two patients with a half each: one goes, though a tenth was asked for. */
    ecg_dataset *d = from_text("image,class,patient\n1,a,P\n2,a,Q\n3,b,P\n4,b,Q\n");
    unsigned which = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        ecg_split s = split(d, 0.1, ECG_SPLIT_BY_PATIENT, seed);
        ck_assert_uint_eq(s.val_count, 2);
        ck_assert_str_eq(ecg_dataset_sample(d, s.val[0])->patient, ecg_dataset_sample(d, s.val[1])->patient);
        which |= 1u << (ecg_dataset_sample(d, s.val[0])->patient[0] - 'P');
        ecg_split_free(&s);
    }
    ck_assert_uint_eq(which, 3);
    ecg_dataset_free(d);

    /* Only Q may go: P has all of b, R all of c. */
    d = from_text("image,class,patient\n1,a,P\n2,a,Q\n3,b,P\n4,b,P\n5,c,R\n6,c,R\n7,a,R\n");
    for (uint64_t seed = 0; seed < 20; seed++) {
        ecg_split s = split(d, 0.4, ECG_SPLIT_BY_PATIENT, seed);
        ck_assert_uint_eq(s.val_count, 1);
        ck_assert_str_eq(ecg_dataset_sample(d, s.val[0])->patient, "Q");
        ecg_split_free(&s);
    }
    ecg_dataset_free(d);

    /* Three of a class in three patients: one stays in training, whatever the fraction. */
    d = from_text("image,class,patient\n1,a,P\n2,a,Q\n3,a,R\n");
    for (uint64_t seed = 0; seed < 20; seed++) {
        ecg_split s = split(d, 0.99, ECG_SPLIT_BY_PATIENT, seed);
        ck_assert_uint_eq(s.val_count, 2);
        ecg_split_free(&s);
    }
    ecg_dataset_free(d);

    /* One picture a class: all would go, and one patient has to stay. */
    d = from_text("image,class,patient\n1,a,P\n2,b,Q\n3,c,R\n");
    ecg_split s = split(d, 0.9, ECG_SPLIT_BY_PATIENT, 1);
    ck_assert_uint_eq(s.val_count, 2);
    ecg_split_free(&s);
    ecg_dataset_free(d);
}
END_TEST

/* What the manifest gives to the test is in neither list, and no part of the fraction. */
START_TEST(test_test_rows)
{
    static char text[8192];
    size_t at = (size_t)snprintf(text, sizeof text, "image,class,patient,split\n");
    for (int i = 0; i < 80; i++) /* 40 pictures of each class, half of them for the test, 4 of each patient */
        at += (size_t)snprintf(text + at, sizeof text - at, "%02d,%c,P%d,%s\n", i, i % 2 ? 'b' : 'a', i / 4,
                               i < 40 ? "test" : "");
    ecg_dataset *d = from_text(text);
    static const ecg_split_mode modes[] = {ECG_SPLIT_STRATIFIED, ECG_SPLIT_LEADING, ECG_SPLIT_BY_PATIENT};
    for (int m = 0; m < 3; m++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            ecg_split s = split(d, 0.2, modes[m], seed);
            ck_assert_uint_eq(s.train_count, 32);
            ck_assert_uint_eq(s.val_count, 8);
            size_t of_a = 0;
            for (size_t i = 0; i < s.train_count; i++)
                ck_assert_ptr_null(ecg_dataset_sample(d, s.train[i])->split);
            for (size_t i = 0; i < s.val_count; i++) {
                ck_assert_ptr_null(ecg_dataset_sample(d, s.val[i])->split);
                of_a += ecg_dataset_sample(d, s.val[i])->label == 0;
            }
            ck_assert_uint_eq(of_a, 4);
            if (modes[m] == ECG_SPLIT_LEADING)
                ck_assert_str_eq(ecg_dataset_sample(d, s.val[0])->name, "40");
            ecg_split_free(&s);
        }
    ecg_dataset_free(d);

    /* A test row needs no patient. */
    d = from_text("image,class,patient,split\n1,a,P,\n2,a,Q,\n3,a,,test\n");
    ecg_split s = split(d, 0.5, ECG_SPLIT_BY_PATIENT, 1);
    ck_assert_uint_eq(s.train_count + s.val_count, 2);
    ecg_split_free(&s);
    ecg_dataset_free(d);
}
END_TEST

static ecg_status try_split(const ecg_dataset *d, double fraction, ecg_split_mode mode)
{
    ecg_split s;
    memset(&s, 0xff, sizeof s);
    const ecg_split_mode asked = mode;
    const ecg_status st = ecg_dataset_split(&s, d, fraction, &mode, 1, &err);
    ck_assert_int_eq(mode, asked);
    ck_assert(s.train == NULL && s.val == NULL && s.train_count == 0 && s.val_count == 0);
    return st;
}

START_TEST(test_errors)
{
    ecg_dataset *d = from_text("image,class\n1,a\n2,a\n3,b\n4,b\n");
    static const double fractions[] = {0.0, 1.0, -0.1, 1.5, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 6; i++)
        ck_fails(try_split(d, fractions[i], ECG_SPLIT_STRATIFIED), err, ECG_EINVAL, "the fraction is");
    ck_fails(try_split(d, 0.1, ECG_SPLIT_AUTO), err, ECG_EINVAL, "leaves none for validation");
    ck_fails(try_split(d, 0.1, ECG_SPLIT_LEADING), err, ECG_EINVAL, "leaves none for validation");
    ck_fails(try_split(d, 0.5, ECG_SPLIT_BY_PATIENT), err, ECG_EINVAL, "no patient is named for");
    ck_fails(try_split(d, 0.5, (ecg_split_mode)9), err, ECG_EINVAL, "9 is no way");
    ecg_dataset_free(d);

    d = from_text("image,class\n1,a\n2,b\n");
    ck_fails(try_split(d, 0.5, ECG_SPLIT_STRATIFIED), err, ECG_EINVAL, "leaves none for training");
    ecg_dataset_free(d);
    d = from_text("image,class,patient\n1,a,P\n2,a,P\n");
    ck_fails(try_split(d, 0.5, ECG_SPLIT_AUTO), err, ECG_EINVAL, "all pictures are of one patient");
    ecg_dataset_free(d);
    d = from_text("image,class,patient\n1,a,P\n2,a,P\n3,b,Q\n4,b,Q\n");
    ck_fails(try_split(d, 0.5, ECG_SPLIT_AUTO), err, ECG_EINVAL, "all pictures of some class");
    ecg_dataset_free(d);
    d = from_text("image,class,patient\n1,a,P\n2,a,\n");
    ecg_split s;
    ck_ok(ecg_dataset_split(&s, d, 0.5, NULL, 1, NULL), err); /* not every one names a patient: stratified */
    ck_assert_uint_eq(s.val_count, 1);
    ecg_split_free(&s);
    ecg_split_free(&s);
    ecg_split_free(NULL);
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("split");
    TCase *t = tcase_create("split");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_stratified_random);
    tcase_add_test(t, test_stratified_seeds);
    tcase_add_test(t, test_leading);
    tcase_add_test(t, test_by_patient_random);
    tcase_add_test(t, test_by_patient_small);
    tcase_add_test(t, test_test_rows);
    tcase_add_test(t, test_errors);
    suite_add_tcase(s, t);
    return unit_run(s);
}
