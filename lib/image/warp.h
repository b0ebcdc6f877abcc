/* One resampling of a picture: each output pixel is read from an affine image of its coordinates. */
#ifndef ECG_IMAGE_WARP_H
#define ECG_IMAGE_WARP_H

#include "ecgcnn/augment.h"

/* Pixel (r, c) of the output is read at row (r * l00 + c * l01) + b0 + lift[c] and column
 * (r * l10 + c * l11) + b1, computed in double in this order. Any values are safe. */
struct ecg__warp {
    double l00, l01, b0, l10, l11, b1;
    const double *lift; /* [w], NULL: none */
    ecg_fill_mode fill;
    double cval;
    uint32_t order; /* 0, 1 or 3 */
};

/* Bytes of scratch, 64-byte aligned, that the functions below need; 0 when that does not fit a size_t. */
size_t ecg__warp_scratch(uint32_t order, uint32_t h, uint32_t w, uint32_t c);

/* in[h][w][c] to out[h][w][c], apart from each other. */
void ecg__warp_floats(const struct ecg__warp *m, const float *in, uint32_t h, uint32_t w, uint32_t c,
                      float *out, void *scratch);

/* Gray bytes with nearest or constant filling, order 1, sides up to 16384: the case that training waits for.
 * The same coordinates as above, weights in single precision. */
void ecg__warp_gray(const struct ecg__warp *m, const uint8_t *px, size_t stride, uint32_t h, uint32_t w,
                    float *out, void *scratch);

/* In place, x[h][w][c] to the coefficients of cubic B-splines through it; the picture is continued by
 * mirroring about its last samples, or (half) half a sample outside them. */
void ecg__spline_coefficients(double *x, uint32_t h, uint32_t w, uint32_t c, int half);

#endif
