/* Folders by Keras' rules, subsets, and groups. */
#define _GNU_SOURCE
#include "ecgcnn/data.h"
#include "tree.h"

static ecg_error err;

static ecg_dataset_options keras(ecg_subset subset, double validation_split)
{
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.keras_rules = 1;
    o.subset = subset;
    o.validation_split = validation_split;
    return o;
}

/* The dataset's names and labels are exactly these, in this order. */
static void expect(const char *root, const ecg_dataset_options *o, const char *const *names,
                   const uint32_t *labels)
{
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, o, &err), err);
    size_t n = 0;
    for (; names[n]; n++) {
        ck_assert_msg(n < ecg_dataset_samples(d), "%s is missing", names[n]);
        ck_assert_str_eq(ecg_dataset_sample(d, n)->name, names[n]);
        ck_assert_uint_eq(ecg_dataset_sample(d, n)->label, labels[n]);
    }
    ck_assert_uint_eq(ecg_dataset_samples(d), n);
    size_t sum = 0;
    for (uint32_t c = 0; c < ecg_dataset_classes(d); c++)
        sum += ecg_dataset_class_samples(d, c);
    ck_assert_uint_eq(sum, n);
    ecg_dataset_free(d);
}

static const char *awkward(void)
{
    const char *root = tree_new("awkward");
    tree_fill(
        root,
        (const char *[]){
            "b/img10.png", "b/img2.png", "b/IMG1.PNG",   "B/x.tIFf",        "a/z/k/n.png", "a/z/y.ppm",
            "a/z-1/q.bmp", "a/m.png",    "a/zz.jpg",     "a/notes.txt",     "a/k.gif",     "a/fakepng",
            "a/w.webp",    "a/tif",      "a/x.png.bak",  "dotcls/.dot.png", "10/a.png",    "2/a.png",
            "2/b.png",     "2/c.png",    "2/d.png",      "2/e.png",         "2/f.png",     "2/g.png",
            "a/.c/h.jpeg", ".hid/s.png", "empty/readme", "loose.png",       "a/z/pgm",     "manifest.csv",
            NULL});
    return root;
}

/* What os.walk, sorted by folder and then by file, gives for that tree: hand-sorted. */
START_TEST(test_listing)
{
    const ecg_dataset_options o = keras(ECG_SUBSET_ALL, 0.4); /* a split without a subset keeps everything */
    const char *root = awkward();
    expect(root, &o,
           (const char *[]){".hid/s.png", "10/a.png",        "2/a.png",     "2/b.png",    "2/c.png",
                            "2/d.png",    "2/e.png",         "2/f.png",     "2/g.png",    "B/x.tIFf",
                            "a/fakepng",  "a/m.png",         "a/tif",       "a/zz.jpg",   "a/.c/h.jpeg",
                            "a/z/y.ppm",  "a/z-1/q.bmp",     "a/z/k/n.png", "b/IMG1.PNG", "b/img10.png",
                            "b/img2.png", "dotcls/.dot.png", NULL},
           (const uint32_t[]){0, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6});
    static const char *const classes[] = {".hid", "10", "2", "B", "a", "b", "dotcls", "empty"};
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    ck_assert_uint_eq(ecg_dataset_classes(d), 8);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_str_eq(ecg_dataset_class(d, i), classes[i]);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_subsets)
{
    const char *root = awkward();
    ecg_dataset_options o = keras(ECG_SUBSET_VALIDATION, 0.3); /* of 7: 2, of 8: 2, of 3: 0 */
    expect(root, &o, (const char *[]){"2/a.png", "2/b.png", "a/fakepng", "a/m.png", NULL},
           (const uint32_t[]){2, 2, 4, 4});
    o = keras(ECG_SUBSET_VALIDATION, 0.0);
    expect(root, &o, (const char *[]){NULL}, NULL);
    o = keras(ECG_SUBSET_TRAINING, 0.99);
    expect(root, &o,
           (const char *[]){".hid/s.png", "10/a.png", "2/g.png", "B/x.tIFf", "a/z/k/n.png", "b/img2.png",
                            "dotcls/.dot.png", NULL},
           (const uint32_t[]){0, 1, 2, 3, 4, 5, 6});
    /* 0.29 * 100 is 28.999999999999996. */
    root = tree_new("hundred");
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "c/%02d.png", i);
        tree_write(root, name, "x");
    }
    for (int with = 0; with < 2; with++) {
        o = keras(ECG_SUBSET_VALIDATION, 0.29);
        o.keras_rules = with;
        ecg_dataset *d = NULL;
        ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
        ck_assert_uint_eq(ecg_dataset_samples(d), 28);
        ck_assert_str_eq(ecg_dataset_sample(d, 27)->name, "c/27.png");
        ecg_dataset_free(d);
        o.subset = ECG_SUBSET_TRAINING;
        ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
        ck_assert_uint_eq(ecg_dataset_samples(d), 72);
        ck_assert_str_eq(ecg_dataset_sample(d, 0)->name, "c/28.png");
        ecg_dataset_free(d);
    }
    o = keras(ECG_SUBSET_VALIDATION, 0.001);
    o.keras_rules = 0;
    ecg_dataset *d = NULL;
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "0.001 of 100 pictures leaves none");
}
END_TEST

START_TEST(test_given_classes)
{
    const char *root = awkward();
    ecg_dataset_options o = keras(ECG_SUBSET_ALL, 0.0);
    o.classes = (const char *const[]){"b", "nope", "loose.png", "2"};
    o.class_count = 4;
    expect(root, &o,
           (const char *[]){"b/IMG1.PNG", "b/img10.png", "b/img2.png", "2/a.png", "2/b.png", "2/c.png",
                            "2/d.png", "2/e.png", "2/f.png", "2/g.png", NULL},
           (const uint32_t[]){0, 0, 0, 3, 3, 3, 3, 3, 3, 3});
    ecg_dataset *d = NULL;
    o.classes = (const char *const[]){"b", "a/z"};
    o.class_count = 2;
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "\"a/z\" is a path");
    o.classes = (const char *const[]){"b", "b"};
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "given twice");
}
END_TEST

START_TEST(test_nothing)
{
    ecg_dataset_options o = keras(ECG_SUBSET_ALL, 0.0);
    const char *root = tree_new("bare");
    expect(root, &o, (const char *[]){NULL}, NULL);
    tree_write(root, "a/readme.txt", "x");
    expect(root, &o, (const char *[]){NULL}, NULL);
    ecg_dataset *d = NULL;
    ck_fails(ecg_dataset_open(&d, unit_tmp("not-there"), &o, &err), err, ECG_EIO, "not-there: cannot open");
    o = keras((ecg_subset)3, 0.0);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "no subset");
    o = keras(ECG_SUBSET_ALL, 1.0);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "validation_split is 1");
    o = keras(ECG_SUBSET_ALL, -0.1);
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "validation_split is -0.1");
}
END_TEST

START_TEST(test_links)
{
    const char *root = tree_new("links");
    tree_fill(root, (const char *[]){"a/p.png", "real/sub/q.png", "real/x.png/r.png", NULL});
    tree_link(root, "l", "real");
    tree_link(root, "a/down", "../real/sub");
    tree_link(root, "a/f.png", "p.png");
    tree_link(root, "a/gone.png", "nowhere");
    tree_link(root, "a/dir.png", "../real/sub");
    ecg_dataset_options o = keras(ECG_SUBSET_ALL, 0.0);
    expect(root, &o,
           (const char *[]){"a/f.png", "a/gone.png", "a/p.png", "l/sub/q.png", "l/x.png/r.png",
                            "real/sub/q.png", "real/x.png/r.png", NULL},
           (const uint32_t[]){0, 0, 0, 1, 1, 2, 2});
    o.follow_links = 1;
    for (int with = 0; with < 2; with++) {
        o.keras_rules = with;
        if (with)
            expect(root, &o,
                   (const char *[]){"a/f.png", "a/gone.png", "a/p.png", "a/dir.png/q.png", "a/down/q.png",
                                    "l/sub/q.png", "l/x.png/r.png", "real/sub/q.png", "real/x.png/r.png",
                                    NULL},
                   (const uint32_t[]){0, 0, 0, 0, 0, 1, 1, 2, 2});
        else
            expect(root, &o,
                   (const char *[]){"a/dir.png/q.png", "a/down/q.png", "a/f.png", "a/gone.png", "a/p.png",
                                    "l/sub/q.png", "l/x.png/r.png", "real/sub/q.png", "real/x.png/r.png",
                                    NULL},
                   (const uint32_t[]){0, 0, 0, 0, 0, 1, 1, 2, 2});
    }
    tree_link(root, "a/up", "..");
    ecg_dataset *d = NULL;
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_ELIMIT, "a/up: a link leads back");
    o.follow_links = 0;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_group_pattern)
{
    const char *root = tree_new("groups");
    tree_fill(root, (const char *[]){"a/p1_1.png", "a/p1_2.png", "a/p2_1.png", "b/p1_3.png", "b/p2_7.png",
                                     "b/p3_1.png", "a/p3_9.png", NULL});
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.group_pattern = "([^/_]+)_[^/]*$";
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    ck_assert_int_eq(ecg_dataset_has_groups(d), 1);
    ck_assert_int_eq(ecg_dataset_has_patients(d), 0);
    static const char *const groups[] = {"p1", "p1", "p2", "p3", "p1", "p2", "p3"};
    for (size_t i = 0; i < 7; i++)
        ck_assert_str_eq(ecg_dataset_sample(d, i)->group, groups[i]);
    ecg_split s;
    ecg_split_mode mode = ECG_SPLIT_AUTO;
    ck_ok(ecg_dataset_split(&s, d, 0.3, &mode, 1, &err), err);
    ck_assert_int_eq(mode, ECG_SPLIT_BY_GROUP);
    for (size_t i = 0; i < s.train_count; i++)
        for (size_t k = 0; k < s.val_count; k++)
            ck_assert_str_ne(groups[s.train[i]], groups[s.val[k]]);
    ecg_split_free(&s);
    mode = ECG_SPLIT_BY_PATIENT;
    ck_fails(ecg_dataset_split(&s, d, 0.3, &mode, 1, &err), err, ECG_EINVAL, "no patient is named");
    ecg_dataset_free(d);

    o.group_pattern = "a/(p.)_";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "does not match \"b/p");
    o.group_pattern = "p._";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "no parenthesis");
    o.group_pattern = "(p._";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "group pattern \"(p._\": ");
    o.group_pattern = "(x?)p";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "matches nothing in \"");
    o.group_column = "hospital";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "exclude each other");
    o.group_pattern = NULL;
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "no manifest.csv");
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(test_group_column)
{
    const char *root = tree_new("column");
    tree_write(
        root, "manifest.csv",
        "image,class,patient,hospital\n1.png,a,p,x\n2.png,a,p,x\n3.png,b,q,y\n4.png,b,q,y\n5.png,b,q,\n");
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    for (size_t i = 0; i < 5; i++) /* without a rule the patient */
        ck_assert_ptr_eq(ecg_dataset_sample(d, i)->group, ecg_dataset_sample(d, i)->patient);
    ck_assert_int_eq(ecg_dataset_has_groups(d), 1);
    ecg_dataset_free(d);

    o.group_column = "hospital";
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->group, "x");
    ck_assert_str_eq(ecg_dataset_sample(d, 3)->group, "y");
    ck_assert_ptr_null(ecg_dataset_sample(d, 4)->group);
    ck_assert_str_eq(ecg_dataset_sample(d, 4)->patient, "q");
    ck_assert_int_eq(ecg_dataset_has_groups(d), 0);
    ecg_split s;
    ecg_split_mode mode = ECG_SPLIT_AUTO; /* asked for by group: not by something else then */
    ck_fails(ecg_dataset_split(&s, d, 0.3, &mode, 1, &err), err, ECG_EINVAL, "no group is named for");
    ecg_dataset_free(d);
    o.group_column = "ward";
    ck_fails(ecg_dataset_open(&d, root, &o, &err), err, ECG_EINVAL, "no column \"ward\"");
    ck_assert_ptr_null(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("keras_rules");
    TCase *t = tcase_create("listing");
    tcase_add_test(t, test_listing);
    tcase_add_test(t, test_subsets);
    tcase_add_test(t, test_given_classes);
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_links);
    tcase_add_test(t, test_group_pattern);
    tcase_add_test(t, test_group_column);
    suite_add_tcase(s, t);
    return unit_run(s);
}
