/* Mahalanobis' distance as a matrix: for the covariance S about the means of the classes, the inverse of
 * Cholesky's factor of S. */
#include <math.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/gate_fit.h"

/* Of the mean variance, in every direction: a value that no training picture moves is not to be a wall, and
 * few pictures do not give a covariance that can be inverted. */
static const double SHRINK = 0.05;

static size_t at(uint32_t row, uint32_t col)
{
    return (size_t)row * (row + 1) / 2 + col;
}

/* mean[classes][n]; a class without pictures has the mean of all. */
static void means(const ecg__sight *s, uint32_t n, uint32_t classes, double *mean, size_t *count)
{
    for (size_t i = 0; i < s->count; i++) {
        const uint32_t c = s->seen[i].label;
        count[c]++;
        for (uint32_t k = 0; k < n; k++)
            mean[(size_t)c * n + k] += (double)s->f[i * n + k];
    }
    for (uint32_t k = 0; k < n; k++) {
        double all = 0.0;
        for (uint32_t c = 0; c < classes; c++)
            all += mean[(size_t)c * n + k];
        for (uint32_t c = 0; c < classes; c++)
            mean[(size_t)c * n + k] = count[c] ? mean[(size_t)c * n + k] / (double)count[c]
                                               : all / (double)s->count;
    }
}

static void covariance(const ecg__sight *s, uint32_t n, const double *mean, double *d, double *a)
{
    double trace = 0.0, square = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        const double *m = mean + (size_t)s->seen[i].label * n;
        for (uint32_t k = 0; k < n; k++) {
            d[k] = (double)s->f[i * n + k] - m[k];
            square += (double)s->f[i * n + k] * (double)s->f[i * n + k];
        }
        double *row = a;
        for (uint32_t r = 0; r < n; row += ++r)
            for (uint32_t c = 0; c <= r; c++)
                row[c] += d[r] * d[c];
    }
    const double pictures = (double)s->count;
    for (size_t i = 0; i < at(n, 0); i++)
        a[i] *= (1.0 - SHRINK) / pictures;
    for (uint32_t k = 0; k < n; k++)
        trace += a[at(k, k)] / (1.0 - SHRINK);
    const double least = 1e-9 * square / (pictures * n) + 1e-20, more = SHRINK * trace / n;
    for (uint32_t k = 0; k < n; k++)
        a[at(k, k)] += more > least ? more : least;
}

/* Lower triangle of a to that of its Cholesky factor, in place. False: it is not positive definite. */
static bool cholesky(double *a, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++)
        for (uint32_t c = 0; c <= r; c++) {
            double v = a[at(r, c)];
            for (uint32_t k = 0; k < c; k++)
                v -= a[at(r, k)] * a[at(c, k)];
            if (c < r)
                a[at(r, c)] = v / a[at(c, c)];
            else if (!(v > 0.0) || !isfinite(v))
                return false;
            else
                a[at(r, r)] = sqrt(v);
        }
    return true;
}

/* Of a lower triangle, in place. */
static void invert(double *a, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++) {
        a[at(c, c)] = 1.0 / a[at(c, c)];
        for (uint32_t r = c + 1; r < n; r++) {
            double v = 0.0;
            for (uint32_t k = c; k < r; k++)
                v -= a[at(r, k)] * a[at(k, c)];
            a[at(r, c)] = v / a[at(r, r)];
        }
    }
}

/* The centres of the classes as the single-precision factor moves them. */
static bool write(const double *a, const double *mean, uint32_t n, uint32_t classes, float *factor,
                  float *centre)
{
    bool fine = true;
    for (size_t i = 0; i < at(n, 0); i++) {
        factor[i] = (float)a[i];
        fine = fine && isfinite(factor[i]);
    }
    for (uint32_t k = 0; k < n; k++)
        fine = fine && factor[at(k, k)] > 0.0f;
    for (uint32_t c = 0; c < classes; c++)
        for (uint32_t r = 0; r < n; r++) {
            double z = 0.0;
            for (uint32_t k = 0; k <= r; k++)
                z += (double)factor[at(r, k)] * mean[(size_t)c * n + k];
            centre[(size_t)c * n + r] = (float)z;
            fine = fine && isfinite((float)z);
        }
    return fine;
}

ecg_status ecg__gate_space(const ecg__sight *s, uint32_t n, uint32_t classes, float *factor, float *centre,
                           ecg_error *err)
{
    double *mean = ecg__calloc((size_t)classes * n, sizeof *mean);
    double *a = ecg__calloc(at(n, 0) + n, sizeof *a);
    size_t *count = ecg__calloc(classes, sizeof *count);
    ecg_status status = ECG_ENOMEM;
    if (mean && a && count) {
        means(s, n, classes, mean, count);
        covariance(s, n, mean, a + at(n, 0), a);
        status = ECG_ENUMERIC;
        if (cholesky(a, n)) {
            invert(a, n);
            if (write(a, mean, n, classes, factor, centre))
                status = ECG_OK;
        }
    }
    ecg__free(mean);
    ecg__free(a);
    ecg__free(count);
    if (status == ECG_ENOMEM)
        return ecg__fail(err, status, "gate: out of memory");
    if (status != ECG_OK)
        return ecg__fail(err, status,
                         "gate: what the network makes of the pictures is too large or too alike");
    return ECG_OK;
}
