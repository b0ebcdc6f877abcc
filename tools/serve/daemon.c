#define _POSIX_C_SOURCE 200809L
#include "serve/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/start.h"
#include "serve/request.h"

enum {
    HEAD_MEMORY = 32 << 10, /* of a connection: the head of its request, and what is read at once */
    CLOSING = 256,          /* connections that libmicrohttpd has not let go yet */
    OTHER_FILES = 64        /* that are open beside the connections */
};

static void notify(void *cls, struct MHD_Connection *mhd, void **read,
                   enum MHD_ConnectionNotificationCode code)
{
    server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *from = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
                                          ->client_addr;
        const socklen_t n = from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in);
        *read = conns_add(s->clients, fd, from, n, server_now());
        return;
    }
    const struct sockaddr *from = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
                                      ->client_addr;
    limiter_disconnect(s->limits, from);
    atomic_fetch_sub(&s->connections, 1);
    if (*read)
        conns_drop(s->clients, *read);
    *read = NULL;
}

static void panic(void *cls, const char *file, unsigned line, const char *reason)
{
    (void)cls;
    (void)file;
    tool_fail("libmicrohttpd cannot go on (line %u): %s", line, reason ? reason : "no reason given");
    abort();
}

void daemon_prepare(const serve_options *o)
{
    struct rlimit r;
    const rlim_t wanted = (rlim_t)o->max_connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY || r.rlim_cur >= wanted)
        return;
    r.rlim_cur = r.rlim_max == RLIM_INFINITY || r.rlim_max >= wanted ? wanted : r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur < wanted)
        tool_warn("this process may open %llu files, which is too few for %u connections",
                  (unsigned long long)r.rlim_cur, o->max_connections);
}

struct MHD_Daemon *daemon_start(server *s)
{
    MHD_set_panic_func(panic, NULL);
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0,
        NULL, NULL, request_handle, s, MHD_OPTION_URI_LOG_CALLBACK, request_begin, s,
        MHD_OPTION_NOTIFY_COMPLETED, request_end, s, MHD_OPTION_NOTIFY_CONNECTION, notify, s,
        MHD_OPTION_CONNECTION_LIMIT, s->o->max_connections + CLOSING, MHD_OPTION_CONNECTION_TIMEOUT,
        2 * s->o->timeout + 60, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!d)
        tool_fail("libmicrohttpd does not start: %s", strerror(errno));
    return d;
}

void daemon_stop(struct MHD_Daemon *d)
{
    if (d)
        MHD_stop_daemon(d);
}

const char *daemon_version(void)
{
    return MHD_get_version();
}
