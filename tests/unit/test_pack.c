#define _GNU_SOURCE
#include "ecgcnn/pack.h"

#include "packs.h"

static void same_text(const char *a, const char *b)
{
    ck_assert_int_eq(a == NULL, b == NULL);
    if (a)
        ck_assert_str_eq(a, b);
}

static void same_split(const ecg_dataset *a, const ecg_dataset *b, ecg_split_mode mode)
{
    for (uint64_t seed = 1; seed < 4; seed++) {
        ecg_split x, y;
        ecg_split_mode m = mode, n = mode;
        ck_ok(ecg_dataset_split(&x, a, 0.3, &m, seed, &err), err);
        ck_ok(ecg_dataset_split(&y, b, 0.3, &n, seed, &err), err);
        ck_assert_int_eq(m, n);
        ck_assert_uint_eq(x.train_count, y.train_count);
        ck_assert_uint_eq(x.val_count, y.val_count);
        ck_assert_mem_eq(x.train, y.train, x.train_count * sizeof *x.train);
        ck_assert_mem_eq(x.val, y.val, x.val_count * sizeof *x.val);
        ecg_split_free(&x);
        ecg_split_free(&y);
    }
}

/* Everything that a dataset tells. */
static void same_sets(const ecg_dataset *a, const ecg_dataset *b)
{
    ck_assert_uint_eq(ecg_dataset_samples(a), ecg_dataset_samples(b));
    ck_assert_uint_eq(ecg_dataset_classes(a), ecg_dataset_classes(b));
    ck_assert_int_eq(ecg_dataset_has_patients(a), ecg_dataset_has_patients(b));
    ck_assert_int_eq(ecg_dataset_has_groups(a), ecg_dataset_has_groups(b));
    ck_assert_uint_eq(ecg_dataset_ignored(a), ecg_dataset_ignored(b));
    for (uint32_t c = 0; c < ecg_dataset_classes(a); c++) {
        ck_assert_str_eq(ecg_dataset_class(a, c), ecg_dataset_class(b, c));
        ck_assert_uint_eq(ecg_dataset_class_samples(a, c), ecg_dataset_class_samples(b, c));
    }
    for (size_t i = 0; i < ecg_dataset_samples(a); i++) {
        const ecg_sample *x = ecg_dataset_sample(a, i), *y = ecg_dataset_sample(b, i);
        char name[600];
        ck_assert_str_eq(x->name, y->name);
        ck_assert_uint_eq(x->label, y->label);
        same_text(x->patient, y->patient);
        same_text(x->split, y->split);
        same_text(x->group, y->group);
        ck_assert_uint_eq(ecg_dataset_label(b, i), y->label);
        ck_assert_ptr_eq(ecg_dataset_patient(b, i), y->patient);
        ck_assert_ptr_eq(ecg_dataset_group(b, i), y->group);
        ck_assert_ptr_eq(ecg_dataset_part(b, i), y->split);
        ck_assert_uint_eq(ecg_dataset_name(b, i, name, sizeof name), strlen(y->name));
        ck_assert_str_eq(name, y->name);
        ck_assert_uint_eq(ecg_dataset_name(b, i, name, 3), strlen(y->name));
        ck_assert_uint_eq(strlen(name), 2);
        ck_assert_ptr_eq(ecg_dataset_sample(b, i), y);
    }
    ck_assert_ptr_null(ecg_dataset_sample(b, ecg_dataset_samples(b)));
}

static ecg_loader *load(const ecg_dataset *d, uint32_t h, ecg_color color, uint64_t cache)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_loader *l = NULL;
    p.h = h;
    p.w = SIDE;
    p.color = color;
    o.cache_bytes = cache;
    o.threads = 2;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    return l;
}

static void same_pictures(const ecg_dataset *a, const ecg_dataset *b, uint32_t h, ecg_color color)
{
    ecg_loader *x = load(a, h, color, 0), *y = load(b, h, color, 1); /* y: from the pack each time */
    const ecg_fingerprint f = ecg_loader_fingerprint(x), g = ecg_loader_fingerprint(y);
    ck_assert_mem_eq(&f, &g, sizeof f);
    static float u[64 * SIDE * 3], v[64 * SIDE * 3];
    const ecg_source s = ecg_loader_source(x), t = ecg_loader_source(y);
    for (size_t i = 0; i < s.count; i += 3) {
        uint32_t label, other;
        ck_assert_uint_eq(ecg_loader_index(y, i), i);
        ck_ok(s.fetch(s.ctx, 1, i, u, &label, &err), err);
        ck_ok(t.fetch(t.ctx, 1, i, v, &other, &err), err);
        ck_assert_uint_eq(label, other);
        ck_assert_mem_eq(u, v, h * SIDE * (size_t)color * sizeof *u);
    }
    ecg_loader_free(x);
    ecg_loader_free(y);
}

/* The same of a folder, of its pack and of a pack of pixels, by many ways of opening. */
START_TEST(as_a_folder)
{
    const bool manifest = _i != 0;
    const char *root = make_folder("data", MOST - 1, manifest, "where");
    const char *packs[2] = {fresh("pack"), fresh("pixels")};
    for (uint32_t k = 0; k < 2; k++) {
        ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
        const char *column = "where";
        ecg_pack_info info = {0};
        o.pixels = k;
        o.shard_bytes = 5000;
        o.sort_bytes = 1; /* as little as there is: rows go through the file */
        o.columns = manifest ? &column : NULL;
        o.column_count = manifest;
        ck_ok(ecg_pack_make(packs[k], root, &o, &info, &err), err);
        ck_assert_uint_eq(info.pictures, MOST - 1);
        ck_assert_uint_gt(info.shards, 3);
        ck_assert_uint_eq(info.pixels, k);
        ck_assert_int_eq(ecg_pack_is(packs[k]), 1);
        ck_assert_int_eq(ecg_pack_is(tree_path(packs[k], "index.ecgp")), 1);
        ck_ok(ecg_pack_verify(packs[k], NULL, &info, &err), err);
        ck_assert_uint_eq(info.pictures, MOST - 1);
        ecg_dataset *a = open_set(root, NULL),
                    *b = open_set(k ? packs[k] : tree_path(packs[k], "index.ecgp"), NULL);
        same_sets(a, b);
        same_pictures(a, b, SIDE, ECG_COLOR_GRAY);
        same_pictures(a, b, 20, ECG_COLOR_RGB);
        same_split(a, b, ECG_SPLIT_STRATIFIED);
        same_split(a, b, ECG_SPLIT_LEADING);
        same_split(a, b, ECG_SPLIT_AUTO);
        for (size_t i = 0; i < ecg_dataset_samples(a); i += 7) {
            unsigned char *x, *y;
            size_t n, m;
            ck_ok(ecg_dataset_file(a, i, &x, &n, &err), err);
            ck_ok(ecg_dataset_file(b, i, &y, &m, &err), err);
            ck_assert_uint_eq(n, m); /* of pixels too: the files were written by the same function */
            ck_assert_mem_eq(x, y, n);
            ecg_dataset_file_free(x);
            ecg_dataset_file_free(y);
        }
        ecg_dataset_free(a);
        ecg_dataset_free(b);
    }
}
END_TEST

START_TEST(options)
{
    const char *root = make_folder("data", 200, true, "where"), *pack = fresh("pack");
    const char *column = "where", *const some[] = {"Z\xc3\xa4", "Alpha", "Nobody"};
    ecg_pack_options po = ECG_PACK_OPTIONS_INIT;
    po.columns = &column;
    po.column_count = 1;
    ck_ok(ecg_pack_make(pack, root, &po, NULL, &err), err);
    for (int k = 0; k < 6; k++) {
        ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
        if (k == 0 || k == 5) {
            o.classes = some;
            o.class_count = 3;
            o.ignore_unknown = 1;
        }
        if (k == 1 || k == 2 || k == 5) {
            o.subset = k == 1 ? ECG_SUBSET_TRAINING : ECG_SUBSET_VALIDATION;
            o.validation_split = 0.37;
        }
        if (k == 3)
            o.group_column = "where";
        if (k >= 4)
            o.group_pattern = "/([^0-9]*[0-9])";
        ecg_dataset *a = open_set(root, &o), *b = open_set(pack, &o);
        same_sets(a, b);
        same_split(a, b, k == 0 ? ECG_SPLIT_BY_PATIENT : ECG_SPLIT_AUTO);
        ecg_dataset_free(a);
        ecg_dataset_free(b);
    }
    ecg_dataset *d = NULL;
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.classes = some;
    o.class_count = 3;
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "\"B eta\" is not among the 3 classes");
    o = (ecg_dataset_options)ECG_DATASET_OPTIONS_INIT;
    o.group_column = "nowhere";
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "no column \"nowhere\"");
    o.group_column = NULL;
    o.group_pattern = "(Alpha)";
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "does not match \"B eta/");
    o.group_pattern = "Alpha(x*)|B";
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "matches nothing");
    o.group_pattern = "(";
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "group pattern \"(\"");
    o.group_pattern = NULL;
    o.keras_rules = 1;
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "rules of Keras");
    o.keras_rules = 0;
    o.subset = ECG_SUBSET_VALIDATION;
    ck_fails(ecg_dataset_open(&d, pack, &o, &err), err, ECG_EINVAL, "leaves none");
}
END_TEST

static ecg_pack_options writer_options(void)
{
    static const char *const classes[] = {"b", "a"}, *const columns[] = {"patient", "split"};
    ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
    o.pixels = 1;
    o.h = o.w = SIDE;
    o.classes = classes;
    o.class_count = 2;
    o.columns = columns;
    o.column_count = 2;
    return o;
}

/* The writer by itself: labels are of the classes as given, names in any order. */
START_TEST(writer)
{
    const char *pack = fresh("pack");
    const ecg_pack_options o = writer_options();
    ecg_pack_writer *w = NULL;
    ecg_pack_info info;
    uint8_t px[SIDE * SIDE];
    ck_ok(ecg_pack_writer_new(&w, pack, &o, &err), err);
    for (uint32_t i = 0; i < 50; i++) {
        char name[32], patient[8];
        const char *values[] = {patient, i % 4 ? NULL : "test"};
        snprintf(name, sizeof name, "%02u", 49 - i);
        snprintf(patient, sizeof patient, i % 5 ? "p%u" : "", i % 5);
        draw(px, i);
        ck_ok(ecg_pack_writer_add(w, name, i % 2, values, px, sizeof px, &err), err);
    }
    ck_assert_int_ne(access(pack, F_OK), 0);
    ck_ok(ecg_pack_writer_finish(w, &info, &err), err);
    ck_assert_uint_eq(info.pictures, 50);
    ck_assert_uint_eq(info.h, SIDE);
    ecg_dataset *d = open_set(pack, NULL);
    ck_assert_str_eq(ecg_dataset_class(d, 0), "a");
    ck_assert_int_eq(ecg_dataset_has_patients(d), 0);
    for (uint32_t i = 0; i < 50; i++) {
        const ecg_sample *s = ecg_dataset_sample(d, i);
        const uint32_t k = 49 - (uint32_t)atoi(s->name);
        ck_assert_uint_eq(s->label, 1 - k % 2);
        ck_assert_int_eq(s->patient == NULL, k % 5 == 0);
        ck_assert_int_eq(s->split != NULL, k % 4 == 0);
    }
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader *l = NULL;
    p.profile = ECG_PROFILE_KERAS;
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), err, ECG_EINVAL, "profile 'correct'");
    ecg_dataset_free(d);
}
END_TEST

START_TEST(refused)
{
    const char *pack = fresh("pack");
    ecg_pack_options o = writer_options();
    ecg_pack_writer *w = NULL;
    uint8_t px[SIDE * SIDE] = {0};
    const char *bad[] = {"p", "tset"}, *fine[] = {"p", "train"};
    static const struct {
        const char *name, *message;
        uint32_t label;
        size_t n;
        bool bad;
    } cases[] = {{"", "a name of 1 to", 0, sizeof px, false},
                 {"x", "has label 2", 2, sizeof px, false},
                 {"x", "has 143 pixels", 0, sizeof px - 1, false},
                 {"x", "has 0 bytes", 0, 0, false},
                 {"x", "the split of x is \"tset\"", 0, sizeof px, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_ok(ecg_pack_writer_new(&w, pack, &o, &err), err);
        ck_ok(ecg_pack_writer_add(w, "fine", 0, fine, px, sizeof px, &err), err);
        ck_fails(ecg_pack_writer_add(w, cases[i].name, cases[i].label, cases[i].bad ? bad : fine, px,
                                     cases[i].n, &err),
                 err, ECG_EINVAL, cases[i].message);
        ck_fails(ecg_pack_writer_finish(w, NULL, &err), err, ECG_EINVAL, "could not be added");
        ck_assert_int_ne(access(pack, F_OK), 0);
    }
    for (uint32_t k = 0; k < 2; k++) { /* of one class, of two */
        ck_ok(ecg_pack_writer_new(&w, pack, &o, &err), err);
        ck_ok(ecg_pack_writer_add(w, "again", 0, fine, px, sizeof px, &err), err);
        ck_ok(ecg_pack_writer_add(w, "other", 1, fine, px, sizeof px, &err), err);
        ck_ok(ecg_pack_writer_add(w, "again", k, fine, px, sizeof px, &err), err);
        ck_fails(ecg_pack_writer_finish(w, NULL, &err), err, ECG_EINVAL,
                 k ? "\"again\" is of class a and of class b" : "two pictures are named \"again\"");
    }
    ck_ok(ecg_pack_writer_new(&w, pack, &o, &err), err);
    ck_fails(ecg_pack_writer_finish(w, NULL, &err), err, ECG_EINVAL, "no pictures");
    const char *const twice[] = {"a", "a"};
    o.classes = twice;
    ck_fails(ecg_pack_writer_new(&w, pack, &o, &err), err, ECG_EINVAL, "class \"a\" is given twice");
    o = writer_options();
    o.columns = twice;
    ck_fails(ecg_pack_writer_new(&w, pack, &o, &err), err, ECG_EINVAL, "column \"a\" is given twice");
    o.class_count = 0;
    ck_fails(ecg_pack_writer_new(&w, pack, &o, &err), err, ECG_EINVAL, "no classes");
    o = writer_options();
    ck_fails(ecg_pack_writer_new(&w, unit_tmp(""), &o, &err), err, ECG_EINVAL, "is not empty");
}
END_TEST

/* What a manifest may not say, by line; and that nothing is left of a pack that failed. */
START_TEST(manifests)
{
    static const struct {
        const char *text, *message;
        ecg_status status;
    } cases[] = {
        {"", "empty", ECG_EFORMAT},
        {"image,class\n", "no pictures", ECG_EINVAL},
        {"picture,class\n", "no column \"image\"", ECG_EFORMAT},
        {"image,class,class\n", "two columns are named \"class\"", ECG_EFORMAT},
        {"image,class\na.png,A\n../a.png,A\n", "manifest.csv:3: the image \"../a.png\" has a \"..\"",
         ECG_EFORMAT},
        {"image,class\na.png,A\n\n\nb.png\n", "manifest.csv:5: 1 fields, expected 2", ECG_EFORMAT},
        {"image,class\na.png,\n", "manifest.csv:2: the class is empty", ECG_EFORMAT},
        {"image,class,split\na.png,A,tset\n", "manifest.csv:2: the split is \"tset\"", ECG_EFORMAT},
        {"image,class\na.png,A\n./b.png,B\nb.png,B\n", "line 4: the image \"b.png\" stands in line 3",
         ECG_EFORMAT},
        {"image,class\na.png,A\nb.png,B\na.png,B\n", "\"a.png\" is of class A and of class B", ECG_EINVAL},
        {"image,class\na.png,A\nc.png,B\n", "c.png", ECG_EIO},
        {"image,class\na.png,A\nempty.png,B\n", "empty.png: is empty", ECG_EFORMAT},
        {"image,class\n\"a.png,A\n", "a quote is opened", ECG_EFORMAT},
    };
    const char *root = tree_new("data"), *pack = fresh("pack");
    save(root, "a.png", 1);
    save(root, "b.png", 2);
    tree_write(root, "empty.png", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tree_write(root, "manifest.csv", cases[i].text);
        ck_fails(ecg_pack_make(pack, root, NULL, NULL, &err), err, cases[i].status, cases[i].message);
        ck_assert_int_ne(access(pack, F_OK), 0);
        char partial[2000];
        snprintf(partial, sizeof partial, "%s.partial-%ld", pack, (long)getpid());
        ck_assert_int_ne(access(partial, F_OK), 0);
    }
    /* CRLF, a byte order mark, empty lines by the thousand, and no line end at the end. */
    FILE *f = fopen(tree_path(root, "manifest.csv"), "wb");
    fputs("\xEF\xBB\xBFimage,class\r\na.png,A\r\n", f);
    for (int i = 0; i < 2000000; i++)
        fputc('\n', f);
    fputs("\"b.png\",\"B\n,\"\"2\"", f);
    ck_assert_int_eq(fclose(f), 0);
    ck_ok(ecg_pack_make(pack, root, NULL, NULL, &err), err);
    ecg_dataset *d = open_set(pack, NULL);
    ck_assert_uint_eq(ecg_dataset_samples(d), 2);
    ck_assert_str_eq(ecg_dataset_class(d, 1), "B\n,\"2");
    ck_fails(ecg_pack_make(pack, root, NULL, NULL, &err), err, ECG_EINVAL, "is not empty");
    ck_fails(ecg_pack_make(fresh("again"), pack, NULL, NULL, &err), err, ECG_EINVAL, "a pack already");
    ecg_dataset_free(d);
}
END_TEST

START_TEST(coloured)
{
    const char *root = tree_new("data"), *pack = fresh("pack");
    uint8_t px[SIDE * SIDE * 3] = {0};
    const ecg_image v = {px, SIDE, SIDE, 3, 3 * SIDE};
    ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
    o.pixels = 1;
    save(root, "A/1.png", 1);
    ck_ok(ecg_image_save_png(&v, tree_path(root, "B/1.png"), &err), err); /* black, in three channels */
    ck_ok(ecg_pack_make(pack, root, &o, NULL, &err), err);
    px[77] = 1;
    ck_ok(ecg_image_save_png(&v, tree_path(root, "B/1.png"), &err), err);
    ck_fails(ecg_pack_make(fresh("other"), root, &o, NULL, &err), err, ECG_EUNSUPPORTED,
             "B/1.png: is coloured");
    const ecg_image small = {px, SIDE - 1, SIDE, 1, SIDE};
    px[77] = 0;
    ck_ok(ecg_image_save_png(&small, tree_path(root, "B/1.png"), &err), err);
    ck_fails(ecg_pack_make(fresh("other"), root, &o, NULL, &err), err, ECG_EINVAL, "B/1.png: is 12x11");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pack");
    TCase *t = tcase_create("pack");
    tcase_add_loop_test(t, as_a_folder, 0, 2);
    tcase_add_test(t, options);
    tcase_add_test(t, writer);
    tcase_add_test(t, refused);
    tcase_add_test(t, manifests);
    tcase_add_test(t, coloured);
    suite_add_tcase(s, t);
    return unit_run(s);
}
