/* A sample of an epoch: which picture, augmented how, as numbers for the network. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/loader.h"
#include "data/scratch.h"

static ecg_status init_balance(struct ecg__policy *p, const ecg_loader *l, ecg_error *err)
{
    uint32_t *label = ecg__calloc(l->count, sizeof *label);
    if (!label)
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory to balance %zu pictures", l->count);
    for (size_t i = 0; i < l->count; i++)
        label[i] = ecg_dataset_label(l->dataset, l->index[i]);
    const ecg_status st = ecg__balance_init(&p->balance, label, l->count, ecg_dataset_classes(l->dataset),
                                            err);
    ecg__free(label);
    return st;
}

/* A block of scratch memory: what augmentation needs, and a picture that is not in the cache. */
static size_t picture_room(const ecg_loader *l)
{
    return l->cached < l->count ? ecg__align_up(l->bytes) : 0;
}

ecg_status ecg__policy_init(struct ecg__policy *p, const ecg_loader *l, const ecg_augment_options *augment,
                            uint64_t seed, bool balance, ecg_error *err)
{
    memset(p, 0, sizeof *p);
    p->seed = seed;
    ecg_status st = ecg_augment_check(&p->augment, augment, err);
    if (st == ECG_OK && balance)
        st = init_balance(p, l, err);
    if (st != ECG_OK)
        return st;
    size_t bytes = picture_room(l);
    p->changes = ecg_augment_changes(&p->augment) != 0;
    if (p->changes)
        bytes += ecg_augment_scratch(&p->augment, l->prep.h, l->prep.w, (uint32_t)l->prep.color);
    if (bytes == 0)
        return ECG_OK;
    p->scratch = ecg__scratches_new(bytes);
    return p->scratch ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "loader: out of memory");
}

void ecg__policy_free(struct ecg__policy *p)
{
    ecg__balance_free(&p->balance);
    ecg__scratches_free(p->scratch);
    p->scratch = NULL;
}

/* px: the picture. */
static void fill(const ecg_loader *l, const struct ecg__policy *p, uint64_t epoch, size_t i,
                 const uint8_t *px, float *x, void *scratch)
{
    const ecg_preprocess *prep = &l->prep;
    const uint32_t h = prep->h, w = prep->w, c = (uint32_t)prep->color;
    const bool augment = p->changes && epoch > 0;
    uint64_t begin = ecg__time_begin(l->timing);
    if (!augment && !p->preprocessing) {
        ecg_preprocess_values(prep, px, x);
        ecg__time(l->timing, ECG__TIME_VALUES, &begin);
        return;
    }
    if (augment) {
        const ecg_image picture = {px, w, h, c, (size_t)w * c};
        ecg_augmentation a;
        ecg_augment_draw(&a, &p->augment, h, w, p->seed, epoch, i);
        ecg_augment_apply(&a, &p->augment, &picture, x, scratch);
        ecg__time(l->timing, ECG__TIME_AUGMENT, &begin);
    } else {
        for (size_t k = 0; k < l->bytes; k++)
            x[k] = (float)px[k];
    }
    if (p->preprocessing)
        p->preprocessing(p->preprocessing_ctx, x, h, w, c);
    ecg_preprocess_floats(prep, x);
    ecg__time(l->timing, ECG__TIME_VALUES, &begin);
}

ecg_status ecg__loader_fill(const ecg_loader *l, const struct ecg__policy *p, uint64_t epoch, size_t i,
                            float *x, uint32_t *label, ecg_error *err)
{
    if (i >= l->count)
        return ecg__fail(err, ECG_EINVAL, "loader: sample %zu wanted, there are %zu", i, l->count);
    const bool balance = p->balance.classes > 0 && epoch > 0;
    const size_t picture = balance ? ecg__balance_pick(&p->balance, p->seed, epoch, i) : i;
    const bool cached = picture < l->cached;
    *label = ecg_dataset_label(l->dataset, l->index[picture]);
    if (l->timing)
        atomic_fetch_add_explicit(&l->timing->pictures, 1, memory_order_relaxed);
    if (cached && !(p->changes && epoch > 0)) {
        fill(l, p, epoch, i, l->px + picture * l->bytes, x, NULL);
        return ECG_OK;
    }
    size_t slot;
    uint8_t *block = ecg__scratch_take(p->scratch, &slot);
    if (!block)
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory");
    uint64_t begin = ecg__time_begin(l->timing);
    const ecg_status st = cached ? ECG_OK : ecg__picture_read(l, l->index[picture], block, err);
    if (!cached)
        ecg__time(l->timing, ECG__TIME_DECODE, &begin);
    if (st == ECG_OK)
        fill(l, p, epoch, i, cached ? l->px + picture * l->bytes : block, x, block + picture_room(l));
    ecg__scratch_give(p->scratch, slot, block);
    return st;
}
