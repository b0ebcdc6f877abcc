/* Preprocessing in a model file: what goes in comes out, and what does not fit is refused. */
#include "unit/unit.h"

#include <math.h>

#include "base/mem.h"
#include "format/model_io.h"
#include "net/model.h"

enum { H = 3, W = 2, N = H * W };

static const char *const classes[] = {"a", "b"};

static ecg_model *make(const ecg_preprocess *p)
{
    ecg_error e;
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, "input 3x2x1; flatten; dense 2; softmax", NULL, 0, &e), e);
    float *w = ecg__calloc(spec->floats, sizeof *w);
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, p, classes, 2, NULL, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static ecg_preprocess prep_of(uint32_t kind, const float *zca)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = H;
    p.w = W;
    p.mean[0] = 0.25f;
    p.deviation[0] = 0.5f;
    p.samplewise_center = kind & 1;
    p.samplewise_std = kind >> 1 & 1;
    p.zca = kind & 4 ? zca : NULL;
    p.zca_n = kind & 4 ? N : 0;
    return p;
}

START_TEST(every_kind_comes_back)
{
    ecg_error e;
    float zca[N * N];
    for (int i = 0; i < N * N; i++)
        zca[i] = (float)(i * 7 % 11) / 8 - 0.5f;
    const uint8_t px[N] = {0, 255, 30, 200, 7, 90};
    for (uint32_t kind = 0; kind < 8; kind++) {
        const ecg_preprocess p = prep_of(kind, zca);
        ecg_model *m = make(&p), *back;
        ck_assert(kind < 4 || ecg_model_preprocess(m)->zca != zca); /* a copy */
        const char *path = unit_tmp("prep.ecgm");
        ck_ok(ecg_model_save(m, path, &e), e);
        ck_ok(ecg_model_load(&back, path, NULL, &e), e);
        float before[N], after[N];
        ecg_preprocess_values(ecg_model_preprocess(m), px, before);
        ecg_preprocess_values(ecg_model_preprocess(back), px, after);
        ck_assert_int_eq(memcmp(before, after, sizeof before), 0);
        ck_assert_uint_eq(ecg_model_preprocess(back)->samplewise_center, (kind & 3) != 0);
        ck_assert_uint_eq(ecg_model_preprocess(back)->zca_n, kind & 4 ? N : 0);
        ecg_model_free(m);
        ecg_model_free(back);
    }
}
END_TEST

/* By the definition, in double precision. */
START_TEST(values_follow_the_definition)
{
    float zca[N * N];
    for (int i = 0; i < N * N; i++)
        zca[i] = (float)(i * 5 % 13) / 8 - 0.5f;
    const uint8_t px[N] = {10, 250, 0, 100, 77, 3};
    for (uint32_t kind = 0; kind < 8; kind++) {
        ecg_preprocess p = prep_of(kind, zca);
        ecg_error e;
        ck_ok(ecg_preprocess_check(&p, &p, &e), e);
        double v[N], mean = 0, square = 0;
        for (int i = 0; i < N; i++)
            mean += (v[i] = px[i] / 255.0) / N;
        for (int i = 0; i < N; i++)
            square += (v[i] - mean) * (v[i] - mean) / N;
        for (int i = 0; i < N; i++) {
            v[i] -= kind & 3 ? mean : 0;
            v[i] /= kind & 2 ? sqrt(square) + 1e-6 : 1;
            v[i] = (v[i] - 0.25) / 0.5;
        }
        float x[N], floats[N];
        ecg_preprocess_values(&p, px, x);
        for (int i = 0; i < N; i++)
            floats[i] = px[i];
        ecg_preprocess_floats(&p, floats);
        for (int j = 0; j < N; j++) {
            double want = v[j];
            if (kind & 4) {
                want = 0;
                for (int i = 0; i < N; i++)
                    want += v[i] * (double)zca[i * N + j];
            }
            ck_assert_double_eq_tol((double)x[j], want, 1e-4);
            ck_assert(x[j] == floats[j]);
        }
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    ecg_error e;
    float zca[N * N] = {0};
    ecg_preprocess p = prep_of(4, zca), out;
    p.zca_n = N - 1;
    ck_fails(ecg_preprocess_check(&out, &p, &e), e, ECG_EINVAL, "zca_n is 5");
    p = prep_of(0, zca);
    p.zca_n = N;
    ck_fails(ecg_preprocess_check(&out, &p, &e), e, ECG_EINVAL, "without zca");
    p = prep_of(4, zca);
    zca[7] = NAN;
    ck_fails(ecg_preprocess_check(&out, &p, &e), e, ECG_EINVAL, "zca[7]");
    p.h = p.w = 65;
    p.zca_n = 65 * 65;
    ck_fails(ecg_preprocess_check(&out, &p, &e), e, ECG_ELIMIT, "4225");
    p = prep_of(0, NULL);
    p.samplewise_std = 2;
    ck_fails(ecg_preprocess_check(&out, &p, &e), e, ECG_EINVAL, "samplewise_std");
}
END_TEST

START_TEST(every_damaged_byte_is_noticed)
{
    ecg_error e;
    float zca[N * N] = {1};
    const ecg_preprocess p = prep_of(7, zca);
    ecg_model *m = make(&p);
    const char *path = unit_tmp("damaged.ecgm");
    ck_ok(ecg_model_save(m, path, &e), e);
    ecg_model_free(m);
    static unsigned char bytes[8192];
    FILE *f = fopen(path, "rb");
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    ck_assert_uint_lt(n, sizeof bytes);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x41;
        ck_assert_int_ne(ecg_model_load_memory(&m, bytes, n, NULL, NULL), ECG_OK);
        bytes[i] ^= 0x41;
        ck_assert_int_ne(ecg_model_load_memory(&m, bytes, i, NULL, NULL), ECG_OK);
    }
    ck_ok(ecg_model_load_memory(&m, bytes, n, NULL, &e), e);
    ecg_model_free(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prep");
    TCase *t = tcase_create("prep");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_kind_comes_back);
    tcase_add_test(t, values_follow_the_definition);
    tcase_add_test(t, what_does_not_fit_is_refused);
    tcase_add_test(t, every_damaged_byte_is_noticed);
    suite_add_tcase(s, t);
    return unit_run(s);
}
