#include "unit.h"

#include "layers/inits.h"
#include "layers/layer.h"
#include "train/grads.h"

START_TEST(names_and_tags_are_unique)
{
    ck_assert_uint_gt(ecg__layer_row_count, 0);
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        const ecg__layer_ops *a = ecg__layer_rows[i].ops;
        ck_assert(a->name && a->help && a->plan && a->forward);
        ck_assert_ptr_eq(ecg__layer_by_name(a->name, strlen(a->name)), a);
        if (a->alias)
            ck_assert_ptr_eq(ecg__layer_by_name(a->alias, strlen(a->alias)), a);
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(ecg__layer_rows[i].tag, ecg__layer_rows[k].tag);
    }
}
END_TEST

START_TEST(every_row_has_a_backward)
{
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        const ecg__layer_grad *g = ecg__layer_grad_of(ecg__layer_rows[i].ops);
        ck_assert_ptr_nonnull(g);
        ck_assert(g->backward[0].run != NULL);
    }
}
END_TEST

START_TEST(only_whole_names_are_found)
{
    ck_assert_ptr_null(ecg__layer_by_name("conv", 4));
    ck_assert_ptr_null(ecg__layer_by_name("conv2dd", 7));
    ck_assert_ptr_null(ecg__layer_by_name("", 0));
    ck_assert_str_eq(ecg__layer_by_name("maxpool2d 3x3", 9)->name, "maxpool");
    ck_assert_str_eq(ecg__layer_by_name("maxpool 3x3", 7)->name, "maxpool");
}
END_TEST

/* Tags stand in model files: they never change. */
START_TEST(tags_are_what_they_were)
{
    static const struct {
        uint32_t tag;
        const char *name;
    } known[] = {
        {0x0101, "conv2d"},         {0x0102, "dense"},     {0x0103, "flatten"},
        {0x0201, "maxpool"},        {0x0202, "avgpool"},   {0x0203, "global_avgpool"},
        {0x0204, "global_maxpool"}, {0x0301, "batchnorm"}, {0x0302, "dropout"},
        {0x0401, "relu"},           {0x0402, "elu"},       {0x0403, "leaky_relu"},
        {0x0404, "sigmoid"},        {0x0405, "tanh"},      {0x0406, "gelu"},
        {0x0407, "silu"},           {0x0408, "softmax"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t k = 0;
        while (k < ecg__layer_row_count && ecg__layer_rows[k].tag != known[i].tag)
            k++;
        ck_assert_msg(k < ecg__layer_row_count, "no layer has the tag of %s", known[i].name);
        ck_assert_str_eq(ecg__layer_rows[k].ops->name, known[i].name);
    }
}
END_TEST

START_TEST(plan_is_completed)
{
    const ecg__layer_ops *relu = ecg__layer_by_name("relu", 4);
    ecg__plan p;
    ecg_error err;
    memset(&p, 0xff, sizeof p);
    ck_ok(ecg__layer_plan(relu, NULL, (ecg_shape){2, 3, 4}, &p, &err), err);
    ck_assert_uint_eq(p.in_count, 24);
    ck_assert_uint_eq(p.out_count, 24);
    ck_assert_uint_eq(p.in.w, 3);
    ck_assert_uint_eq(p.tensors, 0);
    ck_assert_uint_eq(p.saved, 0);
    ck_fails(ecg__layer_plan(relu, NULL, (ecg_shape){2, 0, 4}, &p, &err), err, ECG_ESHAPE,
             "relu: an input of 2x0x4");
    ck_fails(ecg__layer_plan(relu, NULL, (ecg_shape){65536, 65536, 1}, &p, &err), err, ECG_ESHAPE,
             "65536x65536x1");
    ck_fails(ecg__layer_plan(relu, NULL, (ecg_shape){UINT32_MAX, UINT32_MAX, UINT32_MAX}, &p, &err), err,
             ECG_ESHAPE, "relu");
    ck_ok(ecg__layer_plan(relu, NULL, (ecg_shape){1, 1, INT32_MAX}, &p, &err), err);
}
END_TEST

START_TEST(tensors_count_their_values)
{
    ecg__plan p = {.tensors = 0};
    const ecg__tensor *a = ecg__plan_tensor(&p, "a", (uint32_t[4]){2, 3, 5, 7}, true);
    const ecg__tensor *b = ecg__plan_tensor(&p, "b", (uint32_t[4]){6, 0, 0, 0}, false);
    const ecg__tensor *c = ecg__plan_tensor(
        &p, "c", (uint32_t[4]){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, true);
    ck_assert_uint_eq(p.tensors, 3);
    ck_assert(a->rank == 4 && a->count == 210 && a->trainable && !a->decays);
    ck_assert(b->rank == 1 && b->count == 6 && !b->trainable);
    ck_assert_uint_gt(c->count, INT32_MAX); /* no wrapping back to something small */
    ck_assert_int_eq(a->init, ECG__INIT_FILL);
}
END_TEST

START_TEST(a_kernel_that_is_too_large_is_refused)
{
    const ecg__layer_ops *dense = ecg__layer_by_name("dense", 5);
    _Alignas(16) unsigned char attr[ECG__ATTR_BYTES] = {0};
    ecg__plan p;
    ecg_error err;
    ecg__attr_defaults(dense->attrs, attr);
    ck_ok(ecg__attr_parse(dense->attrs, attr, "1048576", 7, &err), err);
    ck_fails(ecg__layer_plan(dense, attr, (ecg_shape){1, 1, 4096}, &p, &err), err, ECG_ELIMIT,
             "dense: tensor kernel");
}
END_TEST

START_TEST(inits_have_names)
{
    ck_assert_str_eq(ecg__init_names[ECG__INIT_FILL], "zeros");
    ck_assert_str_eq(ecg__init_names[ECG__INIT_GLOROT_UNIFORM], "glorot_uniform");
    ck_assert_str_eq(ecg__init_names[ECG__INIT_HE_NORMAL], "he_normal");
    ck_assert_ptr_null(ecg__init_names[ECG__INIT_HE_NORMAL + 1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("registry");
    TCase *t = tcase_create("all");
    tcase_add_test(t, names_and_tags_are_unique);
    tcase_add_test(t, every_row_has_a_backward);
    tcase_add_test(t, only_whole_names_are_found);
    tcase_add_test(t, tags_are_what_they_were);
    tcase_add_test(t, plan_is_completed);
    tcase_add_test(t, tensors_count_their_values);
    tcase_add_test(t, a_kernel_that_is_too_large_is_refused);
    tcase_add_test(t, inits_have_names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
