#include "net/lower.h"

#include <string.h>

#include "layers/batchnorm.h"
#include "layers/conv_norm.h"
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

/* The attributes of a convolution and the pool at layer `pool`. */
static bool pools(const ecg_spec *s, uint32_t i, uint32_t pool, uint32_t relu, ecg__conv_pool_attr *at)
{
    at->relu = relu;
    memcpy(&at->conv, s->layer[i].attr, sizeof at->conv);
    if (!is(s, pool, "maxpool"))
        return false;
    memcpy(&at->pool, s->layer[pool].attr, sizeof at->pool);
    return ecg__conv_pool_fits(at, s->layer[i].plan.in);
}

/* Layer i as one of another kind. */
static bool replace(const ecg_spec *s, uint32_t i, const ecg__layer_ops *ops, const void *attr,
                    ecg__layer *out)
{
    ecg__layer l = s->layer[i];
    l.ops = ops;
    memcpy(l.attr, attr, ops->attr_size);
    if (ecg__layer_plan(ops, l.attr, s->layer[i].plan.in, &l.plan, NULL) != ECG_OK)
        return false;
    *out = l;
    return true;
}

static uint32_t fuse_pool(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    const uint32_t relu = is(s, i + 1, "relu");
    ecg__conv_pool_attr at = {0};
    const bool can = is(s, i, "conv2d") && pools(s, i, i + 1 + relu, relu, &at);
    return can && replace(s, i, &ecg__conv_pool_ops, &at, out) ? 2 + relu : 0;
}

static uint32_t fuse_norm(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    if (!is(s, i, "conv2d") || !is(s, i + 1, "batchnorm"))
        return 0;
    const uint32_t relu = is(s, i + 2, "relu");
    ecg__conv_norm_attr at = {0};
    ecg__batchnorm_attr norm;
    memcpy(&norm, s->layer[i + 1].attr, sizeof norm);
    at.pooled = pools(s, i, i + 2 + relu, relu, &at.to);
    at.biased = at.to.conv.bias != 0;
    at.to.conv.bias = 1;
    at.eps = norm.eps;
    const bool can = ecg__conv_norm_pays(&at.to.conv, s->layer[i].plan.in);
    return can && replace(s, i, &ecg__conv_norm_ops, &at, out) ? at.pooled ? 3 + relu : 2 : 0;
}

/* How many layers from i on become one in *out; 1: none. */
static uint32_t fuse(const ecg_spec *s, uint32_t i, bool infer, ecg__layer *out)
{
    const uint32_t norm = infer ? fuse_norm(s, i, out) : 0, pool = norm ? norm : fuse_pool(s, i, out);
    if (pool)
        return pool;
    if (conv_elu_norm(s, i)) {
        take_elu(s, i, out);
        return 2;
    }
    if (i > 1 && conv_elu_norm(s, i - 2))
        undo_elu(s, i, out);
    return 1;
}

static ecg_spec *lower(const ecg_spec *s, bool infer)
{
    ecg_spec *low = ecg__spec_copy(s);
    if (!low)
        return NULL;
    low->layers = 0;
    for (uint32_t i = 0, n; i < s->layers; i += n) {
        ecg__layer *l = &low->layer[low->layers];
        *l = s->layer[i];
        n = fuse(s, i, infer, l);
        for (uint32_t t = 0; t < l->plan.tensors; t++) {
            ecg__slot *slot = &low->slot[l->first_tensor + t];
            slot->layer = low->layers;
            slot->tensor = &l->plan.tensor[t];
        }
        low->layers++;
    }
    return low;
}

ecg_spec *ecg__spec_lower(const ecg_spec *s)
{
    return lower(s, false);
}

ecg_spec *ecg__spec_lower_infer(const ecg_spec *s)
{
    return lower(s, true);
}
