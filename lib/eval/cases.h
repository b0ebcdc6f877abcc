/* Inside ecg_metrics, and what its figures are made of. */
#ifndef ECG_EVAL_CASES_H
#define ECG_EVAL_CASES_H

#include <stdbool.h>

#include "ecgcnn/eval.h"
#include "eval/groups.h"

struct ecg_metrics {
    uint32_t classes, j_s, j_v;
    uint64_t count, correct;
    double loss;         /* sum of -log p(truth) */
    uint64_t *support;   /* [classes]: pictures of the class */
    uint64_t *predicted; /* [classes]: pictures taken for the class */
    uint64_t **cell;     /* [classes][classes]: a row is there once its class has a picture */
    size_t cap;
    uint32_t *truth, *best, *group; /* [cap]; group: ECG__NO_GROUP where the patient is not known */
    float *score;                   /* [cap][classes] */
    uint64_t unknown;               /* pictures whose patient is not known */
    ecg__groups groups;             /* patients */
};

/* -log p, p at least 1e-7. */
double ecg__case_loss(float p);

/* Sum over classes of (p - truth)^2. */
double ecg__case_brier(const float *probs, uint32_t classes, uint32_t truth);

/* The bin of n that holds a confidence. */
uint32_t ecg__case_bin(float p, uint32_t n);

/* ---- Order of scores ---- */

/* Entry of an order: the picture, and two flags. Pictures from the highest score to the lowest. */
#define ECG__LAST     UINT32_C(0x80000000) /* of those that share a score */
#define ECG__POSITIVE UINT32_C(0x40000000) /* of the class (ROC, PR), or wrong (RISK) */
#define ECG__PICTURE  UINT32_C(0x3fffffff)

/* scores[i * stride] of n pictures, n below 2^30; positive(ctx, i) decides the flag. order[n]. ECG_ENOMEM. */
ecg_status ecg__order(uint32_t *order, const float *scores, size_t stride, size_t n,
                      bool (*positive)(const ecg_metrics *m, size_t i, uint32_t cls), const ecg_metrics *m,
                      uint32_t cls);

bool ecg__is_of_class(const ecg_metrics *m, size_t i, uint32_t cls);

/* Areas under both curves, picture i counting weight[i] times (NULL: once). NaN without a picture on either
 * side; average precision is there when only the others are missing. */
void ecg__areas(const uint32_t *order, size_t n, const uint32_t *weight, double *auc, double *pr_auc);

/* ---- Figures from counts ---- */

/* Sums over pictures, each counted as often as its weight says: exact, since they are whole. */
typedef struct ecg__tally {
    double count, loss, brier;
    double *support, *predicted, *hits, *auc, *pr_auc; /* [classes] */
    double bin_count[ECG_ECE_BINS], bin_hits[ECG_ECE_BINS], bin_sum[ECG_ECE_BINS];
} ecg__tally;

/* block[5 * classes] is the tally's room; all sums become 0. */
void ecg__tally_reset(ecg__tally *t, double *block, uint32_t classes);

void ecg__tally_add(ecg__tally *t, uint32_t truth, uint32_t best, float top, double loss, double brier,
                    double weight);

/* The figures of one class, and of all; j_s and j_v as in the metrics. */
void ecg__tally_class(const ecg__tally *t, uint32_t cls, ecg_class_metrics *out);
void ecg__tally_figures(const ecg__tally *t, uint32_t classes, uint32_t j_s, uint32_t j_v, ecg_figures *out);

#endif
