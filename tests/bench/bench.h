/* bench.h: the parts of ecg-bench. */
#ifndef ECG_BENCH_H
#define ECG_BENCH_H

#include <stdint.h>

#include "base/parallel.h"
#include "ecgcnn/ecgcnn.h"

enum { BENCH_ROUNDS = 99, BENCH_CUBE = 2048 };

typedef struct bench_settings {
    const char *net;
    uint32_t h, w, classes, batch, threads, rounds; /* h, w 0: what the network says, else 64x64 */
    double seconds;                                 /* of each measurement in a round */
    int json;
} bench_settings;

/* One figure of every round. */
typedef double bench_rounds[BENCH_ROUNDS];

enum { BENCH_FORWARD, BENCH_WEIGHTS, BENCH_INPUT, BENCH_PRODUCTS };

/* One layer: milliseconds of all threads together for one picture, and what its matrix products alone take.
 */
typedef struct bench_layer {
    char name[48];
    double forward_flops, backward_flops; /* for one picture */
    bench_rounds forward, backward, infer;
    bench_rounds product[BENCH_PRODUCTS]; /* the products of training; 0: there is none */
    int products;                         /* there are some: a convolution or a dense layer */
} bench_layer;

typedef struct bench_figures {
    bench_rounds train, infer;         /* pictures per second */
    bench_rounds train_one, infer_one; /* with one thread; 0: not measured */
    bench_rounds p50, p99;             /* milliseconds for one picture */
    bench_rounds cube;                 /* GFLOP/s of all threads, each with a cube of its own */
    bench_layer *layer;                /* [layers] */
    uint32_t layers, threads;
    ecg_shape input;
    double peak_train_mib, peak_mib, trainer_mib;
    double macs, train_macs; /* of one picture */
    char text[2048];
} bench_figures;

double bench_now(void);
double bench_median(const double *v, uint32_t n);
double bench_best(const double *v, uint32_t n, int largest);
void bench_die(const char *what);                    /* prints and exits */
void bench_need(ecg_status s, const ecg_error *err); /* dies of an error */

/* ---- bench_gemm.c: what the BLAS gives, through the library's own seam, on all threads ---- */
typedef struct bench_gemm bench_gemm;

/* The products of a network's layers for this batch, and the cube. */
bench_gemm *bench_gemm_new(const ecg_spec *s, uint32_t batch, ecg__pool *pool);
/* GFLOP/s of the cube. */
double bench_gemm_cube(bench_gemm *g, double seconds);
/* Milliseconds of all threads together that product `which` of layer i takes for one picture; 0: there is
 * none. */
double bench_gemm_product(bench_gemm *g, uint32_t i, int which, double seconds);
void bench_gemm_free(bench_gemm *g);

/* ---- bench_run.c, bench_report.c ---- */
void bench_measure(const bench_settings *set, bench_figures *f);
void bench_print(const bench_settings *set, const bench_figures *f);
void bench_print_json(const bench_settings *set, const bench_figures *f);

#endif
