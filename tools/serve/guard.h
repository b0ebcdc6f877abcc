/* guard.h: whom a request comes from, as far as its head says: Host, Origin, bearer token. */
#ifndef ECG_TOOLS_SERVE_GUARD_H
#define ECG_TOOLS_SERVE_GUARD_H

#include <stddef.h>

typedef struct guard {
    const char *const *names; /* of --host */
    size_t count;
    int loopback;    /* the server is for this machine only: other names are refused (DNS rebinding) */
    char token[257]; /* "": none wanted */
} guard;

/* The first line of a file: 16 to 256 printable characters. 0, or a message in why. */
int guard_token(guard *g, const char *path, char *why, size_t cap);

/* Is `host` (the header) a name of this server? NULL: HTTP/1.0 need not say. */
int guard_host(const guard *g, const char *host);

/* May a page of this origin send here? `origin`, `site` (Sec-Fetch-Site): the headers, NULL where there is
 * none. */
int guard_origin(const guard *g, const char *host, const char *origin, const char *site);

/* Does the Authorization header (NULL: none) hold the token, if one is wanted? */
int guard_bearer(const guard *g, const char *authorization);

#endif
