#define _GNU_SOURCE
#include "format/verify.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "format/checkpoint.h"
#include "net/model.h"
#include "unit/unit.h"

static ecg_error err;

typedef struct bytes {
    unsigned char *p;
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

static void put(const char *path, const void *p, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    close(fd);
}

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

/* What was told. */
enum { MOST = 32 };
typedef struct heard {
    int chunks, damages;
    ecg_file_chunk chunk[MOST];
    ecg_file_damage damage[MOST];
    char text[MOST][400];
    ecg_verify_report report;
} heard;

static void on_chunk(void *payload, const ecg_file_chunk *c)
{
    heard *h = payload;
    if (h->chunks < MOST)
        h->chunk[h->chunks] = *c;
    h->chunks++;
}

static void on_damage(void *payload, const ecg_file_damage *d)
{
    heard *h = payload;
    if (h->damages < MOST) {
        h->damage[h->damages] = *d;
        snprintf(h->text[h->damages], sizeof h->text[0], "%s", d->message);
    }
    h->damages++;
}

static ecg_status verify(heard *h, const char *path)
{
    *h = (heard){.report = ECG_VERIFY_REPORT_INIT};
    ecg_verify_hooks hooks = ECG_VERIFY_HOOKS_INIT;
    hooks.payload = h;
    hooks.chunk = on_chunk;
    hooks.damage = on_damage;
    err.message[0] = '\0';
    const ecg_status s = ecg_model_verify(path, NULL, &hooks, &h->report, &err);
    ck_assert_uint_eq(h->report.damages, (unsigned)h->damages);
    ck_assert((s == ECG_OK) == (h->damages == 0));
    if (h->damages) {
        ck_assert_int_eq(s, h->damage[0].status);
        ck_assert_ptr_nonnull(strstr(err.message, h->text[0]));
        ck_assert_ptr_nonnull(strstr(err.message, path));
    }
    return s;
}

START_TEST(whole_files)
{
    static const char *const names[] = {"0.1.0-small.ecgm", "0.1.0-layers.ecgm", "0.1.0-standardized.ecgm",
                                        "0.1.0-trained.ecgm"};
    static heard h;
    for (size_t i = 0; i < 4; i++) {
        bytes b = sample(names[i]);
        const char *path = unit_tmp("whole.ecgm");
        put(path, b.p, b.n);
        ck_ok(verify(&h, path), err);
        ck_assert_int_eq(h.chunks, i == 2 ? 8 : 7);
        uint64_t at = 8;
        for (int k = 0; k < h.chunks; k++) {
            const ecg_file_chunk *c = &h.chunk[k];
            ck_assert_uint_eq(c->offset, at);
            ck_assert_mem_eq(c->tag, b.p + at, 4);
            ck_assert_uint_eq(c->stored, c->computed);
            ck_assert_uint_eq(c->known, 1);
            at += c->bytes + 16;
        }
        ck_assert_uint_eq(at, b.n);
        ck_assert_uint_eq(h.report.bytes, b.n);
        ck_assert_uint_eq(h.report.major, 1);
        ck_assert_uint_eq(h.report.minor, 0);
        ck_assert_uint_eq(h.report.checkpoint, 0);
        ecg__sha256 hash;
        char want[ECG__SHA256_HEX];
        ecg__sha256_begin(&hash);
        ecg__sha256_add(&hash, b.p, b.n);
        ecg__sha256_end(&hash, want);
        ck_assert_str_eq(h.report.sha256, want);
        ck_ok(ecg_model_verify(path, NULL, NULL, NULL, NULL), err);
        ecg__free(b.p);
    }
}
END_TEST

/* Every byte changed: it is named, with the tensor it belongs to. */
START_TEST(changed_bytes)
{
    static const unsigned char change[] = {0x01, 0x20, 0x80, 0xff};
    static heard h;
    bytes b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("changed.ecgm");
    put(path, b.p, b.n);
    const int fd = open(path, O_RDWR);
    ck_assert_int_ge(fd, 0);
    const size_t wgts = find(b, "WGTS"), table = wgts + 12 + 16, data = table + 4 * 88 + b.p[wgts + 16];
    /* Where the values of the four tensors are. */
    static const struct {
        const char *name;
        size_t start, count;
    } tensor[] = {{"1.conv2d.kernel", 0, 18},
                  {"1.conv2d.bias", 32, 2},
                  {"4.dense.kernel", 48, 72},
                  {"4.dense.bias", 128, 3}};
    size_t start = 8;
    int named = 0;
    for (size_t i = 0; i < b.n; i++) {
        if (i >= start + chunk_bytes(b.p + start) && i >= 8)
            start += chunk_bytes(b.p + start);
        for (size_t k = 0; k < sizeof change; k++) {
            const unsigned char byte = b.p[i] ^ change[k];
            ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)i), 1);
            const ecg_status s = verify(&h, path);
            ck_assert_int_ne(s, ECG_OK);
            if (i < 8 || i >= start + 12) {
                ck_assert_msg(h.damage[0].offset == i, "byte %zu: %s", i, err.message);
                ck_assert_int_eq(s, ECG_ECORRUPT);
            } else { /* in a tag or a length */
                ck_assert_msg(h.damage[0].offset >= start && h.damage[0].offset <= b.n, "byte %zu: %s", i,
                              err.message);
            }
            for (size_t t = 0; t < 4; t++) {
                const size_t at = data + 4 * tensor[t].start;
                if ((i >= at && i < at + 4 * tensor[t].count) ||
                    (i >= table + 88 * t && i < table + 88 * t + 88)) {
                    ck_assert_str_eq(h.damage[0].tensor, tensor[t].name);
                    ck_assert_str_eq(h.damage[0].chunk, "WGTS");
                    named++;
                }
            }
            if (i >= 8) /* what comes after is still looked at */
                ck_assert_int_ge(h.chunks, 6);
        }
        ck_assert_int_eq(pwrite(fd, b.p + i, 1, (off_t)i), 1);
    }
    ck_assert_int_eq(named, 4 * (4 * (18 + 2 + 72 + 3) + 4 * 88));
    close(fd);
    ck_ok(verify(&h, path), err);
    ecg__free(b.p);
}
END_TEST

START_TEST(cut_anywhere)
{
    static heard h;
    bytes b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("cut.ecgm");
    size_t start = 8;
    int early = 0;
    for (size_t n = 0; n < b.n; n++) {
        put(path, b.p, n);
        const ecg_status s = verify(&h, path);
        ck_assert_int_eq(s, n < 5 ? ECG_EFORMAT : ECG_ECORRUPT);
        if (n < 8)
            continue;
        if (n > start && n >= start + chunk_bytes(b.p + start))
            start += chunk_bytes(b.p + start);
        ck_assert_int_eq(h.damages, 1);
        ck_assert_uint_eq(h.damage[0].offset, n);
        if (n >= start + 16) {
            char want[64];
            snprintf(want, sizeof want, "ends %zu bytes early", start + chunk_bytes(b.p + start) - n);
            ck_assert_msg(strstr(h.text[0], want), "%zu: \"%s\" lacks \"%s\"", n, h.text[0], want);
            ck_assert_mem_eq(h.damage[0].chunk, b.p + start, 4);
            early++;
        }
    }
    ck_assert_int_gt(early, 1000);
    put(path, b.p, find(b, "WGTS") + 12 + 16 + 4 * 88 + b.p[find(b, "WGTS") + 16] + 4 * 100);
    ck_fails(verify(&h, path), err, ECG_ECORRUPT, "chunk WGTS, tensor 4.dense.kernel: the file ends ");
    ecg__free(b.p);
}
END_TEST

START_TEST(past_damage)
{
    static heard h;
    bytes b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("past.ecgm");
    const size_t prep = find(b, "PREP"), clas = find(b, "CLAS"), wgts = find(b, "WGTS"),
                 meta = find(b, "meta");
    b.p[prep + 13] ^= 4;
    ecg__put_u64(b.p + clas + 4, 1000000); /* a length that no longer leads to WGTS */
    b.p[meta + 20] ^= 1;
    b.p[meta + 23] ^= 1;
    put(path, b.p, b.n);
    ck_assert_int_eq(verify(&h, path), ECG_ECORRUPT);
    ck_assert_int_eq(h.damages, 3);
    ck_assert_uint_eq(h.damage[0].offset, prep + 13);
    ck_assert_ptr_nonnull(strstr(h.text[0], "one changed byte"));
    ck_assert_uint_eq(h.damage[1].offset, clas);
    ck_assert_ptr_nonnull(strstr(h.text[1], "the next whole one is WGTS at byte"));
    ck_assert_uint_eq(h.damage[2].offset, meta);
    ck_assert_str_eq(h.damage[2].chunk, "meta");
    ck_assert_int_eq(h.chunks, 6);
    ecg__free(b.p);
    /* Too short a length: the next chunk is not where it says. */
    b = sample("0.1.0-small.ecgm");
    ecg__put_u64(b.p + clas + 4, 5);
    put(path, b.p, b.n);
    ck_assert_int_eq(verify(&h, path), ECG_ECORRUPT);
    ck_assert_int_eq(h.damages, 1);
    ck_assert_uint_eq(h.chunk[h.chunks - 3].offset, wgts);
    /* Weights that many bytes of are changed: each tensor that shows it is named. */
    ecg__free(b.p);
    b = sample("0.1.0-small.ecgm");
    const size_t data = wgts + 12 + 16 + 4 * 88 + b.p[wgts + 16];
    memset(b.p + data, 0xff, 18 * 4 + 8);  /* the first kernel, and two floats of the gap */
    memset(b.p + data + 4 * 130, 0xff, 4); /* the last bias */
    b.p[wgts + 12 + 16 + 88 + 60] ^= 1;    /* the second row */
    b.p[wgts + 12 + 16 + 88 + 61] ^= 1;
    put(path, b.p, b.n);
    ck_assert_int_eq(verify(&h, path), ECG_ECORRUPT);
    ck_assert_int_eq(h.damages, 5);
    ck_assert_str_eq(h.damage[1].tensor, "1.conv2d.bias");
    ck_assert_ptr_nonnull(strstr(h.text[1], "2 bytes of the table"));
    ck_assert_str_eq(h.damage[2].tensor, "1.conv2d.kernel");
    ck_assert_ptr_nonnull(strstr(h.text[2], "18 of 18 values"));
    ck_assert_ptr_nonnull(strstr(h.text[3], "after tensor 1.conv2d.kernel are not zero"));
    ck_assert_str_eq(h.damage[4].tensor, "4.dense.bias");
    ck_assert_ptr_nonnull(strstr(h.text[4], "1 of 3 values cannot be, the first is value 2"));
    ecg__free(b.p);
}
END_TEST

START_TEST(right_sums_wrong_content)
{
    static heard h;
    bytes b = sample("0.1.0-small.ecgm");
    const char *path = unit_tmp("content.ecgm");
    const size_t wgts = find(b, "WGTS"), data = wgts + 12 + 16 + 4 * 88 + b.p[wgts + 16];
    ecg__put_u32(b.p + data + 4 * 50, 0x7fc00000);
    repair(b, wgts);
    put(path, b.p, b.n);
    ck_fails(verify(&h, path), err, ECG_ENUMERIC, "4.dense.kernel");
    ck_assert_int_eq(h.damages, 1);
    ck_assert_int_eq(h.chunks, 7);
    b.p[8 + 12] = 7;
    repair(b, 8);
    put(path, b.p, b.n);
    ck_fails(verify(&h, path), err, ECG_EVERSION, "format version 7");
    ck_assert_uint_eq(h.report.major, 7);
    unsigned char *twice = ecg__calloc(2, b.n);
    memcpy(twice, b.p, b.n);
    memcpy(twice + b.n, b.p, b.n);
    put(path, twice, 2 * b.n);
    ck_fails(verify(&h, path), err, ECG_ECORRUPT, "bytes follow the last chunk");
    ecg__free(twice);
    ecg__free(b.p);
}
END_TEST

/* The same chunk with another payload of the same length, rightly summed. */
static void change(bytes b, const char *tag, size_t at, uint64_t value)
{
    const size_t start = find(b, tag);
    ecg__put_u64(b.p + start + 12 + at, value);
    repair(b, start);
}

START_TEST(how_far_a_checkpoint_got)
{
    static heard h;
    const char *path = unit_tmp("check.ecgm");
    bytes b = sample("0.1.0-small.ecgm");
    ecg_model *m;
    ck_ok(ecg_model_load_memory(&m, b.p, b.n, NULL, &err), err);
    ecg__free(b.p);
    static const char *const fact[] = {"seed", "1", NULL};
    static const ecg__past past[2] = {{.loss = 1.0, .best = true}, {.loss = 2.0}};
    const ecg__checkpoint c = {.fact = fact,
                               .train_count = 900,
                               .steps = 1234,
                               .samples = 64,
                               .loss = 3.0,
                               .lr = 0.1f,
                               .epochs = 2,
                               .past = past,
                               .best = m->weights};
    ck_ok(ecg__checkpoint_write(&c, m, path, &err), err);
    ck_ok(verify(&h, path), err);
    ck_assert_int_eq(h.chunks, 12);
    ck_assert_uint_eq(h.chunk[6].known, 2);
    ck_assert_uint_eq(h.report.checkpoint, 1);
    ck_assert_uint_eq(h.report.epochs, 2);
    ck_assert_uint_eq(h.report.steps, 1234);
    ck_assert_uint_eq(h.report.samples, 64);
    ck_assert_uint_eq(h.report.samples_of_epoch, 900);
    /* Its checksums fit, and it is a model, but no training can have stood there. */
    ck_ok(ecg__file_read(&b.p, &b.n, path, 1 << 20, &err), err);
    change(b, "trst", 32, 901);
    put(path, b.p, b.n);
    ecg_model *as_model;
    ck_ok(ecg_model_load(&as_model, path, NULL, &err), err);
    ecg_model_free(as_model);
    ck_fails(verify(&h, path), err, ECG_ECORRUPT, "trst");
    ecg__free(b.p);
    ecg_model_free(m);
}
END_TEST

START_TEST(a_model_with_a_rule)
{
    static heard h;
    const char *path = unit_tmp("rule.ecgm");
    bytes b = sample("0.1.0-small.ecgm");
    ecg_model *m, *ruled;
    ck_ok(ecg_model_load_memory(&m, b.p, b.n, NULL, &err), err);
    ecg__free(b.p);
    ecg_rule rule = {.size = sizeof rule, .temperature = 2.0f};
    ck_ok(ecg_model_with_rule(&ruled, m, &rule, &err), err);
    ck_ok(ecg_model_save(ruled, path, &err), err);
    ck_ok(verify(&h, path), err);
    ck_assert_str_eq(h.chunk[4].tag, "RULE");
    ck_assert_uint_eq(h.chunk[4].known, 1);
    ecg_model_free(m);
    ecg_model_free(ruled);
}
END_TEST

START_TEST(what_is_no_model)
{
    static heard h;
    const char *path = unit_tmp("other.ecgm");
    put(path, "", 0);
    ck_fails(verify(&h, path), err, ECG_EFORMAT, "is no model file");
    put(path, "\x89PNG\r\n\x1a\n and more", 17);
    ck_fails(verify(&h, path), err, ECG_EFORMAT, "is no model file");
    ck_fails(ecg_model_verify(unit_tmp("none"), NULL, NULL, NULL, &err), err, ECG_EIO, "cannot open");
    ck_fails(ecg_model_verify(unit_tmp("."), NULL, NULL, NULL, &err), err, ECG_EIO, "folder");
    ck_fails(ecg_model_verify(NULL, NULL, NULL, NULL, &err), err, ECG_EINVAL, "path");
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_bytes = 16;
    ck_fails(ecg_model_verify(path, &o, NULL, NULL, &err), err, ECG_ELIMIT, "the limit is 16");
    ecg_verify_report none = {0};
    ck_fails(ecg_model_verify(path, NULL, NULL, &none, &err), err, ECG_EINVAL, "report");
}
END_TEST

/* Two megabytes of what looks like the start of chunks, each as long as what follows: not 2^17 sums of it. */
START_TEST(a_search_ends)
{
    static heard h;
    enum { N = 1 << 21 };
    const char *path = unit_tmp("heads.ecgm");
    unsigned char *p = ecg__calloc(N, 1);
    ck_assert_ptr_nonnull(p);
    memcpy(p, ecg__signature, 8);
    for (size_t at = 9; at + 28 <= N; at += 16) {
        memcpy(p + at, "WGTS", 4);
        ecg__put_u64(p + at + 4, N - at - 16);
    }
    put(path, p, N);
    ck_assert_int_eq(verify(&h, path), ECG_ECORRUPT);
    ecg__free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("verify");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, whole_files);
    tcase_add_test(t, changed_bytes);
    tcase_add_test(t, cut_anywhere);
    tcase_add_test(t, past_damage);
    tcase_add_test(t, right_sums_wrong_content);
    tcase_add_test(t, how_far_a_checkpoint_got);
    tcase_add_test(t, a_model_with_a_rule);
    tcase_add_test(t, what_is_no_model);
    tcase_add_test(t, a_search_ends);
    suite_add_tcase(s, t);
    return unit_run(s);
}
