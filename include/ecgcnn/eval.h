/* eval.h: how good predictions are, how far their probabilities can be trusted, and what is wrong with the
 * pictures they were made from. */
#ifndef ECGCNN_EVAL_H
#define ECGCNN_EVAL_H

#include "data.h"
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

/* The temperature (see ecg_rule) at which the loss over m is least when one label in 100 counts as drawn at
 * random, so that a few very sure mistakes do not rule it; or as near to that as the plain loss stays no
 * larger than at temperature 1. m holds probabilities of temperature 1, of pictures that did not train.
 * Errors: ECG_EINVAL (no picture), ECG_ENUMERIC (m cannot tell: every prediction is right; fewer than 10 are
 * wrong and the network would become surer; it knows nothing; there is none in 0.05..20); *temperature is 1
 * then. */
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

/* ---- Gate: how an ecg_gate is made ---- */

/* Pictures of known class: samples index[0..count) of data, NULL: all of it. */
typedef struct ecg_gate_pictures {
    const ecg_dataset *data;
    const uint32_t *index;
    size_t count;
} ecg_gate_pictures;

typedef struct ecg_gate_options {
    uint32_t size;
    uint32_t threads;  /* 0: one per core */
    uint32_t most;     /* pictures of each kind that are looked at, evenly taken; 0: 8192 */
    uint32_t skip_bad; /* 1: leave unreadable pictures out */
    double refused;    /* share of the held-out pictures that each half of the gate may refuse; 0: 0.003 */
    /* Called now and then from the calling thread; nonzero stops: ECG_ECANCELLED. May be NULL. */
    int (*progress)(void *payload, size_t done, size_t total);
    void *payload;
} ecg_gate_options;
#define ECG_GATE_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        sizeof(ecg_gate_options), 0, 0, 0, 0.0, NULL, NULL                                                   \
    }

/* *out is m with a gate. Intervals of the looks: from the 0.1 % to the 99.9 % quantile of the training
 * pictures, and a quarter of that beyond both ends; factor and centres: the covariance of the training
 * pictures about the means of their classes, shrunk, so that the distance is Mahalanobis'. Then both are
 * widened until they refuse no more than `refused` of the held-out pictures, which must not be among the
 * training pictures (and should not be of their patients). Without held-out ones (NULL), every fourth
 * training picture is held out. The same bits for any number of threads. Errors: ECG_EINVAL (options; fewer
 * than 2 training pictures, or no held-out one; a label beyond the model's classes), ECG_ECANCELLED, those of
 * reading, ECG_ENUMERIC (the network's values are not finite), ECG_ENOMEM. */
ECG_API ecg_status ecg_gate_fit(ecg_model **out, ecg_model *m, const ecg_gate_pictures *train,
                                const ecg_gate_pictures *held_out, const ecg_gate_options *o, ecg_error *err);

/* ---- Heat: which parts of a picture an answer comes from ---- */
typedef enum ecg_heat_kind {
    ECG_HEAT_GRADCAM = 0,   /* Selvaraju et al., ICCV 2017 */
    ECG_HEAT_OCCLUSION = 1, /* Zeiler & Fergus, ECCV 2014 */
} ecg_heat_kind;

typedef struct ecg_heat_options {
    uint32_t size;
    ecg_heat_kind kind;
    uint32_t choose; /* 1: explain class `cls`; 0: the most likely one */
    uint32_t cls;
    /* GRADCAM. Layers count from 1, as in the names of tensors ("1.conv2d.kernel"); any that has rows and
     * columns will do. 0: the last conv2d, or the activation or batchnorm that follows it. */
    uint32_t layer;
    uint32_t patch;   /* OCCLUSION: side of the square that is covered; 0: an eighth of the longer side */
    uint32_t step;    /* OCCLUSION: pixels from one square to the next; 0: a quarter of the patch */
    uint32_t threads; /* OCCLUSION: 0: one per core */
} ecg_heat_options;
#define ECG_HEAT_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        sizeof(ecg_heat_options), ECG_HEAT_GRADCAM, 0, 0, 0, 0, 0, 0                                         \
    }

/* Immutable; freed with ecg_heat_free. */
typedef struct ecg_heat {
    ecg_heat_kind kind;
    uint32_t cls;      /* what was explained, */
    float probability; /* and its probability */
    uint32_t layer;    /* GRADCAM: the layer, from 1; OCCLUSION: 0 */
    float most;        /* the raw value that `map` shows as 1; 0: all of it is 0 */
    uint32_t map_h, map_w;
    float *map; /* [map_h][map_w] 0..1: at the layer's size, or one for each position of the square */
    uint32_t h, w;
    float *full; /* [h][w] 0..1: at the size of the network's input */
} ecg_heat;

/* The heat of one prepared picture, as ecg_preprocess_load returns it.
 * GRADCAM: relu(sum over channels k of a[k] * A[..][k]), A the layer's output and a[k] the mean over rows and
 * columns of the derivative of the class's value before the softmax by A[..][k]; `full` is `map` enlarged
 * bilinearly, corners not aligned. What is hot speaks for the class.
 * OCCLUSION: by how much the class's probability falls when the square is painted in the picture's median;
 * `full` is, at each pixel, the mean over the squares that cover it; where it rises, the heat is 0.
 * Both are divided by their largest value (`map` and `full` each by its own; `most` is map's). The same bits
 * for any number of threads. Errors: ECG_EINVAL (options, layer, class), ECG_ESHAPE (img is not of the size
 * and colour the model reads), ECG_EUNSUPPORTED, ECG_ENUMERIC (not finite), ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_heat_new(ecg_heat **out, ecg_model *m, const ecg_image *img, const ecg_heat_options *o,
                                ecg_error *err);
ECG_API void ecg_heat_free(ecg_heat *h); /* NULL is allowed */

/* "gradcam", "occlusion"; NULL for a value that is none. _parse: ECG_EINVAL for a name that is none. */
ECG_API const char *ecg_heat_kind_name(ecg_heat_kind k);
ECG_API ecg_status ecg_heat_kind_parse(ecg_heat_kind *out, const char *name);

#ifdef __cplusplus
}
#endif
#endif
