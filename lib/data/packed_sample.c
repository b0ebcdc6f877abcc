/* Samples of a pack, with strings, for those who ask for them; and groups by a pattern. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/group.h"
#include "data/packed.h"

/* ---- Samples, a block at a time ---- */
static size_t block_end(const ecg_dataset *d, size_t b)
{
    const size_t end = (b + 1) * ECG__PACKED_BLOCK;
    return end < d->count ? end : d->count;
}

/* Call it once with text NULL, to know how much there is. */
static size_t write_block(const ecg_dataset *d, size_t b, ecg_sample *to, char *text)
{
    const struct ecg__pack *p = d->packed->pack;
    const size_t root = strlen(p->root);
    struct ecg__pack_names walk = {.next = UINT64_MAX};
    size_t used = 0;
    for (size_t i = b * ECG__PACKED_BLOCK; i < block_end(d, b); i++) {
        const uint64_t picture = ecg__packed_picture(d, i);
        if (walk.next != picture)
            ecg__pack_names_from(&walk, p, picture);
        ecg__pack_names_next(&walk);
        if (text) {
            char *path = text + used;
            memcpy(path, p->root, root);
            path[root] = '/';
            memcpy(path + root + 1, walk.name, walk.n + 1);
            *to++ = (ecg_sample){path,
                                 path + root + 1,
                                 ecg_dataset_label(d, i),
                                 ecg_dataset_patient(d, i),
                                 ecg_dataset_part(d, i),
                                 ecg_dataset_group(d, i)};
        }
        used += root + 1 + walk.n + 1;
    }
    return used;
}

const ecg_sample *ecg__packed_sample(const ecg_dataset *d, size_t i)
{
    const size_t b = i / ECG__PACKED_BLOCK;
    _Atomic(struct ecg__packed_block *) *slot = &d->packed->block[b];
    struct ecg__packed_block *block = atomic_load_explicit(slot, memory_order_acquire);
    if (!block) {
        struct ecg__packed_block *own = ecg__alloc(sizeof *own + write_block(d, b, NULL, NULL));
        if (!own)
            return NULL;
        write_block(d, b, own->sample, own->text);
        if (atomic_compare_exchange_strong_explicit(slot, &block, own, memory_order_acq_rel,
                                                    memory_order_acquire))
            block = own;
        else
            ecg__free(own); /* another thread was faster */
    }
    return &block->sample[i % ECG__PACKED_BLOCK];
}

void ecg__packed_free(struct ecg__packed *k, size_t samples)
{
    if (!k)
        return;
    for (size_t b = 0; k->block && b <= samples / ECG__PACKED_BLOCK; b++)
        ecg__free(atomic_load(&k->block[b]));
    ecg__words_free(&k->groups);
    ecg__free(k->group_of);
    ecg__free(k->group_name);
    ecg__free(k->first);
    ecg__free(k->block);
    ecg__pack_free(k->pack);
    ecg__free(k);
}

/* ---- Groups ---- */
static ecg_status group_one(struct ecg__packed *k, const regex_t *re, const char *pattern, const char *name,
                            uint32_t *number, ecg_error *err)
{
    regmatch_t m[2];
    if (regexec(re, name, 2, m, 0) != 0)
        return ecg__fail(err, ECG_EINVAL, "%s/%s: the group pattern \"%s\" does not match \"%s\"",
                         k->pack->root, name, pattern, name);
    if (m[1].rm_so < 0 || m[1].rm_eo <= m[1].rm_so)
        return ecg__fail(err, ECG_EINVAL,
                         "%s/%s: the parenthesis of the group pattern \"%s\" matches nothing in "
                         "\"%s\"",
                         k->pack->root, name, pattern, name);
    return ecg__words_add(&k->groups, name + m[1].rm_so, (size_t)(m[1].rm_eo - m[1].rm_so), number)
               ? ECG_OK
               : ecg__fail(err, ECG_ENOMEM, "%s/: out of memory for groups", k->pack->root);
}

static ecg_status group_all(ecg_dataset *d, const regex_t *re, const char *pattern, ecg_error *err)
{
    struct ecg__packed *k = d->packed;
    struct ecg__pack_names walk;
    uint32_t *rank = NULL;
    k->group_of = ecg__calloc((size_t)k->pack->count, sizeof *k->group_of);
    if (!k->group_of)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory for groups", k->pack->root);
    for (uint32_t c = 0; c < d->classes; c++) {
        const uint64_t first = k->first[c], end = first + d->start[c + 1];
        ecg__pack_names_from(&walk, k->pack, first);
        for (uint64_t i = first; i < end; i++) {
            ecg__pack_names_next(&walk);
            const ecg_status s = group_one(k, re, pattern, walk.name, &k->group_of[i], err);
            if (s != ECG_OK)
                return s;
        }
    }
    if (!ecg__words_rank(&k->groups, &rank, &k->group_name))
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory for groups", k->pack->root);
    for (uint32_t c = 0; c < d->classes; c++)
        for (uint64_t i = k->first[c]; i < k->first[c] + d->start[c + 1]; i++)
            k->group_of[i] = rank[k->group_of[i]];
    ecg__free(rank);
    return ECG_OK;
}

ecg_status ecg__packed_group(ecg_dataset *d, const char *pattern, ecg_error *err)
{
    regex_t re;
    const ecg_status s = ecg__group_compile(&re, pattern, err);
    if (s != ECG_OK)
        return s;
    const ecg_status grouped = group_all(d, &re, pattern, err);
    regfree(&re);
    return grouped;
}
