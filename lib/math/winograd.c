#include "math/winograd.h"

#include <stdbool.h>
#include <string.h>

#include "base/hot.h"
#include "math/vec.h"

enum { LINE = 16 }; /* floats */

ecg__planes ecg__wino_planes(size_t tiles, size_t channels)
{
    const size_t pitch = channels + LINE;
    return (ecg__planes){pitch, tiles * pitch + LINE};
}

size_t ecg__wino_floats(size_t tiles, size_t channels)
{
    return ECG__WINO_PLANES * ecg__wino_planes(tiles, channels).plane;
}

/* ---- the small matrices ---- */

typedef struct two {
    float a, b;
} two;
typedef struct three {
    float a, b, c;
} three;
typedef struct four {
    float a, b, c, d;
} four;

/* B^T, by which a column of a tile is multiplied. */
ECG__FLAT four of_input(float a, float b, float c, float d)
{
    return (four){a - c, b + c, c - b, b - d};
}

/* A^T, and A. */
ECG__FLAT two to_output(float a, float b, float c, float d)
{
    return (two){a + b + c, b - c - d};
}

ECG__FLAT four of_output(float a, float b)
{
    return (four){a, a + b, a - b, -b};
}

/* G, and G^T. */
ECG__FLAT four of_kernel(float a, float b, float c)
{
    const float half = 0.5f * (a + c);
    return (four){a, half + 0.5f * b, half - 0.5f * b, c};
}

ECG__FLAT three to_kernel(float a, float b, float c, float d)
{
    const float half = 0.5f * (b + c);
    return (three){a + half, 0.5f * (b - c), half + d};
}

/* ---- kernel ---- */

ECG__HOT static void kernel_row(const float *restrict k, size_t tap, size_t n, float *restrict out)
{
    for (size_t j = 0; j < n; j++) {
        const float *restrict w = k + j;
        const four c0 = of_kernel(w[0], w[3 * tap], w[6 * tap]);
        const four c1 = of_kernel(w[tap], w[4 * tap], w[7 * tap]);
        const four c2 = of_kernel(w[2 * tap], w[5 * tap], w[8 * tap]);
        const four r0 = of_kernel(c0.a, c1.a, c2.a), r1 = of_kernel(c0.b, c1.b, c2.b);
        const four r2 = of_kernel(c0.c, c1.c, c2.c), r3 = of_kernel(c0.d, c1.d, c2.d);
        float *restrict to = out + j;
        to[0] = r0.a, to[n] = r0.b, to[2 * n] = r0.c, to[3 * n] = r0.d;
        to[4 * n] = r1.a, to[5 * n] = r1.b, to[6 * n] = r1.c, to[7 * n] = r1.d;
        to[8 * n] = r2.a, to[9 * n] = r2.b, to[10 * n] = r2.c, to[11 * n] = r2.d;
        to[12 * n] = r3.a, to[13 * n] = r3.b, to[14 * n] = r3.c, to[15 * n] = r3.d;
    }
}

/* Row i of the planes of a [rows][n] kernel, each packed. */
static void pack_row(const ecg__grid_level *level, const float *row, size_t i, size_t rows, size_t n,
                     float *out)
{
    for (size_t j = 0, width; j < n; j += width) {
        width = ecg__grid_panel(level, n, j);
        for (size_t p = 0; p < ECG__WINO_PLANES; p++)
            memcpy(out + p * rows * n + j * rows + i * width, row + p * n + j, width * sizeof *out);
    }
}

void ecg__wino_kernel(const ecg__grid_level *level, const float *kernel, size_t c, size_t n, float *out,
                      float *room)
{
    for (size_t i = 0; i < c; i++) {
        kernel_row(kernel + i * n, c * n, n, room);
        pack_row(level, room, i, c, n, out);
    }
}

/* ---- pictures ---- */

/* `width` channels of one tile. */
ECG__FLAT void input_tile(const float *restrict x, size_t pitch, size_t c, size_t width, float *restrict v,
                          size_t p)
{
    ECG__ROLLED
    for (size_t j = 0; j < width; j++) {
        const float *restrict a = x + j, *restrict b = a + pitch, *restrict d = b + pitch,
                              *restrict e = d + pitch;
        const four c0 = of_input(a[0], b[0], d[0], e[0]), c1 = of_input(a[c], b[c], d[c], e[c]);
        const four c2 = of_input(a[2 * c], b[2 * c], d[2 * c], e[2 * c]);
        const four c3 = of_input(a[3 * c], b[3 * c], d[3 * c], e[3 * c]);
        const four r0 = of_input(c0.a, c1.a, c2.a, c3.a), r1 = of_input(c0.b, c1.b, c2.b, c3.b);
        const four r2 = of_input(c0.c, c1.c, c2.c, c3.c), r3 = of_input(c0.d, c1.d, c2.d, c3.d);
        float *restrict y = v + j;
        y[0] = r0.a, y[p] = r0.b, y[2 * p] = r0.c, y[3 * p] = r0.d;
        y[4 * p] = r1.a, y[5 * p] = r1.b, y[6 * p] = r1.c, y[7 * p] = r1.d;
        y[8 * p] = r2.a, y[9 * p] = r2.b, y[10 * p] = r2.c, y[11 * p] = r2.d;
        y[12 * p] = r3.a, y[13 * p] = r3.b, y[14 * p] = r3.c, y[15 * p] = r3.d;
    }
}

ECG__HOT static void input_row(const float *restrict x, size_t pitch, size_t tiles, size_t c,
                               float *restrict v, ecg__planes to)
{
    for (size_t i = 0; i < tiles; i++, x += 2 * c, v += to.pitch)
        input_tile(x, pitch, c, c, v, to.plane);
}

void ecg__wino_input(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v)
{
    const ecg__planes to = ecg__wino_planes(t.rows * t.cols, c);
    for (size_t r = 0; r < t.rows; r++)
        input_row(x + 2 * r * pitch, pitch, t.cols, c, v + r * t.cols * to.pitch, to);
}

void ecg__wino_product(const ecg__grid_level *level, const float *v, const float *w, size_t tiles, size_t c,
                       size_t n, float *m)
{
    const ecg__planes in = ecg__wino_planes(tiles, c), out = ecg__wino_planes(tiles, n);
    for (size_t p = 0; p < ECG__WINO_PLANES; p++)
        ecg__grid_gemm(level, v + p * in.plane, (ecg__grid){1, 0, tiles, in.pitch}, (ecg__grid){1, 0, c, 1},
                       w + p * c * n, n, NULL, false, m + p * out.plane, out.pitch);
}

/* A tile's outputs at y, the one to the right n floats on, the one below `row` floats on. */
ECG__FLAT void output_tile(const float *restrict m, size_t p, size_t n, const float *restrict bias,
                           float *restrict y, size_t row, bool right, bool below)
{
    for (size_t j = 0; j < n; j++) {
        const float *restrict u = m + j;
        const two c0 = to_output(u[0], u[4 * p], u[8 * p], u[12 * p]);
        const two c1 = to_output(u[p], u[5 * p], u[9 * p], u[13 * p]);
        const two c2 = to_output(u[2 * p], u[6 * p], u[10 * p], u[14 * p]);
        const two c3 = to_output(u[3 * p], u[7 * p], u[11 * p], u[15 * p]);
        const two r0 = to_output(c0.a, c1.a, c2.a, c3.a), r1 = to_output(c0.b, c1.b, c2.b, c3.b);
        const float b = bias ? bias[j] : 0.0f;
        y[j] = r0.a + b;
        if (right)
            y[n + j] = r0.b + b;
        if (below)
            y[row + j] = r1.a + b;
        if (right && below)
            y[row + n + j] = r1.b + b;
    }
}

ECG__FLAT void output_tiles(const float *restrict m, ecg__planes from, size_t cols, size_t n,
                            const float *restrict bias, float *restrict y, bool below)
{
    size_t i = 0;
    for (; i < cols / 2; i++, m += from.pitch, y += 2 * n)
        output_tile(m, from.plane, n, bias, y, cols * n, true, below);
    if (cols % 2)
        output_tile(m, from.plane, n, bias, y, cols * n, false, below);
}

ECG__HOT static void output_rows(const float *restrict m, ecg__planes from, size_t cols, size_t n,
                                 const float *restrict bias, float *restrict y, bool below)
{
    if (bias && below)
        output_tiles(m, from, cols, n, bias, y, true);
    else if (below)
        output_tiles(m, from, cols, n, NULL, y, true);
    else
        output_tiles(m, from, cols, n, bias, y, false);
}

void ecg__wino_output(const float *m, ecg__tiles t, size_t n, const float *bias, size_t rows, size_t cols,
                      float *y)
{
    const ecg__planes from = ecg__wino_planes(t.rows * t.cols, n);
    for (size_t r = 0; r < t.rows; r++)
        output_rows(m + r * t.cols * from.pitch, from, cols, n, bias, y + 2 * r * cols * n, 2 * r + 1 < rows);
}

#ifndef ECG_INFER_ONLY

/* ---- gradients ---- */

void ecg__wino_turned(const ecg__grid_level *level, const float *kernel, size_t c, size_t n, float *out,
                      float *room)
{
    enum { TAPS = 9 };
    float *taps = room + ECG__WINO_PLANES * c; /* [TAPS][c] */
    for (size_t f = 0; f < n; f++) {
        for (size_t t = 0; t < TAPS; t++)
            for (size_t k = 0; k < c; k++)
                taps[t * c + k] = kernel[((TAPS - 1 - t) * c + k) * n + f];
        kernel_row(taps, c, c, room);
        pack_row(level, room, f, n, c, out);
    }
}

/* Channels side by side in panels of a line: the products below read them tile by tile. */
static size_t columns_plane(size_t tiles, size_t c)
{
    return (c + LINE - 1) / LINE * LINE * tiles + LINE;
}

ECG__HOT static void input_columns(const float *restrict x, size_t pitch, size_t tiles, size_t c,
                                   float *restrict v, size_t panel, size_t plane)
{
    for (size_t i = 0; i < tiles; i++, x += 2 * c, v += LINE) {
        size_t j = 0;
        for (; j + LINE <= c; j += LINE)
            input_tile(x + j, pitch, c, LINE, v + j / LINE * panel, plane);
        if (j < c)
            input_tile(x + j, pitch, c, c - j, v + j / LINE * panel, plane);
    }
}

void ecg__wino_input_columns(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v)
{
    const size_t tiles = t.rows * t.cols;
    for (size_t r = 0; r < t.rows; r++)
        input_columns(x + 2 * r * pitch, pitch, t.cols, c, v + r * t.cols * LINE, tiles * LINE,
                      columns_plane(tiles, c));
}

/* `width` channels of a row of tiles, in the panel at out; planes are `plane` floats apart. */
ECG__FLAT void doutput_panel(const float *restrict dy, size_t pitch, size_t tiles, size_t n, size_t width,
                             float *restrict out, size_t plane)
{
    for (size_t i = 0; i < tiles; i++, dy += 2 * n, out += width)
        for (size_t j = 0; j < width; j++) {
            const float *restrict a = dy + j, *restrict b = a + pitch;
            const four c0 = of_output(a[0], b[0]), c1 = of_output(a[n], b[n]);
            const four r0 = of_output(c0.a, c1.a), r1 = of_output(c0.b, c1.b);
            const four r2 = of_output(c0.c, c1.c), r3 = of_output(c0.d, c1.d);
            float *restrict y = out + j;
            y[0] = r0.a, y[plane] = r0.b, y[2 * plane] = r0.c, y[3 * plane] = r0.d;
            y[4 * plane] = r1.a, y[5 * plane] = r1.b, y[6 * plane] = r1.c, y[7 * plane] = r1.d;
            y[8 * plane] = r2.a, y[9 * plane] = r2.b, y[10 * plane] = r2.c, y[11 * plane] = r2.d;
            y[12 * plane] = r3.a, y[13 * plane] = r3.b, y[14 * plane] = r3.c, y[15 * plane] = r3.d;
        }
}

ECG__HOT static void doutput_row(const float *restrict dy, size_t pitch, size_t tiles, size_t n, size_t width,
                                 float *restrict out, size_t plane)
{
    if (width == 32)
        doutput_panel(dy, pitch, tiles, n, 32, out, plane);
    else
        doutput_panel(dy, pitch, tiles, n, width, out, plane);
}

/* Planes of packed values have a line between them too. */
static size_t packed_plane(size_t tiles, size_t n)
{
    return tiles * n + LINE;
}

void ecg__wino_doutput(const ecg__grid_level *level, const float *dy, size_t pitch, ecg__tiles t, size_t n,
                       float *out)
{
    const size_t tiles = t.rows * t.cols;
    for (size_t j = 0, width; j < n; j += width) {
        width = ecg__grid_panel(level, n, j);
        for (size_t r = 0; r < t.rows; r++)
            doutput_row(dy + 2 * r * pitch + j, pitch, t.cols, n, width, out + j * tiles + r * t.cols * width,
                        packed_plane(tiles, n));
    }
}

ECG__HOT static void dkernel_row(const float *restrict du, size_t plane, size_t tap, size_t n,
                                 float *restrict k)
{
    for (size_t j = 0; j < n; j++) {
        const float *restrict u = du + j;
        const three c0 = to_kernel(u[0], u[4 * plane], u[8 * plane], u[12 * plane]);
        const three c1 = to_kernel(u[plane], u[5 * plane], u[9 * plane], u[13 * plane]);
        const three c2 = to_kernel(u[2 * plane], u[6 * plane], u[10 * plane], u[14 * plane]);
        const three c3 = to_kernel(u[3 * plane], u[7 * plane], u[11 * plane], u[15 * plane]);
        const three r0 = to_kernel(c0.a, c1.a, c2.a, c3.a), r1 = to_kernel(c0.b, c1.b, c2.b, c3.b);
        const three r2 = to_kernel(c0.c, c1.c, c2.c, c3.c);
        float *restrict w = k + j;
        w[0] += r0.a, w[tap] += r0.b, w[2 * tap] += r0.c;
        w[3 * tap] += r1.a, w[4 * tap] += r1.b, w[5 * tap] += r1.c;
        w[6 * tap] += r2.a, w[7 * tap] += r2.b, w[8 * tap] += r2.c;
    }
}

void ecg__wino_dkernel(const ecg__grid_level *level, const float *v, const float *dm, size_t tiles, size_t c,
                       size_t n, float *dkernel, float *room)
{
    const ecg__planes du = ecg__wino_planes(c, n);
    const ecg__grid line = {c / LINE, tiles * LINE, LINE, 1}, last = {1, 0, c % LINE, 1};
    const ecg__grid k = {1, 0, tiles, LINE};
    for (size_t p = 0; p < ECG__WINO_PLANES; p++) {
        const float *from = v + p * columns_plane(tiles, c), *right = dm + p * packed_plane(tiles, n);
        float *to = room + p * du.plane;
        ecg__grid_gemm(level, from, line, k, right, n, NULL, false, to, du.pitch);
        if (c % LINE)
            ecg__grid_gemm(level, from + c / LINE * LINE * tiles, last, k, right, n, NULL, false,
                           to + c / LINE * LINE * du.pitch, du.pitch);
    }
    for (size_t i = 0; i < c; i++)
        dkernel_row(room + i * du.pitch, du.plane, c * n, n, dkernel + i * n);
}

#endif
