#include "net/lower.h"

#include <string.h>

#include "layers/batchnorm.h"
#include "layers/conv_pool.h"
#include "layers/elu.h"

static bool is(const ecg_spec *s, uint32_t i, const char *name)
{
    return i < s->layers && strcmp(s->layer[i].ops->name, name) == 0;
}

static bool conv_elu_norm(const ecg_spec *s, uint32_t i)
{
    return is(s, i, "conv2d") && is(s, i + 1, "elu") && is(s, i + 2, "batchnorm");
}

/* The convolution ends in elu, the layer after the two undoes it in backward: both pass over values that they
 * had in the cache. */
static void take_elu(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    ecg__conv_attr conv;
    ecg__elu_attr elu;
    memcpy(&conv, s->layer[i].attr, sizeof conv);
    memcpy(&elu, s->layer[i + 1].attr, sizeof elu);
    conv.elu = true;
    conv.alpha = elu.alpha;
    memcpy(out->attr, &conv, sizeof conv);
}

static void undo_elu(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    ecg__batchnorm_attr norm;
    ecg__elu_attr elu;
    memcpy(&norm, s->layer[i].attr, sizeof norm);
    memcpy(&elu, s->layer[i - 1].attr, sizeof elu);
    norm.after_elu = true;
    norm.alpha = elu.alpha;
    memcpy(out->attr, &norm, sizeof norm);
}

static bool pooled(const ecg_spec *s, uint32_t i, uint32_t relu, ecg__layer *out)
{
    const uint32_t pool = i + 1 + relu;
    ecg__conv_pool_attr at = {.relu = relu};
    if (!is(s, i, "conv2d") || !is(s, pool, "maxpool"))
        return false;
    memcpy(&at.conv, s->layer[i].attr, sizeof at.conv);
    memcpy(&at.pool, s->layer[pool].attr, sizeof at.pool);
    ecg__layer l = s->layer[i];
    l.ops = &ecg__conv_pool_ops;
    memcpy(l.attr, &at, sizeof at);
    if (!ecg__conv_pool_fits(&at, l.plan.in) ||
        ecg__layer_plan(l.ops, l.attr, s->layer[i].plan.in, &l.plan, NULL) != ECG_OK)
        return false;
    *out = l;
    return true;
}

/* How many layers from i on become one in *out; 1: none. */
static uint32_t fuse(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    const uint32_t relu = is(s, i + 1, "relu");
    if (pooled(s, i, relu, out))
        return 2 + relu;
    if (conv_elu_norm(s, i)) {
        take_elu(s, i, out);
        return 2;
    }
    if (i > 1 && conv_elu_norm(s, i - 2))
        undo_elu(s, i, out);
    return 1;
}

ecg_spec *ecg__spec_lower(const ecg_spec *s)
{
    ecg_spec *low = ecg__spec_copy(s);
    if (!low)
        return NULL;
    low->layers = 0;
    for (uint32_t i = 0, n; i < s->layers; i += n) {
        ecg__layer *l = &low->layer[low->layers];
        *l = s->layer[i];
        n = fuse(s, i, l);
        for (uint32_t t = 0; t < l->plan.tensors; t++) {
            ecg__slot *slot = &low->slot[l->first_tensor + t];
            slot->layer = low->layers;
            slot->tensor = &l->plan.tensor[t];
        }
        low->layers++;
    }
    return low;
}
