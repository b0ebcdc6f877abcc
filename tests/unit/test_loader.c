#define _GNU_SOURCE
#include "ecgcnn/data.h"

#include "tree.h"

static ecg_error err;

enum { PICTURES = 300, SIDE = 12 };

/* A gray gradient that differs from picture to picture. */
static void write_picture(const char *path, uint32_t k)
{
    uint8_t px[SIDE * SIDE];
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        px[i] = (uint8_t)(i * (k % 5 + 1) + k * 7);
    const ecg_image img = {px, SIDE, SIDE, 1, SIDE};
    ck_ok(ecg_image_save_png(&img, path, &err), err);
}

/* PICTURES in three classes; name k is in class k % 3. */
static const char *make_tree(const char *name)
{
    const char *root = tree_new(name);
    for (uint32_t k = 0; k < PICTURES; k++) {
        char file[32];
        snprintf(file, sizeof file, "c%u/%03u.png", k % 3, k);
        write_picture(tree_path(root, file), k);
    }
    return root;
}

static ecg_dataset *open_tree(const char *root)
{
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    return d;
}

static ecg_preprocess prep(void)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = 7;
    p.w = 9;
    p.mean[0] = 0.5f;
    p.deviation[0] = 0.25f;
    return p;
}

static ecg_loader *load(const ecg_dataset *d, const uint32_t *index, size_t count, uint32_t threads)
{
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = threads;
    ecg_loader *l = NULL;
    ck_ok(ecg_loader_new(&l, d, index, count, &p, &o, &err), err);
    return l;
}

/* Loader entry i is what preprocessing makes of that one file, as pixels and as values. */
static void check_entry(const ecg_loader *l, size_t i, const ecg_sample *want)
{
    ecg_preprocess p = prep();
    ck_ok(ecg_preprocess_check(&p, &p, &err), err);
    ck_assert_ptr_eq(ecg_loader_sample(l, i), want);
    ecg_pixels *px = NULL;
    ck_ok(ecg_preprocess_load(&px, &p, want->path, &err), err);
    const ecg_image a = ecg_pixels_view(px), b = ecg_loader_image(l, i);
    ck_assert_uint_eq(b.w, 9);
    ck_assert_uint_eq(b.h, 7);
    ck_assert_uint_eq(b.c, 1);
    uint8_t packed[7 * 9];
    for (uint32_t y = 0; y < 7; y++) {
        ck_assert_mem_eq(a.px + y * a.stride, b.px + y * b.stride, 9);
        memcpy(packed + y * 9, a.px + y * a.stride, 9);
    }
    float x[7 * 9], wanted[7 * 9];
    ecg_preprocess_values(&p, packed, wanted);
    const ecg_source s = ecg_loader_source(l);
    uint32_t label = UINT32_MAX;
    ck_ok(s.fetch(s.ctx, 3, i, x, &label, &err), err);
    ck_assert_uint_eq(label, want->label);
    ck_assert_mem_eq(x, wanted, sizeof x);
    ecg_pixels_free(px);
}

START_TEST(test_all)
{
    static const uint32_t threads[] = {1, 2, 5};
    ecg_dataset *d = open_tree(make_tree("all"));
    ecg_loader *l = load(d, NULL, 0, threads[_i]);
    ck_assert_uint_eq(ecg_loader_count(l), PICTURES);
    ck_assert_uint_eq(ecg_loader_skipped(l), 0);
    ck_assert_uint_eq(ecg_loader_source(l).count, PICTURES);
    for (size_t i = 0; i < PICTURES; i++)
        check_entry(l, i, ecg_dataset_sample(d, i));
    ck_assert_ptr_null(ecg_loader_sample(l, PICTURES));
    ck_assert_ptr_null(ecg_loader_image(l, PICTURES).px);
    const ecg_source s = ecg_loader_source(l);
    float x[7 * 9];
    uint32_t label;
    ck_fails(s.fetch(s.ctx, 0, PICTURES, x, &label, &err), err, ECG_EINVAL,
             "sample 300 wanted, there are 300");
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_index)
{
    static const uint32_t index[] = {299, 0, 150, 150, 7};
    ecg_dataset *d = open_tree(make_tree("index"));
    ecg_loader *l = load(d, index, 5, 2);
    ck_assert_uint_eq(ecg_loader_count(l), 5);
    for (size_t i = 0; i < 5; i++)
        check_entry(l, i, ecg_dataset_sample(d, index[i]));
    ecg_loader_free(l);
    l = load(d, index, 0, 0);
    ck_assert_uint_eq(ecg_loader_count(l), 0);
    ecg_loader_free(l);
    ecg_loader_free(NULL);

    const uint32_t beyond[] = {0, PICTURES};
    const ecg_preprocess p = prep();
    ck_fails(ecg_loader_new(&l, d, beyond, 2, &p, NULL, &err), err, ECG_EINVAL, "entry 1 is sample 300");
    ck_assert_ptr_null(l);
    ecg_dataset_free(d);
}
END_TEST

static void spoil(const ecg_dataset *d, size_t i)
{
    FILE *f = fopen(ecg_dataset_sample(d, i)->path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs("no picture", f);
    ck_assert_int_eq(fclose(f), 0);
}

/* The first bad one in the order asked for, whatever the threads did. */
START_TEST(test_first_bad)
{
    ecg_dataset *d = open_tree(make_tree("bad"));
    spoil(d, 290);
    spoil(d, 131);
    spoil(d, 130);
    ck_assert_int_eq(unlink(ecg_dataset_sample(d, 200)->path), 0);
    const ecg_preprocess p = prep();
    static const uint32_t index[] = {1, 200, 130, 290};
    ecg_loader *l = NULL;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    for (int turn = 0; turn < 10; turn++)
        for (o.threads = 1; o.threads <= 5; o.threads += 2) {
            ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err, ECG_EFORMAT,
                     ecg_dataset_sample(d, 130)->name);
            ck_assert_int_eq(err.status, ECG_EFORMAT);
            ck_assert_ptr_null(l);
            ck_fails(ecg_loader_new(&l, d, index, 4, &p, &o, &err), err, ECG_EIO,
                     ecg_dataset_sample(d, 200)->name);
        }
    ck_assert_int_eq(ecg_loader_new(&l, d, NULL, 0, &p, NULL, NULL), ECG_EFORMAT);
    ecg_dataset_free(d);
}
END_TEST

struct seen {
    const ecg_dataset *d;
    size_t skipped, at[8];
    size_t reports, done, total, stop_after;
};

static void on_skipped(void *payload, const ecg_sample *s, const ecg_error *why)
{
    struct seen *seen = payload;
    ck_assert_uint_lt(seen->skipped, 8);
    ck_assert(strstr(why->message, s->name) != NULL);
    ck_assert_int_ne(why->status, ECG_OK);
    ck_assert_uint_eq(seen->done, seen->total); /* after decoding */
    for (size_t i = 0; i < ecg_dataset_samples(seen->d); i++)
        if (ecg_dataset_sample(seen->d, i) == s)
            seen->at[seen->skipped++] = i;
}

static int on_progress(void *payload, size_t done, size_t total)
{
    struct seen *seen = payload;
    ck_assert_uint_gt(done, seen->done);
    ck_assert_uint_le(done, total);
    seen->done = done;
    seen->total = total;
    return ++seen->reports == seen->stop_after;
}

START_TEST(test_skip_bad)
{
    static const uint32_t threads[] = {1, 2, 5};
    static const size_t bad[] = {0, 63, 64, 65, 130, 299};
    ecg_dataset *d = open_tree(make_tree("skip"));
    for (size_t i = 0; i < 6; i++)
        spoil(d, bad[i]);
    ck_assert_int_eq(unlink(ecg_dataset_sample(d, 130)->path), 0);
    struct seen seen = {.d = d};
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = threads[_i];
    o.skip_bad = 1;
    o.skipped = on_skipped;
    o.progress = on_progress;
    o.payload = &seen;
    ecg_loader *l = NULL;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    ck_assert_uint_eq(ecg_loader_count(l), PICTURES - 6);
    ck_assert_uint_eq(ecg_loader_skipped(l), 6);
    ck_assert_uint_eq(seen.skipped, 6);
    ck_assert_mem_eq(seen.at, bad, sizeof bad);
    ck_assert_uint_gt(seen.reports, 1);
    ck_assert_uint_eq(seen.done, PICTURES);
    for (size_t i = 0, k = 0, b = 0; i < PICTURES; i++) {
        if (b < 6 && bad[b] == i)
            b++;
        else
            check_entry(l, k++, ecg_dataset_sample(d, i));
    }
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_cancel)
{
    ecg_dataset *d = open_tree(make_tree("cancel"));
    struct seen seen = {.d = d, .stop_after = 2};
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.progress = on_progress;
    o.payload = &seen;
    ecg_loader *l = NULL;
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err, ECG_ECANCELLED, "of 300 pictures");
    ck_assert_ptr_null(l);
    ck_assert_uint_eq(seen.reports, 2);
    ck_assert_uint_lt(seen.done, PICTURES);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_pipe_and_options)
{
    const char *root = tree_new("pipe");
    write_picture(tree_path(root, "a/1.png"), 1);
    ck_assert_int_eq(mkfifo(tree_path(root, "a/2.png"), 0600), 0);
    ecg_dataset *d = open_tree(root);
    ecg_preprocess p = prep();
    ecg_loader *l = NULL;
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), err, ECG_EIO, "a/2.png");
    p.h = 5000;
    ck_assert_int_eq(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), ECG_EINVAL);
    p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.size = 3;
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err, ECG_EINVAL, "loader options");
    ck_assert_ptr_null(l);
    ecg_dataset_free(d);
}
END_TEST

/* Sanitizers end the program when an allocation cannot be had, unless told not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* More than any machine has: refused before anything is read, with what it would take. */
START_TEST(test_too_much)
{
    const char *root = tree_new("much");
    write_picture(tree_path(root, "a/1.png"), 1);
    ecg_dataset *d = open_tree(root);
    ecg_preprocess p = prep();
    p.h = p.w = 4096;
    enum { MANY = 1 << 22 };
    uint32_t *index = calloc(MANY, sizeof *index);
    ck_assert_ptr_nonnull(index);
    ecg_loader *l = NULL;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.cache_bytes = UINT64_MAX; /* without that, what fits would be kept */
    ck_fails(ecg_loader_new(&l, d, index, MANY, &p, &o, &err), err, ECG_ENOMEM,
             "no memory for 4194304 pictures of 4096x4096x1, 67108864.0 MiB");
    ck_assert_ptr_null(l);
    free(index);
    ecg_dataset_free(d);
}
END_TEST

enum { VALUES = 7 * 9 };

static ecg_augment_options shaken(void)
{
    ecg_augment_options a = ECG_AUGMENT_OPTIONS_INIT;
    a.time_shift = (ecg_range){-0.1, 0.1};
    a.rotation_range = (ecg_range){-10.0, 10.0};
    a.noise = (ecg_range){1.0, 4.0};
    return a;
}

/* All of an epoch; freed by the caller. */
static float *fetch_all(const ecg_loader *l, uint64_t epoch, uint32_t *labels)
{
    const ecg_source s = ecg_loader_source(l);
    float *x = calloc(s.count, VALUES * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = s.count; i-- > 0;) /* in any order */
        ck_ok(s.fetch(s.ctx, epoch, i, x + i * VALUES, &labels[i], &err), err);
    return x;
}

static void nothing(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c)
{
    (void)ctx;
    ck_assert(h == 7 && w == 9 && c == 1);
    for (int k = 0; k < VALUES; k++)
        ck_assert(x[k] >= -300.0f && x[k] <= 600.0f); /* before rescaling */
}

static void invert(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c)
{
    nothing(ctx, x, h, w, c);
    for (int k = 0; k < VALUES; k++)
        x[k] = *(float *)ctx - x[k];
}

/* Whatever is kept in memory, the values are the same; epoch 0 is as without augmentation; epochs and seeds
 * differ. */
START_TEST(test_augmented)
{
    static uint32_t labels[PICTURES], other[PICTURES];
    ecg_dataset *d = open_tree(make_tree("augmented"));
    const ecg_preprocess p = prep();
    const ecg_augment_options a = shaken();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_loader *plain = load(d, NULL, 0, 2), *whole = NULL;
    o.augment = &a;
    o.seed = 5;
    ck_ok(ecg_loader_new(&whole, d, NULL, 0, &p, &o, &err), err);
    ck_assert_uint_eq(ecg_loader_cached(whole), PICTURES);
    static const size_t kept[] = {0, 1, 100, PICTURES - 1, PICTURES};
    float *neutral = fetch_all(plain, 9, labels), *first = fetch_all(whole, 1, labels),
          *second = fetch_all(whole, 2, labels), *zero = fetch_all(whole, 0, labels);
    ck_assert_mem_eq(neutral, zero, PICTURES * VALUES * sizeof *zero);
    size_t same = 0;
    for (size_t i = 0; i < PICTURES; i++) {
        same += memcmp(first + i * VALUES, second + i * VALUES, VALUES * sizeof *first) == 0;
        same += memcmp(first + i * VALUES, zero + i * VALUES, VALUES * sizeof *first) == 0;
    }
    ck_assert_uint_eq(same, 0);
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
        ecg_loader *l = NULL;
        o.cache_bytes = kept[k] ? kept[k] * VALUES + VALUES - 1 : 1;
        o.threads = (uint32_t)k;
        ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
        ck_assert_uint_eq(ecg_loader_cached(l), kept[k]);
        for (size_t i = 0; i < PICTURES; i += 50) {
            uint8_t px[VALUES];
            ck_ok(ecg_loader_read(l, i, px, &err), err);
            ck_assert_mem_eq(px, ecg_loader_image(whole, i).px, VALUES);
            ck_assert((ecg_loader_image(l, i).px == NULL) == (i >= kept[k]));
        }
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            float *x = fetch_all(l, epoch, other);
            ck_assert_mem_eq(x,
                             epoch == 0   ? zero
                             : epoch == 1 ? first
                                          : second,
                             PICTURES * VALUES * sizeof *x);
            ck_assert_mem_eq(labels, other, sizeof labels);
            free(x);
        }
        ecg_loader_free(l);
    }
    o.seed = 6;
    ecg_loader *l = NULL;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    float *x = fetch_all(l, 1, other);
    ck_assert_mem_ne(x, first, PICTURES * VALUES * sizeof *x);
    ecg_loader_free(l);
    free(x), free(neutral), free(first), free(second), free(zero);
    ecg_loader_free(plain);
    ecg_loader_free(whole);
    ecg_dataset_free(d);
}
END_TEST

START_TEST(test_preprocessing)
{
    static uint32_t labels[PICTURES];
    ecg_dataset *d = open_tree(make_tree("callback"));
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    float top = 255.0f;
    ecg_loader *plain = load(d, NULL, 0, 2), *l = NULL;
    float *want = fetch_all(plain, 1, labels);
    for (uint64_t cache = 0; cache < 2; cache++) { /* in memory, and not */
        o.cache_bytes = cache;
        o.preprocessing = nothing;
        ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
        float *x = fetch_all(l, 1, labels);
        ck_assert_mem_eq(x, want, PICTURES * VALUES * sizeof *x);
        free(x);
        ecg_loader_free(l);
        o.preprocessing = invert;
        o.preprocessing_ctx = &top;
        ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
        x = fetch_all(l, cache, labels); /* also in epoch 0 */
        for (size_t i = 0; i < PICTURES; i++)
            for (size_t k = 0; k < VALUES; k++) {
                const float v = 255.0f - (float)ecg_loader_image(plain, i).px[k];
                ck_assert(x[i * VALUES + k] == (v * (1.0f / 255.0f) - 0.5f) / 0.25f);
            }
        free(x);
        ecg_loader_free(l);
    }
    free(want);
    ecg_loader_free(plain);
    ecg_dataset_free(d);
}
END_TEST

/* 3 classes of 200, 10 and 0 pictures, and one of 90. */
START_TEST(test_balance)
{
    const char *root = tree_new("balance");
    for (uint32_t k = 0; k < PICTURES; k++) {
        char file[32];
        snprintf(file, sizeof file, "%c/%03u.png", k < 200 ? 'a' : k < 210 ? 'b' : 'd', k);
        write_picture(tree_path(root, file), k);
    }
    tree_write(root, "c/none.txt", "x");
    ecg_dataset *d = open_tree(root);
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.balance = 1;
    ecg_loader *l = NULL;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, &o, &err), err);
    const ecg_source s = ecg_loader_source(l);
    ck_assert_uint_eq(s.count, PICTURES);
    size_t moved = 0;
    for (uint64_t epoch = 1; epoch < 4; epoch++) {
        unsigned seen[PICTURES] = {0}, of_class[4] = {0};
        for (size_t i = 0; i < PICTURES; i++) {
            float x[VALUES], want[VALUES];
            uint32_t label, other;
            const size_t k = ecg_loader_pick(l, epoch, i);
            ck_assert_uint_lt(k, PICTURES);
            ck_ok(s.fetch(s.ctx, epoch, i, x, &label, &err), err);
            ck_ok(s.fetch(s.ctx, 0, k, want, &other, &err), err);
            ck_assert_mem_eq(x, want, sizeof x);
            ck_assert_uint_eq(label, other);
            seen[k]++;
            of_class[label]++;
            moved += k != ecg_loader_pick(l, epoch + 1, i);
            ck_assert_uint_eq(ecg_loader_pick(l, 0, i), i);
        }
        ck_assert(of_class[0] == 100 && of_class[1] == 100 && of_class[2] == 0 && of_class[3] == 100);
        for (size_t k = 0; k < PICTURES; k++) {
            const unsigned least = k < 200 ? 0 : k < 210 ? 10 : 1, most = k < 200 ? 1 : k < 210 ? 10 : 2;
            ck_assert_msg(seen[k] >= least && seen[k] <= most, "picture %zu: %u times", k, seen[k]);
        }
    }
    ck_assert_uint_gt(moved, 500);
    ecg_loader_free(l);
    ecg_dataset_free(d);
}
END_TEST

static ecg_fingerprint print_of(const ecg_dataset *d, const uint32_t *index, size_t n, uint32_t threads,
                                uint64_t cache)
{
    const ecg_preprocess p = prep();
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = threads;
    o.cache_bytes = cache;
    ecg_loader *l = NULL;
    ck_ok(ecg_loader_new(&l, d, index, n, &p, &o, &err), err);
    const ecg_fingerprint f = ecg_loader_fingerprint(l);
    ecg_loader_free(l);
    return f;
}

/* A change of one thing moves the numbers that it should move, and no others. */
START_TEST(test_fingerprint)
{
    const char *root = tree_new("print");
    for (uint32_t k = 0; k < 6; k++) {
        char file[32];
        snprintf(file, sizeof file, "%c/%u.png", k < 3 ? 'a' : 'b', k);
        write_picture(tree_path(root, file), k);
    }
    ecg_dataset *d = open_tree(root);
    const ecg_fingerprint f = print_of(d, NULL, 0, 1, 0), g = print_of(d, NULL, 0, 3, 1);
    ck_assert_uint_eq(f.count, 6);
    ck_assert(f.names == g.names && f.labels == g.labels && f.pixels == g.pixels && g.count == 6);

    const uint32_t swapped[] = {1, 0, 2, 3, 4, 5};
    const ecg_fingerprint order = print_of(d, swapped, 6, 1, 0), less = print_of(d, NULL, 0, 1, 0);
    ck_assert(order.names != f.names && order.labels == f.labels && order.pixels != f.pixels);
    ck_assert(less.pixels == f.pixels);
    const ecg_fingerprint five = print_of(d, swapped + 1, 5, 1, 0);
    ck_assert(five.count == 5 && five.names != f.names && five.labels != f.labels);

    write_picture(tree_path(root, "b/4.png"), 5); /* its bytes only */
    const ecg_fingerprint bytes = print_of(d, NULL, 0, 1, 0);
    ck_assert(bytes.names == f.names && bytes.labels == f.labels && bytes.pixels != f.pixels);
    write_picture(tree_path(root, "b/4.png"), 4);
    ecg_dataset_free(d);

    static const char *const other[] = {"b", "a"}; /* the same pictures, other labels */
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    o.classes = other;
    o.class_count = 2;
    ck_ok(ecg_dataset_open(&d, root, &o, &err), err);
    const uint32_t back[] = {3, 4, 5, 0, 1, 2};
    const ecg_fingerprint labels = print_of(d, back, 6, 1, 0);
    ck_assert(labels.names == f.names && labels.labels != f.labels && labels.pixels == f.pixels);
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loader");
    TCase *t = tcase_create("loader");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_all, 0, 3);
    tcase_add_test(t, test_index);
    tcase_add_test(t, test_first_bad);
    tcase_add_loop_test(t, test_skip_bad, 0, 3);
    tcase_add_test(t, test_cancel);
    tcase_add_test(t, test_pipe_and_options);
    tcase_add_test(t, test_too_much);
    tcase_add_test(t, test_augmented);
    tcase_add_test(t, test_preprocessing);
    tcase_add_test(t, test_balance);
    tcase_add_test(t, test_fingerprint);
    suite_add_tcase(s, t);
    return unit_run(s);
}
