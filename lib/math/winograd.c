#include "math/winograd.h"

#include <string.h>

#include "base/hot.h"
#include "math/vec.h"

enum { STEP = ECG__WINO_STEP, SIDE = STEP + 2, TAPS = 3, LINE = 16 /* floats */ };

/* The points at which polynomials are evaluated: 0, these with both signs, and infinity. With their product 1
 * and these sizes rounding errors are a quarter of those with 1 and 2. */
static const float near = 0.707106781186547524f, far = 1.41421356237309505f;

ecg__planes ecg__wino_planes(size_t tiles, size_t channels)
{
    const size_t pitch = channels + LINE;
    return (ecg__planes){pitch, tiles * pitch + LINE};
}

size_t ecg__wino_floats(size_t tiles, size_t channels)
{
    return ECG__WINO_PLANES * ecg__wino_planes(tiles, channels).plane;
}

/* ---- the small matrices, by which a line of values `from` floats apart is multiplied ---- */

typedef void line_fn(const float *restrict x, size_t from, float *restrict y, size_t to);

/* y[i] and y[i + 1] for a point of both signs. */
ECG__FLAT void both_signs(float even, float odd, float *restrict y, size_t to)
{
    y[0] = even + odd;
    y[to] = even - odd;
}

/* B^T: 6 to 6. */
ECG__FLAT void of_input(const float *restrict x, size_t from, float *restrict y, size_t to)
{
    const float x1 = x[from], x2 = x[2 * from], x3 = x[3 * from], x4 = x[4 * from];
    y[0] = x[0] - 2.5f * x2 + x4;
    both_signs(x4 - 2.0f * x2, near * (x3 - 2.0f * x1), y + to, to);
    both_signs(x4 - 0.5f * x2, far * (x3 - 0.5f * x1), y + 3 * to, to);
    y[5 * to] = x1 - 2.5f * x3 + x[5 * from];
}

/* G: 3 to 6. */
ECG__FLAT void of_kernel(const float *restrict x, size_t from, float *restrict y, size_t to)
{
    const float x1 = x[from], x2 = x[2 * from];
    y[0] = x[0];
    both_signs((-2.0f / 3) * (x[0] + 0.5f * x2), (-2.0f / 3 * near) * x1, y + to, to);
    both_signs((1.0f / 6) * (x[0] + 2.0f * x2), (1.0f / 6 * far) * x1, y + 3 * to, to);
    y[5 * to] = x2;
}

/* A^T: 6 to 4. */
ECG__FLAT void to_output(const float *restrict x, size_t from, float *restrict y, size_t to)
{
    const float near_even = x[from] + x[2 * from], near_odd = near * (x[from] - x[2 * from]);
    const float far_even = x[3 * from] + x[4 * from], far_odd = far * (x[3 * from] - x[4 * from]);
    y[0] = x[0] + near_even + far_even;
    y[to] = near_odd + far_odd;
    y[2 * to] = 0.5f * near_even + 2.0f * far_even;
    y[3 * to] = 0.5f * near_odd + 2.0f * far_odd + x[5 * from];
}

#ifndef ECG_INFER_ONLY

/* A: 4 to 6. */
ECG__FLAT void of_output(const float *restrict x, size_t from, float *restrict y, size_t to)
{
    const float x1 = x[from], x2 = x[2 * from], x3 = x[3 * from];
    y[0] = x[0];
    both_signs(x[0] + 0.5f * x2, near * (x1 + 0.5f * x3), y + to, to);
    both_signs(x[0] + 2.0f * x2, far * (x1 + 2.0f * x3), y + 3 * to, to);
    y[5 * to] = x3;
}

/* G^T: 6 to 3. */
ECG__FLAT void to_kernel(const float *restrict x, size_t from, float *restrict y, size_t to)
{
    const float near_even = (-2.0f / 3) * (x[from] + x[2 * from]);
    const float far_even = (1.0f / 6) * (x[3 * from] + x[4 * from]);
    y[0] = x[0] + near_even + far_even;
    y[to] = (-2.0f / 3 * near) * (x[from] - x[2 * from]) + (1.0f / 6 * far) * (x[3 * from] - x[4 * from]);
    y[2 * to] = 0.5f * near_even + 2.0f * far_even + x[5 * from];
}

#endif

/* Where the values of a square are: rows `down` floats apart, columns `right`. */
typedef struct square {
    size_t down, right;
} square;

/* Multiplies in[n][n] by the matrix of `line` from both sides, which gives out[m][m]: for `width` channels
 * side by side, ECG__WIDEST at most. */
ECG__FLAT void both_ways(line_fn *line, size_t n, const float *restrict x, square in, size_t m,
                         float *restrict y, square out, size_t width)
{
    float half[SIDE * SIDE * ECG__WIDEST]; /* [m][n][width] */
    for (size_t q = 0; q < n; q++) {
        ECG__ROLLED
        for (size_t j = 0; j < width; j++)
            line(x + q * in.right + j, in.down, half + q * width + j, n * width);
    }
    for (size_t r = 0; r < m; r++) {
        ECG__IVDEP
        ECG__ROLLED
        for (size_t j = 0; j < width; j++)
            line(half + r * n * width + j, width, y + r * out.down + j, out.right);
    }
}

/* ---- kernel ---- */

ECG__HOT static void kernel_row(const float *restrict k, size_t tap, size_t n, float *restrict out)
{
    const square in = {TAPS * tap, tap}, to = {SIDE * n, n};
#define PIECE(first, width) both_ways(of_kernel, TAPS, k + (first), in, SIDE, out + (first), to, width)
    ECG__BY_WIDTH(n, PIECE);
#undef PIECE
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

ECG__HOT static void input_row(const float *restrict x, size_t pitch, size_t tiles, size_t c,
                               float *restrict v, ecg__planes planes)
{
    const square in = {pitch, c}, to = {SIDE * planes.plane, planes.plane};
    for (size_t i = 0; i < tiles; i++, x += STEP * c, v += planes.pitch) {
#define PIECE(first, width) both_ways(of_input, SIDE, x + (first), in, SIDE, v + (first), to, width)
        ECG__BY_WIDTH(c, PIECE);
#undef PIECE
    }
}

void ecg__wino_input(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v)
{
    const ecg__planes to = ecg__wino_planes(t.rows * t.cols, c);
    for (size_t r = 0; r < t.rows; r++)
        input_row(x + STEP * r * pitch, pitch, t.cols, c, v + r * t.cols * to.pitch, to);
}

void ecg__wino_product(const ecg__grid_level *level, const float *v, const float *w, size_t tiles, size_t c,
                       size_t n, float *m)
{
    const ecg__planes in = ecg__wino_planes(tiles, c), out = ecg__wino_planes(tiles, n);
    for (size_t p = 0; p < ECG__WINO_PLANES; p++)
        ecg__grid_gemm(level, v + p * in.plane, (ecg__grid){1, 0, tiles, in.pitch}, (ecg__grid){1, 0, c, 1},
                       w + p * c * n, n, NULL, false, m + p * out.plane, out.pitch);
}

/* rows x cols outputs of a tile, `width` channels of them. */
ECG__FLAT void output_piece(const float *restrict m, size_t plane, const float *restrict bias, size_t rows,
                            size_t cols, float *restrict y, square to, size_t width)
{
    const square in = {SIDE * plane, plane};
    float tile[STEP * STEP * ECG__WIDEST];
    both_ways(to_output, SIDE, m, in, STEP, tile, (square){STEP * width, width}, width);
    for (size_t r = 0; r < rows; r++)
        for (size_t q = 0; q < cols; q++) {
            const float *restrict from = tile + (r * STEP + q) * width;
            float *restrict at = y + r * to.down + q * to.right;
            if (!bias) {
                memcpy(at, from, width * sizeof *at);
                continue;
            }
            ECG__ROLLED
            for (size_t j = 0; j < width; j++)
                at[j] = from[j] + bias[j];
        }
}

ECG__HOT static void output_row(const float *restrict m, ecg__planes from, size_t rows, size_t cols, size_t n,
                                const float *restrict bias, float *restrict y)
{
    const square to = {cols * n, n};
    for (size_t done = 0; done < cols; done += STEP, m += from.pitch, y += STEP * n) {
        const size_t wide = cols - done < STEP ? cols - done : STEP;
#define PIECE(first, width)                                                                                  \
    output_piece(m + (first), from.plane, bias ? bias + (first) : NULL, rows, wide, y + (first), to, width)
        ECG__BY_WIDTH(n, PIECE);
#undef PIECE
    }
}

void ecg__wino_output(const float *m, ecg__tiles t, size_t n, const float *bias, size_t rows, size_t cols,
                      float *y)
{
    const ecg__planes from = ecg__wino_planes(t.rows * t.cols, n);
    for (size_t r = 0; r < t.rows; r++) {
        const size_t left = rows - STEP * r;
        output_row(m + r * t.cols * from.pitch, from, left < STEP ? left : STEP, cols, n, bias,
                   y + STEP * r * cols * n);
    }
}

#ifndef ECG_INFER_ONLY

/* ---- gradients ---- */

void ecg__wino_turned(const ecg__grid_level *level, const float *kernel, size_t c, size_t n, float *out,
                      float *room)
{
    enum { ALL = TAPS * TAPS };
    float *taps = room + ECG__WINO_PLANES * c; /* [ALL][c] */
    for (size_t f = 0; f < n; f++) {
        for (size_t t = 0; t < ALL; t++)
            for (size_t k = 0; k < c; k++)
                taps[t * c + k] = kernel[((ALL - 1 - t) * c + k) * n + f];
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
    const square in = {pitch, c}, to = {SIDE * plane, plane};
    for (size_t i = 0; i < tiles; i++, x += STEP * c, v += LINE) {
        size_t j = 0;
        for (; j + LINE <= c; j += LINE)
            both_ways(of_input, SIDE, x + j, in, SIDE, v + j / LINE * panel, to, LINE);
        if (j < c)
            both_ways(of_input, SIDE, x + j, in, SIDE, v + j / LINE * panel, to, c - j);
    }
}

void ecg__wino_input_columns(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v)
{
    const size_t tiles = t.rows * t.cols;
    for (size_t r = 0; r < t.rows; r++)
        input_columns(x + STEP * r * pitch, pitch, t.cols, c, v + r * t.cols * LINE, tiles * LINE,
                      columns_plane(tiles, c));
}

/* `width` channels of a row of tiles, in the panel at out; planes are `plane` floats apart. */
ECG__HOT static void doutput_row(const float *restrict dy, size_t pitch, size_t tiles, size_t n, size_t width,
                                 float *restrict out, size_t plane)
{
    const square in = {pitch, n}, to = {SIDE * plane, plane};
    for (size_t i = 0; i < tiles; i++, dy += STEP * n, out += width) {
#define PIECE(first, part) both_ways(of_output, STEP, dy + (first), in, SIDE, out + (first), to, part)
        ECG__BY_WIDTH(width, PIECE);
#undef PIECE
    }
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
            doutput_row(dy + STEP * r * pitch + j, pitch, t.cols, n, width,
                        out + j * tiles + r * t.cols * width, packed_plane(tiles, n));
    }
}

void ecg__wino_dproduct(const ecg__grid_level *level, const float *v, const float *dm, size_t tiles, size_t c,
                        size_t n, float *du)
{
    const ecg__planes to = ecg__wino_planes(c, n);
    const ecg__grid line = {c / LINE, tiles * LINE, LINE, 1}, last = {1, 0, c % LINE, 1};
    const ecg__grid k = {1, 0, tiles, LINE};
    for (size_t p = 0; p < ECG__WINO_PLANES; p++) {
        const float *from = v + p * columns_plane(tiles, c), *right = dm + p * packed_plane(tiles, n);
        float *at = du + p * to.plane;
        ecg__grid_gemm(level, from, line, k, right, n, NULL, true, at, to.pitch);
        if (c % LINE)
            ecg__grid_gemm(level, from + c / LINE * LINE * tiles, last, k, right, n, NULL, true,
                           at + c / LINE * LINE * to.pitch, to.pitch);
    }
}

ECG__FLAT void dkernel_piece(const float *restrict du, size_t plane, size_t tap, float *restrict k,
                             size_t width)
{
    const square in = {SIDE * plane, plane};
    float taps[TAPS * TAPS * ECG__WIDEST];
    both_ways(to_kernel, SIDE, du, in, TAPS, taps, (square){TAPS * width, width}, width);
    for (size_t t = 0; t < TAPS * TAPS; t++) {
        ECG__ROLLED
        for (size_t j = 0; j < width; j++)
            k[t * tap + j] += taps[t * width + j];
    }
}

ECG__HOT static void dkernel_row(const float *restrict du, size_t plane, size_t tap, size_t n,
                                 float *restrict k)
{
#define PIECE(first, width) dkernel_piece(du + (first), plane, tap, k + (first), width)
    ECG__BY_WIDTH(n, PIECE);
#undef PIECE
}

void ecg__wino_dkernel(const float *du, size_t c, size_t n, float *dkernel)
{
    const ecg__planes from = ecg__wino_planes(c, n);
    for (size_t i = 0; i < c; i++)
        dkernel_row(du + i * from.pitch, from.plane, c * n, n, dkernel + i * n);
}

#endif
