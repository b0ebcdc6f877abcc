/* Time of the layers of an inference: slot i is layer i, the last slot what is done before the first layer.
 */
#ifndef ECG_NET_INFER_PROFILE_H
#define ECG_NET_INFER_PROFILE_H

#include "base/laps.h"
#include "ecgcnn/profile.h"
#include "net/spec.h"

/* NULL when out of memory. */
ecg__laps *ecg__infer_laps_new(const ecg_spec *spec, uint32_t workers);

static inline uint32_t ecg__infer_lap_before(const ecg_spec *spec)
{
    return spec->layers;
}

/* The stages of such a profile: what is before the layers, the layers, waiting. */
typedef struct ecg__infer_stages {
    const char *before, *forward, *wait;
} ecg__infer_stages;

/* Entry i of spec->layers + 2, after `ns` nanoseconds by the clock and so many pictures; 0: no more. */
int ecg__infer_profile_entry(const ecg__laps *l, const ecg_spec *spec, const ecg__infer_stages *stages,
                             uint64_t ns, uint64_t pictures, size_t i, ecg_profile_entry *out);

/* Time that the workers had and did not use, in seconds. */
double ecg__laps_idle(const ecg__laps *l, uint64_t ns);

#endif
