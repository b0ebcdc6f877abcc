/* What a model holds, and what it refuses. */
#include "unit/unit.h"

#include <math.h>

#include "base/mem.h"
#include "net/model.h"

static ecg_spec *spec;
static ecg_preprocess prep = ECG_PREPROCESS_INIT;
static float *weights;

static void setup(void)
{
    ecg_error e;
    ck_ok(ecg_spec_parse(&spec, "input 4x4x1; flatten; dense 2; softmax", NULL, 0, &e), e);
    prep.h = prep.w = 4;
    weights = ecg__calloc(spec->floats, sizeof *weights);
}

static void teardown(void)
{
    ecg_spec_free(spec);
    ecg__free(weights);
}

START_TEST(parts_are_copied)
{
    ecg_error e;
    char first[] = "Normal beat", key[] = "seed", value[] = "7";
    const char *const classes[] = {first, "PVC"}, *const meta[] = {key, value, "net", "x", NULL};
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &prep, classes, 2, meta, weights, true, &e), e);
    first[0] = key[0] = value[0] = '?';
    ck_assert_uint_eq(ecg_model_classes(m), 2);
    ck_assert_str_eq(ecg_model_class(m, 0), "Normal beat");
    ck_assert_ptr_null(ecg_model_class(m, 2));
    ck_assert_str_eq(ecg_model_meta(m, "seed"), "7");
    ck_assert_ptr_null(ecg_model_meta(m, "sead"));
    const char *k, *v;
    ck_assert(ecg_model_meta_at(m, 1, &k, &v));
    ck_assert_str_eq(k, "net");
    ck_assert_str_eq(v, "x");
    ck_assert(!ecg_model_meta_at(m, 2, &k, &v));
    ck_assert(ecg_model_preprocess(m)->rescale == 1.0f / 255.0f);
    ck_assert_ptr_ne(ecg_model_spec(m), spec);
    ck_assert_ptr_eq(ecg_model_retain(m), m);
    ecg_model_free(m);
    ck_assert_uint_eq(ecg_model_classes(m), 2);
    ecg_model_free(m);
    ecg_model_free(NULL);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    ecg_error e;
    ecg_model *m;
    const char *const two[] = {"a", "b"}, *const same[] = {"a", "a"}, *const empty[] = {"a", ""};
    char long_name[400];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const longer[] = {"a", long_name};
    ck_fails(ecg__model_new(&m, spec, &prep, two, 1, NULL, weights, true, &e), e, ECG_EINVAL,
             "1 class names");
    ck_fails(ecg__model_new(&m, spec, &prep, same, 2, NULL, weights, true, &e), e, ECG_EINVAL, "two classes");
    ck_fails(ecg__model_new(&m, spec, &prep, empty, 2, NULL, weights, true, &e), e, ECG_EINVAL,
             "class 1 has 0");
    ck_fails(ecg__model_new(&m, spec, &prep, longer, 2, NULL, weights, true, &e), e, ECG_EINVAL, "399 bytes");
    ecg_preprocess other = prep;
    other.w = 5;
    ck_fails(ecg__model_new(&m, spec, &other, two, 2, NULL, weights, true, &e), e, ECG_EINVAL, "4x5x1");
    weights[3] = NAN;
    ck_fails(ecg__model_new(&m, spec, &prep, two, 2, NULL, weights, true, &e), e, ECG_ENUMERIC,
             "value 3 of 2.dense.kernel");
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(what_gives_no_probabilities_is_refused)
{
    static const struct {
        const char *text, *part;
        uint32_t outputs;
    } cases[] = {
        {"input 4x4x1; flatten; dense 2", "ends in dense of 1x1x2", 2},
        {"input 4x4x1; flatten; dense 2 sigmoid", "ends in sigmoid of 1x1x2", 2},
        {"input 4x4x1; conv2d 2 4x3; softmax", "ends in softmax of 1x2x2", 4},
    };
    const char *const four[] = {"a", "b", "c", "d"};
    ecg_error e;
    ecg_model *m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ecg_spec *other;
        ck_ok(ecg_spec_parse(&other, cases[i].text, NULL, 0, &e), e);
        float *w = ecg__calloc(other->floats, sizeof *w);
        ck_fails(ecg__model_new(&m, other, &prep, four, cases[i].outputs, NULL, w, true, &e), e, ECG_EINVAL,
                 cases[i].part);
        ecg__free(w);
        ecg_spec_free(other);
    }
}
END_TEST

START_TEST(a_negative_variance_is_refused)
{
    ecg_error e;
    ecg_model *m;
    ecg_spec *other;
    const char *const two[] = {"a", "b"};
    ck_ok(ecg_spec_parse(&other, "input 4x4x1; flatten; batchnorm; dense 2; softmax", NULL, 0, &e), e);
    const ecg__slot *mean = &other->slot[2], *variance = &other->slot[3];
    ck_assert_str_eq(variance->tensor->name, "variance");
    float *w = ecg__calloc(other->floats, sizeof *w);
    w[mean->offset] = -1.0f; /* no variance: any number will do */
    w[variance->offset + 1] = -0.0f;
    ck_ok(ecg__model_new(&m, other, &prep, two, 2, NULL, w, true, &e), e);
    ecg_model_free(m);
    w[variance->offset + 5] = -0.5f;
    ck_fails(ecg__model_new(&m, other, &prep, two, 2, NULL, w, true, &e), e, ECG_ENUMERIC,
             "value 5 of 2.batchnorm.variance is -0.5");
    ecg__free(w);
    ecg_spec_free(other);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, parts_are_copied);
    tcase_add_test(t, what_does_not_fit_is_refused);
    tcase_add_test(t, what_gives_no_probabilities_is_refused);
    tcase_add_test(t, a_negative_variance_is_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
