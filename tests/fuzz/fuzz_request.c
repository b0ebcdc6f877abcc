/* The texts of a request, a line each: target, Host, Origin, Authorization, Accept, an address to listen on,
 * a header value with parameters. What is accepted keeps its promises, and written out again it means the
 * same. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/http_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 8192, LINES = 7 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* Escapes everything that is no letter or digit, but the '/' of a path. */
static char *escape(char *to, const char *text, bool path)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (path && c == '/'))
            *to++ = (char)c;
        else
            to += sprintf(to, "%%%02X", c);
    }
    *to = '\0';
    return to;
}

static void check_clean(const char *text)
{
    for (; *text; text++)
        require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void target(const char *raw)
{
    static struct http_target t, again;
    static char text[4 * HTTP_TARGET];
    char why[HTTP_WHY] = "";
    const int status = http_target_parse(raw, &t, why);
    require(t.path[0] == '/');
    if (status != 0) {
        require((status == 400 || status == 414) && why[0]);
        return;
    }
    check_clean(t.path);
    require(!strstr(t.path, "//") && !strstr(t.path, "/../") && !strstr(t.path, "/./") &&
            !strchr(t.path, '\\'));
    char *to = escape(text, t.path, true);
    require(to - text < 3 || strcmp(to - 3, "/..") != 0);
    require(t.params <= HTTP_PARAMS);
    for (size_t i = 0; i < t.params; i++) {
        check_clean(t.param[i].name);
        check_clean(t.param[i].value);
        require(http_target_get(&t, t.param[i].name) == t.param[i].value);
        *to++ = i ? '&' : '?';
        to = escape(to, t.param[i].name, false);
        *to++ = '=';
        to = escape(to, t.param[i].value, false);
        uint64_t n;
        bool b;
        if (http_number(t.param[i].value, 1000, &n))
            require(n <= 1000 && strspn(t.param[i].value, "0123456789") == strlen(t.param[i].value));
        http_flag(t.param[i].value, &b);
    }
    if (strlen(text) > HTTP_TARGET - 2)
        return;
    require(http_target_parse(text, &again, why) == 0 && strcmp(again.path, t.path) == 0 &&
            again.params == t.params);
    for (size_t i = 0; i < t.params; i++)
        require(!strcmp(again.param[i].name, t.param[i].name) &&
                !strcmp(again.param[i].value, t.param[i].value));
}

static void host(const char *text)
{
    struct http_authority a, again;
    char back[HTTP_HOST + 16];
    if (!http_authority_parse(text, &a))
        return;
    require(a.host[0] && !strpbrk(a.host, "/@[]%\\ "));
    snprintf(back, sizeof back, a.ipv6 ? "[%s]" : "%s", a.host);
    if (a.port)
        snprintf(back + strlen(back), 8, ":%u", a.port);
    require(http_authority_parse(back, &again) && again.ipv6 == a.ipv6);
    require(again.port == a.port);
    char origin[HTTP_HOST + 32];
    snprintf(origin, sizeof origin, "http://%s", back);
    require(http_origin_matches(origin, back));
}

static void listen_on(const char *text)
{
    struct http_listen l, again;
    char why[HTTP_WHY] = "", name[INET6_ADDRSTRLEN], back[80];
    if (!http_listen_parse(text, &l, why)) {
        require(why[0] != '\0');
        return;
    }
    if (l.address.ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, &l.address, sizeof four);
        require(l.size == sizeof four && inet_ntop(AF_INET, &four.sin_addr, name, sizeof name));
        snprintf(back, sizeof back, "%s:%u", name, l.port);
    } else {
        struct sockaddr_in6 six;
        memcpy(&six, &l.address, sizeof six);
        require(l.size == sizeof six && inet_ntop(AF_INET6, &six.sin6_addr, name, sizeof name));
        snprintf(back, sizeof back, "[%s]:%u", name, l.port);
    }
    require(http_listen_parse(back, &again, why) && again.size == l.size && again.loopback == l.loopback);
    require(memcmp(&again.address, &l.address, l.size) == 0);
}

static void value(const char *text)
{
    const char *rest = NULL, *const end = text + strlen(text);
    struct http_span name, inner;
    char copy[64];
    const struct http_span head = http_value_head((struct http_span){text, strlen(text)}, &rest);
    require(head.at >= text && head.at + head.size <= rest && rest <= end);
    for (const char *was = rest; http_value_param(&rest, end, &name, &inner) == 1; was = rest) {
        require(rest > was && rest <= end && name.size > 0);
        require(name.at >= was && name.at + name.size < inner.at + 1 && inner.at + inner.size <= rest);
        if (http_span_copy(inner, copy, sizeof copy))
            require(strlen(copy) == inner.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line[LINES];
    if (size >= TEXT)
        return 0;
    for (int i = 0; i < LINES; i++) { /* each in memory of its own */
        const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
        const size_t n = end ? (size_t)(end - data) : size;
        line[i] = calloc(1, n + 1);
        require(line[i] != NULL);
        if (n)
            memcpy(line[i], data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    target(line[0]);
    host(line[1]);
    struct http_authority from, own;
    if (http_origin_matches(line[2], line[1]))
        require(http_authority_parse(strstr(line[2], "://") + 3, &from) &&
                http_authority_parse(line[1], &own) && !strcmp(from.host, own.host));
    if (http_bearer_matches(line[3], "secret"))
        require(strlen(line[3]) >= 13 && !strcmp(line[3] + strlen(line[3]) - 6, "secret"));
    require(!line[1][0] || http_bearer_matches("Bearer x", line[1]) == !strcmp(line[1], "x"));
    http_prefers_html(line[4]);
    listen_on(line[5]);
    value(line[6]);
    for (int i = 0; i < LINES; i++)
        free(line[i]);
    return 0;
}
