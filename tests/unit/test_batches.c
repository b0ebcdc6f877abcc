#define _GNU_SOURCE
#include "ecgcnn/batches.h"

#include <dirent.h>
#include <math.h>

#include "tree.h"

static ecg_error err;

enum { PICTURES = 53, H = 6, W = 8, VALUES = H * W, CLASSES = 3 };

static ecg_dataset *d;
static ecg_loader *l;

static void write_picture(const char *path, uint32_t k)
{
    uint8_t px[VALUES];
    for (uint32_t i = 0; i < VALUES; i++)
        px[i] = (uint8_t)(i * (k % 5 + 1) + k * 7);
    const ecg_image img = {px, W, H, 1, W};
    ck_ok(ecg_image_save_png(&img, path, &err), err);
}

static void setup(void)
{
    const char *root = tree_new("tree");
    for (uint32_t k = 0; k < PICTURES; k++) {
        char file[32];
        snprintf(file, sizeof file, "c%u/%03u.png", k % 4 % CLASSES, k);
        write_picture(tree_path(root, file), k);
    }
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = H;
    p.w = W;
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &p, NULL, &err), err);
}

static void teardown(void)
{
    ecg_loader_free(l);
    ecg_dataset_free(d);
}

static ecg_augment_options shaken(double mixup)
{
    ecg_augment_options a = ECG_AUGMENT_OPTIONS_INIT;
    a.time_shift = (ecg_range){-0.1, 0.1};
    a.zoom_range = (ecg_range){0.9, 1.1};
    a.mixup = mixup;
    return a;
}

static ecg_batches *new_batches(const ecg_batch_options *o)
{
    ecg_batches *b = NULL;
    ck_ok(ecg_batches_new(&b, l, o, &err), err);
    return b;
}

/* Epoch by dataset order: x[PICTURES][VALUES] and y; which sample of the epoch stood where is lost. */
static void collect(const ecg_batch_options *o, uint64_t epoch, size_t y_values, float *x, float *y,
                    uint32_t *index)
{
    ecg_batches *b = new_batches(o);
    ecg_batch batch;
    size_t at = 0;
    do {
        ck_ok(ecg_batches_next(b, &batch, &err), err);
        if (batch.epoch != epoch)
            continue;
        ck_assert_uint_eq(batch.number, at / o->batch);
        for (size_t i = 0; i < batch.count; i++, at++) {
            memcpy(x + at * VALUES, batch.x + i * VALUES, VALUES * sizeof *x);
            memcpy(y + at * y_values, batch.y + i * y_values, y_values * sizeof *y);
            index[at] = batch.index[i];
        }
    } while (at < PICTURES);
    ck_assert_uint_eq(at, PICTURES);
    ecg_batches_free(b);
}

/* Same seed, any threads, any batch: the same bits in the same order. */
START_TEST(test_invariance)
{
    static float x[2][PICTURES * VALUES], y[2][PICTURES * CLASSES];
    static uint32_t index[2][PICTURES];
    static const uint32_t batches[] = {32, 1, 7, 53, 64, 65536}, threads[] = {1, 2, 5};
    for (int mixed = 0; mixed < 2; mixed++)
        for (uint32_t balance = 0; balance < 2; balance++) {
            const ecg_augment_options a = shaken(mixed ? 0.4 : 0.0);
            ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
            o.augment = &a;
            o.seed = 11;
            o.balance = balance;
            o.threads = 1;
            collect(&o, 2, CLASSES, x[0], y[0], index[0]);
            for (size_t k = 0; k < 18; k++) {
                o.batch = batches[k / 3];
                o.threads = threads[k % 3];
                collect(&o, 2, CLASSES, x[1], y[1], index[1]);
                ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
                ck_assert_mem_eq(y[0], y[1], sizeof y[0]);
                ck_assert_mem_eq(index[0], index[1], sizeof index[0]);
            }
            o.seed = 12;
            collect(&o, 2, CLASSES, x[1], y[1], index[1]);
            ck_assert_mem_ne(x[0], x[1], sizeof x[0]);
        }
}
END_TEST

START_TEST(test_order)
{
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    o.batch = 10;
    o.shuffle = 0;
    ecg_batches *b = new_batches(&o);
    ck_assert_uint_eq(ecg_batches_per_epoch(b), 6);
    ecg_batch batch;
    for (uint64_t epoch = 1; epoch < 3; epoch++)
        for (size_t k = 0; k < 6; k++) {
            ck_ok(ecg_batches_next(b, &batch, &err), err);
            ck_assert(batch.epoch == epoch && batch.number == k);
            ck_assert_uint_eq(batch.count, k < 5 ? 10 : 3);
            for (size_t i = 0; i < batch.count; i++) {
                ck_assert_uint_eq(batch.index[i], 10 * k + i);
                for (uint32_t c = 0; c < CLASSES; c++)
                    ck_assert(batch.y[i * CLASSES + c] ==
                              (c == ecg_loader_sample(l, batch.index[i])->label ? 1.0f : 0.0f));
                for (size_t v = 0; v < VALUES; v++)
                    ck_assert(batch.x[i * VALUES + v] ==
                              (float)ecg_loader_image(l, batch.index[i]).px[v] * (1.0f / 255.0f));
            }
        }
    ecg_batches_free(b);

    o.shuffle = 1;
    b = new_batches(&o);
    uint32_t first[3][PICTURES];
    for (int turn = 0; turn < 3; turn++) { /* two epochs, and the first again */
        unsigned seen[PICTURES] = {0};
        if (turn == 2)
            ecg_batches_reset(b);
        for (size_t k = 0, at = 0; k < 6; k++) {
            ck_ok(ecg_batches_next(b, &batch, &err), err);
            for (size_t i = 0; i < batch.count; i++) {
                seen[batch.index[i]]++;
                first[turn][at++] = batch.index[i];
            }
        }
        for (int i = 0; i < PICTURES; i++)
            ck_assert_uint_eq(seen[i], 1);
    }
    ck_assert_mem_ne(first[0], first[1], sizeof first[0]);
    ck_assert_mem_eq(first[0], first[2], sizeof first[0]);

    /* Any batch at once; epoch 0 is in order. */
    ck_ok(ecg_batches_get(b, 2, 3, &batch, &err), err);
    ck_assert_mem_eq(batch.index, first[1] + 30, 10 * sizeof(uint32_t));
    ck_ok(ecg_batches_get(b, 0, 5, &batch, &err), err);
    ck_assert(batch.count == 3 && batch.index[0] == 50 && batch.index[2] == 52);
    ck_fails(ecg_batches_get(b, 1, 6, &batch, &err), err, ECG_EINVAL, "number 6 wanted, an epoch has 6");
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    ck_assert(batch.epoch == 2 && batch.number == 0); /* not moved by get */
    ecg_batches_free(b);
}
END_TEST

START_TEST(test_class_modes)
{
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    const ecg_augment_options a = shaken(0.0);
    ecg_batch batch;
    o.augment = &a;
    static const ecg_class_mode flat[] = {ECG_CLASS_BINARY, ECG_CLASS_SPARSE};
    for (int k = 0; k < 2; k++) {
        o.class_mode = flat[k];
        ecg_batches *b = new_batches(&o);
        ck_ok(ecg_batches_next(b, &batch, &err), err);
        for (size_t i = 0; i < batch.count; i++)
            ck_assert(batch.y[i] == (float)ecg_loader_sample(l, batch.index[i])->label);
        ecg_batches_free(b);
    }
    o.class_mode = ECG_CLASS_INPUT;
    ecg_batches *b = new_batches(&o);
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    ck_assert_ptr_ne(batch.x, batch.y);
    ck_assert_mem_eq(batch.x, batch.y, batch.count * VALUES * sizeof *batch.x);
    ecg_batches_free(b);
    o.class_mode = ECG_CLASS_NONE;
    b = new_batches(&o);
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    ck_assert_ptr_null(batch.y);
    ecg_batches_free(b);
}
END_TEST

/* Labels add up to one, and x is mixed as they say. */
START_TEST(test_mixup)
{
    ecg_augment_options a = ECG_AUGMENT_OPTIONS_INIT;
    a.mixup = 0.8;
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    o.augment = &a;
    o.shuffle = 0;
    o.batch = PICTURES;
    o.seed = 4;
    ecg_batches *b = new_batches(&o);
    ecg_batch batch;
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    size_t mixed = 0;
    for (uint32_t i = 0; i < PICTURES; i++) {
        uint64_t partner;
        float lambda;
        ecg_augment_mixup(&a, 4, 1, i, PICTURES, &partner, &lambda);
        mixed += lambda < 1.0f;
        const uint8_t *p = ecg_loader_image(l, i).px, *q = ecg_loader_image(l, (size_t)partner).px;
        for (int v = 0; v < VALUES; v++) {
            const float want = (lambda * (float)p[v] + (1.0f - lambda) * (float)q[v]) / 255.0f;
            ck_assert(fabsf(batch.x[i * VALUES + (size_t)v] - want) < 1e-5f);
        }
        float y[CLASSES] = {0.0f};
        y[ecg_loader_sample(l, i)->label] += lambda;
        y[ecg_loader_sample(l, (size_t)partner)->label] += 1.0f - lambda;
        ck_assert_mem_eq(batch.y + i * CLASSES, y, sizeof y);
    }
    ck_assert_uint_gt(mixed, PICTURES / 2);
    ck_ok(ecg_batches_get(b, 0, 0, &batch, &err), err); /* not in epoch 0 */
    for (size_t i = 0; i < PICTURES; i++)
        ck_assert(batch.y[i * CLASSES + ecg_loader_sample(l, i)->label] == 1.0f);
    ecg_batches_free(b);
    o.class_mode = ECG_CLASS_SPARSE;
    ck_fails(ecg_batches_new(&b, l, &o, &err), err, ECG_EINVAL, "mixup mixes labels");
    ck_assert_ptr_null(b);
}
END_TEST

static int is_name(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

START_TEST(test_save)
{
    char dir[256];
    snprintf(dir, sizeof dir, "%s", tree_new("saved"));
    const ecg_augment_options a = shaken(0.0);
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    o.augment = &a;
    o.batch = 10;
    o.save_to_dir = dir;
    o.save_prefix = "beat";
    ecg_batch batch;
    struct dirent **name[2];
    for (int turn = 0; turn < 2; turn++) { /* the same names again */
        ecg_batches *b = new_batches(&o);
        ck_ok(ecg_batches_next(b, &batch, &err), err);
        ck_assert_int_eq(scandir(dir, &name[turn], is_name, alphasort), 10);
        for (int i = 0; i < 10; i++) {
            unsigned index, hash;
            ck_assert_int_eq(sscanf(name[turn][i]->d_name, "beat_%u_%u.png", &index, &hash), 2);
            ck_assert_uint_lt(hash, 10000000);
            size_t found = 0;
            for (size_t k = 0; k < batch.count; k++)
                found += batch.index[k] == index;
            ck_assert_uint_eq(found, 1);
            ck_assert_str_eq(name[turn][i]->d_name, name[0][i]->d_name);
            ecg_pixels *px = NULL;
            ck_ok(ecg_pixels_load(&px, tree_path(dir, name[turn][i]->d_name), NULL, &err), err);
            ck_assert(ecg_pixels_view(px).h == H && ecg_pixels_view(px).w == W);
            ecg_pixels_free(px);
        }
        ecg_batches_free(b);
    }
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 10; i++)
            free(name[turn][i]);
        free(name[turn]);
    }
    o.save_to_dir = unit_tmp("not-there");
    ecg_batches *b = new_batches(&o);
    ck_fails(ecg_batches_next(b, &batch, &err), err, ECG_EIO, "not-there/beat_");
    ecg_batches_free(b);
}
END_TEST

/* A picture that goes away: its batch fails, the next does not. */
START_TEST(test_goes_on)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = H;
    p.w = W;
    ecg_loader_options lo = ECG_LOADER_OPTIONS_INIT;
    lo.cache_bytes = 1;
    ecg_loader *bare = NULL;
    ck_ok(ecg_loader_new(&bare, d, NULL, 0, &p, &lo, &err), err);
    ck_assert_int_eq(unlink(ecg_loader_sample(bare, 12)->path), 0);
    ck_assert_int_eq(unlink(ecg_loader_sample(bare, 15)->path), 0);
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    o.batch = 10;
    o.shuffle = 0;
    ecg_batches *b = NULL;
    ecg_batch batch;
    ck_ok(ecg_batches_new(&b, bare, &o, &err), err);
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    ck_fails(ecg_batches_next(b, &batch, &err), err, ECG_EIO, ecg_loader_sample(bare, 12)->name);
    ck_assert_uint_eq(batch.count, 0);
    ck_ok(ecg_batches_next(b, &batch, &err), err);
    ck_assert_uint_eq(batch.index[0], 20);
    ecg_batches_free(b);
    ecg_loader_free(bare);
}
END_TEST

START_TEST(test_options)
{
    ecg_batches *b = NULL;
    ecg_batch_options o = ECG_BATCH_OPTIONS_INIT;
    o.batch = 0;
    ck_fails(ecg_batches_new(&b, l, &o, &err), err, ECG_EINVAL, "batch is 0");
    o.batch = 65537;
    ck_fails(ecg_batches_new(&b, l, &o, &err), err, ECG_EINVAL, "batch is 65537");
    o = (ecg_batch_options)ECG_BATCH_OPTIONS_INIT;
    o.class_mode = (ecg_class_mode)5;
    ck_fails(ecg_batches_new(&b, l, &o, &err), err, ECG_EINVAL, "no class mode");
    o = (ecg_batch_options)ECG_BATCH_OPTIONS_INIT;
    ecg_augment_options a = ECG_AUGMENT_OPTIONS_INIT;
    a.time_shift.hi = a.time_shift.lo = 1e9;
    o.augment = &a;
    ck_fails(ecg_batches_new(&b, l, &o, &err), err, ECG_EINVAL, "time_shift");
    ck_assert_ptr_null(b);
    const uint32_t none = 0;
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader *empty = NULL;
    ck_ok(ecg_loader_new(&empty, d, &none, 0, &p, NULL, &err), err);
    ck_fails(ecg_batches_new(&b, empty, NULL, &err), err, ECG_EINVAL, "no pictures");
    ecg_loader_free(empty);
    ck_ok(ecg_batches_new(&b, l, NULL, &err), err);
    ecg_batches_free(b);
    ecg_batches_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("batches");
    TCase *t = tcase_create("batches");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_invariance);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_class_modes);
    tcase_add_test(t, test_mixup);
    tcase_add_test(t, test_save);
    tcase_add_test(t, test_goes_on);
    tcase_add_test(t, test_options);
    suite_add_tcase(s, t);
    return unit_run(s);
}
