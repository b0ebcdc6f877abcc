/* What ranks settle in common. */
#include "unit/ranks.h"

#include "train/group.h"

enum { RANKS = 5 };

static ecg_train_options options(const ecg_comm *c)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.shards = 16;
    o.comm = c;
    return o;
}

struct talk {
    ecg_status here, agreed;
    ecg_error err;
    uint32_t flags, other;
    uint64_t number;
    bool follows;
};

static void talk(struct unit_rank *r)
{
    struct talk *k = r->ctx;
    ecg_error e;
    ecg__group g;
    const ecg_train_options o = options(&r->comm);
    ck_ok(ecg__group_new(&g, &o, &e), e);
    ck_ok(ecg__group_flags(&g, &k->flags, &e), e);
    ck_ok(ecg__group_compare(&g, k->number, &k->other, &e), e);
    k->agreed = k->follows ? ecg__group_follow(&g, k->here, &k->err) : ecg__group_agree(&g, k->here, &k->err);
    /* Whatever it was, they still can talk. */
    ck_ok(ecg__group_agree(&g, ECG_OK, &e), e);
    ecg__group_end(&g);
}

static void run(struct talk k[RANKS])
{
    unit_job j;
    unit_job_start(&j, RANKS);
    unit_job_run(&j, talk, k, sizeof *k);
}

static void fails(struct talk *k, ecg_status s, const char *text)
{
    k->here = k->err.status = s;
    snprintf(k->err.message, sizeof k->err.message, "%s", text);
}

START_TEST(flags_of_all_are_joined)
{
    struct talk k[RANKS] = {{.flags = 1}, {0}, {.flags = 8}, {.flags = 9}};
    run(k);
    for (int r = 0; r < RANKS; r++) {
        ck_assert_uint_eq(k[r].flags, 9);
        ck_assert_uint_eq(k[r].other, RANKS);
        ck_assert_int_eq(k[r].agreed, ECG_OK);
    }
}
END_TEST

START_TEST(the_lowest_failure_is_everybodys)
{
    struct talk k[RANKS] = {{0}};
    fails(&k[3], ECG_EIO, "a.png: gone");
    fails(&k[2], ECG_EFORMAT, "b.png: no PNG");
    run(k);
    for (int r = 0; r < RANKS; r++) {
        ck_assert_int_eq(k[r].agreed, ECG_EFORMAT);
        ck_assert_int_eq(k[r].err.status, ECG_EFORMAT);
        ck_assert_str_eq(k[r].err.message, "rank 2: b.png: no PNG");
    }
}
END_TEST

START_TEST(what_all_say_is_nobodys)
{
    struct talk k[RANKS] = {{0}};
    for (int r = 0; r < RANKS; r++)
        fails(&k[r], ECG_EINVAL, "lr must be above 0");
    run(k);
    for (int r = 0; r < RANKS; r++)
        ck_assert_str_eq(k[r].err.message, "lr must be above 0");
}
END_TEST

START_TEST(rank_0_speaks_for_what_it_did_alone)
{
    struct talk k[RANKS] = {{0}};
    for (int r = 0; r < RANKS; r++)
        k[r].follows = true;
    fails(&k[0], ECG_EIO, "c.ckpt: disk full");
    run(k);
    for (int r = 0; r < RANKS; r++) {
        ck_assert_int_eq(k[r].agreed, ECG_EIO);
        ck_assert_str_eq(k[r].err.message, "c.ckpt: disk full");
    }
}
END_TEST

START_TEST(another_number_is_found)
{
    struct talk k[RANKS] = {{.number = 7}, {.number = 7}, {.number = 7}, {.number = 8}, {.number = 9}};
    run(k);
    for (int r = 0; r < RANKS; r++)
        ck_assert_uint_eq(k[r].other, 3);
}
END_TEST

START_TEST(shares_are_even_and_complete)
{
    for (uint32_t ranks = 1; ranks < 40; ranks++)
        for (size_t n = 0; n < 100; n++) {
            ck_assert_uint_eq(ecg__share(n, 0, ranks), 0);
            ck_assert_uint_eq(ecg__share(n, ranks, ranks), n);
            for (uint32_t r = 0; r < ranks; r++) {
                const size_t own = ecg__share(n, r + 1, ranks) - ecg__share(n, r, ranks);
                ck_assert(own == n / ranks || own == (n + ranks - 1) / ranks);
                ck_assert(r > 0 || n == 0 || own > 0);
            }
        }
}
END_TEST

START_TEST(a_communicator_must_be_whole)
{
    static const struct {
        size_t offset;
        ecg_reduce reduce;
        const char *part;
    } cases[] = {
        {offsetof(ecg_comm, gather), ECG_REDUCE_EXACT, "gather is NULL"},
        {offsetof(ecg_comm, broadcast), ECG_REDUCE_FAST, "broadcast is NULL"},
        {offsetof(ecg_comm, exchange), ECG_REDUCE_EXACT, "exchange is NULL"},
        {offsetof(ecg_comm, sum), ECG_REDUCE_FAST, "sum is NULL"},
        {offsetof(ecg_comm, sum_end), ECG_REDUCE_FAST, "sum_begin or sum_end is NULL"},
    };
    ecg_error e;
    ecg__group g;
    unit_job j;
    unit_job_start(&j, 3);
    ecg_comm c = j.rank[0].comm;
    c.sum_begin = unit_sum_begin;
    c.sum_end = unit_sum_end;
    ecg_train_options o = options(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ecg_comm without = c;
        memset((char *)&without + cases[i].offset, 0, sizeof(void (*)(void)));
        o.comm = &without;
        o.reduce = cases[i].reduce;
        ck_fails(ecg__group_new(&g, &o, &e), e, ECG_EINVAL, cases[i].part);
    }
    o.comm = &c;
    c.rank = 3;
    ck_fails(ecg__group_new(&g, &o, &e), e, ECG_EINVAL, "rank must be below ranks, which is 3, got 3");
    c.rank = 0;
    c.ranks = 0;
    ck_fails(ecg__group_new(&g, &o, &e), e, ECG_EINVAL, "ranks must be 1..65536, got 0");
    c.ranks = 17;
    ck_fails(ecg__group_new(&g, &o, &e), e, ECG_EINVAL, "in 16 shards is not enough for 17 ranks");
    c.ranks = 3;
    c.size = 3;
    ck_fails(ecg__group_new(&g, &o, &e), e, ECG_EINVAL, "communicator");
}
END_TEST

START_TEST(one_alone_calls_nobody)
{
    ecg_error e;
    ecg__group g;
    const ecg_comm c = ECG_COMM_INIT;
    ecg_train_options o = options(&c);
    for (int i = 0; i < 2; i++, o.comm = NULL) {
        uint32_t flags = 5, rank;
        char data[4];
        const size_t at[2] = {0, 4};
        ck_ok(ecg__group_new(&g, &o, &e), e);
        ck_assert(ecg__group_alone(&g) && ecg__group_leads(&g));
        ck_ok(ecg__group_gather(&g, data, at, &e), e);
        ck_ok(ecg__group_broadcast(&g, data, 4, 0, &e), e);
        ck_ok(ecg__group_flags(&g, &flags, &e), e);
        ck_assert_uint_eq(flags, 5);
        ck_ok(ecg__group_compare(&g, 3, &rank, &e), e);
        ck_assert_uint_eq(rank, 1);
        ck_assert_int_eq(ecg__group_agree(&g, ECG_ELIMIT, &e), ECG_ELIMIT);
        ecg__group_end(&g);
    }
}
END_TEST

static Suite *group_suite(void)
{
    Suite *s = suite_create("group");
    TCase *c = tcase_create("group");
    suite_add_tcase(s, c);
    tcase_add_test(c, flags_of_all_are_joined);
    tcase_add_test(c, the_lowest_failure_is_everybodys);
    tcase_add_test(c, what_all_say_is_nobodys);
    tcase_add_test(c, rank_0_speaks_for_what_it_did_alone);
    tcase_add_test(c, another_number_is_found);
    tcase_add_test(c, shares_are_even_and_complete);
    tcase_add_test(c, a_communicator_must_be_whole);
    tcase_add_test(c, one_alone_calls_nobody);
    return s;
}

int main(void)
{
    return unit_run(group_suite());
}
