/* model_hold.h: the model that is in use, with a session for each worker; replaced while requests go on. */
#ifndef ECG_TOOLS_SERVE_MODEL_HOLD_H
#define ECG_TOOLS_SERVE_MODEL_HOLD_H

#include <stdatomic.h>

#include "serve/answer.h"
#include "serve/samples.h"

typedef struct model_hold {
    serve_info info;
    ecg_session **session; /* [info.threads]: one for each worker, of one thread */
    samples *samples;      /* may be NULL */
    /* the rest is model_hold.c's */
    char *card;
    atomic_uint owners;
} model_hold;

/* Where the model comes from, and the settings that serve_info repeats. */
typedef struct model_source {
    const char *path, *card; /* card may be NULL */
    serve_info settings;     /* threads, limits, keeps, token */
} model_source;

typedef struct model_holder model_holder;

/* Loads the model. On failure *out is NULL. `source` is copied, its strings must stay. */
ecg_status model_holder_new(model_holder **out, const model_source *source, ecg_error *err);

/* Loads the file again; requests that are under way finish on the old model, which stays in use where this
 * fails. One caller at a time; it may take a while. */
ecg_status model_holder_reload(model_holder *h, ecg_error *err);

/* The model in use, one more owner. Any thread. */
model_hold *model_holder_take(model_holder *h);

/* One owner less; the last one frees it. Any thread; NULL is allowed. */
void model_hold_drop(model_hold *m);

/* All holds must have been dropped. NULL is allowed. */
void model_holder_free(model_holder *h);

#endif
