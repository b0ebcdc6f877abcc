/* Architecture text: what is read, what is printed, and what is said of mistakes. */
#include "unit/unit.h"

#include "base/mem.h"
#include "net/spec.h"

static char printed[8192];

static const char *canonical(const char *text, const ecg_shape *input, uint32_t classes)
{
    ecg_error e;
    ecg_spec *s;
    ck_ok(ecg_spec_parse(&s, text, input, classes, &e), e);
    ck_assert_uint_lt(ecg_spec_print(s, printed, sizeof printed), sizeof printed);
    ecg_spec_free(s);
    return printed;
}

START_TEST(text_is_read_in_all_its_forms)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"input 8x8x1; dense 2", "input 8x8x1; dense 2"},
        {" input  8x8x1 ;; flatten\n# a comment; dense 9\ndense 2 # the end",
         "input 8x8x1; flatten; dense 2"},
        {"input 9x7x3; conv2d 4 3 relu; maxpool", "input 9x7x3; conv2d 4 3x3 relu; maxpool"},
        {"input 9x7x3; conv2d 4 3x5 stride=2x1 pad=same elu",
         "input 9x7x3; conv2d 4 3x5 stride=2x1 pad=same elu"},
        {"input 9x7x3; conv2d kernel=3 filters=4", "input 9x7x3; conv2d 4 3x3"},
        {"input 9x9x1; conv2d 4 3x3; elu alpha=0.5", "input 9x9x1; conv2d 4 3x3; elu 0.5"},
        {"input 9x9x1; maxpool2d 3x3 stride=1; dropout 0.25",
         "input 9x9x1; maxpool 3x3 stride=1x1; dropout 0.25"},
        {"input 4x4x1; dense 3 softmax", "input 4x4x1; dense 3; softmax"},
        {"input 9x9x1; conv2d 2 3x3; relu", "input 9x9x1; conv2d 2 3x3 relu"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_str_eq(canonical(cases[i].text, NULL, 0), cases[i].canonical);
        char again[sizeof printed];
        memcpy(again, printed, sizeof again);
        ck_assert_str_eq(canonical(again, NULL, 0), again);
    }
}
END_TEST

START_TEST(presets_print_and_parse_to_themselves)
{
    const char *name, *help;
    size_t n = 0;
    for (; ecg_preset(n, &name, &help); n++) {
        ck_assert_uint_gt(strlen(help), 10);
        char first[sizeof printed];
        memcpy(first, canonical(name, NULL, 0), sizeof first);
        ck_assert_str_eq(canonical(first, NULL, 0), first);
    }
    ck_assert_uint_ge(n, 3);
}
END_TEST

START_TEST(input_and_classes_replace_those_of_the_text)
{
    const ecg_shape wide = {0, 32, 0};
    ck_assert_str_eq(canonical("input 8x8x1; flatten; dense 7; softmax", &wide, 3),
                     "input 8x32x1; flatten; dense 3; softmax");
    const ecg_shape full = {4, 5, 3};
    ck_assert_str_eq(canonical("flatten; dense 4; dense 7 relu", &full, 2),
                     "input 4x5x3; flatten; dense 4; dense 2 relu");
}
END_TEST

START_TEST(the_original_network_has_its_parameters)
{
    ecg_error e;
    ecg_spec *s;
    const ecg_shape rgb = {64, 64, 3};
    ck_ok(ecg_spec_parse(&s, "seed", &rgb, 0, &e), e);
    ck_assert_uint_eq(ecg_spec_params(s), 211078);
    ck_assert_uint_eq(ecg_spec_outputs(s), 6);
    ck_assert_uint_eq(ecg_spec_input(s).c, 3);
    const ecg_layer_info first = ecg_spec_layer(s, 0);
    ck_assert_str_eq(first.name, "conv2d");
    ck_assert_uint_eq(first.params, 896);
    ck_assert_uint_eq(first.out.h, 62);
    ck_assert_uint_eq(first.macs, 62ull * 62 * 27 * 32);
    char text[64];
    ecg_spec_layer_text(s, 0, text, sizeof text);
    ck_assert_str_eq(text, "32 3x3");
    ecg_spec_free(s);
    ck_ok(ecg_spec_parse(&s, "jun2018", NULL, 0, &e), e);
    ck_assert_uint_gt(ecg_spec_params(s), 135000000);
    ck_assert_uint_lt(ecg_spec_params(s), 136000000);
    ecg_spec_free(s);
    ecg_spec_free(NULL);
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const struct {
        const char *text;
        ecg_status status;
        const char *part;
    } cases[] = {
        {"", ECG_EINVAL, "input"},
        {"input 8x8x1", ECG_EINVAL, "no layers"},
        {"input 8x8; dense 2", ECG_EINVAL, "64x64x1"},
        {"input 8x8x1x1; dense 2", ECG_EINVAL, "64x64x1"},
        {"input 0x8x1; dense 2", ECG_EINVAL, "0x8x1"},
        {"input 8x8x9; dense 2", ECG_EINVAL, "8x8x9"},
        {"input 99999999x8x1; dense 2", ECG_EINVAL, "item 1"},
        {"input 8x8x1; convolution 3", ECG_EINVAL, "no layer \"convolution\""},
        {"input 8x8x1; conv2d 0 3x3", ECG_EINVAL, "item 2"},
        {"input 8x8x1; conv2d 4", ECG_EINVAL, "kernel is missing"},
        {"input 8x8x1; conv2d 4 3x3 7", ECG_EINVAL, "\"7\""},
        {"input 8x8x1; conv2d 4 3x3 colour=2", ECG_EINVAL, "\"colour\""},
        {"input 8x8x1; conv2d 4 3x3 filters=2", ECG_EINVAL, "twice"},
        {"input 8x8x1; conv2d 4 3x3 relu stride=2", ECG_EINVAL, "after the activation"},
        {"input 8x8x1; maxpool relu", ECG_EINVAL, "takes no activation"},
        {"input 8x8x1; conv2d 4 9x9", ECG_ESHAPE, "item 2"},
        {"input 8x8x1; dropout 1.5", ECG_EINVAL, "rate"},
        {"input 8x8x1; dropout nan", ECG_EINVAL, "rate"},
        {"input 8x8x1; input 8x8x1; dense 2", ECG_EINVAL, "no layer \"input\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ecg_error e;
        ecg_spec *s = (ecg_spec *)&e;
        ck_fails(ecg_spec_parse(&s, cases[i].text, NULL, 0, &e), e, cases[i].status, cases[i].part);
        ck_assert_ptr_null(s);
        ck_assert_int_eq(ecg_spec_parse(&s, cases[i].text, NULL, 0, NULL), cases[i].status);
    }
    ecg_error e;
    ecg_spec *s;
    ck_fails(ecg_spec_parse(&s, NULL, NULL, 0, &e), e, ECG_EINVAL, "no text");
    ck_fails(ecg_spec_parse(&s, "input 8x8x1; flatten", NULL, 3, &e), e, ECG_EINVAL, "no dense layer");
}
END_TEST

START_TEST(limits)
{
    ecg_error e;
    ecg_spec *s;
    static char text[200000];
    size_t n = (size_t)snprintf(text, sizeof text, "input 4x4x1");
    for (int i = 0; i < 1024; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ";relu");
    ck_ok(ecg_spec_parse(&s, text, NULL, 0, &e), e);
    ck_assert_uint_eq(ecg_spec_layers(s), 1024);
    ecg_spec_free(s);
    snprintf(text + n, sizeof text - n, ";relu");
    ck_fails(ecg_spec_parse(&s, text, NULL, 0, &e), e, ECG_ELIMIT, "1024 layers");
    memset(text, ' ', 70000);
    text[70000] = '\0';
    ck_fails(ecg_spec_parse(&s, text, NULL, 0, &e), e, ECG_ELIMIT, "65536");
    /* Sizes multiply up to far more than there is memory; nothing may wrap. */
    ck_assert_int_ne(ecg_spec_parse(&s, "input 4096x4096x4; conv2d 65536 1x1; conv2d 65536 1x1", NULL, 0, &e),
                     ECG_OK);
    ck_assert_int_ne(ecg_spec_parse(&s, "input 4096x4096x4; flatten; dense 65536; dense 65536", NULL, 0, &e),
                     ECG_OK);
}
END_TEST

START_TEST(tensors_lie_apart_and_aligned)
{
    ecg_error e;
    ecg_spec *s;
    ck_ok(ecg_spec_parse(&s, "input 9x9x1; conv2d 3 3x3; batchnorm relu; flatten; dense 5; softmax", NULL, 0,
                         &e),
          e);
    ecg_spec *copy = ecg__spec_copy(s);
    ck_assert_uint_eq(s->slots, 8);
    size_t floats = 0;
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *a = &s->slot[i];
        ck_assert_uint_eq(a->offset % 16, 0);
        ck_assert(a->tensor->trainable == (a->offset < s->trainable_floats));
        ck_assert_uint_le(a->offset + a->tensor->count, s->floats);
        floats += a->tensor->count;
        for (uint32_t k = 0; k < i; k++) {
            const ecg__slot *b = &s->slot[k];
            ck_assert(a->offset + a->tensor->count <= b->offset || b->offset + b->tensor->count <= a->offset);
            ck_assert_str_ne(a->name, b->name);
        }
        ck_assert_str_eq(copy->slot[i].name, a->name);
        ck_assert_ptr_ne(copy->slot[i].tensor, a->tensor);
        ck_assert_uint_eq(copy->slot[i].tensor->count, a->tensor->count);
    }
    ck_assert_str_eq(s->slot[0].name, "1.conv2d.kernel");
    ck_assert_uint_eq(floats, ecg_spec_params(s) + 6);
    ecg_spec_free(s);
    ecg_spec_free(copy);
}
END_TEST

START_TEST(printing_into_small_buffers)
{
    ecg_error e;
    ecg_spec *s;
    ck_ok(ecg_spec_parse(&s, "seed", NULL, 0, &e), e);
    const size_t n = ecg_spec_print(s, NULL, 0);
    char full[512], part[512];
    ck_assert_uint_eq(ecg_spec_print(s, full, sizeof full), n);
    ck_assert_uint_eq(strlen(full), n);
    for (size_t cap = 1; cap < n; cap++) {
        memset(part, 'x', sizeof part);
        ck_assert_uint_eq(ecg_spec_print(s, part, cap), n);
        ck_assert_uint_eq(strlen(part), cap - 1);
        ck_assert_int_eq(memcmp(part, full, cap - 1), 0);
        ck_assert_int_eq(part[cap], 'x');
    }
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("parse");
    TCase *t = tcase_create("parse");
    tcase_add_test(t, text_is_read_in_all_its_forms);
    tcase_add_test(t, presets_print_and_parse_to_themselves);
    tcase_add_test(t, input_and_classes_replace_those_of_the_text);
    tcase_add_test(t, the_original_network_has_its_parameters);
    tcase_add_test(t, mistakes_are_named);
    tcase_add_test(t, limits);
    tcase_add_test(t, tensors_lie_apart_and_aligned);
    tcase_add_test(t, printing_into_small_buffers);
    suite_add_tcase(s, t);
    return unit_run(s);
}
