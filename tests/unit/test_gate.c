#define _GNU_SOURCE
/* Gates: in the model, in the file, in judgements. */
#include "net/gate.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "format/chunk.h"
#include "net/model.h"
#include "unit.h"

enum { N = 4, C = 3, TRIANGLE = N * (N + 1) / 2 };
static const char *const names[] = {"a", "b", "c"};

static ecg_model *make_model(void)
{
    ecg_error e = {0};
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, "input 4x4x1; flatten; dense 4 relu; dropout 0.5; dense 3; softmax", NULL, 0,
                         &e),
          e);
    float *w = ecg__calloc(spec->floats, sizeof *w);
    ecg__rng r = ecg__rng_at(1, ECG__RNG_INIT, 0, 0);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t k = 0; k < spec->slot[i].tensor->count; k++)
            w[spec->slot[i].offset + k] = (float)ecg__rng_normal(&r);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = 4;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, C, NULL, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static float factor[TRIANGLE], centre[C * N];

static ecg_gate make_gate(void)
{
    ecg_gate g = {.size = sizeof g, .pictures = 7, .held_out = 3, .limit = 2.0f, .features = N};
    for (int i = 0; i < ECG_LOOKS; i++) {
        g.low[i] = -1e3f;
        g.high[i] = 1e3f;
    }
    for (int i = 0, k = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            factor[k++] = i == j ? 1.0f : 0.0f;
    for (int i = 0; i < C * N; i++)
        centre[i] = (float)(i / N) * 10.0f;
    g.factor = factor;
    g.centre = centre;
    return g;
}

START_TEST(checked)
{
    ecg_model *m = make_model(), *out;
    ecg_error err = {0};
    ecg_gate g = make_gate();
    ck_assert_uint_eq(ecg_gate_features(m), N);
    ck_assert_ptr_null(ecg_model_gate(m));
    g.features = 5;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "features is 5");
    ck_assert_ptr_null(out);
    static const float bad[] = {0.0f, -1.0f, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        g = make_gate();
        g.limit = bad[i];
        ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "limit");
        g = make_gate();
        factor[2] = bad[i]; /* on the diagonal */
        ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "factor[2]");
    }
    g = make_gate();
    factor[1] = NAN;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "factor[1]");
    g = make_gate();
    centre[11] = INFINITY;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "centre[11]");
    g = make_gate();
    g.low[3] = g.high[3];
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "low[3]");
    g = make_gate();
    g.high[23] = NAN;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "high[23]");
    g = make_gate();
    g.pictures = 0;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "pictures");
    g = make_gate();
    g.centre = NULL;
    ck_fails(ecg_model_with_gate(&out, m, &g, &err), err, ECG_EINVAL, "centre is missing");
    ecg_model_free(m);
}
END_TEST

/* A rule keeps the gate, a gate keeps the rule, and both outlive what they were made from. */
START_TEST(kept)
{
    ecg_model *m = make_model(), *gated, *ruled, *bare;
    ecg_error err = {0};
    const ecg_gate g = make_gate();
    ecg_rule rule = ECG_RULE_INIT;
    rule.threshold = 0.5f;
    ck_ok(ecg_model_with_gate(&gated, m, &g, &err), err);
    memset(factor, 0, sizeof factor); /* it was copied */
    ecg_model_free(m);
    ck_ok(ecg_model_with_rule(&ruled, gated, &rule, &err), err);
    ecg_model_free(gated);
    ck_assert_uint_eq(ecg_model_gate(ruled)->pictures, 7);
    ck_assert(ecg_model_gate(ruled)->factor[2] == 1.0f);
    ck_ok(ecg_model_with_gate(&bare, ruled, NULL, &err), err);
    ck_assert_ptr_null(ecg_model_gate(bare));
    ck_assert(ecg_model_rule(bare)->threshold == 0.5f);
    ecg_model_free(ruled);
    ecg_model_free(bare);
}
END_TEST

START_TEST(distances)
{
    ecg_gate g = make_gate();
    float f[N] = {0.0f, 3.0f, 0.0f, 4.0f};
    ck_assert_double_eq_tol(ecg__gate_distance(&g, C, f), 5.0, 1e-12);
    for (int i = 0; i < N; i++)
        f[i] = 19.0f; /* one short of the last class's centre in each */
    ck_assert_double_eq_tol(ecg__gate_distance(&g, C, f), 2.0, 1e-12);
    factor[3] = 2.0f; /* z[2] += 2 f[0] */
    f[0] = 1.0f, f[1] = f[2] = f[3] = 0.0f;
    ck_assert_double_eq_tol(ecg__gate_distance(&g, C, f), sqrt(5.0), 1e-12);
    f[1] = NAN;
    ck_assert(isinf(ecg__gate_distance(&g, C, f)));
    f[1] = FLT_MAX;
    ck_assert(isfinite(ecg__gate_distance(&g, C, f)));
}
END_TEST

START_TEST(folding)
{
    float x[11], out[4], sum[4] = {0};
    for (int i = 0; i < 11; i++)
        x[i] = (float)(1 << i);
    ecg__gate_fold(x, 4, 4, out);
    ck_assert_mem_eq(out, x, sizeof out);
    ecg__gate_fold(x, 11, 4, out);
    /* As FORMAT.md says it. */
    for (uint64_t i = 0; i < 11; i++) {
        const uint64_t h = i * UINT64_C(0x9E3779B97F4A7C15),
                       k = (h ^ h / (UINT64_C(1) << 32)) * UINT64_C(0xD6E8FEB86659FD93);
        sum[i % 4] += k >> 63 ? -x[i] : x[i];
    }
    ck_assert_mem_eq(out, sum, sizeof out);
}
END_TEST

START_TEST(answers)
{
    ecg_gate g = make_gate();
    ecg_decision d = {.reasons = 0};
    ecg_look look = {{0}};
    float prepared[ECG_LOOK_PREPARED] = {0}, f[N] = {0.0f, 0.0f, 0.0f, 1.0f};
    g.low[ECG_LOOK_COLOR] = -1.0f;
    g.high[ECG_LOOK_COLOR] = 1.0f;
    look.of[ECG_LOOK_COLOR] = 1.0f;
    ecg__gate_judge(&g, C, &look, prepared, f, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK); /* on the edge is inside */
    ck_assert(d.score == 1.0f);
    look.of[ECG_LOOK_COLOR] = nextafterf(1.0f, 2.0f);
    ecg__gate_judge(&g, C, &look, prepared, f, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_NOT_ECG);
    ck_assert(d.score > 1.0f);
    ck_assert_uint_eq(d.reasons, 1);
    ck_assert_str_eq(d.reason[0], "colourful: 1, expected at most 1");
    d = (ecg_decision){.reasons = 0};
    look.of[ECG_LOOK_COLOR] = -3.0f;
    f[3] = 8.0f;
    prepared[ECG_LOOK_INK] = 5e3f;
    ecg__gate_judge(&g, C, &look, prepared, f, &d);
    ck_assert_uint_eq(d.reasons, 3); /* the worst first */
    ck_assert_str_eq(d.reason[0], "ink (prepared): 5e+03, expected at most 1e+03");
    ck_assert_str_eq(d.reason[1], "unlike the training pictures: 8, expected at most 2");
    ck_assert_str_eq(d.reason[2], "colourful: -3, expected at least -1");
    ck_assert(d.score == 5.0f);
    /* What is not known is not asked. */
    d = (ecg_decision){.reasons = 0};
    ecg__gate_judge(&g, C, NULL, NULL, NULL, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK);
    ecg__gate_judge(&g, C, NULL, prepared, NULL, &d);
    ck_assert_uint_eq(d.reasons, 1);
    d = (ecg_decision){.reasons = 0};
    f[0] = NAN;
    ecg__gate_judge(&g, C, NULL, NULL, f, &d);
    ck_assert_int_eq(d.answer, ECG_ANSWER_NOT_ECG);
    ck_assert(isfinite(d.score));
    /* More reasons than there is room for. */
    d = (ecg_decision){.reasons = 0};
    for (int i = 0; i < ECG_LOOK_DECODED; i++)
        look.of[i] = 1e5f + (float)i;
    ecg__gate_judge(&g, C, &look, prepared, NULL, &d);
    ck_assert_uint_eq(d.reasons, ECG_MOST_REASONS);
}
END_TEST

/* The same probabilities to the bit, and an answer that neither neighbours nor threads change. */
START_TEST(sessions)
{
    enum { MANY = 40 };
    ecg_model *m = make_model(), *gated;
    ecg_error err = {0};
    ecg_gate g = make_gate();
    g.limit = 0.7f;
    ck_ok(ecg_model_with_gate(&gated, m, &g, &err), err);
    static float x[MANY][16], p[MANY][C], q[MANY][C];
    ecg__rng r = ecg__rng_at(2, ECG__RNG_SYNTH, 0, 0);
    for (int i = 0; i < MANY * 16; i++)
        (&x[0][0])[i] = ecg__rng_float(&r) * 0.6f;
    static ecg_decision d[MANY], one;
    ecg_session *s;
    uint32_t refused = 0;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
        o.threads = threads;
        ck_ok(ecg_session_new(&s, gated, &o, &err), err);
        ecg_session_run(s, &x[0][0], MANY, &p[0][0]);
        ecg_session_judge(s, &x[0][0], MANY, &q[0][0], d);
        ck_assert_mem_eq(p, q, sizeof p);
        for (int i = 0; i < MANY; i++) {
            ecg_session_judge(s, x[i], 1, q[0], &one);
            ck_assert_mem_eq(&one, &d[i], sizeof one);
            refused += one.answer == ECG_ANSWER_NOT_ECG;
            ck_assert_int_eq(one.answer == ECG_ANSWER_NOT_ECG, one.score > 1.0f);
        }
        ecg_session_free(s);
    }
    ck_assert(refused > 0 && refused < 2 * MANY);
    /* What the last dense layer reads: dense, relu, and dropout that does nothing. */
    const ecg_spec *spec = gated->spec;
    const float *w[ECG__MAX_TENSORS];
    ecg__spec_tensors(spec, 1, gated->weights, w);
    float f[N];
    for (int k = 0; k < N; k++) {
        double v = (double)w[1][k];
        for (int i = 0; i < 16; i++)
            v += (double)x[5][i] * (double)w[0][i * N + k];
        f[k] = v > 0.0 ? (float)v : 0.0f;
    }
    const double distance = ecg__gate_distance(&g, C, f);
    ck_assert_double_eq_tol((double)d[5].score, distance / (double)g.limit, 1e-4);
    ecg_model_free(m);
    ecg_model_free(gated);
}
END_TEST

START_TEST(pictures)
{
    ecg_model *m = make_model(), *gated;
    ecg_error err = {0};
    ecg_gate g = make_gate();
    g.limit = 1e6f;
    g.low[ECG_LOOK_DECODED + ECG_LOOK_BACKGROUND] = 0.9f;
    g.high[ECG_LOOK_DECODED + ECG_LOOK_BACKGROUND] = 1.1f;
    g.low[ECG_LOOK_ASPECT] = -0.1f;
    g.high[ECG_LOOK_ASPECT] = 0.1f;
    ck_ok(ecg_model_with_gate(&gated, m, &g, &err), err);
    uint8_t white[64], dark[16] = {0};
    memset(white, 255, sizeof white);
    const ecg_image square = {white, 4, 4, 1, 4}, wide = {white, 8, 4, 1, 8}, black = {dark, 4, 4, 1, 4};
    ecg_session *s;
    ecg_decision d;
    float p[C], q[C];
    ck_ok(ecg_session_new(&s, gated, NULL, &err), err);
    ck_ok(ecg_session_judge_images(s, &square, NULL, 1, p, &d, &err), err);
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK);
    ck_ok(ecg_session_judge_images(s, &black, NULL, 1, p, &d, &err), err);
    ck_assert_str_eq(d.reason[0], "background (prepared): 0, expected at least 0.9");
    ck_ok(ecg_session_judge_image(s, &square, p, &d, &err), err);
    ck_assert_int_eq(d.answer, ECG_ANSWER_OK);
    ck_ok(ecg_session_judge_image(s, &wide, p, &d, &err), err);
    ck_assert_str_eq(d.reason[0], "aspect (log2 of width / height): 1, expected at most 0.1");
    const char *path = unit_tmp("wide.png");
    ck_ok(ecg_image_save_png(&wide, path, &err), err);
    ck_ok(ecg_session_judge_file(s, path, q, &d, &err), err);
    ck_assert_int_eq(d.answer, ECG_ANSWER_NOT_ECG);
    ck_assert_mem_eq(p, q, sizeof p);
    ck_fails(ecg_session_judge_images(s, &wide, NULL, 1, p, &d, &err), err, ECG_ESHAPE, "picture 0");
    ck_fails(ecg_session_judge_file(s, "/nowhere.png", p, &d, &err), err, ECG_EIO, "/nowhere.png");
    ck_fails(ecg_session_judge_data(s, "x", 1, "it", p, &d, &err), err, ECG_EFORMAT, "it");
    ecg_session_free(s);
    ecg_model_free(m);
    ecg_model_free(gated);
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
    ecg_model *m = make_model(), *gated, *ruled, *back;
    ecg_error err = {0};
    ecg_gate g = make_gate();
    ecg_rule rule = ECG_RULE_INIT;
    rule.temperature = 2.0f;
    for (int i = 0; i < TRIANGLE; i++)
        factor[i] += 0.25f * (float)i;
    const char *first = unit_tmp("gate.ecgm"), *again = unit_tmp("again.ecgm");
    ck_ok(ecg_model_with_gate(&gated, m, &g, &err), err);
    ck_ok(ecg_model_with_rule(&ruled, gated, &rule, &err), err);
    ck_ok(ecg_model_save(ruled, first, &err), err);
    ck_ok(ecg_model_load(&back, first, NULL, &err), err);
    const ecg_gate *h = ecg_model_gate(back);
    ck_assert_mem_eq(h->factor, factor, sizeof factor);
    ck_assert_mem_eq(h->centre, centre, sizeof centre);
    ck_assert_mem_eq(h->low, g.low, sizeof g.low);
    ck_assert_mem_eq(h->high, g.high, sizeof g.high);
    ck_assert(h->limit == 2.0f && h->pictures == 7 && h->held_out == 3 &&
              ecg_model_rule(back)->temperature == 2.0f);
    ck_ok(ecg_model_save(back, again, &err), err);
    ecg_model_free(back);
    ck_ok(ecg_model_save(gated, unit_tmp("norule.ecgm"), &err), err);
    ck_ok(ecg_model_load(&back, unit_tmp("norule.ecgm"), NULL, &err), err);
    ck_assert_ptr_nonnull(ecg_model_gate(back));
    ecg_model_free(back);
    size_t n, n2;
    unsigned char *p = read_file(first, &n), *p2 = read_file(again, &n2);
    ck_assert_uint_eq(n, n2);
    ck_assert_mem_eq(p, p2, n);
    ck_ok(ecg_model_verify(first, NULL, NULL, NULL, &err), err);
    /* Every change of a byte is found. */
    for (size_t i = 0; i < n; i++) {
        p[i] ^= (unsigned char)(1 + i % 255);
        ck_assert_msg(ecg_model_load_memory(&back, p, n, NULL, &err) != ECG_OK, "byte %zu", i);
        p[i] = p2[i];
    }
    /* And so it is where the checksum is made right. */
    unsigned char *at = memmem(p, n, "GATE", 4), *payload = at + 12;
    ck_assert_ptr_nonnull(at);
    const size_t bytes = (size_t)ecg__get_u64(at + 4), low = 32, tri = 32 + 8 * ECG_LOOKS,
                 cen = tri + 4 * TRIANGLE;
    ck_assert_uint_eq(bytes, cen + 4 * N * C);
    const struct {
        size_t at;
        uint32_t bits;
        ecg_status status;
        const char *part;
    } bad[] = {
        {0, 2, ECG_EVERSION, "use a newer one"},
        {0, 0, ECG_ECORRUPT, "version 0"},
        {4, 23, ECG_ECORRUPT, "23 looks"},
        {8, 5, ECG_ECORRUPT, "5 features"},
        {12, 4, ECG_ECORRUPT, "4 classes"},
        {16, 0, ECG_ECORRUPT, "pictures is 0"},
        {24, 1, ECG_ECORRUPT, "reserved 1"},
        {28, 0, ECG_ECORRUPT, "limit"},
        {28, 0x7fc00000, ECG_ECORRUPT, "limit"},
        {28, 0xbf800000, ECG_ECORRUPT, "limit"},
        {low + 8, 0x7f800000, ECG_ECORRUPT, "low[2]"},
        {low + 4 * ECG_LOOKS, 0xff7fffff, ECG_ECORRUPT, "high[0]"},
        {tri, 0, ECG_ECORRUPT, "factor[0]"},
        {tri + 4, 0xffc00000, ECG_ECORRUPT, "factor[1]"},
        {tri + 4 * (TRIANGLE - 1), 0x80000000, ECG_ECORRUPT, "factor[9]"},
        {cen + 4, 0x7f800000, ECG_ECORRUPT, "centre[1]"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned char old[4];
        memcpy(old, payload + bad[i].at, 4);
        ecg__put_u32(payload + bad[i].at, bad[i].bits);
        ecg__put_u32(payload + bytes, (uint32_t)crc32(0, at, (uInt)(bytes + 12)));
        ck_fails(ecg_model_load_memory(&back, p, n, NULL, &err), err, bad[i].status, bad[i].part);
        ck_assert_ptr_nonnull(strstr(err.message, "chunk GATE"));
        memcpy(payload + bad[i].at, old, 4);
    }
    /* A shorter one, with all the rest of the file behind it. */
    memmove(payload + bytes - 4, payload + bytes, n - (size_t)(payload + bytes - p));
    ecg__put_u64(at + 4, bytes - 4);
    ecg__put_u32(payload + bytes - 4, (uint32_t)crc32(0, at, (uInt)(bytes + 8)));
    ck_fails(ecg_model_load_memory(&back, p, n - 4, NULL, &err), err, ECG_ECORRUPT,
             "the network of ARCH needs");
    free(p);
    free(p2);
    ecg_model_free(m);
    ecg_model_free(gated);
    ecg_model_free(ruled);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gate");
    TCase *t = tcase_create("gate");
    tcase_add_test(t, checked);
    tcase_add_test(t, kept);
    tcase_add_test(t, distances);
    tcase_add_test(t, folding);
    tcase_add_test(t, answers);
    tcase_add_test(t, sessions);
    tcase_add_test(t, pictures);
    tcase_add_test(t, in_the_file);
    suite_add_tcase(s, t);
    return unit_run(s);
}
