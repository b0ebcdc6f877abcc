/* A short training and a prediction in which the n-th allocation, or the n-th system call of a kind, fails,
 * for all n until nothing fails any more. Each run ends with a status and a message of one line, gives back
 * all memory and files, and leaves a whole model: the one from before, or one of its own. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "ecgcnn/ecgcnn.h"
#include "inject/calls.h"
#include "inject/heap.h"
#include "unit/tree.h"

#include <jpeglib.h>

enum { SIDE = 8, PICTURES = 8, MOST = 100000 };

static ecg_error err;
static char data[1024], out[1024], model[1100], state[1100], picture[2][1024];
static unsigned char *before; /* the model that was there */
static size_t before_n;
static uint32_t threads;
static bool going_on; /* from a checkpoint */

/* ---- Files ---- */

static unsigned char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    *n = 0;
    if (!f)
        return NULL;
    unsigned char *b = malloc(1 << 20);
    ck_assert_ptr_nonnull(b);
    *n = fread(b, 1, 1 << 20, f);
    fclose(f);
    return b;
}

static void write_file(const char *path, const void *b, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(b, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void write_jpeg(const char *path)
{
    struct jpeg_compress_struct enc;
    struct jpeg_error_mgr errors;
    JSAMPLE px[SIDE * 3] = {9, 99, 199}, *row = px;
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    enc.err = jpeg_std_error(&errors);
    jpeg_create_compress(&enc);
    jpeg_stdio_dest(&enc, f);
    enc.image_width = enc.image_height = SIDE;
    enc.input_components = 3;
    enc.in_color_space = JCS_RGB;
    jpeg_set_defaults(&enc);
    jpeg_simple_progression(&enc);
    jpeg_start_compress(&enc, TRUE);
    while (enc.next_scanline < SIDE)
        jpeg_write_scanlines(&enc, &row, 1);
    jpeg_finish_compress(&enc);
    jpeg_destroy_compress(&enc);
    ck_assert_int_eq(fclose(f), 0);
}

/* Pictures of two classes, one of them a JPEG file, and a manifest of the patients. */
static void make_data(void)
{
    snprintf(data, sizeof data, "%s", tree_new("data"));
    snprintf(out, sizeof out, "%s", tree_new("out"));
    snprintf(model, sizeof model, "%s/model.ecgm", out);
    snprintf(state, sizeof state, "%s/state.ecgm", out);
    char manifest[1024] = "image,class,patient\n";
    for (unsigned i = 0; i < PICTURES; i++) {
        uint8_t px[(SIDE + 1) * SIDE];
        for (unsigned k = 0; k < sizeof px; k++)
            px[k] = (uint8_t)(k * (i % 2 ? 3 : 1) + 5 * i);
        const ecg_image img = {px, SIDE + 1, SIDE, 1, SIDE + 1};
        char name[32];
        snprintf(name, sizeof name, "c%u/%u.png", i % 2, i);
        ck_ok(ecg_image_save_png(&img, tree_path(data, name), &err), err);
        const size_t n = strlen(manifest);
        snprintf(manifest + n, sizeof manifest - n, "%s,c%u,p%u\n", name, i % 2, i / 2);
    }
    write_jpeg(tree_path(data, "c0/j.jpg"));
    strcat(manifest, "c0/j.jpg,c0,p9\n");
    tree_write(data, "manifest.csv", manifest);
    snprintf(picture[0], sizeof picture[0], "%s", tree_path(data, "c1/1.png"));
    snprintf(picture[1], sizeof picture[1], "%s", tree_path(data, "c0/j.jpg"));
}

/* Nothing but what belongs there. */
static void check_folder(const char *what, size_t n)
{
    DIR *d = opendir(out);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strcmp(e->d_name, "model.ecgm") != 0 && strcmp(e->d_name, "state.ecgm") != 0)
            ck_abort_msg("%s %zu: left %s behind", what, n, e->d_name);
    closedir(d);
}

/* ---- What is run ---- */

typedef struct held {
    ecg_dataset *d;
    ecg_split split;
    ecg_loader *train, *val;
    ecg_spec *spec;
    ecg_trainer *t;
    float zca[SIDE * SIDE * SIDE * SIDE];
} held;

static ecg_status load(held *h, ecg_preprocess *p, ecg_error *e)
{
    ecg_split_mode mode = ECG_SPLIT_AUTO;
    ecg_augment_options augment;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    const ecg_standardize_fit_options fit = {.size = sizeof fit, .zca = 1, .zca_epsilon = 0.1};
    p->h = p->w = SIDE;
    o.threads = threads;
    o.cache_bytes = 5 * SIDE * SIDE; /* the others are decoded again in each epoch */
    ecg_status s = ecg_augment_parse(&augment, "ecg,rotation_range=3", e);
    o.augment = &augment;
    o.balance = 1;
    const ecg_dataset_options folders = {.size = sizeof folders, .keras_rules = 1, .group_pattern = "/(.)"};
    if (s == ECG_OK)
        s = ecg_dataset_open(&h->d, data, &folders, e); /* from the folders; then from the manifest */
    ecg_dataset_free(h->d);
    h->d = NULL;
    if (s == ECG_OK)
        s = ecg_dataset_open(&h->d, data, NULL, e);
    if (s == ECG_OK)
        s = ecg_dataset_split(&h->split, h->d, 0.25, &mode, 1, e);
    if (s == ECG_OK)
        s = ecg_loader_new(&h->train, h->d, h->split.train, h->split.train_count, p, &o, e);
    o.augment = NULL;
    if (s == ECG_OK)
        s = ecg_loader_new(&h->val, h->d, h->split.val, h->split.val_count, p, &o, e);
    if (s == ECG_OK)
        s = ecg_loader_fit(h->train, &fit, h->zca, p, e);
    if (s == ECG_OK)
        s = ecg_loader_preprocess(h->train, p, e);
    if (s == ECG_OK)
        s = ecg_loader_preprocess(h->val, p, e);
    return s;
}

static ecg_status fit(held *h, const ecg_preprocess *p, ecg_error *e)
{
    static const char *const classes[] = {"c0", "c1"}, *const meta[] = {"tool", "inject", NULL};
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    ecg_fit_hooks hooks = {.size = sizeof hooks};
    o.epochs = 2;
    o.batch = 4;
    o.shards = 2;
    o.threads = threads;
    ecg_status s = ecg_spec_parse(
        &h->spec, "input 8x8x1; conv2d 2 3x3 relu; batchnorm; flatten; dense 2; softmax", NULL, 2, e);
    if (s == ECG_OK)
        s = ecg_trainer_new(&h->t, h->spec, &o, e);
    if (s != ECG_OK)
        return s;
    const ecg_model_info info = {sizeof info, p, classes, meta};
    const ecg_source train = ecg_loader_source(h->train), val = ecg_loader_source(h->val);
#ifdef ECG_CHECKPOINT_OPTIONS_INIT
    ecg_checkpoint_options checkpoint = ECG_CHECKPOINT_OPTIONS_INIT;
    checkpoint.path = state;
    checkpoint.every_steps = 1;
    checkpoint.resume = going_on ? state : NULL;
    hooks.checkpoint = &checkpoint;
#endif
    return ecg_trainer_fit(h->t, &train, &val, &info, model, &hooks, e);
}

static ecg_status train(ecg_error *e)
{
    held *h = calloc(1, sizeof *h);
    if (!h)
        return ECG_OK; /* of this program, not of the library */
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_status s = load(h, &p, e);
    if (s == ECG_OK)
        s = fit(h, &p, e);
    ecg_trainer_free(h->t);
    ecg_spec_free(h->spec);
    ecg_loader_free(h->train);
    ecg_loader_free(h->val);
    ecg_split_free(&h->split);
    ecg_dataset_free(h->d);
    free(h);
    return s;
}

static ecg_status predict(ecg_error *e)
{
    ecg_model *m = NULL;
    ecg_session *session = NULL;
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    float probs[2];
    o.threads = threads;
    ecg_status s = ecg_model_load(&m, model, NULL, e);
    if (s == ECG_OK)
        s = ecg_session_new(&session, m, &o, e);
    for (int i = 0; i < 2 && s == ECG_OK; i++)
        s = ecg_session_run_file(session, picture[i], probs, e);
    ecg_session_free(session);
    ecg_model_free(m);
    return s;
}

/* ---- Checks ---- */

typedef ecg_status scenario(ecg_error *e);

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static void whole(const char *path, const char *what, size_t n)
{
    ecg_model *m = NULL;
    ecg_error why = {ECG_OK, 0, ""};
    if (access(path, F_OK) != 0)
        return;
    const ecg_status s = ecg_model_load(&m, path, NULL, &why);
    ck_assert_msg(s == ECG_OK, "%s %zu: what it left is torn: %s", what, n, why.message);
    ecg_model_free(m);
}

/* One run with what is armed. `must`: a failure that was met must be reported, or (-1) must not. */
static bool run_once(scenario *run, const char *what, size_t n, bool (*met)(void), int must, bool exact)
{
    ecg_error e = {ECG_OK, 0, ""};
    const size_t blocks = heap_blocks();
    const int files = open_files();
    const ecg_status s = run(&e);
    const bool hit = met();
    heap_fail_at(0, false);
    calls_fail_at(CALL_OPEN, 0, 0);
    exact = exact && !strstr(e.message, "group pattern"); /* regcomp itself loses a block when memory ends */
    ck_assert_msg(!exact || heap_blocks() == blocks, "%s %zu: %zd blocks lost (%s)", what, n,
                  (ssize_t)(heap_blocks() - blocks), e.message);
    ck_assert_msg(open_files() == files, "%s %zu: a file stays open", what, n);
    ck_assert_msg(hit || s == ECG_OK, "%s %zu: failed without a cause: %s", what, n, e.message);
    if (s != ECG_OK) {
        ck_assert_msg(e.status == s && e.message[0], "%s %zu: no message", what, n);
        ck_assert_msg(!strchr(e.message, '\n'), "%s %zu: more than a line", what, n);
    }
    if (hit && must != 0)
        ck_assert_msg((s != ECG_OK) == (must > 0), "%s %zu: %s (%s)", what, n, ecg_status_name(s), e.message);
    check_folder(what, n);
    whole(model, what, n);
    whole(state, what, n);
    if (access(model, F_OK) != 0)
        ck_abort_msg("%s %zu: the model that was there is gone", what, n);
    return hit;
}

static void put_back(scenario *run, const unsigned char *checkpoint, size_t n)
{
    write_file(model, before, before_n);
    if (run == train && checkpoint)
        write_file(state, checkpoint, n);
    else
        unlink(state);
}

/* All n; returns how many there were. */
static size_t all_allocations(scenario *run, bool all, bool exact)
{
    size_t n = 1, state_n;
    unsigned char *checkpoint = going_on ? read_file(state, &state_n) : NULL;
    for (bool hit = true; hit && n < MOST; n++) {
        put_back(run, checkpoint, state_n);
        heap_fail_at(n, all);
        hit = run_once(run, all ? "allocations from" : "allocation", n, heap_failed, 0, exact);
    }
    free(checkpoint);
    return n - 2;
}

static void all_calls(scenario *run, call_kind kind, int error, int must)
{
    size_t n = 1, state_n;
    unsigned char *checkpoint = going_on ? read_file(state, &state_n) : NULL;
    for (bool hit = true; hit && n < MOST; n++) {
        put_back(run, checkpoint, state_n);
        calls_fail_at(kind, n, error);
        hit = run_once(run, calls_name(kind), n, calls_failed, must, threads == 1);
    }
    free(checkpoint);
    printf("%s: %zu, %s\n", calls_name(kind), n - 2, error > 0 ? strerror(error) : "a part only");
}

static void begin(uint32_t count)
{
    make_data();
    threads = count;
    going_on = false;
    ck_ok(train(&err), err);
    free(before);
    before = read_file(model, &before_n);
    ck_assert_ptr_nonnull(before);
    ck_ok(train(&err), err); /* what is made once and kept, is */
    ck_ok(predict(&err), err);
}

START_TEST(allocations)
{
    begin(1);
    const size_t n = all_allocations(train, false, true);
    ck_assert_uint_gt(n, 100);
    printf("training: %zu allocations, each refused once\n", n);
    printf("training: %zu, and all after it\n", all_allocations(train, true, true));
    printf("predicting: %zu allocations\n", all_allocations(predict, false, true));
    printf("predicting: %zu, and all after it\n", all_allocations(predict, true, true));
}
END_TEST

START_TEST(allocations_with_threads)
{
    begin(2);
    printf("training with two threads: %zu allocations\n", all_allocations(train, false, false));
    all_calls(train, CALL_THREAD, EAGAIN, -1);
}
END_TEST

#ifdef ECG_CHECKPOINT_OPTIONS_INIT
START_TEST(allocations_of_going_on)
{
    begin(1);
    going_on = true;
    printf("going on: %zu allocations\n", all_allocations(train, false, true));
    all_calls(train, CALL_READ, EIO, 1);
    all_calls(train, CALL_WRITE, EIO, 1);
}
END_TEST
#endif

static const struct {
    call_kind kind;
    int error, must;
} cases[] = {
    {CALL_OPEN, EMFILE, 0},  {CALL_OPEN, EACCES, 0},       {CALL_OPEN, EINTR, 0},
    {CALL_READ, EIO, 1},     {CALL_READ, EINTR, -1},       {CALL_READ, CALL_SHORT, -1},
    {CALL_WRITE, ENOSPC, 1}, {CALL_WRITE, EIO, 1},         {CALL_WRITE, EFBIG, 1},
    {CALL_WRITE, EINTR, -1}, {CALL_WRITE, CALL_SHORT, -1}, {CALL_FSYNC, EIO, 1},
    {CALL_FSYNC, EINTR, -1}, {CALL_CLOSE, EIO, 0},         {CALL_CLOSE, EINTR, -1},
    {CALL_RENAME, EIO, 1},   {CALL_RENAME, EACCES, 1},     {CALL_RENAME, ENOSPC, 1},
    {CALL_STAT, EIO, 0},     {CALL_READDIR, EIO, 0},       {CALL_FDOPENDIR, ENOMEM, 1},
    {CALL_FCHMOD, EPERM, 1}, {CALL_MMAP, ENOMEM, 0},       {CALL_MMAP, ENODEV, 0},
};

START_TEST(calls_of_training)
{
    begin(1);
    all_calls(train, cases[_i].kind, cases[_i].error, cases[_i].must);
}
END_TEST

START_TEST(calls_of_predicting)
{
    begin(1);
    all_calls(predict, cases[_i].kind, cases[_i].error, cases[_i].must);
}
END_TEST

int main(void)
{
    /* In memory where that can be: thousands of runs sync their files. */
    char dir[64];
    snprintf(dir, sizeof dir, "/dev/shm/ecg-inject-%ld", (long)getpid());
    const bool in_memory = access("/dev/shm", W_OK) == 0 && setenv("ECG_TEST_TMP", dir, 1) == 0;
    Suite *s = suite_create("inject");
    TCase *t = tcase_create("inject");
    const int count = (int)(sizeof cases / sizeof cases[0]);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, allocations);
    tcase_add_test(t, allocations_with_threads);
#ifdef ECG_CHECKPOINT_OPTIONS_INIT
    tcase_add_test(t, allocations_of_going_on);
#endif
    tcase_add_loop_test(t, calls_of_training, 0, count);
    tcase_add_loop_test(t, calls_of_predicting, 0, count);
    suite_add_tcase(s, t);
    const int code = unit_run(s);
    if (in_memory)
        nftw(dir, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
