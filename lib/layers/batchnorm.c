#include "layers/batchnorm.h"

#include <math.h>
#include <string.h>

#include "layers/same.h"
#include "math/vec.h"

static const ecg__attr attrs[] = {
    {"eps", ECG__ATTR_REAL, offsetof(ecg__batchnorm_attr, eps), 1e-12, 1, "0.001", false, NULL,
     "added to the variance"},
    {"momentum", ECG__ATTR_REAL, offsetof(ecg__batchnorm_attr, momentum), 0, 1, "0.99", false, NULL,
     "share that running statistics keep in each step"},
    {0},
};

enum { GAMMA, BETA, MEAN, VARIANCE };

/* What a shard keeps in `partial`: four doubles per channel, and the number of values per channel. */
enum { SUM_MEAN, SUM_M2, SUM_DY, SUM_DY_XHAT, SUM_COUNT };

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    (void)attr;
    (void)err;
    const uint32_t dims[4] = {in.c, 0, 0, 0};
    ecg__plan_tensor(out, "gamma", dims, true)->fill = 1.0f;
    ecg__plan_tensor(out, "beta", dims, true);
    ecg__plan_tensor(out, "mean", dims, false);
    ecg__tensor *variance = ecg__plan_tensor(out, "variance", dims, false);
    variance->fill = 1.0f;
    variance->nonnegative = true;
    out->scratch = in.c * sizeof(float);
    out->train_scratch = in.c * (2 * sizeof(double) + 4 * sizeof(float));
    out->partial = (size_t)SUM_COUNT * in.c + 1;
    out->macs = out->in_count;
    return ecg__plan_same(out, in, ECG__READS_X | ECG__INPLACE);
}

ECG__HOT static void normalise(const float *x, float *y, size_t rows, size_t c, const float *restrict mean,
                               const float *restrict scale, const float *restrict beta)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        ECG__IVDEP
        for (size_t j = 0; j < c; j++)
            y[j] = (x[j] - mean[j]) * scale[j] + beta[j];
    }
}

static void forward(const ecg__forward_args *a)
{
    const size_t c = a->plan->in.c;
    const double eps = (double)((const ecg__batchnorm_attr *)a->attr)->eps;
    float *scale = a->scratch;
    for (size_t j = 0; j < c; j++)
        scale[j] = (float)((double)a->tensor[GAMMA][j] / sqrt((double)a->tensor[VARIANCE][j] + eps));
    normalise(a->x, a->y, a->n * (a->plan->in_count / c), c, a->tensor[MEAN], scale, a->tensor[BETA]);
}

const ecg__layer_ops ecg__batchnorm_ops = {
    .name = "batchnorm",
    .help = "batch normalisation of each channel",
    .attrs = attrs,
    .attr_size = sizeof(ecg__batchnorm_attr),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

enum { PIECE_ROWS = 64 };

/* The mean and the sum of squared deviations of `rows` values in each of `width` channels, joined to those of
 * the `before` values that mean and m2 hold (Chan, Golub and LeVeque 1979). Two passes over a piece that is
 * in the cache, the second corrected by its own remainder. */
ECG__FLAT void add_moments(const float *restrict x, size_t rows, size_t c, size_t width, double before,
                           double *restrict mean, double *restrict m2)
{
    float mu[ECG__WIDEST] = {0}, rest[ECG__WIDEST] = {0}, square[ECG__WIDEST] = {0};
    const double n = (double)rows, all = before + n;
    for (size_t r = 0; r < rows; r++) {
        ECG__ROLLED
        for (size_t j = 0; j < width; j++)
            mu[j] += x[r * c + j];
    }
    ECG__ROLLED
    for (size_t j = 0; j < width; j++)
        mu[j] /= (float)rows;
    for (size_t r = 0; r < rows; r++) {
        ECG__ROLLED
        for (size_t j = 0; j < width; j++) {
            const float d = x[r * c + j] - mu[j];
            rest[j] += d;
            square[j] += d * d;
        }
    }
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        const double off = (double)rest[j] / n, delta = (double)mu[j] + off - mean[j];
        mean[j] += delta * n / all;
        m2[j] += (double)square[j] - off * (double)rest[j] + delta * delta * before * n / all;
    }
}

ECG__HOT static void moments(const float *restrict x, size_t rows, size_t c, double *restrict mean,
                             double *restrict m2)
{
    memset(mean, 0, c * sizeof *mean);
    memset(m2, 0, c * sizeof *m2);
    for (size_t first = 0; first < rows; first += PIECE_ROWS) {
        const size_t n = rows - first < PIECE_ROWS ? rows - first : PIECE_ROWS;
#define ADD_MOMENTS(j, width)                                                                                \
    add_moments(x + first * c + (j), n, c, width, (double)first, mean + (j), m2 + (j))
        ECG__BY_WIDTH(c, ADD_MOMENTS);
    }
}

/* What a part keeps in its scratch memory. */
typedef struct batch {
    double *mean, *variance;
    float *mean_f, *scale, *f, *g;
} batch;

static batch batch_of(const ecg__train_args *a)
{
    const size_t c = a->plan->in.c;
    double *d = a->scratch;
    void *rest = d + 2 * c;
    float *f = rest;
    const batch b = {d, d + c, f, f + c, f + 2 * c, f + 3 * c};
    return b;
}

static double *sums_of(const ecg__train_args *a, size_t shard, size_t which)
{
    return a->partial + shard * a->plan->partial + which * a->plan->in.c;
}

/* Statistics of the whole batch from those of its shards, in shard order; the same in every part. Returns the
 * number of values per channel. */
static double join(const ecg__train_args *a, const batch *b)
{
    const size_t c = a->plan->in.c;
    const double eps = (double)((const ecg__batchnorm_attr *)a->attr)->eps;
    double before = 0;
    memset(b->mean, 0, c * sizeof *b->mean);
    memset(b->variance, 0, c * sizeof *b->variance);
    for (size_t s = 0; s < a->shards; s++) {
        const double *mean = sums_of(a, s, SUM_MEAN), *m2 = sums_of(a, s, SUM_M2);
        const double n = *sums_of(a, s, SUM_COUNT), all = before + n;
        for (size_t j = 0; j < c; j++) {
            const double delta = mean[j] - b->mean[j];
            b->mean[j] += delta * n / all;
            b->variance[j] += m2[j] + delta * delta * before * n / all;
        }
        before = all;
    }
    for (size_t j = 0; j < c; j++) {
        b->variance[j] /= before;
        b->mean_f[j] = (float)b->mean[j];
        b->scale[j] = (float)(1.0 / sqrt(b->variance[j] + eps));
    }
    return before;
}

static void forward_sums(const ecg__train_args *a, size_t part)
{
    const size_t rows = a->n * (a->plan->in_count / a->plan->in.c);
    *sums_of(a, part, SUM_COUNT) = (double)rows;
    moments(a->x, rows, a->plan->in.c, sums_of(a, part, SUM_MEAN), sums_of(a, part, SUM_M2));
}

static void move_running(const ecg__train_args *a, const batch *b)
{
    const double keep = (double)((const ecg__batchnorm_attr *)a->attr)->momentum;
    for (size_t j = 0; j < a->plan->in.c; j++) {
        float *mean = &a->tensor[MEAN][j], *variance = &a->tensor[VARIANCE][j];
        *mean = (float)(keep * (double)*mean + (1 - keep) * b->mean[j]);
        *variance = (float)(keep * (double)*variance + (1 - keep) * b->variance[j]);
    }
}

static void forward_apply(const ecg__train_args *a, size_t part)
{
    const size_t c = a->plan->in.c;
    const batch b = batch_of(a);
    (void)join(a, &b);
    if (part == 0)
        move_running(a, &b);
    for (size_t j = 0; j < c; j++)
        b.scale[j] *= a->tensor[GAMMA][j];
    normalise(a->x, a->y, a->n * (a->plan->in_count / c), c, b.mean_f, b.scale, a->tensor[BETA]);
}

/* Adds the sums of dy and of dy * xhat over the rows, in `width` channels. */
ECG__FLAT void add_sums(const float *restrict x, const float *restrict dy, size_t rows, size_t c,
                        size_t width, const float *restrict mean, const float *restrict scale,
                        double *restrict sum, double *restrict sum_xhat)
{
    float s[ECG__WIDEST] = {0}, t[ECG__WIDEST] = {0};
    for (size_t r = 0; r < rows; r++) {
        ECG__ROLLED
        for (size_t k = 0; k < width; k++) {
            const float g = dy[r * c + k];
            s[k] += g;
            t[k] += g * ((x[r * c + k] - mean[k]) * scale[k]);
        }
    }
    for (size_t k = 0; k < width; k++) {
        sum[k] += (double)s[k];
        sum_xhat[k] += (double)t[k];
    }
}

ECG__HOT static void gradient_sums(const float *restrict x, const float *restrict dy, size_t rows, size_t c,
                                   const float *restrict mean, const float *restrict scale,
                                   double *restrict sum, double *restrict sum_xhat)
{
    for (size_t first = 0; first < rows; first += PIECE_ROWS) {
        const size_t n = rows - first < PIECE_ROWS ? rows - first : PIECE_ROWS, at = first * c;
#define ADD_SUMS(j, width)                                                                                   \
    add_sums(x + at + (j), dy + at + (j), n, c, width, mean + (j), scale + (j), sum + (j), sum_xhat + (j))
        ECG__BY_WIDTH(c, ADD_SUMS);
    }
}

static void backward_sums(const ecg__train_args *a, size_t part)
{
    const size_t c = a->plan->in.c;
    double *sum = sums_of(a, part, SUM_DY), *sum_xhat = sums_of(a, part, SUM_DY_XHAT);
    const batch b = batch_of(a);
    (void)join(a, &b);
    memset(sum, 0, c * sizeof *sum);
    memset(sum_xhat, 0, c * sizeof *sum_xhat);
    gradient_sums(a->x, a->dy, a->n * (a->plan->in_count / c), c, b.mean_f, b.scale, sum, sum_xhat);
    for (size_t j = 0; j < c; j++) {
        a->grad[GAMMA][j] += (float)sum_xhat[j];
        a->grad[BETA][j] += (float)sum[j];
    }
}

/* dx = gamma / sd * (dy - mean(dy) - xhat * mean(dy * xhat)), by elu's gradient if x came out of one. */
ECG__FLAT void gradient_of(const float *restrict x, const float *dy, float *dx, size_t rows, size_t c,
                           const batch *b, const float *restrict gamma, bool elu, float alpha)
{
    const float *restrict mean = b->mean_f, *restrict scale = b->scale, *restrict f = b->f,
                          *restrict g = b->g;
    for (size_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        ECG__IVDEP
        for (size_t j = 0; j < c; j++) {
            const float v = x[j];
            const float d = gamma[j] * scale[j] * (dy[j] - f[j] - (v - mean[j]) * scale[j] * g[j]);
            dx[j] = !elu || v > 0.0f ? d : d * (v + alpha);
        }
    }
}

ECG__HOT static void gradient(const float *restrict x, const float *dy, float *dx, size_t rows, size_t c,
                              const batch *b, const float *restrict gamma)
{
    gradient_of(x, dy, dx, rows, c, b, gamma, false, 0.0f);
}

ECG__HOT static void gradient_before_elu(const float *restrict x, const float *dy, float *dx, size_t rows,
                                         size_t c, const batch *b, const float *restrict gamma, float alpha)
{
    gradient_of(x, dy, dx, rows, c, b, gamma, true, alpha);
}

static void backward_apply(const ecg__train_args *a, size_t part)
{
    (void)part;
    const size_t c = a->plan->in.c;
    const batch b = batch_of(a);
    if (!a->dx)
        return;
    const double all = join(a, &b);
    for (size_t j = 0; j < c; j++) {
        double sum = 0, sum_xhat = 0;
        for (size_t s = 0; s < a->shards; s++) {
            sum += sums_of(a, s, SUM_DY)[j];
            sum_xhat += sums_of(a, s, SUM_DY_XHAT)[j];
        }
        b.f[j] = (float)(sum / all);
        b.g[j] = (float)(sum_xhat / all);
    }
    const ecg__batchnorm_attr *at = a->attr;
    const size_t rows = a->n * (a->plan->in_count / c);
    if (at->after_elu)
        gradient_before_elu(a->x, a->dy, a->dx, rows, c, &b, a->tensor[GAMMA], at->alpha);
    else
        gradient(a->x, a->dy, a->dx, rows, c, &b, a->tensor[GAMMA]);
}

const ecg__layer_grad ecg__batchnorm_grad = {.forward = {{forward_sums, false}, {forward_apply, false}},
                                             .backward = {{backward_sums, false}, {backward_apply, false}}};

#endif
