#define _POSIX_C_SOURCE 200809L
#include "serve/request.h"

#include <stdlib.h>
#include <string.h>

#include "serve/send.h"

enum {
    FIRST_ROOM = 64 << 10, /* of a body whose length is not known, or large */
    MOST_DRAINED = 1 << 20 /* bytes of a body that is read and dropped, so that its answer is seen */
};

const char *request_header(const request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

static conn *client_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return i ? i->socket_context : NULL;
}

void *request_begin(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    server *s = cls;
    request *r = calloc(1, sizeof *r);
    conn *client = client_of(mhd);
    if (!r || !client) {
        free(r);
        return NULL;
    }
    r->s = s;
    r->mhd = mhd;
    r->client = client;
    r->began = server_now();
    conns_begun(s->clients, client, r->began);
    atomic_fetch_add(&s->requests, 1);
    char why[HTTP_WHY] = "";
    const int wrong = http_target_parse(uri, &r->target, why);
    if (wrong)
        request_refuse(r, (unsigned)wrong, "%s", why);
    return r;
}

void request_end(void *cls, struct MHD_Connection *mhd, void **read, enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)mhd;
    (void)why;
    request *r = *read;
    if (!r)
        return;
    server *s = r->s;
    const uint64_t now = server_now();
    if (r->status)
        metrics_request(s->figures, r->route ? r->route->path : "other", r->status,
                        (double)(now - r->began) / 1e9, r->size + r->dropped, r->sent);
    conns_phase(s->clients, r->client, CONN_HEAD, now);
    job_close(&r->job);
    model_hold_drop(r->job.hold);
    free(r->prepared.own);
    free(r->body);
    atomic_fetch_sub(&s->held, r->cap);
    free(r);
    *read = NULL;
    atomic_fetch_sub(&s->requests, 1);
}

/* ---- The body ---- */

/* 0: it will not be kept, and r->refused says why. */
static int make_room(request *r, size_t wanted)
{
    if (wanted <= r->cap)
        return 1;
    size_t cap = r->cap ? r->cap * 2 : FIRST_ROOM;
    if (r->length && r->length <= MOST_DRAINED)
        cap = r->length;
    cap = cap < wanted ? wanted : cap;
    cap = cap > r->most ? r->most : cap;
    const size_t more = cap - r->cap;
    if (atomic_fetch_add(&r->s->held, more) + more > r->s->most_held) {
        atomic_fetch_sub(&r->s->held, more);
        request_refuse(r, 503, "the server holds as many uploads as it may; try again");
        return 0;
    }
    unsigned char *body = realloc(r->body, cap);
    if (!body) {
        atomic_fetch_sub(&r->s->held, more);
        request_refuse(r, 503, "out of memory");
        return 0;
    }
    r->body = body;
    r->cap = cap;
    return 1;
}

static void drop_body(request *r)
{
    free(r->body);
    atomic_fetch_sub(&r->s->held, r->cap);
    r->dropped += r->size;
    r->body = NULL;
    r->size = r->cap = 0;
}

/* 0: too much of what is not wanted: the connection is closed. */
static int take_body(request *r, const char *data, size_t n)
{
    conns_got(r->s->clients, r->client, n, server_now());
    if (!r->refused && n > r->most - r->size) {
        request_refuse(r, 413, "the body has more than %zu bytes", r->most);
        r->closes = 1;
    }
    if (!r->refused && make_room(r, r->size + n)) {
        memcpy(r->body + r->size, data, n);
        r->size += n;
        return 1;
    }
    drop_body(r);
    r->dropped += n;
    return r->dropped <= r->most + MOST_DRAINED;
}

/* ---- Work ---- */

/* In a worker: the text of the answer is its work too. After this the request may be gone. */
static void job_done(job *j)
{
    request *r = j->owner;
    if (j->status)
        request_refuse(r, j->status, "%s", j->why);
    else
        r->route->post(r, &r->prepared);
    r->state = REQUEST_DONE;
    MHD_resume_connection(r->mhd);
}

static enum MHD_Result submit(request *r)
{
    server *s = r->s;
    if (!pool_reserve(s->workers)) {
        request_refuse(r, 503, "%u requests wait for a thread already; try again", s->o->queue);
        return send_refusal(r);
    }
    job *j = &r->job;
    j->hold = model_holder_take(s->models);
    j->type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    j->body = r->body;
    j->size = r->size;
    j->most = r->route->most ? r->route->most : SERVE_BATCH_PICTURES;
    j->since = server_now();
    j->done = job_done;
    j->owner = r;
    r->state = REQUEST_WORK;
    conns_phase(s->clients, r->client, CONN_WORK, j->since);
    MHD_suspend_connection(r->mhd); /* first: it may be done at once */
    pool_submit(s->workers, j);
    return MHD_YES;
}

static enum MHD_Result finish(request *r)
{
    if (r->refused)
        return send_refusal(r);
    if (r->route->methods == METHOD_POST)
        return submit(r);
    reply out = {0};
    r->route->get(r, &out);
    return send_reply(r, &out);
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **read)
{
    (void)cls;
    (void)mhd;
    (void)url;
    (void)version;
    request *r = *read;
    if (!r)
        return MHD_NO; /* out of memory: the connection is closed */
    switch (r->state) {
    case REQUEST_NEW:
        r->state = REQUEST_BODY;
        request_check(r, method);
        if (r->refused && (r->closes || r->length > MOST_DRAINED || request_header(r, "Expect"))) {
            r->closes |= r->length > 0;
            return send_refusal(r);
        }
        conns_phase(r->s->clients, r->client, CONN_BODY, server_now());
        return MHD_YES;
    case REQUEST_BODY:
        if (*size > 0) {
            const int goes_on = take_body(r, data, *size);
            *size = 0;
            return goes_on ? MHD_YES : MHD_NO;
        }
        return finish(r);
    case REQUEST_WORK:
        return MHD_YES;
    case REQUEST_DONE: {
        if (r->refused)
            return send_refusal(r);
        return send_reply(r, &r->prepared);
    }
    case REQUEST_SENT:
        break;
    }
    return MHD_NO;
}
