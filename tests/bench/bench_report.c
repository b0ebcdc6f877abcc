/* What ecg-bench prints: a table of 80 columns, or a line of JSON. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "math/gemm.h"

/* Medians of a layer, in milliseconds of all threads for one picture. */
typedef struct row {
    double forward, backward, infer, product_forward, product_backward;
} row;

static row row_of(const bench_settings *set, const bench_layer *l)
{
    const uint32_t n = set->rounds;
    return (row){bench_median(l->forward, n), bench_median(l->backward, n), bench_median(l->infer, n),
                 bench_median(l->product[BENCH_FORWARD], n),
                 bench_median(l->product[BENCH_WEIGHTS], n) + bench_median(l->product[BENCH_INPUT], n)};
}

static double ratio(double a, double b)
{
    return b > 0.0 ? a / b : 0.0;
}

/* GFLOP/s of all threads together, for milliseconds of all threads. */
static double rate(const bench_figures *f, double flops, double ms)
{
    return ratio(1e-6 * flops * f->threads, ms);
}

/* What the matrix products of a training step take alone, of all it takes. */
static double products_share(const bench_settings *set, const bench_figures *f)
{
    double ms = 0.0;
    for (uint32_t i = 0; i < f->layers; i++) {
        const row r = row_of(set, &f->layer[i]);
        ms += r.product_forward + r.product_backward;
    }
    return ms / f->threads * 1e-3 * bench_median(f->train, set->rounds);
}

static double percent_of_cube(const bench_settings *set, const bench_figures *f, const double *rates,
                              double macs)
{
    return 100.0 * bench_median(rates, set->rounds) * 2.0 * macs * 1e-9 / bench_median(f->cube, set->rounds);
}

static void print_layers(const bench_settings *set, const bench_figures *f)
{
    printf("\n%-26s %7s %6s %5s %7s %6s %5s %7s\n%-26s %7s %6s %5s %7s %6s %5s %7s\n",
           "layer, training of a picture", "forward", "GFLOP", "of", "backw.", "GFLOP", "of", "predict", "",
           "us", "/s", "GEMM", "us", "/s", "GEMM", "us");
    for (uint32_t i = 0; i < f->layers; i++) {
        const bench_layer *l = &f->layer[i];
        const row r = row_of(set, l);
        if (r.forward == 0.0 && r.backward == 0.0 && r.infer == 0.0)
            continue; /* done by the layer before it */
        printf("%-28.28s %6.1f", l->name, 1e3 * r.forward);
        if (l->products)
            printf(" %6.1f %4.0f%%", rate(f, l->forward_flops, r.forward),
                   100 * ratio(r.product_forward, r.forward));
        else
            printf(" %6s %5s", "-", "-");
        printf(" %7.1f", 1e3 * r.backward);
        if (l->products && r.backward > 0.0)
            printf(" %6.1f %4.0f%%", rate(f, l->backward_flops, r.backward),
                   100 * ratio(r.product_backward, r.backward));
        else
            printf(" %6s %5s", "-", "-");
        printf(" %7.1f\n", 1e3 * r.infer);
    }
    puts("microseconds of all threads together; of GEMM: what the products of the layer's\n"
         "shapes take alone, of what the layer takes with all that is done beside them");
}

static void print_rates(const char *what, const bench_settings *set, const bench_figures *f,
                        const double *rates, const double *one, double macs)
{
    const uint32_t n = set->rounds;
    printf("%-12s%9.0f /s, best %.0f, %.1f %% of the cube", what, bench_median(rates, n),
           bench_best(rates, n, 1), percent_of_cube(set, f, rates, macs));
    if (one[0] > 0.0) {
        bench_rounds times;
        for (uint32_t i = 0; i < n; i++)
            times[i] = rates[i] / one[i];
        printf(", %.2f times one thread", bench_median(times, n));
    }
    putchar('\n');
}

void bench_print(const bench_settings *set, const bench_figures *f)
{
    const uint32_t n = set->rounds;
    printf("%s\n%s\n", f->text, ecg_build_info());
    printf("batch %u, %u thread%s, medians of %u rounds of %.3g s; %.1f and %.1f MFLOP a picture\n\n",
           set->batch, f->threads, f->threads == 1 ? "" : "s", n, set->seconds, 2e-6 * f->macs,
           2e-6 * f->train_macs);
    print_rates("training", set, f, f->train, f->train_one, f->train_macs);
    print_rates("predicting", set, f, f->infer, f->infer_one, f->macs);
    printf("one picture %9.3f ms (p50), best %.3f, p99 %.3f\n", bench_median(f->p50, n),
           bench_best(f->p50, n, 0), bench_median(f->p99, n));
    printf("SGEMM       %9.1f GFLOP/s, best %.1f, cubes of %d\n", bench_median(f->cube, n),
           bench_best(f->cube, n, 1), BENCH_CUBE);
    printf("            %9.0f %% of a training step is what its products alone take\n",
           100 * products_share(set, f));
    printf("memory      %9.1f MiB of the trainer, %.1f MiB peak of the training process\n", f->trainer_mib,
           f->peak_train_mib);
    print_layers(set, f);
}

/* ---- JSON ---- */

static void json_string(const char *key, const char *text)
{
    printf("\"%s\": \"", key);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text >= 0x20)
            putchar(*text);
        else
            putchar(' ');
    putchar('"');
}

static void json_rounds(const char *key, const double *v, uint32_t n)
{
    printf(", \"%s\": [", key);
    for (uint32_t i = 0; i < n; i++)
        printf("%s%.9g", i ? ", " : "", v[i]);
    putchar(']');
}

static void json_layers(const bench_settings *set, const bench_figures *f)
{
    printf(", \"layers\": [");
    for (uint32_t i = 0; i < f->layers; i++) {
        const bench_layer *l = &f->layer[i];
        const row r = row_of(set, l);
        printf("%s{", i ? ", " : "");
        json_string("name", l->name);
        printf(", \"forward_us\": %.9g, \"backward_us\": %.9g, \"infer_us\": %.9g, \"forward_gflops\": %.9g, "
               "\"backward_gflops\": %.9g, \"gemm_forward_us\": %.9g, \"gemm_backward_us\": %.9g}",
               1e3 * r.forward, 1e3 * r.backward, 1e3 * r.infer, rate(f, l->forward_flops, r.forward),
               rate(f, l->backward_flops, r.backward), 1e3 * r.product_forward, 1e3 * r.product_backward);
    }
    putchar(']');
}

void bench_print_json(const bench_settings *set, const bench_figures *f)
{
    const uint32_t n = set->rounds;
    putchar('{');
    json_string("net", f->text);
    printf(", \"h\": %u, \"w\": %u, \"c\": %u, \"batch\": %u, \"threads\": %u, \"rounds\": %u, \"seconds\": "
           "%.9g",
           f->input.h, f->input.w, f->input.c, set->batch, f->threads, n, set->seconds);
    printf(", \"train_pictures_per_s\": %.9g, \"infer_pictures_per_s\": %.9g, \"latency_ms_p50\": %.9g, "
           "\"latency_ms_p99\": %.9g, \"sgemm_gflops\": %.9g",
           bench_median(f->train, n), bench_median(f->infer, n), bench_median(f->p50, n),
           bench_median(f->p99, n), bench_median(f->cube, n));
    printf(", \"train_best\": %.9g, \"infer_best\": %.9g, \"latency_ms_best\": %.9g, \"sgemm_best\": %.9g",
           bench_best(f->train, n, 1), bench_best(f->infer, n, 1), bench_best(f->p50, n, 0),
           bench_best(f->cube, n, 1));
    printf(", \"train_percent_of_sgemm\": %.9g, \"infer_percent_of_sgemm\": %.9g, "
           "\"train_percent_of_own_gemms\": %.9g",
           percent_of_cube(set, f, f->train, f->train_macs), percent_of_cube(set, f, f->infer, f->macs),
           100 * products_share(set, f));
    json_rounds("train_rounds", f->train, n);
    json_rounds("infer_rounds", f->infer, n);
    json_rounds("sgemm_rounds", f->cube, n);
    if (f->train_one[0] > 0.0) {
        json_rounds("train_one_thread_rounds", f->train_one, n);
        json_rounds("infer_one_thread_rounds", f->infer_one, n);
        printf(", \"train_one_thread\": %.9g, \"infer_one_thread\": %.9g", bench_median(f->train_one, n),
               bench_median(f->infer_one, n));
    }
    printf(", \"macs\": %.17g, \"train_macs\": %.17g, \"trainer_mib\": %.9g, \"peak_rss_train_mib\": %.9g, "
           "\"peak_rss_mib\": %.9g",
           f->macs, f->train_macs, f->trainer_mib, f->peak_train_mib, f->peak_mib);
    json_layers(set, f);
    printf(", ");
    json_string("build", ecg_build_info());
    printf(", ");
    json_string("blas_core", ecg__blas_core());
    puts("}");
}
