/* sandbox_parts.h: the two halves of sandbox_enter. */
#ifndef ECG_SERVE_SANDBOX_PARTS_H
#define ECG_SERVE_SANDBOX_PARTS_H

#include "serve/sandbox.h"

/* 1: every thread of the process is restricted from now on. 0: not active, `why` says. -1: a path of the
 * plan, `why` says. */
int sandbox_landlock(const struct sandbox_plan *plan, int *version, char why[160]);

/* true: active in every thread. *calls: how many system calls are left. */
bool sandbox_seccomp(int *calls, char why[160]);

#endif
