/* As Keras: normalises each channel over samples, rows and columns with the biased variance, and moves the
 * running statistics by that same variance. */
#ifndef ECG_LAYERS_BATCHNORM_H
#define ECG_LAYERS_BATCHNORM_H

#include <stdbool.h>

typedef struct ecg__batchnorm_attr {
    float eps, momentum;
    /* Set by ecg__spec_lower: x came out of an elu, and dx is to be the gradient of what went into it. */
    bool after_elu;
    float alpha;
} ecg__batchnorm_attr;

#endif
