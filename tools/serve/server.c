/* From the first socket to the last answer. */
#define _POSIX_C_SOURCE 200809L
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"
#include "ecgcnn/version.h"
#include "serve/chores.h"
#include "serve/confine.h"
#include "serve/daemon.h"
#include "serve/lines.h"
#include "serve/listen.h"
#include "serve/request.h"
#include "serve/uploads.h"

enum {
    TICK = 200,         /* milliseconds between looks at slow clients */
    LONGEST_END = 10,   /* seconds for what is under way when the server is to stop */
    LAST_ANSWERS = 500, /* milliseconds for answers that were written last */
    LEAST_HELD = 256 << 20,
    SWEEP_EVERY = 3600, /* seconds */
};
static const uint64_t SECOND = 1000000000;

uint64_t server_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- Running ---- */

/* Threads that started before the signals were blocked, as OpenBLAS's do, would end the process where they
 * meet one while the main thread is not waiting: they pass it on. */
static pthread_t main_thread;

static void pass_on(int signal)
{
    const int e = errno;
    pthread_kill(main_thread, signal);
    errno = e;
}

static void catch_signals(sigset_t *set)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction a = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(set, signals[i]);
    main_thread = pthread_self();
    pthread_sigmask(SIG_BLOCK, set, NULL); /* of the threads too, which are started from here on */
    a.sa_mask = *set;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &a, NULL);
}

/* A signal of the set, or 0 when the time is over. */
static int wait_signal(const sigset_t *set, long milliseconds)
{
    const struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    const int n = sigtimedwait(set, NULL, &t);
    return n > 0 ? n : 0;
}

static void run(server *s, const sigset_t *set, chores *c)
{
    uint64_t swept = server_now();
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        signal = wait_signal(set, TICK);
        const uint64_t now = server_now();
        const int hour = now - swept > SWEEP_EVERY * SECOND;
        swept = hour ? now : swept;
        chores_want(c, (signal == SIGHUP ? CHORE_LOAD : 0) | (hour ? CHORE_SWEEP : 0));
        metrics_cut(s->figures, conns_reap(s->clients, now));
    }
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
    chores *c = chores_start(s);
    struct MHD_Daemon *d = c ? daemon_start(s) : NULL;
    int code = d ? listen_start(&l, s, d) : EXIT_FAILED;
    if (code == EXIT_DONE) {
        if (!s->gate.loopback)
            tool_warn(
                "%s can be reached from other machines; it has no encryption: see ecg-serve(1) on reverse "
                "proxies",
                s->address);
        announce(s);
        run(s, set, c);
        if (!s->o->quiet)
            tool_warn("finishing what is under way");
        atomic_store(&s->stopping, 1);
        listen_stop(l);
        wait_requests(s, set, LONGEST_END * 1000);
    }
    pool_stop(s->workers);
    wait_requests(s, set, LAST_ANSWERS);
    daemon_stop(d);
    chores_stop(c);
    return code;
}

/* ---- Opening and closing ---- */
static void answered(void *payload, const serve_info *info, serve_answer *a)
{
    server *s = payload;
    metrics_picture(s->figures, a->status == ECG_OK ? ecg_model_class(info->model, a->best) : NULL,
                    ecg_answer_name(a->decision.answer));
    if (!s->kept && !s->log)
        return;
    char *line = NULL, why[160] = "";
    size_t n = 0;
    FILE *f = open_memstream(&line, &n);
    if (f) {
        answer_log(f, info, a);
        if (fclose(f) != 0) {
            free(line);
            line = NULL;
        }
    }
    if (!line)
        snprintf(why, sizeof why, "out of memory");
    if (s->kept && a->status == ECG_OK) {
        const bool done = line && uploads_keep(s->kept, a->sha256, a->data, a->size, line, why);
        a->kept = done ? SERVE_KEPT : SERVE_NOT_KEPT;
        metrics_kept(s->figures, done);
        if (!done)
            snprintf(a->why, sizeof a->why, "%s", why);
    }
    if (s->log && line && !lines_put(s->log, line, why) && !atomic_exchange(&s->log_failed, 1))
        tool_warn("%s: %s; lines of the log are lost", s->o->log, why);
    free(line);
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
    int code = listen_open(s);
    if (code == EXIT_DONE)
        code = confine_user(o);
    if (code == EXIT_DONE)
        code = open_model(s, model);
    if (code != EXIT_DONE)
        return code;
    if (o->uploads && !(s->kept = uploads_open(o->uploads, o->retain_days, o->max_disk, why)))
        return tool_fail("%s: %s", o->uploads, why);
    if (o->log && !(s->log = lines_open(AT_FDCWD, o->log, why)))
        return tool_fail("%s: %s", o->log, why);
    daemon_prepare(o);
    return confine(o, model);
}

int server_run(const serve_options *o, const char *model)
{
    server s = {.o = o, .listener = -1};
    sigset_t set;
    int code = open_parts(&s, model);
    if (code == EXIT_DONE) {
        catch_signals(&set);
        s.workers = pool_new(o->threads, o->queue, answered, &s);
        code = s.workers ? serve(&s, &set) : tool_fail("%u threads cannot be started", o->threads);
    }
    if (s.listener >= 0)
        close(s.listener);
    pool_free(s.workers);
    model_holder_free(s.models);
    uploads_close(s.kept);
    lines_close(s.log);
    limiter_free(s.limits);
    conns_free(s.clients);
    metrics_free(s.figures);
    assets_free(s.files);
    free(s.openapi);
    return code;
}
