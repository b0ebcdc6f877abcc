#include "layers/conv_pool.h"

#include <string.h>

#include "math/vec.h"

/* Rows and columns of the convolution that no window of the pool looks at are not computed. */
typedef struct job {
    ecg__conv conv;
    size_t kh, kw, oh, ow, c;         /* of the pool */
    uint32_t forward_rows, grad_rows; /* rows of the convolution per tile, whole windows */
} job;

enum {
    FORWARD_BYTES = 64 * 1024,
    SMALL_BYTES = 32 * 1024,
    SMALL_TAPS = 96,
    NONE = UINT8_MAX /* no cell: relu was at 0 */
};

/* Whole windows' rows of at most so many bytes. */
static uint32_t rows_within(const job *j, size_t bytes, uint32_t most)
{
    const size_t windows = bytes / sizeof(float) / (j->kh * j->conv.g.ow * j->c);
    const size_t rows = (windows ? windows : 1) * j->kh;
    return rows < most ? (uint32_t)rows : most;
}

static job job_of(const ecg__conv_pool_attr *at, ecg_shape in)
{
    job j = {.conv = ecg__conv_of(&at->conv, in), .kh = at->pool.size.h, .kw = at->pool.size.w};
    ecg__window *g = &j.conv.g;
    j.oh = g->oh / j.kh;
    j.ow = g->ow / j.kw;
    j.c = j.conv.filters;
    g->oh = (uint32_t)(j.oh * j.kh);
    g->ow = (uint32_t)(j.ow * j.kw);
    const uint32_t most = j.conv.rows - j.conv.rows % (uint32_t)j.kh;
    j.forward_rows = j.conv.wino ? most : rows_within(&j, FORWARD_BYTES, most);
    /* The gradient of a small kernel is cheap to add to: tiles for the first-level cache. */
    j.grad_rows = j.conv.taps <= SMALL_TAPS ? rows_within(&j, SMALL_BYTES, most)
                                            : j.conv.grad_rows - j.conv.grad_rows % (uint32_t)j.kh;
    return j;
}

bool ecg__conv_pool_fits(const ecg__conv_pool_attr *at, ecg_shape in)
{
    const ecg__pool_attr *p = &at->pool;
    const ecg__conv conv = ecg__conv_of(&at->conv, in);
    const ecg__window *g = &conv.g;
    const bool apart = (p->stride.h == 0 || p->stride.h == p->size.h) &&
                       (p->stride.w == 0 || p->stride.w == p->size.w);
    const bool inside = p->pad.mode == ECG__PAD_VALID ||
                        (g->oh % p->size.h == 0 && g->ow % p->size.w == 0 && p->pad.mode == ECG__PAD_SAME);
    return conv.grid && apart && inside && p->size.h * p->size.w < NONE && p->size.h <= conv.rows &&
           p->size.h <= g->oh && p->size.w <= g->ow;
}

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    const ecg__conv_pool_attr *at = attr;
    const ecg_status s = ecg__conv_plan(&at->conv, in, out, err);
    if (s != ECG_OK)
        return s;
    const job j = job_of(at, in);
    const size_t row = j.conv.g.ow * j.c;
    out->out = (ecg_shape){(uint32_t)j.oh, (uint32_t)j.ow, (uint32_t)j.c};
    out->saved = j.oh * j.ow * j.c;
    const size_t conv = (j.conv.band + j.conv.packed) * sizeof(float);
    out->scratch = conv + j.forward_rows * row * sizeof(float);
    out->train_scratch = conv + (j.conv.result + j.conv.g.oh * row) * sizeof(float);
    return ECG_OK;
}

/* `width` channels of one window, whose cells are `kh` rows of `kw`; byte may be NULL. */
ECG__FLAT void pool_window(const float *restrict x, size_t pitch, size_t c, size_t kh, size_t kw,
                           size_t width, bool relu, float *restrict y, uint8_t *restrict byte)
{
    float best[ECG__WIDEST];
    uint32_t cell[ECG__WIDEST];
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        best[j] = x[j];
        cell[j] = 0;
    }
    for (size_t i = 0; i < kh; i++)
        for (size_t k = i == 0; k < kw; k++) {
            const float *restrict from = x + i * pitch + k * c;
            const uint32_t here = (uint32_t)(i * kw + k);
            ECG__ROLLED
            for (size_t j = 0; j < width; j++) {
                const float v = from[j], b = best[j];
                const uint32_t was = cell[j];
                best[j] = ((v > b) | (v != v)) ? v : b;
                cell[j] = ((v > b) | (v != v)) ? here : was;
            }
        }
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        const float b = best[j];
        const uint32_t was = cell[j];
        y[j] = relu && b < 0.0f ? 0.0f : b;
        cell[j] = relu && b <= 0.0f ? NONE : was;
    }
    if (byte) {
        ECG__ROLLED
        for (size_t j = 0; j < width; j++)
            byte[j] = (uint8_t)cell[j];
    }
}

/* One row of windows. */
ECG__HOT static void pool_row(const float *restrict x, size_t pitch, size_t c, size_t kh, size_t kw,
                              size_t windows, bool relu, float *restrict y, uint8_t *restrict byte)
{
    for (size_t q = 0; q < windows; q++, x += kw * c, y += c) {
#define POOL(j, width) pool_window(x + (j), pitch, c, kh, kw, width, relu, y + (j), byte ? byte + (j) : NULL)
#define POOL_2X2(j, width)                                                                                   \
    pool_window(x + (j), pitch, c, 2, 2, width, relu, y + (j), byte ? byte + (j) : NULL)
        if (kh == 2 && kw == 2)
            ECG__BY_WIDTH(c, POOL_2X2);
        else
            ECG__BY_WIDTH(c, POOL);
        if (byte)
            byte += c;
    }
}

/* One sample; cells may be NULL. */
static void forward_sample(const ecg__conv_pool_attr *at, const job *j, const float *x, const float *kernel,
                           const float *bias, float *y, uint8_t *cells, float *scratch, float *tile)
{
    const ecg__window *g = &j->conv.g;
    const size_t pitch = g->ow * j->c, row = j->ow * j->c;
    for (uint32_t r = 0; r < g->oh; r += j->forward_rows) {
        const uint32_t rows = g->oh - r < j->forward_rows ? g->oh - r : j->forward_rows;
        ecg__conv_rows(&j->conv, x, kernel, bias, r, rows, tile, scratch);
        for (size_t p = 0; p < rows / j->kh; p++) {
            const size_t out = (r / j->kh + p) * row;
            pool_row(tile + p * j->kh * pitch, pitch, j->c, j->kh, j->kw, j->ow, at->relu, y + out,
                     cells ? cells + out : NULL);
        }
    }
}

static void forward(const ecg__forward_args *a)
{
    const ecg__conv_pool_attr *at = a->attr;
    const job j = job_of(at, a->plan->in);
    float *scratch = a->scratch, *tile = scratch + j.conv.band + j.conv.packed;
    const float *kernel = ecg__conv_kernel(&j.conv, a->tensor[0], scratch);
    for (size_t i = 0; i < a->n; i++)
        forward_sample(at, &j, a->x + i * a->plan->in_count, kernel,
                       a->plan->tensors > 1 ? a->tensor[1] : NULL, a->y + i * a->plan->out_count, NULL,
                       scratch, tile);
}

const ecg__layer_ops ecg__conv_pool_ops = {
    .name = "conv2d+maxpool",
    .help = "convolution, relu and maxpool in one",
    .attr_size = sizeof(ecg__conv_pool_attr),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

static void train_forward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const ecg__conv_pool_attr *at = a->attr;
    const job j = job_of(at, a->plan->in);
    float *scratch = a->scratch, *tile = scratch + j.conv.band + j.conv.packed;
    const float *kernel = ecg__conv_kernel(&j.conv, a->tensor[0], scratch);
    for (size_t i = 0; i < a->n; i++)
        forward_sample(at, &j, a->x + i * a->plan->in_count, kernel,
                       a->plan->tensors > 1 ? a->tensor[1] : NULL, a->y + i * a->plan->out_count,
                       a->saved + i * a->plan->saved, scratch, tile);
}

/* The cell that was largest takes the gradient, the others zero. */
ECG__FLAT void spread(float *restrict to, const float *restrict dy, const uint8_t *restrict byte,
                      uint32_t cell, size_t width)
{
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        const float g = dy[j];
        to[j] = byte[j] == cell ? g : 0.0f;
    }
}

ECG__HOT static void unpool_row(float *restrict to, size_t pitch, size_t c, size_t kh, size_t kw,
                                size_t windows, const float *restrict dy, const uint8_t *restrict byte)
{
    for (size_t q = 0; q < windows; q++, to += kw * c, dy += c, byte += c)
        for (size_t i = 0; i < kh; i++)
            for (size_t k = 0; k < kw; k++) {
                float *cell = to + i * pitch + k * c;
#define SPREAD(j, width) spread(cell + (j), dy + (j), byte + (j), (uint32_t)(i * kw + k), width)
                ECG__BY_WIDTH(c, SPREAD);
            }
}

static void backward(const ecg__train_args *a, size_t part)
{
    (void)part;
    const job j = job_of(a->attr, a->plan->in);
    const ecg__window *g = &j.conv.g;
    const size_t pitch = g->ow * j.c, row = j.ow * j.c;
    float *scratch = a->scratch, *map = scratch + j.conv.band + j.conv.packed + j.conv.result;
    const float *turned = a->dx ? ecg__conv_turned(&j.conv, a->tensor[0], scratch) : NULL;
    ecg__conv_grad_begin(&j.conv, scratch);
    for (size_t i = 0; i < a->n; i++) {
        const float *x = a->x + i * a->plan->in_count, *dy = a->dy + i * a->plan->out_count;
        const uint8_t *cells = a->saved + i * a->plan->saved;
        for (uint32_t r = 0; r < g->oh; r += j.grad_rows) {
            const uint32_t rows = g->oh - r < j.grad_rows ? g->oh - r : j.grad_rows;
            float *tile = a->dx ? map + r * pitch : map; /* all of them only for the input's gradient */
            for (size_t p = 0; p < rows / j.kh; p++) {
                const size_t out = (r / j.kh + p) * row;
                unpool_row(tile + p * j.kh * pitch, pitch, j.c, j.kh, j.kw, j.ow, dy + out, cells + out);
            }
            ecg__conv_rows_grad(&j.conv, x, r, rows, tile, a->grad[0],
                                a->plan->tensors > 1 ? a->grad[1] : NULL, scratch);
        }
        if (a->dx)
            ecg__conv_input_grad(&j.conv, map, turned, a->dx + i * a->plan->in_count, scratch);
    }
    ecg__conv_grad_end(&j.conv, a->grad[0], scratch);
}

const ecg__layer_grad ecg__conv_pool_grad = {.forward = {{train_forward, false}},
                                             .backward = {{backward, false}}};

#endif
