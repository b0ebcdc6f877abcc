#define _POSIX_C_SOURCE 200809L
#include "serve/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REQUESTS = 1000 /* on one connection */ };

static const char *const always[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src "
     "'self'; "
     "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static int has_tag(const request *r, const char *etag)
{
    const char *wanted = request_header(r, "If-None-Match");
    return wanted && etag && strstr(wanted, etag);
}

static int add_headers(struct MHD_Response *m, const request *r, const reply *out)
{
    char text[32];
    int done = 1;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        done &= MHD_add_response_header(m, always[i][0], always[i][1]) == MHD_YES;
    done &= MHD_add_response_header(m, "Cache-Control", out->cache ? out->cache : "no-store") == MHD_YES;
    if (out->type)
        done &= MHD_add_response_header(m, "Content-Type", out->type) == MHD_YES;
    if (out->etag)
        done &= MHD_add_response_header(m, "ETag", out->etag) == MHD_YES;
    if (out->allow)
        done &= MHD_add_response_header(m, "Allow", out->allow) == MHD_YES;
    if (out->status == 401)
        done &= MHD_add_response_header(m, "WWW-Authenticate", "Bearer") == MHD_YES;
    if (out->retry) {
        snprintf(text, sizeof text, "%u", out->retry);
        done &= MHD_add_response_header(m, "Retry-After", text) == MHD_YES;
    }
    if (out->closes || r->closes || atomic_load(&r->s->stopping) ||
        conns_requests(r->s->clients, r->client) + 1 >= MOST_REQUESTS)
        done &= MHD_add_response_header(m, "Connection", "close") == MHD_YES;
    return done;
}

enum MHD_Result send_reply(request *r, reply *out)
{
    if (has_tag(r, out->etag)) {
        free(out->own);
        *out = (reply){.status = 304, .etag = out->etag, .cache = out->cache};
    }
    static const char empty[1];
    const void *data = out->data ? out->data : empty;
    /* libmicrohttpd does not write to it, though its interface takes no const. */
    union {
        const void *from;
        void *to;
    } both = {data};
    struct MHD_Response *m = MHD_create_response_from_buffer(
        out->size, both.to, out->own ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!m) {
        free(out->own);
        out->own = NULL;
        return MHD_NO;
    }
    out->own = NULL;
    r->status = out->status;
    r->sent = out->size;
    r->state = REQUEST_SENT;
    conns_phase(r->s->clients, r->client, CONN_SEND, server_now());
    const enum MHD_Result done = add_headers(m, r, out) ? MHD_queue_response(r->mhd, out->status, m) : MHD_NO;
    MHD_destroy_response(m);
    return done;
}

enum MHD_Result send_refusal(request *r)
{
    reply out = {0};
    if (r->refused == 204)
        out.status = 204;
    else
        route_problem(r, &out, r->refused, r->why);
    out.allow = r->refused == 405 || r->refused == 204 ? r->allow : NULL;
    if (r->retry)
        out.retry = r->retry;
    return send_reply(r, &out);
}
