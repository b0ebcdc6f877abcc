/* Networks, numbers and samples for the tests of training and running. */
#ifndef ECG_UNIT_NETS_H
#define ECG_UNIT_NETS_H

#include "base/mem.h"
#include "base/rng.h"
#include "net/spec.h"
#include "unit/unit.h"

/* gcc says it with macros, clang with features. */
#if defined(__has_feature)
#define UNIT_FEATURE(x) __has_feature(x)
#else
#define UNIT_FEATURE(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || UNIT_FEATURE(thread_sanitizer)
#define UNIT_TSAN 1
#else
#define UNIT_TSAN 0
#endif
#if UNIT_TSAN || defined(__SANITIZE_ADDRESS__) || UNIT_FEATURE(address_sanitizer) ||                         \
    UNIT_FEATURE(memory_sanitizer)
#define UNIT_SANITIZED 1 /* allocation functions of its own */
#else
#define UNIT_SANITIZED 0
#endif

/* Every kind of layer at least once; 3 classes. */
#define UNIT_EVERY_LAYER                                                                                     \
    "input 14x14x2; conv2d 4 3x3 pad=same relu; batchnorm; maxpool 2x2; dropout 0.2; conv2d 5 3x3 silu;"     \
    "elu; leaky_relu; avgpool 2x2 stride=1; conv2d 6 1x1; gelu; global_avgpool; flatten; dense 40 sigmoid;"  \
    "dense 9 tanh; softmax; global_maxpool; dense 3; softmax"

static inline ecg_spec *unit_spec(const char *text)
{
    ecg_error e;
    ecg_spec *s;
    ck_assert_msg(ecg_spec_parse(&s, text, NULL, 0, &e) == ECG_OK, "\"%s\": %s", text, e.message);
    return s;
}

static inline float *unit_values(size_t n, uint64_t seed)
{
    float *v = ecg__alloc(n * sizeof *v);
    ck_assert_ptr_nonnull(v);
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_AUGMENT, 1, 0);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)ecg__rng_normal(&r);
    return v;
}

/* Text of a network of up to ten random layers that ends in `classes` classes. */
static inline void unit_random_net(char *text, size_t cap, uint64_t seed, uint32_t classes)
{
    static const char *const items[] = {
        "conv2d 3 3x3",
        "conv2d 4 2x3 stride=2x1 pad=same relu",
        "conv2d 2 1x1 bias=0",
        "conv2d 5 3x3 elu",
        "dense 20",
        "dense 7 tanh",
        "flatten",
        "maxpool 2x2",
        "avgpool 2x2 stride=1",
        "global_avgpool",
        "global_maxpool",
        "batchnorm",
        "batchnorm",
        "dropout 0.3",
        "relu",
        "elu",
        "leaky_relu",
        "sigmoid",
        "tanh",
        "gelu",
        "silu",
        "softmax",
    };
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    size_t n = (size_t)snprintf(text, cap, "input %ux%ux%u", 3 + ecg__rng_below(&r, 8),
                                3 + ecg__rng_below(&r, 8), 1 + 2 * ecg__rng_below(&r, 2));
    for (uint32_t left = 1 + ecg__rng_below(&r, 10); left > 0; left--) {
        const char *item = items[ecg__rng_below(&r, sizeof items / sizeof *items)];
        const int more = snprintf(text + n, cap - n, "; %s", item);
        ecg_spec *s;
        if (ecg_spec_parse(&s, text, NULL, 0, NULL) == ECG_OK) {
            n += (size_t)more;
            ecg_spec_free(s);
        } else {
            text[n] = '\0'; /* a window larger than its picture */
        }
    }
    snprintf(text + n, cap - n,
             ecg__rng_below(&r, 2) ? "; dense %u; softmax" : "; conv2d %u 1x1; global_avgpool; softmax",
             classes);
}

/* A toy problem: 8x8 pictures, a bright 3x3 spot in one of three places, on noise. Sample i is class i % 3.
 */
enum { UNIT_TOY_VALUES = 64, UNIT_TOY_CLASSES = 3 };

static inline void unit_toy(uint64_t seed, size_t i, float *x, uint32_t *label)
{
    static const int at[UNIT_TOY_CLASSES][2] = {{0, 0}, {0, 5}, {5, 2}};
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 1, i);
    *label = (uint32_t)(i % UNIT_TOY_CLASSES);
    for (int k = 0; k < UNIT_TOY_VALUES; k++) {
        const int row = k / 8 - at[*label][0], col = k % 8 - at[*label][1];
        x[k] = 0.3f * (float)ecg__rng_normal(&r) + (row >= 0 && row < 3 && col >= 0 && col < 3 ? 1.0f : 0.0f);
    }
}

#define UNIT_TOY_NET                                                                                         \
    "input 8x8x1; conv2d 4 3x3 pad=same bias=0; batchnorm relu; maxpool 2x2; flatten; dense 24 relu;"        \
    "dropout 0.2; dense 3; softmax"

/* Inference of one sample: each layer's forward, every value in a block of its own. */
static inline void unit_chain(const ecg_spec *s, const float *w, const float *x, float *out)
{
    float *v = ecg__alloc(s->layer[0].plan.in_count * sizeof *v);
    memcpy(v, x, s->layer[0].plan.in_count * sizeof *v);
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__layer *l = &s->layer[i];
        const float *tensor[ECG__MAX_TENSORS] = {NULL};
        ecg__spec_tensors(s, i, w, tensor);
        float *y = ecg__calloc(l->plan.out_count, sizeof *y);
        void *scratch = ecg__calloc(l->plan.scratch, 1);
        const ecg__forward_args a = {
            .attr = l->attr, .plan = &l->plan, .tensor = tensor, .x = v, .y = y, .n = 1, .scratch = scratch};
        l->ops->forward(&a);
        ecg__free(v);
        ecg__free(scratch);
        v = y;
    }
    memcpy(out, v, ecg_spec_outputs(s) * sizeof *out);
    ecg__free(v);
}

#endif
