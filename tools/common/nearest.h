/* nearest.h: of a list of names, the one that was probably meant. */
#ifndef ECG_TOOLS_NEAREST_H
#define ECG_TOOLS_NEAREST_H

#include <stddef.h>

typedef struct nearest {
    const char *wanted;
    size_t n;
    const char *name; /* NULL while nothing is near enough */
    size_t distance;
} nearest;

/* The first n bytes of `wanted` are looked for. */
nearest nearest_to(const char *wanted, size_t n);

/* Keep `name` if it is nearer than those before. Near enough: a third of the letters wrong, three at most; a
 * letter left out, added, changed, or two neighbours swapped counts one. */
void nearest_try(nearest *s, const char *name);

#endif
