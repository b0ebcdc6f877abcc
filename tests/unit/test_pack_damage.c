#define _GNU_SOURCE
#include <zlib.h>

#include "data/pack_read.h"
#include "packs.h"

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *p = malloc(*n);
    ck_assert_uint_eq(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

static void spill(const char *path, const unsigned char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void count_damaged(void *payload, const ecg_error *why)
{
    ck_assert_ptr_nonnull(strstr(why->message, "index.ecgp: picture "));
    ++*(int *)payload;
}

static ecg_status verify(const char *pack, int *damaged)
{
    ecg_pack_verify_options o = ECG_PACK_VERIFY_OPTIONS_INIT;
    *damaged = 0;
    o.damaged = count_damaged;
    o.payload = damaged;
    return ecg_pack_verify(pack, &o, NULL, &err);
}

/* Every byte of a small pack changed: found. Cut anywhere, or longer: found. A picture is named. */
START_TEST(damage)
{
    const char *root = make_folder("data", 8, true, NULL), *pack = fresh("pack");
    ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
    o.shard_bytes = 900;
    ck_ok(ecg_pack_make(pack, root, &o, NULL, &err), err);
    static const char *const files[] = {"index.ecgp", "shard-000000.ecgs", "shard-000001.ecgs"};
    int damaged, pictures = 0;
    for (int k = 0; k < 3; k++) {
        const char *path = tree_path(pack, files[k]);
        size_t n;
        unsigned char *p = slurp(path, &n);
        for (size_t i = 0; i < n; i++) {
            p[i] ^= (unsigned char)(1 << i % 8);
            spill(path, p, n);
            p[i] ^= (unsigned char)(1 << i % 8);
            ck_assert_int_ne(verify(pack, &damaged), ECG_OK);
            ck_assert_ptr_nonnull(strstr(err.message, "pack/"));
            ck_assert_int_le(damaged, 1);
            pictures += damaged;
        }
        for (size_t cut = 0; cut < n; cut += cut < n - 40 ? 13 : 1) {
            spill(path, p, cut);
            ck_assert_int_ne(verify(pack, &damaged), ECG_OK);
        }
        unsigned char *longer = calloc(n + 1, 1);
        memcpy(longer, p, n);
        spill(path, longer, n + 1);
        ck_assert_int_ne(verify(pack, &damaged), ECG_OK);
        spill(path, p, n);
        free(longer);
        free(p);
        ck_ok(verify(pack, &damaged), err);
    }
    ck_assert_int_gt(pictures, 1000); /* most bytes of shards are of pictures */
    ck_assert_int_eq(unlink(tree_path(pack, files[1])), 0);
    ck_fails(verify(pack, &damaged), err, ECG_EIO, files[1]);
}
END_TEST

/* A training meets a damaged picture: it is named, and skipped where that is wanted. */
START_TEST(damaged_picture)
{
    const char *root = make_folder("data", 30, true, NULL), *pack = fresh("pack");
    ck_ok(ecg_pack_make(pack, root, NULL, NULL, &err), err);
    size_t n;
    const char *path = tree_path(pack, "shard-000000.ecgs");
    unsigned char *p = slurp(path, &n);
    p[n / 2] ^= 4;
    spill(path, p, n);
    ecg_dataset *d = open_set(pack, NULL);
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_loader *l = NULL;
    ck_fails(ecg_loader_new(&l, d, NULL, 0, &prep, &o, &err), err, ECG_ECORRUPT, "damaged: at byte ");
    ck_assert_ptr_nonnull(strstr(err.message, "index.ecgp: picture "));
    ck_assert_ptr_nonnull(strstr(err.message, ", class "));
    o.skip_bad = 1;
    ck_ok(ecg_loader_new(&l, d, NULL, 0, &prep, &o, &err), err);
    ck_assert_uint_eq(ecg_loader_skipped(l), 1);
    ck_assert_uint_eq(ecg_loader_count(l), 29);
    ecg_loader_free(l);
    ecg_dataset_free(d);
    free(p);
}
END_TEST

/* The index with a right checksum and a wrong number anywhere: refused, or harmless. */
START_TEST(lies)
{
    const char *root = make_folder("data", 34, true, NULL), *pack = fresh("pack");
    ck_ok(ecg_pack_make(pack, root, NULL, NULL, &err), err);
    size_t n;
    unsigned char *p = slurp(tree_path(pack, "index.ecgp"), &n);
    size_t refused = 0;
    static const unsigned char values[] = {0, 0x80, 0xff};
    for (size_t i = 8; i < n - 12; i++)
        for (size_t v = 0; v < sizeof values; v++) {
            struct ecg__pack *k = NULL;
            const unsigned char old = p[i];
            p[i] = values[v];
            ecg__put_bytes(p + n - 12, crc32(0, p, (uInt)(n - 12)), 4);
            err.message[0] = '\0';
            const ecg_status s = ecg__pack_parse(&k, p, n, "lie", &err);
            if (s == ECG_OK) {
                char name[ECG__PACK_NAME];
                for (uint64_t j = 0; j < k->count; j++) {
                    ck_assert_uint_gt(ecg__pack_name(k, j, name), 0);
                    ck_assert_uint_lt(ecg__pack_class(k, j), k->classes);
                }
            } else {
                ck_assert_ptr_null(k);
                ck_assert_msg(strncmp(err.message, "lie: ", 5) == 0, "%s", err.message);
                refused++;
            }
            ecg__pack_free(k);
            p[i] = old;
        }
    ck_assert_uint_gt(refused, 500);
    free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pack_damage");
    TCase *t = tcase_create("pack_damage");
    tcase_add_test(t, damage);
    tcase_add_test(t, damaged_picture);
    tcase_add_test(t, lies);
    suite_add_tcase(s, t);
    return unit_run(s);
}
