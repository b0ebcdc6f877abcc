/* A convolution by Winograd's way (math/winograd.h), where that pays: kernels of 3x3 at stride 1 and many
 * channels. A strip is a few rows of tiles. */
#ifndef ECG_LAYERS_CONV_WINO_H
#define ECG_LAYERS_CONV_WINO_H

#include "layers/conv.h"

/* Whether it pays; then rows, input_rows, grad_rows, band, packed and result of *j are those for it. */
bool ecg__conv_wino_make(ecg__conv *j);

/* Rows or columns in whole tiles. */
size_t ecg__conv_wino_whole(size_t n);

/* y[rows][cols][n] from the strip at x[whole rows + 2][whole cols + 2][c], whose rows are `pitch` floats
 * apart. kernel as ecg__wino_kernel made it. */
void ecg__conv_wino_rows(const ecg__conv *j, const float *x, size_t pitch, size_t c, size_t n,
                         const float *kernel, const float *bias, size_t rows, size_t cols, float *y,
                         float *room);

#ifndef ECG_INFER_ONLY

/* The sums in `result` begin anew. */
void ecg__conv_wino_grad_begin(const ecg__conv *j, float *result);

/* Adds to them what that strip and dy[rows][cols][n] give. */
void ecg__conv_wino_grad(const ecg__conv *j, const float *x, size_t pitch, const float *dy, size_t rows,
                         float *room, float *result);

/* Adds them to dkernel. */
void ecg__conv_wino_grad_end(const ecg__conv *j, const float *result, float *dkernel);

#endif

#endif
