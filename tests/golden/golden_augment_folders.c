#include <stdio.h>

#include "ecgcnn/augment.h"
#include "ecgcnn/data.h"
#include "ecgcnn/standardize.h"
#include "golden/golden_augment_cases.h"
#include "golden/golden_augment_json.h"

enum { MAX_CLASSES = 64, MAX_NAME = 256 };

/* What a table says about listing a folder, with room for the names of classes. */
struct listing {
    ecg_dataset_options o;
    char names[MAX_CLASSES][MAX_NAME];
    const char *classes[MAX_CLASSES];
};

static bool read_strings(const char **at, struct listing *l)
{
    uint32_t n = 0;
    if (!json_take(at, '['))
        return false;
    do {
        if (n == MAX_CLASSES || !json_string(at, l->names[n], MAX_NAME))
            return false;
        l->classes[n] = l->names[n];
        n++;
    } while (json_take(at, ','));
    l->o.classes = l->classes;
    l->o.class_count = n;
    return json_take(at, ']');
}

static bool setting(const char *name, const char **at, struct listing *l)
{
    bool whole;
    char text[32];
    if (strcmp(name, "validation_split") == 0)
        return json_number(at, &l->o.validation_split, &whole);
    if (strcmp(name, "classes") == 0)
        return json_word(at, "null") || read_strings(at, l);
    if (strcmp(name, "follow_links") == 0) {
        l->o.follow_links = json_word(at, "true");
        return l->o.follow_links || json_word(at, "false");
    }
    if (strcmp(name, "subset") != 0)
        return false;
    if (json_word(at, "null"))
        return true;
    if (!json_string(at, text, sizeof text))
        return false;
    if (strcmp(text, "training") == 0)
        l->o.subset = ECG_SUBSET_TRAINING;
    else if (strcmp(text, "validation") == 0)
        l->o.subset = ECG_SUBSET_VALIDATION;
    else
        return false;
    return true;
}

static bool settings(const char *at, struct listing *l)
{
    char name[64];
    if (!json_take(&at, '{'))
        return false;
    if (json_take(&at, '}'))
        return json_end(at);
    do
        if (!json_string(&at, name, sizeof name) || !json_take(&at, ':') || !setting(name, &at, l))
            return false;
    while (json_take(&at, ','));
    return json_take(&at, '}') && json_end(at);
}

static ecg_dataset *list(const golden_table *t, struct listing *l)
{
    char path[GOLDEN_PATH];
    ecg_error err;
    ecg_dataset *d;
    snprintf(path, sizeof path, "%s/%s", t->dir, golden_cell(t, "directory"));
    l->o.keras_rules = 1;
    if (ecg_dataset_open(&d, path, &l->o, &err) != ECG_OK) {
        golden_failed(t, err.message);
        return NULL;
    }
    return d;
}

/* {"10":0,"2":1} */
static bool same_classes(const char *at, const ecg_dataset *d)
{
    char name[MAX_NAME];
    double index;
    bool whole, ok = json_take(&at, '{');
    for (uint32_t i = 0; ok && i < ecg_dataset_classes(d); i++)
        ok = (i == 0 || json_take(&at, ',')) && json_string(&at, name, sizeof name) && json_take(&at, ':') &&
             json_number(&at, &index, &whole) && index == (double)i &&
             strcmp(name, ecg_dataset_class(d, i)) == 0;
    return ok && json_take(&at, '}') && json_end(at);
}

static bool same_files(const char *names, const char *labels, const ecg_dataset *d)
{
    char name[1024];
    double label;
    bool whole, ok = json_take(&names, '[');
    for (size_t i = 0; ok && i < ecg_dataset_samples(d); i++) {
        const ecg_sample *s = ecg_dataset_sample(d, i);
        ok = (i == 0 || (json_take(&names, ',') && json_take(&labels, ','))) &&
             json_string(&names, name, sizeof name) && json_number(&labels, &label, &whole) &&
             strcmp(name, s->name) == 0 && label == (double)s->label;
    }
    return ok && json_take(&names, ']') && json_end(names) && json_end(labels);
}

bool golden_directory_case(const golden_table *t, bool *counted)
{
    (void)counted;
    static struct listing l;
    l.o = (ecg_dataset_options)ECG_DATASET_OPTIONS_INIT;
    if (!settings(golden_cell(t, "generator"), &l) || !settings(golden_cell(t, "flow"), &l))
        return golden_failed(t, "options that are not understood");
    ecg_dataset *d = list(t, &l);
    if (!d)
        return false;
    const bool ok = same_classes(golden_cell(t, "class_indices"), d)
                        ? same_files(golden_cell(t, "filenames"), golden_cell(t, "classes"), d) ||
                              golden_failed(t, "other files, or in another order")
                        : golden_failed(t, "other classes, or in another order");
    ecg_dataset_free(d);
    return ok;
}

/* ---- orders ---- */

/* One batch "[1,17,2]" against index[first..first+count). */
static bool same_batch(const char **at, const uint32_t *index, uint32_t count)
{
    double want;
    bool whole, ok = json_take(at, '[');
    for (uint32_t i = 0; ok && i < count; i++)
        ok = (i == 0 || json_take(at, ',')) && json_number(at, &want, &whole) && want == (double)index[i];
    return ok && json_take(at, ']');
}

static bool same_order(const char *at, keras_order *o, const ecg_augment_options *draws)
{
    ecg_augmentation a;
    bool ok = json_take(&at, '[');
    do {
        uint32_t first;
        const uint32_t count = keras_order_batch(o, &first);
        ok = ok && same_batch(&at, o->index + first, count);
        for (uint32_t i = 0; i < count; i++)
            golden_keras_draw(&o->mt, draws, 1, 1, &a);
        keras_order_done(o);
    } while (ok && json_take(&at, ','));
    return ok && json_take(&at, ']') && json_end(at);
}

static bool range_cell(const golden_table *t, const char *name, double centre, ecg_range *r)
{
    double v = 0.0;
    if (golden_has(t, name) && !golden_number(t, name, &v))
        return false;
    if (v != 0.0)
        *r = (ecg_range){centre - v, centre + v};
    return true;
}

static bool shift_cell(const golden_table *t, const char *name, ecg_shift *s)
{
    const char *at = golden_cell(t, name);
    return !golden_has(t, name) || (golden_shift_argument(&at, s) && json_end(at)) ||
           golden_failed(t, "a shift that is not understood");
}

/* What an iterator draws for each picture. */
static bool read_draws(const golden_table *t, ecg_augment_options *o)
{
    return range_cell(t, "rotation_range", 0.0, &o->rotation_range) &&
           range_cell(t, "zoom_range", 1.0, &o->zoom_range) &&
           shift_cell(t, "width_shift_range", &o->width_shift_range) &&
           shift_cell(t, "height_shift_range", &o->height_shift_range);
}

/* A later epoch's order depends on how many numbers pictures took. The table of orders does not tell, but
 * that of first batches does, which were taken from the same iterators. */
static bool draws_of_iterator(const golden_table *t, ecg_augment_options *o)
{
    static golden_table other;
    bool found = false, ok = true;
    if (!golden_table_open(&other, t->dir, "iterator_cases.tsv"))
        return true;
    while (!found && golden_table_next(&other))
        if (!golden_has(&other, "class_mode") &&
            strcmp(golden_cell(&other, "directory"), golden_cell(t, "directory")) == 0 &&
            strcmp(golden_cell(&other, "seed"), golden_cell(t, "seed")) == 0) {
            found = true;
            ok = read_draws(&other, o);
        }
    golden_table_close(&other);
    return ok;
}

static bool protocol(const golden_table *t, const char *name, int *getitem)
{
    *getitem = strcmp(name, "getitem") == 0;
    return *getitem || strcmp(name, "next") == 0 || golden_failed(t, "unknown protocol");
}

bool golden_order_case(const golden_table *t, bool *counted)
{
    (void)counted;
    ecg_augment_options draws = ECG_AUGMENT_OPTIONS_INIT;
    uint32_t seed, batch, n;
    int getitem;
    if (!golden_uint(t, "seed", &seed) || !golden_uint(t, "batch_size", &batch) || !golden_uint(t, "n", &n) ||
        !protocol(t, golden_cell(t, "protocol"), &getitem) || !draws_of_iterator(t, &draws))
        return false;
    uint32_t *index = n > 0 && n <= 1000000 && batch > 0 ? malloc(n * sizeof *index) : NULL;
    if (!index)
        return golden_failed(t, "n or batch_size is out of bounds");
    static keras_order o;
    keras_order_init(&o, index, n, batch, seed, getitem);
    const bool ok = same_order(golden_cell(t, "batches"), &o, &draws);
    free(index);
    return ok || golden_failed(t, "another order");
}

/* ---- first batches ---- */

struct pictures {
    ecg_preprocess prep;
    ecg_augment_options augment;
    ecg_standardize standard;
};

static bool read_pictures(const golden_table *t, struct pictures *p)
{
    double rescale = 0.0;
    ecg_error err;
    p->prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    p->augment = (ecg_augment_options)ECG_AUGMENT_OPTIONS_INIT;
    p->standard = (ecg_standardize)ECG_STANDARDIZE_INIT;
    p->prep.profile = ECG_PROFILE_KERAS;
    p->augment.geometry = ECG_GEOMETRY_KERAS1;
    if (!golden_uint(t, "target_h", &p->prep.h) || !golden_uint(t, "target_w", &p->prep.w) ||
        (golden_has(t, "rescale") && !golden_number(t, "rescale", &rescale)))
        return false;
    if (ecg_color_parse(&p->prep.color, golden_cell(t, "color_mode")) != ECG_OK ||
        ecg_filter_parse(&p->prep.filter, golden_cell(t, "interpolation")) != ECG_OK)
        return golden_failed(t, "unknown color_mode or interpolation");
    if (!read_draws(t, &p->augment))
        return false;
    p->standard.rescale = (float)rescale;
    if (ecg_preprocess_check(&p->prep, &p->prep, &err) != ECG_OK ||
        ecg_augment_check(&p->augment, &p->augment, &err) != ECG_OK)
        return golden_failed(t, err.message);
    return true;
}

static bool one_picture(const golden_table *t, const struct pictures *p, const char *path, mt19937 *mt,
                        float *out, void *scratch)
{
    ecg_pixels *px;
    ecg_error err;
    ecg_augmentation a;
    if (ecg_preprocess_load(&px, &p->prep, path, &err) != ECG_OK)
        return golden_failed(t, err.message);
    const ecg_image view = ecg_pixels_view(px);
    golden_keras_draw(mt, &p->augment, view.h, view.w, &a);
    ecg_augment_apply(&a, &p->augment, &view, out, scratch);
    ecg_standardize_values(&p->standard, out, view.h, view.w, view.c, NULL);
    ecg_pixels_free(px);
    return true;
}

static bool batch_x(const golden_table *t, const ecg_dataset *d, keras_order *o)
{
    struct pictures p;
    uint32_t first;
    if (!read_pictures(t, &p))
        return false;
    const uint32_t count = keras_order_batch(o, &first), c = (uint32_t)p.prep.color;
    const size_t one = (size_t)p.prep.h * p.prep.w * c;
    const golden_shape shape = {4, {count, p.prep.h, p.prep.w, c}, count * one};
    float *x = malloc(shape.count * sizeof *x);
    void *scratch = malloc(ecg_augment_scratch(&p.augment, p.prep.h, p.prep.w, c));
    bool ok = (x && scratch) || golden_failed(t, "out of memory");
    for (uint32_t i = 0; ok && i < count; i++)
        ok = one_picture(t, &p, ecg_dataset_sample(d, o->index[first + i])->path, &o->mt, x + i * one,
                         scratch);
    ok = ok && golden_compare(t, x, &shape);
    free(scratch);
    free(x);
    return ok;
}

static bool batch_y(const golden_table *t, const ecg_dataset *d, keras_order *o)
{
    uint32_t first;
    const char *mode = golden_cell(t, "class_mode");
    const bool one_hot = strcmp(mode, "categorical") == 0;
    if (!one_hot && strcmp(mode, "sparse") != 0 && strcmp(mode, "binary") != 0)
        return golden_failed(t, "unknown class_mode");
    const uint32_t count = keras_order_batch(o, &first), k = one_hot ? ecg_dataset_classes(d) : 1;
    const golden_shape shape = {one_hot ? 2 : 1, {count, k}, (size_t)count * k};
    float *y = calloc(shape.count, sizeof *y);
    if (!y)
        return golden_failed(t, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t label = ecg_dataset_sample(d, o->index[first + i])->label;
        if (one_hot)
            y[(size_t)i * k + label] = 1.0f;
        else
            y[i] = (float)label;
    }
    const bool ok = golden_compare(t, y, &shape);
    free(y);
    return ok;
}

bool golden_iterator_case(const golden_table *t, bool *counted)
{
    (void)counted;
    static struct listing l;
    l.o = (ecg_dataset_options)ECG_DATASET_OPTIONS_INIT;
    uint32_t seed, batch;
    if (!golden_uint(t, "seed", &seed) || !golden_uint(t, "batch_size", &batch))
        return false;
    ecg_dataset *d = list(t, &l);
    if (!d)
        return false;
    const uint32_t n = (uint32_t)ecg_dataset_samples(d);
    uint32_t *index = n && batch ? malloc(n * sizeof *index) : NULL;
    bool ok = index || golden_failed(t, "no pictures, or batch_size is 0");
    if (ok) { /* both protocols begin alike */
        static keras_order o;
        keras_order_init(&o, index, n, batch, seed, strstr(golden_cell(t, "id"), "getitem") != NULL);
        ok = golden_has(t, "class_mode") ? batch_y(t, d, &o) : batch_x(t, d, &o);
    }
    free(index);
    ecg_dataset_free(d);
    return ok;
}
