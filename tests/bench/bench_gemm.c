/* The yardstick: SGEMM of the shapes that a network needs, and of a cube. A convolution's products are those
 * of one whole picture, one on each thread; a dense layer's are those of a batch, cut among the threads as
 * the library does. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bench.h"
#include "math/gemm.h"
#include "net/spec.h"

typedef struct product {
    bool ta, tb;
    size_t m, n, k; /* of one thread */
    size_t lda, ldb, ldc;
    size_t a_step, b_step, c_step; /* floats from one thread's operands to the next's */
    size_t a, b, c;                /* floats of all threads */
    float beta;
    double pictures; /* that one round of all threads is for */
} product;

struct bench_gemm {
    ecg__pool *pool;
    product *of; /* [layers][BENCH_PRODUCTS], then the cube; m 0: none */
    uint32_t layers;
    float *room; /* a, b, c */
    const product *now;
    size_t repeats;
};

static product own(bool ta, bool tb, size_t m, size_t n, size_t k, uint32_t workers, float beta)
{
    return (product){.ta = ta,
                     .tb = tb,
                     .m = m,
                     .n = n,
                     .k = k,
                     .lda = ta ? m : k,
                     .ldb = tb ? k : n,
                     .ldc = n,
                     .a_step = m * k,
                     .b_step = k * n,
                     .c_step = m * n,
                     .a = m * k * workers,
                     .b = k * n * workers,
                     .c = m * n * workers,
                     .beta = beta,
                     .pictures = workers};
}

static void of_convolution(const ecg__plan *p, uint32_t workers, bool first, product *out)
{
    const uint32_t *d = p->tensor[0].dims;
    const size_t taps = (size_t)d[0] * d[1] * d[2], filters = d[3], pixels = (size_t)p->out.h * p->out.w;
    out[BENCH_FORWARD] = own(false, false, pixels, filters, taps, workers, 0.0f);
    out[BENCH_WEIGHTS] = own(true, false, taps, filters, pixels, workers, 1.0f);
    if (!first)
        out[BENCH_INPUT] = own(false, true, pixels, taps, filters, workers, 0.0f);
}

/* Each thread has some columns of the result, or for the weights some rows. */
static void of_dense(const ecg__plan *p, uint32_t workers, uint32_t batch, bool first, product *out)
{
    const size_t in = p->in_count, units = p->out_count, some_units = (units + workers - 1) / workers,
                 some_in = (in + workers - 1) / workers;
    const size_t x = batch * some_in * workers, w = some_in * workers * some_units * workers,
                 y = batch * some_units * workers;
    const size_t wide = some_units * workers, long_in = some_in * workers;
    out[BENCH_FORWARD] = (product){.m = batch,
                                   .n = some_units,
                                   .k = in,
                                   .lda = long_in,
                                   .ldb = wide,
                                   .ldc = wide,
                                   .b_step = some_units,
                                   .c_step = some_units,
                                   .a = x,
                                   .b = w,
                                   .c = y};
    out[BENCH_WEIGHTS] = (product){.ta = true,
                                   .m = some_in,
                                   .n = units,
                                   .k = batch,
                                   .lda = long_in,
                                   .ldb = wide,
                                   .ldc = wide,
                                   .a_step = some_in,
                                   .c_step = some_in * wide,
                                   .a = x,
                                   .b = y,
                                   .c = w,
                                   .beta = 1.0f};
    if (!first)
        out[BENCH_INPUT] = (product){.tb = true,
                                     .m = batch,
                                     .n = some_in,
                                     .k = units,
                                     .lda = wide,
                                     .ldb = wide,
                                     .ldc = long_in,
                                     .b_step = some_in * wide,
                                     .c_step = some_in,
                                     .a = y,
                                     .b = w,
                                     .c = x};
    for (int i = 0; i < BENCH_PRODUCTS; i++)
        out[i].pictures = batch;
}

bench_gemm *bench_gemm_new(const ecg_spec *s, uint32_t batch, ecg__pool *pool)
{
    const uint32_t workers = ecg__pool_workers(pool);
    bench_gemm *g = ecg__calloc(1, sizeof *g);
    if (!g || !(g->of = ecg__calloc((size_t)s->layers * BENCH_PRODUCTS + 1, sizeof *g->of)))
        bench_die("out of memory");
    g->pool = pool;
    g->layers = s->layers;
    bool first = true;
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__plan *p = &s->layer[i].plan;
        product *of = g->of + (size_t)i * BENCH_PRODUCTS;
        if (strcmp(s->layer[i].ops->name, "conv2d") == 0)
            of_convolution(p, workers, first, of);
        else if (strcmp(s->layer[i].ops->name, "dense") == 0)
            of_dense(p, workers, batch, first, of);
        first = first && p->tensors == 0;
    }
    g->of[(size_t)s->layers * BENCH_PRODUCTS] = own(false, false, BENCH_CUBE, BENCH_CUBE, BENCH_CUBE, workers,
                                                    0.0f);
    size_t most = 0;
    for (size_t i = 0; i <= (size_t)s->layers * BENCH_PRODUCTS; i++) {
        const product *p = &g->of[i];
        const size_t floats = ecg__align_up(p->a) + ecg__align_up(p->b) + ecg__align_up(p->c);
        most = p->m && floats > most ? floats : most;
    }
    g->room = ecg__alloc(most * sizeof *g->room);
    if (!g->room)
        bench_die("out of memory");
    for (size_t i = 0; i < most; i++)
        g->room[i] = 1e-3f * ((float)(i % 7) - 3.0f);
    return g;
}

static void multiply(void *ctx, size_t item, uint32_t worker)
{
    const bench_gemm *g = ctx;
    const product *p = g->now;
    float *a = g->room, *b = a + ecg__align_up(p->a), *c = b + ecg__align_up(p->b);
    (void)worker;
    for (size_t i = 0; i < g->repeats; i++)
        ecg__gemm(p->ta, p->tb, p->m, p->n, p->k, a + item * p->a_step, p->lda, b + item * p->b_step, p->ldb,
                  p->beta, c + item * p->c_step, p->ldc);
}

/* Seconds of one round of all threads. */
static double time_product(bench_gemm *g, const product *p, double seconds)
{
    const uint32_t workers = ecg__pool_workers(g->pool);
    g->now = p;
    g->repeats = 1;
    ecg__parallel_for(g->pool, workers, multiply, g); /* warms up */
    double took = 0.0;
    size_t rounds = 0;
    do {
        const double start = bench_now();
        ecg__parallel_for(g->pool, workers, multiply, g);
        const double t = bench_now() - start;
        took += t;
        rounds += g->repeats;
        if (t < 1e-3 && g->repeats < 4096) /* more between two meetings of the threads */
            g->repeats *= 2, took = 0.0, rounds = 0;
    } while (took < seconds);
    return took / (double)rounds;
}

double bench_gemm_cube(bench_gemm *g, double seconds)
{
    const double side = BENCH_CUBE;
    return 1e-9 * 2.0 * side * side * side * (double)ecg__pool_workers(g->pool) /
           time_product(g, &g->of[(size_t)g->layers * BENCH_PRODUCTS], seconds);
}

double bench_gemm_product(bench_gemm *g, uint32_t i, int which, double seconds)
{
    const product *p = &g->of[(size_t)i * BENCH_PRODUCTS + (size_t)which];
    if (p->m == 0)
        return 0.0;
    return 1e3 * time_product(g, p, seconds) * (double)ecg__pool_workers(g->pool) / p->pictures;
}

void bench_gemm_free(bench_gemm *g)
{
    ecg__free(g->of);
    ecg__free(g->room);
    ecg__free(g);
}
