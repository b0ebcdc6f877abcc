#include "data/loader.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "data/dataset.h"

ecg_status ecg__picture_read(const ecg_loader *l, uint32_t index, uint8_t *to, ecg_error *err)
{
    return ecg__dataset_prepare(l->dataset, index, &l->prep, to, err);
}

/* Which samples. */
static ecg_status take_index(ecg_loader *l, const uint32_t *index, size_t count, ecg_error *err)
{
    const size_t samples = ecg_dataset_samples(l->dataset);
    const ecg_preprocess *p = &l->prep;
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
    l->bytes = (size_t)p->h * p->w * (size_t)p->color; /* sides are 4096 at most */
    return ECG_OK;
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
    if (st == ECG_OK) /* before the long work */
        st = ecg_augment_check(&l->policy.augment, opt.augment, err);
    if (st == ECG_OK)
        st = take_index(l, index, count, err);
    if (st == ECG_OK)
        st = ecg__loader_decode(l, &opt, err);
    if (st == ECG_OK)
        st = ecg__policy_init(&l->policy, l, opt.augment, opt.seed, opt.balance != 0, err);
    l->policy.preprocessing = opt.preprocessing;
    l->policy.preprocessing_ctx = opt.preprocessing_ctx;
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

ecg_fingerprint ecg_loader_fingerprint(const ecg_loader *l)
{
    ecg_fingerprint f = {l->count, ECG__HASH_START, ECG__HASH_START, l->pixels_print};
    f.names = ecg__dataset_names_print(l->dataset, l->index, l->count);
    for (size_t i = 0; i < l->count; i++)
        f.labels = ecg__hash_u64(f.labels, ecg_dataset_label(l->dataset, l->index[i]));
    return f;
}

size_t ecg_loader_cached(const ecg_loader *l)
{
    return l->cached;
}

const ecg_sample *ecg_loader_sample(const ecg_loader *l, size_t i)
{
    return i < l->count ? ecg_dataset_sample(l->dataset, l->index[i]) : NULL;
}

size_t ecg_loader_index(const ecg_loader *l, size_t i)
{
    return l->index[i];
}

ecg_image ecg_loader_image(const ecg_loader *l, size_t i)
{
    const ecg_preprocess *p = &l->prep;
    if (i >= l->cached)
        return (ecg_image){NULL, 0, 0, 0, 0};
    return (ecg_image){l->px + i * l->bytes, p->w, p->h, (uint32_t)p->color,
                       (size_t)p->w * (uint32_t)p->color};
}

ecg_status ecg_loader_read(const ecg_loader *l, size_t i, uint8_t *px, ecg_error *err)
{
    if (i >= l->count)
        return ecg__fail(err, ECG_EINVAL, "loader: picture %zu wanted, there are %zu", i, l->count);
    if (i >= l->cached)
        return ecg__picture_read(l, l->index[i], px, err);
    memcpy(px, l->px + i * l->bytes, l->bytes);
    return ECG_OK;
}

size_t ecg_loader_pick(const ecg_loader *l, uint64_t epoch, size_t i)
{
    const struct ecg__policy *p = &l->policy;
    return p->balance.classes > 0 && epoch > 0 ? ecg__balance_pick(&p->balance, p->seed, epoch, i) : i;
}

static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    const ecg_loader *l = ctx;
    return ecg__loader_fill(l, &l->policy, epoch, i, x, label, err);
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
    ecg__policy_free(&l->policy);
    ecg__free(l->times);
    ecg__free(l->px);
    ecg__free(l->index);
    ecg__free(l);
}
