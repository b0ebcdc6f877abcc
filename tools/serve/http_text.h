/* http_text.h: the texts of an HTTP request, taken apart strictly: what is not exactly right is refused. Pure
 * functions, for any thread: nothing is allocated or kept, nothing comes from libmicrohttpd.
 *
 * A function that answers an int gives 0 when all is well, else the HTTP status to answer with and, in `why`
 * where it has one, a line for people. Such a line never repeats what the client sent. */
#ifndef ECG_SERVE_HTTP_TEXT_H
#define ECG_SERVE_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { HTTP_WHY = 160, HTTP_TARGET = 2048, HTTP_PARAMS = 16, HTTP_HOST = 256 };

/* A part of somebody else's text, without a zero at its end. */
struct http_span {
    const char *at;
    size_t size;
};

bool http_span_is(struct http_span s, const char *text);      /* letter for letter */
bool http_span_is_word(struct http_span s, const char *text); /* capitals or not (ASCII) */

/* ---- The target of a request: "/api/v1/predict?top=3&heatmap=1" ---- */
struct http_param {
    const char *name, *value; /* decoded; value "" where there was no '=' */
};
struct http_target {
    const char *path; /* decoded; begins with '/' */
    struct http_param param[HTTP_PARAMS];
    size_t params;
    char text[HTTP_TARGET + HTTP_PARAMS]; /* what the others point into: a target is not to be copied */
};

/* 400: no '/' first, a bad %-escape, a control character, a backslash, an escaped slash, an empty, "." or
 * ".." folder (one '/' at the end is fine), a parameter given twice; 414: longer than HTTP_TARGET - 2 bytes
 * or more than HTTP_PARAMS parameters. '+' is a space in the query. */
int http_target_parse(const char *raw, struct http_target *t, char why[HTTP_WHY]);

/* The value of a parameter; NULL where it is not there. */
const char *http_target_get(const struct http_target *t, const char *name);

/* Decimal digits only, at most `max`. false: *out is left alone. Also for Content-Length. */
bool http_number(const char *text, uint64_t max, uint64_t *out);

/* "1", "true", "yes", "on", "" (it is there): true; "0", "false", "no", "off": false. false: neither. */
bool http_flag(const char *text, bool *out);

/* ---- Host, Origin, Authorization ---- */
struct http_authority {
    char host[HTTP_HOST]; /* small letters; an IPv6 address without its brackets */
    uint16_t port;        /* 0: none was given */
    bool ipv6;
};

/* "Example.org:8080", "[::1]", "127.0.0.1". No user part, nothing empty. */
bool http_authority_parse(const char *text, struct http_authority *a);

/* 127.0.0.0/8, ::1, localhost and names under it: what a server on loopback may be called. */
bool http_authority_loopback(const struct http_authority *a);

/* Does a page from `origin` ("https://example.org") belong to the server that was called `host` (the Host
 * header)? A port that is left out is the usual one of the origin's scheme. "null" never does. */
bool http_origin_matches(const char *origin, const char *host);

/* "Bearer TOKEN" with this very token. The time taken tells nothing but the length. */
bool http_bearer_matches(const char *authorization, const char *token);

/* ---- Where to listen ---- */
struct http_listen {
    struct sockaddr_storage address;
    socklen_t size;
    uint16_t port; /* 0: any that is free */
    bool loopback;
};

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "*:8080" (every IPv4 address), "[::]:8080", "8080"
 * (loopback). */
bool http_listen_parse(const char *text, struct http_listen *l, char why[HTTP_WHY]);

/* ---- Header values of the form `type/subtype; name=value; name="quoted value"` ---- */

/* The part before the first ';', spaces at its ends left out. `*rest` then points at the ';' or at the end.
 */
struct http_span http_value_head(struct http_span value, const char **rest);

/* The next parameter from *rest on: 1 and *rest moves on; 0 at the end; -1 where it is no parameter. A quoted
 * value is given without its quotes and with its backslashes. */
int http_value_param(const char **rest, const char *end, struct http_span *name, struct http_span *value);

/* Does an Accept header (NULL: none was sent) prefer HTML to JSON? As browsers do, when they go to a page. */
bool http_prefers_html(const char *accept);

/* `size` bytes as a text in `out`, with a zero; false where they do not fit or hold a zero. */
bool http_span_copy(struct http_span s, char *out, size_t cap);

#endif
