/* Winograd's F(4x4, 3x3) for convolutions of 3x3 at stride 1 (Lavin and Gray 2016): with pictures cut into
 * tiles of 6x6 that step by 4, and tiles and kernel transformed, 36 products a tile and pair of channels do
 * for 16 outputs, instead of 144. The products are those of 36 pairs of matrices, one for each place in a
 * tile.
 *
 * Transformed values stand in 36 planes. A plane of pictures has a row for each tile. Each function here is
 * linear; what comes out is what the plain sums give, to rounding: its errors are some four times theirs. */
#ifndef ECG_MATH_WINOGRAD_H
#define ECG_MATH_WINOGRAD_H

#include "math/grid.h"

enum { ECG__WINO_STEP = 4, ECG__WINO_PLANES = 36 };

/* Tiles of a strip of a picture, row by row. */
typedef struct ecg__tiles {
    size_t rows, cols;
} ecg__tiles;

/* Where values of a strip are: tile i of plane p at p * plane + i * pitch floats. Both are chosen so that
 * neighbours do not share lines of the cache. */
typedef struct ecg__planes {
    size_t pitch, plane;
} ecg__planes;

ecg__planes ecg__wino_planes(size_t tiles, size_t channels);

/* Floats of all planes. */
size_t ecg__wino_floats(size_t tiles, size_t channels);

/* kernel[3][3][c][n] to out[36][c * n], each plane packed for ecg__grid_gemm. room: 36 * n floats. n is a
 * multiple of ECG__GRID_UNIT. */
void ecg__wino_kernel(const ecg__grid_level *level, const float *kernel, size_t c, size_t n, float *out,
                      float *room);

/* x[4 * rows + 2][4 * cols + 2][c], rows `pitch` floats apart, to the planes v. */
void ecg__wino_input(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v);

/* The products of the planes, v[tiles][c] by w[c * n] as ecg__wino_kernel made it, into m[tiles][n]. */
void ecg__wino_product(const ecg__grid_level *level, const float *v, const float *w, size_t tiles, size_t c,
                       size_t n, float *m);

/* Those to y[rows][cols][n], without what the last tiles have beyond it; bias may be NULL. */
void ecg__wino_output(const float *m, ecg__tiles t, size_t n, const float *bias, size_t rows, size_t cols,
                      float *y);

#ifndef ECG_INFER_ONLY

/* ---- Gradients: the transposes of all that ---- */

/* What ecg__wino_kernel makes of kernel[3][3][c][n] with its taps in reverse and channels exchanged, which
 * leads from dy[][][n] to dx[][][c]: out[36][n * c]. room: 45 * c floats; c is a multiple of ECG__GRID_UNIT.
 */
void ecg__wino_turned(const ecg__grid_level *level, const float *kernel, size_t c, size_t n, float *out,
                      float *room);

/* What ecg__wino_input makes of x, as ecg__wino_dproduct wants it; as many floats. */
void ecg__wino_input_columns(const float *x, size_t pitch, ecg__tiles t, size_t c, float *v);

/* dy[4 * rows][4 * cols][n], rows `pitch` floats apart, to the planes of `out`, of ecg__wino_floats(tiles,
 * n), each of them packed. */
void ecg__wino_doutput(const ecg__grid_level *level, const float *dy, size_t pitch, ecg__tiles t, size_t n,
                       float *out);

/* Adds the products of the planes v and dm, as the two functions before made them, to the planes du of
 * ecg__wino_floats(c, n). */
void ecg__wino_dproduct(const ecg__grid_level *level, const float *v, const float *dm, size_t tiles, size_t c,
                        size_t n, float *du);

/* Adds those to dkernel[3][3][c][n]. */
void ecg__wino_dkernel(const float *du, size_t c, size_t n, float *dkernel);

#endif
#endif
