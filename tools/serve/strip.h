/* strip.h: a synthetic lead of several beats, made of the library's synthetic beats. */
#ifndef ECG_TOOLS_SERVE_STRIP_H
#define ECG_TOOLS_SERVE_STRIP_H

#include "ecgcnn/signal.h"

enum { STRIP_MOST = 40 }; /* beats */

typedef struct strip {
    float *mv; /* [n] at ECG_BEAT_RATE, level line at 0 */
    size_t n;
    uint64_t at[STRIP_MOST]; /* where each beat has its R */
    size_t beats;
} strip;

/* The beats of one synthetic patient, a letter for each: N normal, L and R bundle branch blocks, A atrial and
 * V ventricular premature beats, / paced, ! a wave of flutter, E ventricular escape, F fusion of N and V.
 * Early beats come early and are followed by a pause, escape beats come late. Fusion is the mean of both; the
 * escape beat has the shape of a V. Without noise. The same arguments, the same strip. Errors: ECG_EINVAL (no
 * letter, more than STRIP_MOST, another letter), ECG_ENOMEM. Freed with strip_free. Any thread. */
ecg_status strip_make(strip *out, uint64_t seed, uint32_t patient, const char *codes, ecg_error *err);
void strip_free(strip *s);

#endif
