#define _GNU_SOURCE /* getrandom */
#include "serve/limiter.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { WAYS = 8, CLIENTS = 4096, RETRY_MAX = 3600 };

struct key {
    uint64_t net; /* an IPv4 address, or the first half of an IPv6 one */
    enum { NONE, OTHER, FOUR, SIX } kind;
};

struct client {
    struct key key; /* NONE: free */
    uint32_t connections;
    double tokens, since; /* as many then */
};

struct limiter {
    struct limiter_options options;
    struct client *client; /* [sets][WAYS] */
    size_t sets;           /* a power of two */
    uint64_t seed;         /* so that nobody can choose addresses that fall on one set */
    pthread_mutex_t lock;
    struct limiter_counts counts;
};

struct limiter *limiter_new(const struct limiter_options *o)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->options = *o;
    if (!(l->options.burst >= 1.0))
        l->options.burst = 1.0;
    const size_t want = o->clients ? o->clients : CLIENTS;
    for (l->sets = 1; l->sets * WAYS < 2 * want; l->sets *= 2)
        ; /* half full at most, or a set would often be */
    l->client = calloc(l->sets * WAYS, sizeof *l->client);
    if (!l->client || pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l->client);
        free(l);
        return NULL;
    }
    if (getrandom(&l->seed, sizeof l->seed, GRND_NONBLOCK) != (ssize_t)sizeof l->seed)
        l->seed = (uint64_t)(uintptr_t)l; /* early at boot: where memory was laid is random as well */
    return l;
}

void limiter_free(struct limiter *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->client);
    free(l);
}

/* What stands for a client; NONE: it is not limited. An IPv4 address within IPv6 is that IPv4 address. */
static struct key key_of(const struct limiter *l, const struct sockaddr *from)
{
    struct key key = {0, OTHER};
    bool local = true;
    if (from && from->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, from, sizeof six);
        const bool mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
        for (int i = mapped ? 12 : 0; i < (mapped ? 16 : 8); i++)
            key.net = key.net << 8 | six.sin6_addr.s6_addr[i];
        key.kind = mapped ? FOUR : SIX;
        local = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    } else if (from && from->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, from, sizeof four);
        key = (struct key){ntohl(four.sin_addr.s_addr), FOUR};
    }
    if (key.kind == FOUR)
        local = key.net >> 24 == 127;
    if (local && l->options.exempt_loopback)
        key.kind = NONE;
    return key;
}

static bool same(struct key a, struct key b)
{
    return a.net == b.net && a.kind == b.kind;
}

/* The set of a key: a strong mix (splitmix64, twice) of it and the seed. */
static size_t set_of(const struct limiter *l, struct key key)
{
    uint64_t x = key.net ^ l->seed;
    for (int i = 0; i < 2; i++) {
        x += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        x ^= x >> 31;
        x += l->seed;
    }
    return (size_t)x & (l->sets - 1);
}

static double tokens_at(const struct limiter *l, const struct client *c, double now)
{
    const double more = now > c->since ? (now - c->since) * l->options.rate : 0.0;
    return fmin(c->tokens + more, l->options.burst);
}

static struct client *find(struct limiter *l, struct key key)
{
    struct client *set = l->client + set_of(l, key) * WAYS;
    for (int i = 0; i < WAYS; i++)
        if (same(set[i].key, key))
            return &set[i];
    return NULL;
}

/* The client of a key, taken in if need be; NULL: its set is full of clients with connections. */
static struct client *find_or_add(struct limiter *l, struct key key, double now)
{
    struct client *set = l->client + set_of(l, key) * WAYS, *room = NULL;
    for (int i = 0; i < WAYS; i++) {
        struct client *c = &set[i];
        if (same(c->key, key))
            return c;
        if (c->key.kind == NONE && (!room || room->key.kind != NONE))
            room = c;
        else if (c->key.kind != NONE && c->connections == 0 &&
                 (!room || (room->key.kind != NONE && tokens_at(l, c, now) > tokens_at(l, room, now))))
            room = c;
    }
    if (room)
        *room = (struct client){.key = key, .tokens = l->options.burst, .since = now};
    return room;
}

bool limiter_connect(struct limiter *l, const struct sockaddr *from, double now)
{
    const struct key key = key_of(l, from);
    bool ok = true;
    pthread_mutex_lock(&l->lock);
    if (key.kind != NONE) {
        struct client *c = find_or_add(l, key, now);
        ok = c && (l->options.connections == 0 || c->connections < l->options.connections);
        if (ok)
            c->connections++;
    }
    if (ok)
        l->counts.connections++;
    else
        l->counts.refused++;
    pthread_mutex_unlock(&l->lock);
    return ok;
}

void limiter_disconnect(struct limiter *l, const struct sockaddr *from)
{
    const struct key key = key_of(l, from);
    pthread_mutex_lock(&l->lock);
    struct client *c = key.kind != NONE ? find(l, key) : NULL;
    if (c && c->connections > 0)
        c->connections--;
    if (l->counts.connections > 0)
        l->counts.connections--;
    pthread_mutex_unlock(&l->lock);
}

uint32_t limiter_request(struct limiter *l, const struct sockaddr *from, double now)
{
    const struct key key = key_of(l, from);
    if (key.kind == NONE || !(l->options.rate > 0.0))
        return 0;
    uint32_t wait = 1;
    pthread_mutex_lock(&l->lock);
    struct client *c = find_or_add(l, key, now);
    if (c) {
        const double tokens = tokens_at(l, c, now);
        if (tokens >= 1.0) {
            c->tokens = tokens - 1.0;
            wait = 0;
        } else {
            c->tokens = tokens;
            wait = (uint32_t)fmax(1.0, fmin(ceil((1.0 - tokens) / l->options.rate), RETRY_MAX));
        }
        c->since = fmax(now, c->since);
    }
    l->counts.limited += wait != 0;
    pthread_mutex_unlock(&l->lock);
    return wait;
}

struct limiter_counts limiter_counts(struct limiter *l)
{
    pthread_mutex_lock(&l->lock);
    const struct limiter_counts counts = l->counts;
    pthread_mutex_unlock(&l->lock);
    return counts;
}
