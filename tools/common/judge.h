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

/* Class names of a model, allocated; NULL: out of memory. */
const char **judge_names(const ecg_model *m);

typedef struct judge_job {
    ecg_model *model;
    const ecg_dataset *data;
    const uint32_t *index; /* samples of data; NULL: all */
    size_t count;
    uint32_t threads;
    uint32_t skip_bad;
    int quiet;
    /* Called for each picture in order, i: a sample of data; may be NULL. */
    void (*answer)(void *payload, size_t i, const float *probs, const ecg_decision *d);
    void *payload;
} judge_job;

/* Decode and run all pictures and collect figures; the classes of data are the model's. Messages are printed.
 * Returns 0 or the exit code; *out is the caller's, freed with ecg_metrics_free. */
int judge_run(ecg_metrics **out, const judge_job *job);

/* What both the trainer and the evaluation do while pictures are decoded: load with a progress bar, name
 * skipped pictures. `o` says all but who is told of progress. Returns 0 or the exit code. */
int judge_load(ecg_loader **out, const ecg_dataset *d, const uint32_t *index, size_t count,
               const ecg_preprocess *p, const ecg_loader_options *o, int quiet, const char *label);

/* Tell the metrics which classes are supraventricular and ventricular beats, where the names say so (S and V,
 * SVEB and VEB). */
void judge_find_j(ecg_metrics *m, const char *const *names);

/* ---- Figures for people, and as JSON ---- */
typedef struct judge_report {
    const ecg_metrics *metrics;
    const char *const *names; /* [classes] */
    uint32_t classes;
    ecg_figures all;
    ecg_class_metrics *cls, *low, *high; /* [classes] */
    ecg_bootstrap ci;                    /* replicates is 0 where there are no intervals */
    uint64_t seed;
} judge_report;

/* `replicates` 0: no intervals. Returns 0 or the exit code. */
int judge_report_new(judge_report *r, const ecg_metrics *m, const char *const *names, uint32_t replicates,
                     uint64_t seed, uint32_t threads);
void judge_report_free(judge_report *r);

/* Tables in 80 columns. */
void judge_print(const judge_report *r, FILE *f);

/* The members of the JSON object that DESIGN names, without its braces. */
void judge_json(const judge_report *r, FILE *f);

/* The same pictures but for some of them, in a line or an object: pictures, accuracy, macro F1, loss. */
void judge_print_brief(const ecg_metrics *m, const char *label, FILE *f);
int judge_json_brief(const ecg_metrics *m, FILE *f);

/* ,"key":number */
void judge_json_figure(FILE *f, const char *key, double v);

#endif
