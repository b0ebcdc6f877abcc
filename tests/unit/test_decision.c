#define _GNU_SOURCE
/* A model's rule: in the file, in a session, in decisions. */
#include "net/decision.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "format/chunk.h"
#include "net/model.h"
#include "unit.h"

static const char *const names[] = {"a", "b", "c"};
static const char *const meta[] = {"epochs", "10", NULL};

static ecg_model *make_model(void)
{
    ecg_error e = {0};
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, "input 4x4x1; flatten; dense 3; softmax", NULL, 0, &e), e);
    float *w = ecg__calloc(spec->floats, sizeof *w);
    ecg__rng r = ecg__rng_at(1, ECG__RNG_INIT, 0, 0);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t k = 0; k < spec->slot[i].tensor->count; k++)
            w[spec->slot[i].offset + k] = (float)ecg__rng_normal(&r);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = 4;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, 3, meta, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static ecg_rule full(void)
{
    ecg_rule r = ECG_RULE_INIT;
    r.temperature = 2.5f;
    r.threshold = 0.75f;
    r.chosen_by = ECG_THRESHOLD_ERROR;
    r.wanted = 0.01f;
    r.pictures = 1234;
    r.apart = 1;
    return r;
}

START_TEST(softening)
{
    float p[3] = {0.7f, 0.2f, 0.1f};
    ecg__soften(p, 3, 1.0f);
    ck_assert(p[0] == 0.7f && p[1] == 0.2f && p[2] == 0.1f); /* not a bit */
    ecg__soften(p, 3, 2.0f);
    const double sum = sqrt(0.7) + sqrt(0.2) + sqrt(0.1);
    ck_assert_double_eq_tol((double)p[0], sqrt(0.7) / sum, 1e-6);
    ck_assert_double_eq_tol((double)p[2], sqrt(0.1) / sum, 1e-6);
    float zero[2] = {0.0f, 1.0f};
    ecg__soften(zero, 2, 20.0f);
    ck_assert(zero[0] > 0.0f && zero[0] < 0.01f && zero[1] < 1.0f);
    float sharp[2] = {0.4f, 0.6f};
    ecg__soften(sharp, 2, 0.05f);
    ck_assert(sharp[0] < 0.001f && sharp[1] > 0.999f && sharp[1] <= 1.0f);
}
END_TEST

/* Whatever the temperature and however near the best are: the first of the largest stays it. */
START_TEST(the_answer_stays)
{
    ecg__rng r = ecg__rng_at(9, ECG__RNG_SYNTH, 0, 0);
    static const float temperatures[] = {0.05f, 0.5f, 0.999f, 1.001f, 3.0f, 20.0f};
    for (int round = 0; round < 20000; round++) {
        enum { N = 5 };
        float p[N];
        float v = 0.2f + 0.1f * ecg__rng_float(&r);
        for (int k = 0; k < N; k++) {
            p[k] = v;
            const uint32_t step = ecg__rng_below(&r, 4);
            for (uint32_t i = 0; i < step; i++)
                v = nextafterf(v, round % 2 ? 1.0f : 0.0f);
        }
        uint32_t best = 0, after = 0;
        for (uint32_t k = 1; k < N; k++)
            best = p[k] > p[best] ? k : best;
        ecg__soften(p, N, temperatures[round % 6]);
        double sum = 0.0;
        for (uint32_t k = 0; k < N; k++) {
            after = p[k] > p[after] ? k : after;
            sum += (double)p[k];
            ck_assert(p[k] >= 0.0f && p[k] <= 1.0f);
        }
        ck_assert_uint_eq(best, after);
        ck_assert_double_eq_tol(sum, 1.0, 1e-6);
    }
}
END_TEST

START_TEST(rules_are_checked)
{
    ecg_model *m = make_model(), *other;
    ecg_error err = {0};
    static const float bad[] = {0.049f, 20.1f, -1.0f, NAN, INFINITY};
    for (size_t i = 0; i < 5; i++) {
        ecg_rule r = full();
        r.temperature = bad[i];
        ck_fails(ecg_model_with_rule(&other, m, &r, &err), err, ECG_EINVAL, "temperature");
        ck_assert_ptr_null(other);
        r = full();
        r.threshold = i == 0 ? -0.01f : i == 1 ? 1.01f : bad[i];
        ck_fails(ecg_model_with_rule(&other, m, &r, &err), err, ECG_EINVAL, "threshold");
    }
    ecg_rule r = full();
    r.chosen_by = (ecg_threshold)4;
    ck_fails(ecg_model_with_rule(&other, m, &r, &err), err, ECG_EINVAL, "chosen_by");
    r = full();
    r.wanted = 2.0f;
    ck_fails(ecg_model_with_rule(&other, m, &r, &err), err, ECG_EINVAL, "wanted");
    r = full();
    r.apart = 2;
    ck_fails(ecg_model_with_rule(&other, m, &r, &err), err, ECG_EINVAL, "apart");
    ck_assert(ecg_model_rule(m)->temperature == 1.0f && ecg_model_rule(m)->threshold == 0.0f);
    ecg_model_free(m);
}
END_TEST

START_TEST(sessions_apply_it)
{
    ecg_model *m = make_model(), *hot;
    ecg_error err = {0};
    ecg_session *a, *b;
    const ecg_rule r = full();
    ck_ok(ecg_model_with_rule(&hot, m, &r, &err), err);
    ecg_model_free(m); /* the other keeps it alive */
    ck_assert_str_eq(ecg_model_meta(hot, "epochs"), "10");
    m = make_model();
    ck_ok(ecg_session_new(&a, m, NULL, &err), err);
    ck_ok(ecg_session_new(&b, hot, NULL, &err), err);
    for (int i = 0; i < 50; i++) {
        float x[16], p[3], q[3];
        ecg__rng rng = ecg__rng_at((uint64_t)i, ECG__RNG_SYNTH, 0, 0);
        for (int k = 0; k < 16; k++)
            x[k] = ecg__rng_float(&rng);
        ecg_session_run(a, x, 1, p);
        ecg_session_run(b, x, 1, q);
        ecg__soften(p, 3, 2.5f);
        ck_assert_mem_eq(p, q, sizeof p);
    }
    ecg_session_free(a);
    ecg_session_free(b);
    ecg_model_free(m);
    ecg_model_free(hot);
}
END_TEST

START_TEST(decisions)
{
    ecg_model *m = make_model(), *ruled;
    ecg_error err = {0};
    const ecg_rule r = full();
    ecg_decision d;
    ck_ok(ecg_model_with_rule(&ruled, m, &r, &err), err);
    static const float at[3] = {0.1f, 0.75f, 0.15f}, below[3] = {0.1f, 0.15f, 0.7499f},
                       tie[3] = {0.2f, 0.4f, 0.4f};
    ecg_decide(ruled, at, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK);
    ck_assert_uint_eq(d.best, 1);
    ck_assert_uint_eq(d.reasons, 0);
    ecg_decide(ruled, below, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_UNCERTAIN);
    ck_assert_uint_eq(d.best, 2);
    ck_assert(d.probability == 0.7499f);
    ck_assert_uint_eq(d.reasons, 1);
    ck_assert_str_eq(d.reason[0], "probability 0.75 is below 0.75");
    ecg_decide(m, below, &d); /* no rule, no doubt */
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK);
    ecg_decide(m, tie, &d);
    ck_assert_uint_eq(d.best, 1);
    for (int i = 0; i < 10; i++)
        ecg__decision_because(&d, i ? ECG_ANSWER_UNCERTAIN : ECG_ANSWER_NOT_ECG, "reason %d", i);
    ck_assert_int_eq(d.answer, ECG_ANSWER_NOT_ECG); /* the worst stays */
    ck_assert_uint_eq(d.reasons, ECG_MOST_REASONS);
    ck_assert_str_eq(ecg_answer_name(ECG_ANSWER_OK), "ok");
    ck_assert_str_eq(ecg_answer_name(ECG_ANSWER_UNCERTAIN), "uncertain");
    ck_assert_str_eq(ecg_answer_name(ECG_ANSWER_NOT_ECG), "not_ecg");
    ck_assert_ptr_null(ecg_answer_name((ecg_answer)3));
    ecg_model_free(m);
    ecg_model_free(ruled);
}
END_TEST

static unsigned char *read_file(const char *path, size_t *n)
{
    unsigned char *p = malloc(65536);
    FILE *f = fopen(path, "rb");
    ck_assert(p && f);
    *n = fread(p, 1, 65536, f);
    fclose(f);
    return p;
}

START_TEST(in_the_file)
{
    ecg_model *m = make_model(), *ruled, *back;
    ecg_error err = {0};
    const ecg_rule r = full();
    const char *plain = unit_tmp("plain.ecgm"), *with = unit_tmp("with.ecgm"),
               *again = unit_tmp("again.ecgm");
    ck_ok(ecg_model_with_rule(&ruled, m, &r, &err), err);
    ck_ok(ecg_model_save(m, plain, &err), err);
    ck_ok(ecg_model_save(ruled, with, &err), err);
    ck_ok(ecg_model_load(&back, with, NULL, &err), err);
    ck_assert_mem_eq(ecg_model_rule(back), ecg_model_rule(ruled), sizeof(ecg_rule));
    ck_ok(ecg_model_save(back, again, &err), err);
    ecg_model_free(back);
    size_t n[3];
    unsigned char *p[3] = {read_file(plain, &n[0]), read_file(with, &n[1]), read_file(again, &n[2])};
    ck_assert_uint_eq(n[1], n[2]);
    ck_assert_mem_eq(p[1], p[2], n[1]);
    ck_assert_ptr_null(memmem(p[0], n[0], "RULE", 4));
    /* Weights still begin on a multiple of 64 bytes: the reader checks. */
    unsigned char *at = memmem(p[1], n[1], "RULE", 4);
    ck_assert_ptr_nonnull(at);
    /* Every byte of it matters, also when the checksum is made right. */
    static const struct {
        size_t at;
        float v;
        const char *part;
    } bad[] = {{0, 0.01f, "temperature"}, {0, NAN, "temperature"}, {0, 0.0f, "not as"},
               {4, 1.5f, "threshold"},    {4, -0.0f, "not as"},    {12, -1.0f, "wanted"},
               {8, 1.0f, "chosen_by"}};
    unsigned char *payload = at + 12;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned char old[24];
        memcpy(old, payload, sizeof old);
        ecg__put_f32(payload + bad[i].at, bad[i].v);
        ecg__put_u32(payload + 24, (uint32_t)crc32(0, at, 36));
        ck_fails(ecg_model_load_memory(&back, p[1], n[1], NULL, &err), err, ECG_ECORRUPT, bad[i].part);
        memcpy(payload, old, sizeof old);
    }
    /* A rule that says nothing is not written, so it is refused. */
    memset(payload, 0, 24);
    ecg__put_f32(payload, 1.0f);
    ecg__put_u32(payload + 24, (uint32_t)crc32(0, at, 36));
    ck_fails(ecg_model_load_memory(&back, p[1], n[1], NULL, &err), err, ECG_ECORRUPT, "chunk RULE");
    for (int i = 0; i < 3; i++)
        free(p[i]);
    ecg_model_free(m);
    ecg_model_free(ruled);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decision");
    TCase *t = tcase_create("decision");
    tcase_add_test(t, softening);
    tcase_add_test(t, the_answer_stays);
    tcase_add_test(t, rules_are_checked);
    tcase_add_test(t, sessions_apply_it);
    tcase_add_test(t, decisions);
    tcase_add_test(t, in_the_file);
    suite_add_tcase(s, t);
    return unit_run(s);
}
