/* server.h: what all requests share. */
#ifndef ECG_TOOLS_SERVE_SERVER_H
#define ECG_TOOLS_SERVE_SERVER_H

#include <stdatomic.h>

#include "serve/assets.h"
#include "serve/conns.h"
#include "serve/guard.h"
#include "serve/limiter.h"
#include "serve/metrics.h"
#include "serve/model_hold.h"
#include "serve/options.h"
#include "serve/pool.h"

typedef struct server {
    const serve_options *o;
    model_holder *models;
    metrics *figures;
    conns *clients;
    struct limiter *limits;
    pool *workers;
    assets *files;
    struct uploads *kept; /* NULL: nothing is kept */
    struct lines *log;    /* NULL: none */
    guard gate;
    atomic_int stopping;       /* answers say Connection: close */
    atomic_size_t requests;    /* under way */
    atomic_size_t connections; /* accepted and not closed */
    atomic_size_t held;        /* bytes of bodies in memory */
    size_t most_held;
    atomic_int log_failed; /* and that was said */
    int listener;          /* -1: none any more */
    char address[128];     /* "http://127.0.0.1:8080" */
    char *openapi;         /* its text, with version and limits */
} server;

/* Opens, runs until SIGTERM or SIGINT, closes. Returns the exit code. */
int server_run(const serve_options *o, const char *model);

/* Nanoseconds of a clock that only goes forward. */
uint64_t server_now(void);

#endif
