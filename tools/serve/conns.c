#define _POSIX_C_SOURCE 200809L
#include "serve/conns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t SECOND = 1000000000;
enum {
    LEAST_RATE = 8192, /* bytes a second of a body, beyond the timeout */
    MOST_BODY = 300,   /* seconds for a whole body, whatever its rate */
    MOST_SEND = 60,    /* seconds for an answer */
};

struct conn {
    conn *next, **link; /* *link is this */
    int fd, cut, begun;
    conn_phase phase;
    uint64_t since, last; /* of the phase; something came */
    uint64_t bytes;       /* of the body */
    uint32_t requests;
    struct sockaddr_storage addr;
};

struct conns {
    pthread_mutex_t lock; /* also: an fd is not closed while one looks at it */
    conn *first;
    uint64_t timeout;
};

conns *conns_new(uint32_t timeout)
{
    conns *c = calloc(1, sizeof *c);
    if (c && pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c);
        return NULL;
    }
    if (c)
        c->timeout = timeout * SECOND;
    return c;
}

void conns_free(conns *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

conn *conns_add(conns *c, int fd, const struct sockaddr *addr, socklen_t n, uint64_t now)
{
    conn *one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    one->fd = fd;
    one->since = one->last = now;
    if (addr && n <= sizeof one->addr)
        memcpy(&one->addr, addr, n);
    pthread_mutex_lock(&c->lock);
    one->next = c->first;
    one->link = &c->first;
    if (c->first)
        c->first->link = &one->next;
    c->first = one;
    pthread_mutex_unlock(&c->lock);
    return one;
}

void conns_drop(conns *c, conn *one)
{
    pthread_mutex_lock(&c->lock);
    *one->link = one->next;
    if (one->next)
        one->next->link = one->link;
    pthread_mutex_unlock(&c->lock);
    free(one);
}

void conns_begun(conns *c, conn *one, uint64_t now)
{
    pthread_mutex_lock(&c->lock);
    one->begun = 1;
    one->since = one->last = now;
    pthread_mutex_unlock(&c->lock);
}

void conns_phase(conns *c, conn *one, conn_phase phase, uint64_t now)
{
    pthread_mutex_lock(&c->lock);
    if (phase == CONN_HEAD)
        one->requests++;
    if (phase == CONN_BODY)
        one->bytes = 0;
    one->begun = 0;
    one->phase = phase;
    one->since = one->last = now;
    pthread_mutex_unlock(&c->lock);
}

void conns_got(conns *c, conn *one, size_t bytes, uint64_t now)
{
    pthread_mutex_lock(&c->lock);
    one->bytes += bytes;
    one->last = now;
    pthread_mutex_unlock(&c->lock);
}

uint32_t conns_requests(conns *c, const conn *one)
{
    pthread_mutex_lock(&c->lock);
    const uint32_t n = one->requests;
    pthread_mutex_unlock(&c->lock);
    return n;
}

const struct sockaddr *conn_address(const conn *one)
{
    return (const struct sockaddr *)&one->addr;
}

static int is_over(const conns *c, const conn *one, uint64_t now)
{
    const uint64_t took = now - one->since;
    switch (one->phase) {
    case CONN_HEAD:
        return took > c->timeout;
    case CONN_BODY:
        return now - one->last > c->timeout || took > MOST_BODY * SECOND ||
               took > c->timeout + one->bytes * (SECOND / LEAST_RATE);
    case CONN_WORK:
        return 0;
    case CONN_SEND:
        return took > MOST_SEND * SECOND;
    }
    return 0;
}

static void cut(conn *one)
{
    static const char late[] =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    /* One that only rests between two requests is told nothing. */
    if (one->phase == CONN_BODY || (one->phase == CONN_HEAD && (one->begun || one->requests == 0)))
        (void)!send(one->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(one->fd, SHUT_RDWR);
    one->cut = 1;
}

size_t conns_reap(conns *c, uint64_t now)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    for (conn *one = c->first; one; one = one->next)
        if (!one->cut && now > one->since && is_over(c, one, now)) {
            cut(one);
            n++;
        }
    pthread_mutex_unlock(&c->lock);
    return n;
}
