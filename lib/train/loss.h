/* Softmax and cross-entropy in one, from logits. */
#ifndef ECG_TRAIN_LOSS_H
#define ECG_TRAIN_LOSS_H

#include <stddef.h>
#include <stdint.h>

struct ecg__loss_args {
    uint32_t classes;          /* at least 1 */
    float smoothing;           /* s: the target is (1 - s) * onehot + s / classes */
    const float *class_weight; /* [classes] or NULL: all 1 */
};

/* The SUM over samples of weight * loss. The weight of a sample is that of its label and multiplies its whole
 * loss, smoothing included, as Keras' class_weight does (PyTorch weights each term of the smoothed sum
 * instead; without smoothing both agree). dlogits = scale * weight * (p - target): scale is 1 / n of the
 * batch for Keras' mean, 1 / sum of the samples' weights for PyTorch's. dlogits may be logits itself.
 *
 * *correct grows by the samples whose largest logit, the first of equals, is at their label. Logits that are
 * not finite make the result so too, except that -inf stands for probability 0. y must be below classes. */
double ecg__cross_entropy(const struct ecg__loss_args *a, const float *logits /* [n][classes] */,
                          const uint32_t *y /* [n] */, size_t n, double scale,
                          float *dlogits /* [n][classes], overwritten, or NULL */,
                          float *probs /* [n][classes] or NULL */, uint32_t *correct /* or NULL */);

#endif
