#include "train/group.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

enum { MOST_RANKS = 65536 };

static ecg_status check(const ecg_comm *c, const ecg_train_options *o, ecg_error *err)
{
    if (c->ranks < 1 || c->ranks > MOST_RANKS)
        return ecg__fail(err, ECG_EINVAL, "communicator: ranks must be 1..%d, got %" PRIu32, MOST_RANKS,
                         c->ranks);
    if (c->rank >= c->ranks)
        return ecg__fail(err, ECG_EINVAL,
                         "communicator: rank must be below ranks, which is %" PRIu32 ", got %" PRIu32,
                         c->ranks, c->rank);
    if (c->ranks == 1)
        return ECG_OK;
    const char *missing = !c->gather                                      ? "gather"
                          : !c->broadcast                                 ? "broadcast"
                          : o->reduce == ECG_REDUCE_EXACT && !c->exchange ? "exchange"
                          : o->reduce == ECG_REDUCE_FAST && !c->sum       ? "sum"
                          : !c->sum_begin != !c->sum_end                  ? "sum_begin or sum_end"
                                                                          : NULL;
    if (missing)
        return ecg__fail(err, ECG_EINVAL, "communicator: %s is NULL", missing);
    if (o->shards < c->ranks)
        return ecg__fail(err, ECG_EINVAL,
                         "training: a batch of %" PRIu32 " in %" PRIu32 " shards is not enough for %" PRIu32
                         " ranks, each computes one shard or more",
                         o->batch, o->shards, c->ranks);
    return ECG_OK;
}

ecg_status ecg__group_new(ecg__group *g, const ecg_train_options *o, ecg_error *err)
{
    *g = (ecg__group){.comm = ECG_COMM_INIT};
    ecg_status s = ecg__options_copy(&g->comm, sizeof g->comm, o->comm, "communicator", err);
    if (s == ECG_OK)
        s = check(&g->comm, o, err);
    if (s != ECG_OK || g->comm.ranks == 1)
        return s;
    g->fast = o->reduce == ECG_REDUCE_FAST;
    g->local = g->fast && o->local_statistics;
    g->at = ecg__alloc((g->comm.ranks + 1) * sizeof *g->at);
    g->other = ecg__alloc((g->comm.ranks + 1) * sizeof *g->other);
    g->words = ecg__alloc(g->comm.ranks * sizeof(uint64_t));
    if (g->at && g->other && g->words)
        return ECG_OK;
    ecg__group_end(g);
    return ecg__fail(err, ECG_ENOMEM, "out of memory");
}

void ecg__group_end(ecg__group *g)
{
    ecg__free(g->at);
    ecg__free(g->other);
    ecg__free(g->words);
    *g = (ecg__group){.comm = ECG_COMM_INIT};
}

/* ---- calls ---- */

static bool usable(const ecg__group *g, ecg_status *s, ecg_error *err)
{
    *s = ECG_OK;
    if (g->comm.ranks == 1)
        return false;
    if (g->lost)
        *s = ecg__fail(err, ECG_EIO, "training: the other ranks were lost before");
    return !g->lost;
}

static ecg_status after(ecg__group *g, ecg_status s)
{
    g->lost = g->lost || s != ECG_OK;
    return s;
}

ecg_status ecg__group_gather(ecg__group *g, void *data, const size_t *at, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err) || at[g->comm.ranks] == 0)
        return s;
    return after(g, g->comm.gather(g->comm.payload, data, at, err));
}

ecg_status ecg__group_exchange(ecg__group *g, const void *send, const size_t *send_at, void *recv,
                               const size_t *recv_at, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err))
        return s;
    return after(g, g->comm.exchange(g->comm.payload, send, send_at, recv, recv_at, err));
}

ecg_status ecg__group_broadcast(ecg__group *g, void *data, size_t bytes, uint32_t root, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err) || bytes == 0)
        return s;
    return after(g, g->comm.broadcast(g->comm.payload, data, bytes, root, err));
}

ecg_status ecg__group_sum(ecg__group *g, float *v, size_t n, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err) || n == 0)
        return s;
    return after(g, g->comm.sum(g->comm.payload, v, n, err));
}

ecg_status ecg__group_sum_begin(ecg__group *g, float *v, size_t n, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err) || n == 0)
        return s;
    return after(g, g->comm.sum_begin ? g->comm.sum_begin(g->comm.payload, v, n, err)
                                      : g->comm.sum(g->comm.payload, v, n, err));
}

ecg_status ecg__group_sum_end(ecg__group *g, ecg_error *err)
{
    ecg_status s;
    if (!usable(g, &s, err) || !g->comm.sum_end)
        return s;
    return after(g, g->comm.sum_end(g->comm.payload, err));
}

/* ---- what is made of them ---- */

ecg_status ecg__group_gather_items(ecg__group *g, void *data, size_t items, size_t bytes, ecg_error *err)
{
    if (ecg__group_alone(g))
        return ECG_OK;
    for (uint32_t r = 0; r <= g->comm.ranks; r++)
        g->at[r] = ecg__share(items, r, g->comm.ranks) * bytes;
    return ecg__group_gather(g, data, g->at, err);
}

/* words[r] of all ranks, from this one's. */
static ecg_status gather_words(ecg__group *g, uint64_t word, ecg_error *err)
{
    uint64_t *words = g->words;
    words[g->comm.rank] = word;
    return ecg__group_gather_items(g, words, g->comm.ranks, sizeof *words, err);
}

static ecg_status tell(ecg__group *g, ecg_status s, uint32_t root, bool named, ecg_error *err)
{
    ecg_error e = {.status = s};
    if (g->comm.rank == root && err)
        e = *err;
    const ecg_status sent = ecg__group_broadcast(g, &e, sizeof e, root, err);
    if (sent != ECG_OK)
        return sent;
    e.message[sizeof e.message - 1] = '\0';
    e.status = s;
    if (named)
        ecg__context(&e, s, "rank %" PRIu32, root);
    if (err)
        *err = e;
    return s;
}

ecg_status ecg__group_agree(ecg__group *g, ecg_status s, ecg_error *err)
{
    if (ecg__group_alone(g) || (g->lost && s != ECG_OK))
        return s;
    const ecg_status met = gather_words(g, (uint64_t)(int64_t)s, err);
    if (met != ECG_OK)
        return met;
    const uint64_t *words = g->words;
    uint32_t root = g->comm.ranks, failed = 0;
    for (uint32_t r = g->comm.ranks; r-- > 0;)
        if (words[r] != 0) {
            root = r;
            failed++;
        }
    if (failed == 0)
        return ECG_OK;
    return tell(g, (ecg_status)(int64_t)words[root], root, failed < g->comm.ranks, err);
}

ecg_status ecg__group_follow(ecg__group *g, ecg_status s, ecg_error *err)
{
    if (ecg__group_alone(g) || (g->lost && s != ECG_OK))
        return s;
    int64_t word = s;
    const ecg_status met = ecg__group_broadcast(g, &word, sizeof word, 0, err);
    if (met != ECG_OK || word == ECG_OK)
        return met;
    return tell(g, (ecg_status)word, 0, false, err);
}

ecg_status ecg__group_flags(ecg__group *g, uint32_t *flags, ecg_error *err)
{
    if (ecg__group_alone(g))
        return ECG_OK;
    const ecg_status s = gather_words(g, *flags, err);
    const uint64_t *words = g->words;
    for (uint32_t r = 0; s == ECG_OK && r < g->comm.ranks; r++)
        *flags |= (uint32_t)words[r];
    return s;
}

ecg_status ecg__group_compare(ecg__group *g, uint64_t number, uint32_t *rank, ecg_error *err)
{
    *rank = g->comm.ranks;
    if (ecg__group_alone(g))
        return ECG_OK;
    const ecg_status s = gather_words(g, number, err);
    const uint64_t *words = g->words;
    for (uint32_t r = g->comm.ranks; s == ECG_OK && r-- > 1;)
        if (words[r] != words[0])
            *rank = r;
    return s;
}
