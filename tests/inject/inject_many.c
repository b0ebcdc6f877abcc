/* Very many pictures: listed in seconds and in memory that follows their number, and decoded into as much as
 * the loader was given. 20,000 names; a million with ECG_FULL=1. All are links to a few files. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <time.h>

#include "ecgcnn/data.h"
#include "inject/heap.h"
#include "unit/tree.h"

enum { CLASSES = 4, PER_NAME = 400, SIDE = 8, CACHE = 1 << 20 };

static ecg_error err;
static char root[1100];
static uint32_t files;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_picture(const char *path, uint32_t k)
{
    uint8_t px[SIDE * SIDE];
    memset(px, (int)(k % 251), sizeof px);
    const ecg_image img = {px, SIDE, SIDE, 1, SIDE};
    ck_ok(ecg_image_save_png(&img, path, &err), err);
}

/* A file system in memory, where there is one: a million names are not for a disk. */
static void make(void)
{
    files = getenv("ECG_FULL") ? 1000000 : 20000;
    if (access("/dev/shm", W_OK) == 0)
        snprintf(root, sizeof root, "/dev/shm/ecg-many-%ld", (long)getpid());
    else
        snprintf(root, sizeof root, "%s", tree_new("many"));
    ck_assert(mkdir(root, 0777) == 0 || errno == EEXIST);
    for (uint32_t c = 0; c < CLASSES; c++) {
        char name[32], path[1200];
        snprintf(name, sizeof name, "c%u/", c);
        tree_path(root, name);
        for (uint32_t i = c; i < files; i += CLASSES) {
            static char last[1200];
            snprintf(path, sizeof path, "%s/c%u/picture-%07u.png", root, c, i);
            if (i == c || link(last, path) != 0) { /* the first, or a file has all the links it may have */
                write_picture(path, i);
                strcpy(last, path);
            }
        }
    }
}

static void clear(void)
{
    if (root[0])
        nftw(root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

START_TEST(many_files)
{
    ecg_dataset *d = NULL;
    heap_mark();
    double start = cpu_seconds();
    ck_ok(ecg_dataset_open(&d, root, NULL, &err), err);
    double seconds = cpu_seconds() - start;
    ck_assert_uint_eq(ecg_dataset_samples(d), files);
    ck_assert_str_eq(ecg_dataset_sample(d, 0)->name, "c0/picture-0000000.png");
    printf("%u files: %.2f s, %zu bytes a file at most\n", files, seconds, heap_peak() / files);
    ck_assert_msg(heap_peak() < 65536 + (size_t)files * 512, "%zu bytes for %u files", heap_peak(), files);
    ck_assert_msg(seconds < 1.0 + files / 20000.0, "%.2f s for %u files", seconds, files);

    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_loader *l = NULL;
    p.h = p.w = SIDE;
    o.cache_bytes = CACHE;
    o.threads = 2;
    const size_t most = files < 20000 ? files : 20000;
    uint32_t *index = calloc(most, sizeof *index);
    for (size_t i = 0; i < most; i++)
        index[i] = (uint32_t)((uint64_t)i * files / most);
    heap_mark();
    start = cpu_seconds();
    ck_ok(ecg_loader_new(&l, d, index, most, &p, &o, &err), err);
    printf("%zu decoded: %.2f s, %zu bytes at most\n", most, cpu_seconds() - start, heap_peak());
    ck_assert_uint_eq(ecg_loader_cached(l), CACHE / (SIDE * SIDE));
    ck_assert_uint_lt(heap_peak(), CACHE + most * 8 + (8u << 20));
    ecg_loader_free(l);
    ecg_dataset_free(d);
    free(index);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("many");
    TCase *t = tcase_create("many");
    tcase_set_timeout(t, 600);
    tcase_add_unchecked_fixture(t, make, clear);
    tcase_add_test(t, many_files);
    suite_add_tcase(s, t);
    return unit_run(s);
}
