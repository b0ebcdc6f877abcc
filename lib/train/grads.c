#include "train/grads.h"

#include "layers/conv_pool.h"

static const struct {
    const ecg__layer_ops *ops;
    const ecg__layer_grad *grad;
} rows[] = {
#define ECG__LAYER(tag, name) {&ecg__##name##_ops, &ecg__##name##_grad},
#include "layers/layers.def"
#undef ECG__LAYER
    {&ecg__conv_pool_ops, &ecg__conv_pool_grad},
};

const ecg__layer_grad *ecg__layer_grad_of(const ecg__layer_ops *ops)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].ops == ops)
            return rows[i].grad;
    return NULL;
}
