/* A network as it is run: some layers that follow each other become one. */
#ifndef ECG_NET_LOWER_H
#define ECG_NET_LOWER_H

#include "net/spec.h"

/* A copy in which [conv2d, maxpool] and [conv2d, relu, maxpool] are one layer wherever that can be, and in
 * [conv2d, elu, batchnorm] the two others do the work of elu. Tensors,
 * slots and the flat vector are those of `s`; a layer's `origin` says where it, or the first of its layers,
 * stands in `s`. NULL when out of memory. Free it with ecg_spec_free. */
ecg_spec *ecg__spec_lower(const ecg_spec *s);

/* The same for inference: [conv2d, batchnorm] and what may follow it, [relu, maxpool] or [maxpool], are one
 * layer too, where the statistics are folded into the kernel. Answers differ by rounding. */
ecg_spec *ecg__spec_lower_infer(const ecg_spec *s);

#endif
