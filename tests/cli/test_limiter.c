/* What one client may ask for: connections and requests, by address; and by many threads at once. */
#define _POSIX_C_SOURCE 200809L
#include "serve/limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

#include "unit/unit.h"

typedef union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} address;

static address at(const char *text)
{
    address a = {0};
    if (strchr(text, ':')) {
        a.six.sin6_family = AF_INET6;
        ck_assert_int_eq(inet_pton(AF_INET6, text, &a.six.sin6_addr), 1);
    } else {
        a.four.sin_family = AF_INET;
        ck_assert_int_eq(inet_pton(AF_INET, text, &a.four.sin_addr), 1);
    }
    return a;
}

static struct limiter *l;

static bool connects(const char *from)
{
    const address a = at(from);
    return limiter_connect(l, &a.any, 0.0);
}

static void disconnects(const char *from)
{
    const address a = at(from);
    limiter_disconnect(l, &a.any);
}

static uint32_t request(const char *from, double now)
{
    const address a = at(from);
    return limiter_request(l, &a.any, now);
}

static void begin(struct limiter_options o)
{
    limiter_free(l);
    l = limiter_new(&o);
    ck_assert_ptr_nonnull(l);
}

START_TEST(connections)
{
    begin((struct limiter_options){.connections = 2});
    ck_assert(connects("192.0.2.1") && connects("192.0.2.1") && !connects("192.0.2.1"));
    ck_assert(connects("192.0.2.2"));
    disconnects("192.0.2.1");
    ck_assert(connects("192.0.2.1") && !connects("192.0.2.1"));
    ck_assert_uint_eq(limiter_counts(l).connections, 3);
    ck_assert_uint_eq(limiter_counts(l).refused, 2);
    for (int i = 0; i < 9; i++)
        disconnects("192.0.2.1");
    disconnects("192.0.2.77"); /* never seen */
    ck_assert(connects("192.0.2.1") && connects("192.0.2.1") && !connects("192.0.2.1"));
    begin((struct limiter_options){0});
    for (int i = 0; i < 100; i++)
        ck_assert(connects("192.0.2.1"));
}
END_TEST

START_TEST(clients)
{
    begin((struct limiter_options){.connections = 1});
    ck_assert(connects("2001:db8:1:2::1") && !connects("2001:db8:1:2:ffff::9"));
    ck_assert(connects("2001:db8:1:3::1"));
    ck_assert(connects("2001:db8:1:82::1") && connects("2001:db8:1:8002::1") && connects("2101:db8:1:2::1"));
    ck_assert(connects("192.0.2.1") && !connects("::ffff:192.0.2.1"));
    ck_assert(connects("0.0.0.192") && connects("::c0:0:0:0:1")); /* the same number, another kind */
    ck_assert(connects("127.0.0.1") && !connects("127.0.0.1") && connects("::1") && !connects("::1"));
    ck_assert(limiter_connect(l, NULL, 0.0) && !limiter_connect(l, NULL, 0.0));
    begin((struct limiter_options){.connections = 1, .rate = 1, .exempt_loopback = true});
    for (int i = 0; i < 9; i++) {
        ck_assert(connects("127.0.0.1") && connects("127.255.0.1") && connects("::1") &&
                  connects("::ffff:127.0.0.1"));
        ck_assert(limiter_connect(l, NULL, 0.0));
        ck_assert_uint_eq(request("127.0.0.1", 0.0), 0);
        ck_assert_uint_eq(request("::1", 0.0), 0);
    }
    ck_assert(connects("128.0.0.1") && !connects("128.0.0.1"));
    ck_assert_uint_eq(limiter_counts(l).connections, 46);
}
END_TEST

START_TEST(requests)
{
    begin((struct limiter_options){.rate = 0.5, .burst = 3});
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(request("192.0.2.1", 100.0), 0);
    ck_assert_uint_eq(request("192.0.2.1", 100.0), 2);
    ck_assert_uint_eq(request("192.0.2.1", 101.9), 1);
    ck_assert_uint_eq(request("192.0.2.1", 102.0), 0);
    ck_assert_uint_eq(request("192.0.2.1", 102.0), 2);
    ck_assert_uint_eq(request("192.0.2.2", 102.0), 0); /* another client */
    /* A clock that jumps back gives nothing, and takes nothing. */
    ck_assert_uint_eq(request("192.0.2.1", 1.0), 2);
    ck_assert_uint_eq(request("192.0.2.1", 104.0), 0);
    /* A long pause fills the bucket, and no more. */
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(request("192.0.2.1", 1e9), 0);
    ck_assert_uint_ne(request("192.0.2.1", 1e9), 0);
    ck_assert_uint_eq(limiter_counts(l).limited, 5);
    begin((struct limiter_options){.rate = 1e-9, .burst = 0});
    ck_assert_uint_eq(request("192.0.2.1", 0), 0); /* a burst is 1 at least */
    ck_assert_uint_eq(request("192.0.2.1", 0), 3600);
    begin((struct limiter_options){.rate = 0, .burst = 1});
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(request("192.0.2.1", 0), 0);
}
END_TEST

/* In the long run as many requests pass as the rate allows, whatever the steps of the clock. */
START_TEST(long_run)
{
    uint32_t bits = 1;
    double now = 5.0;
    int passed = 0;
    begin((struct limiter_options){.rate = 7.0, .burst = 20});
    for (int i = 0; i < 20000; i++) {
        bits = bits * 1664525u + 1013904223u;
        now += (double)(bits >> 16) / 65536.0 * 0.02;
        passed += request("192.0.2.1", now) == 0;
    }
    ck_assert_double_ge_tol((double)passed, 7.0 * (now - 5.0) + 18.0, 1e-9);
    ck_assert_double_le_tol((double)passed, 7.0 * (now - 5.0) + 20.0, 1e-9);
}
END_TEST

/* More clients than fit: those with connections are never forgotten, and one that is being limited only when
 * there is no better one. */
START_TEST(full_table)
{
    char text[64];
    begin((struct limiter_options){.clients = 8, .connections = 1, .rate = 1e-6, .burst = 10});
    ck_assert(connects("192.0.2.1"));
    for (int i = 0; i < 10; i++)
        ck_assert_uint_eq(request("203.0.113.1", 0.0), 0);
    ck_assert_uint_ne(request("203.0.113.1", 0.0), 0);
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        ck_assert_uint_eq(request(text, 0.0), 0);
    }
    ck_assert(!connects("192.0.2.1"));
    ck_assert_uint_ne(request("203.0.113.1", 0.0), 0);
    /* Nothing but clients with connections: new ones are refused until one goes. */
    int taken = 0, refused = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "198.51.%d.%d", i / 250, i % 250);
        if (connects(text))
            taken++;
        else
            refused++;
    }
    ck_assert_int_ge(taken, 8);
    ck_assert_int_gt(refused, 900);
    ck_assert_uint_eq(limiter_counts(l).connections, (uint64_t)taken + 1);
}
END_TEST

enum { THREADS = 4, ROUNDS = 5000 };

static void *many(void *context)
{
    const unsigned n = *(const unsigned *)context;
    unsigned long passed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const address own = at(n % 2 ? "192.0.2.1" : "2001:db8::1");
        if (limiter_connect(l, &own.any, 0.0)) {
            passed += limiter_request(l, &own.any, 0.0) == 0;
            limiter_disconnect(l, &own.any);
        }
    }
    return (void *)(uintptr_t)passed; /* NOLINT */
}

START_TEST(threads)
{
    static const unsigned number[THREADS] = {0, 1, 2, 3};
    pthread_t thread[THREADS];
    unsigned long passed = 0;
    begin((struct limiter_options){.connections = 1, .rate = 1e-9, .burst = 1000});
    for (int i = 0; i < THREADS; i++) {
        unsigned *n = (unsigned *)(uintptr_t)&number[i];
        ck_assert_int_eq(pthread_create(&thread[i], NULL, many, n), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        ck_assert_int_eq(pthread_join(thread[i], &result), 0);
        passed += (unsigned long)(uintptr_t)result;
    }
    ck_assert_uint_eq(passed, 2000); /* two clients, a thousand each: not one more, not one less */
    ck_assert_uint_eq(limiter_counts(l).connections, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("limiter");
    TCase *t = tcase_create("limiter");
    tcase_add_test(t, connections);
    tcase_add_test(t, clients);
    tcase_add_test(t, requests);
    tcase_add_test(t, long_run);
    tcase_add_test(t, full_table);
    tcase_add_test(t, threads);
    suite_add_tcase(s, t);
    const int code = unit_run(s);
    limiter_free(l);
    return code;
}
