/* pool.h: threads that work on jobs. */
#ifndef ECG_TOOLS_SERVE_POOL_H
#define ECG_TOOLS_SERVE_POOL_H

#include "serve/job.h"

typedef struct pool pool;

/* Told of each answer when it is complete, from any worker: it may fill in `kept` and `why`. */
typedef void pool_answered(void *payload, const serve_info *info, serve_answer *a);

/* `threads` workers, at most the sessions of a hold; at most `queue` jobs wait. NULL: out of memory or
 * threads. */
pool *pool_new(uint32_t threads, uint32_t queue, pool_answered *answered, void *payload);

/* Room for a job, which must then be submitted; 0: the queue is full, or the pool is stopping. */
int pool_reserve(pool *p);
void pool_submit(pool *p, job *j);

/* Jobs that wait. */
size_t pool_waiting(pool *p);

/* No more jobs; those that wait are done with status 503, those under way are finished, between two pictures
 * where they have many. When it returns every job was done. */
void pool_stop(pool *p);
void pool_free(pool *p); /* NULL is allowed; after pool_stop */

#endif
