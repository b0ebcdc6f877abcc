/* Products whose left matrix is a view of pictures: what makes a convolution without a matrix of columns. */
#ifndef ECG_MATH_GRID_H
#define ECG_MATH_GRID_H

#include <stdbool.h>
#include <stddef.h>

/* rows x cols places in memory, counted row by row: place i is at (i / cols) * row_step + (i % cols) *
 * col_step floats. */
typedef struct ecg__grid {
    size_t rows, row_step, cols, col_step;
} ecg__grid;

/* The number of columns of a product must be a multiple of this. */
enum { ECG__GRID_UNIT = 8 };

/* Tiles for the vector units of a processor. */
typedef struct ecg__grid_level ecg__grid_level;

/* The levels of this processor, the best one (AVX-512, then AVX2 with FMA) at 0; NULL beyond the last. Where
 * there is none, products need another way. Levels differ in speed only. */
const ecg__grid_level *ecg__grid_level_at(size_t i);

/* C[i][j] = init[j] + sum over l of a[place i of m + place l of k] * B[l][j], each sum in the order of l and
 * by itself; with `add` that is added to C, whose rows are ldc floats apart. init may be NULL: zeros. n is a
 * multiple of ECG__GRID_UNIT. B is packed. */
void ecg__grid_gemm(const ecg__grid_level *level, const float *a, ecg__grid m, ecg__grid k,
                    const float *packed, size_t n, const float *init, bool add, float *c, size_t ldc);

/* Y[i][j] += sum over l of x[i][l] * W[l][j] for x[n][in] and `out` columns of W and Y as they are, whose
 * rows are ldw and ldy floats apart; out a multiple of ECG__GRID_UNIT. A row has the same bits whatever n is.
 * W is read once for all rows. room: ecg__grid_rows_room(out) floats. */
void ecg__grid_rows(const ecg__grid_level *level, const float *x, size_t n, size_t in, const float *w,
                    size_t ldw, size_t out, float *y, size_t ldy, float *room);
size_t ecg__grid_rows_room(size_t out);

/* C[r][j] = sum over i of x[i][r] * y[i][j] for n rows of x, ldx floats apart, y[n][cols], C[rows][cols];
 * with `add` that is added to C. cols is a multiple of ECG__GRID_UNIT. room: ecg__grid_outer_room(rows)
 * floats. */
void ecg__grid_outer(const ecg__grid_level *level, const float *x, size_t ldx, size_t rows, const float *y,
                     size_t n, size_t cols, bool add, float *c, float *room);
size_t ecg__grid_outer_room(size_t rows);

/* The width of the panel that begins at column j of n: a packed matrix of k rows has that panel at floats
 * j * k .., its rows side by side. */
size_t ecg__grid_panel(const ecg__grid_level *level, size_t n, size_t j);

/* B[k][n] packed: in `room`, of k * n floats, or B itself where that is the same. */
const float *ecg__grid_pack(const ecg__grid_level *level, size_t k, size_t n, const float *b, float *room);

#endif
