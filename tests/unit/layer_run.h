/* Runs one layer as a trainer would, part after part: for tests of layers and for reference vectors. Memory
 * that must be overwritten holds NaN before each step, what a layer says it does not read is hidden from it.
 */
#ifndef ECG_UNIT_LAYER_RUN_H
#define ECG_UNIT_LAYER_RUN_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "layers/layer.h"
#include "train/grads.h"

enum { LAYER_MAX_SHARDS = 8 };

typedef struct layer_run {
    const ecg__layer_ops *ops;
    const ecg__layer_grad *grad;
    _Alignas(16) unsigned char attr[ECG__ATTR_BYTES];
    ecg__plan plan;
    size_t n;
    uint32_t shards, layer;
    uint64_t seed;
    float *x, *y, *dy, *dx; /* [n][...] */
    float *tensor[ECG__MAX_TENSORS];
    float *dtensor[ECG__MAX_TENSORS]; /* sum over shards */
    float *part[LAYER_MAX_SHARDS][ECG__MAX_TENSORS];
    unsigned char *saved;
    double *partial;
    uint64_t *key;
    void *scratch;
    bool inplace; /* run in place wherever the layer allows it; x is then lost */
} layer_run;

static inline void layer_nan(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = NAN;
}

/* Attributes as in an architecture text: "32 3x3 pad=same". */
static inline ecg_status layer_attrs(const ecg__layer_ops *ops, const char *text, void *attr, ecg_error *err)
{
    const ecg__attr *next = ops->attrs;
    ecg__attr_defaults(ops->attrs, attr);
    while (*(text += strspn(text, " ")) != '\0') {
        const size_t n = strcspn(text, " ");
        const char *eq = memchr(text, '=', n);
        const ecg__attr *a = eq ? ops->attrs : next++;
        while (eq && a->name &&
               (strlen(a->name) != (size_t)(eq - text) || strncmp(a->name, text, strlen(a->name))))
            a++;
        const char *value = eq ? eq + 1 : text;
        const ecg_status s = ecg__attr_parse(a, attr, value, n - (size_t)(value - text), err);
        if (s != ECG_OK)
            return s;
        text += n;
    }
    return ECG_OK;
}

static inline void layer_close(layer_run *r)
{
    float *const all[] = {r->x, r->y, r->dy, r->dx};
    for (size_t i = 0; i < 4; i++)
        ecg__free(all[i]);
    for (size_t t = 0; t < ECG__MAX_TENSORS; t++) {
        ecg__free(r->tensor[t]);
        ecg__free(r->dtensor[t]);
        for (size_t s = 0; s < LAYER_MAX_SHARDS; s++)
            ecg__free(r->part[s][t]);
    }
    ecg__free(r->saved);
    ecg__free(r->partial);
    ecg__free(r->key);
    ecg__free(r->scratch);
    memset(r, 0, sizeof *r);
}

static inline float *layer_floats(size_t n)
{
    return ecg__calloc(n, sizeof(float));
}

/* Tensors are zero, but those that are filled. Close it also after a failure. */
static inline ecg_status layer_open(layer_run *r, const char *name, const char *text, ecg_shape in, size_t n,
                                    uint32_t shards, ecg_error *err)
{
    memset(r, 0, sizeof *r);
    r->ops = ecg__layer_by_name(name, strlen(name));
    if (!r->ops)
        return ECG_EUNSUPPORTED;
    r->grad = ecg__layer_grad_of(r->ops);
    ecg_status s = layer_attrs(r->ops, text, r->attr, err);
    if (s != ECG_OK)
        return s;
    if ((s = ecg__layer_plan(r->ops, r->attr, in, &r->plan, err)) != ECG_OK)
        return s;
    const ecg__plan *p = &r->plan;
    r->n = n;
    r->shards = shards;
    r->layer = 3;
    r->seed = 7;
    r->x = layer_floats(n * p->in_count);
    r->dx = layer_floats(n * p->in_count);
    r->y = layer_floats(n * p->out_count);
    r->dy = layer_floats(n * p->out_count);
    r->saved = ecg__calloc(n, p->saved);
    r->partial = ecg__calloc(shards * p->partial, sizeof(double));
    r->key = ecg__calloc(n, sizeof *r->key);
    r->scratch = ecg__alloc(p->scratch > p->train_scratch ? p->scratch : p->train_scratch);
    bool ok = r->x && r->dx && r->y && r->dy && r->saved && r->partial && r->key && r->scratch;
    for (uint32_t t = 0; t < p->tensors; t++) {
        r->tensor[t] = layer_floats(p->tensor[t].count);
        r->dtensor[t] = layer_floats(p->tensor[t].count);
        ok = ok && r->tensor[t] && r->dtensor[t];
        for (size_t i = 0; ok && i < p->tensor[t].count; i++)
            r->tensor[t][i] = p->tensor[t].fill;
        for (uint32_t k = 0; p->tensor[t].trainable && k < shards; k++)
            ok = (r->part[k][t] = layer_floats(p->tensor[t].count)) != NULL && ok;
    }
    for (size_t i = 0; ok && i < n; i++)
        r->key[i] = (uint64_t)1 << 32 | (i + 5);
    return ok ? ECG_OK : ECG_ENOMEM;
}

static inline void layer_infer(layer_run *r, const float *x, float *y, size_t n)
{
    layer_nan(r->scratch, r->plan.scratch / sizeof(float));
    const ecg__forward_args a = {.attr = r->attr,
                                 .plan = &r->plan,
                                 .tensor = (const float *const *)r->tensor,
                                 .x = x,
                                 .y = y,
                                 .n = n,
                                 .scratch = r->scratch};
    r->ops->forward(&a);
}

static inline void layer_part(layer_run *r, const ecg__step *step, size_t part, bool backward, bool want_dx)
{
    const ecg__plan *p = &r->plan;
    const size_t first = step->by_block ? 0 : r->n * part / r->shards;
    const size_t n = step->by_block ? r->n : r->n * (part + 1) / r->shards - first;
    const bool same_y = r->inplace && (p->flags & ECG__INPLACE) && !(p->flags & ECG__READS_X);
    const bool same_d = r->inplace && (p->flags & ECG__INPLACE);
    float *x = r->x + first * p->in_count, *y = same_y ? x : r->y + first * p->out_count;
    float *dy = r->dy + first * p->out_count;
    ecg__train_args a = {
        .attr = r->attr,
        .plan = p,
        .tensor = r->tensor,
        .x = backward && !(p->flags & ECG__READS_X) ? NULL : x,
        .y = backward && !(p->flags & ECG__READS_Y) ? NULL : y,
        .dy = backward ? dy : NULL,
        .dx = !backward || !want_dx ? NULL
              : same_d              ? dy
                                    : r->dx + first * p->in_count,
        .saved = p->saved ? r->saved + first * p->saved : NULL,
        .key = r->key + first,
        .n = n,
        .grad = step->by_block ? r->part[0] : r->part[part],
        .scratch = r->scratch,
        .partial = r->partial,
        .shards = r->shards,
        .seed = r->seed,
        .layer = r->layer,
    };
    layer_nan(r->scratch, p->train_scratch / sizeof(float));
    step->run(&a, part);
}

static inline void layer_steps(layer_run *r, const ecg__step *steps, bool backward, bool want_dx)
{
    for (size_t k = 0; k < ECG__MAX_STEPS && steps[k].run; k++)
        for (size_t part = 0; part < (steps[k].by_block ? r->plan.blocks : r->shards); part++)
            layer_part(r, &steps[k], part, backward, want_dx);
}

/* r->y from r->x; in place the result is copied to r->y. */
static inline void layer_forward(layer_run *r)
{
    const ecg__plan *p = &r->plan;
    const bool same = r->inplace && (p->flags & ECG__INPLACE) && !(p->flags & ECG__READS_X);
    layer_nan(r->y, r->n * p->out_count);
    memset(r->partial, 0, r->shards * p->partial * sizeof *r->partial);
    if (r->grad->forward[0].run)
        layer_steps(r, r->grad->forward, false, false);
    else
        layer_infer(r, r->x, same ? r->x : r->y, r->n);
    if (same)
        memcpy(r->y, r->x, r->n * p->out_count * sizeof *r->y);
}

/* r->dx and r->dtensor from r->dy, which is lost in place. What stood in r->dtensor before stays in the sum.
 */
static inline void layer_backward(layer_run *r, bool want_dx)
{
    const ecg__plan *p = &r->plan;
    layer_nan(r->dx, r->n * p->in_count);
    layer_steps(r, r->grad->backward, true, want_dx);
    if (r->inplace && (p->flags & ECG__INPLACE) && want_dx)
        memcpy(r->dx, r->dy, r->n * p->in_count * sizeof *r->dx);
    for (uint32_t t = 0; t < p->tensors; t++)
        for (uint32_t k = 0; k < r->shards; k++)
            for (size_t i = 0; p->tensor[t].trainable && i < p->tensor[t].count; i++) {
                r->dtensor[t][i] += r->part[k][t][i];
                r->part[k][t][i] = 0.0f;
            }
}

static inline void layer_clear_grads(layer_run *r)
{
    for (uint32_t t = 0; t < r->plan.tensors; t++)
        memset(r->dtensor[t], 0, r->plan.tensor[t].count * sizeof(float));
}

/* Values between -1 and 1. */
static inline void layer_random(float *v, size_t n, uint64_t seed)
{
    ecg__rng g = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++)
        v[i] = 2.0f * ecg__rng_float(&g) - 1.0f;
}

/* All apart from each other and from 0 by at least 4 / n, between -2 and 2: no kink is near. */
static inline void layer_random_apart(float *v, size_t n, uint64_t seed)
{
    ecg__rng g = ecg__rng_at(seed, ECG__RNG_SYNTH, 1, 0);
    for (size_t i = 0; i < n; i++)
        v[i] = 4.0f * ((float)i + 0.5f) / (float)n - 2.0f;
    for (size_t i = n; i > 1; i--) {
        const size_t j = ecg__rng_below(&g, (uint32_t)i);
        const float t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}

/* max |a - b| <= 1e-4 max |b| + 1e-6; not a number never is. */
static inline bool layer_close_to(const float *a, const float *b, size_t n)
{
    double worst = 0, top = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (isnan(d))
            return false;
        worst = d > worst ? d : worst;
        top = fabs((double)b[i]) > top ? fabs((double)b[i]) : top;
    }
    return worst <= 1e-4 * top + 1e-6;
}

#endif
