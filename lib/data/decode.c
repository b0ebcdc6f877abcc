/* The first pass over a loader's pictures: decode all, keep what the cache holds, leave bad ones out. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/status.h"
#include "data/listing.h"
#include "data/loader.h"

/* Pictures decoded between two reports of progress, when all threads wait for the slowest: more and more of
 * them until that takes a while, but no more than fit into so many bytes. */
enum { CHUNK_FIRST = 64, CHUNK_LEAST = 16, CHUNK_MOST = 4096, CHUNK_BYTES = 1 << 24 };
static const double CHUNK_SECONDS = 0.1;

/* A picture that was left out, and why. */
struct bad {
    uint32_t index, where;
    ecg_status status;
    size_t message; /* in text */
};

struct load {
    ecg_loader *l;
    const ecg_loader_options *o;
    size_t first, chunk; /* where the chunk begins; most there is room for */
    uint8_t *px;         /* [chunk][h][w][c] */
    ecg_error *error;    /* [chunk] */
    uint64_t *print;     /* [chunk]: of the pixels */
    struct bad *bad;
    size_t bad_count, bad_cap;
    struct ecg__text text;
};

static void load_one(void *ctx, size_t item, uint32_t worker)
{
    (void)worker;
    const struct load *load = ctx;
    const ecg_loader *l = load->l;
    ecg_error *err = &load->error[item];
    err->where = 0;
    err->message[0] = '\0';
    uint8_t *px = load->px + item * l->bytes;
    err->status = ecg__picture_read(l, l->index[load->first + item], px, err);
    if (err->status == ECG_OK)
        load->print[item] = ecg__hash(ECG__HASH_START, px, l->bytes);
}

/* Lack of memory is not the picture's fault. */
static bool may_skip(const struct load *load, ecg_status st)
{
    return load->o->skip_bad && st != ECG_ENOMEM;
}

static ecg_status note_bad(struct load *load, uint32_t index, const ecg_error *why, ecg_error *err)
{
    struct bad *grown = ecg__grown(load->bad, &load->bad_cap, load->bad_count, sizeof *grown);
    if (grown)
        load->bad = grown;
    size_t message;
    if (!grown || !ecg__text_add(&load->text, why->message, strlen(why->message), &message))
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory after %zu skipped pictures",
                         load->bad_count);
    load->bad[load->bad_count++] = (struct bad){index, why->where, why->status, message};
    return ECG_OK;
}

/* Picture `item` of the chunk becomes picture *kept, or is noted as bad. */
static ecg_status take_one(struct load *load, size_t item, size_t *kept, ecg_error *err)
{
    ecg_loader *l = load->l;
    const ecg_error *e = &load->error[item];
    const uint32_t index = l->index[load->first + item];
    if (e->status == ECG_OK) {
        if (*kept < l->cached)
            memcpy(l->px + *kept * l->bytes, load->px + item * l->bytes, l->bytes);
        l->index[(*kept)++] = index;
        l->pixels_print = ecg__hash_u64(l->pixels_print, load->print[item]);
        return ECG_OK;
    }
    if (may_skip(load, e->status))
        return note_bad(load, index, e, err);
    if (err)
        *err = *e;
    return e->status;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ecg_status load_all(struct load *load, ecg__pool *pool, ecg_error *err)
{
    ecg_loader *l = load->l;
    const size_t total = l->count;
    size_t kept = 0;
    size_t chunk = load->chunk < CHUNK_FIRST ? load->chunk : CHUNK_FIRST, n;
    for (size_t first = 0; first < total; first += n) {
        const double start = now();
        n = total - first < chunk ? total - first : chunk;
        load->first = first;
        ecg__parallel_for(pool, n, load_one, load);
        for (size_t item = 0; item < n; item++) {
            const ecg_status st = take_one(load, item, &kept, err);
            if (st != ECG_OK)
                return st;
        }
        if (load->o->progress && load->o->progress(load->o->payload, first + n, total) != 0)
            return ecg__fail(err, ECG_ECANCELLED, "loader: stopped by the caller after %zu of %zu pictures",
                             first + n, total);
        if (now() - start < CHUNK_SECONDS)
            chunk = 2 * chunk < load->chunk ? 2 * chunk : load->chunk;
    }
    l->count = kept;
    if (l->cached > kept)
        l->cached = kept;
    l->skipped = load->bad_count;
    return ECG_OK;
}

static void report_skipped(const struct load *load)
{
    for (size_t i = 0; load->o->skipped && i < load->bad_count; i++) {
        const struct bad *b = &load->bad[i];
        ecg_error why = {b->status, b->where, ""};
        strncat(why.message, load->text.bytes + b->message, sizeof why.message - 1);
        load->o->skipped(load->o->payload, ecg_dataset_sample(load->l->dataset, b->index), &why);
    }
}

/* Room for the pictures that are kept: memory is only touched as they come. */
static ecg_status take_room(ecg_loader *l, uint64_t cache_bytes, ecg_error *err)
{
    const uint64_t fits = (cache_bytes ? cache_bytes : ecg__cache_default()) / l->bytes;
    l->cached = fits < l->count ? (size_t)fits : l->count;
    size_t all;
    l->px = ecg__mul(&all, l->cached, l->bytes) ? ecg__alloc(all) : NULL;
    if (l->px)
        return ECG_OK;
    return ecg__fail(err, ECG_ENOMEM, "loader: no memory for %zu pictures of %ux%ux%u, %.1f MiB", l->cached,
                     l->prep.h, l->prep.w, (uint32_t)l->prep.color,
                     (double)l->cached * (double)l->bytes / 1048576.0);
}

ecg_status ecg__loader_decode(ecg_loader *l, const ecg_loader_options *o, ecg_error *err)
{
    ecg_status st = take_room(l, o->cache_bytes, err);
    if (st != ECG_OK)
        return st;
    struct load load = {.l = l, .o = o, .chunk = CHUNK_BYTES / l->bytes};
    load.chunk = load.chunk < CHUNK_LEAST ? CHUNK_LEAST : load.chunk > CHUNK_MOST ? CHUNK_MOST : load.chunk;
    if (load.chunk > l->count)
        load.chunk = l->count ? l->count : 1;
    ecg__pool *pool = NULL;
    uint32_t threads = o->threads ? o->threads : ecg__cores();
    if (threads > load.chunk)
        threads = (uint32_t)load.chunk;
    load.error = ecg__calloc(load.chunk, sizeof *load.error);
    load.print = ecg__calloc(load.chunk, sizeof *load.print);
    load.px = ecg__alloc(load.chunk * l->bytes);
    l->pixels_print = ECG__HASH_START;
    st = load.error && load.print && load.px ? ecg__pool_new(&pool, threads) : ECG_ENOMEM;
    if (st == ECG_OK)
        st = load_all(&load, pool, err);
    else
        ecg__fail(err, st, "loader: out of memory for %u threads", threads);
    ecg__pool_free(pool);
    if (st == ECG_OK)
        report_skipped(&load);
    ecg__free(load.error);
    ecg__free(load.print);
    ecg__free(load.px);
    ecg__free(load.bad);
    ecg__free(load.text.bytes);
    return st;
}
