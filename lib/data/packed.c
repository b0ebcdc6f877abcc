/* A pack as a dataset: the same samples as of the folder that was packed, without a string of each. */
#include "data/packed.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"

static ecg_status no_memory(const struct ecg__pack *p, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
}

/* ---- Opening ---- */
static const struct ecg__pack_column *column(const struct ecg__pack *p, const char *name)
{
    const int i = ecg__pack_find_column(p, name);
    return i < 0 ? NULL : &p->column[i];
}

static ecg_status take_columns(struct ecg__packed *k, const ecg_dataset_options *o, ecg_error *err)
{
    const struct ecg__pack *p = k->pack;
    k->patient = column(p, "patient");
    if (!k->patient)
        k->patient = column(p, "record");
    k->split = column(p, "split");
    k->grouped = o->group_pattern || o->group_column;
    k->group = k->grouped ? NULL : k->patient;
    if (!o->group_column)
        return ECG_OK;
    k->group = column(p, o->group_column);
    return k->group ? ECG_OK
                    : ecg__fail(err, ECG_EINVAL,
                                "%s: the pack has no column \"%s\" for groups; it must be kept when packing",
                                p->path, o->group_column);
}

/* Class names, those given or the pack's, and where their pictures are. */
static ecg_status take_classes(ecg_dataset *d, const ecg_dataset_options *o, ecg_error *err)
{
    const struct ecg__pack *p = d->packed->pack;
    struct ecg__class_set wanted;
    ecg_status s = ecg__class_set_init(&wanted, o->classes, o->class_count, err);
    if (s != ECG_OK)
        return s;
    size_t text = 0, used = 0;
    d->classes = o->classes ? o->class_count : p->classes;
    const char *const *names = o->classes ? o->classes : p->cls;
    for (uint32_t i = 0; i < d->classes; i++)
        text += strlen(names[i]) + 1;
    d->text = ecg__alloc(text);
    d->cls = ecg__calloc(d->classes, sizeof *d->cls);
    d->start = ecg__calloc((size_t)d->classes + 1, sizeof *d->start);
    d->packed->first = ecg__calloc(d->classes, sizeof *d->packed->first);
    if (!d->text || !d->cls || !d->start || !d->packed->first)
        s = no_memory(p, err);
    for (uint32_t i = 0; s == ECG_OK && i < d->classes; i++) {
        const size_t n = strlen(names[i]) + 1;
        memcpy(d->text + used, names[i], n);
        d->cls[i] = d->text + used;
        used += n;
    }
    for (uint32_t i = 0; s == ECG_OK && i < p->classes; i++) {
        const uint64_t first = i ? p->end[i - 1] : 0;
        const uint32_t label = o->classes ? ecg__class_set_find(&wanted, p->cls[i]) : i;
        if (label != ECG__NO_CLASS) {
            d->packed->first[label] = first;
            d->start[label + 1] = (size_t)(p->end[i] - first);
        } else if (o->ignore_unknown) {
            d->ignored++;
        } else {
            s = ecg__fail(err, ECG_EINVAL, "%s: \"%s\" is not among the %u classes expected", p->path,
                          p->cls[i], o->class_count);
        }
    }
    ecg__class_set_free(&wanted);
    return s;
}

/* start[] holds how many pictures a class has; afterwards where those that are kept begin. */
static void keep_subset(ecg_dataset *d, const ecg_dataset_options *o)
{
    for (uint32_t c = 0; c < d->classes; c++) {
        size_t from, to;
        ecg__subset_range(o, d->start[c + 1], &from, &to);
        d->packed->first[c] += from;
        d->start[c + 1] = d->start[c] + (to - from);
    }
    d->count = d->start[d->classes];
}

static void note_people(ecg_dataset *d)
{
    d->has_patients = d->has_groups = d->count > 0;
    for (size_t i = 0; i < d->count && (d->has_patients || d->has_groups); i++) {
        d->has_patients &= ecg_dataset_patient(d, i) != NULL;
        d->has_groups &= ecg_dataset_group(d, i) != NULL;
    }
}

static ecg_status open_into(ecg_dataset *d, const char *path, const ecg_dataset_options *o, ecg_error *err)
{
    if (o->keras_rules)
        return ecg__fail(err, ECG_EINVAL, "%s: a pack has no folders to list by the rules of Keras", path);
    struct ecg__packed *k = d->packed = ecg__calloc(1, sizeof *k);
    if (!k)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    ecg_status s = ecg__pack_open(&k->pack, path, err);
    if (s == ECG_OK)
        s = take_columns(k, o, err);
    if (s == ECG_OK)
        s = take_classes(d, o, err);
    if (s != ECG_OK)
        return s;
    size_t all = 0;
    for (uint32_t c = 0; c < d->classes; c++)
        all += d->start[c + 1];
    if (o->group_pattern)
        s = ecg__packed_group(d, o->group_pattern, err);
    if (s != ECG_OK)
        return s;
    keep_subset(d, o);
    k->block = ecg__calloc(d->count / ECG__PACKED_BLOCK + 1, sizeof *k->block);
    if (!k->block)
        return no_memory(k->pack, err);
    note_people(d);
    if (d->count)
        return ECG_OK;
    if (all)
        return ecg__fail(err, ECG_EINVAL, "%s: a validation_split of %g of %zu pictures leaves none here",
                         path, o->validation_split, all);
    return ecg__fail(err, ECG_EINVAL, "%s: no pictures in its classes (%u classes, %zu left out as unknown)",
                     path, d->classes, d->ignored);
}

ecg_status ecg__packed_open(ecg_dataset **out, const char *path, const ecg_dataset_options *o, ecg_error *err)
{
    ecg_dataset *d = ecg__calloc(1, sizeof *d);
    if (!d)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    const ecg_status s = open_into(d, path, o, err);
    if (s != ECG_OK) {
        ecg_dataset_free(d);
        return s;
    }
    *out = d;
    return ECG_OK;
}

/* ---- Samples ---- */
static uint32_t label_of(const ecg_dataset *d, size_t i)
{
    uint32_t low = 0, high = d->classes - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (i < d->start[middle + 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint64_t ecg__packed_picture(const ecg_dataset *d, size_t i)
{
    const uint32_t c = label_of(d, i);
    return d->packed->first[c] + (i - d->start[c]);
}

static const char *word(const ecg_dataset *d, const struct ecg__pack_column *c, size_t i)
{
    return c ? c->word[ecg__pack_word(d->packed->pack, c, ecg__packed_picture(d, i))] : NULL;
}

uint32_t ecg_dataset_label(const ecg_dataset *d, size_t i)
{
    return d->packed ? label_of(d, i) : d->sample[i].label;
}

const char *ecg_dataset_patient(const ecg_dataset *d, size_t i)
{
    return d->packed ? word(d, d->packed->patient, i) : d->sample[i].patient;
}

const char *ecg_dataset_group(const ecg_dataset *d, size_t i)
{
    if (!d->packed)
        return d->sample[i].group;
    if (d->packed->group_of)
        return d->packed->group_name[d->packed->group_of[ecg__packed_picture(d, i)]];
    return word(d, d->packed->group, i);
}

const char *ecg_dataset_part(const ecg_dataset *d, size_t i)
{
    return d->packed ? word(d, d->packed->split, i) : d->sample[i].split;
}

size_t ecg_dataset_name(const ecg_dataset *d, size_t i, char *buf, size_t cap)
{
    char own[ECG__PACK_NAME];
    const char *name = own;
    if (d->packed)
        ecg__pack_name(d->packed->pack, ecg__packed_picture(d, i), own);
    else
        name = d->sample[i].name;
    const size_t n = strlen(name), fits = n < cap ? n : cap ? cap - 1 : 0;
    memcpy(buf, name, fits);
    if (cap)
        buf[fits] = '\0';
    return n;
}

int ecg__packed_grouped(const ecg_dataset *d)
{
    return d->packed->grouped;
}

uint32_t ecg__packed_who(const ecg_dataset *d, size_t i, int by_group)
{
    const struct ecg__packed *k = d->packed;
    const uint64_t picture = ecg__packed_picture(d, i);
    return by_group && k->group_of ? k->group_of[picture]
                                   : ecg__pack_word(k->pack, by_group ? k->group : k->patient, picture);
}

uint32_t ecg__packed_numbers(const ecg_dataset *d, int by_group)
{
    const struct ecg__packed *k = d->packed;
    const struct ecg__pack_column *c = by_group ? k->group : k->patient;
    return by_group && k->group_of ? (uint32_t)k->groups.count : c ? c->words : 1;
}

uint64_t ecg__dataset_names_print(const ecg_dataset *d, const uint32_t *index, size_t count)
{
    uint64_t print = ECG__HASH_START;
    struct ecg__pack_names walk = {.next = UINT64_MAX};
    for (size_t i = 0; i < count; i++) {
        if (!d->packed) {
            const char *name = d->sample[index[i]].name;
            print = ecg__hash(print, name, strlen(name) + 1);
            continue;
        }
        const uint64_t picture = ecg__packed_picture(d, index[i]);
        if (walk.next != picture)
            ecg__pack_names_from(&walk, d->packed->pack, picture);
        ecg__pack_names_next(&walk);
        print = ecg__hash(print, walk.name, walk.n + 1);
    }
    return print;
}
