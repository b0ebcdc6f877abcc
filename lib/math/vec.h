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

/* Does work(first, width), which sees `width` as a constant, for all of c channels in pieces, so that a piece
 * can stay in registers. The last piece may be of any width. */
#define ECG__BY_WIDTH(c, work)                                                                               \
    do {                                                                                                     \
        size_t by_ = 0;                                                                                      \
        for (; by_ + 32 <= (c); by_ += 32)                                                                   \
            work(by_, 32);                                                                                   \
        for (; by_ + 16 <= (c); by_ += 16)                                                                   \
            work(by_, 16);                                                                                   \
        for (; by_ + 8 <= (c); by_ += 8)                                                                     \
            work(by_, 8);                                                                                    \
        if (by_ < (c))                                                                                       \
            work(by_, (c)-by_);                                                                              \
    } while (0)
enum { ECG__WIDEST = 32 };

/* Before a loop over such a piece: gcc unrolls short loops before it looks for vectors, and then finds none.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define ECG__ROLLED _Pragma("GCC unroll 1")
#else
#define ECG__ROLLED
#endif

/* dst[i] += src[i] */
void ecg__vec_add(float *restrict dst, const float *restrict src, size_t n);

/* Every row of y[rows][c], rows `stride` floats apart, becomes row[c]. */
void ecg__vec_fill_rows(float *restrict y, size_t stride, const float *restrict row, size_t rows, size_t c);

/* sum[j] += the sum of column j of x[rows][c], rows `stride` floats apart. Summed in pieces of a fixed number
 * of rows, so that rounding errors stay small when rows are many. */
void ecg__vec_sum_rows(const float *restrict x, size_t stride, size_t rows, size_t c, float *restrict sum);

#endif
