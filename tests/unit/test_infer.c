/* One sample through a network, in an arena where values take each other's place, against the same layers (as
 * they are run) with memory of their own: the same bits. */
#include "unit/nets.h"

#include "net/infer.h"
#include "train/init.h"

enum { GUARD = 256 };

/* The same in groups, in an arena full of NaN. */
static void compare_group(const char *text, const ecg_spec *s, const float *w, uint32_t group)
{
    const size_t in = s->layer[0].plan.in_count, outputs = ecg_spec_outputs(s);
    ecg__infer f;
    ck_assert_int_eq(ecg__infer_plan(&f, s, group), ECG_OK);
    ck_assert_uint_ge(f.group, 1);
    ck_assert_uint_le(f.group, group);
    float *x = unit_values(f.group * in, 9), *want = ecg__calloc(f.group * outputs, sizeof *want);
    float *out = ecg__calloc(f.group * outputs, sizeof *out);
    unsigned char *arena = ecg__alloc(f.bytes + GUARD);
    memset(arena, 0xff, f.bytes);
    memset(arena + f.bytes, 0x5a, GUARD);
    for (uint32_t n = 1; n <= f.group; n++) {
        for (uint32_t i = 0; i < n; i++) {
            unit_chain(f.spec, w, x + i * in, want + i * outputs);
            ecg__infer_body(&f, w, x + i * in, i, arena, NULL, NULL);
        }
        ecg__infer_head(&f, w, n, out, arena, NULL, NULL);
        ck_assert_msg(memcmp(out, want, n * outputs * sizeof *want) == 0, "%s: groups of %u differ", text, n);
    }
    for (size_t i = 0; i < GUARD; i++)
        ck_assert_msg(arena[f.bytes + i] == 0x5a, "%s: written behind the arena", text);
    ecg__free(arena);
    ecg__free(out);
    ecg__free(want);
    ecg__free(x);
    ecg__infer_end(&f);
}

/* Weights as training would leave them: nothing is 0 or 1. */
static float *weights(const ecg_spec *s)
{
    float *w = unit_values(s->floats, 21);
    for (uint32_t i = 0; i < s->slots; i++)
        if (strcmp(s->slot[i].tensor->name, "variance") == 0)
            for (size_t j = 0; j < s->slot[i].tensor->count; j++)
                w[s->slot[i].offset + j] = 0.5f + w[s->slot[i].offset + j] * w[s->slot[i].offset + j];
    for (size_t i = 0; i < s->floats; i++)
        w[i] *= 0.4f;
    return w;
}

static void compare(const char *text)
{
    ecg_spec *s = unit_spec(text);
    const size_t in = s->layer[0].plan.in_count, outputs = ecg_spec_outputs(s);
    ecg__infer f;
    ck_assert_int_eq(ecg__infer_plan(&f, s, 1), ECG_OK);
    ck_assert_uint_eq(f.bytes % ECG__ALIGN, 0);
    float *w = weights(s), *want = ecg__calloc(outputs, sizeof *want);
    float *place = ecg__calloc(in > outputs ? in : outputs, sizeof *place);
    unsigned char *arena = ecg__alloc(f.bytes + GUARD);
    for (uint64_t k = 0; k < 3; k++) {
        float *x = unit_values(in, k), *same = unit_values(in, k);
        /* Once in an arena full of NaN, then among what the last sample left; the third time the answer goes
         * where the input was, as the trainer's validation does. */
        if (k == 0)
            memset(arena, 0xff, f.bytes);
        memset(arena + f.bytes, 0x5a, GUARD);
        unit_chain(f.spec, w, x, want);
        float *out = place;
        memcpy(place, x, in * sizeof *x);
        ecg__infer_run(&f, w, k == 2 ? place : x, out, arena, NULL);
        ck_assert_msg(memcmp(out, want, outputs * sizeof *want) == 0, "%s: sample %d differs", text, (int)k);
        ck_assert_msg(memcmp(x, same, in * sizeof *x) == 0, "%s: the input was written to", text);
        for (size_t i = 0; i < GUARD; i++)
            ck_assert_msg(arena[f.bytes + i] == 0x5a, "%s: written behind the arena", text);
        ecg__free(x);
        ecg__free(same);
    }
    compare_group(text, s, w, 5);
    double sum = 0;
    for (size_t i = 0; i < outputs; i++) {
        ck_assert_double_finite((double)want[i]);
        sum += (double)want[i];
    }
    if (strcmp(s->layer[s->layers - 1].ops->name, "softmax") == 0 && s->layer[s->layers - 1].plan.in.h == 1)
        ck_assert_double_eq_tol(sum, 1.0, 1e-5);
    ecg__free(arena);
    ecg__free(place);
    ecg__free(want);
    ecg__free(w);
    ecg__infer_end(&f);
    ecg_spec_free(s);
}

START_TEST(an_arena_changes_no_bit)
{
    compare(UNIT_EVERY_LAYER);
    compare("default");
    compare("seed");
    char text[1024];
    for (uint64_t seed = 0; seed < 400; seed++) {
        unit_random_net(text, sizeof text, seed, 3);
        compare(text);
    }
}
END_TEST

START_TEST(layers_in_place_first_last_and_alone)
{
    static const char *const layers[] = {"relu", "elu",     "leaky_relu",  "sigmoid", "tanh",     "gelu",
                                         "silu", "softmax", "dropout 0.5", "flatten", "batchnorm"};
    char text[256];
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        snprintf(text, sizeof text, "input 5x4x3; %s; conv2d 3 1x1; %s; flatten; dense 3; softmax", layers[i],
                 layers[i]);
        compare(text);
        snprintf(text, sizeof text, "input 5x4x3; %s; %s; %s", layers[i], layers[(i + 1) % 11],
                 layers[(i + 5) % 11]);
        compare(text);
        snprintf(text, sizeof text, "input 5x4x3; %s", layers[i]);
        compare(text);
    }
}
END_TEST

START_TEST(arena_is_no_larger_than_it_must_be)
{
    /* Two neighbours at a time: the largest pair of the chain, every value 64-byte aligned. */
    ecg_spec *s = unit_spec("input 8x8x4; maxpool 2x2; relu; flatten; dense 64; relu; dense 16; dense 3");
    ecg__infer f;
    ck_assert_int_eq(ecg__infer_plan(&f, s, 1), ECG_OK);
    ck_assert_uint_eq(f.scratch, 256 + 256); /* 64 values, and 64 again */
    ck_assert_uint_eq(f.offset[0], f.offset[1]);
    ck_assert_uint_eq(f.offset[1], f.offset[2]);
    ck_assert_uint_ne(f.offset[2], f.offset[3]);
    ecg__infer_end(&f);
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("infer");
    TCase *t = tcase_create("infer");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, an_arena_changes_no_bit);
    tcase_add_test(t, layers_in_place_first_last_and_alone);
    tcase_add_test(t, arena_is_no_larger_than_it_must_be);
    suite_add_tcase(s, t);
    return unit_run(s);
}
