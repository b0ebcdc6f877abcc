#include "train/optimizer.h"

#include <math.h>

#include "math/vec.h"

ecg__optimizer_step ecg__optimizer_begin(const ecg_train_options *o)
{
    return (ecg__optimizer_step){
        .kind = o->optimizer,
        .lr = o->lr,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = o->epsilon,
        .momentum = o->momentum,
        .nesterov = o->nesterov != 0,
        .weight_decay = o->weight_decay,
        .t = 1,
        .grad_scale = 1.0f,
        .clip_value = o->clip_value,
    };
}

uint32_t ecg__optimizer_moments(const ecg_train_options *o)
{
    const uint32_t velocity = o->momentum > 0.0f;
    switch (o->optimizer) {
    case ECG_ADAM:
    case ECG_ADAMW:
        return 2;
    case ECG_AMSGRAD:
        return 3;
    case ECG_SGD:
        return velocity;
    case ECG_RMSPROP:
        return 1 + velocity;
    }
    return 0;
}

/* What every loop needs, with the choices made: where something is off, its number has no effect. */
typedef struct numbers {
    float scale, clip; /* clip: infinity when off */
    float decay;       /* added to the gradient, times the weight */
    float keep;        /* the weight is multiplied by this first */
    float rate;        /* the step's, bias correction included */
    float a, not_a;    /* decay of the mean, or the momentum */
    float b, not_b;    /* decay of the square */
    float root;        /* factor of the square root */
    float epsilon;
} numbers;

static inline float gradient(const numbers *c, float g, float w)
{
    const float scaled = g * c->scale;
    const float low = scaled < -c->clip ? -c->clip : scaled; /* NaN stays NaN */
    return (low > c->clip ? c->clip : low) + c->decay * w;
}

ECG__HOT static void adam(const numbers *p, float *restrict w, const float *restrict g, float *restrict m,
                          float *restrict v, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        const float d = gradient(&c, g[i], w[i]);
        m[i] = c.a * m[i] + c.not_a * d;
        v[i] = c.b * v[i] + c.not_b * (d * d);
        w[i] = w[i] * c.keep - c.rate * m[i] / (sqrtf(v[i]) * c.root + c.epsilon);
    }
}

ECG__HOT static void amsgrad(const numbers *p, float *restrict w, const float *restrict g, float *restrict m,
                             float *restrict v, float *restrict most, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        const float d = gradient(&c, g[i], w[i]);
        m[i] = c.a * m[i] + c.not_a * d;
        v[i] = c.b * v[i] + c.not_b * (d * d);
        most[i] = most[i] > v[i] ? most[i] : v[i];
        w[i] -= c.rate * m[i] / (sqrtf(most[i]) * c.root + c.epsilon);
    }
}

ECG__HOT static void sgd(const numbers *p, float *restrict w, const float *restrict g, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++)
        w[i] -= c.rate * gradient(&c, g[i], w[i]);
}

ECG__HOT static void sgd_momentum(const numbers *p, float *restrict w, const float *restrict g,
                                  float *restrict u, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        u[i] = c.a * u[i] + gradient(&c, g[i], w[i]);
        w[i] -= c.rate * u[i];
    }
}

ECG__HOT static void sgd_nesterov(const numbers *p, float *restrict w, const float *restrict g,
                                  float *restrict u, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        const float d = gradient(&c, g[i], w[i]);
        u[i] = c.a * u[i] + d;
        w[i] -= c.rate * (d + c.a * u[i]);
    }
}

ECG__HOT static void rmsprop(const numbers *p, float *restrict w, const float *restrict g, float *restrict v,
                             size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        const float d = gradient(&c, g[i], w[i]);
        v[i] = c.b * v[i] + c.not_b * (d * d);
        w[i] -= c.rate * d / (sqrtf(v[i]) + c.epsilon);
    }
}

ECG__HOT static void rmsprop_momentum(const numbers *p, float *restrict w, const float *restrict g,
                                      float *restrict v, float *restrict u, size_t n)
{
    const numbers c = *p;
    for (size_t i = 0; i < n; i++) {
        const float d = gradient(&c, g[i], w[i]);
        v[i] = c.b * v[i] + c.not_b * (d * d);
        u[i] = c.a * u[i] + d / (sqrtf(v[i]) + c.epsilon);
        w[i] -= c.rate * u[i];
    }
}

static numbers numbers_of(const ecg__optimizer_step *s, bool decays)
{
    const bool adam_like = s->kind == ECG_ADAM || s->kind == ECG_AMSGRAD || s->kind == ECG_ADAMW;
    const double lr = (double)s->lr, decay = decays ? (double)s->weight_decay : 0.0;
    const double a = adam_like ? (double)s->beta1 : (double)s->momentum, b = (double)s->beta2;
    const double t = (double)s->t;
    return (numbers){
        .scale = s->grad_scale,
        .clip = s->clip_value > 0.0f ? s->clip_value : HUGE_VALF,
        .decay = s->kind == ECG_ADAMW ? 0.0f : (float)decay,
        .keep = s->kind == ECG_ADAMW ? (float)(1.0 - lr * decay) : 1.0f,
        .rate = (float)(adam_like ? lr / (1.0 - pow(a, t)) : lr),
        .a = (float)a,
        .not_a = (float)(1.0 - a),
        .b = (float)b,
        .not_b = (float)(1.0 - b),
        .root = (float)(1.0 / sqrt(1.0 - pow(b, t))),
        .epsilon = s->epsilon,
    };
}

void ecg__optimizer_apply(const ecg__optimizer_step *s, float *w, const float *g,
                          float *const m[ECG__MAX_MOMENTS], size_t n, bool decays)
{
    const numbers c = numbers_of(s, decays);
    switch (s->kind) {
    case ECG_ADAM:
    case ECG_ADAMW:
        adam(&c, w, g, m[0], m[1], n);
        break;
    case ECG_AMSGRAD:
        amsgrad(&c, w, g, m[0], m[1], m[2], n);
        break;
    case ECG_SGD:
        if (s->momentum <= 0.0f)
            sgd(&c, w, g, n);
        else if (s->nesterov)
            sgd_nesterov(&c, w, g, m[0], n);
        else
            sgd_momentum(&c, w, g, m[0], n);
        break;
    case ECG_RMSPROP:
        if (s->momentum <= 0.0f)
            rmsprop(&c, w, g, m[0], n);
        else
            rmsprop_momentum(&c, w, g, m[0], m[1], n);
        break;
    }
}

/* Lanes are summed apart, then pairwise: the same order with vectors of any width. */
enum { LANES = 16 };

ECG__HOT static double sum_squares(const float *g, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)g[i + k] * (double)g[i + k];
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += (double)g[i] * (double)g[i];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lane[k] += lane[k + half];
    return lane[0];
}

double ecg__sum_squares(const float *g, size_t n)
{
    return sum_squares(g, n);
}
