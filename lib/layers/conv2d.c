#include <string.h>

#include "base/status.h"
#include "layers/inits.h"
#include "layers/layer.h"
#include "layers/window.h"
#include "math/gemm.h"
#include "math/im2col.h"
#include "math/vec.h"

typedef struct conv2d {
    uint32_t filters;
    ecg__pair kernel, stride;
    ecg__pad pad;
    ecg__pair dilation;
    uint32_t bias, init;
    float l2;
} conv2d;

static const ecg__attr attrs[] = {
    {"filters", ECG__ATTR_UINT, offsetof(conv2d, filters), 1, 65536, NULL, true, NULL, "output channels"},
    {"kernel", ECG__ATTR_PAIR, offsetof(conv2d, kernel), 1, 64, NULL, true, NULL,
     "rows and columns of the kernel"},
    {"stride", ECG__ATTR_PAIR, offsetof(conv2d, stride), 1, 64, "1", false, NULL, "step between windows"},
    {"pad", ECG__ATTR_PAD, offsetof(conv2d, pad), 0, 4096, "valid", false, NULL, "zeros around the picture"},
    {"dilation", ECG__ATTR_PAIR, offsetof(conv2d, dilation), 1, 64, "1", false, NULL, "step between taps"},
    {"bias", ECG__ATTR_UINT, offsetof(conv2d, bias), 0, 1, "1", false, NULL, "add a bias"},
    {"init", ECG__ATTR_NAME, offsetof(conv2d, init), 0, 0, "glorot_uniform", false, ecg__init_names,
     "initial kernel"},
    {"l2", ECG__ATTR_REAL, offsetof(conv2d, l2), 0, 1e6, "0", false, NULL,
     "adds l2 * sum of squares to the loss"},
    {0},
};

/* How a picture is worked on: in tiles of whole output rows, whose columns and results stay in the
 * second-level cache. */
typedef struct job {
    ecg__window g;
    size_t taps; /* kh * kw * c: values per window */
    size_t filters;
    uint32_t rows; /* output rows per tile */
    bool direct;   /* the picture itself is the matrix of columns */
} job;

enum { TILE_BYTES = 256 * 1024 };

static ecg_status make_job(const conv2d *at, ecg_shape in, job *j, ecg_error *err)
{
    const ecg_status s = ecg__window_plan(&j->g, in, at->kernel, at->stride, at->dilation, &at->pad, err);
    if (s != ECG_OK)
        return s;
    const ecg__window *g = &j->g;
    j->direct = g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 && g->oh == g->h && g->ow == g->w;
    j->filters = at->filters;
    const uint64_t taps = (uint64_t)g->kh * g->kw * g->c; /* at most 2^43 */
    const uint64_t row = g->ow * (taps > at->filters ? taps : at->filters);
    if (taps > INT32_MAX || row > INT32_MAX)
        return ecg__fail(err, ECG_ELIMIT, "a row of %u windows of %ux%ux%u is too large", g->ow, g->kh, g->kw,
                         g->c);
    j->taps = (size_t)taps;
    const uint64_t rows = TILE_BYTES / sizeof(float) / row;
    j->rows = rows < 1 ? 1 : rows > g->oh ? g->oh : (uint32_t)rows;
    return ECG_OK;
}

/* The plan has accepted these attributes. */
static job job_of(const void *attr, const ecg__plan *p)
{
    job j;
    (void)make_job(attr, p->in, &j, NULL);
    return j;
}

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    const conv2d *at = attr;
    job j;
    const ecg_status s = make_job(at, in, &j, err);
    if (s != ECG_OK)
        return s;
    const ecg__window *g = &j.g;
    out->out = (ecg_shape){g->oh, g->ow, at->filters};
    out->flags = ECG__READS_X;
    out->macs = (uint64_t)g->oh * g->ow * j.taps * at->filters;
    out->scratch = j.direct ? 0 : (size_t)j.rows * g->ow * j.taps * sizeof(float);
    out->train_scratch = out->scratch;

    ecg__tensor *t = ecg__plan_tensor(out, "kernel", (uint32_t[4]){g->kh, g->kw, in.c, at->filters}, true);
    t->decays = true;
    t->init = (ecg__init)at->init;
    t->l2 = at->l2;
    t->fan_in = (uint32_t)j.taps;
    t->fan_out = g->kh * g->kw * at->filters;
    if (at->bias)
        ecg__plan_tensor(out, "bias", (uint32_t[4]){at->filters, 0, 0, 0}, true);
    return ECG_OK;
}

static void forward(const ecg__forward_args *a)
{
    const job j = job_of(a->attr, a->plan);
    const ecg__window *g = &j.g;
    const float *bias = a->plan->tensors > 1 ? a->tensor[1] : NULL;
    for (size_t i = 0; i < a->n; i++) {
        const float *x = a->x + i * a->plan->in_count;
        float *y = a->y + i * a->plan->out_count;
        for (uint32_t r = 0; r < g->oh; r += j.rows) {
            const uint32_t rows = g->oh - r < j.rows ? g->oh - r : j.rows;
            const size_t m = (size_t)rows * g->ow, at = (size_t)r * g->ow;
            const float *cols = j.direct ? x + at * j.taps : a->scratch;
            if (!j.direct)
                ecg__im2col(g, x, r, rows, a->scratch);
            if (bias)
                ecg__vec_fill_rows(y + at * j.filters, j.filters, bias, m, j.filters);
            ecg__gemm(false, false, m, j.filters, j.taps, cols, j.taps, a->tensor[0], j.filters,
                      bias ? 1.0f : 0.0f, y + at * j.filters, j.filters);
        }
    }
}

const ecg__layer_ops ecg__conv2d_ops = {
    .name = "conv2d",
    .help = "convolution: slides a kernel over rows and columns",
    .attrs = attrs,
    .attr_size = sizeof(conv2d),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void backward_tile(const ecg__train_args *a, const job *j, const float *x, const float *dy, float *dx,
                          uint32_t r, uint32_t rows)
{
    const ecg__window *g = &j->g;
    const size_t m = (size_t)rows * g->ow, at = (size_t)r * g->ow, n = j->filters;
    const float *cols = j->direct ? x + at * j->taps : a->scratch;
    dy += at * n;
    if (!j->direct)
        ecg__im2col(g, x, r, rows, a->scratch);
    ecg__gemm(true, false, j->taps, n, m, cols, j->taps, dy, n, 1.0f, a->grad[0], n); /* dw += cols^T dy */
    if (a->plan->tensors > 1)
        ecg__vec_sum_rows(dy, n, m, n, a->grad[1]);
    if (!dx)
        return;
    float *dcols = j->direct ? dx + at * j->taps : a->scratch;
    ecg__gemm(false, true, m, j->taps, n, dy, n, a->tensor[0], n, 0.0f, dcols, j->taps); /* dy w^T */
    if (!j->direct)
        ecg__col2im(g, dcols, r, rows, dx);
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const job j = job_of(a->attr, a->plan);
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    for (size_t i = 0; i < a->n; i++) {
        float *dx = a->dx ? a->dx + i * in : NULL;
        if (dx && !j.direct)
            memset(dx, 0, in * sizeof *dx);
        for (uint32_t r = 0; r < j.g.oh; r += j.rows)
            backward_tile(a, &j, a->x + i * in, a->dy + i * out, dx, r,
                          j.g.oh - r < j.rows ? j.g.oh - r : j.rows);
    }
}

const ecg__layer_grad ecg__conv2d_grad = {.backward = {{backward, false}}};

#endif
