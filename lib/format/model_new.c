/* Models from weights that are in no file of ours. What could not be loaded again is not made. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "format/model_io.h"
#include "net/infer.h"
#include "net/model.h"

static ecg_status check_limits(const ecg_spec *spec, ecg_error *err)
{
    ecg_load_options limit;
    ecg_status s = ecg__load_options(&limit, NULL, err);
    if (s != ECG_OK)
        return s;
    uint64_t params = 0;
    for (uint32_t i = 0; i < spec->slots; i++)
        params += spec->slot[i].tensor->count;
    if (params > limit.max_params)
        return ecg__fail(err, ECG_ELIMIT,
                         "model: %" PRIu64 " parameters, the limit max_params of a model file is %" PRIu64,
                         params, limit.max_params);
    ecg__infer f;
    if (ecg__infer_plan(&f, spec, 1) != ECG_OK)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    if (f.bytes > limit.max_arena)
        s = ecg__fail(err, ECG_ELIMIT,
                      "model: running it needs %zu bytes a thread, the limit max_arena of a model file is "
                      "%" PRIu64,
                      f.bytes, limit.max_arena);
    ecg__infer_end(&f);
    return s;
}

static const ecg__slot *find(const ecg_spec *spec, const char *name)
{
    for (uint32_t i = 0; i < spec->slots; i++)
        if (strcmp(spec->slot[i].name, name) == 0)
            return &spec->slot[i];
    return NULL;
}

static ecg_status copy_tensor(const ecg_spec *spec, const ecg_tensor *t, bool *given, float *weights,
                              ecg_error *err)
{
    if (!t->name || !t->values)
        return ecg__fail(err, ECG_EINVAL, "model: a tensor without a name or without values");
    const ecg__slot *slot = find(spec, t->name);
    if (!slot)
        return ecg__fail(err, ECG_EINVAL, "model: the network has no tensor %s", t->name);
    if (t->count != slot->tensor->count)
        return ecg__fail_at(err, ECG_EINVAL, slot->layer, "model: %s has %zu values, expected %zu", t->name,
                            t->count, slot->tensor->count);
    if (given[slot - spec->slot])
        return ecg__fail_at(err, ECG_EINVAL, slot->layer, "model: %s is given twice", t->name);
    given[slot - spec->slot] = true;
    memcpy(weights + slot->offset, t->values, t->count * sizeof *weights);
    return ECG_OK;
}

static ecg_status copy_all(const ecg_spec *spec, const ecg_tensor *tensor, size_t tensors, float *weights,
                           ecg_error *err)
{
    bool *given = ecg__calloc(spec->slots ? spec->slots : 1, sizeof *given);
    if (!given)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    ecg_status s = ECG_OK;
    for (size_t i = 0; s == ECG_OK && i < tensors; i++)
        s = copy_tensor(spec, &tensor[i], given, weights, err);
    for (uint32_t i = 0; s == ECG_OK && i < spec->slots; i++)
        if (!given[i])
            s = ecg__fail_at(err, ECG_EINVAL, spec->slot[i].layer, "model: %s is missing",
                             spec->slot[i].name);
    ecg__free(given);
    return s;
}

ecg_status ecg_model_new(ecg_model **out, const ecg_spec *spec, const ecg_model_info *info,
                         const ecg_tensor *tensor, size_t tensors, ecg_error *err)
{
    *out = NULL;
    ecg_model_info in = {.size = sizeof in};
    ecg_status s = ecg__options_copy(&in, sizeof in, info, "model info", err);
    if (s != ECG_OK)
        return s;
    if (!in.preprocess || !in.classes)
        return ecg__fail(err, ECG_EINVAL, "model info: preprocess and classes are needed");
    s = check_limits(spec, err);
    if (s != ECG_OK)
        return s;
    float *weights = ecg__calloc(spec->floats ? spec->floats : 1, sizeof *weights);
    if (!weights)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    s = copy_all(spec, tensor, tensors, weights, err);
    if (s == ECG_OK)
        s = ecg__model_new(out, spec, in.preprocess, in.classes, ecg_spec_outputs(spec), in.meta, weights,
                           false, err);
    if (s != ECG_OK)
        ecg__free(weights);
    return s;
}
