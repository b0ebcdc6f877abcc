/* Checkpoints as bytes: what is written comes back, and no damage gets through. */
#define _POSIX_C_SOURCE 200809L
#include "format/checkpoint.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "net/model.h"
#include "unit/nets.h"

#define NET "input 4x4x1; conv2d 2 3x3; batchnorm; flatten; dense 2; softmax"

static const char *const names[] = {"one", "two"};
static const char *const facts[] = {"seed", "7", "pictures", "a few\nof mine", NULL};

/* A checkpoint in the middle of its third epoch, of a network with weights of its own. */
struct sample {
    ecg_model *m;
    ecg_spec *spec;
    ecg__past past[2];
    float *moment[2], *best;
    ecg__checkpoint c;
};

/* Values in the tensors, zero between them. */
static float *flat(const ecg_spec *s, bool trained, uint64_t seed)
{
    const size_t n = trained ? s->trainable_floats : s->floats;
    float *v = ecg__calloc(n, sizeof *v), *r = unit_values(n, seed);
    for (uint32_t i = 0; i < s->slots; i++)
        for (size_t j = 0; (s->slot[i].tensor->trainable || !trained) && j < s->slot[i].tensor->count; j++)
            v[s->slot[i].offset + j] = fabsf(r[s->slot[i].offset + j]);
    ecg__free(r);
    return v;
}

static void make(struct sample *p)
{
    memset(p, 0, sizeof *p);
    ecg_error e;
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = prep.w = 4;
    p->spec = unit_spec(NET);
    ck_ok(ecg__model_new(&p->m, p->spec, &prep, names, 2, NULL, flat(p->spec, false, 1), false, &e), e);
    for (int k = 0; k < 2; k++)
        p->moment[k] = flat(p->spec, true, 2 + (uint64_t)k);
    p->best = flat(p->spec, false, 9);
    p->past[0] = (ecg__past){1.5, 0.25, 1.25, 0.5, 0.75, 0.01f, true};
    p->past[1] = (ecg__past){1.25, 0.5, 1.25, 0.5, 0.5, 0.01f, false};
    p->c = (ecg__checkpoint){.fact = facts,
                             .train_count = 20,
                             .val_count = 6,
                             .steps = 12,
                             .samples = 8,
                             .right = 3,
                             .loss = 9.5,
                             .seconds = 0.125,
                             .lr = 0.02f,
                             .epochs = 2,
                             .past = p->past,
                             .moments = 2,
                             .moment = {p->moment[0], p->moment[1]},
                             .best = p->best};
}

static void forget(struct sample *p)
{
    ecg_model_free(p->m);
    ecg_spec_free(p->spec);
    ecg__free(p->moment[0]);
    ecg__free(p->moment[1]);
    ecg__free(p->best);
}

static ecg_status read_bytes(const void *data, size_t n, ecg__checkpoint *c, ecg_model **m, ecg_error *e)
{
    ecg__chunk_reader r;
    const ecg_status s = ecg__reader_open_memory(&r, data, n, "memory", UINT64_MAX, e);
    return s == ECG_OK ? ecg__checkpoint_read(c, m, &r, NULL, e) : s;
}

static unsigned char *bytes_of(const char *path, size_t *n)
{
    ecg_error e;
    unsigned char *data;
    ck_ok(ecg__file_read(&data, n, path, 1 << 20, &e), e);
    return data;
}

static unsigned char *written(struct sample *p, size_t *n)
{
    ecg_error e;
    const char *path = unit_tmp("written.ckpt");
    ck_ok(ecg__checkpoint_write(&p->c, p->m, path, &e), e);
    return bytes_of(path, n);
}

static void same(const ecg__checkpoint *a, const ecg__checkpoint *b, const ecg_spec *s)
{
    for (size_t i = 0; a->fact[i] || b->fact[i]; i++)
        ck_assert_str_eq(a->fact[i], b->fact[i]);
    ck_assert_uint_eq(a->train_count, b->train_count);
    ck_assert_uint_eq(a->val_count, b->val_count);
    ck_assert_uint_eq(a->steps, b->steps);
    ck_assert_uint_eq(a->samples, b->samples);
    ck_assert_uint_eq(a->right, b->right);
    ck_assert_double_eq(a->loss, b->loss);
    ck_assert_double_eq(a->seconds, b->seconds);
    ck_assert(a->lr == b->lr);
    ck_assert_uint_eq(a->epochs, b->epochs);
    for (size_t i = 0; i < a->epochs; i++) {
        const ecg__past *p = &a->past[i], *q = &b->past[i];
        ck_assert_double_eq(p->loss, q->loss);
        ck_assert_double_eq(p->accuracy, q->accuracy);
        ck_assert_double_eq(p->val_loss, q->val_loss);
        ck_assert_double_eq(p->val_accuracy, q->val_accuracy);
        ck_assert_double_eq(p->seconds, q->seconds);
        ck_assert(p->lr == q->lr);
        ck_assert_int_eq(p->best, q->best);
    }
    ck_assert_uint_eq(a->moments, b->moments);
    for (uint32_t k = 0; k < a->moments; k++)
        ck_assert_mem_eq(a->moment[k], b->moment[k], s->trainable_floats * sizeof(float));
    ck_assert_int_eq(a->best != NULL, b->best != NULL);
    if (a->best)
        ck_assert_mem_eq(a->best, b->best, s->floats * sizeof(float));
}

START_TEST(what_is_written_comes_back)
{
    ecg_error e;
    for (int kind = 0; kind < 4; kind++) {
        struct sample p;
        make(&p);
        if (kind == 1) { /* before the first epoch is done, SGD */
            p.c.epochs = 0;
            p.c.moments = 0;
            p.c.best = NULL;
        } else if (kind == 2) { /* without validation */
            p.c.val_count = 0;
            for (int i = 0; i < 2; i++)
                p.past[i].val_loss = p.past[i].val_accuracy = 0.0;
            p.past[1].best = true;
        } else if (kind == 3) { /* no epochs, only steps; no facts */
            static const char *const none[] = {NULL};
            p.c = (ecg__checkpoint){
                .fact = none, .steps = 3, .moments = 2, .moment = {p.moment[0], p.moment[1]}};
        }
        size_t n, again;
        unsigned char *data = written(&p, &n), *twice;
        ecg__checkpoint c;
        ecg_model *m, *plain;
        ck_ok(read_bytes(data, n, &c, &m, &e), e);
        same(&p.c, &c, p.spec);
        ck_assert_mem_eq(m->weights, p.m->weights, p.spec->floats * sizeof(float));
        ck_assert_str_eq(m->class_name[1], "two");
        /* There is one way to write it. */
        ck_ok(ecg__checkpoint_write(&c, m, unit_tmp("again.ckpt"), &e), e);
        twice = bytes_of(unit_tmp("again.ckpt"), &again);
        ck_assert_uint_eq(n, again);
        ck_assert_mem_eq(data, twice, n);
        /* It is a model as well. */
        ck_ok(ecg_model_load_memory(&plain, data, n, NULL, &e), e);
        ck_assert_mem_eq(plain->weights, p.m->weights, p.spec->floats * sizeof(float));
        ecg_model_free(plain);
        ecg_model_free(m);
        ecg__checkpoint_free(&c);
        ecg__free(data);
        ecg__free(twice);
        forget(&p);
    }
}
END_TEST

START_TEST(a_model_is_no_checkpoint)
{
    ecg_error e;
    struct sample p;
    make(&p);
    size_t n;
    ck_ok(ecg_model_save(p.m, unit_tmp("model.ecgm"), &e), e);
    unsigned char *data = bytes_of(unit_tmp("model.ecgm"), &n);
    ecg__checkpoint c;
    ecg_model *m;
    ck_fails(read_bytes(data, n, &c, &m, &e), e, ECG_EFORMAT, "memory: is a model, not a checkpoint");
    ck_assert_ptr_null(m);
    ecg__free(data);
    forget(&p);
}
END_TEST

/* ---- damage ---- */

START_TEST(every_changed_byte_is_noticed)
{
    ecg_error e;
    struct sample p;
    make(&p);
    size_t n;
    unsigned char *data = written(&p, &n);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            const unsigned char was = data[i];
            data[i] = k == 0 ? (unsigned char)~was : (unsigned char)(was ^ (k == 1 ? 1 : 0x80));
            ecg__checkpoint c;
            ecg_model *m = NULL;
            const ecg_status s = read_bytes(data, n, &c, &m, &e);
            ck_assert_msg(s != ECG_OK && m == NULL && e.message[0], "byte %zu, change %d", i, k);
            data[i] = was;
        }
    ecg__free(data);
    forget(&p);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
    ecg_error e;
    struct sample p;
    make(&p);
    size_t n;
    unsigned char *data = written(&p, &n);
    for (size_t i = 0; i < n; i++) {
        /* In a block of its own, so that a sanitizer sees what is read behind it. */
        unsigned char *cut = malloc(i ? i : 1);
        memcpy(cut, data, i);
        ecg__checkpoint c;
        ecg_model *m = NULL;
        const ecg_status s = read_bytes(cut, i, &c, &m, &e);
        ck_assert_msg(s != ECG_OK && m == NULL, "cut at %zu", i);
        free(cut);
    }
    ecg__free(data);
    forget(&p);
}
END_TEST

/* ---- lies with a right checksum ---- */

static unsigned char *chunk_at(unsigned char *data, size_t n, const char *tag)
{
    for (size_t at = 8; at + 16 <= n; at += 16 + (size_t)ecg__get_u64(data + at + 4))
        if (memcmp(data + at, tag, 4) == 0)
            return data + at;
    ck_abort_msg("no chunk %s", tag);
    return NULL;
}

static void seal(unsigned char *data, size_t n, const char *tag)
{
    /* The library's own sum, taken from a chunk that is written with these bytes. */
    unsigned char *at = chunk_at(data, n, tag);
    const size_t length = (size_t)ecg__get_u64(at + 4);
    ecg_error e;
    ecg__chunk_writer w;
    ck_ok(ecg__chunk_create(&w, unit_tmp("seal"), &e), e);
    ck_ok(ecg__chunk_put(&w, (const char *)at, at + 12, length, &e), e);
    ck_ok(ecg__chunk_close(&w, ECG_OK, &e), e);
    size_t m;
    unsigned char *sealed = bytes_of(unit_tmp("seal"), &m);
    memcpy(at + 12 + length, sealed + 8 + 12 + length, 4);
    ecg__free(sealed);
}

static void put_double(unsigned char *p, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    ecg__put_u64(p, bits);
}

START_TEST(lies_are_refused)
{
    enum { U32, U64, F32, F64 };
    static const struct {
        const char *tag;
        int kind;
        size_t at;
        uint64_t u;
        double f;
        ecg_status status;
        const char *part;
    } lie[] = {
        {"trst", U32, 0, 2, 0, ECG_EVERSION, "checkpoint version 2"},
        {"trst", U32, 0, 0, 0, ECG_ECORRUPT, "version 0"},
        {"trst", F32, 4, 0, -1, ECG_ECORRUPT, "a figure"},
        {"trst", F32, 4, 0, NAN, ECG_ECORRUPT, "a figure"},
        {"trst", U64, 8, (uint64_t)1 << 62, 0, ECG_ECORRUPT, "counts"},
        {"trst", U64, 8, 7, 0, ECG_ECORRUPT, "counts"},
        {"trst", U64, 24, 0, 0, ECG_ECORRUPT, "number of steps"},
        {"trst", U64, 24, UINT64_MAX, 0, ECG_ECORRUPT, "number of steps"},
        {"trst", U64, 32, 21, 0, ECG_ECORRUPT, "counts"},
        {"trst", U64, 32, 0, 0, ECG_ECORRUPT, "counts"},
        {"trst", U64, 40, 9, 0, ECG_ECORRUPT, "counts"},
        {"trst", F64, 48, 0, HUGE_VAL, ECG_ECORRUPT, "a figure"},
        {"trst", F64, 56, 0, -0.5, ECG_ECORRUPT, "a figure"},
        {"trst", U64, 64, 3, 0, ECG_ECORRUPT, "3 epochs need 144"},
        {"trst", U64, 64, UINT64_MAX / 48, 0, ECG_ECORRUPT, "more epochs or moments"},
        {"trst", U64, 72, 3, 0, ECG_ECORRUPT, "3 moments of this network need"},
        {"trst", U64, 72, 4, 0, ECG_ECORRUPT, "more epochs or moments"},
        {"hist", F64, 0, 0, NAN, ECG_ECORRUPT, "out of range"},
        {"hist", F64, 8, 0, 1.5, ECG_ECORRUPT, "out of range"},
        {"hist", F64, 16, 0, HUGE_VAL, ECG_ECORRUPT, "out of range"},
        {"hist", F64, 32, 0, -1, ECG_ECORRUPT, "out of range"},
        {"hist", U32, 44, 2, 0, ECG_ECORRUPT, "expected 0 or 1"},
        {"hist", U32, 44, 0, 0, ECG_ECORRUPT, "not those of the lowest loss"},
        {"hist", U32, 92, 1, 0, ECG_ECORRUPT, "not those of the lowest loss"},
        {"optm", F32, 0, 0, HUGE_VAL, ECG_ECORRUPT, "optm has a value that is not finite"},
        {"optm", F32, 4 * 18, 0, 1, ECG_ECORRUPT, "optm is not zero between"},
        {"best", F32, 0, 0, NAN, ECG_ECORRUPT, "best has a value that is not finite"},
        {"best", F32, 4 * 18, 0, 1, ECG_ECORRUPT, "best is not zero between"},
        {"fact", U32, 0, 3, 0, ECG_ECORRUPT, "not the strings that it counts"},
    };
    ecg_error e;
    struct sample p;
    make(&p);
    size_t n;
    for (size_t i = 0; i < sizeof lie / sizeof *lie; i++) {
        unsigned char *data = written(&p, &n), *at = chunk_at(data, n, lie[i].tag) + 12 + lie[i].at;
        if (lie[i].kind == U32)
            ecg__put_u32(at, (uint32_t)lie[i].u);
        else if (lie[i].kind == U64)
            ecg__put_u64(at, lie[i].u);
        else if (lie[i].kind == F32)
            ecg__put_f32(at, (float)lie[i].f);
        else
            put_double(at, lie[i].f);
        seal(data, n, lie[i].tag);
        ecg__checkpoint c;
        ecg_model *m;
        ck_fails(read_bytes(data, n, &c, &m, &e), e, lie[i].status, lie[i].part);
        ecg__free(data);
    }
    forget(&p);
}
END_TEST

/* The file without a chunk, with one twice, or two exchanged. */
START_TEST(chunks_stand_once_and_in_order)
{
    static const char *const tags[] = {"fact", "trst", "hist", "optm", "best"};
    ecg_error e;
    struct sample p;
    make(&p);
    size_t n;
    unsigned char *data = written(&p, &n), *made = malloc(2 * n);
    ecg__checkpoint c;
    ecg_model *m;
    for (int i = 0; i < 5; i++) {
        unsigned char *at = chunk_at(data, n, tags[i]);
        const size_t length = 16 + (size_t)ecg__get_u64(at + 4), from = (size_t)(at - data);
        memcpy(made, data, from);
        memcpy(made + from, at + length, n - from - length);
        ck_assert_int_lt(read_bytes(made, n - length, &c, &m, &e), 0);
        memcpy(made, data, from + length);
        memcpy(made + from + length, at, n - from);
        ck_assert_int_lt(read_bytes(made, n + length, &c, &m, &e), 0);
        if (i == 4)
            continue;
        const size_t next = 16 + (size_t)ecg__get_u64(at + length + 4);
        memcpy(made, data, n);
        memcpy(made + from, at + length, next);
        memcpy(made + from + next, at, length);
        ck_fails(read_bytes(made, n, &c, &m, &e), e, ECG_ECORRUPT, "stands where");
        /* Something else in between, or after the last. */
        static const unsigned char other[16] = {'m', 'o', 'r', 'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        memcpy(made, data, from + length);
        memcpy(made + from + length, other, 16);
        memcpy(made + from + length + 16, at + length, n - from - length);
        seal(made, n + 16, "more");
        ck_fails(read_bytes(made, n + 16, &c, &m, &e), e, ECG_ECORRUPT, "does not follow");
    }
    ecg__free(data);
    free(made);
    forget(&p);
}
END_TEST

/* ---- what no reader would take is not written ---- */

START_TEST(nonsense_is_not_written)
{
    ecg_error e;
    const char *path = unit_tmp("nonsense.ckpt");
    remove(path);
    for (int i = 0; i < 6; i++) {
        struct sample p;
        make(&p);
        ecg_status want = ECG_EINVAL;
        static const char *const one[] = {"a", "b", NULL};
        static const char *many[2 * (ECG__CHECKPOINT_FACTS + 1) + 1];
        if (i == 0) {
            p.moment[1][3] = HUGE_VALF;
            want = ECG_ENUMERIC;
        } else if (i == 1) {
            p.best[0] = NAN;
            want = ECG_ENUMERIC;
        } else if (i == 2) {
            p.c.best = NULL;
        } else if (i == 3) {
            p.c.samples = 21;
        } else if (i == 4) {
            p.past[1].best = true;
        } else {
            for (size_t k = 0; k < 2 * (ECG__CHECKPOINT_FACTS + 1); k++)
                many[k] = one[k % 2];
            p.c.fact = many;
        }
        ck_assert_int_eq(ecg__checkpoint_write(&p.c, p.m, path, &e), want);
        ck_assert_int_ne(access(path, F_OK), 0);
        forget(&p);
    }
    struct sample p;
    make(&p);
    ck_fails(ecg__checkpoint_write(&p.c, p.m, "no/such/folder/x.ckpt", &e), e, ECG_EIO, "no/such/folder");
    forget(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *t = tcase_create("checkpoint");
    tcase_set_timeout(t, 180);
    tcase_add_test(t, what_is_written_comes_back);
    tcase_add_test(t, a_model_is_no_checkpoint);
    tcase_add_test(t, every_changed_byte_is_noticed);
    tcase_add_test(t, every_cut_is_noticed);
    tcase_add_test(t, lies_are_refused);
    tcase_add_test(t, chunks_stand_once_and_in_order);
    tcase_add_test(t, nonsense_is_not_written);
    suite_add_tcase(s, t);
    return unit_run(s);
}
