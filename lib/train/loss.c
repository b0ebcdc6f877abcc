#include "train/loss.h"

#include <math.h>

double ecg__cross_entropy(const struct ecg__loss_args *a, const float *logits, const uint32_t *y, size_t n,
                          double scale, float *dlogits, float *probs, uint32_t *correct)
{
    const uint32_t classes = a->classes;
    const double even = (double)a->smoothing / classes, peak = 1.0 - (double)a->smoothing;
    double loss = 0.0;
    uint32_t right = 0;
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * classes;
        const uint32_t label = y[i];
        uint32_t top = 0;
        for (uint32_t k = 1; k < classes; k++)
            if (z[k] > z[top])
                top = k;
        const double max = (double)z[top];
        right += top == label;

        double sum = 0.0, below = 0.0; /* of exp(z - max), of max - z */
        for (uint32_t k = 0; k < classes; k++) {
            sum += exp((double)z[k] - max);
            below += max - (double)z[k];
        }
        /* -log p[k] = log(sum) + (max - z[k]): two terms that are not negative, so nothing cancels. */
        const double log_sum = log(sum);
        double sample = peak * (log_sum + (max - (double)z[label]));
        if (even > 0.0) /* 0 times the infinity of a probability 0 would be NaN */
            sample += even * (classes * log_sum + below);
        const double weight = a->class_weight ? (double)a->class_weight[label] : 1.0;
        loss += weight * sample;

        if (!dlogits && !probs)
            continue;
        for (uint32_t k = 0; k < classes; k++) {
            const double p = exp((double)z[k] - max) / sum;
            const double target = k == label ? peak + even : even;
            if (probs)
                probs[i * classes + k] = (float)p;
            if (dlogits)
                dlogits[i * classes + k] = (float)(scale * weight * (p - target));
        }
    }
    if (correct)
        *correct += right;
    return loss;
}
