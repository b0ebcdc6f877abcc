/* Every row of layers.def: gradients against differences, and the promises of layer.h. */
#include "unit.h"

#include "layer_run.h"

/* At least one for each layer; a row without one fails. */
static const struct variant {
    const char *name, *text;
    ecg_shape in;
    size_t n;
    uint32_t shards;
} variants[] = {
    {"conv2d", "4 3x3", {6, 5, 2}, 3, 2},
    {"conv2d", "3 3x2 stride=2x1 pad=same", {7, 6, 3}, 2, 2},
    {"conv2d", "2 3 dilation=2 pad=2,1,0,3 bias=0", {7, 8, 2}, 2, 1},
    {"conv2d", "5 1", {4, 3, 3}, 3, 3},
    {"conv2d", "5 1 bias=0 stride=2", {4, 5, 3}, 2, 1},
    {"dense", "4", {1, 1, 7}, 5, 2},
    {"dense", "6 bias=0", {2, 3, 2}, 3, 3},
    {"dense", "40", {1, 1, 2000}, 1, 1},
    {"flatten", "", {2, 3, 4}, 2, 2},
    {"maxpool", "", {6, 5, 3}, 3, 2},
    {"maxpool", "3x2 stride=2x1 pad=1x1", {5, 6, 2}, 2, 1},
    {"maxpool", "3 stride=2 pad=same", {6, 7, 2}, 2, 1},
    {"maxpool", "5 stride=1", {7, 6, 2}, 2, 1},
    {"maxpool", "17", {18, 17, 1}, 1, 1},
    {"maxpool", "", {4, 4, 33}, 1, 1},
    {"avgpool", "", {6, 5, 3}, 3, 2},
    {"avgpool", "3 stride=2 pad=1x1", {6, 7, 2}, 2, 2},
    {"avgpool", "3x2 stride=2x2 pad=same", {7, 5, 2}, 2, 1},
    {"global_avgpool", "", {3, 4, 5}, 3, 2},
    {"global_maxpool", "", {3, 4, 5}, 3, 2},
    {"batchnorm", "", {3, 4, 3}, 4, 3},
    {"batchnorm", "eps=0.1 momentum=0.5", {1, 1, 5}, 6, 2},
    {"batchnorm", "", {4, 5, 37}, 1, 1},
    {"dropout", "0.4", {3, 4, 5}, 3, 2},
    {"dropout", "0", {1, 1, 9}, 2, 2},
    {"relu", "", {3, 4, 5}, 3, 2},
    {"elu", "", {3, 4, 5}, 3, 2},
    {"elu", "0.5", {1, 1, 9}, 2, 1},
    {"leaky_relu", "", {3, 4, 5}, 3, 2},
    {"leaky_relu", "0", {1, 1, 9}, 2, 1},
    {"sigmoid", "", {3, 4, 5}, 3, 2},
    {"tanh", "", {3, 4, 5}, 3, 2},
    {"gelu", "", {3, 4, 5}, 3, 2},
    {"silu", "", {3, 4, 5}, 3, 2},
    {"softmax", "", {3, 2, 5}, 3, 2},
    {"softmax", "", {1, 1, 7}, 4, 4},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static void start(layer_run *r, const struct variant *v)
{
    ecg_error err;
    ck_ok(layer_open(r, v->name, v->text, v->in, v->n, v->shards, &err), err);
    layer_random_apart(r->x, r->n * r->plan.in_count, 11);
    layer_random(r->dy, r->n * r->plan.out_count, 12);
    for (uint32_t t = 0; t < r->plan.tensors; t++)
        if (r->plan.tensor[t].trainable)
            layer_random(r->tensor[t], r->plan.tensor[t].count, 13 + t);
}

static double functional(layer_run *r)
{
    double sum = 0;
    layer_forward(r);
    for (size_t i = 0; i < r->n * r->plan.out_count; i++)
        sum += (double)r->y[i] * (double)r->dy[i];
    return sum;
}

/* Central difference along *v, less what backward says. */
static double off_by(layer_run *r, float *v, float d, float h)
{
    const float old = *v, up = old + h, down = old - h;
    *v = up;
    const double high = functional(r);
    *v = down;
    const double low = functional(r);
    *v = old;
    return fabs((high - low) / ((double)up - (double)down) - (double)d);
}

/* Along up to 60 of the n values at v, and where the gradient d is largest. Not more than 0.3 % of that may
 * be wrong. */
static bool gradient_is(layer_run *r, float *v, const float *d, size_t n)
{
    const float h = n > 256 ? 2e-3f : 5e-3f;
    size_t top = 0;
    for (size_t i = 0; i < n; i++)
        top = fabsf(d[i]) > fabsf(d[top]) ? i : top;
    double worst = off_by(r, &v[top], d[top], h);
    for (size_t i = 0; i < n && !isnan(worst); i += n / 60 + 1) {
        const double off = off_by(r, &v[i], d[i], h);
        worst = off <= worst ? worst : off;
    }
    return worst <= 3e-3 * fabs((double)d[top]) + 1e-5;
}

/* which: -1 the input, otherwise a tensor; error: a factor that is planted there. */
static bool check_gradient(const struct variant *v, int which, float error)
{
    layer_run r;
    start(&r, v);
    layer_forward(&r);
    layer_backward(&r, true);
    const size_t n = which < 0 ? r.n * r.plan.in_count : r.plan.tensor[which].count;
    float *d = which < 0 ? r.dx : r.dtensor[which];
    for (size_t i = 0; i < n; i++)
        d[i] *= error;
    const bool right = gradient_is(&r, which < 0 ? r.x : r.tensor[which], d, n);
    layer_close(&r);
    return right;
}

static int trainable(const struct variant *v, int which)
{
    layer_run r;
    start(&r, v);
    const int yes = which < (int)r.plan.tensors && r.plan.tensor[which].trainable;
    layer_close(&r);
    return yes;
}

START_TEST(every_row_has_a_variant)
{
    ck_assert_uint_gt(ecg__layer_row_count, 0);
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        int found = 0;
        for (size_t k = 0; k < VARIANTS; k++)
            found += strcmp(variants[k].name, ecg__layer_rows[i].ops->name) == 0;
        ck_assert_msg(found > 0, "layer %s has no variant here", ecg__layer_rows[i].ops->name);
    }
}
END_TEST

START_TEST(gradients_agree_with_differences)
{
    const struct variant *v = &variants[_i];
    ck_assert_msg(check_gradient(v, -1, 1.0f), "%s %s: dx", v->name, v->text);
    for (int t = 0; t < ECG__MAX_TENSORS; t++)
        if (trainable(v, t))
            ck_assert_msg(check_gradient(v, t, 1.0f), "%s %s: gradient %d", v->name, v->text, t);
}
END_TEST

START_TEST(one_percent_off_is_noticed)
{
    const struct variant *v = &variants[_i];
    ck_assert_msg(!check_gradient(v, -1, 1.01f), "%s %s: dx", v->name, v->text);
    for (int t = 0; t < ECG__MAX_TENSORS; t++)
        if (trainable(v, t))
            ck_assert_msg(!check_gradient(v, t, 1.01f), "%s %s: gradient %d", v->name, v->text, t);
}
END_TEST

static bool same(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

START_TEST(gradients_accumulate_and_dx_is_overwritten)
{
    const struct variant *v = &variants[_i];
    layer_run once, twice;
    start(&once, v);
    start(&twice, v);
    layer_forward(&once);
    layer_backward(&once, true);
    layer_forward(&twice);
    for (uint32_t t = 0; t < twice.plan.tensors; t++)
        for (size_t i = 0; twice.part[0][t] && i < twice.plan.tensor[t].count; i++)
            twice.part[0][t][i] = 2.0f;
    layer_backward(&twice, true); /* dx held NaN before */
    ck_assert(same(once.dx, twice.dx, once.n * once.plan.in_count));
    for (size_t i = 0; i < once.n * once.plan.in_count; i++)
        ck_assert(!isnan(once.dx[i]));
    for (uint32_t t = 0; t < once.plan.tensors; t++)
        for (size_t i = 0; once.plan.tensor[t].trainable && i < once.plan.tensor[t].count; i++)
            ck_assert(fabsf(twice.dtensor[t][i] - once.dtensor[t][i] - 2.0f) <=
                      1e-5f * (fabsf(once.dtensor[t][i]) + 2.0f));
    layer_close(&once);
    layer_close(&twice);
}
END_TEST

START_TEST(without_dx_the_gradients_are_the_same)
{
    layer_run with, without;
    start(&with, &variants[_i]);
    start(&without, &variants[_i]);
    layer_forward(&with);
    layer_backward(&with, true);
    layer_forward(&without);
    layer_backward(&without, false);
    for (uint32_t t = 0; t < with.plan.tensors; t++)
        ck_assert(same(with.dtensor[t], without.dtensor[t], with.plan.tensor[t].count));
    for (size_t i = 0; i < with.n * with.plan.in_count; i++)
        ck_assert(isnan(without.dx[i]));
    layer_close(&with);
    layer_close(&without);
}
END_TEST

START_TEST(in_place_gives_the_same_bits)
{
    layer_run apart, inplace;
    start(&apart, &variants[_i]);
    start(&inplace, &variants[_i]);
    const ecg__plan *p = &apart.plan;
    if (p->flags & ECG__INPLACE) {
        ck_assert_uint_eq(p->in_count, p->out_count);
        layer_infer(&apart, apart.x, apart.y, apart.n);
        memcpy(inplace.y, inplace.x, inplace.n * p->in_count * sizeof *inplace.y);
        layer_infer(&inplace, inplace.y, inplace.y, inplace.n);
        ck_assert(same(apart.y, inplace.y, apart.n * p->out_count));

        inplace.inplace = true;
        layer_forward(&apart);
        layer_forward(&inplace);
        ck_assert(same(apart.y, inplace.y, apart.n * p->out_count));
        layer_backward(&apart, true);
        layer_backward(&inplace, true);
        ck_assert(same(apart.dx, inplace.dx, apart.n * p->in_count));
    }
    layer_close(&apart);
    layer_close(&inplace);
}
END_TEST

START_TEST(inference_of_a_sample_ignores_its_neighbours)
{
    layer_run r;
    start(&r, &variants[_i]);
    const ecg__plan *p = &r.plan;
    float *one = layer_floats(p->out_count);
    ck_assert_ptr_nonnull(one);
    layer_nan(r.y, r.n * p->out_count);
    layer_infer(&r, r.x, r.y, r.n);
    for (size_t i = 0; i < r.n; i++) {
        layer_nan(one, p->out_count);
        layer_infer(&r, r.x + i * p->in_count, one, 1);
        ck_assert(same(one, r.y + i * p->out_count, p->out_count));
    }
    ecg__free(one);
    layer_close(&r);
}
END_TEST

/* Only batchnorm looks at other samples; its sums depend on the cut, but not by more than rounding. */
START_TEST(shards_do_not_change_the_result)
{
    struct variant v = variants[_i];
    const bool exact = strcmp(v.name, "batchnorm") != 0;
    layer_run whole, cut;
    v.shards = 1;
    start(&whole, &v);
    v.shards = v.n < LAYER_MAX_SHARDS ? (uint32_t)v.n : LAYER_MAX_SHARDS;
    start(&cut, &v);
    layer_forward(&whole);
    layer_backward(&whole, true);
    layer_forward(&cut);
    layer_backward(&cut, true);
    const size_t in = whole.n * whole.plan.in_count, out = whole.n * whole.plan.out_count;
    ck_assert(exact ? same(cut.y, whole.y, out) : layer_close_to(cut.y, whole.y, out));
    ck_assert(exact ? same(cut.dx, whole.dx, in) : layer_close_to(cut.dx, whole.dx, in));
    for (uint32_t t = 0; t < whole.plan.tensors; t++) {
        ck_assert(layer_close_to(cut.dtensor[t], whole.dtensor[t], whole.plan.tensor[t].count));
        ck_assert(layer_close_to(cut.tensor[t], whole.tensor[t], whole.plan.tensor[t].count));
    }
    layer_close(&whole);
    layer_close(&cut);
}
END_TEST

/* Whatever goes in, nothing may be touched outside; the sanitizers look on. */
START_TEST(not_a_number_passes_through)
{
    layer_run r;
    start(&r, &variants[_i]);
    const size_t n = r.n * r.plan.in_count;
    const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 3e38f, 1e-42f};
    for (size_t i = 0; i < n; i++)
        r.x[i] = odd[i % 6];
    layer_forward(&r);
    layer_backward(&r, true);
    layer_nan(r.x, n);
    layer_forward(&r);
    if (strcmp(r.ops->name, "dropout") != 0) /* sets what it drops to 0 */
        for (size_t i = 0; i < r.n * r.plan.out_count; i++)
            ck_assert(isnan(r.y[i]));
    layer_backward(&r, true);
    layer_infer(&r, r.x, r.y, r.n);
    for (size_t i = 0; i < r.n * r.plan.out_count; i++)
        ck_assert(isnan(r.y[i]));
    layer_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("layers");
    TCase *t = tcase_create("all rows");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_row_has_a_variant);
    tcase_add_loop_test(t, gradients_agree_with_differences, 0, VARIANTS);
    tcase_add_loop_test(t, one_percent_off_is_noticed, 0, VARIANTS);
    tcase_add_loop_test(t, gradients_accumulate_and_dx_is_overwritten, 0, VARIANTS);
    tcase_add_loop_test(t, without_dx_the_gradients_are_the_same, 0, VARIANTS);
    tcase_add_loop_test(t, in_place_gives_the_same_bits, 0, VARIANTS);
    tcase_add_loop_test(t, inference_of_a_sample_ignores_its_neighbours, 0, VARIANTS);
    tcase_add_loop_test(t, shards_do_not_change_the_result, 0, VARIANTS);
    tcase_add_loop_test(t, not_a_number_passes_through, 0, VARIANTS);
    suite_add_tcase(s, t);
    return unit_run(s);
}
