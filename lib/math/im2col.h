/* Pictures to columns and back, channels last. */
#ifndef ECG_MATH_IM2COL_H
#define ECG_MATH_IM2COL_H

#include <stddef.h>
#include <stdint.h>

/* A convolution window over an input of h x w x c; padding is zeros. */
typedef struct ecg__window {
    uint32_t h, w, c;   /* input */
    uint32_t kh, kw;    /* kernel */
    uint32_t sh, sw;    /* stride */
    uint32_t dh, dw;    /* dilation */
    uint32_t top, left; /* padding before */
    uint32_t oh, ow;    /* output */
} ecg__window;

/* Rows first..first+rows-1 of the output: cols[rows * ow][kh * kw * c]. */
void ecg__im2col(const ecg__window *g, const float *x, uint32_t first, uint32_t rows, float *cols);

/* The adjoint: adds cols into dx[h][w][c]. */
void ecg__col2im(const ecg__window *g, const float *cols, uint32_t first, uint32_t rows, float *dx);

#endif
