/* gating.h: learns a model's gate, which refuses what is no ECG, and keeps it in the model file. */
#ifndef ECG_TOOLS_GATING_H
#define ECG_TOOLS_GATING_H

#include "ecgcnn/eval.h"

typedef struct gating {
    ecg_gate_pictures train, held_out; /* held_out.data NULL: a quarter of train */
    uint32_t threads, skip_bad;
    int quiet;
    const char *output; /* the model file to write */
} gating;

/* Says on stderr what it did. Where no gate can be learned (too few pictures) it warns, writes nothing, and
 * *written is 0. Returns 0 or the exit code. */
int gating_run(int *written, ecg_model *m, const gating *g);

#endif
