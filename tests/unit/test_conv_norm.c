/* Convolution with batchnorm folded in: what the layers give that it stands for, to rounding. */
#include "unit/nets.h"

#include <math.h>

#include "layers/conv_norm.h"
#include "math/grid.h"
#include "net/lower.h"

static const struct {
    const char *text;
    uint32_t layers;       /* as it is run, where convolutions go without columns */
    uint32_t with_columns; /* and where they do not */
} folded[] = {
    {"input 12x13x1; conv2d 32 3x3; batchnorm", 1, 1},
    {"input 12x13x1; conv2d 32 3x3 bias=0; batchnorm relu; maxpool 2x2", 1, 3},
    {"input 20x21x2; conv2d 16 3x3 pad=same bias=0; batchnorm eps=0.1; maxpool 3x2", 1, 2},
    {"input 20x20x3; conv2d 8 1x1; batchnorm; relu; conv2d 24 5x3 stride=2x1; batchnorm; elu", 4, 4},
    {"input 17x17x2; conv2d 7 3x3 dilation=2; batchnorm relu; maxpool 2x2", 3, 3},
    {"input 17x17x2; conv2d 8 3x3; batchnorm relu; maxpool 3x3 stride=2", 3, 3},
    {"input 9x9x2; conv2d 8 3x3; batchnorm", 2, 2}, /* few places: folding costs too much */
    {"input 12x12x1; conv2d 8 3x3 relu; batchnorm", 3, 3},
    {"input 12x12x1; batchnorm; conv2d 8 3x3", 2, 2},
};

/* Weights as training leaves them: statistics of every size, a channel that never varied. */
static float *weights(const ecg_spec *s)
{
    float *w = unit_values(s->floats, 5);
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        if (strcmp(slot->tensor->name, "variance") == 0)
            for (size_t j = 0; j < slot->tensor->count; j++)
                w[slot->offset + j] = j == 1 ? 0.0f : expf(4.0f * w[slot->offset + j]);
    }
    return w;
}

START_TEST(it_gives_what_its_layers_give)
{
    const char *text = folded[_i].text;
    ecg_spec *s = unit_spec(text), *low = ecg__spec_lower_infer(s);
    const size_t in = s->layer[0].plan.in_count, out = ecg_spec_outputs(s);
    ck_assert_msg(low->layers == (ecg__grid_level_at(0) ? folded[_i].layers : folded[_i].with_columns),
                  "%s: %u layers", text, low->layers);
    float *x = unit_values(in, 1), *w = weights(s);
    float *want = ecg__calloc(out, sizeof *want), *got = ecg__calloc(out, sizeof *got), most = 0.0f;
    unit_chain(s, w, x, want);
    unit_chain(low, w, x, got);
    for (size_t i = 0; i < out; i++)
        most = fmaxf(most, fabsf(want[i]));
    ck_assert(most > 0.0f);
    for (size_t i = 0; i < out; i++)
        ck_assert_msg(fabsf(got[i] - want[i]) <= 4e-6f * most, "%s: value %zu is %.9g, not %.9g", text, i,
                      (double)got[i], (double)want[i]);
    ecg__free(x);
    ecg__free(w);
    ecg__free(want);
    ecg__free(got);
    ecg_spec_free(low);
    ecg_spec_free(s);
}
END_TEST

/* A layer knows all tensors of those it stands for, in their order. */
START_TEST(tensors_stay_where_they_are)
{
    ecg_spec *s = unit_spec("input 16x16x1; conv2d 8 3x3; batchnorm relu; conv2d 8 3x3 bias=0; batchnorm");
    ecg_spec *low = ecg__spec_lower_infer(s);
    ck_assert_uint_eq(low->layers, 3);
    ck_assert_uint_eq(low->layer[0].plan.tensors, 6);
    ck_assert_uint_eq(low->layer[2].plan.tensors, 5);
    ck_assert_uint_eq(low->layer[2].origin, 3);
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__layer *l = &low->layer[low->slot[i].layer];
        ck_assert_uint_eq(low->slot[i].offset, s->slot[i].offset);
        ck_assert_str_eq(low->slot[i].tensor->name, s->slot[i].tensor->name);
        ck_assert_uint_eq(low->slot[i].tensor->count, s->slot[i].tensor->count);
        ck_assert_ptr_eq(low->slot[i].tensor, &l->plan.tensor[i - l->first_tensor]);
    }
    ecg_spec_free(low);
    ecg_spec_free(s);
}
END_TEST

/* Training needs the values between the two. */
START_TEST(training_keeps_them_apart)
{
    ecg_spec *s = unit_spec("input 16x16x1; conv2d 8 3x3; batchnorm relu; maxpool"),
             *low = ecg__spec_lower(s);
    ck_assert_uint_eq(low->layers, s->layers);
    ecg_spec_free(low);
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conv_norm");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, it_gives_what_its_layers_give, 0, sizeof folded / sizeof *folded);
    tcase_add_test(t, tensors_stay_where_they_are);
    tcase_add_test(t, training_keeps_them_apart);
    suite_add_tcase(s, t);
    return unit_run(s);
}
