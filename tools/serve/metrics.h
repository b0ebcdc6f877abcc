/* metrics.h: what the server has done, counted, as Prometheus reads it. Any thread. */
#ifndef ECG_TOOLS_SERVE_METRICS_H
#define ECG_TOOLS_SERVE_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "ecgcnn/net.h"

typedef struct metrics metrics;

metrics *metrics_new(void);    /* NULL: out of memory */
void metrics_free(metrics *m); /* NULL is allowed */

/* A request was answered: `route` is a static text ("/api/v1/predict"). */
void metrics_request(metrics *m, const char *route, unsigned status, double seconds, uint64_t in,
                     uint64_t out);

/* A picture was answered with this class and answer; or failed (cls NULL). */
void metrics_picture(metrics *m, const char *cls, const char *answer);

/* The model file was loaded, or could not be. */
void metrics_load(metrics *m, int done);

/* A connection was refused (over a limit) or cut (too slow). */
void metrics_refused(metrics *m);
void metrics_cut(metrics *m, uint64_t n);

/* Uploads that were kept, and those that could not be. */
void metrics_kept(metrics *m, int done);

/* What is not counted but looked at. */
typedef struct metrics_now {
    size_t requests, connections, waiting, held;
    uint64_t limited; /* requests over the rate */
    int64_t loaded;   /* time */
    const char *model, *sha256;
} metrics_now;

/* Text exposition format 0.0.4. */
void metrics_write(metrics *m, const metrics_now *now, FILE *f);

#endif
