/* The training half of the layers, found by their inference half. */
#ifndef ECG_TRAIN_GRADS_H
#define ECG_TRAIN_GRADS_H

#include "layers/layer.h"

/* Never NULL for the ops of a row of layers.def, and of what ecg__spec_lower makes. */
const ecg__layer_grad *ecg__layer_grad_of(const ecg__layer_ops *ops);

#endif
