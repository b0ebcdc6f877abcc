#define _GNU_SOURCE
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/mem.h"

/* Workers spin this many times for the next job before they sleep: the gap between two layers is a few
 * microseconds, a wake-up from sleep takes tens. */
enum { SPINS = 4000, MAX_WORKERS = 256 };

struct worker {
    _Alignas(64) atomic_size_t next; /* of its share of the items, the next to hand out */
    ecg__pool *pool;
    pthread_t thread;
    uint32_t index;
};

struct ecg__pool {
    uint32_t workers; /* with the caller */
    pid_t owner;
    struct worker *worker; /* [workers]; entry 0 is the caller */
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* The job. Written by the caller while no worker runs, published by `generation`. */
    ecg__task *task;
    void *ctx;
    size_t items;

    _Alignas(64) atomic_uint generation; /* changes when there is a job, or the pool ends */
    _Alignas(64) atomic_uint running;    /* workers that have not finished the job */
    atomic_uint sleeping;
    atomic_int ending;
};

uint32_t ecg__cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (uint32_t)CPU_COUNT(&set);
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

static inline void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static size_t share_begin(const ecg__pool *p, uint32_t worker)
{
    return p->items / p->workers * worker + p->items % p->workers * worker / p->workers;
}

/* A worker's own share first, which is the same in every job of so many items: much of what it reads is in
 * its cache. Then what others have left of theirs. */
static void work(ecg__pool *p, uint32_t worker)
{
    for (uint32_t k = 0; k < p->workers; k++) {
        const uint32_t whose = (worker + k) % p->workers;
        const size_t end = share_begin(p, whose + 1);
        size_t item;
        while ((item = atomic_fetch_add_explicit(&p->worker[whose].next, 1, memory_order_relaxed)) < end)
            p->task(p->ctx, item, worker);
    }
}

/* Wait until the generation differs from `seen`; returns the new one. */
static unsigned await_job(ecg__pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        const unsigned g = atomic_load_explicit(&p->generation, memory_order_acquire);
        if (g != seen)
            return g;
        spin_pause();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleeping, 1);
    unsigned g;
    while ((g = atomic_load(&p->generation)) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->sleeping, 1);
    pthread_mutex_unlock(&p->lock);
    return g;
}

static void *worker_main(void *arg)
{
    const struct worker *w = arg;
    ecg__pool *p = w->pool;
    unsigned seen = 0;
    for (;;) {
        seen = await_job(p, seen);
        if (atomic_load(&p->ending))
            return NULL;
        work(p, w->index);
        atomic_fetch_sub_explicit(&p->running, 1, memory_order_release);
    }
}

static void publish(ecg__pool *p)
{
    atomic_fetch_add(&p->generation, 1);
    if (atomic_load(&p->sleeping) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

ecg_status ecg__pool_new(ecg__pool **out, uint32_t threads)
{
    *out = NULL;
    if (threads == 0)
        threads = ecg__cores();
    if (threads > MAX_WORKERS)
        threads = MAX_WORKERS;
    ecg__pool *p = ecg__calloc(1, sizeof *p);
    if (!p)
        return ECG_ENOMEM;
    p->worker = ecg__calloc(threads, sizeof *p->worker);
    if (!p->worker) {
        ecg__free(p);
        return ECG_ENOMEM;
    }
    p->owner = getpid();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->workers = 1;
    while (p->workers < threads) {
        struct worker *w = &p->worker[p->workers];
        w->pool = p;
        w->index = p->workers;
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            break;
        p->workers++;
    }
    *out = p;
    return ECG_OK;
}

uint32_t ecg__pool_workers(const ecg__pool *p)
{
    return p ? p->workers : 1;
}

void ecg__parallel_for(ecg__pool *p, size_t items, ecg__task *task, void *ctx)
{
    if (items < 2 || !p || p->workers == 1 || p->owner != getpid()) {
        for (size_t i = 0; i < items; i++)
            task(ctx, i, 0);
        return;
    }
    p->task = task;
    p->ctx = ctx;
    p->items = items;
    for (uint32_t i = 0; i < p->workers; i++)
        atomic_store_explicit(&p->worker[i].next, share_begin(p, i), memory_order_relaxed);
    atomic_store_explicit(&p->running, p->workers - 1, memory_order_relaxed);
    publish(p);
    work(p, 0);
    for (unsigned spins = 0; atomic_load_explicit(&p->running, memory_order_acquire) > 0; spins++) {
        if (spins < SPINS)
            spin_pause();
        else
            sched_yield();
    }
}

void ecg__pool_free(ecg__pool *p)
{
    if (!p)
        return;
    if (p->owner == getpid()) {
        atomic_store(&p->ending, 1);
        publish(p);
        for (uint32_t i = 1; i < p->workers; i++)
            pthread_join(p->worker[i].thread, NULL);
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
    }
    ecg__free(p->worker);
    ecg__free(p);
}
