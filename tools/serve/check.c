/* Whether a request is taken, as far as its head says. */
#define _POSIX_C_SOURCE 200809L
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/request.h"

void request_refuse(request *r, unsigned status, const char *fmt, ...)
{
    if (r->refused)
        return;
    va_list args;
    va_start(args, fmt);
    r->refused = status;
    vsnprintf(r->why, sizeof r->why, fmt, args);
    va_end(args);
}

/* ---- What two readers could understand in two ways ---- */
enum { ONCE = 8, ROOM_FOR_FORM = 64 << 10 };
static const char *const once[ONCE] = {
    "Host",   "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding", "Authorization",
    "Origin", "Expect"};

static enum MHD_Result count_header(void *payload, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    unsigned *seen = payload;
    (void)kind;
    (void)value;
    for (size_t i = 0; i < ONCE; i++)
        if (http_span_is_word((struct http_span){name, strlen(name)}, once[i]))
            seen[i]++;
    return MHD_YES;
}

/* Length and coding of the body. */
static void check_framing(request *r, const char *method)
{
    unsigned seen[ONCE] = {0};
    MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, count_header, seen);
    for (size_t i = 0; i < ONCE; i++)
        if (seen[i] > 1)
            request_refuse(r, 400, "the header %s was sent %u times", once[i], seen[i]);
    const char *length = request_header(r, "Content-Length"),
               *coding = request_header(r, "Transfer-Encoding");
    uint64_t n = 0;
    if (length && coding)
        request_refuse(r, 400, "both Content-Length and Transfer-Encoding were sent");
    if (coding && !http_span_is_word((struct http_span){coding, strlen(coding)}, "chunked"))
        request_refuse(r, 400, "a Transfer-Encoding other than chunked");
    if (length && !http_number(length, SIZE_MAX / 4, &n))
        request_refuse(r, 400, "Content-Length is no number");
    if (strcmp(method, "POST") != 0 && (coding || n > 0))
        request_refuse(r, 400, "a body where none is expected");
    r->length = (size_t)n;
    r->chunked = coding != NULL;
    r->closes |= r->refused != 0;
}

/* ---- Where to, and how ---- */
static void check_route(request *r, const char *method)
{
    static const char *const allow[] = {[METHOD_GET] = "GET, HEAD, OPTIONS", [METHOD_POST] = "POST, OPTIONS"};
    r->route = route_find(r->s, r->target.path, &r->rest);
    if (!r->route) {
        request_refuse(r, 404, "there is nothing at this path");
        return;
    }
    const int get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0,
              post = strcmp(method, "POST") == 0;
    r->allow = allow[r->route->methods];
    if (strcmp(method, "OPTIONS") == 0)
        request_refuse(r, 204, "%s", "");
    else if (!(get ? r->route->methods & METHOD_GET : post ? r->route->methods & METHOD_POST : 0))
        request_refuse(r, 405, "expected one of %s", r->allow);
}

static void check_client(request *r)
{
    const guard *g = &r->s->gate;
    const char *host = request_header(r, "Host");
    if (!guard_host(g, host))
        request_refuse(r, 421, "this server has another name; --host makes one known");
    if (r->route && r->route->guarded && !guard_bearer(g, request_header(r, "Authorization")))
        request_refuse(r, 401, "expected the header 'Authorization: Bearer' with the token of this server");
    if (r->route && r->route->methods == METHOD_POST &&
        !guard_origin(g, host, request_header(r, "Origin"), request_header(r, "Sec-Fetch-Site")))
        request_refuse(r, 403, "sent by a page of another site");
}

/* ---- What of it is to be worked on ---- */
static void check_body(request *r)
{
    const serve_options *o = r->s->o;
    const char *coding = request_header(r, "Content-Encoding"), *expect = request_header(r, "Expect");
    const char *type = request_header(r, "Content-Type");
    const size_t form = type && strlen(type) > 10 &&
                                http_span_is_word((struct http_span){type, 10}, "multipart/")
                            ? ROOM_FOR_FORM
                            : 0; /* around the pictures */
    r->most = (size_t)o->max_upload * (r->route->most == 1 ? 1 : SERVE_BATCH_BYTES) + form;
    if (coding && !http_span_is_word((struct http_span){coding, strlen(coding)}, "identity"))
        request_refuse(r, 415, "the body must not be compressed");
    if (expect && !http_span_is_word((struct http_span){expect, strlen(expect)}, "100-continue"))
        request_refuse(r, 417, "an expectation other than 100-continue");
    if (!r->chunked && !request_header(r, "Content-Length"))
        request_refuse(r, 411, "expected Content-Length or chunked");
    if (r->length > r->most) {
        request_refuse(r, 413, "the body has %zu bytes, expected at most %zu", r->length, r->most);
        r->closes = 1;
    }
    if (atomic_load(&r->s->stopping)) {
        request_refuse(r, 503, "the server is being shut down");
        r->closes = 1;
    }
}

static void check_parameters(request *r)
{
    const char *top = http_target_get(&r->target, "top"), *heat = http_target_get(&r->target, "heatmap");
    uint64_t n = 0;
    bool yes = false;
    if (top && (!http_number(top, 65536, &n) || n == 0))
        request_refuse(r, 400, "top: expected a number of 1 to 65536");
    if (heat && !http_flag(heat, &yes))
        request_refuse(r, 400, "heatmap: expected 0 or 1");
    r->job.top = (uint32_t)n;
    r->job.heatmap = yes;
}

void request_check(request *r, const char *method)
{
    check_framing(r, method);
    if (!r->refused)
        check_route(r, method);
    const uint32_t wait = limiter_request(r->s->limits, conn_address(r->client), (double)r->began / 1e9);
    if (wait) {
        request_refuse(r, 429, "too many requests; try again in %u s", wait);
        r->retry = wait;
    }
    check_client(r);
    if (!r->refused && r->route->methods == METHOD_POST) {
        check_body(r);
        check_parameters(r);
    }
}
