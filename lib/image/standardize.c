#include "ecgcnn/standardize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/status.h"

static const double epsilon = 1e-6; /* Keras'; added to deviations */

static ecg_status check_flag(const char *name, uint32_t v, ecg_error *err)
{
    return v <= 1 ? ECG_OK : ecg__fail(err, ECG_EINVAL, "standardize: %s must be 0 or 1, got %u", name, v);
}

static ecg_status check_zca(const ecg_standardize *s, ecg_error *err)
{
    if (!s->zca != (s->zca_n == 0))
        return ecg__fail(err, ECG_EINVAL, "standardize: zca and zca_n must be given together");
    if (s->zca_n > ECG_ZCA_MAX)
        return ecg__fail(err, ECG_ELIMIT, "standardize: zca_n must be at most %d, got %u", ECG_ZCA_MAX,
                         s->zca_n);
    const size_t n = (size_t)s->zca_n * s->zca_n;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(s->zca[i]))
            return ecg__fail(err, ECG_EINVAL, "standardize: zca[%zu] is not a finite number", i);
    return ECG_OK;
}

ecg_status ecg_standardize_check(ecg_standardize *out, const ecg_standardize *in, ecg_error *err)
{
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    ecg_status st = ecg__options_copy(&s, sizeof s, in, "standardize", err);
    s.size = sizeof s;
    if (st == ECG_OK)
        st = check_flag("samplewise_center", s.samplewise_center, err);
    if (st == ECG_OK)
        st = check_flag("samplewise_std", s.samplewise_std, err);
    if (st == ECG_OK)
        st = check_flag("featurewise_center", s.featurewise_center, err);
    if (st == ECG_OK)
        st = check_flag("featurewise_std", s.featurewise_std, err);
    if (st == ECG_OK && !isfinite(s.rescale))
        st = ecg__fail(err, ECG_EINVAL, "standardize: rescale must be a finite number");
    for (int k = 0; st == ECG_OK && k < 4; k++)
        if (!isfinite(s.mean[k]) || !isfinite(s.deviation[k]) || s.deviation[k] < 0.0f)
            st = ecg__fail(err, ECG_EINVAL,
                           "standardize: mean[%d] and deviation[%d] must be finite, deviation not negative",
                           k, k);
    if (st == ECG_OK)
        st = check_zca(&s, err);
    if (st != ECG_OK)
        return st;
    if (s.zca)
        s.featurewise_center = 1, s.featurewise_std = 0;
    if (s.featurewise_std)
        s.featurewise_center = 1;
    if (s.samplewise_std)
        s.samplewise_center = 1;
    *out = s;
    return ECG_OK;
}

static double mean_of(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum / (double)n;
}

static double deviation_of(const float *x, size_t n)
{
    const double mean = mean_of(x, n);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sqrt(sum / (double)n);
}

static void samplewise(const ecg_standardize *s, float *x, size_t n)
{
    const float mean = s->samplewise_center ? (float)mean_of(x, n) : 0.0f;
    for (size_t i = 0; s->samplewise_center && i < n; i++)
        x[i] -= mean;
    const float by = s->samplewise_std ? (float)(deviation_of(x, n) + epsilon) : 1.0f;
    for (size_t i = 0; s->samplewise_std && i < n; i++)
        x[i] /= by;
}

static void featurewise(const ecg_standardize *s, float *x, size_t n, uint32_t c)
{
    for (size_t i = 0; s->featurewise_center && i < n; i++)
        x[i] -= s->mean[i % c];
    for (size_t i = 0; s->featurewise_std && i < n; i++)
        x[i] /= s->deviation[i % c] + (float)epsilon;
}

/* Row vector times matrix. */
static void whiten(const float *zca, float *restrict x, size_t n, float *restrict sum)
{
    memset(sum, 0, n * sizeof *sum);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum[j] += x[i] * zca[i * n + j];
    memcpy(x, sum, n * sizeof *x);
}

void ecg_standardize_values(const ecg_standardize *s, float *x, uint32_t h, uint32_t w, uint32_t c,
                            float *scratch)
{
    const size_t n = (size_t)h * w * c;
    if (n == 0 || c > 4)
        return;
    if (s->preprocessing)
        s->preprocessing(s->ctx, x, h, w, c);
    for (size_t i = 0; s->rescale != 0.0f && i < n; i++)
        x[i] *= s->rescale;
    samplewise(s, x, n);
    featurewise(s, x, n, c);
    if (s->zca && s->zca_n == n && scratch)
        whiten(s->zca, x, n, scratch);
}
