/* The plan of a layer that keeps its shape. */
#ifndef ECG_LAYERS_SAME_H
#define ECG_LAYERS_SAME_H

#include "layers/layer.h"

static inline ecg_status ecg__plan_same(ecg__plan *p, ecg_shape in, uint32_t flags)
{
    p->out = in;
    p->flags = flags;
    return ECG_OK;
}

#endif
