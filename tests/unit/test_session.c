/* Running a model: the same bits alone or among others, on any number of threads. */
#define _XOPEN_SOURCE 700 /* rlimit */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/model.h"
#include "train/init.h"
#include "unit/nets.h"

static const char *const names[] = {"a", "b", "c"};

static ecg_model *make_model(const char *text)
{
    ecg_error e;
    ecg_spec *spec;
    ck_ok(ecg_spec_parse(&spec, text, NULL, 0, &e), e);
    float *w = ecg__alloc(spec->floats * sizeof *w);
    ecg__init_weights(spec, 3, w);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = spec->input.h;
    p.w = spec->input.w;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, 3, NULL, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static const char
    *const text = "input 20x24x1; conv2d 5 3x3 pad=same; batchnorm relu; maxpool 2x2; conv2d 6 3x3 elu;"
                  "dropout 0.5; global_avgpool; dense 8 gelu; dense 3; softmax";
enum { N = 13, VALUES = 20 * 24 };

static void pictures(uint8_t *px, size_t n)
{
    ecg__rng r = ecg__rng_at(5, ECG__RNG_INIT, 0, 0);
    for (size_t i = 0; i < n; i++)
        px[i] = (uint8_t)ecg__rng_u32(&r);
}

START_TEST(company_and_threads_change_nothing)
{
    ecg_error e;
    ecg_model *m = make_model(text);
    static uint8_t px[N * VALUES];
    static float x[N * VALUES], alone[N * 3], among[N * 3], images[N * 3];
    pictures(px, sizeof px);
    for (size_t i = 0; i < N; i++)
        ecg_preprocess_values(ecg_model_preprocess(m), px + i * VALUES, x + i * VALUES);
    ecg_image img[N];
    for (size_t i = 0; i < N; i++)
        img[i] = (ecg_image){.px = px + i * VALUES, .w = 24, .h = 20, .c = 1, .stride = 24};
    for (uint32_t threads = 1; threads < 6; threads += 2) {
        ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
        o.threads = threads;
        ecg_session *s;
        ck_ok(ecg_session_new(&s, m, &o, &e), e);
        if (threads == 1)
            for (size_t i = 0; i < N; i++)
                ecg_session_run(s, x + i * VALUES, 1, alone + i * 3);
        ecg_session_run(s, x, N, among);
        ck_ok(ecg_session_run_images(s, img, N, images, &e), e);
        ck_assert_int_eq(memcmp(alone, among, sizeof alone), 0);
        ck_assert_int_eq(memcmp(alone, images, sizeof alone), 0);
        ecg_session_free(s);
    }
    for (size_t i = 0; i < N; i++) {
        const double sum = (double)alone[3 * i] + (double)alone[3 * i + 1] + (double)alone[3 * i + 2];
        ck_assert_double_eq_tol(sum, 1.0, 1e-5);
    }
    ck_assert_int_ne(memcmp(alone, alone + 3, 3 * sizeof *alone), 0);
    ecg_model_free(m);
    ecg_session_free(NULL);
}
END_TEST

START_TEST(rows_may_lie_apart)
{
    ecg_error e;
    ecg_model *m = make_model(text);
    ecg_session *s;
    ck_ok(ecg_session_new(&s, m, NULL, &e), e);
    ecg_model_free(m); /* the session keeps it */
    static uint8_t packed[VALUES], apart[20 * 40];
    pictures(packed, sizeof packed);
    for (int r = 0; r < 20; r++)
        memcpy(apart + r * 40, packed + r * 24, 24);
    const ecg_image a = {.px = packed, .w = 24, .h = 20, .c = 1, .stride = 24},
                    b = {.px = apart, .w = 24, .h = 20, .c = 1, .stride = 40};
    float pa[3], pb[3];
    ck_ok(ecg_session_run_images(s, &a, 1, pa, &e), e);
    ck_ok(ecg_session_run_images(s, &b, 1, pb, &e), e);
    ck_assert_int_eq(memcmp(pa, pb, sizeof pa), 0);
    const ecg_image wrong[2] = {a, {.px = packed, .w = 20, .h = 24, .c = 1, .stride = 20}};
    ck_fails(ecg_session_run_images(s, wrong, 2, pa, &e), e, ECG_ESHAPE, "picture 1 has 24x20x1");
    ck_assert_int_eq(ecg_session_run_file(s, "nowhere.png", pa, &e), ECG_EIO);
    ecg_session_free(s);
}
END_TEST

START_TEST(a_session_lies_where_it_is_told)
{
    const char *const nets[] = {text, "input 20x24x1; flatten; dense 3; softmax",
                                "input 20x24x1; conv2d 3 20x24 elu; batchnorm; flatten; softmax"};
    static uint8_t px[N * VALUES];
    static float x[N * VALUES], want[N * 3], got[N * 3];
    pictures(px, sizeof px);
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        ecg_error e;
        ecg_model *m = make_model(nets[k]);
        for (size_t i = 0; i < N; i++)
            ecg_preprocess_values(ecg_model_preprocess(m), px + i * VALUES, x + i * VALUES);
        ecg_session *s;
        ck_ok(ecg_session_new(&s, m, NULL, &e), e);
        ecg_session_run(s, x, N, want);
        ecg_session_free(s);
        const size_t bytes = ecg_session_bytes(m);
        ck_assert_uint_gt(bytes, VALUES * sizeof(float));
        /* Any alignment, and not a byte beyond; a sanitizer sees one read beyond, too. */
        for (size_t shift = 0; shift <= 65; shift += 13) {
            unsigned char *memory = malloc(shift + bytes);
            memset(memory, 0xa5, shift + bytes);
            ck_ok(ecg_session_new_in(&s, m, memory + shift, bytes, &e), e);
            ck_assert((unsigned char *)s >= memory + shift && (unsigned char *)s < memory + shift + bytes);
            memset(got, 0, sizeof got);
            ecg_session_run(s, x, N, got);
            ck_assert_int_eq(memcmp(want, got, sizeof want), 0);
            ecg_session_free(s);
            for (size_t i = 0; i < shift; i++)
                ck_assert_uint_eq(memory[i], 0xa5);
            free(memory);
        }
        unsigned char few;
        ck_fails(ecg_session_new_in(&s, m, &few, bytes - 1, &e), e, ECG_EINVAL, "this model needs");
        ck_assert_ptr_null(s);
        ck_fails(ecg_session_new_in(&s, m, NULL, bytes, &e), e, ECG_EINVAL, "0 bytes of memory given");
        ecg_model_free(m);
    }
}
END_TEST

START_TEST(a_placed_session_keeps_its_model)
{
    ecg_error e;
    ecg_model *m = make_model(text);
    const size_t bytes = ecg_session_bytes(m);
    void *memory = malloc(bytes);
    ecg_session *s;
    ck_ok(ecg_session_new_in(&s, m, memory, bytes, &e), e);
    ecg_model_free(m);
    static uint8_t px[VALUES];
    pictures(px, sizeof px);
    const ecg_image img = {.px = px, .w = 24, .h = 20, .c = 1, .stride = 24};
    float probs[3];
    ecg_decision d;
    ck_ok(ecg_session_judge_images(s, &img, NULL, 1, probs, &d, &e), e);
    ck_assert_int_eq(memcmp(&probs[d.best], &d.probability, sizeof *probs), 0);
    ecg_session_free(s);
    free(memory);
}
END_TEST

#if !UNIT_SANITIZED
START_TEST(missing_memory_is_named)
{
    /* 64 values of 2000x1000 floats are 488 MiB; the weights are few. Each test has its own process. */
    struct rlimit few = {(rlim_t)384 << 20, (rlim_t)384 << 20};
    ecg_model *m = make_model("input 2000x1000x1; conv2d 64 1x1; global_maxpool; dense 3; softmax");
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    ecg_session *s;
    ecg_error e;
    o.threads = 1;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &few), 0);
    ck_fails(ecg_session_new(&s, m, &o, &e), e, ECG_ENOMEM, "out of memory, wanted");
    ck_assert_ptr_null(s);
    const char *number = strstr(e.message, "wanted ") + strlen("wanted ");
    const unsigned long mib = strtoul(number, NULL, 10);
    ck_assert_uint_ge(mib, 488);
    ck_assert_uint_le(mib, 600);
    ck_assert_ptr_nonnull(strstr(e.message, "MiB for 1 thread"));
    ecg_model_free(m);
}
END_TEST
#endif

int main(void)
{
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, company_and_threads_change_nothing);
    tcase_add_test(t, rows_may_lie_apart);
    tcase_add_test(t, a_session_lies_where_it_is_told);
    tcase_add_test(t, a_placed_session_keeps_its_model);
#if !UNIT_SANITIZED
    tcase_add_test(t, missing_memory_is_named); /* a sanitizer takes more than the limit by itself */
#endif
    suite_add_tcase(s, t);
    return unit_run(s);
}
