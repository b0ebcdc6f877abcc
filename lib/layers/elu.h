/* For the layers that elu is made a part of. */
#ifndef ECG_LAYERS_ELU_H
#define ECG_LAYERS_ELU_H

#include <stddef.h>

typedef struct ecg__elu_attr {
    float alpha;
} ecg__elu_attr;

/* y may be x. */
void ecg__elu(float alpha, const float *x, float *y, size_t n);

#endif
