/* judge.h: a model's answers, for one picture and for many of known class. */
#ifndef ECG_TOOLS_JUDGE_H
#define ECG_TOOLS_JUDGE_H

#include <stdio.h>

#include "ecgcnn/data.h"
#include "ecgcnn/eval.h"
#include "ecgcnn/net.h"

/* Pictures that are run together. */
enum { JUDGE_BATCH = 64 };

/* The most likely class, the first of equals. */
uint32_t judge_best(const float *probs, uint32_t classes);

/* The most likely class after `last`, where equals come in order. `last` itself when there is none. */
uint32_t judge_next(const float *probs, uint32_t classes, uint32_t last);

/* STATUS of an answer: "ok". */
const char *judge_status(const float *probs, uint32_t classes);

typedef struct judge_job {
    ecg_model *model;
    const ecg_dataset *data;
    const uint32_t *index; /* samples of data; NULL: all */
    size_t count;
    uint32_t threads;
    uint32_t skip_bad;
    int quiet;
    /* Called for each picture in order; may be NULL. */
    void (*answer)(void *payload, const ecg_sample *s, const float *probs);
    void *payload;
} judge_job;

/* Decode and run all pictures and collect figures; the classes of data are the model's. Messages are printed.
 * Returns 0 or the exit code; *out is the caller's, freed with ecg_metrics_free. */
int judge_run(ecg_metrics **out, const judge_job *job);

/* What both the trainer and the evaluation do while pictures are decoded: load with a progress bar, name
 * skipped pictures. `o` says all but who is told of progress. Returns 0 or the exit code. */
int judge_load(ecg_loader **out, const ecg_dataset *d, const uint32_t *index, size_t count,
               const ecg_preprocess *p, const ecg_loader_options *o, int quiet, const char *label);

/* The figures for people, and as the JSON object that DESIGN names. `name` gives class i. 0 or the exit code.
 */
typedef struct judge_report {
    const ecg_metrics *metrics;
    ecg_class_metrics *cls; /* [classes] */
    uint32_t classes;
} judge_report;
int judge_report_new(judge_report *r, const ecg_metrics *m, uint32_t classes);
void judge_report_free(judge_report *r);
void judge_print(const judge_report *r, const ecg_model *m, FILE *f);
void judge_json(const judge_report *r, const ecg_model *m, FILE *f);

#endif
