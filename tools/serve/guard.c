#define _POSIX_C_SOURCE 200809L
#include "serve/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "serve/http_text.h"

enum { LEAST_TOKEN = 16 };

int guard_token(guard *g, const char *path, char *why, size_t cap)
{
    char line[512] = "";
    errno = 0;
    FILE *f = fopen(path, "re");
    const int got = f && (fgets(line, sizeof line, f) || !ferror(f));
    const int error = errno ? errno : EIO;
    if (f)
        fclose(f);
    if (!got) {
        snprintf(why, cap, "%s: %s", path, strerror(error));
        return 1;
    }
    const size_t n = strcspn(line, "\r\n");
    line[n] = '\0';
    if (n < LEAST_TOKEN || n >= sizeof g->token) {
        snprintf(why, cap, "%s: the first line has %zu characters, a token needs %d to %zu", path, n,
                 LEAST_TOKEN, sizeof g->token - 1);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        if (line[i] <= ' ' || line[i] > '~') {
            snprintf(why, cap, "%s: character %zu of the first line may not stand in a token", path, i + 1);
            return 1;
        }
    memcpy(g->token, line, n + 1);
    return 0;
}

static int is_name(const guard *g, const struct http_authority *a)
{
    for (size_t i = 0; i < g->count; i++) {
        struct http_authority known;
        if (http_authority_parse(g->names[i], &known) && strcmp(known.host, a->host) == 0 &&
            (!known.port || known.port == a->port))
            return 1;
    }
    return 0;
}

int guard_host(const guard *g, const char *host)
{
    struct http_authority a;
    if (!host)
        return 1;
    return http_authority_parse(host, &a) && (!g->loopback || http_authority_loopback(&a) || is_name(g, &a));
}

int guard_origin(const guard *g, const char *host, const char *origin, const char *site)
{
    struct http_authority a;
    if (site && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0))
        return 0;
    if (!origin)
        return 1;
    if (host && http_origin_matches(origin, host))
        return 1;
    const char *name = strstr(origin, "://"); /* the proxy's name: a page there is ours */
    return name && http_authority_parse(name + 3, &a) && is_name(g, &a);
}

int guard_bearer(const guard *g, const char *authorization)
{
    return !g->token[0] || (authorization && http_bearer_matches(authorization, g->token));
}
