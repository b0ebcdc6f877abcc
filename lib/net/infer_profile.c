#include "net/infer_profile.h"

ecg__laps *ecg__infer_laps_new(const ecg_spec *spec, uint32_t workers)
{
    return ecg__laps_new(workers, spec->layers + 1);
}

double ecg__laps_idle(const ecg__laps *l, uint64_t ns)
{
    const uint64_t had = ns * l->workers, used = ecg__laps_total(l);
    return had > used ? 1e-9 * (double)(had - used) : 0.0;
}

int ecg__infer_profile_entry(const ecg__laps *l, const ecg_spec *spec, const ecg__infer_stages *stages,
                             uint64_t ns, uint64_t pictures, size_t i, ecg_profile_entry *out)
{
    const size_t layers = spec->layers;
    if (i >= layers + 2)
        return 0;
    *out = (ecg_profile_entry){.workers = l->workers, .wall = 1e-9 * (double)ns, .pictures = pictures};
    if (i > layers) {
        out->stage = stages->wait;
        out->seconds = ecg__laps_idle(l, ns);
        return 1;
    }
    const bool before = i == 0;
    const uint32_t layer = before ? 0 : (uint32_t)i - 1;
    const ecg__lap_sum s = ecg__laps_sum(l, before ? ecg__infer_lap_before(spec) : layer);
    out->stage = before ? stages->before : stages->forward;
    out->seconds = 1e-9 * (double)s.ns;
    out->calls = s.laps;
    if (before)
        return 1;
    out->layer = spec->layer[layer].ops->name;
    out->index = layer;
    out->flops = 2.0 * (double)spec->layer[layer].plan.macs * (double)pictures;
    return 1;
}
