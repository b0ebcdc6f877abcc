/* standardize.h: Keras' standardisation of pictures beyond a rescale, and the statistics it needs.
 * It belongs to the model: the same numbers in training, evaluation and prediction. */
#ifndef ECGCNN_STANDARDIZE_H
#define ECGCNN_STANDARDIZE_H

#include "augment.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ECG_ZCA_MAX = 4096 }; /* values of one picture, h * w * c */

/* Steps in this order; zero is neutral everywhere. Epsilons of 1e-6 are added to deviations, as in Keras. */
typedef struct ecg_standardize {
    uint32_t size;
    /* Your own change of the values 0..255 of one picture x[h][w][c], before anything else. May be NULL. */
    void (*preprocessing)(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c);
    void *ctx;
    float rescale;               /* factor, 0: none */
    uint32_t samplewise_center;  /* subtract the picture's own mean: one number for all channels */
    uint32_t samplewise_std;     /* divide by its own deviation; centres too */
    uint32_t featurewise_center; /* subtract mean[k] of the channel */
    uint32_t featurewise_std;    /* divide by deviation[k]; centres too; not with ZCA */
    float mean[4], deviation[4];
    const float *zca; /* [zca_n][zca_n], multiplied from the right; borrowed. NULL: none; else centres too */
    uint32_t zca_n;   /* h * w * c */
} ecg_standardize;
#define ECG_STANDARDIZE_INIT                                                                                 \
    {                                                                                                        \
        sizeof(ecg_standardize), NULL, NULL, 0.0f, 0, 0, 0, 0, {0.0f}, {0.0f}, NULL, 0                       \
    }

/* Check finiteness and sizes, switch on what other switches imply, and write *in out in full into *out (which
 * may be in). Errors: ECG_EINVAL with the field named, ECG_ELIMIT for zca_n. */
ECG_API ecg_status ecg_standardize_check(ecg_standardize *out, const ecg_standardize *in, ecg_error *err);

/* In place on x[h][w][c]; `scratch` of h * w * c floats, only needed (else may be NULL) with ZCA. `s` must be
 * checked. A picture of another size than ZCA's is left unwhitened. Allocates nothing, cannot fail. */
ECG_API void ecg_standardize_values(const ecg_standardize *s, float *x, uint32_t h, uint32_t w, uint32_t c,
                                    float *scratch);

/* ---- fit: statistics of training pictures ---- */
typedef struct ecg_fit_options {
    uint32_t size;
    double zca_epsilon; /* 0: 1e-6 */
    /* KERAS1 and CORRECT: epsilon is added to the variance, under the root. KERAS2: to the singular value. */
    ecg_geometry profile;
    /* CORRECT and KERAS2: values are multiplied by it first, as they will be when standardised. KERAS1 takes
     * no notice, as Keras did. 0: none. */
    float rescale;
} ecg_fit_options;
#define ECG_FIT_OPTIONS_INIT                                                                                 \
    {                                                                                                        \
        sizeof(ecg_fit_options), 0.0, ECG_GEOMETRY_CORRECT, 0.0f                                             \
    }

/* Mean and deviation of each channel over n pictures x[n][h][w][c], and with zca[h*w*c][h*w*c] the whitening
 * matrix (NULL: not wanted). ECG_EINVAL for n = 0 and values that are not finite; with ZCA also for n not
 * above h * w * c unless zca_epsilon is at least 1e-3 (the result would be rounding noise); ECG_ELIMIT above
 * ECG_ZCA_MAX; ECG_ENOMEM; ECG_ENUMERIC when the eigenvalues do not converge. */
ECG_API ecg_status ecg_standardize_fit(float mean[4], float deviation[4], float *zca, const float *x,
                                       size_t n, uint32_t h, uint32_t w, uint32_t c, const ecg_fit_options *o,
                                       ecg_error *err);

/* Write values of any range as a picture, contrast stretched to 0..255 as Keras' array_to_img does (KERAS2
 * and CORRECT also move the minimum to 0): x[h][w][c] to px[h][w][c]. For looking at, not for reading back.
 */
ECG_API void ecg_standardize_to_pixels(ecg_geometry profile, const float *x, uint32_t h, uint32_t w,
                                       uint32_t c, uint8_t *px);

#ifdef __cplusplus
}
#endif
#endif
