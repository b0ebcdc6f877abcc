/* Convolution, relu if there is one, and maxpool in one: the map between them is never written to memory,
 * only a tile of it at a time, and pooling keeps a byte per window. Not in layers.def: ecg__spec_lower puts
 * it in the place of those layers. */
#ifndef ECG_LAYERS_CONV_POOL_H
#define ECG_LAYERS_CONV_POOL_H

#include "layers/conv.h"
#include "layers/pool.h"

typedef struct ecg__conv_pool_attr {
    ecg__conv_attr conv;
    ecg__pool_attr pool;
    uint32_t relu; /* 1: between the two */
} ecg__conv_pool_attr;

extern const ecg__layer_ops ecg__conv_pool_ops;
#ifndef ECG_INFER_ONLY
extern const ecg__layer_grad ecg__conv_pool_grad;
#endif

/* Whether this layer can do it: windows of the pool that do not overlap and have no padding, a convolution
 * without columns. Both layers were planned. */
bool ecg__conv_pool_fits(const ecg__conv_pool_attr *at, ecg_shape in);

#endif
