/* chores.h: what is done beside requests, in a thread of its own: loading the model anew, sweeping uploads.
 */
#ifndef ECG_TOOLS_SERVE_CHORES_H
#define ECG_TOOLS_SERVE_CHORES_H

#include "serve/server.h"

enum { CHORE_LOAD = 1, CHORE_SWEEP = 2 };

typedef struct chores chores;

/* NULL after a message. */
chores *chores_start(server *s);

/* To be done soon; once, however often it is said before. */
void chores_want(chores *c, unsigned what);

/* Waits for the one under way. NULL is allowed. */
void chores_stop(chores *c);

#endif
