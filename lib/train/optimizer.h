/* The weight update, in one pass over weights, gradient and state. */
#ifndef ECG_TRAIN_OPTIMIZER_H
#define ECG_TRAIN_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/train.h"

typedef struct ecg__optimizer_step {
    ecg_optimizer kind;
    float lr; /* of this step */
    float beta1, beta2, epsilon, momentum;
    bool nesterov;
    float weight_decay;
    uint64_t t;       /* number of this step, from 1 */
    float grad_scale; /* the gradient is multiplied by this first; 1, or less to clip by norm */
    float clip_value; /* then clamped to +-this; 0: off */
} ecg__optimizer_step;

/* Everything from the options but lr, t and grad_scale, which are set to options' lr, 1 and 1. */
ecg__optimizer_step ecg__optimizer_begin(const ecg_train_options *o);

enum { ECG__MAX_MOMENTS = 3 };

/* State vectors, each as long as the weights and all zero before the first step. ADAM and ADAMW: mean,
 * square. AMSGRAD: mean, square, largest square. SGD: velocity, if there is momentum. RMSPROP: square, and
 * velocity. */
uint32_t ecg__optimizer_moments(const ecg_train_options *o);

/* Update w[n]; g is read only. decays: weight decay applies to this piece. Every element by itself: cutting a
 * vector into pieces does not change the bits. Pieces must not overlap; m[i] beyond ecg__optimizer_moments is
 * not looked at.
 *
 * g = clamp(g * grad_scale), then g += weight_decay * w (ADAMW instead: w -= lr * weight_decay * w), then as
 * PyTorch: ADAM, ADAMW  w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) AMSGRAD the
 * same with the largest v so far SGD          u = momentum * u + g; w -= lr * u, with Nesterov w -= lr * (g +
 * momentum * u) RMSPROP      v = beta2 * v + (1 - beta2) * g^2; step = g / (sqrt(v) + epsilon), with momentum
 * through u */
void ecg__optimizer_apply(const ecg__optimizer_step *s, float *w, const float *g,
                          float *const m[ECG__MAX_MOMENTS], size_t n, bool decays);

/* Sum of squares in double precision, in an order that depends on n alone. */
double ecg__sum_squares(const float *g, size_t n);

#endif
