/* types.h: plain value types shared by all headers. */
#ifndef ECGCNN_TYPES_H
#define ECGCNN_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows, columns, channels. Activations are stored [h][w][c], the channel running fastest; a flat vector of n
 * values is {1, 1, n}. */
typedef struct ecg_shape {
    uint32_t h, w, c;
} ecg_shape;

/* Options structs begin with `uint32_t size`, the sizeof that the caller was compiled with, so that a program
 * built against an older header keeps working: fields it does not know take their defaults. Each has an
 * _INIT macro that sets size and defaults. A NULL options pointer means all defaults. A size larger than the
 * library knows is accepted only when the unknown tail is all zero bytes, else ECG_EVERSION; one that
 * no options struct could have (it was never set) is ECG_EINVAL. */

/* Threads: any function may be called from any thread. What is said to be immutable may be used by several at
 * once; all else takes one caller at a time, and does not mind what other threads do with other objects.
 *
 * Fork: a process may fork at any time, whatever its other threads do; fork waits until none of them is
 * inside a matrix product. In the child, what is immutable works as before. A session or a trainer that no
 * thread was using at that moment works too, on the calling thread alone, and new ones have threads of their
 * own; one that was in use must not be touched there, not even freed. */

#ifdef __cplusplus
}
#endif
#endif
