/* Convolution of one picture, a few output rows at a time: what conv2d and the layers fused with it share.
 *
 * Where the processor and the shape allow it, windows are read from the picture as it lies (math/grid.h);
 * otherwise they are copied into a matrix of columns for BLAS. */
#ifndef ECG_LAYERS_CONV_H
#define ECG_LAYERS_CONV_H

#include "layers/layer.h"
#include "math/grid.h"
#include "math/im2col.h"

typedef struct ecg__conv_attr {
    uint32_t filters;
    ecg__pair kernel, stride;
    ecg__pad pad;
    ecg__pair dilation;
    uint32_t bias, init;
    float l2;
    /* Set by ecg__spec_lower for conv2d: forward ends in an elu, backward is given dy from before it. */
    bool elu;
    float alpha;
} ecg__conv_attr;

extern const ecg__attr ecg__conv_attrs[];

typedef struct ecg__conv {
    ecg__window g;
    size_t taps; /* kh * kw * c: values per window */
    size_t filters;
    uint32_t rows;       /* output rows of a tile, whose windows and results stay in the second-level cache */
    uint32_t grad_rows;  /* the same for the kernel's gradient */
    uint32_t input_rows; /* the same for the input gradient; rows of the input if grid_input */
    const ecg__grid_level *grid; /* forward and kernel gradient do without columns; or NULL */
    bool grid_input;             /* so does the input gradient */
    bool wino;                   /* forward and both gradients go by conv_wino.h */
    bool whole;                  /* a kernel of 1x1: the picture itself is the matrix of columns */
    size_t packed, band, result; /* floats of scratch: kernel in another order, windows, gradient of a tile */
} ecg__conv;

/* ECG_ESHAPE when no window fits, ECG_ELIMIT. */
ecg_status ecg__conv_make(ecg__conv *j, const ecg__conv_attr *at, ecg_shape in, ecg_error *err);

/* Fills out->out, flags, tensors, macs, scratch and train_scratch. */
ecg_status ecg__conv_plan(const ecg__conv_attr *at, ecg_shape in, ecg__plan *out, ecg_error *err);

/* The job of a plan that was accepted. */
ecg__conv ecg__conv_of(const ecg__conv_attr *at, ecg_shape in);

/* kernel[kh][kw][c][filters] in the order that ecg__conv_rows wants: in scratch, or as it is. */
const float *ecg__conv_kernel(const ecg__conv *j, const float *kernel, float *scratch);

/* Output rows r .. r + rows - 1 of picture x into y, the place of the first of them. bias may be NULL. rows
 * is at most j->rows. */
void ecg__conv_rows(const ecg__conv *j, const float *x, const float *kernel, const float *bias, uint32_t r,
                    uint32_t rows, float *y, float *scratch);

#ifndef ECG_INFER_ONLY

/* Between begin and end, which share scratch: adds what dy, the gradient of those rows (at most
 * j->grad_rows), gives to dkernel and dbias; dbias may be NULL. */
void ecg__conv_grad_begin(const ecg__conv *j, float *scratch);
void ecg__conv_rows_grad(const ecg__conv *j, const float *x, uint32_t r, uint32_t rows, const float *dy,
                         float *dkernel, float *dbias, float *scratch);
void ecg__conv_grad_end(const ecg__conv *j, float *dkernel, const float *scratch);

/* The kernel as ecg__conv_input_grad wants it, in scratch or as it is. */
const float *ecg__conv_turned(const ecg__conv *j, const float *kernel, float *scratch);

/* dx of one picture, overwritten, from dy[oh][ow][filters]. */
void ecg__conv_input_grad(const ecg__conv *j, const float *dy, const float *turned, float *dx,
                          float *scratch);

#endif
#endif
