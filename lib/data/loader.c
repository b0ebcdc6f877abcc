#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/status.h"
#include "data/listing.h"
#include "ecgcnn/data.h"

/* Pictures decoded between two reports of progress. */
enum { CHUNK = 64 };

struct ecg_loader {
    const ecg_dataset *dataset;
    ecg_preprocess prep;
    size_t bytes;    /* of one picture */
    uint8_t *px;     /* [count][h][w][c] */
    uint32_t *index; /* [count] into the dataset */
    size_t count, skipped;
};

/* A picture that was left out, and why. */
struct bad {
    uint32_t index, where;
    ecg_status status;
    size_t message; /* in text */
};

struct load {
    ecg_loader *l;
    const ecg_loader_options *o;
    size_t first;     /* item 0 of the chunk */
    ecg_error *error; /* [CHUNK] */
    struct bad *bad;
    size_t bad_count, bad_cap;
    struct ecg__text text;
};

static ecg_status copy_pixels(uint8_t *to, const ecg_preprocess *p, const ecg_pixels *px, const char *path,
                              ecg_error *err)
{
    const ecg_image v = ecg_pixels_view(px);
    if (v.h != p->h || v.w != p->w || v.c != (uint32_t)p->color)
        return ecg__fail(err, ECG_ESHAPE, "%s: prepared as %ux%u with %u channels, expected %ux%u with %u",
                         path, v.h, v.w, v.c, p->h, p->w, (uint32_t)p->color);
    const size_t row = (size_t)v.w * v.c;
    for (uint32_t y = 0; y < v.h; y++)
        memcpy(to + y * row, v.px + y * v.stride, row);
    return ECG_OK;
}

static void load_one(void *ctx, size_t item, uint32_t worker)
{
    (void)worker;
    const struct load *load = ctx;
    ecg_loader *l = load->l;
    const size_t i = load->first + item;
    const char *path = ecg_dataset_sample(l->dataset, l->index[i])->path;
    ecg_error *err = &load->error[item];
    err->status = ECG_OK;
    err->where = 0;
    err->message[0] = '\0';
    ecg_pixels *px = NULL;
    ecg_status st = ecg_preprocess_load(&px, &l->prep, path, err);
    if (st == ECG_OK)
        st = copy_pixels(l->px + i * l->bytes, &l->prep, px, path, err);
    ecg_pixels_free(px);
    err->status = st;
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

/* Decode all, close the gaps that bad pictures leave. */
static ecg_status load_all(struct load *load, ecg__pool *pool, ecg_error *err)
{
    ecg_loader *l = load->l;
    const size_t total = l->count;
    size_t kept = 0;
    for (size_t first = 0; first < total; first += CHUNK) {
        const size_t n = total - first < CHUNK ? total - first : CHUNK;
        load->first = first;
        ecg__parallel_for(pool, n, load_one, load);
        for (size_t item = 0; item < n; item++) {
            const ecg_error *e = &load->error[item];
            const size_t i = first + item;
            if (e->status == ECG_OK) {
                if (kept != i) {
                    memcpy(l->px + kept * l->bytes, l->px + i * l->bytes, l->bytes);
                    l->index[kept] = l->index[i];
                }
                kept++;
                continue;
            }
            if (!may_skip(load, e->status)) {
                if (err)
                    *err = *e;
                return e->status;
            }
            const ecg_status st = note_bad(load, l->index[i], e, err);
            if (st != ECG_OK)
                return st;
        }
        if (load->o->progress && load->o->progress(load->o->payload, first + n, total) != 0)
            return ecg__fail(err, ECG_ECANCELLED, "loader: stopped by the caller after %zu of %zu pictures",
                             first + n, total);
    }
    l->count = kept;
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

static ecg_status run(ecg_loader *l, const ecg_loader_options *o, ecg_error *err)
{
    struct load load = {.l = l, .o = o};
    ecg__pool *pool = NULL;
    uint32_t threads = o->threads ? o->threads : ecg__cores();
    if (threads > l->count)
        threads = l->count ? (uint32_t)l->count : 1;
    load.error = ecg__calloc(CHUNK, sizeof *load.error);
    ecg_status st = load.error ? ecg__pool_new(&pool, threads) : ECG_ENOMEM;
    if (st == ECG_OK)
        st = load_all(&load, pool, err);
    else
        ecg__fail(err, st, "loader: out of memory for %u threads", threads);
    ecg__pool_free(pool);
    if (st == ECG_OK)
        report_skipped(&load);
    ecg__free(load.error);
    ecg__free(load.bad);
    ecg__free(load.text.bytes);
    return st;
}

/* Which samples, and room for their pixels. */
static ecg_status take_room(ecg_loader *l, const uint32_t *index, size_t count, ecg_error *err)
{
    const size_t samples = ecg_dataset_samples(l->dataset);
    l->count = index ? count : samples;
    l->index = ecg__calloc(l->count, sizeof *l->index);
    if (!l->index)
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory for a list of %zu pictures", l->count);
    for (size_t i = 0; i < l->count; i++) {
        l->index[i] = index ? index[i] : (uint32_t)i;
        if (l->index[i] >= samples)
            return ecg__fail(err, ECG_EINVAL, "loader: entry %zu is sample %u, the dataset has %zu", i,
                             l->index[i], samples);
    }
    const ecg_preprocess *p = &l->prep;
    size_t all;
    const bool fits = ecg__mul(&l->bytes, p->h, p->w) && ecg__mul(&l->bytes, l->bytes, (size_t)p->color) &&
                      ecg__mul(&all, l->bytes, l->count);
    l->px = fits ? ecg__alloc(all) : NULL;
    if (l->px)
        return ECG_OK;
    return ecg__fail(err, ECG_ENOMEM, "loader: no memory for %zu pictures of %ux%ux%u, %.1f MiB", l->count,
                     p->h, p->w, (uint32_t)p->color,
                     (double)l->count * (double)p->h * (double)p->w * (double)p->color / 1048576.0);
}

ecg_status ecg_loader_new(ecg_loader **out, const ecg_dataset *d, const uint32_t *index, size_t count,
                          const ecg_preprocess *p, const ecg_loader_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_loader_options opt = ECG_LOADER_OPTIONS_INIT;
    ecg_status st = ecg__options_copy(&opt, sizeof opt, o, "loader options", err);
    if (st != ECG_OK)
        return st;
    ecg_loader *l = ecg__calloc(1, sizeof *l);
    if (!l)
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory");
    l->dataset = d;
    st = ecg_preprocess_check(&l->prep, p, err);
    if (st == ECG_OK)
        st = take_room(l, index, count, err);
    if (st == ECG_OK)
        st = run(l, &opt, err);
    if (st != ECG_OK) {
        ecg_loader_free(l);
        return st;
    }
    *out = l;
    return ECG_OK;
}

size_t ecg_loader_count(const ecg_loader *l)
{
    return l->count;
}

size_t ecg_loader_skipped(const ecg_loader *l)
{
    return l->skipped;
}

const ecg_sample *ecg_loader_sample(const ecg_loader *l, size_t i)
{
    return i < l->count ? ecg_dataset_sample(l->dataset, l->index[i]) : NULL;
}

ecg_image ecg_loader_image(const ecg_loader *l, size_t i)
{
    const ecg_preprocess *p = &l->prep;
    if (i >= l->count)
        return (ecg_image){NULL, 0, 0, 0, 0};
    return (ecg_image){l->px + i * l->bytes, p->w, p->h, (uint32_t)p->color,
                       (size_t)p->w * (uint32_t)p->color};
}

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    (void)epoch;
    const ecg_loader *l = ctx;
    if (i >= l->count)
        return ecg__fail(err, ECG_EINVAL, "loader: sample %zu wanted, there are %zu", i, l->count);
    ecg_preprocess_values(&l->prep, l->px + i * l->bytes, x);
    *label = ecg_dataset_sample(l->dataset, l->index[i])->label;
    return ECG_OK;
}

ecg_source ecg_loader_source(const ecg_loader *l)
{
    /* fetch only reads; the field is not const because other sources may write. */
    return (ecg_source){(void *)(uintptr_t)l, l->count, fetch};
}

void ecg_loader_free(ecg_loader *l)
{
    if (!l)
        return;
    ecg__free(l->px);
    ecg__free(l->index);
    ecg__free(l);
}
