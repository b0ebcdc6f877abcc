/* Eigenvalues on LAPACK; eigen.c is the only file that sees it. */
#ifndef ECG_MATH_EIGEN_H
#define ECG_MATH_EIGEN_H

#include <stddef.h>

#include "ecgcnn/status.h"

/* a[n][n], symmetric, row-major, is replaced by its eigenvectors, one a row; values[n] ascending. ECG_ENOMEM,
 * ECG_ENUMERIC (not converged, or not finite), ECG_ELIMIT (n above 16384 or 0). */
ecg_status ecg__eigen_symmetric(double *a, size_t n, double *values, ecg_error *err);

#endif
