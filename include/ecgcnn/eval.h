/* eval.h: how good predictions are. */
#ifndef ECGCNN_EVAL_H
#define ECGCNN_EVAL_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Collects predictions. One caller at a time. */
typedef struct ecg_metrics ecg_metrics;

/* 1..65536 classes. Errors: ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_new(ecg_metrics **out, uint32_t classes);

/* Add a picture of class `truth` with probabilities probs[classes]. The prediction is the largest, the first
 * of equals. Errors: ECG_EINVAL (truth), ECG_ENUMERIC (a probability outside 0..1 or not finite), ECG_ENOMEM.
 */
ECG_API ecg_status ecg_metrics_add(ecg_metrics *m, uint32_t truth, const float *probs);

/* Figures of one class. NaN where a denominator is 0 (a class without pictures has no sensitivity). */
typedef struct ecg_class_metrics {
    uint64_t support;   /* pictures of the class */
    double sensitivity; /* recall: TP / (TP + FN) */
    double specificity; /* TN / (TN + FP) */
    double ppv;         /* precision: TP / (TP + FP) */
    double f1;          /* 2 TP / (2 TP + FP + FN) */
    double auc;         /* area under the ROC curve, one against all others; ties count a half */
} ecg_class_metrics;

ECG_API uint64_t ecg_metrics_count(const ecg_metrics *m);
ECG_API double ecg_metrics_accuracy(const ecg_metrics *m); /* NaN without pictures */
ECG_API double ecg_metrics_macro_f1(const ecg_metrics *m); /* mean F1 over classes with pictures */
ECG_API double ecg_metrics_loss(
    const ecg_metrics *m); /* mean of -log p(truth), p at least 1e-7 as in Keras */
ECG_API uint64_t ecg_metrics_confusion(const ecg_metrics *m, uint32_t truth, uint32_t predicted);
/* cls < classes. Sorts scores for the AUC: O(n log n), allocates; ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_class(const ecg_metrics *m, uint32_t cls, ecg_class_metrics *out);
ECG_API void ecg_metrics_free(ecg_metrics *m);

#ifdef __cplusplus
}
#endif
#endif
