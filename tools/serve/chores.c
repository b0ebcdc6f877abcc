#define _POSIX_C_SOURCE 200809L
#include "serve/chores.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/start.h"
#include "serve/uploads.h"

struct chores {
    server *s;
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned wanted;
    int ends;
    pthread_t thread;
};

static void load(server *s)
{
    ecg_error err = {0};
    const ecg_status status = model_holder_reload(s->models, &err);
    metrics_load(s->figures, status == ECG_OK);
    if (status != ECG_OK) {
        tool_error(status, &err);
        tool_warn("the model that was loaded before stays in use");
    } else if (!s->o->quiet) {
        tool_warn("the model was loaded anew");
    }
}

static void sweep(server *s)
{
    char why[160] = "";
    if (s->kept && !uploads_sweep(s->kept, (int64_t)time(NULL), why))
        tool_warn("%s: %s", s->o->uploads, why);
}

static void *work(void *read)
{
    chores *c = read;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->wanted && !c->ends)
            pthread_cond_wait(&c->more, &c->lock);
        if (c->ends)
            break;
        const unsigned now = c->wanted;
        c->wanted = 0;
        pthread_mutex_unlock(&c->lock);
        if (now & CHORE_LOAD)
            load(c->s);
        if (now & CHORE_SWEEP)
            sweep(c->s);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

chores *chores_start(server *s)
{
    chores *c = calloc(1, sizeof *c);
    if (!c || pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c);
        tool_fail("out of memory");
        return NULL;
    }
    c->s = s;
    int error = pthread_cond_init(&c->more, NULL);
    if (!error && (error = pthread_create(&c->thread, NULL, work, c)) != 0)
        pthread_cond_destroy(&c->more);
    if (error) {
        pthread_mutex_destroy(&c->lock);
        free(c);
        tool_fail("a thread: %s", strerror(error));
        return NULL;
    }
    return c;
}

void chores_want(chores *c, unsigned what)
{
    if (!what)
        return;
    pthread_mutex_lock(&c->lock);
    c->wanted |= what;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
}

void chores_stop(chores *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->ends = 1;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
