/* conns.h: the connections there are, and for how long each may do what it is doing. The library's own
 * timeout knows only silence; a client that sends a byte now and then is cut here. */
#ifndef ECG_TOOLS_SERVE_CONNS_H
#define ECG_TOOLS_SERVE_CONNS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum conn_phase {
    CONN_HEAD, /* between requests, or reading a head */
    CONN_BODY,
    CONN_WORK, /* ours to do: no limit */
    CONN_SEND,
} conn_phase;

typedef struct conn conn;
typedef struct conns conns;

/* `timeout` in seconds; NULL: out of memory. */
conns *conns_new(uint32_t timeout);
void conns_free(conns *c); /* NULL is allowed; there must be no connection left */

/* A connection that was accepted: `fd` stays open until conns_drop. NULL: out of memory. */
conn *conns_add(conns *c, int fd, const struct sockaddr *addr, socklen_t n, uint64_t now);
void conns_drop(conns *c, conn *one);

/* The first line of a request came: the rest of its head has its time from `now`. */
void conns_begun(conns *c, conn *one, uint64_t now);

/* Counts from `now`; CONN_HEAD after another phase: a request was answered. */
void conns_phase(conns *c, conn *one, conn_phase phase, uint64_t now);
void conns_got(conns *c, conn *one, size_t bytes, uint64_t now);

/* Requests that were answered on it. */
uint32_t conns_requests(conns *c, const conn *one);

const struct sockaddr *conn_address(const conn *one);

/* Cut those whose time is over. A client that was to send something is told 408 first. Returns how many. */
size_t conns_reap(conns *c, uint64_t now);

#endif
