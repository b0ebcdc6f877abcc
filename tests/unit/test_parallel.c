/* Every item once, on a worker that does nothing else meanwhile, and no hang after fork. */
#define _GNU_SOURCE
#include "unit/unit.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parallel.h"

enum { ITEMS = 1000 };

struct job {
    atomic_int hits[ITEMS];
    atomic_int busy[256];
    uint32_t workers;
};

static void hit(void *ctx, size_t item, uint32_t worker)
{
    struct job *j = ctx;
    ck_assert_uint_lt(worker, j->workers);
    ck_assert_int_eq(atomic_fetch_add(&j->busy[worker], 1), 0);
    atomic_fetch_add(&j->hits[item], 1);
    atomic_fetch_sub(&j->busy[worker], 1);
}

START_TEST(every_item_once)
{
    static const uint32_t threads[] = {1, 2, 3, 8};
    for (size_t t = 0; t < 4; t++) {
        ecg__pool *p;
        ck_assert_int_eq(ecg__pool_new(&p, threads[t]), ECG_OK);
        ck_assert_uint_eq(ecg__pool_workers(p), threads[t]);
        for (size_t items = 0; items <= ITEMS; items = items < 3 ? items + 1 : items * 7) {
            static struct job j;
            memset(&j, 0, sizeof j);
            j.workers = threads[t];
            ecg__parallel_for(p, items, hit, &j);
            for (size_t i = 0; i < ITEMS; i++)
                ck_assert_int_eq(atomic_load(&j.hits[i]), i < items);
        }
        ecg__pool_free(p);
    }
    ecg__pool_free(NULL);
}
END_TEST

static void count(void *ctx, size_t item, uint32_t worker)
{
    (void)item, (void)worker;
    atomic_fetch_add((atomic_long *)ctx, 1);
}

START_TEST(many_jobs_with_pauses)
{
    ecg__pool *p;
    ck_assert_int_eq(ecg__pool_new(&p, 4), ECG_OK);
    atomic_long n = 0;
    for (int i = 0; i < 3000; i++) {
        ecg__parallel_for(p, 5, count, &n);
        if (i % 500 == 0)
            usleep(20000); /* long enough for the workers to fall asleep */
    }
    ck_assert_int_eq(atomic_load(&n), 15000);
    ecg__pool_free(p);
}
END_TEST

START_TEST(a_forked_child_does_the_work_itself)
{
    ecg__pool *p;
    ck_assert_int_eq(ecg__pool_new(&p, 4), ECG_OK);
    atomic_long n = 0;
    ecg__parallel_for(p, 100, count, &n);
    const pid_t child = fork();
    if (child == 0) {
        ecg__parallel_for(p, 100, count, &n);
        const int ok = atomic_load(&n) == 200;
        ecg__pool_free(p);
        _exit(ok ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ecg__parallel_for(p, 100, count, &n);
    ck_assert_int_eq(atomic_load(&n), 200);
    ecg__pool_free(p);
}
END_TEST

START_TEST(cores)
{
    ck_assert_uint_ge(ecg__cores(), 1);
    ecg__pool *p;
    ck_assert_int_eq(ecg__pool_new(&p, 0), ECG_OK);
    ck_assert_uint_ge(ecg__pool_workers(p), 1);
    ck_assert_uint_le(ecg__pool_workers(p), ecg__cores());
    ecg__pool_free(p);
    ck_assert_int_eq(ecg__pool_new(&p, 100000), ECG_OK);
    ck_assert_uint_le(ecg__pool_workers(p), 256);
    ecg__pool_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("parallel");
    TCase *t = tcase_create("parallel");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_item_once);
    tcase_add_test(t, many_jobs_with_pauses);
    tcase_add_test(t, a_forked_child_does_the_work_itself);
    tcase_add_test(t, cores);
    suite_add_tcase(s, t);
    return unit_run(s);
}
