/* Matrix products on BLAS; gemm.c is the only file that sees it. All matrices are row-major single precision.
 */
#ifndef ECG_MATH_GEMM_H
#define ECG_MATH_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* C[m][n] = A * B + beta * C, where A is [m][k] (or [k][m] when ta) and B is [k][n] (or [n][k] when tb), with
 * row lengths lda, ldb, ldc. Every size must be at most INT32_MAX (layers' plans bound them). beta 0 does not
 * read C. k = 0 scales C. Runs on the calling thread alone while BLAS is pinned. */
void ecg__gemm(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
               size_t ldb, float beta, float *c, size_t ldc);

/* Keep BLAS to one thread from here on, and put it back: calls nest and count, from any thread. The number of
 * threads is global to the process in OpenBLAS. */
void ecg__blas_pin(void);
void ecg__blas_unpin(void);

/* Around every other call of BLAS or LAPACK: while a thread is between the two, fork waits. */
void ecg__blas_enter(void);
void ecg__blas_leave(void);

/* "SkylakeX", or "" when the BLAS does not say; and how it threads: "serial", "pthreads", "openmp", "". */
const char *ecg__blas_core(void);
const char *ecg__blas_threading(void);
const char *ecg__blas_name(void);

#endif
