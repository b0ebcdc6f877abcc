/* limiter.h: how much one client may ask for. A client is an IPv4 address or an IPv6 /64, which is what one
 * household or one machine is given. Each has a number of connections, and a bucket of tokens of which every
 * request takes one.
 *
 * The table is of fixed size. When a client does not fit, one that has no connection and the fullest bucket
 * is forgotten: it had hardly been limited. Every function may be called by any thread at any time. `now` is
 * in seconds of any clock that does not jump back. */
#ifndef ECG_SERVE_LIMITER_H
#define ECG_SERVE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct limiter_options {
    uint32_t clients;     /* room in the table, at least as many as there may be connections; 0: 4096 */
    uint32_t connections; /* at once, of one client; 0: no limit */
    double rate;          /* requests a second, in the long run; 0: no limit */
    double burst;         /* requests at once after a pause; at least 1 */
    bool exempt_loopback; /* 127.0.0.0/8, ::1 and what is no internet address are never limited */
};

struct limiter_counts {
    uint64_t connections; /* now */
    uint64_t refused;     /* connections, since the start */
    uint64_t limited;     /* requests, since the start */
};

struct limiter;

/* NULL: out of memory. */
struct limiter *limiter_new(const struct limiter_options *o);
void limiter_free(struct limiter *l); /* NULL is fine; nobody else may be using it */

/* A connection comes: true, and it counts until limiter_disconnect is called once for it; false: refuse it.
 */
bool limiter_connect(struct limiter *l, const struct sockaddr *from, double now);
void limiter_disconnect(struct limiter *l, const struct sockaddr *from);

/* A request comes: 0, go ahead; else the whole seconds (at least 1) after which it is worth another try, for
 * Retry-After. */
uint32_t limiter_request(struct limiter *l, const struct sockaddr *from, double now);

struct limiter_counts limiter_counts(struct limiter *l);

#endif
