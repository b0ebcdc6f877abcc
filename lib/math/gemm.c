#include "math/gemm.h"

#include <cblas.h>
#include <pthread.h>
#undef I

/* A BLAS without OpenBLAS' extensions links too; it then stays as its owner configured it. */
#ifdef ECG_HAVE_OPENBLAS
static int blas_threads(void)
{
    return openblas_get_num_threads();
}
static void set_blas_threads(int n)
{
    openblas_set_num_threads(n);
}
const char *ecg__blas_core(void)
{
    return openblas_get_corename();
}
const char *ecg__blas_threading(void)
{
    static const char *const names[] = {"serial", "pthreads", "openmp"};
    const int kind = openblas_get_parallel();
    return kind >= 0 && kind < 3 ? names[kind] : "";
}
const char *ecg__blas_name(void)
{
    return "OpenBLAS";
}
#else
static int blas_threads(void)
{
    return 0;
}
static void set_blas_threads(int n)
{
    (void)n;
}
const char *ecg__blas_core(void)
{
    return "";
}
const char *ecg__blas_threading(void)
{
    return "";
}
const char *ecg__blas_name(void)
{
    return "CBLAS";
}
#endif

static pthread_mutex_t pin_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned pins;
static int threads_before;

void ecg__blas_pin(void)
{
    pthread_mutex_lock(&pin_lock);
    if (pins++ == 0) {
        threads_before = blas_threads();
        if (threads_before != 1)
            set_blas_threads(1);
    }
    pthread_mutex_unlock(&pin_lock);
}

void ecg__blas_unpin(void)
{
    pthread_mutex_lock(&pin_lock);
    if (--pins == 0 && threads_before > 1)
        set_blas_threads(threads_before);
    pthread_mutex_unlock(&pin_lock);
}

void ecg__gemm(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
               size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,
                (int)k, 1.0f, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
