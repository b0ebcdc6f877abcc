/* What this build is and which kernels it runs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/version.h"
#include "math/gemm.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *ecg_version(void)
{
    return TEXT(ECG_VERSION_MAJOR) "." TEXT(ECG_VERSION_MINOR) "." TEXT(ECG_VERSION_PATCH);
}

/* OpenBLAS' kernels for AVX-512 with 512-bit vectors; the other x86-64 names run narrower ones. */
static bool wide_core(const char *core)
{
    static const char *const names[] = {"SkylakeX",       "Cooperlake", "SapphireRapids",
                                        "SAPPHIRERAPIDS", "COOPERLAKE", "SKYLAKEX"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(core, names[i]) == 0)
            return true;
    return false;
}

/* The name of faster kernels than those in use, or NULL. */
static const char *faster_core(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    /* __builtin_cpu_supports looks at CPUID and at the register state the system saves. */
    const char *core = ecg__blas_core();
    if (*core == '\0')
        return NULL;
    __builtin_cpu_init();
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (wide && !wide_core(core))
        return "SkylakeX";
    static const char *const old[] = {"Prescott", "Core2", "Nehalem", "Generic", "Barcelona"};
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    for (size_t i = 0; avx2 && i < sizeof old / sizeof *old; i++)
        if (strcmp(core, old[i]) == 0)
            return "Haswell";
#endif
    return NULL;
}

const char *ecg_blas_advice(void)
{
    const char *set = getenv("OPENBLAS_CORETYPE");
    return set && *set ? NULL : faster_core();
}

static char info[256];
static pthread_once_t info_once = PTHREAD_ONCE_INIT;

static void make_info(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    const int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const char *advice = faster_core(), *core = ecg__blas_core(), *threading = ecg__blas_threading();
    int n = snprintf(info, sizeof info, "libecgcnn %s, compiler %s, %s%s%s%s%s, %d core%s", ecg_version(),
                     __VERSION__, ecg__blas_name(), *core ? " " : "", core, *threading ? " " : "", threading,
                     cores, cores == 1 ? "" : "s");
    if (advice && n > 0 && (size_t)n < sizeof info)
        snprintf(info + n, sizeof info - (size_t)n,
                 "; slower BLAS kernels than this processor can run: set OPENBLAS_CORETYPE=%s", advice);
}

const char *ecg_build_info(void)
{
    pthread_once(&info_once, make_info);
    return info;
}
