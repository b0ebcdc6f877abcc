#include "net/lower.h"

#include <string.h>

#include "layers/conv_pool.h"

static bool is(const ecg_spec *s, uint32_t i, const char *name)
{
    return i < s->layers && strcmp(s->layer[i].ops->name, name) == 0;
}

/* How many layers from i on become one in *out; 1: none. */
static uint32_t fuse(const ecg_spec *s, uint32_t i, ecg__layer *out)
{
    const uint32_t relu = is(s, i + 1, "relu"), pool = i + 1 + relu;
    ecg__conv_pool_attr at = {.relu = relu};
    if (!is(s, i, "conv2d") || !is(s, pool, "maxpool"))
        return 1;
    memcpy(&at.conv, s->layer[i].attr, sizeof at.conv);
    memcpy(&at.pool, s->layer[pool].attr, sizeof at.pool);
    ecg__layer l = s->layer[i];
    l.ops = &ecg__conv_pool_ops;
    memcpy(l.attr, &at, sizeof at);
    if (!ecg__conv_pool_fits(&at, l.plan.in) ||
        ecg__layer_plan(l.ops, l.attr, s->layer[i].plan.in, &l.plan, NULL) != ECG_OK)
        return 1;
    *out = l;
    return 2 + relu;
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
