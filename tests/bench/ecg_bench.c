/* ecg-bench: how fast training and prediction are, beside what the BLAS gives in the same run.
 *
 *     ecg-bench [--net NAME|TEXT]... [--size HxW] [--classes N] [--batch N] [--threads N] [--seconds S]
 *               [--rounds N] [--processor-time] [--json]
 *
 * Without --net: the networks `seed` and `default`; `jun2018` needs 5 GiB of memory, and --seconds 10. Each
 * round measures everything for S seconds, one after the other, so that a machine that changes its speed
 * changes it for all; the figures are medians over the rounds. Pictures are uniform noise, already in memory.
 * --json prints a line for each network. --processor-time is for a machine that others use too: with one
 * thread, the clock stands still while others run (but for the layers' times, which are by the clock). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"

enum { MOST_NETS = 16 };

static clockid_t bench_clock = CLOCK_MONOTONIC;

double bench_now(void)
{
    struct timespec t;
    clock_gettime(bench_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(const double *v, uint32_t n)
{
    bench_rounds sorted;
    memcpy(sorted, v, n * sizeof *v);
    qsort(sorted, n, sizeof *sorted, by_value);
    return n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

double bench_best(const double *v, uint32_t n, int largest)
{
    double best = v[0];
    for (uint32_t i = 1; i < n; i++)
        if (largest ? v[i] > best : v[i] < best)
            best = v[i];
    return best;
}

void bench_die(const char *what)
{
    fprintf(stderr, "ecg-bench: %s\n", what);
    exit(EXIT_FAILURE);
}

void bench_need(ecg_status s, const ecg_error *err)
{
    if (s != ECG_OK)
        bench_die(err->message);
}

/* Starts this program once more where the BLAS would then choose faster kernels, as the tools do. */
static void choose_kernels(char **argv)
{
    const char *core = ecg_blas_advice();
    if (core && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv("/proc/self/exe", argv); /* where that fails, with the kernels as they are */
}

static void usage(void)
{
    fputs("usage: ecg-bench [--net NAME|TEXT]... [--size HxW] [--classes N] [--batch N] [--threads N]\n"
          "                 [--seconds S] [--rounds N] [--processor-time] [--json]\n",
          stderr);
    exit(2);
}

static double number(const char *text, double lo, double hi, const char *what)
{
    char *end;
    errno = 0;
    const double v = strtod(text ? text : "", &end);
    if (!text || end == text || *end != '\0' || errno != 0 || !(v >= lo && v <= hi)) {
        fprintf(stderr, "ecg-bench: %s takes a number from %g to %g, not \"%s\"\n", what, lo, hi,
                text ? text : "");
        exit(2);
    }
    return v;
}

static uint32_t whole(const char *text, double lo, double hi, const char *what)
{
    const double v = number(text, lo, hi, what);
    if (v != (double)(uint32_t)v) {
        fprintf(stderr, "ecg-bench: %s takes a whole number, not \"%s\"\n", what, text);
        exit(2);
    }
    return (uint32_t)v;
}

static void size(bench_settings *s, const char *text)
{
    char x = 0, rest = 0;
    if (!text || sscanf(text, "%u%c%u%c", &s->h, &x, &s->w, &rest) != 3 || x != 'x' || s->h < 1 ||
        s->h > 4096 || s->w < 1 || s->w > 4096) {
        fprintf(stderr, "ecg-bench: --size takes ROWSxCOLUMNS, not \"%s\"\n", text ? text : "");
        exit(2);
    }
}

/* Returns the number of networks. */
static size_t parse(bench_settings *s, const char *nets[MOST_NETS], int argc, char **argv)
{
    size_t n = 0;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--json") == 0) {
            s->json = 1;
            continue;
        }
        if (strcmp(name, "--processor-time") == 0) {
            bench_clock = CLOCK_PROCESS_CPUTIME_ID;
            continue;
        }
        i++;
        if (strcmp(name, "--net") == 0 && value && n < MOST_NETS)
            nets[n++] = value;
        else if (strcmp(name, "--size") == 0)
            size(s, value);
        else if (strcmp(name, "--classes") == 0)
            s->classes = whole(value, 2, 65536, name);
        else if (strcmp(name, "--batch") == 0)
            s->batch = whole(value, 1, 65536, name);
        else if (strcmp(name, "--threads") == 0)
            s->threads = whole(value, 0, 256, name);
        else if (strcmp(name, "--rounds") == 0)
            s->rounds = whole(value, 1, BENCH_ROUNDS, name);
        else if (strcmp(name, "--seconds") == 0)
            s->seconds = number(value, 0.01, 3600, name);
        else
            usage();
        if (i >= argc)
            usage();
    }
    if (bench_clock != CLOCK_MONOTONIC && s->threads != 1) {
        fputs("ecg-bench: --processor-time needs --threads 1: threads that wait take time too\n", stderr);
        exit(2);
    }
    if (n == 0) {
        nets[n++] = "seed";
        nets[n++] = "default";
    }
    return n;
}

int main(int argc, char **argv)
{
    bench_settings s = {.batch = 32, .rounds = 5, .seconds = 1.0};
    const char *nets[MOST_NETS];
    choose_kernels(argv);
    const size_t n = parse(&s, nets, argc, argv);
    for (size_t i = 0; i < n; i++) {
        static bench_figures f;
        f = (bench_figures){.layers = 0};
        s.net = nets[i];
        bench_measure(&s, &f);
        if (!s.json && i > 0)
            putchar('\n');
        (s.json ? bench_print_json : bench_print)(&s, &f);
        fflush(stdout);
        ecg__free(f.layer);
    }
    return EXIT_SUCCESS;
}
