#include "ecgcnn/batches.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/status.h"
#include "data/batch_save.h"
#include "data/loader.h"

enum { MOST_BATCH = 65536 };
#define NO_EPOCH UINT64_MAX

struct ecg_batches {
    const ecg_loader *l;
    ecg_batch_options o;
    struct ecg__policy policy;
    bool mixes;
    size_t values, labels; /* floats a sample has in x and in y */
    uint64_t epoch;        /* of the next batch, and its number */
    size_t number;
    uint64_t ordered; /* the epoch that `order` is of */
    uint32_t *order;  /* [count] */
    uint32_t *index;  /* [batch] */
    float *x, *y;     /* [batch] */
    float *partner;   /* [workers][values], for mixing */
    ecg_error *error; /* [batch] */
    ecg__pool *pool;
    char *dir, *prefix;
    /* The batch being made. */
    uint64_t making;
    size_t first;
};

static size_t picture_of(const ecg_batches *b, uint64_t epoch, size_t i)
{
    return b->policy.balance.classes && epoch ? ecg__balance_pick(&b->policy.balance, b->o.seed, epoch, i)
                                              : i;
}

static void add_label(const ecg_batches *b, float *y, uint32_t label, float part)
{
    if (b->o.class_mode == ECG_CLASS_CATEGORICAL)
        y[label] += part;
    else if (b->o.class_mode == ECG_CLASS_BINARY || b->o.class_mode == ECG_CLASS_SPARSE)
        y[0] = (float)label;
}

/* Lay another sample of the epoch over sample i. */
static ecg_status mix(const ecg_batches *b, size_t i, float *x, float *y, uint32_t label, float *other,
                      ecg_error *err)
{
    uint64_t partner;
    float lambda;
    uint32_t other_label;
    ecg_augment_mixup(&b->policy.augment, b->o.seed, b->making, i, b->l->count, &partner, &lambda);
    if (partner == i || lambda == 1.0f) {
        add_label(b, y, label, 1.0f);
        return ECG_OK;
    }
    const ecg_status st = ecg__loader_fill(b->l, &b->policy, b->making, (size_t)partner, other, &other_label,
                                           err);
    if (st != ECG_OK)
        return st;
    for (size_t k = 0; k < b->values; k++)
        x[k] = lambda * x[k] + (1.0f - lambda) * other[k];
    add_label(b, y, label, lambda);
    add_label(b, y, other_label, 1.0f - lambda);
    return ECG_OK;
}

static void make_one(void *ctx, size_t item, uint32_t worker)
{
    ecg_batches *b = ctx;
    ecg_error *err = &b->error[item];
    const size_t i = b->order[b->first + item];
    float *x = b->x + item * b->values, *y = b->y + item * b->labels;
    uint32_t label;
    err->message[0] = '\0';
    b->index[item] = (uint32_t)picture_of(b, b->making, i);
    memset(y, 0, b->labels * sizeof *y);
    ecg_status st = ecg__loader_fill(b->l, &b->policy, b->making, i, x, &label, err);
    if (st == ECG_OK && b->mixes && b->making > 0)
        st = mix(b, i, x, y, label, b->partner + worker * b->values, err);
    else if (st == ECG_OK)
        add_label(b, y, label, 1.0f);
    if (st == ECG_OK && b->o.class_mode == ECG_CLASS_INPUT)
        memcpy(y, x, b->values * sizeof *y);
    if (st == ECG_OK && b->dir) {
        const struct ecg__saved s = {b->dir, b->prefix, b->l->index[b->index[item]], b->o.seed, b->making, i};
        st = ecg__batch_save(&s, &b->l->prep, b->policy.augment.geometry, x, err);
    }
    err->status = st;
}

static void order_epoch(ecg_batches *b, uint64_t epoch)
{
    if (b->ordered == epoch)
        return;
    const uint32_t n = (uint32_t)b->l->count;
    for (uint32_t i = 0; i < n; i++)
        b->order[i] = i;
    if (b->o.shuffle && epoch > 0) {
        ecg__rng r = ecg__rng_at(b->o.seed, ECG__RNG_SHUFFLE, epoch, 0);
        ecg__rng_shuffle(&r, b->order, n);
    }
    b->ordered = epoch;
}

ecg_status ecg_batches_get(ecg_batches *b, uint64_t epoch, size_t number, ecg_batch *out, ecg_error *err)
{
    memset(out, 0, sizeof *out);
    if (number >= ecg_batches_per_epoch(b))
        return ecg__fail(err, ECG_EINVAL, "batches: number %zu wanted, an epoch has %zu", number,
                         ecg_batches_per_epoch(b));
    order_epoch(b, epoch);
    b->making = epoch;
    b->first = number * b->o.batch;
    const size_t left = b->l->count - b->first, n = left < b->o.batch ? left : b->o.batch;
    ecg__parallel_for(b->pool, n, make_one, b);
    for (size_t i = 0; i < n; i++)
        if (b->error[i].status != ECG_OK) {
            if (err)
                *err = b->error[i];
            return b->error[i].status;
        }
    *out = (ecg_batch){b->x, b->labels ? b->y : NULL, b->index, n, epoch, number};
    return ECG_OK;
}

ecg_status ecg_batches_next(ecg_batches *b, ecg_batch *out, ecg_error *err)
{
    const uint64_t epoch = b->epoch;
    const size_t number = b->number++;
    if (b->number == ecg_batches_per_epoch(b)) {
        b->number = 0;
        b->epoch++;
    }
    return ecg_batches_get(b, epoch, number, out, err);
}

void ecg_batches_reset(ecg_batches *b)
{
    b->epoch = 1;
    b->number = 0;
}

size_t ecg_batches_per_epoch(const ecg_batches *b)
{
    return (b->l->count + b->o.batch - 1) / b->o.batch;
}

static ecg_status check(const ecg_loader *l, const ecg_batch_options *o, ecg_error *err)
{
    if (o->batch < 1 || o->batch > MOST_BATCH)
        return ecg__fail(err, ECG_EINVAL, "batches: batch is %u, expected 1 to %d", o->batch, MOST_BATCH);
    if ((int)o->class_mode < ECG_CLASS_CATEGORICAL || o->class_mode > ECG_CLASS_NONE)
        return ecg__fail(err, ECG_EINVAL, "batches: %d is no class mode", (int)o->class_mode);
    if (l->count == 0)
        return ecg__fail(err, ECG_EINVAL, "batches: the loader has no pictures");
    return ECG_OK;
}

static ecg_status take_room(ecg_batches *b, ecg_error *err)
{
    const size_t batch = b->o.batch < b->l->count ? b->o.batch : b->l->count;
    const uint32_t classes = ecg_dataset_classes(b->l->dataset);
    ecg_status st = ecg__pool_new(&b->pool, b->o.threads);
    if (st != ECG_OK)
        return ecg__fail(err, st, "batches: out of memory for threads");
    b->values = b->l->bytes;
    switch (b->o.class_mode) {
    case ECG_CLASS_CATEGORICAL:
        b->labels = classes;
        break;
    case ECG_CLASS_INPUT:
        b->labels = b->values;
        break;
    case ECG_CLASS_NONE:
        b->labels = 0;
        break;
    case ECG_CLASS_BINARY:
    case ECG_CLASS_SPARSE:
    default:
        b->labels = 1;
    }
    b->order = ecg__calloc(b->l->count, sizeof *b->order);
    b->index = ecg__calloc(batch, sizeof *b->index);
    b->error = ecg__calloc(batch, sizeof *b->error);
    b->x = ecg__calloc(batch, b->values * sizeof *b->x);
    b->y = ecg__calloc(batch, b->labels * sizeof *b->y);
    if (b->mixes)
        b->partner = ecg__calloc(ecg__pool_workers(b->pool), b->values * sizeof *b->partner);
    if (b->o.save_to_dir) {
        b->dir = ecg__strdup(b->o.save_to_dir);
        b->prefix = ecg__strdup(b->o.save_prefix ? b->o.save_prefix : "");
    }
    if (b->order && b->index && b->error && b->x && b->y && (!b->mixes || b->partner) &&
        (!b->o.save_to_dir || (b->dir && b->prefix)))
        return ECG_OK;
    return ecg__fail(err, ECG_ENOMEM, "batches: out of memory for %zu pictures of %zu values", batch,
                     b->values);
}

ecg_status ecg_batches_new(ecg_batches **out, const ecg_loader *l, const ecg_batch_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_batches *b = ecg__calloc(1, sizeof *b);
    if (!b)
        return ecg__fail(err, ECG_ENOMEM, "batches: out of memory");
    b->o = (ecg_batch_options)ECG_BATCH_OPTIONS_INIT;
    b->l = l;
    b->epoch = 1;
    b->ordered = NO_EPOCH;
    ecg_status st = ecg__options_copy(&b->o, sizeof b->o, o, "batch options", err);
    if (st == ECG_OK)
        st = check(l, &b->o, err);
    if (st == ECG_OK)
        st = ecg__policy_init(&b->policy, l, b->o.augment, b->o.seed, b->o.balance != 0, err);
    b->policy.preprocessing = b->o.preprocessing;
    b->policy.preprocessing_ctx = b->o.preprocessing_ctx;
    b->mixes = b->policy.augment.mixup > 0.0;
    if (st == ECG_OK && b->mixes && b->o.class_mode != ECG_CLASS_CATEGORICAL)
        st = ecg__fail(err, ECG_EINVAL, "batches: mixup mixes labels, which needs the categorical mode");
    if (st == ECG_OK)
        st = take_room(b, err);
    if (st != ECG_OK) {
        ecg_batches_free(b);
        return st;
    }
    *out = b;
    return ECG_OK;
}

void ecg_batches_free(ecg_batches *b)
{
    if (!b)
        return;
    ecg__pool_free(b->pool);
    ecg__policy_free(&b->policy);
    ecg__free(b->order);
    ecg__free(b->index);
    ecg__free(b->error);
    ecg__free(b->x);
    ecg__free(b->y);
    ecg__free(b->partner);
    ecg__free(b->dir);
    ecg__free(b->prefix);
    ecg__free(b);
}
