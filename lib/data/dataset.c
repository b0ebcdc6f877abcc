#include "ecgcnn/data.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/pack_read.h"
#include "data/scan.h"

static ecg_status no_memory(const char *dir, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for the list of pictures", dir);
}

/* The part of a name before its last slash. */
static size_t folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (size_t)(slash - name) : 0;
}

/* As Keras lists them: folders by their whole path, files in each by name. */
static int by_class_and_folder(const void *a, const void *b)
{
    const ecg_sample *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    const size_t n = folder_length(x->name), m = folder_length(y->name);
    const int d = memcmp(x->name, y->name, n < m ? n : m);
    if (d != 0 || n != m)
        return d != 0 ? d : n < m ? -1 : 1;
    return strcmp(x->name + n, y->name + n);
}

static int by_class_and_name(const void *a, const void *b)
{
    const ecg_sample *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Class names: those given, in their order, or those found, sorted. The text is complete after this. */
static ecg_status take_classes(ecg_dataset *d, struct ecg__listing *l, const ecg_dataset_options *o,
                               const char *dir, ecg_error *err)
{
    struct ecg__names given = {NULL, 0, 0};
    for (uint32_t i = 0; i < o->class_count; i++) {
        size_t at;
        if (!ecg__text_add(&l->text, o->classes[i], strlen(o->classes[i]), &at) ||
            !ecg__names_add(&given, at)) {
            ecg__free(given.at);
            return no_memory(dir, err);
        }
    }
    d->text = l->text.bytes;
    l->text.bytes = NULL;
    size_t n = given.count;
    if (o->classes) {
        d->cls = ecg__calloc(n, sizeof *d->cls);
        for (size_t i = 0; d->cls && i < n; i++)
            d->cls[i] = d->text + given.at[i];
    } else {
        d->cls = ecg__names_sorted(&l->classes, d->text, &n);
    }
    ecg__free(given.at);
    if (!d->cls)
        return no_memory(dir, err);
    if (n >= ECG__NO_CLASS)
        return ecg__fail(err, ECG_ELIMIT, "%s: %zu classes, at most %u", dir, n, ECG__NO_CLASS - 1);
    d->classes = (uint32_t)n;

    const char **left_out = ecg__names_sorted(&l->ignored, d->text, &d->ignored);
    if (!left_out)
        return no_memory(dir, err);
    ecg__free(left_out);
    return ECG_OK;
}

void ecg__subset_range(const ecg_dataset_options *o, size_t n, size_t *from, size_t *to)
{
    const size_t cut = (size_t)(o->validation_split * (double)n); /* truncated, as Keras does */
    *from = o->subset == ECG_SUBSET_TRAINING ? cut : 0;
    *to = o->subset == ECG_SUBSET_VALIDATION ? cut : n;
}

/* Samples are in order: keep a part of each class. */
static void keep_subset(ecg_dataset *d, const ecg_dataset_options *o)
{
    size_t kept = 0;
    for (uint32_t c = 0; c < d->classes; c++) {
        const size_t start = d->start[c];
        size_t from, to;
        ecg__subset_range(o, d->start[c + 1] - start, &from, &to);
        d->start[c] = kept;
        for (size_t i = start + from; i < start + to; i++)
            d->sample[kept++] = d->sample[i];
    }
    d->start[d->classes] = d->count = kept;
}

static void note_people(ecg_dataset *d)
{
    d->has_patients = d->has_groups = d->count > 0;
    for (size_t i = 0; i < d->count; i++) {
        d->has_patients &= d->sample[i].patient != NULL;
        d->has_groups &= d->sample[i].group != NULL;
    }
}

static ecg_status take_samples(ecg_dataset *d, const struct ecg__listing *l, const ecg_dataset_options *o,
                               const char *dir, ecg_error *err)
{
    d->sample = ecg__calloc(l->count, sizeof *d->sample);
    d->start = ecg__calloc((size_t)d->classes + 1, sizeof *d->start);
    if (!d->sample || !d->start)
        return no_memory(dir, err);
    struct ecg__class_set set;
    const ecg_status st = ecg__class_set_init(&set, d->cls, d->classes, err);
    if (st != ECG_OK)
        return st;
    const bool grouped = o->group_pattern || o->group_column;
    d->count = l->count;
    for (size_t i = 0; i < l->count; i++) {
        const struct ecg__entry *e = &l->entry[i];
        ecg_sample *s = &d->sample[i];
        s->path = d->text + e->path;
        s->name = s->path + l->prefix;
        s->label = ecg__class_set_find(&set, d->text + e->cls);
        s->patient = e->patient ? d->text + e->patient : NULL;
        s->split = e->split ? d->text + e->split : NULL;
        s->group = e->group ? d->text + e->group : grouped ? NULL : s->patient;
        d->start[s->label + 1]++;
    }
    ecg__class_set_free(&set);
    for (uint32_t c = 0; c < d->classes; c++)
        d->start[c + 1] += d->start[c];
    if (d->count)
        qsort(d->sample, d->count, sizeof *d->sample,
              o->keras_rules ? by_class_and_folder : by_class_and_name);
    keep_subset(d, o);
    note_people(d);
    return ECG_OK;
}

static ecg_status list_and_take(ecg_dataset *d, struct ecg__listing *l, const ecg_dataset_options *o,
                                const char *dir, ecg_error *err)
{
    struct ecg__class_set wanted;
    ecg_status st = ecg__class_set_init(&wanted, o->classes, o->class_count, err);
    if (st != ECG_OK)
        return st;
    wanted.ignore_unknown = o->ignore_unknown != 0;
    bool manifest = false;
    if (!o->keras_rules)
        st = ecg__manifest_read(l, &manifest, &wanted, err);
    if (st == ECG_OK && !manifest)
        st = ecg__scan(l, &wanted, err);
    ecg__class_set_free(&wanted);
    if (st == ECG_OK && o->group_column && !manifest)
        st = ecg__fail(err, ECG_EINVAL, "%s: no manifest.csv to take groups from its column \"%s\"", dir,
                       o->group_column);
    if (st == ECG_OK && o->group_pattern)
        st = ecg__listing_group(l, o->group_pattern, err);
    if (st == ECG_OK)
        st = take_classes(d, l, o, dir, err);
    if (st == ECG_OK)
        st = take_samples(d, l, o, dir, err);
    if (st != ECG_OK || d->count || o->keras_rules)
        return st;
    if (l->count)
        return ecg__fail(err, ECG_EINVAL, "%s: a validation_split of %g of %zu pictures leaves none here",
                         dir, o->validation_split, l->count);
    return ecg__fail(err, ECG_EINVAL, "%s: no pictures %s (%u classes, %zu left out as unknown)", dir,
                     manifest ? "in its manifest.csv" : "(.png, .jpg, .jpeg) in its class folders",
                     d->classes, d->ignored);
}

static ecg_status check_options(const ecg_dataset_options *o, ecg_error *err)
{
    if ((o->classes != NULL) != (o->class_count != 0))
        return ecg__fail(err, ECG_EINVAL, "dataset options: classes and class_count go together");
    if ((int)o->subset < ECG_SUBSET_ALL || o->subset > ECG_SUBSET_VALIDATION)
        return ecg__fail(err, ECG_EINVAL, "dataset options: %d is no subset", (int)o->subset);
    if (!(o->validation_split >= 0.0 && o->validation_split < 1.0))
        return ecg__fail(err, ECG_EINVAL,
                         "dataset options: validation_split is %g, expected at least 0 and less than 1",
                         o->validation_split);
    if (o->group_pattern && o->group_column)
        return ecg__fail(err, ECG_EINVAL,
                         "dataset options: group_pattern and group_column exclude each other");
    for (uint32_t i = 0; o->keras_rules && i < o->class_count; i++)
        if (o->classes[i] && strchr(o->classes[i], '/'))
            return ecg__fail(err, ECG_EINVAL, "class \"%s\" is a path, expected the name of a folder",
                             o->classes[i]);
    return ECG_OK;
}

ecg_status ecg_dataset_open(ecg_dataset **out, const char *dir, const ecg_dataset_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_dataset_options opt = ECG_DATASET_OPTIONS_INIT;
    ecg_status st = ecg__options_copy(&opt, sizeof opt, o, "dataset options", err);
    if (st != ECG_OK)
        return st;
    if (!dir)
        return ecg__fail(err, ECG_EINVAL, "no folder given");
    st = check_options(&opt, err);
    if (st != ECG_OK)
        return st;

    if (ecg__pack_is(dir))
        return ecg__packed_open(out, dir, &opt, err);
    char *root = ecg__strdup(dir);
    ecg_dataset *d = ecg__calloc(1, sizeof *d);
    struct ecg__listing l;
    if (!root || !d) {
        ecg__free(root);
        ecg__free(d);
        return no_memory(dir, err);
    }
    st = ecg__listing_init(&l, root, err);
    l.group_column = opt.group_column;
    l.keras_rules = opt.keras_rules != 0;
    l.follow_links = opt.follow_links != 0;
    if (st == ECG_OK)
        st = list_and_take(d, &l, &opt, dir, err);
    ecg__listing_free(&l);
    ecg__free(root);
    if (st != ECG_OK) {
        ecg_dataset_free(d);
        return st;
    }
    *out = d;
    return ECG_OK;
}

uint32_t ecg_dataset_classes(const ecg_dataset *d)
{
    return d->classes;
}

const char *ecg_dataset_class(const ecg_dataset *d, uint32_t i)
{
    return i < d->classes ? d->cls[i] : NULL;
}

size_t ecg_dataset_class_samples(const ecg_dataset *d, uint32_t i)
{
    return i < d->classes ? d->start[i + 1] - d->start[i] : 0;
}

size_t ecg_dataset_samples(const ecg_dataset *d)
{
    return d->count;
}

const ecg_sample *ecg_dataset_sample(const ecg_dataset *d, size_t i)
{
    if (i >= d->count)
        return NULL;
    return d->packed ? ecg__packed_sample(d, i) : &d->sample[i];
}

int ecg_dataset_has_patients(const ecg_dataset *d)
{
    return d->has_patients;
}

int ecg_dataset_has_groups(const ecg_dataset *d)
{
    return d->has_groups;
}

size_t ecg_dataset_ignored(const ecg_dataset *d)
{
    return d->ignored;
}

void ecg_dataset_free(ecg_dataset *d)
{
    if (!d)
        return;
    ecg__packed_free(d->packed, d->count);
    ecg__free(d->sample);
    ecg__free(d->cls);
    ecg__free(d->start);
    ecg__free(d->text);
    ecg__free(d);
}
