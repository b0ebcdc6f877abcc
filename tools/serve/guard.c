#define _POSIX_C_SOURCE 200809L
#include "serve/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LEAST_TOKEN = 16 };

int guard_token(guard *g, const char *path, char *why, size_t cap)
{
    char line[512] = "";
    errno = 0;
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return 1;
    }
    if (!fgets(line, sizeof line, f) && ferror(f)) {
        snprintf(why, cap, "%s: %s", path, strerror(errno ? errno : EIO));
        fclose(f);
        return 1;
    }
    fclose(f);
    const size_t n = strcspn(line, "\r\n");
    line[n] = '\0';
    if (n < LEAST_TOKEN || n >= sizeof g->token) {
        snprintf(why, cap, "%s: the first line has %zu characters, a token needs %d to %zu", path, n,
                 LEAST_TOKEN, sizeof g->token - 1);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        if (line[i] <= ' ' || line[i] > '~') {
            snprintf(why, cap, "%s: character %zu of the first line is none that a token may hold", path,
                     i + 1);
            return 1;
        }
    memcpy(g->token, line, n + 1);
    return 0;
}

/* The length of the name in "name", "name:port", "[address]:port". */
static size_t name_length(const char *host)
{
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        return end ? (size_t)(end + 1 - host) : strlen(host);
    }
    return strcspn(host, ":");
}

static int is(const char *a, size_t n, const char *b)
{
    return strlen(b) == n && strncasecmp(a, b, n) == 0;
}

static int is_name(const guard *g, const char *host, size_t n)
{
    for (size_t i = 0; i < g->count; i++)
        if (is(host, n, g->names[i]))
            return 1;
    return 0;
}

/* 127.0.0.1 and its neighbours, in digits. */
static int is_loopback(const char *host, size_t n)
{
    return is(host, n, "localhost") || is(host, n, "[::1]") ||
           (n > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

int guard_host(const guard *g, const char *host)
{
    if (!host || !g->loopback)
        return 1;
    const size_t n = name_length(host);
    return is_loopback(host, n) || is_name(g, host, n);
}

/* "name:port" without the port that the scheme has anyway. */
static size_t without_port(const char *host, const char *port)
{
    const size_t n = strlen(host), at = name_length(host);
    return strcmp(host + at, port) == 0 ? at : n;
}

int guard_origin(const guard *g, const char *host, const char *origin, const char *site)
{
    if (site && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0))
        return 0;
    if (!origin)
        return 1;
    const int plain = strncmp(origin, "http://", 7) == 0;
    if (!plain && strncmp(origin, "https://", 8) != 0)
        return 0; /* "null" too */
    const char *from = origin + (plain ? 7 : 8), *port = plain ? ":80" : ":443";
    if (is_name(g, from, name_length(from)))
        return 1;
    const size_t n = without_port(from, port);
    return host && without_port(host, port) == n && strncasecmp(from, host, n) == 0;
}

int guard_bearer(const guard *g, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (!g->token[0])
        return 1;
    const int has = authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0;
    const char *given = has ? authorization + sizeof scheme - 1 : "";
    const size_t n = strlen(g->token), m = strlen(given);
    unsigned differ = n != m;
    for (size_t i = 0; i < n; i++)
        differ |= (unsigned)(unsigned char)g->token[i] ^ (unsigned)(unsigned char)given[m ? i % m : 0];
    return differ == 0;
}
