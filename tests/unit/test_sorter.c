#define _GNU_SOURCE
#include "data/sorter.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/words.h"
#include "tree.h"

static ecg_error err;

enum { ROWS = 6000, FIXED = 12 };

static void add(struct ecg__sorter *s, uint32_t k)
{
    char name[300];
    unsigned char fixed[FIXED] = {0};
    ecg__rng r = ecg__rng_at(k, ECG__RNG_AUGMENT, 0, 0);
    const uint32_t n = ecg__rng_below(&r, 200);
    for (uint32_t i = 0; i < n; i++)
        name[i] = (char)('a' + ecg__rng_below(&r, 2)); /* long shared beginnings */
    snprintf(name + n, 12, "%u", k);
    memcpy(fixed, &k, sizeof k);
    const struct ecg__row row = {k % 3, name, strlen(name), fixed};
    ck_ok(ecg__sorter_add(s, &row, &err), err);
}

/* In memory, and with a dozen runs in a file: each row once, in order, twice over; and no file is left. */
START_TEST(order)
{
    struct ecg__sorter *s = NULL;
    const char *folder = tree_new("sorter");
    static uint8_t seen[ROWS];
    ck_ok(ecg__sorter_new(&s, folder, _i ? 1 : 1 << 24, FIXED, &err), err);
    for (uint32_t k = 0; k < ROWS; k++)
        add(s, k);
    for (uint32_t pass = 1; pass < 3; pass++) {
        char last[300] = "";
        uint32_t major = 0, count = 0;
        struct ecg__row row;
        bool more = true;
        ck_ok(ecg__sorter_begin(s, &err), err);
        while (ecg__sorter_next(s, &row, &more, &err) == ECG_OK && more) {
            uint32_t k;
            memcpy(&k, row.fixed, sizeof k);
            ck_assert_uint_eq(seen[k]++, pass - 1);
            ck_assert_uint_eq(row.major, k % 3);
            ck_assert_uint_eq(row.n, strlen(row.name));
            ck_assert(row.major > major || (row.major == major && strcmp(last, row.name) <= 0));
            major = row.major;
            strcpy(last, row.name);
            count++;
            if (pass == 1 && count == ROWS / 2 && _i == 2)
                break; /* begun again in the middle */
        }
        if (pass == 1 && _i == 2)
            memset(seen, 1, sizeof seen);
        else
            ck_assert_uint_eq(count, ROWS);
    }
    ecg__sorter_free(s);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(refused)
{
    struct ecg__sorter *s = NULL;
    struct ecg__row row = {0, "x", 1, NULL};
    bool more;
    ck_ok(ecg__sorter_new(&s, "nowhere/at all", 0, 0, &err), err);
    static const unsigned char none[1];
    row.fixed = none;
    ck_ok(ecg__sorter_begin(s, &err), err);
    ck_ok(ecg__sorter_next(s, &row, &more, &err), err);
    ck_assert(!more);
    row = (struct ecg__row){0, "x", 1, none};
    ck_fails(ecg__sorter_add(s, &row, &err), err, ECG_EINVAL, "too late");
    ecg__sorter_free(s);
    ck_ok(ecg__sorter_new(&s, "nowhere/at all", 0, FIXED, &err), err);
    ecg_status st = ECG_OK;
    for (uint32_t k = 0; st == ECG_OK && k < ROWS; k++) {
        unsigned char fixed[FIXED] = {0};
        row = (struct ecg__row){0, "name", 4, fixed};
        st = ecg__sorter_add(s, &row, &err);
    }
    ck_assert_int_eq(st, ECG_EIO);
    ck_assert_ptr_nonnull(strstr(err.message, "nowhere/at all: cannot create a file for sorting"));
    ecg__sorter_free(s);
    ecg__sorter_free(NULL);
}
END_TEST

START_TEST(words)
{
    struct ecg__words w = {.count = 0};
    uint32_t *rank, number;
    const char **sorted;
    char word[16];
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < 5000; k++) {
            snprintf(word, sizeof word, "%u and", k * 7919 % 5000);
            ck_assert(ecg__words_add(&w, word, k % 4 ? strlen(word) : strlen(word) - 4, &number));
            ck_assert_uint_eq(number, k);
        }
    ck_assert_uint_eq(w.count, 5000);
    ck_assert(ecg__words_rank(&w, &rank, &sorted));
    for (uint32_t k = 0; k < 5000; k++) {
        ck_assert_str_eq(sorted[rank[k]], ecg__words_at(&w, k));
        ck_assert(k == 0 || strcmp(sorted[k - 1], sorted[k]) < 0);
    }
    ecg__free(rank);
    ecg__free(sorted);
    ecg__words_free(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sorter");
    TCase *t = tcase_create("sorter");
    tcase_add_loop_test(t, order, 0, 3);
    tcase_add_test(t, refused);
    tcase_add_test(t, words);
    suite_add_tcase(s, t);
    return unit_run(s);
}
