#include "ecgcnn/data.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/manifest.h"
#include "data/scan.h"

struct ecg_dataset {
    ecg_sample *sample; /* [count] by class, then by name */
    size_t count;
    const char **cls; /* [classes] */
    uint32_t classes;
    size_t *start; /* [classes + 1] first sample of a class */
    size_t ignored;
    int has_patients;
    char *text; /* all strings */
};

static ecg_status no_memory(const char *dir, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for the list of pictures", dir);
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

static ecg_status take_samples(ecg_dataset *d, const struct ecg__listing *l, const char *dir, ecg_error *err)
{
    d->sample = ecg__calloc(l->count, sizeof *d->sample);
    d->start = ecg__calloc((size_t)d->classes + 1, sizeof *d->start);
    if (!d->sample || !d->start)
        return no_memory(dir, err);
    struct ecg__class_set set;
    const ecg_status st = ecg__class_set_init(&set, d->cls, d->classes, err);
    if (st != ECG_OK)
        return st;
    d->count = l->count;
    d->has_patients = l->count > 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct ecg__entry *e = &l->entry[i];
        ecg_sample *s = &d->sample[i];
        s->path = d->text + e->path;
        s->name = s->path + l->prefix;
        s->label = ecg__class_set_find(&set, d->text + e->cls);
        s->patient = e->patient ? d->text + e->patient : NULL;
        s->split = e->split ? d->text + e->split : NULL;
        d->start[s->label + 1]++;
        d->has_patients &= s->patient != NULL;
    }
    ecg__class_set_free(&set);
    for (uint32_t c = 0; c < d->classes; c++)
        d->start[c + 1] += d->start[c];
    if (d->count)
        qsort(d->sample, d->count, sizeof *d->sample, by_class_and_name);
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
    bool manifest;
    st = ecg__manifest_read(l, &manifest, &wanted, err);
    if (st == ECG_OK && !manifest)
        st = ecg__scan(l, &wanted, err);
    ecg__class_set_free(&wanted);
    if (st == ECG_OK)
        st = take_classes(d, l, o, dir, err);
    if (st == ECG_OK)
        st = take_samples(d, l, dir, err);
    if (st != ECG_OK || d->count)
        return st;
    return ecg__fail(err, ECG_EINVAL, "%s: no pictures %s (%u classes, %zu left out as unknown)", dir,
                     manifest ? "in its manifest.csv" : "(.png, .jpg, .jpeg) in its class folders",
                     d->classes, d->ignored);
}

ecg_status ecg_dataset_open(ecg_dataset **out, const char *dir, const ecg_dataset_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_dataset_options opt = ECG_DATASET_OPTIONS_INIT;
    ecg_status st = ecg__options_copy(&opt, sizeof opt, o, "dataset options", err);
    if (st != ECG_OK)
        return st;
    if ((opt.classes != NULL) != (opt.class_count != 0))
        return ecg__fail(err, ECG_EINVAL, "dataset options: classes and class_count go together");
    if (!dir)
        return ecg__fail(err, ECG_EINVAL, "no folder given");

    char *root = ecg__strdup(dir);
    ecg_dataset *d = ecg__calloc(1, sizeof *d);
    struct ecg__listing l;
    if (!root || !d) {
        ecg__free(root);
        ecg__free(d);
        return no_memory(dir, err);
    }
    st = ecg__listing_init(&l, root, err);
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
    return i < d->count ? &d->sample[i] : NULL;
}

int ecg_dataset_has_patients(const ecg_dataset *d)
{
    return d->has_patients;
}

size_t ecg_dataset_ignored(const ecg_dataset *d)
{
    return d->ignored;
}

void ecg_dataset_free(ecg_dataset *d)
{
    if (!d)
        return;
    ecg__free(d->sample);
    ecg__free(d->cls);
    ecg__free(d->start);
    ecg__free(d->text);
    ecg__free(d);
}
