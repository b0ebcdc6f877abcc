#define _GNU_SOURCE
#include "data/manifest.h"

#include "data/csv.h"
#include "ecgcnn/data.h"
#include "tree.h"

static ecg_error err;
static const struct ecg__class_set any;

static ecg_status parse(struct ecg__listing *l, const char *text, size_t n)
{
    static char root[] = "root";
    ck_ok(ecg__listing_init(l, root, &err), err);
    return ecg__manifest_parse(l, text, n, "m.csv", &any, &err);
}

static const char *at(const struct ecg__listing *l, size_t offset)
{
    return l->text.bytes + offset;
}

/* What each text lists: "name|class|patient|split" a picture. */
static const struct {
    const char *text, *want[4];
} good[] = {
    {"image,class\na.png,N\n", {"root/a.png|N||"}},
    {"image,class\r\na.png,N\r\nb.png,L", {"root/a.png|N||", "root/b.png|L||"}},
    {"\xEF\xBB\xBFimage,class\na.png,N\n", {"root/a.png|N||"}},
    {"\n\r\nimage,class\n\n\na.png,N\n\n", {"root/a.png|N||"}},
    {"class,x,image\nN,1,a.png\n", {"root/a.png|N||"}},
    {"image,class\n\"a,b.png\",\"N \"\"x\"\"\"\n", {"root/a,b.png|N \"x\"||"}},
    {"\"image\",\"class\"\n\"a\nb.png\",\"\"\"\"\nc.png,N\n", {"root/a\nb.png|\"||", "root/c.png|N||"}},
    {"image,class,patient,record,split\na.png,N,p1,100,train\nb.png,N,,101,\n",
     {"root/a.png|N|p1|train", "root/b.png|N||"}},
    {"image,class,record,split\na.png,N,100,val\nb.png,N,101,test\n",
     {"root/a.png|N|100|val", "root/b.png|N|101|test"}},
    {"image,class\n./x//y/./a.png,N\n", {"root/x/y/a.png|N||"}},
    {"image,class\n..a/b..png,N\n...,L\n", {"root/..a/b..png|N||", "root/...|L||"}},
    {"image,class,,\na.png,N,,\n", {"root/a.png|N||"}},
    {"image,class\na b.png, N \n", {"root/a b.png| N ||"}},
    {"image,class\n", {NULL}},
};

START_TEST(test_good)
{
    struct ecg__listing l;
    const size_t i = (size_t)_i;
    ck_ok(parse(&l, good[i].text, strlen(good[i].text)), err);
    size_t n = 0;
    for (; n < 4 && good[i].want[n]; n++) {
        ck_assert_uint_lt(n, l.count);
        char line[256];
        const struct ecg__entry *e = &l.entry[n];
        snprintf(line, sizeof line, "%s|%s|%s|%s", at(&l, e->path), at(&l, e->cls), at(&l, e->patient),
                 at(&l, e->split));
        ck_assert_str_eq(line, good[i].want[n]);
    }
    ck_assert_uint_eq(l.count, n);
    ecg__listing_free(&l);
}
END_TEST

static const struct {
    const char *text, *part;
    size_t n; /* 0: strlen */
} bad[] = {
    {"", "m.csv:1: empty", 0},
    {"\n\n", "m.csv:3: empty", 0},
    {"image\na.png\n", "m.csv:1: no column \"class\" among 1", 0},
    {"file;class\n", "m.csv:1: no column \"image\" among 1, the first is \"file;class\"", 0},
    {"image,class,image\n", "m.csv:1: two columns are named \"image\"", 0},
    {"image,class\na.png\n", "m.csv:2: 1 fields, expected 2", 0},
    {"image,class\na.png,N,\n", "m.csv:2: 3 fields, expected 2", 0},
    {"image,class\na.png,\n", "m.csv:2: the class is empty", 0},
    {"image,class\n,N\n", "m.csv:2: the image \"\" is empty", 0},
    {"image,class\n\n/a.png,N\n", "m.csv:3: the image \"/a.png\" is absolute", 0},
    {"image,class\n./a/../b.png,N\n", "m.csv:2: the image \"./a/../b.png\" has a \"..\" part", 0},
    {"image,class\n..,N\n", "has a \"..\" part", 0},
    {"image,class\na/..,N\n", "has a \"..\" part", 0},
    {"image,class\na/,N\n", "names a folder", 0},
    {"image,class\n.,N\n", "names a folder", 0},
    {"image,class\na/.,N\n", "names a folder", 0},
    {"image,class\na.png,N\nb.png,N\n./a.png,L\n", "m.csv:4: the image \"a.png\" stands in line 2 already",
     0},
    {"image,class\na.png,N\na.png,N\na.png,N\n", "m.csv:3: the image \"a.png\" stands in line 2", 0},
    {"image,class\nb,N\nb,N\na,N\na,N\n", "m.csv:3: the image \"b\" stands in line 2", 0},
    {"image,class,split\na.png,N,Train\n", "m.csv:2: the split is \"Train\"", 0},
    {"image,class\n\"a.png,N\nb.png,N\n", "m.csv:2: a quote is opened and never closed", 0},
    {"image,class\n\"a\n\n\"x,N\n", "m.csv:4: text after a closing quote", 0},
    {"image,class\n\"a\n.png\",N\nb.png\n", "m.csv:4: 1 fields", 0},
    {"image,class\na\"b.png,N\n", "m.csv:2: a quote inside a field", 0},
    {"image,class\ra.png,N\r", "m.csv:1: a carriage return", 0},
    {"image,class\na\0b.png,N\n", "m.csv:2: a zero byte", 22},
    {"image,class\n\"a\0b.png\",N\n", "m.csv:2: a zero byte", 24},
    {"\xFF\xFEi\0m\0", "m.csv:1: a zero byte", 6},
};

START_TEST(test_bad)
{
    struct ecg__listing l;
    const size_t i = (size_t)_i, n = bad[i].n ? bad[i].n : strlen(bad[i].text);
    ck_fails(parse(&l, bad[i].text, n), err, ECG_EFORMAT, bad[i].part);
    ecg__listing_free(&l);
}
END_TEST

/* Any text cut anywhere is read or refused, never more than its bytes (the copy has no terminator). */
START_TEST(test_cut_anywhere)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (size_t n = 0; n <= strlen(good[i].text); n++) {
            char *copy = malloc(n ? n : 1);
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, good[i].text, n);
            struct ecg__listing l;
            const ecg_status st = parse(&l, copy, n);
            ck_assert(st == ECG_OK || st == ECG_EFORMAT);
            ecg__listing_free(&l);
            free(copy);
        }
}
END_TEST

/* A text of `n` times one part, between two others. */
static char *repeat(const char *before, const char *part, size_t n, const char *after)
{
    const size_t b = strlen(before), m = strlen(part);
    char *text = malloc(b + n * m + strlen(after) + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, before, b);
    for (size_t i = 0; i < n; i++)
        memcpy(text + b + i * m, part, m);
    strcpy(text + b + n * m, after);
    return text;
}

START_TEST(test_limits)
{
    struct ecg__listing l;
    char *text = repeat("image,class\n", "a", ECG__CSV_RECORD - 1, ",N\n");
    ck_ok(parse(&l, text, strlen(text)), err);
    ck_assert_uint_eq(strlen(at(&l, l.entry[0].path)), ECG__CSV_RECORD - 1 + 5);
    ecg__listing_free(&l);
    free(text);

    text = repeat("image,class\n", "a", ECG__CSV_RECORD, ",N\n");
    ck_fails(parse(&l, text, strlen(text)), err, ECG_ELIMIT, "m.csv:2: a line of more than");
    ecg__listing_free(&l);
    free(text);

    text = repeat("image,class\n\"a", "\n", ECG__CSV_RECORD + 1, "\",N\n");
    ck_fails(parse(&l, text, strlen(text)), err, ECG_ELIMIT, "m.csv:2: a line of more than");
    ecg__listing_free(&l);
    free(text);

    text = repeat("image,class", ",", ECG__CSV_FIELDS - 2, "\n");
    ck_ok(parse(&l, text, strlen(text)), err);
    ecg__listing_free(&l);
    free(text);

    text = repeat("image,class", ",", ECG__CSV_FIELDS - 1, "\n");
    ck_fails(parse(&l, text, strlen(text)), err, ECG_ELIMIT, "m.csv:1: more than 256 columns");
    ecg__listing_free(&l);
    free(text);
}
END_TEST

static ecg_status open_manifest(ecg_dataset **d, const char *text, const char *const *classes, uint32_t count,
                                uint32_t ignore)
{
    const char *root = tree_new("manifest");
    tree_write(root, "manifest.csv", text);
    tree_write(root, "folder/p.png", "x"); /* not looked for */
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.classes = classes;
    o.class_count = count;
    o.ignore_unknown = ignore;
    return ecg_dataset_open(d, root, &o, &err);
}

START_TEST(test_dataset_from_manifest)
{
    ecg_dataset *d = NULL;
    ck_ok(open_manifest(&d, "image,class,patient\nx/2.png,b,P\nx/10.png,b,Q\ny.jpg,a,P\nz,b,P\n", NULL, 0, 0),
          err);
    ck_assert_uint_eq(ecg_dataset_classes(d), 2);
    ck_assert_str_eq(ecg_dataset_class(d, 0), "a");
    static const char *const names[] = {"y.jpg", "x/10.png", "x/2.png", "z"}, *const who[] = {"P", "Q", "P",
                                                                                              "P"};
    ck_assert_uint_eq(ecg_dataset_samples(d), 4);
    for (size_t i = 0; i < 4; i++) {
        const ecg_sample *s = ecg_dataset_sample(d, i);
        ck_assert_str_eq(s->name, names[i]);
        ck_assert_str_eq(s->patient, who[i]);
        ck_assert_uint_eq(s->label, i > 0);
        ck_assert(strstr(s->path, "/manifest/") != NULL && strstr(s->path, names[i]) != NULL);
    }
    ck_assert_int_eq(ecg_dataset_has_patients(d), 1);
    ecg_dataset_free(d);

    ck_ok(open_manifest(&d, "image,class,patient\na,A,P\nb,A,\n", NULL, 0, 0), err);
    ck_assert_int_eq(ecg_dataset_has_patients(d), 0);
    ecg_dataset_free(d);
    ck_fails(open_manifest(&d, "image,class\n", NULL, 0, 0), err, ECG_EINVAL,
             "no pictures in its manifest.csv");
}
END_TEST

START_TEST(test_fixed_classes)
{
    static const char *const classes[] = {"z", "b", "empty"};
    static const char text[] = "image,class\n1,b\n2,z\n3,x\n4,b\n5,x\n6,y\n";
    ecg_dataset *d = NULL;
    ck_fails(open_manifest(&d, text, classes, 3, 0), err, ECG_EINVAL,
             "manifest.csv:4: class \"x\" is not among the 3 classes expected");
    ck_assert_ptr_null(d);
    ck_ok(open_manifest(&d, text, classes, 3, 1), err);
    ck_assert_uint_eq(ecg_dataset_ignored(d), 2);
    ck_assert_uint_eq(ecg_dataset_classes(d), 3);
    static const size_t counts[] = {1, 2, 0};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_str_eq(ecg_dataset_class(d, i), classes[i]);
        ck_assert_uint_eq(ecg_dataset_class_samples(d, i), counts[i]);
    }
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->name, "2");
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_unreadable_manifest)
{
    ecg_dataset *d = NULL;
    const char *root = tree_new("unreadable");
    tree_write(root, "manifest.csv/", "");
    tree_write(root, "a/p.png", "x");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EIO, "manifest.csv: not a regular file");
    root = tree_new("unreadable");
    tree_write(root, "a/p.png", "x");
    tree_link(root, "manifest.csv", "nowhere");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EIO, "manifest.csv: cannot open");
    root = tree_new("unreadable");
    ck_assert_int_eq(mkfifo(tree_path(root, "manifest.csv"), 0600), 0);
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EIO, "manifest.csv: not a regular file");
    root = tree_new("unreadable");
    tree_write(root, "manifest.csv", "");
    ck_assert_int_eq(truncate(tree_path(root, "manifest.csv"), ECG__MANIFEST_BYTES + 1L), 0);
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_ELIMIT, "manifest.csv: 268435457 bytes");
    ck_assert_ptr_null(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("manifest");
    TCase *t = tcase_create("text");
    tcase_add_loop_test(t, test_good, 0, (int)(sizeof good / sizeof *good));
    tcase_add_loop_test(t, test_bad, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(t, test_cut_anywhere);
    tcase_add_test(t, test_limits);
    suite_add_tcase(s, t);
    t = tcase_create("file");
    tcase_add_test(t, test_dataset_from_manifest);
    tcase_add_test(t, test_fixed_classes);
    tcase_add_test(t, test_unreadable_manifest);
    suite_add_tcase(s, t);
    return unit_run(s);
}
