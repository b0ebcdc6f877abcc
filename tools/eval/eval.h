/* eval.h: what ecg-eval was asked for, and its parts. */
#ifndef ECG_TOOLS_EVAL_EVAL_H
#define ECG_TOOLS_EVAL_EVAL_H

#include "common/judge.h"

typedef struct settings {
    const char *model, *csv, *output, *train, *patient_pattern, *html, *card;
    char **arg; /* DATA, or the files to merge */
    size_t args;
    uint32_t json, ignore_unknown, skip_bad, threads, quiet, merge, calibrate, gates, bootstrap;
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

/* A folder with the model's classes. */
int pictures_dataset(ecg_dataset **out, const settings *s, const ecg_model *m, const char *dir);

/* ---- --train: which pictures trained the model; --html and --card: what is wrong with the pictures ---- */
typedef struct leaks {
    size_t copies;          /* pictures that are copies of training pictures */
    size_t known;           /* pictures of patients who are in training */
    ecg_metrics *clean;     /* without copies */
    ecg_metrics *strangers; /* and without known patients, where the manifest names them; else NULL */
    /* Of the evaluated pictures; without --train too. */
    size_t blank, odd; /* odd: another size, mode or background than most */
    size_t repeated;   /* copies, exact or near, of one before them */
    size_t conflicts;  /* sets of copies that stand under two classes or more */
} leaks;

/* `answered`: the samples of `data` that `all` holds, in order. Returns 0 or the exit code; free in any case.
 */
int leaks_find(leaks *l, const ecg_model *m, const settings *s, const ecg_metrics *all,
               const ecg_dataset *data, const uint32_t *answered);
void leaks_free(leaks *l);
int leaks_print(const leaks *l, int json, FILE *f);

/* --merge: figures from CSV files. */
int eval_merge(const settings *s);

/* --calibrate. */
int eval_calibrate(ecg_model *m, const settings *s);

/* --gates. */
int eval_gates(ecg_model *m, const settings *s);

struct eval_page;

/* The tables or the JSON object. `accepted`: the pictures that get an answer; NULL where the model refuses
 * none. `more` adds to it; may be NULL. `page`: what else the files of --html and --card say; may be NULL. */
int eval_print(const ecg_metrics *all, const char *const *names, const ecg_metrics *accepted,
               const settings *s, int (*more)(void *ctx, FILE *f), void *ctx, const struct eval_page *page);

#endif
