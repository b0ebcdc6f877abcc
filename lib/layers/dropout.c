#include <string.h>

#include "base/rng.h"
#include "layers/same.h"
#include "math/vec.h"

typedef struct dropout {
    float rate;
} dropout;

static const ecg__attr attrs[] = {
    {"rate", ECG__ATTR_REAL, offsetof(dropout, rate), 0, 0.999, NULL, true, NULL, "share of values set to 0"},
    {0},
};

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    out->saved = out->in_count; /* 1: kept */
    return ecg__plan_same(out, in, ECG__INPLACE);
}

static void forward(const ecg__forward_args *a)
{
    if (a->y != a->x)
        memcpy(a->y, a->x, a->n * a->plan->in_count * sizeof *a->y);
}

const ecg__layer_ops ecg__dropout_ops = {
    .name = "dropout",
    .help = "in training sets values to 0 at random and scales the others up",
    .attrs = attrs,
    .attr_size = sizeof(dropout),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static float keep_scale(const ecg__train_args *a)
{
    return 1.0f / (1.0f - ((const dropout *)a->attr)->rate);
}

ECG__HOT static void mask(const unsigned char *restrict keep, float scale, const float *x, float *y, size_t n)
{
    ECG__IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] * scale;
        y[i] = keep[i] ? v : 0.0f;
    }
}

enum { BLOCKS = 64 };

/* keep[j] = ecg__rng_u32(r) >= below for draws j = 0, 1, ...: many blocks of the generator side by side. */
ECG__HOT static void draw(const ecg__rng *r, uint32_t below, unsigned char *restrict keep, size_t n)
{
    for (size_t first = 0; first < n; first += BLOCKS * (size_t)4) {
        uint32_t word[4][BLOCKS];
        const uint32_t block = (uint32_t)(first / 4);
        for (uint32_t i = 0; i < BLOCKS; i++) {
            const uint32_t c[4] = {block + i, r->counter[0], r->counter[1], r->counter[2]};
            uint32_t out[4];
            ecg__philox(c, r->key, out);
            word[0][i] = out[0], word[1][i] = out[1], word[2][i] = out[2], word[3][i] = out[3];
        }
        const size_t count = n - first < BLOCKS * (size_t)4 ? n - first : BLOCKS * (size_t)4;
        for (size_t j = 0; j < count; j++)
            keep[first + j] = word[j % 4][j / 4] >= below;
    }
}

static void train_forward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t n = a->plan->in_count;
    const uint32_t below = (uint32_t)((double)((const dropout *)a->attr)->rate * 0x1p32); /* dropped */
    for (size_t i = 0; i < a->n; i++) {
        const ecg__rng r = ecg__rng_at(a->seed, ECG__RNG_DROPOUT, a->key[i], a->layer);
        unsigned char *keep = a->saved + i * n;
        draw(&r, below, keep, n);
        mask(keep, keep_scale(a), a->x + i * n, a->y + i * n, n);
    }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    if (a->dx)
        mask(a->saved, keep_scale(a), a->dy, a->dx, a->n * a->plan->in_count);
}

const ecg__layer_grad ecg__dropout_grad = {.forward = {{train_forward, false}},
                                           .backward = {{backward, false}}};

#endif
