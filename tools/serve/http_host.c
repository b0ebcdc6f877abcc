/* Host, Origin and --listen: the part of http_text.h that knows names and addresses. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "serve/http_text.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool read_port(const char *text, uint16_t *port)
{
    uint64_t n = 0;
    if (strlen(text) > 5 || !http_number(text, UINT16_MAX, &n))
        return false;
    *port = (uint16_t)n;
    return true;
}

bool http_authority_parse(const char *text, struct http_authority *a)
{
    memset(a, 0, sizeof *a);
    const bool bracket = *text == '[';
    const char *host = text + bracket;
    const size_t n = strcspn(host, bracket ? "]" : ":");
    if (n == 0 || n >= sizeof a->host)
        return false;
    for (size_t i = 0; i < n; i++) {
        a->host[i] = lower(host[i]);
        if (bracket ? !strchr("0123456789abcdef:.", a->host[i]) : !host_char(a->host[i]))
            return false;
    }
    const char *rest = host + n;
    if (bracket) {
        struct in6_addr six;
        if (*rest++ != ']' || inet_pton(AF_INET6, a->host, &six) != 1)
            return false;
        a->ipv6 = true;
    } else if (n > 1 && a->host[n - 1] == '.') { /* the full name of the same host */
        a->host[n - 1] = '\0';
    }
    if (*rest == '\0')
        return true;
    return *rest == ':' && read_port(rest + 1, &a->port) && a->port > 0;
}

bool http_authority_loopback(const struct http_authority *a)
{
    static const char local[] = ".localhost";
    struct in_addr four;
    struct in6_addr six;
    if (a->ipv6)
        return inet_pton(AF_INET6, a->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
    if (inet_pton(AF_INET, a->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    const size_t n = strlen(a->host), m = sizeof local - 1;
    return strcmp(a->host, local + 1) == 0 || (n > m && strcmp(a->host + n - m, local) == 0);
}

bool http_origin_matches(const char *origin, const char *host)
{
    struct http_authority from, own;
    static const struct {
        const char *scheme;
        uint16_t port;
    } known[] = {{"http://", 80}, {"https://", 443}};
    for (size_t i = 0; i < 2; i++) {
        const size_t n = strlen(known[i].scheme);
        if (strlen(origin) < n || !http_span_is_word((struct http_span){origin, n}, known[i].scheme))
            continue;
        if (!http_authority_parse(origin + n, &from) || !http_authority_parse(host, &own))
            return false;
        const uint16_t a = from.port ? from.port : known[i].port, b = own.port ? own.port : known[i].port;
        return a == b && from.ipv6 == own.ipv6 && strcmp(from.host, own.host) == 0;
    }
    return false;
}

bool http_listen_parse(const char *text, struct http_listen *l, char why[HTTP_WHY])
{
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    memset(l, 0, sizeof *l);
    if (!read_port(port, &l->port)) {
        snprintf(why, HTTP_WHY, "expected ADDRESS:PORT with a port of 0 to 65535");
        return false;
    }
    if (colon) {
        const char *at = text, *end = colon;
        const bool bracket = end > at && *at == '[' && end[-1] == ']';
        if (bracket)
            at++, end--;
        if (!http_span_copy((struct http_span){at, (size_t)(end - at)}, host, sizeof host))
            host[0] = '\0';
        if (!bracket && strchr(host, ':'))
            host[0] = '\0'; /* an IPv6 address stands in brackets, or its port is not to be told from it */
        if (!bracket && strcmp(host, "localhost") == 0)
            strcpy(host, "127.0.0.1");
        if (!bracket && strcmp(host, "*") == 0)
            strcpy(host, "0.0.0.0");
    }
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(l->port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(l->port)};
    if (text[0] != '[' && inet_pton(AF_INET, host, &four.sin_addr) == 1) {
        memcpy(&l->address, &four, sizeof four);
        l->size = sizeof four;
        l->loopback = ntohl(four.sin_addr.s_addr) >> 24 == 127;
        return true;
    }
    if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1) {
        memcpy(&l->address, &six, sizeof six);
        l->size = sizeof six;
        l->loopback = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
        return true;
    }
    snprintf(why, HTTP_WHY,
             "expected an IPv4 address, an IPv6 address in brackets, localhost or * before the port");
    return false;
}
