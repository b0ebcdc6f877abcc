#define _GNU_SOURCE
#include "ecgcnn/data.h"

#include "tree.h"

static ecg_error err;

static const char *three_classes(void)
{
    const char *root = tree_new("three");
    tree_fill(root, (const char *[]){"a/1.png", "b/1.png", "b/2.png", "c/1.png", "empty/", NULL});
    return root;
}

static ecg_dataset_options fixed(const char *const *classes, uint32_t count, uint32_t ignore)
{
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.classes = classes;
    o.class_count = count;
    o.ignore_unknown = ignore;
    return o;
}

START_TEST(test_fixed_classes)
{
    static const char *const classes[] = {"c", "missing", "b", "a", "empty"};
    static const size_t counts[] = {1, 0, 2, 1, 0};
    static const char *const names[] = {"c/1.png", "b/1.png", "b/2.png", "a/1.png"};
    const ecg_dataset_options o = fixed(classes, 5, 0);
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, three_classes(), &o, &err), err);
    ck_assert_uint_eq(ecg_dataset_classes(d), 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(ecg_dataset_class(d, i), classes[i]);
        ck_assert(ecg_dataset_class(d, i) != classes[i]); /* the dataset's own */
        ck_assert_uint_eq(ecg_dataset_class_samples(d, i), counts[i]);
    }
    ck_assert_uint_eq(ecg_dataset_samples(d), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(ecg_dataset_sample(d, i)->name, names[i]);
    ck_assert_uint_eq(ecg_dataset_sample(d, 2)->label, 2);
    ck_assert_uint_eq(ecg_dataset_ignored(d), 0);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_unknown_folder)
{
    static const char *const classes[] = {"c", "a"};
    ecg_dataset_options o = fixed(classes, 2, 0);
    ecg_dataset *d = NULL;
    const char *root = three_classes();
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "is not among the 2 classes expected");
    ck_assert_ptr_null(d);
    o.ignore_unknown = 1;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    ck_assert_uint_eq(ecg_dataset_ignored(d), 2); /* b and empty */
    ck_assert_uint_eq(ecg_dataset_samples(d), 2);
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->name, "c/1.png");
    ck_assert_uint_eq(ecg_dataset_sample(d, 0)->label, 0);
    ecg_dataset_free(d);

    static const char *const none[] = {"x"};
    o = fixed(none, 1, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "(1 classes, 4 left out as unknown)");
}
END_TEST

START_TEST(test_bad_options)
{
    static const char *const twice[] = {"a", "b", "a"}, *const nameless[] = {"a", ""}, *const null[] = {NULL};
    ecg_dataset *d = NULL;
    const char *root = three_classes();
    ecg_dataset_options o = fixed(twice, 3, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "class \"a\" is given twice");
    o = fixed(nameless, 2, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "class 1 has no name");
    o = fixed(null, 1, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "class 0 has no name");
    o = fixed(NULL, 2, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "go together");
    o = fixed(twice, 0, 1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "go together");

    struct {
        ecg_dataset_options o;
        uint64_t later;
    } newer = {fixed(NULL, 0, 0), 0};
    newer.o.size = sizeof newer;
    ck_ok(ecg_dataset_open(&d, root, &newer.o, &err), err);
    ecg_dataset_free(d);
    newer.later = 1;
    ck_fails(ecg_dataset_open(&d, root, &newer.o, &err), err, ECG_EVERSION, "dataset options");
    o.size = 0;
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "dataset options");
    ck_assert_ptr_null(d);
    ecg_dataset_free(NULL);
}
END_TEST

/* Many rows: tables grow several times and stay sorted. */
START_TEST(test_large)
{
    enum { ROWS = 20000 };
    const char *root = tree_new("large");
    FILE *f = fopen(tree_path(root, "manifest.csv"), "w");
    ck_assert_ptr_nonnull(f);
    fputs("image,class,record\n", f);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(f, "%u.png,class %u,r%u\n", i * 7919 % ROWS, i % 7, i % 11);
    ck_assert_int_eq(fclose(f), 0);
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ck_assert_uint_eq(ecg_dataset_samples(d), ROWS);
    ck_assert_uint_eq(ecg_dataset_classes(d), 7);
    size_t sum = 0;
    for (uint32_t c = 0; c < 7; c++)
        sum += ecg_dataset_class_samples(d, c);
    ck_assert_uint_eq(sum, ROWS);
    for (size_t i = 1; i < ROWS; i++) {
        const ecg_sample *a = ecg_dataset_sample(d, i - 1), *b = ecg_dataset_sample(d, i);
        ck_assert(a->label < b->label || (a->label == b->label && strcmp(a->name, b->name) < 0));
    }
    ecg_dataset_free(d);
}
END_TEST

/* A folder of reference data, or NULL, said, where there is none. */
static const char *shared(const char *name)
{
    static char path[4096];
    const char *dir = getenv("ECG_SHARED");
    if (dir)
        snprintf(path, sizeof path, "%s/%s", dir, name);
    if (dir && access(path, R_OK) == 0)
        return path;
    printf("SKIP %s: no reference data (ECG_SHARED)\n", name);
    return NULL;
}

START_TEST(test_beat_images)
{
    const char *dir = shared("data/beat-images");
    if (!dir)
        return;
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, dir, NULL, &err), err);
    ck_assert_uint_eq(ecg_dataset_samples(d), 15341);
    ck_assert_uint_eq(ecg_dataset_classes(d), 6);
    ck_assert_str_eq(ecg_dataset_class(d, 0), "Left Bundle Branch Block");
    ck_assert_str_eq(ecg_dataset_class(d, 5), "Ventricular Fibrillation");

    size_t expected = 0;
    for (uint32_t c = 0; c < 6; c++)
        expected += (2 * ecg_dataset_class_samples(d, c) + 10) / 20; /* a tenth, half up */
    ecg_split s;
    ecg_split_mode mode = ECG_SPLIT_AUTO;
    ck_ok(ecg_dataset_split(&s, d, 0.1, &mode, 1, &err), err);
    ck_assert_int_eq(mode, ECG_SPLIT_STRATIFIED);
    ck_assert_uint_eq(s.val_count, expected);
    ck_assert_uint_eq(s.train_count, 15341 - expected);
    ecg_split_free(&s);
    ecg_dataset_free(d);
}
END_TEST

/* The listing that Keras makes of the reference tree, where its rules and ours agree: classes and the order
 * of plain folders. (Keras also takes "fakepng" and ".dot.png", and puts a folder's files before its
 * folders.) */
START_TEST(test_reference_tree)
{
    const char *dir = shared("golden/augment/dirtree");
    if (!dir)
        return;
    static const char *const classes[] = {"10", "2", "B", "a", "b", "dotcls", "empty"};
    static const char *const plain[] = {"10/a.png",   "2/a.png",  "2/b.png",    "2/c.png",     "2/d.png",
                                        "2/e.png",    "2/f.png",  "2/g.png",    "B/x.png",     "a/m.png",
                                        "a/pic.jpeg", "a/zz.jpg", "b/IMG1.PNG", "b/img10.png", "b/img2.png"};
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, dir, NULL, &err), err);
    ck_assert_uint_eq(ecg_dataset_classes(d), 7);
    for (uint32_t c = 0; c < 7; c++)
        ck_assert_str_eq(ecg_dataset_class(d, c), classes[c]);
    ck_assert_uint_eq(ecg_dataset_samples(d), 15 + 3);
    size_t k = 0;
    for (size_t i = 0; i < 18; i++) {
        const char *name = ecg_dataset_sample(d, i)->name;
        if (strncmp(name, "a/z/", 4) != 0 && strncmp(name, "a/z-1/", 6) != 0)
            ck_assert_str_eq(name, plain[k++]);
    }
    ck_assert_uint_eq(k, 15);

    ecg_split s;
    ecg_split_mode mode = ECG_SPLIT_LEADING;
    ck_ok(ecg_dataset_split(&s, d, 0.3, &mode, 0, &err), err);
    static const char *const val[] = {"2/a.png", "2/b.png",
                                      "a/m.png"}; /* Keras: fakepng too, trunc(0.3 * 7) */
    ck_assert_uint_eq(s.val_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(ecg_dataset_sample(d, s.val[i])->name, val[i]);
    ecg_split_free(&s);
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dataset");
    TCase *t = tcase_create("dataset");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_fixed_classes);
    tcase_add_test(t, test_unknown_folder);
    tcase_add_test(t, test_bad_options);
    tcase_add_test(t, test_large);
    tcase_add_test(t, test_beat_images);
    tcase_add_test(t, test_reference_tree);
    suite_add_tcase(s, t);
    return unit_run(s);
}
