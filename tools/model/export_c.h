/* export_c.h: a model as one C file and its header. */
#ifndef ECG_TOOLS_EXPORT_C_H
#define ECG_TOOLS_EXPORT_C_H

#include <stdint.h>
#include <stdio.h>

#include "model/chain.h"

/* Writes `path`, which ends in .c, and the header beside it. `name` begins what they define; NULL: the
 * file's. More than `most` bytes of weights are refused. Messages are printed; 0 or the exit code. */
int export_c(const chain *c, const char *path, const char *name, uint64_t most);

/* ---- export_c_parts.c: the functions of the C file ---- */

/* Those that the layers of c need, as text. */
void export_c_functions(FILE *f, const chain *c);

#endif
