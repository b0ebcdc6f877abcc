#define _GNU_SOURCE
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

/* A child of fork has the locks of BLAS as they were in its parent: one that another thread held at that
 * moment is never opened, and the child's first product would wait for ever. Threads therefore hold this gate
 * while they are in BLAS, and fork waits until it has it for itself. A writer goes before new readers. */
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define GATE PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define GATE PTHREAD_RWLOCK_INITIALIZER
#endif
static const pthread_rwlock_t open_gate = GATE;
static pthread_rwlock_t gate = GATE;
static pthread_once_t forks_wait = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    pthread_mutex_lock(&pin_lock);
    pthread_rwlock_wrlock(&gate);
}

static void after_fork(void)
{
    pthread_rwlock_unlock(&gate);
    pthread_mutex_unlock(&pin_lock);
}

/* Those who wait at the gate in the parent are not here to be let in, and nobody would be after them. */
static void in_child(void)
{
    gate = open_gate;
    pin_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child); /* out of memory: as if there were no gate */
}

void ecg__blas_enter(void)
{
    pthread_rwlock_rdlock(&gate);
}

void ecg__blas_leave(void)
{
    pthread_rwlock_unlock(&gate);
}

void ecg__blas_pin(void)
{
    pthread_once(&forks_wait, watch_forks);
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
    ecg__blas_enter();
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,
                (int)k, 1.0f, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    ecg__blas_leave();
}
