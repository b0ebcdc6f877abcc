/* daemon.h: libmicrohttpd, one thread of it, with our limits. Connections come from listen.h. */
#ifndef ECG_TOOLS_SERVE_DAEMON_H
#define ECG_TOOLS_SERVE_DAEMON_H

#include "serve/server.h"

struct MHD_Daemon;

/* As many open files as connections may need, where the system lets us; before the sandbox. */
void daemon_prepare(const serve_options *o);

/* NULL after a message. */
struct MHD_Daemon *daemon_start(server *s);

/* Closes all connections; no request may be suspended. NULL is allowed. */
void daemon_stop(struct MHD_Daemon *d);

/* libmicrohttpd's own version. */
const char *daemon_version(void);

#endif
