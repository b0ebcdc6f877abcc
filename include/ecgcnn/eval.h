/* eval.h: how good predictions are, how far their probabilities can be trusted, and what is wrong with the
 * pictures they were made from. */
#ifndef ECGCNN_EVAL_H
#define ECGCNN_EVAL_H

#include "net.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Metrics ----
 * Collects predictions. One caller at a time; functions that take it const may run side by side. */
typedef struct ecg_metrics ecg_metrics;

/* 1..65536 classes. Errors: ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_new(ecg_metrics **out, uint32_t classes);

/* Add a picture of class `truth` with probabilities probs[classes]. The prediction is the largest, the first
 * of equals. Errors: ECG_EINVAL (truth), ECG_ENUMERIC (a probability outside 0..1 or not finite), ECG_ENOMEM.
 */
ECG_API ecg_status ecg_metrics_add(ecg_metrics *m, uint32_t truth, const float *probs);

/* The same with the name of the patient (copied; NULL or "": not known). */
ECG_API ecg_status ecg_metrics_add_patient(ecg_metrics *m, uint32_t truth, const float *probs,
                                           const char *patient);

/* Picture i as it was added, i < count; valid until the next add. patient is NULL where it is not known. */
typedef struct ecg_metrics_case {
    uint32_t truth, predicted;
    const float *probs;  /* [classes] */
    const char *patient; /* valid as long as the metrics are */
} ecg_metrics_case;
ECG_API ecg_metrics_case ecg_metrics_at(const ecg_metrics *m, uint64_t i);

/* Figures of one class. NaN where a denominator is 0 (a class without pictures has no sensitivity). */
typedef struct ecg_class_metrics {
    uint64_t support;   /* pictures of the class */
    double sensitivity; /* recall: TP / (TP + FN) */
    double specificity; /* TN / (TN + FP) */
    double ppv;         /* precision: TP / (TP + FP) */
    double f1;          /* 2 TP / (2 TP + FP + FN) */
    double auc;         /* area under the ROC curve, one against all others; ties count a half */
    double pr_auc;      /* average precision: the sum of (recall gained) x (precision) over distinct scores */
} ecg_class_metrics;

ECG_API uint64_t ecg_metrics_count(const ecg_metrics *m);
ECG_API uint32_t ecg_metrics_classes(const ecg_metrics *m);
ECG_API double ecg_metrics_accuracy(const ecg_metrics *m); /* NaN without pictures */
ECG_API double ecg_metrics_macro_f1(const ecg_metrics *m); /* mean F1 over classes with pictures */
ECG_API double ecg_metrics_loss(
    const ecg_metrics *m); /* mean of -log p(truth), p at least 1e-7 as in Keras */
ECG_API uint64_t ecg_metrics_confusion(const ecg_metrics *m, uint32_t truth, uint32_t predicted);
/* cls < classes. Sorts scores for the areas: O(n log n), allocates; ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_class(const ecg_metrics *m, uint32_t cls, ecg_class_metrics *out);
ECG_API void ecg_metrics_free(ecg_metrics *m); /* NULL is allowed */

/* Means over classes with pictures; weighted: by their number of pictures. A class that is never predicted
 * has a PPV of 0 here (scikit-learn's zero_division=0). Classes whose figure is NaN otherwise do not count.
 */
typedef struct ecg_averages {
    double sensitivity, specificity, ppv, f1, auc, pr_auc;
} ecg_averages;

/* Figures of all pictures together; NaN where there is nothing to divide by. */
typedef struct ecg_figures {
    double accuracy;
    double balanced_accuracy; /* the mean sensitivity */
    ecg_averages macro, weighted;
    double kappa; /* Cohen's: (accuracy - chance) / (1 - chance), chance from both margins */
    /* Mar et al., IEEE Trans. Biomed. Eng. 58 (2011): j = Se(S) + PPV(S) + Se(V) + PPV(V), which is 0..4, and
     * j-kappa = kappa / 2 + j / 8. NaN unless ecg_metrics_j says which classes are S and V. */
    double j_index, j_kappa;
    double loss;  /* as ecg_metrics_loss */
    double brier; /* mean over pictures of the sum over classes of (p - truth)^2: 0..2 */
    double ece;   /* expected calibration error: ECG_ECE_BINS bins of ecg_metrics_reliability, the mean of
                   * |accuracy - confidence| weighted by their pictures */
} ecg_figures;
enum { ECG_ECE_BINS = 15 };

/* Which classes hold supraventricular (S) and ventricular (V) ectopic beats; others than classes: none. */
ECG_API void ecg_metrics_j(ecg_metrics *m, uint32_t s, uint32_t v);

/* Allocates; ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_figures(const ecg_metrics *m, ecg_figures *out);

/* ---- Confidence intervals ---- */
typedef struct ecg_bootstrap_options {
    uint32_t size;
    uint32_t replicates; /* 0: 1000; at most 100,000 */
    uint32_t threads;    /* 0: one per core */
    uint32_t pictures;   /* 1: draw pictures although patients are known */
    uint64_t seed;
    double level; /* 0: 0.95 */
} ecg_bootstrap_options;
#define ECG_BOOTSTRAP_OPTIONS_INIT                                                                           \
    {                                                                                                        \
        sizeof(ecg_bootstrap_options), 0, 0, 0, 0, 0.0                                                       \
    }

/* What was drawn, and both ends of each figure's interval. */
typedef struct ecg_bootstrap {
    uint32_t by_patient; /* 1: whole patients were drawn; 0: single pictures */
    uint32_t replicates;
    uint64_t units; /* patients or pictures there are to draw from */
    ecg_figures low, high;
} ecg_bootstrap;

/* Percentile bootstrap: as many patients (where every picture names one and there are two or more; pictures
 * otherwise) as there are, drawn with replacement, `replicates` times; interval ends are interpolated as
 * numpy does. cls_low, cls_high: [classes] or NULL; `support` is as observed. A replicate in which a figure
 * is NaN does not count for that figure. The same seed gives the same bits for any number of threads. Errors:
 * ECG_EINVAL (options, no picture), ECG_ELIMIT (over 1024 classes, or 2^27 pictures x classes), ECG_ENOMEM.
 */
ECG_API ecg_status ecg_metrics_bootstrap(const ecg_metrics *m, const ecg_bootstrap_options *o,
                                         ecg_bootstrap *out, ecg_class_metrics *cls_low,
                                         ecg_class_metrics *cls_high, ecg_error *err);

/* ---- Curves ---- */
typedef enum ecg_curve_kind {
    ECG_CURVE_ROC = 0,  /* x: 1 - specificity, y: sensitivity; from (0, 0) to (1, 1) */
    ECG_CURVE_PR = 1,   /* x: sensitivity, y: PPV; from (0, 1) on */
    ECG_CURVE_RISK = 2, /* x: share of pictures answered, y: share of those that are wrong; cls is not used */
} ecg_curve_kind;

typedef struct ecg_curve_point {
    double x, y;
    double threshold; /* pictures whose score is this or more; infinite for the first point */
} ecg_curve_point;

typedef struct ecg_curve {
    size_t count; /* 0: the class, or all others, have no picture */
    ecg_curve_point *point;
} ecg_curve;

/* A point for each distinct score, the highest first: the class's probability, or the largest one (RISK).
 * Free with ecg_curve_free. Errors: ECG_EINVAL (kind, cls), ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_curve(const ecg_metrics *m, ecg_curve_kind kind, uint32_t cls, ecg_curve *out);
ECG_API void ecg_curve_free(ecg_curve *c);

/* How often predictions of one confidence are right. Bin i of n holds those with i/n < p <= (i+1)/n, p the
 * largest probability; the first also p = 0. Means are NaN in an empty bin. */
typedef struct ecg_reliability_bin {
    uint64_t count;
    double confidence, accuracy; /* means */
} ecg_reliability_bin;
ECG_API void ecg_metrics_reliability(const ecg_metrics *m, uint32_t bins,
                                     ecg_reliability_bin *out); /* [bins] */

/* ---- Calibration and abstaining: how an ecg_rule is made ---- */

/* The temperature (see ecg_rule) at which the loss over m is least; m holds probabilities of temperature 1,
 * of pictures that did not train. Errors: ECG_EINVAL (no picture), ECG_ENUMERIC (there is no best one in
 * 0.05..20: every prediction is right, or the network knows nothing); *temperature is 1 then. */
ECG_API ecg_status ecg_metrics_temperature(const ecg_metrics *m, float *temperature, ecg_error *err);

/* The same pictures with the probabilities that a model of this temperature gives; the predictions stay. *out
 * is freed with ecg_metrics_free. Errors: ECG_EINVAL (not 0.05..20), ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_soften(const ecg_metrics *m, float temperature, ecg_metrics **out);

/* The threshold on the largest probability: with ECG_THRESHOLD_ERROR the one that answers most pictures while
 * at most `wanted` of the answers are wrong, with ECG_THRESHOLD_COVERAGE the highest that still answers
 * `wanted` of them. *out is that point of ECG_CURVE_RISK: what was reached on these pictures, which says less
 * about others the fewer they are. Errors: ECG_EINVAL (wanted not 0..1, no picture), ECG_ENUMERIC (no
 * threshold is good enough), ECG_ENOMEM. */
ECG_API ecg_status ecg_metrics_threshold(const ecg_metrics *m, ecg_threshold by, double wanted,
                                         ecg_curve_point *out, ecg_error *err);

#ifdef __cplusplus
}
#endif
#endif
