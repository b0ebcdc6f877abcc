/* listen.h: where the server listens, and who takes connections. */
#ifndef ECG_TOOLS_SERVE_LISTEN_H
#define ECG_TOOLS_SERVE_LISTEN_H

#include "serve/server.h"

struct MHD_Daemon;

/* Opens the socket of --listen: s->listener, s->address, s->gate.loopback. 0 or the exit code. */
int listen_open(server *s);

/* A thread that accepts connections for the daemon until listen_stop; too many are answered 503 and closed.
 * 0 or the exit code. */
typedef struct listener listener;
int listen_start(listener **out, server *s, struct MHD_Daemon *daemon);

/* No more connections; the socket is closed. NULL is allowed. */
void listen_stop(listener *l);

#endif
