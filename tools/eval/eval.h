/* eval.h: what ecg-eval was asked for, and its parts. */
#ifndef ECG_TOOLS_EVAL_EVAL_H
#define ECG_TOOLS_EVAL_EVAL_H

#include "common/judge.h"

typedef struct settings {
    const char *model, *csv, *output, *train, *patient_pattern;
    char **arg; /* DATA, or the files to merge */
    size_t args;
    uint32_t json, ignore_unknown, skip_bad, threads, quiet, merge, calibrate, bootstrap;
    uint64_t seed;
    double max_error, coverage; /* below 0: not asked for */
} settings;

/* The pictures that are evaluated. */
typedef struct pictures {
    char *folder; /* DATA/test, or NULL */
    const char *dir;
    ecg_dataset *data;
    uint32_t *index; /* NULL: all */
    size_t count;
} pictures;

/* The pictures of DATA: DATA/split or those the manifest gives to `split`, where there are any; all
 * otherwise. Returns 0 or the exit code; free with pictures_free in any case. */
int pictures_open(pictures *p, const settings *s, const ecg_model *m, const char *split, const char *doing);
void pictures_free(pictures *p);

/* --merge: figures from CSV files. */
int eval_merge(const settings *s);

/* --calibrate. */
int eval_calibrate(ecg_model *m, const settings *s);

/* Everything after the braces of the JSON object has begun, or the tables. `accepted` is NULL where the model
 * refuses nothing; `clean` where no leaks were looked for. */
int eval_print(const ecg_metrics *all, const char *const *names, const ecg_metrics *accepted,
               const settings *s, int (*more)(void *ctx, FILE *f), void *ctx);

#endif
