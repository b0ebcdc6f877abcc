#define _GNU_SOURCE
#include "data/scan.h"

#include <sys/stat.h>

#include "ecgcnn/data.h"
#include "tree.h"

static ecg_error err;

static ecg_dataset *open_ok(const char *root)
{
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    return d;
}

/* The dataset's names are exactly these, in this order. */
static void expect(const ecg_dataset *d, const char *const *names)
{
    size_t n = 0;
    for (; names[n]; n++) {
        ck_assert_msg(n < ecg_dataset_samples(d), "%s is missing", names[n]);
        ck_assert_str_eq(ecg_dataset_sample(d, n)->name, names[n]);
    }
    ck_assert_uint_eq(ecg_dataset_samples(d), n);
}

START_TEST(test_order_and_choice)
{
    const char *root = tree_new("order");
    tree_fill(root, (const char *[]){"b/img10.png",     "b/img2.png",    "b/IMG1.PNG",  "B/x.JpEg",
                                     "a/m.jpg",         "a/zz.jpg",      "a/notes.txt", "a/k.gif",
                                     "a/fakepng",       "a/.hidden.png", "a/png",       "10/a.png",
                                     "2/a.png",         "loose.png",     ".git/a.png",  "a/.cache/a.png",
                                     "empty/readme.md", "a/x.png.bak",   "none/",       NULL});
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){"10/a.png", "2/a.png", "B/x.JpEg", "a/m.jpg", "a/zz.jpg", "b/IMG1.PNG",
                               "b/img10.png", "b/img2.png", NULL});
    static const char *const classes[] = {"10", "2", "B", "a", "b", "empty", "none"};
    static const size_t counts[] = {1, 1, 1, 2, 3, 0, 0};
    ck_assert_uint_eq(ecg_dataset_classes(d), 7);
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_str_eq(ecg_dataset_class(d, i), classes[i]);
        ck_assert_uint_eq(ecg_dataset_class_samples(d, i), counts[i]);
    }
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_nested)
{
    const char *root = tree_new("nested");
    tree_fill(root, (const char *[]){"a/z/y.png", "a/z-1/q.png", "a/z/k/n.png", "a/m.png", "a/zz.jpg",
                                     "a/d.png/e.png", NULL});
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){"a/d.png/e.png", "a/m.png", "a/z-1/q.png", "a/z/k/n.png", "a/z/y.png",
                               "a/zz.jpg", NULL});
    for (size_t i = 0; i < ecg_dataset_samples(d); i++)
        ck_assert_uint_eq(ecg_dataset_sample(d, i)->label, 0);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_awkward_names)
{
    static const char *const names[] = {" / .png",
                                        "\"q\"/'s'.png",
                                        "-rf/--help.png",
                                        "\xC3\xA9/\xE5\xBF\x83.png",
                                        "a\nb/c\nd.PNG",
                                        "bad\xFF\xFE/\x80.jpg",
                                        "p%s%n/%d.png",
                                        "a,b/c,d.png",
                                        "tab\there/back\\slash.jpeg",
                                        NULL};
    const char *root = tree_new("awk ward");
    tree_fill(root, names);
    ecg_dataset *d = open_ok(root);
    ck_assert_uint_eq(ecg_dataset_samples(d), 9);
    ck_assert_uint_eq(ecg_dataset_classes(d), 9);
    for (size_t k = 0; names[k]; k++) {
        size_t found = 0;
        for (size_t i = 0; i < 9; i++) {
            const ecg_sample *s = ecg_dataset_sample(d, i);
            if (strcmp(s->name, names[k]) != 0)
                continue;
            found++;
            const char *cls = ecg_dataset_class(d, s->label);
            ck_assert(strncmp(cls, names[k], strlen(cls)) == 0 && names[k][strlen(cls)] == '/');
            ck_assert_int_eq(access(s->path, R_OK), 0);
        }
        ck_assert_msg(found == 1, "%s found %zu times", names[k], found);
    }
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_trailing_slashes)
{
    const char *root = tree_new("slash");
    tree_write(root, "c/p.png", "x");
    char with[1100], want[1100];
    snprintf(with, sizeof with, "%s///", root);
    snprintf(want, sizeof want, "%s/c/p.png", root);
    ecg_dataset *d = open_ok(with);
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->path, want);
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->name, "c/p.png");
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_links)
{
    const char *root = tree_new("links");
    tree_fill(root, (const char *[]){"a/p.png", "a/sub/q.png", NULL});
    tree_link(root, "b", "a");                /* a class folder by link is used */
    tree_link(root, "a/file.png", "p.png");   /* a picture by link is used */
    tree_link(root, "a/gone.png", "nowhere"); /* listed; the loader fails with its name */
    tree_link(root, "a/gone.txt", "nowhere");
    tree_link(root, "a/up", ".."); /* folders by link below a class are not followed */
    tree_link(root, "a/dir.png", "sub");
    tree_link(root, "self", "self"); /* leads nowhere: not a folder */
    tree_link(root, "a/self.png", "self.png");
    tree_link(root, "a/sub/loop", "../../a");
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){"a/file.png", "a/gone.png", "a/p.png", "a/self.png", "a/sub/q.png",
                               "b/file.png", "b/gone.png", "b/p.png", "b/self.png", "b/sub/q.png", NULL});
    ck_assert_uint_eq(ecg_dataset_classes(d), 2);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_link_to_root)
{
    const char *root = tree_new("linkroot");
    tree_write(root, "a/p.png", "x");
    tree_link(root, "all", ".");
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){"a/p.png", "all/a/p.png", NULL});
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_pipe_is_listed)
{
    const char *root = tree_new("pipe");
    ck_assert_int_eq(mkfifo(tree_path(root, "a/p.png"), 0600), 0);
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){"a/p.png", NULL});
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_depth)
{
    const char *root = tree_new("depth");
    char name[1024] = "c/";
    for (int i = 0; i < ECG__SCAN_DEPTH; i++)
        strcat(name, "d/");
    const size_t n = strlen(name);
    strcpy(name + n, "p.png");
    tree_write(root, name, "x");
    ecg_dataset *d = open_ok(root);
    expect(d, (const char *[]){name, NULL});
    ecg_dataset_free(d);

    strcpy(name + n, "e/p.png");
    tree_write(root, name, "x");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_ELIMIT, "d/e: more than 64 folders deep");
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(test_missing)
{
    ecg_dataset *d = NULL;
    ck_fails(ecg_dataset_open(&d, unit_tmp("not-there"), NULL, &err), err, ECG_EIO, "not-there: cannot open");
    ck_assert_ptr_null(d);
    const char *root = tree_new("plain");
    tree_write(root, "file", "x");
    ck_fails(ecg_dataset_open(&d, tree_path(root, "file"), NULL, &err), err, ECG_EIO,
             "plain/file: cannot open");
    ck_fails(ecg_dataset_open(&d, "", NULL, &err), err, ECG_EINVAL, "empty");
    ck_fails(ecg_dataset_open(&d, NULL, NULL, &err), err, ECG_EINVAL, "no folder");
    ck_assert_int_eq(ecg_dataset_open(&d, "", NULL, NULL), ECG_EINVAL);
}
END_TEST

START_TEST(test_nothing_in_it)
{
    ecg_dataset *d = NULL;
    const char *root = tree_new("bare");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EINVAL, "no class folders");
    tree_write(root, "p.png", "x");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EINVAL, "1 pictures lie loose");
    tree_write(root, "a/readme.txt", "x");
    ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EINVAL, "no pictures (.png, .jpg, .jpeg)");
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(test_one_class)
{
    const char *root = tree_new("one");
    tree_write(root, "only/p.png", "x");
    ecg_dataset *d = open_ok(root);
    ck_assert_uint_eq(ecg_dataset_classes(d), 1);
    ck_assert_uint_eq(ecg_dataset_samples(d), 1);
    ck_assert_int_eq(ecg_dataset_has_patients(d), 0);
    ck_assert_ptr_null(ecg_dataset_sample(d, 0)->patient);
    ck_assert_ptr_null(ecg_dataset_sample(d, 0)->split);
    ck_assert_ptr_null(ecg_dataset_sample(d, 1));
    ck_assert_ptr_null(ecg_dataset_class(d, 1));
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_no_permission)
{
    if (geteuid() == 0) {
        puts("SKIP test_no_permission: root may read everything");
        return;
    }
    const char *root = tree_new("locked");
    tree_fill(root, (const char *[]){"a/p.png", "b/sub/q.png", NULL});
    ecg_dataset *d = NULL;
    static const char *const folders[] = {"b/sub/", "b/", ""};
    static const char *const parts[] = {"b/sub: cannot open the folder", "b: cannot open the folder",
                                        "locked"};
    for (int i = 0; i < 3; i++) {
        const char *path = tree_path(root, folders[i]);
        ck_assert_int_eq(chmod(path, 0), 0);
        ck_fails(ecg_dataset_open(&d, root, NULL, &err), err, ECG_EIO, parts[i]);
        ck_assert_int_eq(chmod(path, 0700), 0);
        ck_assert_ptr_null(d);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scan");
    TCase *t = tcase_create("folders");
    tcase_add_test(t, test_order_and_choice);
    tcase_add_test(t, test_nested);
    tcase_add_test(t, test_awkward_names);
    tcase_add_test(t, test_trailing_slashes);
    tcase_add_test(t, test_links);
    tcase_add_test(t, test_link_to_root);
    tcase_add_test(t, test_pipe_is_listed);
    tcase_add_test(t, test_depth);
    tcase_add_test(t, test_missing);
    tcase_add_test(t, test_nothing_in_it);
    tcase_add_test(t, test_one_class);
    tcase_add_test(t, test_no_permission);
    suite_add_tcase(s, t);
    return unit_run(s);
}
