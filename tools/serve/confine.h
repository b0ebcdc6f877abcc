/* confine.h: what this server gives up once its files are open (sandbox.h). */
#ifndef ECG_TOOLS_SERVE_CONFINE_H
#define ECG_TOOLS_SERVE_CONFINE_H

#include "serve/server.h"

/* Becomes --user, where one was given. 0 or the exit code. */
int confine_user(const serve_options *o);

/* The sandbox, unless --no-sandbox; says what is active. `model`: the file that SIGHUP loads again. 0 or the
 * exit code. */
int confine(const serve_options *o, const char *model);

#endif
