#include <string.h>

#include "layers/inits.h"
#include "layers/layer.h"
#include "math/gemm.h"
#include "math/grid.h"
#include "math/vec.h"

typedef struct dense {
    uint32_t units;
    uint32_t bias, init;
    float l2;
} dense;

static const ecg__attr attrs[] = {
    {"units", ECG__ATTR_UINT, offsetof(dense, units), 1, 1048576, NULL, true, NULL, "outputs"},
    {"bias", ECG__ATTR_UINT, offsetof(dense, bias), 0, 1, "1", false, NULL, "add a bias"},
    {"init", ECG__ATTR_NAME, offsetof(dense, init), 0, 0, "glorot_uniform", false, ecg__init_names,
     "initial kernel"},
    {"l2", ECG__ATTR_REAL, offsetof(dense, l2), 0, 1e6, "0", false, NULL,
     "adds l2 * sum of squares to the loss"},
    {0},
};

enum { MACS_PER_BLOCK = 32768, MAX_BLOCKS = 64, GRANULE = 16, WIDE_GRANULE = 128 };

/* Backward works on a few rows of the kernel at a time, whose gradient stays in the second-level cache; and
 * on so many samples. */
enum { PIECE = 48 * 1024, PIECE_ROWS = 192, TILE_ROWS = 12, SAMPLES = 32 };

static size_t piece_rows(size_t units)
{
    const size_t rows = PIECE / units, tiles = rows / TILE_ROWS * TILE_ROWS;
    return rows < 1 ? 1 : rows > PIECE_ROWS ? PIECE_ROWS : tiles ? tiles : rows;
}

/* NULL: the processor or the number of outputs does not allow for it. */
static const ecg__grid_level *level_for(size_t units)
{
    return units % ECG__GRID_UNIT == 0 ? ecg__grid_level_at(0) : NULL;
}

static ecg_status plan(const void *attr, ecg_shape in, ecg__plan *out, ecg_error *err)
{
    const dense *at = attr;
    (void)in;
    (void)err;
    out->out = (ecg_shape){1, 1, at->units};
    out->macs = (uint64_t)out->in_count * at->units;
    const uint64_t blocks = out->macs / MACS_PER_BLOCK;
    out->blocks = blocks < 1 ? 1 : blocks > MAX_BLOCKS ? MAX_BLOCKS : (size_t)blocks;
    out->flags = ECG__READS_X | ECG__GRADS_BY_BLOCK | ECG__HANDS_OVER;
    const size_t rows = piece_rows(at->units);
    out->train_scratch = rows * at->units * sizeof(float);
    if (level_for(at->units)) {
        const size_t forward = ecg__grid_rows_room(at->units);
        const size_t backward = rows * (at->units + SAMPLES) + ecg__grid_outer_room(rows);
        out->scratch = forward * sizeof(float);
        out->train_scratch = (forward > backward ? forward : backward) * sizeof(float);
        out->saved = at->units * sizeof(float);
    }

    const uint32_t inputs = (uint32_t)out->in_count; /* at most INT32_MAX */
    ecg__tensor *t = ecg__plan_tensor(out, "kernel", (uint32_t[4]){inputs, at->units, 0, 0}, true);
    t->decays = true;
    t->init = (ecg__init)at->init;
    t->l2 = at->l2;
    t->fan_in = inputs;
    t->fan_out = at->units;
    if (at->bias)
        ecg__plan_tensor(out, "bias", (uint32_t[4]){at->units, 0, 0, 0}, true);
    return ECG_OK;
}

/* An answer must not depend on its neighbours: BLAS, whose sums depend on the number of rows, gets one at a
 * time. */
static void forward(const ecg__forward_args *a)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    const float *bias = a->plan->tensors > 1 ? a->tensor[1] : NULL;
    const ecg__grid_level *level = level_for(out);
    if (level) {
        if (bias)
            ecg__vec_fill_rows(a->y, out, bias, a->n, out);
        else
            memset(a->y, 0, a->n * out * sizeof *a->y);
        ecg__grid_rows(level, a->x, a->n, in, a->tensor[0], out, out, a->y, out, a->scratch);
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        float *y = a->y + i * out;
        if (bias)
            ecg__vec_fill_rows(y, out, bias, 1, out);
        ecg__gemm(false, false, 1, out, in, a->x + i * in, in, a->tensor[0], out, bias ? 1.0f : 0.0f, y, out);
    }
}

const ecg__layer_ops ecg__dense_ops = {
    .name = "dense",
    .help = "fully connected: every output sees every input",
    .attrs = attrs,
    .attr_size = sizeof(dense),
    .plan = plan,
    .forward = forward,
};

#ifndef ECG_INFER_ONLY

/* Piece `part` of an axis of n, cut in whole granules. False: nothing is left for it. */
static bool cut(size_t n, size_t granule, size_t blocks, size_t part, size_t *first, size_t *count)
{
    const size_t granules = (n + granule - 1) / granule;
    const size_t lo = granules * part / blocks * granule, hi = granules * (part + 1) / blocks * granule;
    *first = lo;
    *count = (hi < n ? hi : n) - lo;
    return hi > lo;
}

/* Block: some of the outputs; of many, enough to read whole stretches of the kernel. */
static void train_forward(const ecg__train_args *a, size_t part)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    const size_t granule = out >= GRANULE * WIDE_GRANULE ? WIDE_GRANULE : GRANULE;
    const ecg__grid_level *level = level_for(out);
    size_t first, count;
    if (!cut(out, granule, a->plan->blocks, part, &first, &count))
        return;
    const float *w = a->tensor[0] + first;
    float *y = a->y + first;
    if (a->plan->tensors > 1)
        ecg__vec_fill_rows(y, out, a->tensor[1] + first, a->n, count);
    else
        for (size_t i = 0; i < a->n; i++)
            memset(y + i * out, 0, count * sizeof *y);
    if (level)
        ecg__grid_rows(level, a->x, a->n, in, w, out, count, y, out, a->scratch);
    else
        ecg__gemm(false, false, a->n, count, in, a->x, in, w, out, 1.0f, y, out);
}

/* Block: some of the outputs: their biases, and their dy in the order that the input gradient wants. */
static void prepare(const ecg__train_args *a, size_t part)
{
    const size_t out = a->plan->out_count;
    const ecg__grid_level *level = level_for(out);
    size_t first, count;
    if (!cut(out, GRANULE, a->plan->blocks, part, &first, &count))
        return;
    if (a->plan->tensors > 1)
        ecg__vec_sum_rows(a->dy + first, out, a->n, count, a->grad[1] + first);
    if (!level || !a->dx)
        return;
    void *room = a->saved;
    float *turned = room;
    const size_t n = a->n - a->n % ECG__GRID_UNIT;
    for (size_t j = 0, width; j < n; j += width) {
        width = ecg__grid_panel(level, n, j);
        float *to = turned + j * out + first * width;
        for (size_t f = first; f < first + count; f++, to += width)
            for (size_t i = 0; i < width; i++)
                to[i] = a->dy[(j + i) * out + f];
    }
}

/* dx for inputs first .. first + rows - 1. */
static void input_grad(const ecg__train_args *a, const ecg__grid_level *level, size_t first, size_t rows,
                       float *room)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count;
    const size_t n = level ? a->n - a->n % ECG__GRID_UNIT : 0;
    const float *w = a->tensor[0] + first * out;
    const void *turned = a->saved;
    for (size_t j = 0; j < n; j += SAMPLES) {
        const size_t width = n - j < SAMPLES ? n - j : SAMPLES;
        ecg__grid_gemm(level, w, (ecg__grid){1, 0, rows, out}, (ecg__grid){1, 0, out, 1},
                       (const float *)turned + j * out, width, NULL, false, room, width);
        for (size_t i = 0; i < width; i++)
            for (size_t r = 0; r < rows; r++)
                a->dx[(j + i) * in + first + r] = room[r * width + i];
    }
    if (n < a->n)
        ecg__gemm(false, true, a->n - n, rows, out, a->dy + n * out, out, w, out, 0.0f,
                  a->dx + n * in + first, in);
}

/* Block: some of the inputs, with their rows of the kernel. */
static void backward(const ecg__train_args *a, size_t part)
{
    const size_t in = a->plan->in_count, out = a->plan->out_count, most = piece_rows(out);
    const ecg__grid_level *level = level_for(out);
    const bool add = a->grad[0] != NULL;
    float *piece = a->scratch, *room = piece + most * out;
    size_t first, count, rows;
    if (!cut(in, GRANULE, a->plan->blocks, part, &first, &count))
        return;
    for (const size_t end = first + count; first < end; first += rows) {
        rows = end - first < most ? end - first : most;
        float *dw = add ? a->grad[0] + first * out : piece;
        if (level)
            ecg__grid_outer(level, a->x + first, in, rows, a->dy, a->n, out, add, dw, room);
        else
            ecg__gemm(true, false, rows, out, a->n, a->x + first, in, a->dy, out, add ? 1.0f : 0.0f, dw, out);
        if (a->dx)
            input_grad(a, level, first, rows, room);
        if (!add)
            a->take(a->take_ctx, first * out, rows * out, dw);
    }
}

const ecg__layer_grad ecg__dense_grad = {.forward = {{train_forward, true}},
                                         .backward = {{prepare, true}, {backward, true}}};

#endif
