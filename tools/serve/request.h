/* request.h: one HTTP request, from its first line to the end of its answer. */
#ifndef ECG_TOOLS_SERVE_REQUEST_H
#define ECG_TOOLS_SERVE_REQUEST_H

#include <microhttpd.h>

#include "serve/http_text.h"
#include "serve/reply.h"
#include "serve/server.h"

enum { METHOD_GET = 1, METHOD_POST = 2 };

typedef struct request request;

/* A place of the server. */
typedef struct route {
    const char *path; /* one that ends in '/' is that of all below it */
    unsigned methods;
    int guarded;   /* asks for the token, where there is one */
    int page;      /* errors are pages too */
    uint32_t most; /* POST: pictures, 0: SERVE_BATCH_PICTURES */
    void (*get)(request *r, reply *out);
    void (*post)(request *r, reply *out); /* after the job */
} route;

typedef enum request_state {
    REQUEST_NEW,  /* the first line was read */
    REQUEST_BODY, /* the head was read and taken; or refused, and what is left of the body is not kept */
    REQUEST_WORK, /* suspended */
    REQUEST_DONE, /* the job is done */
    REQUEST_SENT,
} request_state;

struct request {
    server *s;
    struct MHD_Connection *mhd;
    conn *client;
    const route *route;        /* NULL: unknown, or not looked up yet */
    struct http_target target; /* its path and parameters */
    const char *rest;          /* what follows a route that ends in '/' */
    uint64_t began;
    request_state state;
    unsigned refused; /* an HTTP status, and why; 0: all is well */
    const char *allow;
    unsigned retry;
    char why[200];
    int closes;    /* the connection, after the answer */
    int chunked;   /* else the body has `length` bytes */
    size_t length; /* as the head says */
    unsigned char *body;
    size_t size, cap, most, dropped;
    job job;
    reply prepared; /* by a worker */
    unsigned status;
    size_t sent;
};

/* libmicrohttpd's hooks; cls is the server. */
void *request_begin(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **read);
void request_end(void *cls, struct MHD_Connection *mhd, void **read, enum MHD_RequestTerminationCode why);

/* A header of the request; NULL: none. */
const char *request_header(const request *r, const char *name);

/* Sets r->refused, unless it is set. */
void request_refuse(request *r, unsigned status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Looks at the head: the route, the limits, or why it is refused. (check.c) */
void request_check(request *r, const char *method);

/* ---- Routes (route.c) ---- */

/* NULL: there is none. *rest as in request. */
const route *route_find(const server *s, const char *path, const char **rest);

/* A problem as this request wants it: JSON, or a page for a browser. */
void route_problem(request *r, reply *out, unsigned status, const char *detail);

/* ---- The API (api.c, openapi.c) ---- */
void api_health(request *r, reply *out);
void api_metrics(request *r, reply *out);
void api_model(request *r, reply *out);
void api_openapi(request *r, reply *out);
void api_predict(request *r, reply *out);
void api_batch(request *r, reply *out);

/* The text of openapi.json with version and limits filled in; NULL: out of memory. */
char *openapi_text(const serve_options *o);

/* ---- The page (site.c) ---- */
int site_has(const server *s, const char *name); /* a file of the page that may be asked for */
void site_home(request *r, reply *out);
void site_about(request *r, reply *out);
void site_classes(request *r, reply *out);
void site_class(request *r, reply *out);
void site_sample(request *r, reply *out);
void site_asset(request *r, reply *out);
void site_predict(request *r, reply *out);
void site_problem(request *r, reply *out, unsigned status, const char *detail);

#endif
