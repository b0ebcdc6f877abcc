/* One sample through a network: the one way predictions are made, by sessions and by the trainer's
 * validation. */
#ifndef ECG_NET_INFER_H
#define ECG_NET_INFER_H

#include "base/laps.h"
#include "net/spec.h"

/* Where each layer's output lies in an arena for one sample. Immutable, shared by all workers. */
typedef struct ecg__infer {
    ecg_spec *spec; /* as it is run: lower.h */
    size_t *offset; /* [layers]: bytes into the arena */
    size_t scratch; /* bytes into the arena */
    size_t bytes;   /* of the arena */
} ecg__infer;

/* ECG_ENOMEM. */
ecg_status ecg__infer_plan(ecg__infer *out, const ecg_spec *written);

/* x[in] -> out[outputs], with weights in the flat vector `flat`; arena is 64-byte aligned. Allocates nothing.
 * Time goes to `laps` (infer_profile.h); NULL: nowhere. */
void ecg__infer_run(const ecg__infer *f, const float *flat, const float *x, float *out, void *arena,
                    ecg__lap_row *laps);

void ecg__infer_end(ecg__infer *f);

#endif
