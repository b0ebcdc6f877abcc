/* Gates: from what was seen of pictures to limits. */
#ifndef ECG_EVAL_GATE_FIT_H
#define ECG_EVAL_GATE_FIT_H

#include <stdbool.h>

#include "ecgcnn/eval.h"

/* What is seen of one picture. */
typedef struct ecg__seen {
    float look[ECG_LOOKS];
    uint32_t label;
    bool skipped; /* it could not be read */
} ecg__seen;

/* gate_see.c: everything about up to `most` pictures of p, evenly taken: every `stride`-th sample from
 * `first` on is meant. *f is [count][features]. Both arrays are ecg__free'd by the caller, also on failure.
 */
typedef struct ecg__sight {
    ecg__seen *seen;
    float *f;
    size_t count;
} ecg__sight;
ecg_status ecg__gate_see(ecg__sight *out, ecg_model *m, const ecg_gate_pictures *p, const size_t *index,
                         size_t count, const ecg_gate_options *o, ecg_error *err);
void ecg__sight_free(ecg__sight *s);

/* gate_space.c: factor and centres (ecg_gate) of count pictures f[count][n] with labels. ECG_ENUMERIC,
 * ECG_ENOMEM. */
ecg_status ecg__gate_space(const ecg__sight *s, uint32_t n, uint32_t classes, float *factor, float *centre,
                           ecg_error *err);

/* The q-quantile of v[n], n > 0, interpolated as numpy does; sorts v. */
double ecg__quantile(double *v, size_t n, double q);

#endif
