/* profile.h: where the time of a training run went (ecg-train --profile). */
#ifndef ECG_TOOLS_PROFILE_H
#define ECG_TOOLS_PROFILE_H

#include <stdio.h>

#include "ecgcnn/data.h"
#include "ecgcnn/train.h"

typedef struct profile_run {
    ecg_trainer *trainer;
    ecg_loader *train; /* its pictures */
    const ecg_spec *spec;
    double started, read; /* progress_clock() when the program began to read pictures, and when it had them */
} profile_run;

/* Switch timing on, before training. Returns 0 or the exit code. */
int profile_begin(const profile_run *r);

/* A table of stages and layers in 80 columns, after training. */
void profile_print(const profile_run *r, FILE *f);

#endif
