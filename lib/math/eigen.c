#include "math/eigen.h"

#include <math.h>

#include "base/mem.h"
#include "base/status.h"
#include "math/gemm.h"

/* Fortran's; OpenBLAS carries LAPACK, its header for C is a package of its own. The two last arguments are
 * the lengths of the strings. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_len,
             size_t uplo_len);

enum { MAX_N = 16384 };

ecg_status ecg__eigen_symmetric(double *a, size_t n, double *values, ecg_error *err)
{
    if (n == 0 || n > MAX_N)
        return ecg__fail(err, ECG_ELIMIT, "eigenvalues of a matrix of %zu rows, the limit is 1..%d", n,
                         MAX_N);
    for (size_t i = 0; i < n * n; i++)
        if (!isfinite(a[i]))
            return ecg__fail(err, ECG_ENUMERIC, "eigenvalues: entry %zu is not a finite number", i);
    const int order = (int)n;
    /* What LAPACK asks for at the least: 1 + 6n + 2n^2 and 3 + 5n. */
    const size_t work_n = 1 + 6 * n + 2 * n * n, iwork_n = 3 + 5 * n;
    double *work = ecg__calloc(work_n, sizeof *work);
    int *iwork = ecg__calloc(iwork_n, sizeof *iwork);
    ecg_status s = ECG_OK;
    if (work && iwork) {
        const int lwork = (int)work_n, liwork = (int)iwork_n;
        int info = 0;
        /* Columns for Fortran are rows here; a symmetric matrix is its own transpose. */
        ecg__blas_pin();
        ecg__blas_enter();
        dsyevd_("V", "L", &order, a, &order, values, work, &lwork, iwork, &liwork, &info, 1, 1);
        ecg__blas_leave();
        ecg__blas_unpin();
        if (info != 0)
            s = ecg__fail(err, ECG_ENUMERIC, "eigenvalues did not converge (LAPACK dsyevd: %d)", info);
    } else {
        s = ecg__fail(err, ECG_ENOMEM, "eigenvalues: out of memory for a matrix of %zu rows", n);
    }
    ecg__free(work);
    ecg__free(iwork);
    return s;
}
