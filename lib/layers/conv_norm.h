/* Convolution and batchnorm in one, for inference: the running statistics are folded into the kernel and a
 * bias, afresh for each call, so that nothing has to be kept in step with the weights. Relu and maxpool may
 * follow inside, as in conv_pool.h. Not in layers.def: ecg__spec_lower_infer puts it in the place of those
 * layers. */
#ifndef ECG_LAYERS_CONV_NORM_H
#define ECG_LAYERS_CONV_NORM_H

#include "layers/conv_pool.h"

typedef struct ecg__conv_norm_attr {
    ecg__conv_pool_attr to; /* what runs with the folded tensors: conv.bias is 1; pool and relu if `pooled` */
    bool pooled;
    bool biased; /* the convolution has a bias of its own */
    float eps;
} ecg__conv_norm_attr;

extern const ecg__layer_ops ecg__conv_norm_ops;

/* Whether folding is cheap: the kernel is used in many places of a picture. The convolution was planned. */
bool ecg__conv_norm_pays(const ecg__conv_attr *at, ecg_shape in);

#endif
