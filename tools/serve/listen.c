#define _GNU_SOURCE /* accept4 */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"
#include "serve/http_text.h"

enum { BACKLOG = 512 };

/* "http://127.0.0.1:8080", with the port that the system chose. */
static int name_address(server *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_storage room;
    } a = {0};
    socklen_t n = sizeof a;
    char text[INET6_ADDRSTRLEN] = "";
    if (getsockname(s->listener, &a.any, &n) != 0)
        return 1;
    if (a.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a.six.sin6_addr, text, sizeof text);
        snprintf(s->address, sizeof s->address, "http://[%s]:%u", text, ntohs(a.six.sin6_port));
    } else {
        inet_ntop(AF_INET, &a.four.sin_addr, text, sizeof text);
        snprintf(s->address, sizeof s->address, "http://%s:%u", text, ntohs(a.four.sin_port));
    }
    return 0;
}

int listen_open(server *s)
{
    struct http_listen l;
    char why[HTTP_WHY] = "";
    const int yes = 1;
    if (!http_listen_parse(s->o->listen, &l, why))
        return opts_wrong("ecg-serve", "--listen %s: %s", s->o->listen, why);
    s->gate.loopback = l.loopback;
    s->listener = socket(l.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return tool_fail("%s: %s", s->o->listen, strerror(errno));
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(s->listener, (struct sockaddr *)&l.address, l.size) != 0 || listen(s->listener, BACKLOG) != 0 ||
        name_address(s)) {
        const int error = errno;
        close(s->listener);
        s->listener = -1;
        return tool_fail("%s: %s", s->o->listen, strerror(error));
    }
    return EXIT_DONE;
}

struct listener {
    server *s;
    struct MHD_Daemon *daemon;
    int wake[2]; /* a pipe: its end is closed to stop */
    pthread_t thread;
};

static void refuse(listener *l, int fd)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
                               "Content-Type: application/problem+json\r\nContent-Length: 115\r\n\r\n"
                               "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                               "\"detail\":\"too many connections; try again later\"}\n";
    char unread[4096];
    metrics_refused(l->s->figures);
    (void)!send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    (void)!recv(fd, unread, sizeof unread, MSG_DONTWAIT); /* what is left unread would take the answer away */
    close(fd);
}

static void take(listener *l, int fd, const struct sockaddr *from, socklen_t n)
{
    server *s = l->s;
    if (atomic_fetch_add(&s->connections, 1) >= s->o->max_connections) {
        atomic_fetch_sub(&s->connections, 1);
        refuse(l, fd);
    } else if (!limiter_connect(s->limits, from, (double)server_now() / 1e9)) {
        atomic_fetch_sub(&s->connections, 1);
        refuse(l, fd);
    } else if (MHD_add_connection(l->daemon, fd, from, n) != MHD_YES) {
        limiter_disconnect(s->limits, from);
        atomic_fetch_sub(&s->connections, 1);
    }
}

static void *accept_all(void *read)
{
    listener *l = read;
    struct pollfd wait[2] = {{l->s->listener, POLLIN, 0}, {l->wake[0], POLLIN, 0}};
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (wait[1].revents)
            return NULL;
        union {
            struct sockaddr any;
            struct sockaddr_storage room;
        } from = {0};
        socklen_t n = sizeof from;
        const int fd = accept4(l->s->listener, &from.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            take(l, fd, &from.any, n);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            poll(&wait[1], 1, 50); /* until one is closed */
    }
}

int listen_start(listener **out, server *s, struct MHD_Daemon *daemon)
{
    listener *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return tool_fail("out of memory");
    *l = (listener){.s = s, .daemon = daemon};
    if (pipe2(l->wake, O_CLOEXEC) != 0) {
        free(l);
        return tool_fail("%s", strerror(errno));
    }
    const int error = pthread_create(&l->thread, NULL, accept_all, l);
    if (error) {
        close(l->wake[0]);
        close(l->wake[1]);
        free(l);
        return tool_fail("a thread: %s", strerror(error));
    }
    *out = l;
    return EXIT_DONE;
}

void listen_stop(listener *l)
{
    if (!l)
        return;
    close(l->wake[1]); /* the other end sees its end */
    pthread_join(l->thread, NULL);
    close(l->wake[0]);
    close(l->s->listener);
    l->s->listener = -1;
    free(l);
}
