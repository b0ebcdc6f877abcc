/* Samples through a network: the one way predictions are made, by sessions and by the trainer's
 * validation. */
#ifndef ECG_NET_INFER_H
#define ECG_NET_INFER_H

#include "base/laps.h"
#include "net/spec.h"

/* Where each layer's output lies in an arena. Layers before the first dense one, the body, are run sample by
 * sample, so that what they make stays in the cache; those from there on, the head, for a group of samples,
 * so that large matrices are read once for all of them. A sample's answer has the same bits in any group.
 * Immutable, shared by all workers. */
typedef struct ecg__infer {
    ecg_spec *spec; /* as it is run: lower.h */
    size_t *offset; /* [layers]: bytes into the arena */
    size_t scratch; /* bytes into the arena */
    size_t bytes;   /* of the arena */
    uint32_t group; /* most samples of the head */
    uint32_t split; /* its first layer, or the number of layers */
    uint32_t last;  /* of the body's layers, the first that writes to where its output lies */
} ecg__infer;

/* A group that is large enough to pay. */
enum { ECG__INFER_GROUP = 16 };

/* For groups of up to `group` samples; fewer where a network's head would take much memory. ECG_ENOMEM. */
ecg_status ecg__infer_plan(ecg__infer *out, const ecg_spec *written, uint32_t group);

/* How many groups n samples make, as many for each worker: group i is of samples n * i / groups on. */
size_t ecg__infer_groups(const ecg__infer *f, size_t n, uint32_t workers);

/* Shows somebody the input x[count] of one layer of f->spec, of one sample after the other. */
typedef struct ecg__infer_tap {
    uint32_t layer;
    void (*take)(void *ctx, const float *x, size_t count);
    void *ctx;
} ecg__infer_tap;

/* The body: x[in] as sample `place` of the group. arena is 64-byte aligned. Allocates nothing. Time goes to
 * `laps` (infer_profile.h); NULL: nowhere. tap may be NULL, and changes no bit. */
void ecg__infer_body(const ecg__infer *f, const float *flat, const float *x, uint32_t place, void *arena,
                     ecg__lap_row *laps, const ecg__infer_tap *tap);

/* The head, of the first n samples of the group: out[n][outputs]. */
void ecg__infer_head(const ecg__infer *f, const float *flat, uint32_t n, float *out, void *arena,
                     ecg__lap_row *laps, const ecg__infer_tap *tap);

/* Both for one sample: x[in] -> out[outputs], with weights in the flat vector `flat`. */
void ecg__infer_run(const ecg__infer *f, const float *flat, const float *x, float *out, void *arena,
                    ecg__lap_row *laps);

void ecg__infer_end(ecg__infer *f);

/* Bytes that the plan itself takes, a multiple of 64; and a copy of it in so many bytes of somebody else's
 * memory, 64-byte aligned, which is not ended. */
size_t ecg__infer_plan_bytes(const ecg__infer *f);
ecg__infer ecg__infer_place(const ecg__infer *f, void *memory);

#endif
