#define _POSIX_C_SOURCE 200809L
#include "serve/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct worker {
    pool *p;
    uint32_t number;
    pthread_t thread;
} worker;

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    job *first, **last;
    size_t waiting, reserved, queue; /* reserved: of the waiting ones, not submitted yet */
    uint32_t threads, started;
    atomic_int stopping;
    worker *of;
    pool_answered *answered;
    void *payload;
};

static int is_stopping(void *payload)
{
    const pool *p = payload;
    return atomic_load(&p->stopping);
}

/* A fair share of the jobs that wait, so that few do not wait for many: those behind the first must be of its
 * model, and have its kind of body. A job with several pictures comes alone. */
static size_t take(pool *p, job *taken[JOB_BATCH])
{
    size_t n = 0;
    pthread_mutex_lock(&p->lock);
    while (!p->first && !atomic_load(&p->stopping))
        pthread_cond_wait(&p->more, &p->lock);
    const size_t there = p->waiting - p->reserved, fair = (there + p->threads - 1) / p->threads;
    while (p->first && n < JOB_BATCH && n < fair) {
        job *j = p->first;
        if (n && (j->most > 1 || j->heatmap || j->hold != taken[0]->hold))
            break;
        p->first = j->next;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
        taken[n++] = j;
        if (j->most > 1 || j->heatmap)
            break;
    }
    pthread_mutex_unlock(&p->lock);
    return n;
}

static void refuse(job *j)
{
    j->status = 503;
    snprintf(j->why, sizeof j->why, "the server is being shut down");
}

static void *work(void *read)
{
    const worker *w = read;
    pool *p = w->p;
    job *taken[JOB_BATCH];
    size_t n;
    while ((n = take(p, taken)) > 0) {
        if (atomic_load(&p->stopping)) {
            for (size_t i = 0; i < n; i++) {
                refuse(taken[i]);
                taken[i]->done(taken[i]);
            }
            continue;
        }
        for (size_t i = 0; i < n; i++)
            job_open(taken[i]);
        job_judge(taken, n, w->number, is_stopping, p);
        for (size_t i = 0; i < n; i++) {
            job *j = taken[i];
            for (size_t k = 0; p->answered && !j->status && k < j->count; k++)
                p->answered(p->payload, &j->hold->info, &j->answer[k]);
            j->done(j);
        }
    }
    return NULL;
}

pool *pool_new(uint32_t threads, uint32_t queue, pool_answered *answered, void *payload)
{
    pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->last = &p->first;
    p->queue = queue;
    p->threads = threads;
    p->answered = answered;
    p->payload = payload;
    p->of = calloc(threads, sizeof *p->of);
    if (!p->of || pthread_mutex_init(&p->lock, NULL) != 0) {
        free(p->of);
        free(p);
        return NULL;
    }
    if (pthread_cond_init(&p->more, NULL) != 0) {
        pthread_mutex_destroy(&p->lock);
        free(p->of);
        free(p);
        return NULL;
    }
    for (; p->started < threads; p->started++) {
        worker *w = &p->of[p->started];
        *w = (worker){.p = p, .number = p->started};
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            pool_stop(p);
            pool_free(p);
            return NULL;
        }
    }
    return p;
}

int pool_reserve(pool *p)
{
    pthread_mutex_lock(&p->lock);
    const int room = p->waiting < p->queue && !atomic_load(&p->stopping);
    p->waiting += (size_t)room;
    p->reserved += (size_t)room;
    pthread_mutex_unlock(&p->lock);
    return room;
}

void pool_submit(pool *p, job *j)
{
    j->next = NULL;
    pthread_mutex_lock(&p->lock);
    p->reserved--;
    *p->last = j;
    p->last = &j->next;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
}

size_t pool_waiting(pool *p)
{
    pthread_mutex_lock(&p->lock);
    const size_t n = p->waiting;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void pool_stop(pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stopping, 1);
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->started; i++)
        pthread_join(p->of[i].thread, NULL);
    p->started = 0;
    /* Reserved before, submitted after the last worker had looked. */
    pthread_mutex_lock(&p->lock);
    while (p->reserved > 0)
        pthread_cond_wait(&p->more, &p->lock);
    job *left = p->first;
    p->first = NULL;
    p->last = &p->first;
    pthread_mutex_unlock(&p->lock);
    for (job *next; left; left = next) {
        next = left->next;
        refuse(left);
        left->done(left);
    }
}

void pool_free(pool *p)
{
    if (!p)
        return;
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p->of);
    free(p);
}
