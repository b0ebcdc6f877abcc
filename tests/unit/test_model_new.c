/* Models from outside weights, and their weights to the outside. */
#include "unit/unit.h"

#include <math.h>

#include "unit/nets.h"

enum { MOST = 64 };

static const char *const three[] = {"a", "b", "c"};
static ecg_spec *spec;
static ecg_preprocess prep;
static ecg_model_info info;
static ecg_tensor tensor[MOST];
static float *value[MOST];
static size_t tensors;

static size_t product(const uint32_t dims[4])
{
    size_t n = 1;
    for (int d = 0; d < 4 && dims[d]; d++)
        n *= dims[d];
    return n;
}

static void setup(void)
{
    spec = unit_spec("input 6x5x1; conv2d 4 3x2 relu; batchnorm; flatten; dense 3; softmax");
    prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    prep.h = 6;
    prep.w = 5;
    info = (ecg_model_info){sizeof info, &prep, three, NULL};
    uint32_t dims[4];
    const char *name;
    for (tensors = 0; (name = ecg_spec_tensor(spec, tensors, dims)); tensors++) {
        const size_t n = product(dims);
        value[tensors] = calloc(n, sizeof(float));
        for (size_t j = 0; j < n; j++)
            value[tensors][j] = 0.01f * (float)(j + 1 + 100 * tensors);
        tensor[tensors] = (ecg_tensor){name, value[tensors], n};
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < tensors; i++)
        free(value[i]);
    ecg_spec_free(spec);
}

START_TEST(tensors_have_names_and_shapes)
{
    static const struct {
        const char *name;
        uint32_t dims[4];
    } want[] = {
        {"1.conv2d.kernel", {3, 2, 1, 4}},   {"1.conv2d.bias", {4, 0, 0, 0}},
        {"3.batchnorm.gamma", {4, 0, 0, 0}}, {"3.batchnorm.beta", {4, 0, 0, 0}},
        {"3.batchnorm.mean", {4, 0, 0, 0}},  {"3.batchnorm.variance", {4, 0, 0, 0}},
        {"5.dense.kernel", {64, 3, 0, 0}},   {"5.dense.bias", {3, 0, 0, 0}},
    };
    const size_t n = sizeof want / sizeof *want;
    ck_assert_uint_eq(tensors, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t dims[4];
        ck_assert_str_eq(ecg_spec_tensor(spec, i, dims), want[i].name);
        ck_assert_mem_eq(dims, want[i].dims, sizeof dims);
        ck_assert_str_eq(ecg_spec_tensor(spec, i, NULL), want[i].name);
    }
    ck_assert_ptr_null(ecg_spec_tensor(spec, n, NULL));
}
END_TEST

START_TEST(what_goes_in_comes_out)
{
    ecg_error e;
    ecg_model *m;
    const char *const meta[] = {"made_with", "a test", NULL};
    info.meta = meta;
    const ecg_tensor first = tensor[0]; /* in any order */
    tensor[0] = tensor[tensors - 1];
    tensor[tensors - 1] = first;
    ck_ok(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e);
    for (size_t i = 0; i < tensors; i++) {
        const char *name;
        size_t count;
        const float *v = ecg_model_tensor(m, i, &name, &count);
        ck_assert_str_eq(name, ecg_spec_tensor(spec, i, NULL));
        uint32_t dims[4];
        ecg_spec_tensor(spec, i, dims);
        ck_assert_uint_eq(count, product(dims));
        ck_assert_mem_eq(v, value[i], count * sizeof *v);
        ck_assert_ptr_ne(v, value[i]);
        ck_assert_ptr_eq(ecg_model_tensor(m, i, NULL, NULL), v);
    }
    ck_assert_ptr_null(ecg_model_tensor(m, tensors, NULL, NULL));
    ck_assert_str_eq(ecg_model_meta(m, "made_with"), "a test");
    ck_assert_str_eq(ecg_model_class(m, 2), "c");
    ck_assert_ptr_null(ecg_model_gate(m));

    /* And once more by way of a file, where it answers as it did. */
    const char *path = unit_tmp("new.ecgm");
    ck_ok(ecg_model_save(m, path, &e), e);
    ecg_model *again;
    ck_ok(ecg_model_load(&again, path, NULL, &e), e);
    const ecg_model *both[] = {m, again};
    float x[30], probs[2][3];
    for (size_t j = 0; j < 30; j++)
        x[j] = (float)j / 30.0f;
    for (size_t k = 0; k < 2; k++) {
        ecg_session *session;
        ecg_model *model = k ? again : m;
        ck_ok(ecg_session_new(&session, model, NULL, &e), e);
        ecg_session_run(session, x, 1, probs[k]);
        ecg_session_free(session);
        ck_assert_uint_eq(ecg_model_classes(both[k]), 3);
    }
    ck_assert_mem_eq(probs[0], probs[1], sizeof probs[0]);
    ck_assert(fabsf(probs[0][0] + probs[0][1] + probs[0][2] - 1.0f) < 1e-5f);
    ecg_model_free(again);
    ecg_model_free(m);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    ecg_error e;
    ecg_model *m;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors - 1, &e), e, ECG_EINVAL,
             "5.dense.bias is missing");
    ck_assert_ptr_null(m);
    ecg_tensor was = tensor[2];
    tensor[2].count++;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_EINVAL,
             "3.batchnorm.gamma has 5 values, expected 4");
    tensor[2] = tensor[3];
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_EINVAL,
             "3.batchnorm.beta is given twice");
    tensor[2] = (ecg_tensor){"2.conv2d.kernel", value[2], 4};
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_EINVAL, "no tensor 2.conv2d.kernel");
    tensor[2].name = NULL;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_EINVAL, "without a name");
    tensor[2] = was;
    value[5][1] = -1.0f;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_ENUMERIC, "3.batchnorm.variance");
    value[5][1] = NAN;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_ENUMERIC, "not finite");
    info.classes = NULL;
    ck_fails(ecg_model_new(&m, spec, &info, tensor, tensors, &e), e, ECG_EINVAL, "preprocess and classes");
    ck_fails(ecg_model_new(&m, spec, NULL, tensor, tensors, &e), e, ECG_EINVAL, "preprocess and classes");
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(what_could_not_be_loaded_is_not_made)
{
    ecg_error e;
    ecg_model *m;
    ecg_spec *large = unit_spec("input 64x64x1; flatten; dense 100000; dense 3; softmax");
    prep.h = prep.w = 64;
    ck_fails(ecg_model_new(&m, large, &info, NULL, 0, &e), e, ECG_ELIMIT, "max_params");
    ecg_spec_free(large);
    large = unit_spec("input 4096x4096x1; conv2d 64 1x1; global_avgpool; dense 3; softmax");
    prep.h = prep.w = 4096;
    ck_fails(ecg_model_new(&m, large, &info, NULL, 0, &e), e, ECG_ELIMIT, "max_arena");
    ecg_spec_free(large);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("model_new");
    TCase *t = tcase_create("model_new");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, tensors_have_names_and_shapes);
    tcase_add_test(t, what_goes_in_comes_out);
    tcase_add_test(t, what_does_not_fit_is_refused);
    tcase_add_test(t, what_could_not_be_loaded_is_not_made);
    suite_add_tcase(s, t);
    return unit_run(s);
}
