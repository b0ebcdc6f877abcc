/* Pictures that change between the listing, the first reading and the epochs: gone, cut short, of another
 * size, or become something that is no file. Always a status and the file's name, never a wait. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/un.h>

#include "ecgcnn/train.h"
#include "tree.h"

static ecg_error err;

enum { SIDE = 10, PICTURES = 12 };

static void write_picture(const char *path, uint32_t side, uint32_t k)
{
    uint8_t px[4 * SIDE * SIDE];
    for (uint32_t i = 0; i < side * side; i++)
        px[i] = (uint8_t)(i * (k % 3 + 1) + k * 40);
    const ecg_image img = {px, side, side, 1, side};
    ck_ok(ecg_image_save_png(&img, path, &err), err);
}

static const char *make_tree(const char *name)
{
    const char *root = tree_new(name);
    for (uint32_t k = 0; k < PICTURES; k++) {
        char file[32];
        snprintf(file, sizeof file, "c%u/%02u.png", k % 2, k);
        write_picture(tree_path(root, file), SIDE, k);
    }
    return root;
}

/* ---- What may become of a file ---- */

static void vanish(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static void empty(const char *path)
{
    ck_assert_int_eq(truncate(path, 0), 0);
}

static void cut(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(truncate(path, st.st_size - 20), 0);
}

static void fill(const char *path) /* the same size, other bytes */
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(truncate(path, 0) | truncate(path, st.st_size), 0);
}

static void folder(const char *path)
{
    vanish(path);
    ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void fifo(const char *path)
{
    vanish(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void device(const char *path)
{
    vanish(path);
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

static void loop(const char *path)
{
    vanish(path);
    ck_assert_int_eq(symlink(path, path), 0);
}

static void open_socket(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    vanish(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    /* An address is short: by way of the folder. */
    char dir[1024];
    ck_assert_ptr_nonnull(getcwd(dir, sizeof dir));
    const char *slash = strrchr(path, '/');
    char parent[1200];
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    ck_assert_int_eq(chdir(parent), 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", slash + 1);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(chdir(dir), 0);
    close(fd);
}

static const struct {
    void (*change)(const char *path);
    ecg_status status;
    const char *part;
} changes[] = {
    {vanish, ECG_EIO, "cannot open"},      {empty, ECG_EFORMAT, "is empty"},
    {cut, ECG_ECORRUPT, "truncated"},      {fill, ECG_EFORMAT, "begins with byte 0x00"},
    {folder, ECG_EIO, "is a folder"},      {fifo, ECG_EIO, "is a pipe"},
    {device, ECG_EIO, "is a device"},      {loop, ECG_EIO, "cannot open"},
    {open_socket, ECG_EIO, "cannot open"},
};

/* Between the listing and the first reading. */
START_TEST(before_reading)
{
    const char *root = make_tree("before");
    const ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_dataset *d = NULL;
    ecg_loader *l = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    changes[_i].change(tree_path(root, "c1/05.png"));
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err, changes[_i].status, changes[_i].part);
    ck_assert_ptr_nonnull(strstr(err.message, "c1/05.png"));
    o.skip_bad = 1;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    ck_assert_uint_eq(ecg_loader_skipped(l), 1);
    ck_assert_uint_eq(ecg_loader_count(l), PICTURES - 1);
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

typedef struct watch {
    const char *path;
    int change, epochs;
} watch;

static int after_epoch(void *payload, const ecg_epoch *e)
{
    watch *w = payload;
    w->epochs = (int)e->index;
    if (e->index == 1)
        changes[w->change].change(w->path);
    return 0;
}

/* While training reads pictures anew in each epoch. */
START_TEST(during_training)
{
    const char *root = make_tree("during");
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_train_options t = ECG_TRAIN_OPTIONS_INIT;
    ecg_dataset *d = NULL;
    ecg_loader *l = NULL;
    ecg_spec *spec = NULL;
    ecg_trainer *trainer = NULL;
    p.h = p.w = 8;
    o.cache_bytes = 1; /* none fits */
    t.epochs = 3;
    t.batch = 4;
    t.threads = 2;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    ck_assert_uint_eq(ecg_loader_cached(l), 0);
    ck_ok(ecg_spec_parse(&spec, "input 8x8x1; flatten; dense 2; softmax", NULL, 2, &err), err);
    ck_ok(ecg_trainer_new(&trainer, spec, &t, &err), err);
    static const char *const classes[] = {"c0", "c1"};
    const ecg_model_info info = {.size = sizeof info, .preprocess = &p, .classes = classes};
    watch w = {tree_path(root, "c0/04.png"), _i, 0};
    const ecg_fit_hooks hooks = {.size = sizeof hooks, .epoch = after_epoch, .payload = &w};
    const ecg_source source = ecg_loader_source(l);
    char model[1100];
    snprintf(model, sizeof model, "%s", tree_path(root, "m.ecgm"));
    ck_fails(ecg_trainer_fit(trainer, &source, NULL, &info, model, &hooks, &err), err, changes[_i].status,
             changes[_i].part);
    ck_assert_ptr_nonnull(strstr(err.message, "c0/04.png"));
    ck_assert_int_eq(w.epochs, 1);
    ecg_model *m = NULL; /* of the first epoch */
    ck_ok(ecg_model_load(&m, model, NULL, &err), err);
    ecg_model_free(m);
    ecg_trainer_free(trainer);
    ecg_spec_free(spec);
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

/* Another size is no reason to stop: it is brought to the size that is wanted, as the first was. */
START_TEST(another_size)
{
    const char *root = make_tree("size");
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_dataset *d = NULL;
    ecg_loader *l = NULL;
    uint8_t px[8 * 8];
    p.h = p.w = 8;
    o.cache_bytes = 1;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    write_picture(tree_path(root, "c0/00.png"), 2 * SIDE, 1);
    ck_ok(ecg_loader_read(l, 0, px, &err), err);
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

/* Names that are hard to print are read, and named in one line. */
START_TEST(names_of_every_kind)
{
    const char *root = tree_new("names");
    char longest[300] = "a/";
    memset(longest + 2, 'n', 251);
    strcpy(longest + 253, ".png");
    const char *const names[] = {longest, "a/line\nend.png", "a/tab\t.png", "a/\xff\xc0.png",
                                 "b/\x01\x7f.png"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        write_picture(tree_path(root, names[i]), SIDE, (uint32_t)i);
    ecg_dataset *d = NULL;
    ecg_loader *l = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ck_assert_uint_eq(ecg_dataset_samples(d), sizeof names / sizeof names[0]);
    const ecg_preprocess p = ECG_PREPROCESS_INIT;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), err);
    ecg_loader_free(l);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) { /* each in turn as the one that is named */
        vanish(tree_path(root, names[i]));
        ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), err, ECG_EIO, "cannot open");
        for (const char *c = err.message; *c; c++)
            ck_assert_msg((unsigned char)*c >= 0x20 && *c != 0x7f, "a control byte in the message");
        write_picture(tree_path(root, names[i]), SIDE, (uint32_t)i);
    }
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("vanish");
    TCase *t = tcase_create("vanish");
    const int count = (int)(sizeof changes / sizeof changes[0]);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, before_reading, 0, count);
    tcase_add_loop_test(t, during_training, 0, count);
    tcase_add_test(t, another_size);
    tcase_add_test(t, names_of_every_kind);
    suite_add_tcase(s, t);
    return unit_run(s);
}
