/* version.h: the version, kept here alone; the build reads it from this file. */
#ifndef ECGCNN_VERSION_H
#define ECGCNN_VERSION_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ECG_VERSION_MAJOR 0
#define ECG_VERSION_MINOR 1
#define ECG_VERSION_PATCH 0

/* The notice that every surface shows. */
#define ECG_NOTICE "For research and teaching only. Not a medical device: not for diagnosis or treatment."

/* "0.1.0": the version of the library that is running. Static storage. Any thread. */
ECG_API const char *ecg_version(void);

/* One line: version, compiler, BLAS with its kernels and threading, usable cores, and where the BLAS runs
 * slower kernels than the processor could (it picked them, or was told to), a warning with the variable that
 * would change it. Static storage, filled once on first use. Any thread. */
ECG_API const char *ecg_build_info(void);

/* OpenBLAS chooses its kernels when it is loaded and takes some new processors for older ones. Returns the
 * value for the environment variable OPENBLAS_CORETYPE that would give faster kernels on this processor,
 * or NULL when those in use are right, the variable is already set, or the BLAS is another one.
 * A program that wants them sets the variable and starts itself again. Static storage. Any thread. */
ECG_API const char *ecg_blas_advice(void);

#ifdef __cplusplus
}
#endif
#endif
