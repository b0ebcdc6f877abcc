#define _XOPEN_SOURCE 700
#include "format/model_io.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "net/model.h"
#include "unit.h"

static ecg_error err;

static const char *const small_text = "input 4x3x1; conv2d 2 3x3 pad=same relu; flatten; dense 3; softmax";
static const char *const names[] = {"Normal", "Premature Atrial Contraction", "\xc3\x89tat"};
static const char *const meta[] = {"epochs", "10", "note", "", "seed", "18446744073709551615", NULL};

static ecg_model *model(const char *text, const char *const *entries)
{
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, text, NULL, 0, &err), err);
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = spec->input.h;
    prep.w = spec->input.w;
    prep.color = (ecg_color)spec->input.c;
    prep.profile = ECG_PROFILE_KERAS;
    prep.filter = ECG_FILTER_LANCZOS;
    prep.rescale = 0x1.234568p-8f;
    prep.mean[0] = 0.1f;
    prep.deviation[0] = 0.3f;
    float *w = ecg__calloc(spec->floats, sizeof *w);
    ck_assert_ptr_nonnull(w);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t j = 0; j < spec->slot[i].tensor->count; j++) {
            const float v = sinf((float)(100 * i + j)) * 0x1p-3f;
            w[spec->slot[i].offset + j] = spec->slot[i].tensor->nonnegative ? fabsf(v) : v;
        }
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &prep, names, 3, entries, w, false, &err), err);
    ecg_spec_free(spec);
    return m;
}

static void same(const ecg_model *a, const ecg_model *b)
{
    char x[4096], y[4096];
    ck_assert_uint_lt(ecg_spec_print(a->spec, x, sizeof x), sizeof x);
    ecg_spec_print(b->spec, y, sizeof y);
    ck_assert_str_eq(x, y);
    ck_assert_uint_eq(a->spec->floats, b->spec->floats);
    ck_assert_mem_eq(a->weights, b->weights, a->spec->floats * sizeof(float));
    ck_assert_mem_eq(&a->prep, &b->prep, sizeof a->prep);
    ck_assert_uint_eq(a->classes, b->classes);
    for (uint32_t i = 0; i < a->classes; i++)
        ck_assert_str_eq(a->class_name[i], b->class_name[i]);
    ck_assert_uint_eq(a->metas, b->metas);
    for (size_t i = 0; i < a->metas; i++) {
        ck_assert_str_eq(a->meta[i].key, b->meta[i].key);
        ck_assert_str_eq(a->meta[i].value, b->meta[i].value);
    }
}

/* ---- a file as bytes, to be damaged ---- */

typedef struct bytes {
    unsigned char *p;
    size_t n;
} bytes;

static bytes saved(const ecg_model *m, const char *path)
{
    bytes b;
    ck_ok(ecg_model_save(m, path, &err), err);
    unsigned char *p;
    ck_ok(ecg__file_read(&p, &b.n, path, 1 << 30, &err), err);
    b.p = malloc(b.n); /* its own block, to the byte */
    ck_assert_ptr_nonnull(b.p);
    memcpy(b.p, p, b.n);
    ecg__free(p);
    return b;
}

static bytes small(void)
{
    ecg_model *m = model(small_text, meta);
    const bytes b = saved(m, unit_tmp("small.ecgm"));
    ecg_model_free(m);
    return b;
}

static size_t chunk_bytes(const unsigned char *p)
{
    return 16 + (size_t)ecg__get_u64(p + 4);
}

/* Where chunk `tag` starts. */
static size_t find(bytes b, const char *tag)
{
    size_t at = 8;
    while (memcmp(b.p + at, tag, 4) != 0) {
        at += chunk_bytes(b.p + at);
        ck_assert_uint_lt(at, b.n);
    }
    return at;
}

/* Make the checksum of the chunk at `at` right again. */
static void repair(bytes b, size_t at)
{
    const size_t n = chunk_bytes(b.p + at) - 4;
    ecg__put_u32(b.p + at + n, (uint32_t)crc32_z(0, b.p + at, n));
}

/* Replace `old` bytes at `at` by n others; frees b. */
static bytes splice(bytes b, size_t at, size_t old, const void *data, size_t n)
{
    bytes out = {malloc(b.n - old + n), b.n - old + n};
    ck_assert_ptr_nonnull(out.p);
    memcpy(out.p, b.p, at);
    memcpy(out.p + at, data, n);
    memcpy(out.p + at + n, b.p + at + old, b.n - at - old);
    free(b.p);
    return out;
}

/* Give the chunk `tag` another payload, rightly summed; frees b. */
static bytes payload(bytes b, const char *tag, const void *data, size_t n)
{
    const size_t at = find(b, tag);
    b = splice(b, at + 12, chunk_bytes(b.p + at) - 16, data, n);
    ecg__put_u64(b.p + at + 4, n);
    repair(b, at);
    return b;
}

static bytes insert_chunk(bytes b, size_t at, const char *tag, const char *text)
{
    unsigned char chunk[256];
    const size_t n = strlen(text);
    memcpy(chunk, tag, 4);
    ecg__put_u64(chunk + 4, n);
    memcpy(chunk + 12, text, n);
    b = splice(b, at, 0, chunk, n + 16);
    repair(b, at);
    return b;
}

static ecg_status load_with(bytes b, const ecg_load_options *o)
{
    ecg_model *m = NULL;
    const ecg_status s = ecg_model_load_memory(&m, b.p, b.n, o, &err);
    ck_assert((s == ECG_OK) == (m != NULL));
    ecg_model_free(m);
    return s;
}

static ecg_status load(bytes b)
{
    return load_with(b, NULL);
}

/* ---- what must work ---- */

START_TEST(round_trip)
{
    static const char *const text[] = {
        "input 1x1x1; dense 3; softmax",
        "input 4x3x1; conv2d 2 3x3 pad=same relu; flatten; dense 3; softmax",
        "input 9x7x3; conv2d 5 3x2; batchnorm; elu; maxpool 2x2; flatten; dropout 0.3; dense 17 relu; dense "
        "3; softmax",
    };
    for (size_t i = 0; i < 2 * sizeof text / sizeof *text; i++) {
        ecg_model *m = model(text[i / 2], i % 2 ? meta : NULL), *from_file, *from_memory;
        const char *path = unit_tmp("round.ecgm");
        bytes b = saved(m, path);
        ck_ok(ecg_model_load(&from_file, path, NULL, &err), err);
        ck_ok(ecg_model_load_memory(&from_memory, b.p, b.n, NULL, &err), err);
        same(m, from_file);
        same(m, from_memory);
        bytes again = saved(from_memory, path); /* over the old file */
        ck_assert_uint_eq(again.n, b.n);
        ck_assert_mem_eq(again.p, b.p, b.n);
        free(b.p);
        free(again.p);
        ecg_model_free(m);
        ecg_model_free(from_file);
        ecg_model_free(from_memory);
    }
}
END_TEST

START_TEST(layout_as_documented)
{
    ecg_model *m = model(small_text, meta);
    bytes b = saved(m, unit_tmp("layout.ecgm"));
    const unsigned char *p = b.p + find(b, "HEAD");
    ck_assert_uint_eq(p - b.p, 8);
    ck_assert_uint_eq(chunk_bytes(p), 16 + 32);
    static const unsigned char head[24] = {1, 0, 0, 0, 0x00, 0x40, 0xed, 0xc2, 5, 0, 0, 0,
                                           3, 0, 0, 0, 4,    0,    0,    0,    0, 0, 0, 0};
    ck_assert_mem_eq(p + 12, head, sizeof head);
    /* kernel 18 in 32 floats, bias 2 in 16, kernel 72 in 80, bias 3 in 16 */
    ck_assert_uint_eq(ecg__get_u64(p + 36), 144);
    p = b.p + find(b, "CLAS");
    ck_assert_mem_eq(p + 12, "\3\0\0\0Normal\0Premature Atrial Contraction\0\xc3\x89tat", 4 + 7 + 29 + 6);
    p = b.p + find(b, "meta");
    ck_assert_mem_eq(p + 12, "\3\0\0\0epochs\00010\0note\0\0seed", 4 + 7 + 3 + 5 + 1 + 5);
    p = b.p + find(b, "PREP") + 12;
    ck_assert_uint_eq(ecg__get_u32(p), 4);
    ck_assert_uint_eq(ecg__get_u32(p + 4), 3);
    ck_assert_uint_eq(ecg__get_u32(p + 12), ECG_PROFILE_KERAS);
    ck_assert_uint_eq(ecg__get_u32(p + 16), ECG_FILTER_LANCZOS);
    ck_assert(ecg__get_f32(p + 20) == 0x1.234568p-8f);
    ck_assert(ecg__get_f32(p + 24) == 0.1f && ecg__get_f32(p + 40) == 0.3f);

    p = b.p + find(b, "WGTS") + 12;
    ck_assert_uint_eq(ecg__get_u32(p), 4);
    const unsigned char *data = p + 16 + 4 * 88 + ecg__get_u32(p + 4);
    ck_assert_uint_eq((size_t)(data - b.p) % 64, 0);
    static const struct {
        const char *name;
        uint32_t dims[5];
        size_t count;
    } rows[] = {
        {"1.conv2d.kernel", {3, 3, 1, 2}, 18},
        {"1.conv2d.bias", {2}, 2},
        {"4.dense.kernel", {24, 3}, 72},
        {"4.dense.bias", {3}, 3},
    };
    for (uint32_t i = 0; i < 4; i++) {
        const unsigned char *row = p + 16 + 88 * i;
        uint32_t rank = 0;
        ck_assert_str_eq((const char *)row, rows[i].name);
        while (rows[i].dims[rank])
            rank++;
        ck_assert_uint_eq(ecg__get_u32(row + 48), rank);
        for (uint32_t d = 0; d < 4; d++)
            ck_assert_uint_eq(ecg__get_u32(row + 52 + 4 * d), rows[i].dims[d]);
        ck_assert_uint_eq(ecg__get_u64(row + 80), rows[i].count);
        const unsigned char *values = data + 4 * ecg__get_u64(row + 72);
        ck_assert_uint_eq((size_t)(values - b.p) % 64, 0);
        for (size_t j = 0; j < rows[i].count; j++)
            ck_assert(ecg__get_f32(values + 4 * j) == sinf((float)(100 * i + j)) * 0x1p-3f);
    }
    free(b.p);
    ecg_model_free(m);
}
END_TEST

START_TEST(version_1_0)
{
    /* Written by a script that knows FORMAT.md and not the library. */
    const char *path = unit_data("format/v1_0.ecgm");
    ecg_model *m;
    ck_ok(ecg_model_load(&m, path, NULL, &err), err);
    ck_assert_uint_eq(m->spec->slots, 8);
    for (uint32_t i = 0; i < m->spec->slots; i++)
        for (size_t j = 0; j < m->spec->slot[i].tensor->count; j++)
            ck_assert(m->weights[m->spec->slot[i].offset + j] == (float)(16 * i + j % 13 + 1) / 64.0f);
    ck_assert_str_eq(m->spec->slot[5].name, "3.batchnorm.variance");
    ck_assert_str_eq(ecg_model_class(m, 2), "Ventr\xc3\xad"
                                            "culo");
    ck_assert_str_eq(ecg_model_meta(m, "made by"), "make.py");
    ck_assert_str_eq(ecg_model_meta(m, "note"), "");
    const ecg_preprocess *p = ecg_model_preprocess(m);
    ck_assert(p->h == 4 && p->w == 3 && p->color == ECG_COLOR_GRAY && p->profile == ECG_PROFILE_CORRECT);
    ck_assert(p->filter == ECG_FILTER_BILINEAR && p->rescale == 0x1p-8f);
    ck_assert(p->mean[0] == 0.5f && p->deviation[0] == 0.25f && p->deviation[1] == 1.0f);
    unsigned char *want;
    size_t n;
    ck_ok(ecg__file_read(&want, &n, path, 1 << 20, &err), err);
    bytes b = saved(m, unit_tmp("v1_0.ecgm"));
    ck_assert_uint_eq(b.n, n);
    ck_assert_mem_eq(b.p, want, n);
    ecg__free(want);
    free(b.p);
    ecg_model_free(m);
}
END_TEST

static ecg_status keep(void *ctx, ecg__chunk_reader *r, bool *taken, ecg_error *e)
{
    *taken = ecg__reader_at(r, "optm");
    return *taken ? ecg__reader_get(r, ctx, 100, e) : ECG_OK;
}

START_TEST(more_than_a_model)
{
    /* As a checkpoint is written: it reads as a model too. */
    ecg_model *m = model(small_text, meta), *back;
    const char *path = unit_tmp("more.ecgm");
    ecg__chunk_writer w;
    ck_ok(ecg__chunk_create(&w, path, &err), err);
    ck_ok(ecg__model_write(&w, m, &err), err);
    ck_ok(ecg__chunk_put(&w, "misc", "x", 1, &err), err);
    ck_ok(ecg__chunk_put(&w, "optm", "moments", 7, &err), err);
    ck_ok(ecg__chunk_put(&w, "IEND", NULL, 0, &err), err);
    ck_ok(ecg__chunk_close(&w, ECG_OK, &err), err);
    ck_ok(ecg_model_load(&back, path, NULL, &err), err);
    same(m, back);
    ecg_model_free(back);
    ecg__chunk_reader r;
    ecg_load_options o;
    unsigned char *moments = NULL;
    ck_ok(ecg__load_options(&o, NULL, &err), err);
    ck_ok(ecg__reader_open(&r, path, 1 << 20, &err), err);
    ck_ok(ecg__model_read(&back, &r, &o, keep, &moments, &err), err);
    ecg__reader_close(&r);
    same(m, back);
    ck_assert_str_eq((char *)moments, "moments");
    ecg__free(moments);
    ecg_model_free(back);
    ecg_model_free(m);
}
END_TEST

/* ---- damage ---- */

START_TEST(every_truncation_is_found)
{
    bytes b = small();
    ck_assert_int_eq(load(b), ECG_OK);
    for (size_t n = 0; n < b.n; n++) {
        const bytes part = {malloc(n ? n : 1), n};
        ck_assert_ptr_nonnull(part.p);
        memcpy(part.p, b.p, n);
        const ecg_status s = load(part);
        ck_assert_msg(s == (n < 5 ? ECG_EFORMAT : ECG_ECORRUPT), "%zu bytes: %s", n, ecg_status_name(s));
        ck_assert(n < 8 || strstr(err.message, "at byte"));
        free(part.p);
    }
    free(b.p);
}
END_TEST

START_TEST(every_flip_is_found)
{
    bytes b = small();
    for (size_t i = 0; i < b.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] ^= (unsigned char)(1 << bit);
            const ecg_status s = load(b);
            /* A length may grow past a limit before its checksum is reached. */
            ck_assert_msg(s == ECG_ECORRUPT || s == ECG_ELIMIT || (s == ECG_EFORMAT && i < 8),
                          "byte %zu bit %d: %s: %s", i, bit, ecg_status_name(s), err.message);
            b.p[i] ^= (unsigned char)(1 << bit);
        }
    ck_assert_int_eq(load(b), ECG_OK);
    free(b.p);
}
END_TEST

START_TEST(rightly_summed_nonsense)
{
    /* Every byte of every payload changed, its checksum right: sizes and structure must still agree. */
    static const unsigned char change[] = {0x01, 0x20, 0x80, 0xff};
    bytes b = small();
    const size_t head = find(b, "HEAD"), wgts = find(b, "WGTS");
    const size_t data = wgts + 12 + 16 + 4 * 88 + ecg__get_u32(b.p + wgts + 16);
    ck_assert_uint_gt(ecg__get_u32(b.p + wgts + 16), 0); /* padding is among what is changed */
    size_t refused = 0, taken = 0;
    for (size_t at = 8; at < b.n; at += chunk_bytes(b.p + at))
        for (size_t i = at + 12; i < at + chunk_bytes(b.p + at) - 4; i++)
            for (size_t c = 0; c < sizeof change; c++) {
                b.p[i] ^= change[c];
                repair(b, at);
                const ecg_status s = load(b);
                const bool minor = at == head && (i == head + 14 || i == head + 15);
                if (minor)
                    ck_assert_int_eq(s, ECG_OK);
                else if (at == head || (at == wgts && i < data))
                    ck_assert_msg(s != ECG_OK, "byte %zu of the file may be anything", i);
                if (s == ECG_OK)
                    taken++;
                else
                    refused++;
                b.p[i] ^= change[c];
                repair(b, at);
            }
    ck_assert_uint_gt(taken, 100); /* weights, names: other values are no damage */
    ck_assert_uint_gt(refused, 1000);
    free(b.p);
}
END_TEST

START_TEST(not_finite_and_not_zero)
{
    bytes b = small();
    const size_t wgts = find(b, "WGTS");
    unsigned char *data = b.p + wgts + 12 + 16 + 4 * 88 + ecg__get_u32(b.p + wgts + 16), keep4[4];
    memcpy(keep4, data + 4 * (48 + 5), 4);
    ecg__put_u32(data + 4 * (48 + 5), 0x7fc00000);
    repair(b, wgts);
    ck_fails(load(b), err, ECG_ENUMERIC, "4.dense.kernel");
    ecg__put_u32(data + 4 * (48 + 5), 0xff800000);
    repair(b, wgts);
    ck_fails(load(b), err, ECG_ENUMERIC, "model: ");
    memcpy(data + 4 * (48 + 5), keep4, 4);
    ecg__put_u32(data + 4 * 18, 0x80000000); /* after the first kernel: -0 is not 0 */
    repair(b, wgts);
    ck_fails(load(b), err, ECG_ECORRUPT, "float 18 lies between tensors");
    free(b.p);
}
END_TEST

START_TEST(weights_of_another_length)
{
    for (int more = -4; more <= 4; more += 8) {
        bytes b = small();
        const size_t wgts = find(b, "WGTS"), n = chunk_bytes(b.p + wgts) - 16;
        unsigned char *longer = calloc(n + 4, 1);
        ck_assert_ptr_nonnull(longer);
        memcpy(longer, b.p + wgts + 12, n);
        b = payload(b, "WGTS", longer, (size_t)((int)n + more));
        ck_fails(load(b), err, ECG_ECORRUPT, "the network of ARCH needs");
        free(longer);
        free(b.p);
    }
}
END_TEST

START_TEST(chunks_in_order)
{
    static const char *const order[] = {"HEAD", "ARCH", "PREP", "CLAS", "WGTS", "meta", "IEND"};
    for (size_t k = 0; k < 7; k++) {
        bytes b = small();
        size_t at = find(b, order[k]), n = chunk_bytes(b.p + at);
        unsigned char *copy = malloc(n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, b.p + at, n);
        b = splice(b, at, 0, copy, n); /* twice */
        ck_fails(load(b), err, ECG_ECORRUPT, k == 6 ? "follow the last chunk" : "expected");
        free(b.p);
        b = splice(small(), at, n, "", 0); /* not at all */
        if (k == 5)
            ck_ok(load(b), err);
        else
            ck_fails(load(b), err, ECG_ECORRUPT, k == 6 ? "0 bytes to the end" : "expected");
        free(b.p);
        for (size_t j = 0; j < 7; j++) { /* elsewhere */
            if (j == k || j == k + 1)
                continue;
            b = splice(small(), at, n, "", 0);
            b = splice(b, find(b, order[j]), 0, copy, n);
            ck_assert_int_eq(load(b), ECG_ECORRUPT);
            free(b.p);
        }
        free(copy);
    }
    bytes b = small();
    b = splice(b, b.n, 0, "", 1);
    ck_fails(load(b), err, ECG_ECORRUPT, "1 bytes follow the last chunk");
    free(b.p);
    b = payload(small(), "IEND", "x", 1);
    ck_fails(load(b), err, ECG_ECORRUPT, "has 1 bytes, expected 0");
    free(b.p);
}
END_TEST

START_TEST(unknown_chunks)
{
    static const char *const after[] = {"ARCH", "PREP", "CLAS", "meta", "IEND"};
    for (size_t i = 0; i < 5; i++) {
        bytes b = small();
        const size_t at = find(b, after[i]);
        b = insert_chunk(b, at, "newX", "48 bytes in all, so that weights stay aligned"); /* 45 + 16 + 3 */
        b = insert_chunk(b, at, "newX", "twice");
        /* 61 + 21 bytes before WGTS move its data: it needs other padding. */
        if (i < 3)
            ck_fails(load(b), err, ECG_ECORRUPT, "WGTS");
        else
            ck_ok(load(b), err);
        free(b.p);
        b = insert_chunk(small(), at, "newX",
                         "1234567890123456789012345678901234567890"
                         "12345678"); /* 64 */
        ck_ok(load(b), err);
        b.p[at + 12] ^= 1;
        ck_fails(load(b), err, ECG_ECORRUPT, "newX");
        free(b.p);
        b = insert_chunk(small(), at, "NewX", "needed");
        ck_fails(load(b), err, ECG_EVERSION, "chunk NewX");
        free(b.p);
    }
    bytes b = insert_chunk(small(), 8, "newX", "before HEAD");
    ck_fails(load(b), err, ECG_ECORRUPT, "newX at byte 8: stands where HEAD");
    free(b.p);
}
END_TEST

/* ---- what a file claims ---- */

START_TEST(versions)
{
    bytes b = small();
    b.p[8 + 14] = 9; /* minor */
    repair(b, 8);
    ck_ok(load(b), err);
    b.p[8 + 12] = 2; /* major */
    repair(b, 8);
    ck_fails(load(b), err, ECG_EVERSION, "HEAD at byte 8: format version 2");
    b = payload(b, "HEAD", "\2\0\0\0longer in the future and quite different", 44);
    ck_fails(load(b), err, ECG_EVERSION, "format version 2");
    free(b.p);
    static const char arch[] = "input 4x3x1; attention 8; dense 3; softmax";
    b = payload(small(), "ARCH", arch, sizeof arch - 1);
    ck_fails(load(b), err, ECG_ECORRUPT, "attention");
    b.p[8 + 14] = 1;
    repair(b, 8);
    ck_fails(load(b), err, ECG_EVERSION, "attention");
    free(b.p);
}
END_TEST

START_TEST(architecture_is_spelled_out)
{
    static const char *const text[] = {"seed", "", "dense 3; softmax", "input 4x3x1", "INPUT 4x3x1; dense 3"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        bytes b = payload(small(), "ARCH", text[i], strlen(text[i]));
        ck_fails(load(b), err, ECG_ECORRUPT, "ARCH at byte");
        free(b.p);
    }
    bytes b = payload(small(), "ARCH", small_text, strlen(small_text) + 1); /* with its NUL */
    ck_fails(load(b), err, ECG_ECORRUPT, "ARCH");
    free(b.p);
    char *text_long = malloc(70000);
    ck_assert_ptr_nonnull(text_long);
    memset(text_long, ' ', 70000);
    memcpy(text_long, small_text, strlen(small_text));
    b = payload(small(), "ARCH", text_long, 65537);
    ck_fails(load(b), err, ECG_ELIMIT, "has 65537 bytes, the limit is 65536");
    free(b.p);
    free(text_long);
}
END_TEST

START_TEST(names_and_preprocessing)
{
    static const struct {
        const char *tag, *data;
        size_t n;
        const char *part;
    } cases[] = {
        {"CLAS", "\2\0\0\0a\0b\0", 8, "names 2 classes, the network has 3"},
        {"CLAS", "\3\0\0\0a\0b\0", 8, "not the strings"},
        {"CLAS", "\3\0\0\0a\0b\0c\0x", 11, "not the strings"},
        {"CLAS", "\3\0\0\0a\0b\0a\0", 10, "two classes are named"},
        {"CLAS", "\3\0\0\0a\0\0c\0", 9, "class 1"},
        {"CLAS", "\3\0\0", 3, "not the strings"},
        {"CLAS", "\xff\xff\xff\xff", 4, "not the strings"},
        {"meta", "\1\0\0\0a\0b", 7, "not the strings"},
        {"meta", "\1\0\0\0a\0b\0c\0", 10, "not the strings"},
        {"meta", "\0\0\0\x80", 4, "not the strings"},
        {"PREP", "\4\0\0\0", 4, "has 4 bytes, expected 56"},
    };
    bytes good = small();
    const size_t wgts = find(good, "WGTS");
    free(good.p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = payload(small(), cases[i].tag, cases[i].data, cases[i].n);
        const size_t from = strcmp(cases[i].tag, "meta") == 0 ? 0 : find(b, "WGTS");
        if (from) { /* keep weights aligned for what is found only after them */
            const size_t pad = (wgts - from) & 63;
            static const char fill[128] = "                                                                ";
            char text[128];
            memcpy(text, fill, sizeof text);
            text[(pad - 16) & 63] = '\0';
            b = insert_chunk(b, from, "fill", text);
        }
        ck_fails(load(b), err, ECG_ECORRUPT, cases[i].part);
        free(b.p);
    }
    static const struct {
        size_t at;
        uint32_t value;
        const char *part;
    } fields[] = {
        {0, 5, "5x3x1"}, {4, 5000, "PREP"}, {8, 2, "PREP"},
        {12, 9, "PREP"}, {16, 6, "PREP"},   {20, 0x7fc00000, "PREP"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bytes b = small();
        const size_t at = find(b, "PREP");
        ecg__put_u32(b.p + at + 12 + fields[i].at, fields[i].value);
        repair(b, at);
        ck_fails(load(b), err, ECG_ECORRUPT, fields[i].part);
        free(b.p);
    }
}
END_TEST

START_TEST(limits)
{
    bytes b = small();
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_layers = 5;
    o.max_params = 18 + 2 + 72 + 3;
    o.max_bytes = b.n;
    ck_ok(load_with(b, &o), err);
    o.max_layers = 4;
    ck_fails(load_with(b, &o), err, ECG_ELIMIT, "5 layers, the limit is 4");
    o.max_layers = 5;
    o.max_params--;
    ck_fails(load_with(b, &o), err, ECG_ELIMIT, "95 parameters, the limit is 94");
    o.max_params++;
    o.max_arena = 64;
    ck_fails(load_with(b, &o), err, ECG_ELIMIT, "ARCH at byte 56: running it needs");
    o.max_arena = 0;
    o.max_bytes--;
    ck_fails(load_with(b, &o), err, ECG_ELIMIT, "the limit is");
    ecg_model *m;
    ck_fails(ecg_model_load(&m, unit_tmp("small.ecgm"), &o, &err), err, ECG_ELIMIT, "small.ecgm: has");
    o.size = 2;
    ck_fails(load_with(b, &o), err, ECG_EINVAL, "load options");
    free(b.p);
}
END_TEST

/* Few parameters, but a session would take 6.7 GB for each thread. */
START_TEST(small_file_that_needs_much_to_run)
{
    static const char arch[] = "input 4096x4096x1; conv2d 100 1x1; global_maxpool; dense 3; softmax";
    bytes b = payload(small(), "ARCH", arch, strlen(arch));
    ck_fails(load(b), err, ECG_ELIMIT, "the limit is 2147483648");
    free(b.p);
}
END_TEST

START_TEST(claims_cost_no_memory)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit few = {(rlim_t)256 << 20, (rlim_t)256 << 20};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &few), 0);
#endif
    /* Lengths. */
    static const char *const tags[] = {"HEAD", "ARCH", "PREP", "CLAS", "WGTS", "meta", "IEND"};
    for (size_t i = 0; i < 7; i++)
        for (int bit = 20; bit < 64; bit++) {
            bytes b = small();
            ecg__put_u64(b.p + find(b, tags[i]) + 4, (uint64_t)1 << bit);
            ck_fails(load(b), err, ECG_ECORRUPT, "remain in the file");
            free(b.p);
        }
    /* Counts. */
    for (int bit = 8; bit < 63; bit++) {
        bytes b = small();
        ecg__put_u64(b.p + 8 + 12 + 24, (uint64_t)1 << bit);
        repair(b, 8);
        ck_fails(load(b), err, ECG_ECORRUPT, "floats");
        free(b.p);
    }
    /* 1.2 GB of weights in a file of 1 KB, all counts in agreement. */
    static const char arch[] = "input 4000x3000x1; flatten; dense 25; dense 3; softmax";
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, arch, NULL, 0, &err), err);
    unsigned char head[32];
    bytes b = small();
    memcpy(head, b.p + 20, 32);
    ecg__put_u32(head + 8, ecg_spec_layers(spec));
    ecg__put_u32(head + 16, spec->slots);
    ecg__put_u64(head + 24, spec->floats);
    ck_assert_uint_gt(spec->floats, 300000000);
    ecg_spec_free(spec);
    b = payload(payload(b, "HEAD", head, 32), "ARCH", arch, sizeof arch - 1);
    ck_fails(load(b), err, ECG_ECORRUPT, "WGTS");
    free(b.p);
    /* More than the limit. */
    static const char more[] = "input 4000x3000x1; flatten; dense 40; dense 3; softmax";
    b = payload(small(), "ARCH", more, sizeof more - 1);
    ck_fails(load(b), err, ECG_ELIMIT, "parameters, the limit is 400000000");
    free(b.p);
}
END_TEST

/* ---- files ---- */

START_TEST(what_cannot_be_loaded)
{
    ecg_model *m = (ecg_model *)&m;
    ck_fails(ecg_model_load(&m, unit_tmp("none.ecgm"), NULL, &err), err, ECG_EIO, "none.ecgm: cannot open");
    ck_assert_ptr_null(m);
    ck_fails(ecg_model_load(&m, unit_tmp(""), NULL, &err), err, ECG_EIO, "not a regular file");
    ck_fails(ecg_model_load_memory(&m, NULL, 0, NULL, &err), err, ECG_EINVAL, "no data");
    ck_assert_int_eq(ecg_model_load(&m, unit_tmp("none.ecgm"), NULL, NULL), ECG_EIO);
    bytes b = small();
    b.p[100] ^= 1;
    ck_assert_int_eq(ecg_model_load_memory(&m, b.p, b.n, NULL, NULL), ECG_ECORRUPT);
    free(b.p);
}
END_TEST

START_TEST(failed_save_leaves_the_old_file)
{
    ecg_model *m = model(small_text, meta);
    ck_fails(ecg_model_save(m, unit_tmp("no/such/folder.ecgm"), &err), err, ECG_EIO, "folder.ecgm");
    ck_fails(ecg_model_save(m, unit_tmp(""), &err), err, ECG_EIO, "folder");
    const char *path = unit_tmp("old.ecgm");
    bytes old = saved(m, path);
    ecg_model_free(m);
    m = model("input 40x40x1; flatten; dense 40; dense 3; softmax", meta);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    /* Fails on the first block written, in the middle, and on the last. */
    static const rlim_t room[] = {0, 100000, 256000};
    for (size_t i = 0; i < 3; i++) {
        tight.rlim_cur = room[i];
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
        const ecg_status s = ecg_model_save(m, path, &err);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
        ck_assert_msg(s == ECG_EIO, "%s: %s", ecg_status_name(s), err.message);
        unsigned char *p;
        size_t n;
        ck_ok(ecg__file_read(&p, &n, path, 1 << 20, &err), err);
        ck_assert_uint_eq(n, old.n);
        ck_assert_mem_eq(p, old.p, n);
        ecg__free(p);
    }
    ck_ok(ecg_model_save(m, path, &err), err);
    ecg_model *back;
    ck_ok(ecg_model_load(&back, path, NULL, &err), err);
    same(m, back);
    ecg_model_free(back);
    ecg_model_free(m);
    free(old.p);
}
END_TEST

START_TEST(what_could_not_be_read_is_not_written)
{
    ecg_model *m = model(small_text, NULL);
    const char *path = unit_tmp("unwritten.ecgm");
    unlink(path);
    m->weights[20] = 1.0f; /* in the gap after the first kernel */
    ck_fails(ecg_model_save(m, path, &err), err, ECG_EINVAL, "between the tensors");
    ck_assert_int_ne(access(path, F_OK), 0);
    ecg_model_free(m);
    const size_t n = 1 << 20;
    char *text = malloc(n);
    ck_assert_ptr_nonnull(text);
    for (int over = 0; over < 2; over++) {
        /* count, "k" and its NUL, the value and its NUL */
        const size_t length = n - 4 - 2 - 1 + (size_t)over;
        memset(text, 'x', n);
        text[length] = '\0';
        const char *const entry[] = {"k", text, NULL};
        m = model(small_text, entry);
        if (over) {
            ck_fails(ecg_model_save(m, path, &err), err, ECG_ELIMIT, "provenance");
        } else {
            ecg_model *back;
            ck_ok(ecg_model_save(m, path, &err), err);
            ck_ok(ecg_model_load(&back, path, NULL, &err), err);
            same(m, back);
            ecg_model_free(back);
            unlink(path);
        }
        ecg_model_free(m);
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("model_io");
    TCase *t = tcase_create("model_io");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, layout_as_documented);
    tcase_add_test(t, version_1_0);
    tcase_add_test(t, more_than_a_model);
    tcase_add_test(t, every_truncation_is_found);
    tcase_add_test(t, every_flip_is_found);
    tcase_add_test(t, rightly_summed_nonsense);
    tcase_add_test(t, not_finite_and_not_zero);
    tcase_add_test(t, weights_of_another_length);
    tcase_add_test(t, chunks_in_order);
    tcase_add_test(t, unknown_chunks);
    tcase_add_test(t, versions);
    tcase_add_test(t, architecture_is_spelled_out);
    tcase_add_test(t, names_and_preprocessing);
    tcase_add_test(t, limits);
    tcase_add_test(t, small_file_that_needs_much_to_run);
    tcase_add_test(t, claims_cost_no_memory);
    tcase_add_test(t, what_cannot_be_loaded);
    tcase_add_test(t, failed_save_leaves_the_old_file);
    tcase_add_test(t, what_could_not_be_read_is_not_written);
    suite_add_tcase(s, t);
    return unit_run(s);
}
