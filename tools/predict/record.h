/* record.h: ecg-predict --record, every beat of a recording. */
#ifndef ECG_TOOLS_PREDICT_RECORD_H
#define ECG_TOOLS_PREDICT_RECORD_H

#include "common/leads.h"
#include "common/opts.h"
#include "ecgcnn/net.h"

typedef struct record_settings {
    const char *record, *annotations, *recipe, *out, *html;
    uint32_t json, threads, quiet;
} record_settings;

/* Beats with the model's answers. */
typedef struct record_beats {
    leads l;
    const ecg_model *model;
    char *recipe;  /* text */
    float *probs;  /* [l.count][classes] */
    uint32_t *cls; /* [l.count] the most likely class */
} record_beats;

/* Find, draw and classify the beats, write NAME.cnn, print the summary. Returns the exit code. */
int predict_record(ecg_model *m, const record_settings *s);

/* ---- Figures (record_summary.c) ---- */
typedef struct record_figures {
    double seconds, mean_rate, least_rate, most_rate; /* a minute; over 8 intervals; NaN: too few beats */
    double pause, pause_at;                           /* the longest interval and where it begins, seconds */
    size_t pvcs, couplets, runs, longest_run;         /* runs: three or more PVCs in a row */
    size_t *count;                                    /* [classes] */
} record_figures;

/* 0 or the exit code; `count` is allocated. */
int record_figure(record_figures *f, const record_beats *b);
void record_print(const record_figures *f, const record_beats *b, const char *annotations);
void record_json(const record_figures *f, const record_beats *b, const char *annotations);

/* ---- The page (record_html.c) ---- 0 or the exit code. */
int record_html(const char *path, const record_figures *f, const record_beats *b);

#endif
