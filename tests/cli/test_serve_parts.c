/* Parts of ecg-serve that need no server: what the first bytes of an upload say, who may send, and how long
 * connections may take. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/conns.h"
#include "serve/guard.h"
#include "serve/picture.h"
#include "unit/unit.h"

/* ---- First bytes ---- */
static const unsigned char png[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D',
                                    'R',  0,   0,   1,   2,  0,  0,  3,  4, 8, 0, 0,  0,   0};
static const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, /* APP0 */
                                     0xff, 0xff, 0xfe, 0,    3, 9,       /* fill, comment */
                                     0xff, 0xc4, 0,    2,                /* Huffman table */
                                     0xff, 0xc2, 0,    11,   8, 1, 4, 2,
                                     3,    1,    0, /* frame: 260 high, 515 wide */
                                     0,    0};

START_TEST(size_is_found_and_nothing_beyond_the_end_is_read)
{
    picture_head h = picture_look(png, sizeof png);
    ck_assert_str_eq(h.type, "image/png");
    ck_assert_uint_eq(h.width, 258);
    ck_assert_uint_eq(h.height, 772);
    h = picture_look(jpeg, sizeof jpeg);
    ck_assert_str_eq(h.type, "image/jpeg");
    ck_assert_uint_eq(h.width, 515);
    ck_assert_uint_eq(h.height, 260);
    /* Each cut in memory of its own, where a sanitizer sees a step too far. */
    for (size_t n = 0; n < sizeof jpeg; n++) {
        unsigned char *cut = malloc(n + 1);
        ck_assert_ptr_nonnull(cut);
        unsigned char *at = n ? realloc(cut, n) : cut;
        memcpy(at, jpeg, n);
        h = picture_look(at, n);
        ck_assert_int_eq(h.type != NULL, n >= 3);
        ck_assert_int_eq(h.width != 0, n >= 27);
        memcpy(at, png, n < sizeof png ? n : 0);
        h = picture_look(at, n < sizeof png ? n : 0);
        ck_assert_int_eq(h.type != NULL, n >= 8 && n < sizeof png);
        ck_assert_int_eq(h.width != 0, n >= 24 && n < sizeof png);
        free(at);
    }
    static const unsigned char text[] = "GIF89a, or any text at all";
    ck_assert_ptr_null(picture_look(text, sizeof text).type);
    /* The scan before a frame, a length of 1: given up. */
    static const unsigned char odd[] = {0xff, 0xd8, 0xff, 0xda, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 9, 0, 9},
                               none[] = {0xff, 0xd8, 0xff, 0xe0, 0, 1, 0xff, 0xc0, 0, 11, 8, 0, 9, 0, 9, 1};
    ck_assert_uint_eq(picture_look(odd, sizeof odd).width, 0);
    ck_assert_uint_eq(picture_look(none, sizeof none).width, 0);
}
END_TEST

/* ---- Who sends ---- */
START_TEST(names_and_origins)
{
    static const char *const names[] = {"ecg.example.org", "other.example.org:8443"};
    const guard here = {names, 2, 1, ""}, open = {NULL, 0, 0, ""};
    static const char *const
        ours[] = {"localhost", "LocalHost:80",    "127.0.0.1:8080",      "127.9.9.9",
                  "[::1]:9",   "ecg.example.org", "ECG.example.org:443", "other.example.org:8443"},
        *const others[] = {"example.org", "127.0.0.1.example.org", "localhost.example.org", "", "10.0.0.1",
                           "[::2]",       "other.example.org",     "evil@localhost"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        ck_assert_msg(guard_host(&here, ours[i]), "%s", ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!guard_host(&here, others[i]), "%s", others[i]);
    ck_assert(guard_host(&here, NULL));
    ck_assert(guard_host(&open, "example.org"));
    ck_assert(!guard_host(&open, "a b"));

    ck_assert(guard_origin(&here, "localhost:8080", NULL, NULL));
    ck_assert(guard_origin(&here, "localhost:8080", "http://localhost:8080", "same-origin"));
    ck_assert(!guard_origin(&here, "localhost:8080", "http://localhost:8081", NULL));
    ck_assert(!guard_origin(&here, "localhost:8080", "null", NULL));
    ck_assert(!guard_origin(&here, "localhost:8080", "https://example.org", NULL));
    ck_assert(!guard_origin(&here, "localhost:8080", "http://localhost:8080", "cross-site"));
    ck_assert(!guard_origin(&here, "localhost:8080", NULL, "same-site"));
    ck_assert(guard_origin(&here, "localhost:8080", "https://ecg.example.org", NULL));
    ck_assert(!guard_origin(&here, NULL, "https://example.org", NULL));
}
END_TEST

START_TEST(tokens)
{
    char path[] = "ecg-token-XXXXXX", why[300] = "";
    guard g = {NULL, 0, 0, ""};
    ck_assert(guard_bearer(&g, NULL)); /* none wanted */
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    static const char good[] = "0123456789abcdef\r\nmore\n", bad[] = "0123456789 abcdef\n",
                      brief[] = "0123456789abcde";
    ck_assert_int_eq(pwrite(fd, good, sizeof good - 1, 0), sizeof good - 1);
    ck_assert_int_eq(guard_token(&g, path, why, sizeof why), 0);
    ck_assert_str_eq(g.token, "0123456789abcdef");
    ck_assert(guard_bearer(&g, "Bearer 0123456789abcdef"));
    ck_assert(!guard_bearer(&g, "Bearer 0123456789abcdeg"));
    ck_assert(!guard_bearer(&g, "Bearer 0123456789abcdef0"));
    ck_assert(!guard_bearer(&g, "Bearer "));
    ck_assert(!guard_bearer(&g, "0123456789abcdef"));
    ck_assert(!guard_bearer(&g, NULL));
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(pwrite(fd, bad, sizeof bad - 1, 0), sizeof bad - 1);
    ck_assert_int_ne(guard_token(&g, path, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "character 11"));
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(pwrite(fd, brief, sizeof brief - 1, 0), sizeof brief - 1);
    ck_assert_int_ne(guard_token(&g, path, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "15 characters"));
    close(fd);
    unlink(path);
    ck_assert_int_ne(guard_token(&g, path, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
}
END_TEST

/* ---- Time ---- */
static const uint64_t S = 1000000000;

/* What the client of a connection sees: bytes, or -1 while it is open and silent. */
static ssize_t seen(int client, char *text, size_t cap)
{
    const ssize_t n = recv(client, text, cap - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return n;
}

START_TEST(a_connection_has_its_time)
{
    /* The phase, bytes at half of the time, how long it may take with a timeout of 10 s, and whether it is
     * told. */
    static const struct {
        conn_phase phase;
        size_t bytes, seconds;
        int told;
    } cases[] = {
        {CONN_HEAD, 0, 10, 1}, {CONN_BODY, 0, 10, 1}, {CONN_BODY, 8192 * 5, 15, 1}, {CONN_SEND, 0, 60, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        conns *c = conns_new(10);
        int pair[2];
        char text[256];
        ck_assert_ptr_nonnull(c);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        conn *one = conns_add(c, pair[0], NULL, 0, 100 * S);
        ck_assert_ptr_nonnull(one);
        if (cases[i].phase != CONN_HEAD)
            conns_phase(c, one, cases[i].phase, 100 * S);
        if (cases[i].bytes) /* again and again, but slowly */
            for (uint64_t t = 101; t < 100 + cases[i].seconds; t++)
                conns_got(c, one, cases[i].bytes / (cases[i].seconds - 1), t * S);
        ck_assert_uint_eq(conns_reap(c, (100 + cases[i].seconds) * S - S / 2), 0);
        ck_assert_int_eq(seen(pair[1], text, sizeof text), -1);
        ck_assert_uint_eq(conns_reap(c, (100 + cases[i].seconds) * S + S / 2), 1);
        ck_assert_uint_eq(conns_reap(c, (200 + cases[i].seconds) * S), 0); /* once */
        const ssize_t n = seen(pair[1], text, sizeof text);
        ck_assert_int_eq(n > 0, cases[i].told);
        if (cases[i].told)
            ck_assert_int_eq(strncmp(text, "HTTP/1.1 408 ", 13), 0);
        ck_assert_int_eq(seen(pair[1], text, sizeof text), 0); /* the end */
        conns_drop(c, one);
        close(pair[0]);
        close(pair[1]);
        conns_free(c);
    }
}
END_TEST

START_TEST(work_has_no_limit_and_a_body_five_minutes)
{
    conns *c = conns_new(10);
    int pair[2];
    char text[256];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    conn *one = conns_add(c, pair[0], NULL, 0, 0), *two = conns_add(c, pair[0], NULL, 0, 0);
    conns_drop(c, two);
    conns_phase(c, one, CONN_WORK, 0);
    ck_assert_uint_eq(conns_reap(c, 100000 * S), 0);
    ck_assert_uint_eq(conns_requests(c, one), 0);
    conns_phase(c, one, CONN_HEAD, 100000 * S);
    ck_assert_uint_eq(conns_requests(c, one), 1);
    conns_phase(c, one, CONN_BODY, 200000 * S);
    for (uint64_t t = 200000; t < 200300; t++)
        conns_got(c, one, 1 << 20, t * S);
    ck_assert_uint_eq(conns_reap(c, 200299 * S), 0);
    ck_assert_uint_eq(conns_reap(c, 200301 * S), 1);
    ck_assert_int_gt(seen(pair[1], text, sizeof text), 0);
    conns_drop(c, one);
    /* One that only rests is told nothing. */
    int rest[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, rest), 0);
    one = conns_add(c, rest[0], NULL, 0, 0);
    conns_phase(c, one, CONN_HEAD, 0);
    ck_assert_uint_eq(conns_reap(c, 11 * S), 1);
    ck_assert_int_eq(seen(rest[1], text, sizeof text), 0);
    conns_drop(c, one);
    /* One that began another request is. */
    close(rest[0]);
    close(rest[1]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, rest), 0);
    one = conns_add(c, rest[0], NULL, 0, 0);
    conns_phase(c, one, CONN_HEAD, 0);
    conns_begun(c, one, 9 * S);
    ck_assert_uint_eq(conns_reap(c, 18 * S), 0);
    ck_assert_uint_eq(conns_reap(c, 20 * S), 1);
    ck_assert_int_gt(seen(rest[1], text, sizeof text), 0);
    conns_drop(c, one);
    conns_free(c);
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(rest[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("serve parts");
    TCase *t = tcase_create("serve parts");
    tcase_add_test(t, size_is_found_and_nothing_beyond_the_end_is_read);
    tcase_add_test(t, names_and_origins);
    tcase_add_test(t, tokens);
    tcase_add_test(t, a_connection_has_its_time);
    tcase_add_test(t, work_has_no_limit_and_a_body_five_minutes);
    suite_add_tcase(s, t);
    return unit_run(s);
}
