/* Elementwise loops and sums over rows, written so that the compiler makes vector code of them. */
#ifndef ECG_MATH_VEC_H
#define ECG_MATH_VEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/hot.h"

/* Before a loop whose arrays are either the very same or apart, so that running in place is vectorised too.
 */
#if defined(__GNUC__) && !defined(__clang__) /* clang finds out by itself, and warns where it cannot */
#define ECG__IVDEP _Pragma("GCC ivdep")
#else
#define ECG__IVDEP
#endif

/* dst[i] += src[i] */
void ecg__vec_add(float *restrict dst, const float *restrict src, size_t n);

/* Every row of y[rows][c], rows `stride` floats apart, becomes row[c]. */
void ecg__vec_fill_rows(float *restrict y, size_t stride, const float *restrict row, size_t rows, size_t c);

/* sum[j] += the sum of column j of x[rows][c], rows `stride` floats apart. Summed in pieces of a fixed number
 * of rows, so that rounding errors stay small when rows are many. */
void ecg__vec_sum_rows(const float *restrict x, size_t stride, size_t rows, size_t c, float *restrict sum);

#endif
