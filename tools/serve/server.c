/* From the first socket to the last answer. */
#define _POSIX_C_SOURCE 200809L
#include "serve/server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"
#include "ecgcnn/version.h"
#include "serve/daemon.h"
#include "serve/listen.h"
#include "serve/request.h"

enum {
    TICK = 200,         /* milliseconds between looks at slow clients */
    LONGEST_END = 10,   /* seconds for what is under way when the server is to stop */
    LAST_ANSWERS = 500, /* milliseconds for answers that were written last */
    LEAST_HELD = 256 << 20
};

uint64_t server_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- The model, loaded anew ---- */
typedef struct loader {
    server *s;
    pthread_t thread;
    int runs, wanted; /* wanted: again, when it is done */
    atomic_int done;
} loader;

static void *load(void *read)
{
    loader *l = read;
    ecg_error err = {0};
    const ecg_status status = model_holder_reload(l->s->models, &err);
    metrics_load(l->s->figures, status == ECG_OK);
    if (status != ECG_OK) {
        tool_error(status, &err);
        tool_warn("the model that was loaded before stays in use");
    } else if (!l->s->o->quiet) {
        tool_warn("the model was loaded anew");
    }
    atomic_store(&l->done, 1);
    return NULL;
}

static void loader_join(loader *l)
{
    if (l->runs)
        pthread_join(l->thread, NULL);
    l->runs = 0;
}

static void loader_look(loader *l)
{
    if (l->runs && atomic_load(&l->done))
        loader_join(l);
    if (l->runs || !l->wanted)
        return;
    l->wanted = 0;
    atomic_store(&l->done, 0);
    const int error = pthread_create(&l->thread, NULL, load, l);
    l->runs = error == 0;
    if (error)
        tool_warn("the model is not loaded anew: %s", strerror(error));
}

/* ---- Running ---- */

/* A signal of the set, or 0 when the time is over. */
static int wait_signal(const sigset_t *set, long milliseconds)
{
    const struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    const int n = sigtimedwait(set, NULL, &t);
    return n > 0 ? n : 0;
}

static void run(server *s, const sigset_t *set)
{
    loader l = {.s = s};
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        signal = wait_signal(set, TICK);
        l.wanted |= signal == SIGHUP;
        loader_look(&l);
        metrics_cut(s->figures, conns_reap(s->clients, server_now()));
    }
    loader_join(&l);
}

/* Until no request is under way; a second signal ends the wait. */
static void wait_requests(server *s, const sigset_t *set, uint64_t milliseconds)
{
    const uint64_t end = server_now() + milliseconds * 1000000u;
    while (atomic_load(&s->requests) > 0 && server_now() < end) {
        const int signal = wait_signal(set, 10);
        if (signal == SIGTERM || signal == SIGINT)
            return;
        metrics_cut(s->figures, conns_reap(s->clients, server_now()));
    }
}

static void announce(const server *s)
{
    printf("listening on %s\n", s->address);
    fflush(stdout);
    if (s->o->quiet)
        return;
    fprintf(stderr, "ecg-serve %s, libmicrohttpd %s, %u thread%s\n%s\n", ecg_version(), daemon_version(),
            s->o->threads, s->o->threads == 1 ? "" : "s", ECG_NOTICE);
}

static int serve(server *s, const sigset_t *set)
{
    listener *l = NULL;
    struct MHD_Daemon *d = daemon_start(s);
    int code = d ? listen_start(&l, s, d) : EXIT_FAILED;
    if (code == EXIT_DONE) {
        if (!s->gate.loopback)
            tool_warn(
                "%s can be reached from other machines; it has no encryption: see ecg-serve(1) on reverse "
                "proxies",
                s->address);
        announce(s);
        run(s, set);
        if (!s->o->quiet)
            tool_warn("finishing what is under way");
        atomic_store(&s->stopping, 1);
        listen_stop(l);
        wait_requests(s, set, LONGEST_END * 1000);
    }
    pool_stop(s->workers);
    wait_requests(s, set, LAST_ANSWERS);
    daemon_stop(d);
    return code;
}

/* ---- Opening and closing ---- */
static void answered(void *payload, const serve_info *info, serve_answer *a)
{
    server *s = payload;
    metrics_picture(s->figures, a->status == ECG_OK ? ecg_model_class(info->model, a->best) : NULL,
                    ecg_answer_name(a->decision.answer));
}

static int open_model(server *s, const char *path)
{
    const serve_options *o = s->o;
    ecg_error err = {0};
    const model_source source = {.path = path,
                                 .card = o->card,
                                 .settings = {.max_upload = o->max_upload,
                                              .max_pictures = SERVE_BATCH_PICTURES,
                                              .threads = o->threads,
                                              .retain_days = o->retain_days,
                                              .keeps = o->uploads != NULL,
                                              .token = s->gate.token[0] != '\0'}};
    const ecg_status status = model_holder_new(&s->models, &source, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    metrics_load(s->figures, 1);
    return EXIT_DONE;
}

static int open_parts(server *s, const char *model)
{
    const serve_options *o = s->o;
    char why[600] = "";
    s->gate.names = (const char *const *)o->hosts.item;
    s->gate.count = o->hosts.count;
    if (o->token && guard_token(&s->gate, o->token, why, sizeof why))
        return tool_fail("%s", why);
    s->files = assets_new(o->web, why, sizeof why);
    if (!s->files)
        return tool_fail("%s", why);
    const struct limiter_options limits = {.clients = o->max_connections > 4096 ? o->max_connections : 0,
                                           .connections = o->per_address,
                                           .rate = o->rate,
                                           .burst = 2.0 * o->rate + 20.0,
                                           .exempt_loopback = true};
    s->figures = metrics_new();
    s->clients = conns_new(o->timeout);
    s->limits = limiter_new(&limits);
    s->openapi = openapi_text(o);
    const uint64_t batch = o->max_upload * SERVE_BATCH_BYTES * 2;
    s->most_held = (size_t)(batch > LEAST_HELD ? batch : LEAST_HELD);
    if (!s->figures || !s->clients || !s->limits || !s->openapi)
        return tool_fail("out of memory");
    const int code = open_model(s, model);
    if (code != EXIT_DONE)
        return code;
    return listen_open(s);
}

int server_run(const serve_options *o, const char *model)
{
    server s = {.o = o, .listener = -1};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    int code = open_parts(&s, model);
    if (code == EXIT_DONE) {
        pthread_sigmask(SIG_BLOCK, &set, NULL); /* of the threads too, which are started from here on */
        s.workers = pool_new(o->threads, o->queue, answered, &s);
        code = s.workers ? serve(&s, &set) : tool_fail("%u threads cannot be started", o->threads);
    }
    if (s.listener >= 0)
        close(s.listener);
    pool_free(s.workers);
    model_holder_free(s.models);
    limiter_free(s.limits);
    conns_free(s.clients);
    metrics_free(s.figures);
    assets_free(s.files);
    free(s.openapi);
    return code;
}
