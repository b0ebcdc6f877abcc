#include "train/share.h"

#include <string.h>

#include "base/mem.h"
#include "math/vec.h"

/* A sum is begun when so many floats of gradient are ready: 4 MiB. */
enum { BUCKET = 1 << 20 };

struct record {
    double loss;
    uint32_t correct, fault;
};

struct ecg__shared {
    struct record *record;        /* [shards] */
    size_t *send_at, *recv_at;    /* [ranks + 1] */
    size_t *cut;                  /* [ranks + 1]: floats of the shards' gradients that each rank sums */
    float *send, *recv, *total;   /* exact */
    uint32_t piece;               /* fast: pieces from here on are summed in this process */
    size_t bucket_end, bucket_at; /* and this part of the gradient is ready to be sent */
};

static void *take(ecg_trainer *t, size_t count, size_t size)
{
    void *p = ecg__calloc(count ? count : 1, size);
    if (p)
        t->bytes += (uint64_t)count * size;
    return p;
}

bool ecg__share_new(ecg_trainer *t)
{
    const ecg__group *g = &t->group;
    const uint32_t ranks = g->comm.ranks;
    if (ecg__group_alone(g))
        return true;
    struct ecg__shared *h = t->shared = ecg__calloc(1, sizeof *h);
    if (!h)
        return false;
    h->record = take(t, t->opt.shards, sizeof *h->record);
    h->send_at = take(t, 3 * ((size_t)ranks + 1), sizeof *h->send_at);
    if (!h->record || !h->send_at)
        return false;
    h->recv_at = h->send_at + ranks + 1;
    h->cut = h->recv_at + ranks + 1;
    if (g->fast)
        return true;
    for (uint32_t r = 0; r <= ranks; r++)
        h->cut[r] = ecg__share(t->shard_floats / 16, r, ranks) * 16; /* a multiple of 16 */
    h->send = take(t, t->own_shards * t->shard_floats, sizeof *h->send);
    h->recv = take(t, t->opt.shards * (h->cut[g->comm.rank + 1] - h->cut[g->comm.rank]), sizeof *h->recv);
    h->total = take(t, t->shard_floats, sizeof *h->total);
    return h->send && h->recv && h->total;
}

void ecg__share_end(ecg_trainer *t)
{
    struct ecg__shared *h = t->shared;
    if (!h)
        return;
    ecg__free(h->record);
    ecg__free(h->send_at);
    ecg__free(h->send);
    ecg__free(h->recv);
    ecg__free(h->total);
    ecg__free(h);
    t->shared = NULL;
}

/* ---- parts ---- */

static uint32_t shards_of(const ecg_trainer *t, size_t n)
{
    return n < t->opt.shards ? (uint32_t)n : t->opt.shards;
}

/* The first of n samples that rank r has. */
static size_t first_sample(const ecg_trainer *t, size_t n, uint32_t r)
{
    const uint32_t shards = shards_of(t, n);
    return n * ecg__share(shards, r, t->group.comm.ranks) / shards;
}

uint32_t ecg__share_most(const ecg_trainer *t)
{
    size_t most = 0;
    for (size_t n = 1; n <= t->opt.batch; n++) {
        const uint32_t rank = t->group.comm.rank;
        const size_t own = first_sample(t, n, rank + 1) - first_sample(t, n, rank);
        most = own > most ? own : most;
    }
    return (uint32_t)most;
}

void ecg_trainer_share(const ecg_trainer *t, size_t n, size_t *first, size_t *count)
{
    *first = n ? first_sample(t, n, t->group.comm.rank) : 0;
    *count = n ? first_sample(t, n, t->group.comm.rank + 1) - *first : 0;
}

void ecg__share_cut(ecg_trainer *t)
{
    const uint32_t ranks = t->group.comm.ranks, rank = t->group.comm.rank;
    t->shards = shards_of(t, t->n);
    t->shard_lo = (uint32_t)ecg__share(t->shards, rank, ranks);
    t->shard_hi = (uint32_t)ecg__share(t->shards, rank + 1, ranks);
    ecg_trainer_share(t, t->n, &t->first, &t->own);
    t->sum_of = t->shard_grad;
    t->sum_count = t->shards;
    if (t->shared) {
        t->shared->piece = t->pieces;
        t->shared->bucket_end = t->shared->bucket_at = t->grad_floats;
    }
}

/* ---- between phases ---- */

/* bytes of each sample, of the whole batch, in memory one after the other. */
static ecg_status gather_samples(ecg_trainer *t, void *data, size_t bytes, ecg_error *err)
{
    for (uint32_t r = 0; r <= t->group.comm.ranks; r++)
        t->group.at[r] = first_sample(t, t->n, r) * bytes;
    return ecg__group_gather(&t->group, data, t->group.at, err);
}

static ecg_status gather_buffer(ecg_trainer *t, const ecg__buffer *b, ecg_error *err)
{
    return gather_samples(t, t->common + b->offset, b->bytes, err);
}

ecg_status ecg__share_before(ecg_trainer *t, uint32_t i, ecg_error *err)
{
    const ecg__tape *tape = &t->tape;
    const ecg__phase *phase = &tape->phase[i];
    if (!t->shared || i == 0)
        return ECG_OK;
    const ecg__op *op = &tape->op[phase->first], *before = op - 1;
    const bool second = before->layer == op->layer && before->kind == op->kind;
    const size_t partial = t->low->layer[op->layer].plan.partial;
    if (second && partial > 0 && !t->group.local)
        return ecg__group_gather_items(&t->group, t->partial + t->partial_at[op->layer], t->shards,
                                       partial * sizeof *t->partial, err);
    if (second || !phase->by_block || t->group.fast)
        return ECG_OK;
    const ecg__buffer *b = op->kind == ECG__OP_BACKWARD ? &tape->dy[op->layer]
                           : op->layer                  ? &tape->y[op->layer - 1]
                                                        : &tape->input;
    return gather_buffer(t, b, err);
}

/* Layers go from the last to the first, and so do their pieces and places in the gradient. */
ecg_status ecg__share_after(ecg_trainer *t, uint32_t i, ecg__task *sum_piece, ecg_error *err)
{
    struct ecg__shared *h = t->shared;
    if (!h || !t->group.fast)
        return ECG_OK;
    const ecg__phase *phase = &t->tape.phase[i];
    const uint32_t next = phase->first + phase->count, layer = t->tape.op[next - 1].layer;
    if (t->tape.op[next - 1].kind != ECG__OP_BACKWARD)
        return ECG_OK;
    const bool last = i + 1 == t->tape.phases;
    /* The layer of a second step that is still to come is not complete. */
    const bool half = !last && t->tape.op[next].layer == layer;
    const uint32_t slot = t->low->layer[layer].first_tensor + (half ? t->low->layer[layer].plan.tensors : 0);
    const uint32_t end = h->piece;
    while (h->piece > 0 && (last || t->piece[h->piece - 1].slot >= slot))
        h->piece--;
    if (h->piece < end) {
        t->piece_first = h->piece;
        ecg__parallel_for(t->pool, end - h->piece, sum_piece, t);
        h->bucket_at = h->piece ? t->piece[h->piece].grad_offset : 0;
    }
    if (h->bucket_end - h->bucket_at < BUCKET && !last)
        return ECG_OK;
    const size_t floats = h->bucket_end - h->bucket_at;
    h->bucket_end = h->bucket_at;
    t->group.under_way = true;
    return ecg__group_sum_begin(&t->group, t->grad + h->bucket_at, floats, err);
}

ecg_status ecg__share_labels(ecg_trainer *t, ecg_error *err)
{
    return t->shared ? gather_samples(t, t->label, sizeof *t->label, err) : ECG_OK;
}

ecg_status ecg__share_loss(ecg_trainer *t, ecg_error *err)
{
    struct ecg__shared *h = t->shared;
    if (!h)
        return ECG_OK;
    const bool failed = atomic_load(&t->failed);
    for (uint32_t s = t->shard_lo; s < t->shard_hi; s++)
        h->record[s] = (struct record){t->shard_loss[s], t->shard_correct[s], failed};
    ecg_status s = ecg__group_gather_items(&t->group, h->record, t->shards, sizeof *h->record, err);
    bool fault = false;
    for (uint32_t k = 0; k < t->shards; k++) {
        t->shard_loss[k] = h->record[k].loss;
        t->shard_correct[k] = h->record[k].correct;
        fault = fault || h->record[k].fault;
    }
    if (s != ECG_OK || !fault)
        return s;
    ecg_error e = t->fault;
    s = ecg__group_agree(&t->group, failed ? t->fault_status : ECG_OK, &e);
    if (err)
        *err = e;
    return s;
}

/* ---- gradients ---- */

/* Shards to those that sum them, sums to all. */
static ecg_status sum_exact(ecg_trainer *t, ecg_error *err)
{
    struct ecg__shared *h = t->shared;
    ecg__group *g = &t->group;
    const uint32_t ranks = g->comm.ranks, rank = g->comm.rank, own = t->shard_hi - t->shard_lo;
    const size_t width = h->cut[rank + 1] - h->cut[rank];
    float *to = h->send;
    for (uint32_t r = 0; r < ranks; r++) {
        const size_t part = h->cut[r + 1] - h->cut[r];
        h->send_at[r] = (size_t)(to - h->send) * sizeof *to;
        h->recv_at[r] = ecg__share(t->shards, r, ranks) * width * sizeof *to;
        for (uint32_t s = 0; s < own; s++, to += part)
            memcpy(to, t->shard_grad + s * t->shard_floats + h->cut[r], part * sizeof *to);
        g->at[r] = h->cut[r] * sizeof *to;
    }
    h->send_at[ranks] = (size_t)(to - h->send) * sizeof *to;
    h->recv_at[ranks] = t->shards * width * sizeof *to;
    g->at[ranks] = h->cut[ranks] * sizeof *to;
    const ecg_status s = ecg__group_exchange(g, h->send, h->send_at, h->recv, h->recv_at, err);
    if (s != ECG_OK)
        return s;
    float *total = h->total + h->cut[rank];
    memset(total, 0, width * sizeof *total);
    for (uint32_t k = 0; k < t->shards; k++)
        ecg__vec_add(total, h->recv + k * width, width);
    t->sum_of = h->total;
    t->sum_count = 1;
    return ecg__group_gather(g, h->total, g->at, err);
}

ecg_status ecg__share_gradients(ecg_trainer *t, ecg_error *err)
{
    if (!t->shared)
        return ECG_OK;
    if (!t->group.fast)
        return t->shard_floats ? sum_exact(t, err) : ECG_OK;
    t->sum_count = 0;
    t->group.under_way = false;
    return ecg__group_sum_end(&t->group, err);
}

ecg_status ecg__share_state(ecg_trainer *t, ecg_error *err)
{
    float *state = t->weights + t->spec->trainable_floats;
    const size_t count = t->spec->floats - t->spec->trainable_floats;
    if (!t->shared)
        return ECG_OK;
    if (!t->group.local)
        return ecg__group_broadcast(&t->group, state, count * sizeof *state, 0, err);
    const float part = (float)((double)t->own / (double)t->n);
    for (size_t i = 0; i < count; i++)
        state[i] *= part;
    return ecg__group_sum(&t->group, state, count, err);
}
