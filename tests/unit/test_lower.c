/* Networks as they are run: what becomes one layer, and that it does what the layers did that it stands for.
 */
#include "unit/nets.h"

#include <math.h>

#include "math/grid.h"
#include "net/lower.h"
#include "train/grads.h"

enum { N = 2, MOST_LAYERS = 8 };

/* A chain's training forward and backward by one shard. */
struct run {
    float *y, *dx, *grad; /* [N][outputs], [N][inputs], [floats] */
};

static struct run run_chain(const ecg_spec *s, float *w, const float *x, const float *dy, bool want_dx)
{
    float *v[MOST_LAYERS + 1], *dv[MOST_LAYERS + 1];
    unsigned char *saved[MOST_LAYERS];
    double *partial[MOST_LAYERS];
    uint64_t key[N] = {0};
    const uint32_t n = s->layers;
    struct run r = {.grad = ecg__calloc(s->floats, sizeof(float))};
    ck_assert_uint_le(n, MOST_LAYERS);
    v[0] = ecg__calloc(N * s->layer[0].plan.in_count, sizeof **v);
    dv[0] = ecg__calloc(N * s->layer[0].plan.in_count, sizeof **dv);
    memcpy(v[0], x, N * s->layer[0].plan.in_count * sizeof *x);
    for (uint32_t i = 0; i < n; i++) {
        const ecg__plan *p = &s->layer[i].plan;
        v[i + 1] = ecg__calloc(N * p->out_count, sizeof **v);
        dv[i + 1] = ecg__calloc(N * p->out_count, sizeof **dv);
        saved[i] = ecg__calloc(N * p->saved + 1, 1);
        partial[i] = ecg__calloc(p->partial + 1, sizeof **partial);
    }
    memcpy(dv[n], dy, N * s->layer[n - 1].plan.out_count * sizeof *dy);
    for (uint32_t k = 0; k < 2 * n; k++) {
        const bool back = k >= n;
        const uint32_t i = back ? 2 * n - 1 - k : k;
        const ecg__layer *l = &s->layer[i];
        float *tensor[ECG__MAX_TENSORS], *grad[ECG__MAX_TENSORS];
        for (uint32_t t = 0; t < l->plan.tensors; t++) {
            tensor[t] = w + s->slot[l->first_tensor + t].offset;
            grad[t] = r.grad + s->slot[l->first_tensor + t].offset;
        }
        void *scratch = ecg__alloc(l->plan.train_scratch + l->plan.scratch + 1);
        const ecg__layer_grad *g = ecg__layer_grad_of(l->ops);
        const ecg__step *steps = back ? g->backward : g->forward;
        const ecg__train_args a = {.attr = l->attr,
                                   .plan = &l->plan,
                                   .tensor = tensor,
                                   .x = v[i],
                                   .y = v[i + 1],
                                   .dy = dv[i + 1],
                                   .dx = i > 0 || want_dx ? dv[i] : NULL,
                                   .saved = saved[i],
                                   .key = key,
                                   .n = N,
                                   .grad = grad,
                                   .scratch = scratch,
                                   .partial = partial[i],
                                   .shards = 1};
        const ecg__forward_args f = {.attr = l->attr,
                                     .plan = &l->plan,
                                     .tensor = (const float *const *)tensor,
                                     .x = v[i],
                                     .y = v[i + 1],
                                     .n = N,
                                     .scratch = scratch};
        if (!steps[0].run)
            l->ops->forward(&f);
        for (uint32_t step = 0; step < ECG__MAX_STEPS && steps[step].run; step++)
            steps[step].run(&a, 0);
        ecg__free(scratch);
    }
    r.y = v[n];
    r.dx = dv[0];
    for (uint32_t i = 0; i < n; i++) {
        ecg__free(v[i]);
        ecg__free(dv[i + 1]);
        ecg__free(saved[i]);
        ecg__free(partial[i]);
    }
    return r;
}

static void run_free(struct run *r)
{
    ecg__free(r->y);
    ecg__free(r->dx);
    ecg__free(r->grad);
}

static void close_to(const char *text, const char *what, const float *a, const float *b, size_t n)
{
    float top = 0;
    for (size_t i = 0; i < n; i++)
        top = fabsf(b[i]) > top ? fabsf(b[i]) : top;
    ck_assert_msg(top > 0, "%s: %s is all zero", text, what);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(a[i] - b[i]) <= 4e-6f * top, "%s: %s[%zu] is %g, layer by layer %g", text, what,
                      i, (double)a[i], (double)b[i]);
}

static const struct {
    const char *text;
    uint32_t layers; /* where vectors can be used */
} fused[] = {
    {"input 12x13x1; conv2d 32 3x3 relu; maxpool 2x2", 1},
    {"input 11x9x2; conv2d 8 1x1; conv2d 8 3x3; maxpool", 2},
    {"input 34x62x1; conv2d 8 1x1; conv2d 32 3x3 pad=same relu; maxpool", 2}, /* several tiles */
    {"input 21x23x2; conv2d 32 1x1; conv2d 40 3x3 relu; maxpool", 2},         /* by conv_wino.h */
    {"input 16x27x1; conv2d 40 2x2; conv2d 32 3x3 pad=same; maxpool 4x3", 2},
    {"input 17x19x1; conv2d 16 2x2; conv2d 40 5x3 pad=same stride=2x1 bias=0 relu; maxpool 3x2", 2},
    {"input 12x12x3; conv2d 16 3x3 pad=same relu; maxpool 2x2 pad=same; conv2d 24 2x2 relu; maxpool 3x3", 2},
    {"input 9x14x2; conv2d 8 1x1; conv2d 16 3x3 pad=same; elu 0.5; batchnorm; conv2d 5 2x2 elu; batchnorm",
     5},
    {"input 10x10x3; conv2d 8 1x1; elu; conv2d 8 1x1 relu; maxpool 10x10; relu", 4},
};

START_TEST(a_fused_layer_does_what_its_layers_did)
{
    const char *text = fused[_i].text;
    ecg_spec *s = unit_spec(text), *low = ecg__spec_lower(s);
    const size_t in = s->layer[0].plan.in_count, out = ecg_spec_outputs(s);
    const bool always = strstr(text, "batchnorm") != NULL;
    ck_assert_uint_eq(low->layers, always || ecg__grid_level_at(0) ? fused[_i].layers : s->layers);
    float *x = unit_values(N * in, 1), *dy = unit_values(N * out, 2), *w = unit_values(s->floats, 3);
    for (int dx = 0; dx < 2; dx++) {
        struct run want = run_chain(s, w, x, dy, dx), got = run_chain(low, w, x, dy, dx);
        ck_assert_msg(memcmp(got.y, want.y, N * out * sizeof *x) == 0, "%s: outputs differ", text);
        close_to(text, "gradient", got.grad, want.grad, s->floats);
        if (dx)
            close_to(text, "dx", got.dx, want.dx, N * in);
        run_free(&want);
        run_free(&got);
    }
    /* A value that is not a number is seen, whatever cell it is in. */
    x[in / 2] = NAN;
    struct run want = run_chain(s, w, x, dy, false), got = run_chain(low, w, x, dy, false);
    for (size_t i = 0; i < N * out; i++)
        ck_assert_int_eq(isnan(got.y[i]), isnan(want.y[i]));
    run_free(&want);
    run_free(&got);
    ecg__free(x);
    ecg__free(dy);
    ecg__free(w);
    ecg_spec_free(low);
    ecg_spec_free(s);
}
END_TEST

/* Tensors stay where they are, and layers say where they come from. */
START_TEST(places_and_names_stay)
{
    ecg_spec *s = unit_spec(
                 "input 12x12x1; batchnorm; conv2d 8 3x3 relu; maxpool; dropout 0.5; conv2d 8 2x2; "
                 "maxpool; flatten; dense 3; softmax"),
             *low = ecg__spec_lower(s);
    ck_assert_uint_eq(low->slots, s->slots);
    ck_assert_uint_eq(low->floats, s->floats);
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *a = &low->slot[i], *b = &s->slot[i];
        ck_assert_uint_eq(a->offset, b->offset);
        ck_assert_str_eq(a->name, b->name);
        ck_assert_uint_eq(a->tensor->count, b->tensor->count);
        ck_assert_uint_eq(low->layer[a->layer].origin, b->layer);
        ck_assert_ptr_eq(a->tensor, &low->layer[a->layer].plan.tensor[i - low->layer[a->layer].first_tensor]);
    }
    if (ecg__grid_level_at(0)) {
        static const uint32_t origins[] = {0, 1, 4, 5, 7, 8, 9};
        ck_assert_uint_eq(low->layers, 7);
        for (uint32_t i = 0; i < low->layers; i++)
            ck_assert_uint_eq(low->layer[i].origin, origins[i]);
    }
    ck_assert_uint_eq(low->layer[low->layers - 1].plan.out_count, 3);
    ecg_spec_free(low);
    ecg_spec_free(s);
}
END_TEST

START_TEST(others_stay_layers_of_their_own)
{
    static const char *const texts[] = {
        "input 12x12x1; conv2d 8 3x3 elu; maxpool 2x2",
        "input 12x12x1; conv2d 8 3x3 relu; maxpool 3x3 stride=2",
        "input 12x12x1; conv2d 8 3x3 relu; maxpool 2x2 pad=1",
        "input 11x12x1; conv2d 8 3x3 relu; maxpool 2x2 pad=same",
        "input 12x12x1; conv2d 7 3x3 relu; maxpool 2x2",
        "input 12x12x1; conv2d 8 3x3 dilation=2 relu; maxpool 2x2",
        "input 12x12x1; conv2d 8 3x3 relu; relu; maxpool 2x2",
        "input 12x12x1; conv2d 8 3x3 relu; avgpool 2x2",
        "input 12x12x1; maxpool 2x2; conv2d 8 3x3 relu",
        "input 40x40x1; conv2d 8 3x3 relu; maxpool 16x16",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ecg_spec *s = unit_spec(texts[i]), *low = ecg__spec_lower(s);
        ck_assert_msg(low->layers == s->layers, "%s", texts[i]);
        ecg_spec_free(low);
        ecg_spec_free(s);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lower");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_fused_layer_does_what_its_layers_did, 0, sizeof fused / sizeof *fused);
    tcase_add_test(t, places_and_names_stay);
    tcase_add_test(t, others_stay_layers_of_their_own);
    suite_add_tcase(s, t);
    return unit_run(s);
}
