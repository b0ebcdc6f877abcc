/* The texts of a request: what is accepted, and what becomes of it; everything else is refused. */
#define _POSIX_C_SOURCE 200809L
#include "serve/http_text.h"

#include <netinet/in.h>

#include "unit/unit.h"

static struct http_target target;
static char why[HTTP_WHY];

static int parse(const char *raw)
{
    memset(&target, 0xee, sizeof target);
    why[0] = '\0';
    const int status = http_target_parse(raw, &target, why);
    ck_assert((status == 0) == (why[0] == '\0'));
    ck_assert(target.path[0] == '/');
    return status;
}

START_TEST(targets)
{
    ck_assert_int_eq(parse("/"), 0);
    ck_assert_str_eq(target.path, "/");
    ck_assert_uint_eq(target.params, 0);
    ck_assert_int_eq(parse("/api/v1/predict?top=3&heatmap=1&x=&&y"), 0);
    ck_assert_str_eq(target.path, "/api/v1/predict");
    ck_assert_uint_eq(target.params, 4);
    ck_assert_str_eq(http_target_get(&target, "top"), "3");
    ck_assert_str_eq(http_target_get(&target, "heatmap"), "1");
    ck_assert_str_eq(http_target_get(&target, "x"), "");
    ck_assert_str_eq(http_target_get(&target, "y"), "");
    ck_assert_ptr_null(http_target_get(&target, "Top"));
    ck_assert_int_eq(parse("/classes/a%20b%C3%A4/?n=a+b%26c%3D1&q=1=2"), 0);
    ck_assert_str_eq(target.path, "/classes/a b\xc3\xa4/");
    ck_assert_str_eq(http_target_get(&target, "n"), "a b&c=1");
    ck_assert_str_eq(http_target_get(&target, "q"), "1=2");
    ck_assert_int_eq(parse("/a+b"), 0);
    ck_assert_str_eq(target.path, "/a+b");
    ck_assert_int_eq(parse("/..."), 0);
    ck_assert_int_eq(parse("/.well-known/x"), 0);
}
END_TEST

START_TEST(targets_refused)
{
    static const char *const bad[] = {
        "",          "*",         "x",           "http://a/", "/..",     "/../x",    "/a/..",
        "/a/../b",   "/%2e%2e/x", "/%2E./x",     "/a/./b",    "//",      "//a",      "/a//b",
        "/a%2fb",    "/a%2Fb",    "/a\\b",       "/a%5cb",    "/%00",    "/a%0d%0a", "/%",
        "/%4",       "/%zz",      "/a b",        "/\x7f",     "/?a=%0",  "/?a=%00",  "/?a=%0d%0aX",
        "/?a=1&a=2", "/?a&a",     "/?%61=1&a=2", "/a/.",      "/?a b=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(parse(bad[i]) == 400, "\"%s\" was not refused", bad[i]);
    char text[HTTP_TARGET + 8] = "/";
    memset(text + 1, 'a', HTTP_TARGET);
    text[HTTP_TARGET - 1] = '\0';
    ck_assert_int_eq(parse(text), 414);
    text[HTTP_TARGET - 2] = '\0';
    ck_assert_int_eq(parse(text), 0);
    ck_assert_uint_eq(strlen(target.path), HTTP_TARGET - 2);
    /* As many parameters as there may be, at the greatest length: all fits. */
    text[1] = '?';
    for (int i = 0; i < HTTP_PARAMS - 1; i++) {
        text[2 + 2 * i] = (char)('A' + i);
        text[3 + 2 * i] = '&';
    }
    ck_assert_int_eq(parse(text), 0);
    ck_assert_uint_eq(target.params, HTTP_PARAMS);
    text[2 + 2 * HTTP_PARAMS] = '&';
    ck_assert_int_eq(parse(text), 414);
}
END_TEST

START_TEST(numbers_and_flags)
{
    uint64_t n = 7;
    ck_assert(http_number("0", 10, &n) && n == 0);
    ck_assert(http_number("010", 10, &n) && n == 10);
    ck_assert(http_number("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
    static const char *const bad[] = {
        "",   "11", "-1", "+1", " 1", "1 ", "0x1", "1e0", "18446744073709551616", "99999999999999999999999",
        "1,1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!http_number(bad[i], 10, &n) && n == UINT64_MAX, "%s", bad[i]);
    ck_assert(!http_number("18446744073709551616", UINT64_MAX, &n));
    bool b = false;
    ck_assert(http_flag("", &b) && b);
    ck_assert(http_flag("0", &b) && !b);
    ck_assert(http_flag("True", &b) && b);
    ck_assert(http_flag("off", &b) && !b);
    ck_assert(!http_flag("2", &b) && !b);
}
END_TEST

START_TEST(hosts)
{
    struct http_authority a;
    ck_assert(http_authority_parse("Example.ORG:8080", &a));
    ck_assert_str_eq(a.host, "example.org");
    ck_assert_uint_eq(a.port, 8080);
    ck_assert(!http_authority_loopback(&a));
    ck_assert(http_authority_parse("[::1]:1", &a) && a.ipv6 && a.port == 1 && http_authority_loopback(&a));
    ck_assert(http_authority_parse("[0:0:0::1]", &a) && http_authority_loopback(&a));
    ck_assert(http_authority_parse("[::2]", &a) && !http_authority_loopback(&a));
    ck_assert(http_authority_parse("localhost.", &a) && a.port == 0 && http_authority_loopback(&a));
    ck_assert(http_authority_parse("a.LOCALHOST", &a) && http_authority_loopback(&a));
    ck_assert(http_authority_parse("127.9.9.9", &a) && http_authority_loopback(&a));
    ck_assert(http_authority_parse("128.0.0.1", &a) && !http_authority_loopback(&a));
    ck_assert(http_authority_parse("xlocalhost", &a) && !http_authority_loopback(&a));
    ck_assert(http_authority_parse("127.0.0.1.evil.example", &a) && !http_authority_loopback(&a));
    static const char *const bad[] = {"",       ":",     ":80",    "a:",  "a:0",  "a:65536",   "a:99999999",
                                      "a:8 0",  "u@a",   "a/b",    "a b", "[::1", "::1",       "[]",
                                      "[::1]x", "[g::]", "[::1]:", "a\t", "a,b",  "[1.2.3.4]", "a:80:80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!http_authority_parse(bad[i], &a), "\"%s\"", bad[i]);
    char text[400];
    memset(text, 'a', sizeof text);
    text[HTTP_HOST] = '\0';
    ck_assert(!http_authority_parse(text, &a));
    text[HTTP_HOST - 1] = '\0';
    ck_assert(http_authority_parse(text, &a));
}
END_TEST

START_TEST(origins)
{
    ck_assert(http_origin_matches("http://127.0.0.1:8080", "127.0.0.1:8080"));
    ck_assert(http_origin_matches("https://Example.org", "example.org"));
    ck_assert(http_origin_matches("https://example.org:443", "example.org"));
    ck_assert(http_origin_matches("HTTP://example.org", "example.org:80"));
    ck_assert(http_origin_matches("http://[::1]:1", "[::1]:1"));
    static const char *const bad[][2] = {
        {"null", "example.org"},
        {"", "example.org"},
        {"http://", "example.org"},
        {"http://example.org", "example.org:8080"},
        {"http://example.org.evil.example", "example.org"},
        {"http://evil.example", "example.org"},
        {"http://example.org/", "example.org"},
        {"http://u@example.org", "example.org"},
        {"ftp://example.org", "example.org"},
        {"http://a http://example.org", "example.org"},
        {"https://example.org:80", "example.org"},
        {"example.org", "example.org"},
        {"http://example.org", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!http_origin_matches(bad[i][0], bad[i][1]), "%s, %s", bad[i][0], bad[i][1]);
}
END_TEST

START_TEST(bearers)
{
    ck_assert(http_bearer_matches("Bearer s3cret", "s3cret"));
    ck_assert(http_bearer_matches("bearer  s3cret", "s3cret"));
    ck_assert(!http_bearer_matches(NULL, "s3cret"));
    ck_assert(!http_bearer_matches("", "s3cret"));
    ck_assert(!http_bearer_matches("Bearer", ""));
    ck_assert(!http_bearer_matches("Bearer ", ""));
    ck_assert(!http_bearer_matches("Bearer s3cre", "s3cret"));
    ck_assert(!http_bearer_matches("Bearer s3cret1", "s3cret"));
    ck_assert(!http_bearer_matches("Bearer S3cret", "s3cret"));
    ck_assert(!http_bearer_matches("Basic s3cret", "s3cret"));
    ck_assert(!http_bearer_matches("s3cret", "s3cret"));
}
END_TEST

static void listens(const char *text, int family, unsigned port, bool loopback)
{
    struct http_listen l;
    ck_assert_msg(http_listen_parse(text, &l, why), "%s: %s", text, why);
    ck_assert_msg(l.address.ss_family == family && l.port == port && l.loopback == loopback, "%s", text);
    struct sockaddr_in four;
    memcpy(&four, &l.address, sizeof four); /* sin6_port is at the same place */
    ck_assert_uint_eq(ntohs(four.sin_port), port);
    ck_assert_uint_eq(l.size, family == AF_INET ? sizeof four : sizeof(struct sockaddr_in6));
}

START_TEST(listening)
{
    listens("127.0.0.1:8080", AF_INET, 8080, true);
    listens("localhost:0", AF_INET, 0, true);
    listens("8080", AF_INET, 8080, true);
    listens("*:80", AF_INET, 80, false);
    listens("0.0.0.0:80", AF_INET, 80, false);
    listens("192.0.2.1:65535", AF_INET, 65535, false);
    listens("[::1]:80", AF_INET6, 80, true);
    listens("[::]:80", AF_INET6, 80, false);
    static const char *const bad[] = {"",
                                      ":",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "::1:80",
                                      "[::1]",
                                      "[::1:80",
                                      "example.org:80",
                                      "1.2.3:80",
                                      "127.0.0.1:80x",
                                      "[1.2.3.4]:80",
                                      ":80",
                                      "[localhost]:80",
                                      "127.0.0.1 :80",
                                      "a b",
                                      "[]:1",
                                      "]:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_listen l;
        why[0] = '\0';
        ck_assert_msg(!http_listen_parse(bad[i], &l, why) && why[0], "\"%s\"", bad[i]);
    }
}
END_TEST

START_TEST(values)
{
    static const char text[] = " Multipart/Form-Data ; a=b;Boundary=\"x \\\" y\" ;c=; ";
    struct http_span all = {text, sizeof text - 1}, name, value;
    const char *rest = NULL, *end = text + all.size;
    const struct http_span head = http_value_head(all, &rest);
    ck_assert(http_span_is_word(head, "multipart/form-data") && !http_span_is(head, "multipart/form-data"));
    ck_assert_int_eq(http_value_param(&rest, end, &name, &value), 1);
    ck_assert(http_span_is(name, "a") && http_span_is(value, "b"));
    ck_assert_int_eq(http_value_param(&rest, end, &name, &value), 1);
    ck_assert(http_span_is_word(name, "boundary") && http_span_is(value, "x \\\" y"));
    ck_assert_int_eq(http_value_param(&rest, end, &name, &value), -1);
    rest = "; ";
    ck_assert_int_eq(http_value_param(&rest, rest + 2, &name, &value), 0);
    static const char *const bad[] = {"x",       ";=a",         ";a",     ";a=\"", ";a=\"b",
                                      ";a=\"\\", ";a=\"\x01\"", "; a =b", ";;"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rest = bad[i];
        ck_assert_msg(http_value_param(&rest, bad[i] + strlen(bad[i]), &name, &value) == -1, "%s", bad[i]);
    }
    char out[4];
    ck_assert(http_span_copy((struct http_span){"abc", 3}, out, sizeof out) && strcmp(out, "abc") == 0);
    ck_assert(!http_span_copy((struct http_span){"abcd", 4}, out, sizeof out));
    ck_assert(!http_span_copy((struct http_span){"a\0b", 3}, out, sizeof out));
}
END_TEST

START_TEST(accepts)
{
    ck_assert(http_prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    ck_assert(http_prefers_html("text/html"));
    ck_assert(http_prefers_html("application/json;q=0.5, text/html;q=0.75"));
    ck_assert(!http_prefers_html(NULL));
    ck_assert(!http_prefers_html(""));
    ck_assert(!http_prefers_html("*/*"));
    ck_assert(!http_prefers_html("application/json"));
    ck_assert(!http_prefers_html("text/html;q=0.2, application/json"));
    ck_assert(!http_prefers_html("text/html;q=0"));
    ck_assert(!http_prefers_html("text/html;q=zzz"));
    ck_assert(!http_prefers_html(",,;;"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_text");
    TCase *t = tcase_create("http_text");
    tcase_add_test(t, targets);
    tcase_add_test(t, targets_refused);
    tcase_add_test(t, numbers_and_flags);
    tcase_add_test(t, hosts);
    tcase_add_test(t, origins);
    tcase_add_test(t, bearers);
    tcase_add_test(t, listening);
    tcase_add_test(t, values);
    tcase_add_test(t, accepts);
    suite_add_tcase(s, t);
    return unit_run(s);
}
