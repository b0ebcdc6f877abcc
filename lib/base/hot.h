/* Vector code without intrinsics. */
#ifndef ECG_BASE_HOT_H
#define ECG_BASE_HOT_H

#ifdef __linux__
#include <features.h> /* says whether this is glibc */
#endif

/* Before a function with a hot loop: compiled once per level of x86-64 vector units, the best one is picked
 * when the program is loaded. No loop here reassociates a sum, so all give the same bits. Needs ifunc, which
 * the sanitizers' run time comes too late for. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) &&                     \
    defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ECG__HOT __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ECG__HOT
#endif

/* For what a hot function is made of: must become part of it to be compiled for its vector units. */
#if defined(__GNUC__)
#define ECG__FLAT static inline __attribute__((always_inline))
#else
#define ECG__FLAT static inline
#endif

#endif
