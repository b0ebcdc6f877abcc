#define _GNU_SOURCE
#include "format/chunk.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "net/model.h"
#include "unit/nets.h"

static ecg_error err;

typedef struct bytes {
    unsigned char *p; /* on a multiple of 64 */
    size_t n;
} bytes;

static bytes sample(const char *name)
{
    char inner[256];
    bytes b;
    snprintf(inner, sizeof inner, "../golden/format/%s", name);
    ck_ok(ecg__file_read(&b.p, &b.n, unit_data(inner), 1 << 20, &err), err);
    return b;
}

static void put(const char *path, bytes b)
{
    ecg__file *f;
    ck_ok(ecg__file_create(&f, path, &err), err);
    ck_ok(ecg__file_write(f, b.p, b.n, &err), err);
    ck_ok(ecg__file_commit(f, false, &err), err);
}

static ecg_load_options options(uint32_t in_place, uint32_t sha256)
{
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.in_place = in_place;
    o.sha256 = sha256;
    return o;
}

static void same_answers(ecg_model *a, ecg_model *b)
{
    float x[14 * 14], p[3], q[3];
    for (int i = 0; i < 14 * 14; i++)
        x[i] = (float)(i * 37 % 101) / 101.0f;
    ecg_model *const m[] = {a, b};
    for (int i = 0; i < 2; i++) {
        ecg_session *s;
        ck_ok(ecg_session_new(&s, m[i], NULL, &err), err);
        ecg_session_run(s, x, 1, i ? q : p);
        ecg_session_free(s);
    }
    ck_assert_mem_eq(p, q, sizeof p);
}

START_TEST(four_ways)
{
    bytes b = sample("0.1.0-layers.ecgm");
    const char *path = unit_tmp("four.ecgm");
    put(path, b);
    const ecg_load_options copy = options(0, 0), place = options(1, 0);
    ecg_model *m[5];
    ck_ok(ecg_model_load(&m[0], path, &copy, &err), err);
    ck_ok(ecg_model_load(&m[1], path, &place, &err), err);
    ck_ok(ecg_model_load_memory(&m[2], b.p, b.n, &copy, &err), err);
    ck_ok(ecg_model_load_memory(&m[3], b.p, b.n, &place, &err), err);
    unsigned char *odd = ecg__alloc(b.n + 4);
    memcpy(odd + 4, b.p, b.n);
    ck_ok(ecg_model_load_memory(&m[4], odd + 4, b.n, &place, &err), err);
    ecg__free(odd); /* was not where weights may lie: copied */
    ck_assert_ptr_null(m[0]->map);
    ck_assert_ptr_nonnull(m[1]->map);
    ck_assert_uint_eq(m[1]->map_bytes, b.n);
    const unsigned char *w = (unsigned char *)m[1]->weights, *map = m[1]->map;
    ck_assert(w > map && w + m[1]->spec->floats * 4 < map + b.n);
    w = (unsigned char *)m[3]->weights;
    ck_assert(w > b.p && w + m[3]->spec->floats * 4 < b.p + b.n);
    ck_assert(!m[0]->borrowed && m[1]->borrowed && !m[2]->borrowed && m[3]->borrowed && !m[4]->borrowed);
    for (int i = 1; i < 5; i++) {
        ck_assert_uint_eq((uintptr_t)m[i]->weights % 64, 0);
        ck_assert_mem_eq(m[0]->weights, m[i]->weights, m[0]->spec->floats * sizeof(float));
        same_answers(m[0], m[i]);
    }
    /* A mapped model is saved over its own file. */
    ck_ok(ecg_model_save(m[1], path, &err), err);
    bytes again;
    ck_ok(ecg__file_read(&again.p, &again.n, path, 1 << 20, &err), err);
    ck_assert_uint_eq(again.n, b.n);
    ck_assert_mem_eq(again.p, b.p, b.n);
    ecg__free(again.p);
    for (int i = 0; i < 5; i++)
        ecg_model_free(m[i]);
    ecg__free(b.p);
}
END_TEST

START_TEST(named_by_its_hash)
{
    bytes b = sample("0.1.0-trained.ecgm");
    const char *path = unit_tmp("hash.ecgm");
    put(path, b);
    ecg__sha256 h;
    char want[ECG__SHA256_HEX];
    ecg__sha256_begin(&h);
    ecg__sha256_add(&h, b.p, b.n);
    ecg__sha256_end(&h, want);
    for (uint32_t place = 0; place < 2; place++) {
        const ecg_load_options o = options(place, 1), without = options(place, 0);
        ecg_model *m;
        ck_ok(ecg_model_load(&m, path, &o, &err), err);
        ck_assert_str_eq(ecg_model_sha256(m), want);
        ecg_model_free(m);
        ck_ok(ecg_model_load_memory(&m, b.p, b.n, &o, &err), err);
        ck_assert_str_eq(ecg_model_sha256(m), want);
        ecg_model_free(m);
        ck_ok(ecg_model_load(&m, path, &without, &err), err);
        ck_assert_ptr_null(ecg_model_sha256(m));
        ecg_model_free(m);
    }
    ecg__free(b.p);
}
END_TEST

/* Another process writes a model under the name of one that is mapped, and then removes it. */
START_TEST(replaced_while_mapped)
{
    bytes b = sample("0.1.0-layers.ecgm"), other = sample("0.1.0-trained.ecgm");
    const char *path = unit_tmp("mapped.ecgm");
    put(path, b);
    const ecg_load_options place = options(1, 0);
    ecg_model *mapped, *kept, *now;
    ck_ok(ecg_model_load(&mapped, path, &place, &err), err);
    ck_ok(ecg_model_load_memory(&kept, b.p, b.n, NULL, &err), err);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        ecg_model *m;
        const bool done = ecg_model_load_memory(&m, other.p, other.n, NULL, NULL) == ECG_OK &&
                          ecg_model_save(m, path, NULL) == ECG_OK;
        _exit(done ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_ok(ecg_model_load(&now, path, NULL, &err), err);
    ck_assert_uint_ne(ecg_spec_layers(ecg_model_spec(now)), ecg_spec_layers(ecg_model_spec(mapped)));
    ck_assert_mem_eq(mapped->weights, kept->weights, kept->spec->floats * sizeof(float));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_mem_eq(mapped->weights, kept->weights, kept->spec->floats * sizeof(float));
    same_answers(mapped, kept);
    ecg_model_free(mapped);
    ecg_model_free(kept);
    ecg_model_free(now);
    ecg__free(b.p);
    ecg__free(other.p);
}
END_TEST

START_TEST(what_cannot_be_mapped)
{
    const ecg_load_options place = options(1, 1);
    ecg_model *m;
    ck_fails(ecg_model_load(&m, unit_tmp("none.ecgm"), &place, &err), err, ECG_EIO, "none.ecgm: cannot open");
    bytes b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("damaged.ecgm");
    b.p[b.n - 200] ^= 1;
    put(path, b);
    ck_fails(ecg_model_load(&m, path, &place, &err), err, ECG_ECORRUPT, "chunk WGTS");
    ck_assert_ptr_null(m);
    b.p[b.n - 200] ^= 1;
    b.n /= 2;
    put(path, b);
    ck_assert_int_eq(ecg_model_load(&m, path, &place, &err), ECG_ECORRUPT);
    ck_assert_int_eq(ecg_model_load(&m, unit_tmp("."), &place, &err), ECG_EIO);
    ecg__free(b.p);
}
END_TEST

/* ---- lies ---- */

static size_t chunk_bytes(const unsigned char *p)
{
    return 16 + (size_t)ecg__get_u64(p + 4);
}

static size_t find(bytes b, const char *tag)
{
    size_t at = 8;
    while (memcmp(b.p + at, tag, 4) != 0)
        at += chunk_bytes(b.p + at);
    return at;
}

static void repair(bytes b, size_t at)
{
    const size_t n = chunk_bytes(b.p + at) - 4;
    ecg__put_u32(b.p + at + n, (uint32_t)crc32_z(0, b.p + at, n));
}

/* Another ARCH, rightly summed. */
static bytes arch(const char *text)
{
    bytes b = sample("0.1.0-small.ecgm"), out;
    const size_t at = find(b, "ARCH"), old = chunk_bytes(b.p + at), n = strlen(text);
    out.n = b.n - old + 16 + n;
    out.p = ecg__alloc(out.n);
    memcpy(out.p, b.p, at + 4);
    ecg__put_u64(out.p + at + 4, n);
    memcpy(out.p + at + 12, text, n);
    memcpy(out.p + at + 16 + n, b.p + at + old, b.n - at - old);
    repair(out, at);
    ecg__free(b.p);
    return out;
}

/* Refused for what it is: never for lack of memory, of which there is little. */
static void refused(bytes b, const char *what)
{
    const char *path = unit_tmp("lie.ecgm");
    put(path, b);
    for (uint32_t place = 0; place < 2; place++) {
        const ecg_load_options o = options(place, 1);
        ecg_model *m;
        for (int memory = 0; memory < 2; memory++) {
            err.message[0] = '\0';
            const ecg_status s = memory ? ecg_model_load_memory(&m, b.p, b.n, &o, &err)
                                        : ecg_model_load(&m, path, &o, &err);
            ck_assert_msg(s == ECG_ECORRUPT || s == ECG_ELIMIT, "%s: %s: %s", what, ecg_status_name(s),
                          err.message);
        }
    }
    ecg__free(b.p);
}

START_TEST(lies_cost_less_than_10_mib)
{
#if !UNIT_SANITIZED
    /* What this process has, and 10 MiB more: the kernel counts all writable memory of its own. */
    FILE *f = fopen("/proc/self/statm", "r");
    long field[6] = {0};
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(fscanf(f, "%ld", &field[i]), 1);
    fclose(f);
    struct rlimit was, few;
    ck_assert_int_eq(getrlimit(RLIMIT_DATA, &was), 0);
    few = was;
    few.rlim_cur = (rlim_t)field[5] * (rlim_t)sysconf(_SC_PAGESIZE) + (10 << 20);
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &few), 0);
    /* So it can be had in no way. */
    void *p = malloc(11 << 20);
    ck_assert_ptr_null(p);
    free(p);
#endif
    bytes b;
    static const char *const tags[] = {"HEAD", "ARCH", "PREP", "CLAS", "WGTS", "meta", "IEND"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        for (int bit = 12; bit < 64; bit++) {
            b = sample("0.1.0-small.ecgm");
            ecg__put_u64(b.p + find(b, tags[i]) + 4, (uint64_t)1 << bit);
            refused(b, tags[i]);
        }
    for (int bit = 8; bit < 64; bit++) {
        b = sample("0.1.0-small.ecgm");
        ecg__put_u64(b.p + 8 + 12 + 24, (uint64_t)1 << bit); /* floats: 2^62 among them */
        repair(b, 8);
        refused(b, "floats of HEAD");
        b = sample("0.1.0-small.ecgm");
        ecg__put_u64(b.p + find(b, "WGTS") + 12 + 8, (uint64_t)1 << bit);
        repair(b, find(b, "WGTS"));
        refused(b, "floats of WGTS");
    }
    for (int bit = 3; bit < 32; bit++)
        for (size_t at = 8; at < 24; at += 4) { /* layers, classes, tensors, 0 */
            b = sample("0.1.0-small.ecgm");
            ecg__put_u32(b.p + 20 + at, (uint32_t)1 << bit);
            repair(b, 8);
            refused(b, "counts of HEAD");
        }
    static const char *const counted[] = {"CLAS", "meta", "WGTS"};
    for (size_t i = 0; i < 3; i++)
        for (int bit = 3; bit < 32; bit++) {
            b = sample("0.1.0-small.ecgm");
            ecg__put_u32(b.p + find(b, counted[i]) + 12, (uint32_t)1 << bit);
            repair(b, find(b, counted[i]));
            refused(b, counted[i]);
        }
    /* Networks that are too large: 2^62 parameters, more than the limit, and just under it. */
    refused(arch("input 4096x4096x4; flatten; dense 65536; dense 65536; dense 65536; softmax"), "2^62");
    refused(arch("input 4096x4096x1; flatten; dense 64; dense 3; softmax"), "1.07e9 parameters");
    refused(arch("input 4000x3000x1; flatten; dense 25; dense 3; softmax"), "1.2 GB");
    refused(arch("input 4096x4096x1; conv2d 100 1x1; global_maxpool; dense 3; softmax"), "6.7 GB to run");
    /* Everything as it should be, but for the length: 1 GiB of nothing in a file that takes no room. */
    b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("sparse.ecgm");
    const size_t wgts = find(b, "WGTS");
    ecg__put_u64(b.p + wgts + 4, ((uint64_t)1 << 30) - wgts - 16);
    put(path, b);
    ck_assert_int_eq(truncate(path, 1 << 30), 0);
    ecg_model *m;
    ck_fails(ecg_model_load(&m, path, NULL, &err), err, ECG_ECORRUPT, "the network of ARCH needs");
    unlink(path);
    ecg__free(b.p);
#if !UNIT_SANITIZED
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &was), 0);
#endif
}
END_TEST

START_TEST(older_callers)
{
    /* Programs built when the options ended before in_place. */
    struct {
        uint32_t size, max_layers;
        uint64_t max_bytes, max_params, max_arena;
    } old = {32, 0, 0, 0, 0};
    ecg_load_options o;
    memset(&o, 0xff, sizeof o);
    memcpy(&o, &old, sizeof old);
    bytes b = sample("0.1.0-small.ecgm");
    ecg_model *m;
    ck_ok(ecg_model_load_memory(&m, b.p, b.n, &o, &err), err);
    ck_assert(!m->borrowed);
    ck_assert_ptr_null(ecg_model_sha256(m));
    ecg_model_free(m);
    ecg__free(b.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("load");
    TCase *t = tcase_create("load");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, four_ways);
    tcase_add_test(t, named_by_its_hash);
    tcase_add_test(t, replaced_while_mapped);
    tcase_add_test(t, what_cannot_be_mapped);
    tcase_add_test(t, lies_cost_less_than_10_mib);
    tcase_add_test(t, older_callers);
    suite_add_tcase(s, t);
    return unit_run(s);
}
