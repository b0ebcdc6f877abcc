/* Sliding windows: the geometry that convolution and pooling share. */
#ifndef ECG_LAYERS_WINDOW_H
#define ECG_LAYERS_WINDOW_H

#include "ecgcnn/types.h"
#include "layers/attr.h"
#include "math/im2col.h"

/* Size of the output and padding before it. `same` as TensorFlow: out = ceil(in / stride), an odd row of
 * padding stands after. ECG_ESHAPE when no window fits. */
ecg_status ecg__window_plan(ecg__window *g, ecg_shape in, ecg__pair kernel, ecg__pair stride,
                            ecg__pair dilation, const ecg__pad *pad, ecg_error *err);

#endif
