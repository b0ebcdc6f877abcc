/* A convolution by Winograd's way (math/winograd.h), where that pays: kernels of 3x3 at stride 1 and many
 * channels. A strip is a few rows of tiles. */
#ifndef ECG_LAYERS_CONV_WINO_H
#define ECG_LAYERS_CONV_WINO_H

#include "layers/conv.h"

/* Whether it pays; then rows, input_rows, grad_rows, band, packed and result of *j are those for it. */
bool ecg__conv_wino_make(ecg__conv *j);

/* Rows or columns in whole tiles. */
static inline size_t ecg__conv_wino_even(size_t n)
{
    return n + n % 2;
}

/* y[rows][cols][n] from the strip at x[even rows + 2][even cols + 2][c], whose rows are `pitch` floats apart.
 * kernel as ecg__wino_kernel made it. */
void ecg__conv_wino_rows(const ecg__conv *j, const float *x, size_t pitch, size_t c, size_t n,
                         const float *kernel, const float *bias, size_t rows, size_t cols, float *y,
                         float *room);

#ifndef ECG_INFER_ONLY
/* Adds to dkernel what that strip and dy[even rows][even cols][n], zero beyond rows and cols, give. */
void ecg__conv_wino_grad(const ecg__conv *j, const float *x, size_t pitch, const float *dy, size_t dpitch,
                         size_t rows, size_t cols, float *dkernel, float *room, float *result);
#endif

#endif
