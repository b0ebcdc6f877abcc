/* Ranks of a job as threads of one process. */
#ifndef ECG_UNIT_RANKS_H
#define ECG_UNIT_RANKS_H

#include <pthread.h>

#include "base/mem.h"
#include "base/status.h"
#include "ecgcnn/comm.h"
#include "unit/unit.h"

enum { UNIT_MOST_RANKS = 8 };

typedef struct unit_job {
    uint32_t ranks;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint32_t arrived, round;
    int broken;
    struct unit_rank {
        struct unit_job *job;
        ecg_comm comm;
        const void *data;
        const size_t *at;
        size_t calls, fails_at; /* call from 1 that fails; 0: none */
        uint32_t begun;
        float *sums[64];
        size_t counts[64];
        void (*run)(struct unit_rank *r);
        void *ctx;
        pthread_t thread;
    } rank[UNIT_MOST_RANKS];
} unit_job;

/* Wait for the others. */
static inline ecg_status unit_meet(struct unit_rank *r, ecg_error *err)
{
    unit_job *j = r->job;
    pthread_mutex_lock(&j->lock);
    const uint32_t round = j->round;
    if (++j->arrived == j->ranks) {
        j->arrived = 0;
        j->round++;
        pthread_cond_broadcast(&j->turn);
    }
    while (j->round == round && !j->broken)
        pthread_cond_wait(&j->turn, &j->lock);
    const int broken = j->broken;
    pthread_mutex_unlock(&j->lock);
    return broken ? ecg__fail(err, ECG_EIO, "rank %u: the others are gone", r->comm.rank) : ECG_OK;
}

/* What every call does first: fail where that is wanted, show what one has, wait. */
static inline ecg_status unit_show(struct unit_rank *r, const void *data, const size_t *at, ecg_error *err)
{
    r->data = data;
    r->at = at;
    if (++r->calls == r->fails_at) {
        pthread_mutex_lock(&r->job->lock);
        r->job->broken = 1;
        pthread_cond_broadcast(&r->job->turn);
        pthread_mutex_unlock(&r->job->lock);
        return ecg__fail(err, ECG_EIO, "rank %u: the cable is out", r->comm.rank);
    }
    return unit_meet(r, err);
}

static inline ecg_status unit_gather(void *payload, void *data, const size_t *at, ecg_error *err)
{
    struct unit_rank *r = payload;
    const ecg_status s = unit_show(r, data, at, err);
    if (s != ECG_OK)
        return s;
    for (uint32_t q = 0; q < r->job->ranks; q++) {
        const struct unit_rank *from = &r->job->rank[q];
        ck_assert_uint_eq(from->at[q], at[q]);
        ck_assert_uint_eq(from->at[q + 1], at[q + 1]);
        if (from != r)
            memcpy((char *)data + at[q], (const char *)from->data + at[q], at[q + 1] - at[q]);
    }
    return unit_meet(r, err);
}

static inline ecg_status unit_exchange(void *payload, const void *send, const size_t *send_at, void *recv,
                                       const size_t *recv_at, ecg_error *err)
{
    struct unit_rank *r = payload;
    const uint32_t me = r->comm.rank;
    const ecg_status s = unit_show(r, send, send_at, err);
    if (s != ECG_OK)
        return s;
    for (uint32_t q = 0; q < r->job->ranks; q++) {
        const struct unit_rank *from = &r->job->rank[q];
        const size_t n = recv_at[q + 1] - recv_at[q];
        ck_assert_uint_eq(from->at[me + 1] - from->at[me], n);
        memcpy((char *)recv + recv_at[q], (const char *)from->data + from->at[me], n);
    }
    return unit_meet(r, err);
}

static inline ecg_status unit_broadcast(void *payload, void *data, size_t bytes, uint32_t root,
                                        ecg_error *err)
{
    struct unit_rank *r = payload;
    const ecg_status s = unit_show(r, data, NULL, err);
    if (s != ECG_OK)
        return s;
    if (r->comm.rank != root)
        memcpy(data, r->job->rank[root].data, bytes);
    return unit_meet(r, err);
}

static inline ecg_status unit_sum(void *payload, float *v, size_t n, ecg_error *err)
{
    struct unit_rank *r = payload;
    ecg_status s = unit_show(r, v, NULL, err);
    if (s != ECG_OK)
        return s;
    float *sum = ecg__calloc(n, sizeof *sum);
    for (uint32_t q = 0; q < r->job->ranks; q++) {
        const float *from = r->job->rank[q].data;
        for (size_t i = 0; i < n; i++)
            sum[i] += from[i];
    }
    s = unit_meet(r, err);
    memcpy(v, sum, n * sizeof *v);
    ecg__free(sum);
    return s;
}

/* What was begun may be summed at the very end: nobody may touch it before. */
static inline ecg_status unit_sum_begin(void *payload, float *v, size_t n, ecg_error *err)
{
    struct unit_rank *r = payload;
    (void)err;
    ck_assert_uint_lt(r->begun, 64);
    r->sums[r->begun] = v;
    r->counts[r->begun++] = n;
    return ECG_OK;
}

static inline ecg_status unit_sum_end(void *payload, ecg_error *err)
{
    struct unit_rank *r = payload;
    ecg_status s = ECG_OK;
    for (uint32_t i = 0; s == ECG_OK && i < r->begun; i++)
        s = unit_sum(payload, r->sums[i], r->counts[i], err);
    r->begun = 0;
    return s;
}

static inline void *unit_main(void *rank)
{
    struct unit_rank *r = rank;
    r->run(r);
    return NULL;
}

static inline void unit_job_start(unit_job *j, uint32_t ranks)
{
    memset(j, 0, sizeof *j);
    j->ranks = ranks;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->turn, NULL);
    for (uint32_t q = 0; q < ranks; q++) {
        struct unit_rank *r = &j->rank[q];
        r->job = j;
        r->comm = (ecg_comm){.size = sizeof(ecg_comm),
                             .rank = q,
                             .ranks = ranks,
                             .payload = r,
                             .gather = unit_gather,
                             .exchange = unit_exchange,
                             .broadcast = unit_broadcast,
                             .sum = unit_sum};
    }
}

/* run(rank) on every rank at once, its ctx being ctx + rank * stride. */
static inline void unit_job_run(unit_job *j, void (*run)(struct unit_rank *r), void *ctx, size_t stride)
{
    for (uint32_t q = 0; q < j->ranks; q++) {
        j->rank[q].run = run;
        j->rank[q].ctx = (char *)ctx + q * stride;
        ck_assert_int_eq(pthread_create(&j->rank[q].thread, NULL, unit_main, &j->rank[q]), 0);
    }
    for (uint32_t q = 0; q < j->ranks; q++)
        pthread_join(j->rank[q].thread, NULL);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->turn);
}

#endif
