/* Weights before training. */
#ifndef ECG_TRAIN_INIT_H
#define ECG_TRAIN_INIT_H

#include <stdint.h>

#include "net/spec.h"

/* Fill flat[s->floats] as each tensor asks; gaps become zero. A tensor's values depend on the seed, the index
 * of its layer and its own index in that layer.
 *
 * GLOROT_UNIFORM: +-sqrt(6 / (fan_in + fan_out)). GLOROT_NORMAL: standard deviation sqrt(2 / (fan_in +
 * fan_out)). HE_UNIFORM: +-sqrt(6 / fan_in). HE_NORMAL: sqrt(2 / fan_in). The normals are Keras': cut off
 * (drawn again) beyond two standard deviations of a wider normal, so that what remains has the deviation
 * named here. */
void ecg__init_weights(const ecg_spec *s, uint64_t seed, float *flat);

#endif
