/* run.h: a training run, and what is told of it at the end. */
#ifndef ECG_TOOLS_TRAIN_RUN_H
#define ECG_TOOLS_TRAIN_RUN_H

#include "common/calibrating.h"
#include "common/fitlog.h"
#include "common/parts.h"
#include "common/train_settings.h"
#include "ecgcnn/eval.h"
#include "ecgcnn/train.h"

/* The ranks of ecg-train-mpi. Rank 0 writes and tells; each has a loader and a trainer. */
typedef struct team {
    uint32_t rank, ranks;
    /* Called by all at the same places: an exit code that is the same on all, EXIT_DONE if every rank's is.
     * What a rank had to say of its failure is printed. */
    int (*together)(void *payload, int code);
    void *payload;
} team;

/* What a run holds; freed in one place. */
typedef struct run {
    const team *team; /* NULL: one process */
    parts parts;
    ecg_spec *spec;
    ecg_preprocess prep;
    ecg_loader *train, *val;
    float *class_weights;
    float *zca;
    ecg_trainer *trainer;
    fitlog log;
    char *augment; /* as text */
    char *recipe;  /* that the pictures were drawn by; NULL: not known */
    ecg_metrics *test;
    calibrated calibration;
    int interrupted;
} run;

/* All of it. Returns the exit code. */
int train_work(settings *s, const team *t);

/* Pictures of each class in each part, on stderr. */
void result_data(const parts *p);

/* The result, on stdout. */
void result_print(const run *r, const settings *s);

/* --report: the run as a page. Returns 0 or the exit code. */
int report_write(const run *r, const settings *s);

#endif
