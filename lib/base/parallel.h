/* The one place that knows threads. */
#ifndef ECG_BASE_PARALLEL_H
#define ECG_BASE_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

/* A team of workers that waits for work. One caller at a time. */
typedef struct ecg__pool ecg__pool;

/* Called once for every item 0..items-1, in any order, on any worker 0..workers-1; never two items at once on
 * the same worker. */
typedef void ecg__task(void *ctx, size_t item, uint32_t worker);

/* Cores this process may run on (its affinity mask), at least 1. */
uint32_t ecg__cores(void);

/* `threads` workers, the calling thread among them; 0: ecg__cores(); at most 256. Where the system gives
 * fewer threads, the pool has fewer. ECG_ENOMEM when out of memory. */
ecg_status ecg__pool_new(ecg__pool **out, uint32_t threads);
uint32_t ecg__pool_workers(const ecg__pool *p); /* NULL: 1 */

/* Run all items and return when all are done. Allocates nothing. In a child process that was forked after the
 * pool was made (its threads are gone there), and without a pool (NULL), the caller does all the work. */
void ecg__parallel_for(ecg__pool *p, size_t items, ecg__task *task, void *ctx);

/* NULL is allowed. */
void ecg__pool_free(ecg__pool *p);

#endif
