#define _POSIX_C_SOURCE 200809L
#include "common/parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/known.h"
#include "common/start.h"

static char *join(const char *dir, const char *name)
{
    const size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

char *parts_folder(const char *dir, const char *name)
{
    struct stat st;
    char *path = join(dir, name);
    if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return path;
    free(path);
    return NULL;
}

static int is_split(const ecg_dataset *d, size_t i, const char *name)
{
    const char *split = ecg_dataset_part(d, i);
    return split && strcmp(split, name) == 0;
}

uint32_t *parts_of_manifest(const ecg_dataset *d, const char *name, size_t *count)
{
    const size_t n = ecg_dataset_samples(d);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        *count += (size_t)is_split(d, i, name);
    uint32_t *index = *count ? calloc(*count, sizeof *index) : NULL;
    *count = 0;
    for (size_t i = 0; index && i < n; i++)
        if (is_split(d, i, name))
            index[(*count)++] = (uint32_t)i;
    return index;
}

size_t part_class_count(const part *p, uint32_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < p->count; k++)
        n += ecg_dataset_label(p->data, p->index[k]) == i;
    return n;
}

static int take_all(part *p, const ecg_dataset *d)
{
    const size_t n = ecg_dataset_samples(d);
    *p = (part){d, calloc(n ? n : 1, sizeof *p->index), n};
    for (size_t i = 0; p->index && i < n; i++)
        p->index[i] = (uint32_t)i;
    return p->index ? EXIT_DONE : tool_fail("out of memory");
}

static int take_list(part *p, const ecg_dataset *d, const uint32_t *index, size_t count)
{
    *p = (part){d, calloc(count ? count : 1, sizeof *p->index), count};
    if (p->index && count)
        memcpy(p->index, index, count * sizeof *index);
    return p->index ? EXIT_DONE : tool_fail("out of memory");
}

/* ---- Training folder ---- */

/* Names of the classes that have pictures, and a word about the others. */
static int list_classes(parts *p, const ecg_dataset *d, const char *dir)
{
    const uint32_t all = ecg_dataset_classes(d);
    p->class_count = 0;
    p->classes = calloc(all ? all : 1, sizeof *p->classes);
    if (!p->classes)
        return tool_fail("out of memory");
    for (uint32_t i = 0; i < all; i++)
        if (ecg_dataset_class_samples(d, i))
            p->classes[p->class_count++] = ecg_dataset_class(d, i);
        else
            tool_warn("%s: class '%s' has no pictures and is left out", dir, ecg_dataset_class(d, i));
    if (p->class_count < 2)
        return tool_fail(
            "%s: %u class%s with pictures, expected at least two class folders (DATA/CLASS/*.png)", dir,
            p->class_count, p->class_count == 1 ? "" : "es");
    return EXIT_DONE;
}

static ecg_dataset_options dataset_options(const parts_options *po)
{
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.keras_rules = po->keras_rules;
    o.follow_links = po->follow_links;
    return o;
}

/* Opens the training folder; a second time without the classes that are empty. */
static int open_train(parts *p, const parts_options *po, const char *dir)
{
    ecg_error err = {0};
    ecg_dataset_options o = dataset_options(po);
    o.group_pattern = po->group_pattern;
    o.group_column = po->group_column;
    ecg_status s = ecg_dataset_open(&p->sets[0], dir, &o, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    int code = list_classes(p, p->sets[0], dir);
    if (code != EXIT_DONE || p->class_count == ecg_dataset_classes(p->sets[0]))
        return code;
    p->all = p->sets[0];
    p->sets[0] = NULL;
    o.classes = p->classes;
    o.class_count = p->class_count;
    o.ignore_unknown = 1;
    s = ecg_dataset_open(&p->sets[0], dir, &o, &err);
    for (uint32_t i = 0; s == ECG_OK && i < p->class_count; i++)
        p->classes[i] = ecg_dataset_class(p->sets[0], i);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

/* A folder with pictures of the same classes. Class folders that training left out because they were empty
 * there are left out here too, and so are empty ones; others that it does not know are an error. */
static int open_other(parts *p, const parts_options *po, size_t slot, part *out, const char *dir)
{
    ecg_dataset_options o = dataset_options(po);
    o.classes = p->classes;
    o.class_count = p->class_count;
    const int code = known_open(&p->sets[slot], dir, &o, p->all);
    return code == EXIT_DONE ? take_all(out, p->sets[slot]) : code;
}

/* ---- Splitting ---- */

/* Keep what the manifest does not give to the test. */
static void drop_test(part *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        if (!is_split(p->data, p->index[i], "test"))
            p->index[n++] = p->index[i];
    p->count = n;
}

static int split_train(parts *p, const parts_options *o)
{
    static const char *const how[] = {"", "stratified by class, seeded shuffle",
                                      "the leading pictures of each class", "by patient", "by group"};
    const ecg_dataset *d = p->sets[0];
    ecg_error err = {0};
    ecg_split split = {0};
    ecg_split_mode mode = o->mode;
    const double fraction = o->fraction > 0 ? o->fraction : 0.1;
    const ecg_status s = ecg_dataset_split(&split, d, fraction, &mode, o->seed, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    int code = take_list(&p->train, d, split.train, split.train_count);
    if (code == EXIT_DONE)
        code = take_list(&p->val, d, split.val, split.val_count);
    ecg_split_free(&split);
    p->fraction = fraction;
    p->how = how[mode];
    p->may_share = mode != ECG_SPLIT_BY_PATIENT && mode != ECG_SPLIT_BY_GROUP;
    return code;
}

static int take_manifest(part *p, const ecg_dataset *d, const char *name)
{
    size_t n;
    uint32_t *index = parts_of_manifest(d, name, &n);
    if (!index)
        return 0;
    *p = (part){d, index, n};
    return 1;
}

static int choose(parts *p, const parts_options *o, const char *val_dir)
{
    const ecg_dataset *d = p->sets[0];
    int code = EXIT_DONE;
    if (!p->test.data)
        take_manifest(&p->test, d, "test");
    if (val_dir) {
        code = take_all(&p->train, d);
        drop_test(&p->train);
        p->how = "its own folder";
    } else if (take_manifest(&p->val, d, "val")) {
        p->how = "named by the manifest";
        if (!take_manifest(&p->train, d, "train"))
            return tool_fail("%s: the manifest gives no picture to the split 'train'", o->dir);
        const size_t test = p->test.data == d ? p->test.count : 0;
        const size_t left = ecg_dataset_samples(d) - p->train.count - p->val.count - test;
        if (left)
            tool_warn("%s: %zu pictures are left out, the manifest gives them to none of the splits 'train', "
                      "'val' and 'test'",
                      o->dir, left);
    } else {
        code = split_train(p, o);
    }
    if (code != EXIT_DONE)
        return code;
    for (uint32_t i = 0; i < p->class_count; i++)
        if (part_class_count(&p->train, i) == 0)
            return tool_fail("%s: class '%s' has no pictures left for training", o->dir, p->classes[i]);
    if (p->val.count == 0)
        return tool_fail("%s: no pictures for validation", val_dir ? val_dir : o->dir);
    return EXIT_DONE;
}

/* val/ or test/ without train/ would become classes of these names. A manifest in DATA says what they are. */
static int check_lonely(const parts_options *o)
{
    static const char *const names[] = {"val", "test"};
    struct stat st;
    char *manifest = join(o->dir, "manifest.csv");
    if (!manifest)
        return tool_fail("out of memory");
    const int has_manifest = !o->keras_rules && stat(manifest, &st) == 0;
    free(manifest);
    for (size_t i = 0; !has_manifest && i < sizeof names / sizeof names[0]; i++) {
        char *folder = parts_folder(o->dir, names[i]);
        free(folder);
        if (folder)
            return tool_fail("%s: there is %s/ but no train/ beside it", o->dir, names[i]);
    }
    return EXIT_DONE;
}

int parts_open(parts *p, const parts_options *o)
{
    *p = (parts){.how = ""};
    char *train = parts_folder(o->dir, "train");
    char *val = train && !o->val ? parts_folder(o->dir, "val") : NULL;
    char *test = train ? parts_folder(o->dir, "test") : NULL;
    const char *dir = train ? train : o->dir, *val_dir = o->val ? o->val : val;
    if (val_dir && o->fraction > 0)
        tool_warn("%s holds the validation pictures, --val-split has no effect", val_dir);
    if (val_dir && o->mode != ECG_SPLIT_AUTO)
        tool_warn("%s holds the validation pictures, --split has no effect", val_dir);
    int code = train ? EXIT_DONE : check_lonely(o);
    if (code == EXIT_DONE)
        code = open_train(p, o, dir);
    if (code == EXIT_DONE && val_dir)
        code = open_other(p, o, 1, &p->val, val_dir);
    if (code == EXIT_DONE && test)
        code = open_other(p, o, 2, &p->test, test);
    if (code == EXIT_DONE)
        code = choose(p, o, val_dir);
    free(train);
    free(val);
    free(test);
    return code;
}

void parts_free(parts *p)
{
    free(p->train.index);
    free(p->val.index);
    free(p->test.index);
    free(p->classes);
    for (size_t i = 0; i < sizeof p->sets / sizeof p->sets[0]; i++)
        ecg_dataset_free(p->sets[i]);
    ecg_dataset_free(p->all);
    *p = (parts){.how = ""};
}
