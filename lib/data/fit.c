#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "ecgcnn/standardize.h"
#include "math/eigen.h"

/* The pictures, and what is taken from each value: x * scale - mean[k]. */
struct pictures {
    const float *x;
    size_t n, d; /* pictures, values of one */
    uint32_t c;
    float scale;
    double mean[4];
};

static double centred(const struct pictures *p, size_t picture, size_t i)
{
    return (double)(p->x[picture * p->d + i] * p->scale) - p->mean[i % p->c];
}

static ecg_status check(const struct pictures *p, const ecg_fit_options *o, bool zca, ecg_error *err)
{
    if (p->n == 0 || p->d == 0 || p->c == 0 || p->c > 4)
        return ecg__fail(err, ECG_EINVAL, "fit: %zu pictures of %zu values with %u channels", p->n, p->d,
                         p->c);
    if (!isfinite(o->rescale) || !(o->zca_epsilon >= 0.0) || !isfinite(o->zca_epsilon) ||
        (unsigned)o->profile > ECG_GEOMETRY_KERAS2)
        return ecg__fail(err, ECG_EINVAL,
                         "fit: rescale and zca_epsilon must be finite, zca_epsilon not negative, profile a "
                         "geometry");
    if (zca && p->d > ECG_ZCA_MAX)
        return ecg__fail(err, ECG_ELIMIT, "fit: ZCA of pictures of %zu values, the limit is %d", p->d,
                         ECG_ZCA_MAX);
    if (zca && p->n <= p->d && o->zca_epsilon < 1e-3)
        return ecg__fail(err, ECG_EINVAL,
                         "fit: ZCA of %zu values needs more than %zu pictures, or zca_epsilon of at least "
                         "0.001, got %zu and %g",
                         p->d, p->d, p->n, o->zca_epsilon);
    for (size_t i = 0; i < p->n * p->d; i++)
        if (!isfinite(p->x[i]))
            return ecg__fail(err, ECG_EINVAL, "fit: picture %zu has a value that is not a finite number",
                             i / p->d);
    return ECG_OK;
}

/* Sums picture by picture, in double. */
static void moments(struct pictures *p, float mean[4], float deviation[4])
{
    double sum[4] = {0.0}, squares[4] = {0.0};
    const double count = (double)p->n * (double)(p->d / p->c);
    memset(p->mean, 0, sizeof p->mean);
    for (size_t j = 0; j < p->n; j++)
        for (size_t i = 0; i < p->d; i++)
            sum[i % p->c] += centred(p, j, i);
    for (uint32_t k = 0; k < 4; k++)
        p->mean[k] = sum[k] / count;
    for (size_t j = 0; j < p->n; j++)
        for (size_t i = 0; i < p->d; i++) {
            const double v = centred(p, j, i);
            squares[i % p->c] += v * v;
        }
    for (uint32_t k = 0; k < 4; k++) {
        mean[k] = (float)p->mean[k];
        deviation[k] = (float)sqrt(squares[k] / count);
    }
}

/* Lower half and its mirror image; one picture after the other, so that it need not fit into the cache. */
static void covariance(const struct pictures *p, double *restrict sum, double *restrict row)
{
    for (size_t j = 0; j < p->n; j++) {
        for (size_t i = 0; i < p->d; i++)
            row[i] = centred(p, j, i);
        for (size_t a = 0; a < p->d; a++)
            for (size_t b = 0; b <= a; b++)
                sum[a * p->d + b] += row[a] * row[b];
    }
    for (size_t a = 0; a < p->d; a++)
        for (size_t b = 0; b <= a; b++)
            sum[b * p->d + a] = sum[a * p->d + b] /= (double)p->n;
}

/* zca = sum over eigenvectors u of u' scale u */
static void assemble(float *zca, const double *vectors, const double *scale, size_t d, double *restrict row)
{
    for (size_t a = 0; a < d; a++) {
        memset(row, 0, d * sizeof *row);
        for (size_t e = 0; e < d; e++) {
            const double f = vectors[e * d + a] * scale[e];
            for (size_t b = 0; b < d; b++)
                row[b] += f * vectors[e * d + b];
        }
        for (size_t b = 0; b < d; b++)
            zca[a * d + b] = (float)row[b];
    }
}

static ecg_status whitening(const struct pictures *p, const ecg_fit_options *o, float *zca, ecg_error *err)
{
    const size_t d = p->d;
    double *matrix = ecg__calloc(d * d, sizeof *matrix), *values = ecg__calloc(2 * d, sizeof *values);
    ecg_status s = ECG_OK;
    if (!matrix || !values)
        s = ecg__fail(err, ECG_ENOMEM, "fit: out of memory for a matrix of %zu rows", d);
    if (s == ECG_OK) {
        covariance(p, matrix, values);
        s = ecg__eigen_symmetric(matrix, d, values, err);
    }
    if (s == ECG_OK) {
        const double n = (double)p->n;
        for (size_t i = 0; i < d; i++) {
            const double v = values[i] > 0.0 ? values[i] : 0.0;
            values[i] = o->profile == ECG_GEOMETRY_KERAS2 ? sqrt(n) / (sqrt(v * n) + o->zca_epsilon)
                                                          : 1.0 / sqrt(v + o->zca_epsilon);
        }
        assemble(zca, matrix, values, d, values + d);
    }
    ecg__free(matrix);
    ecg__free(values);
    return s;
}

ecg_status ecg_standardize_fit(float mean[4], float deviation[4], float *zca, const float *x, size_t n,
                               uint32_t h, uint32_t w, uint32_t c, const ecg_fit_options *o, ecg_error *err)
{
    ecg_fit_options opt = ECG_FIT_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&opt, sizeof opt, o, "fit options", err);
    if (s != ECG_OK)
        return s;
    if (opt.zca_epsilon == 0.0)
        opt.zca_epsilon = 1e-6;
    struct pictures p = {.x = x, .n = n, .c = c, .scale = 1.0f};
    size_t all;
    if (!ecg__mul(&p.d, h, w) || !ecg__mul(&p.d, p.d, c) || !ecg__mul(&all, p.d, n))
        return ecg__fail(err, ECG_ELIMIT, "fit: %zu pictures of %ux%ux%u", n, h, w, c);
    if (opt.rescale != 0.0f && opt.profile != ECG_GEOMETRY_KERAS1)
        p.scale = opt.rescale;
    s = check(&p, &opt, zca != NULL, err);
    if (s != ECG_OK)
        return s;
    moments(&p, mean, deviation);
    return zca ? whitening(&p, &opt, zca, err) : ECG_OK;
}
