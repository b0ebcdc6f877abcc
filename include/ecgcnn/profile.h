/* profile.h: where the time of training and prediction goes.
 *
 *     ecg_profile_entry e;
 *     ecg_trainer_profile(t, 1, &err);
 *     ... // steps, or ecg_trainer_fit
 *     for (size_t i = 0; ecg_trainer_profile_entry(t, i, &e); i++)
 *         printf("%s %s %g s\n", e.stage, e.layer ? e.layer : "", e.seconds);
 */
#ifndef ECGCNN_PROFILE_H
#define ECGCNN_PROFILE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ecg_loader;
struct ecg_session;
struct ecg_trainer;

/* One stage, or one layer of it. Static strings.
 *
 * A trainer's stages, in this order: "fetch" (the source: decoding, augmentation), "forward" (per layer),
 * "loss", "backward" (per layer), "reduce" (gradients of all parts to one), "optimizer", "wait" (workers that
 * had nothing to do in a step); of validation "val fetch", "val forward" (per layer), "val wait"; "save"
 * (model files). A session's: "prepare" (8-bit pixels to values), "forward" (per layer), "wait". A loader's:
 * "decode" (pictures that are not in memory), "augment", "values" (pixels to numbers).
 *
 * Without clip_norm and L2, the kernels of dense layers are updated in "backward", as their gradient is made.
 * A layer that is worked on together with the one before it has no time of its own: seconds and calls are 0.
 */
typedef struct ecg_profile_entry {
    const char *stage;
    const char *layer; /* "conv2d"; NULL: the stage has no layers */
    uint32_t index;    /* of the layer, from 0 */
    uint32_t workers;  /* threads that share the work; a loader: 0, it does not know them */
    /* Time by the clock, all workers together: with two workers, 2 s in one second. It is longer than
     * processor time where other programs take the processor away. "save" is one worker's. */
    double seconds;
    double wall; /* time by the clock of the part this stage belongs to (training, validation, saving); a
                    loader: 0 */
    uint64_t pictures; /* that went through the part */
    uint64_t calls;    /* pieces of work that were timed */
    /* Additions and multiplications of convolutions, dense layers and batch normalisation, twice the
     * multiply-adds of ecg_layer_info: backward has one such product for the weights, and one for the input
     * where a layer before it is trained. 0 elsewhere. */
    double flops;
} ecg_profile_entry;

/* Switch timing on (clearing what was counted) or off (keeping it). Off is as if it were not there: a branch
 * per operation. On costs two looks at the clock per operation. Allocates on the first switching on only. Not
 * during a step, a run or a fetch. Errors: ECG_ENOMEM. */
ECG_API ecg_status ecg_trainer_profile(struct ecg_trainer *t, int on, ecg_error *err);
ECG_API ecg_status ecg_session_profile(struct ecg_session *s, int on, ecg_error *err);
ECG_API ecg_status ecg_loader_profile(struct ecg_loader *l, int on, ecg_error *err);

/* Entry i; 0 (and *out untouched) when there are no more, or timing was never switched on. Not during a step.
 */
ECG_API int ecg_trainer_profile_entry(const struct ecg_trainer *t, size_t i, ecg_profile_entry *out);
ECG_API int ecg_session_profile_entry(const struct ecg_session *s, size_t i, ecg_profile_entry *out);
ECG_API int ecg_loader_profile_entry(const struct ecg_loader *l, size_t i, ecg_profile_entry *out);

#ifdef __cplusplus
}
#endif
#endif
