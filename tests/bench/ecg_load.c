/* ecg-load DIR [--threads N] [--size HxW]: for each line on standard input, decode and resize all pictures of
 * a folder once and print "SECONDS CPU PICTURES SUM": time, time of all processors, the sum of all values.
 * compare_load.py drives it. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ecgcnn/data.h"

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char *what)
{
    fprintf(stderr, "ecg-load: %s\n", what);
    return 1;
}

static int load_once(const ecg_dataset *d, const ecg_preprocess *p, const ecg_loader_options *o)
{
    ecg_error err;
    ecg_loader *l = NULL;
    const double start = now(CLOCK_MONOTONIC), cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ecg_loader_new(&l, d, NULL, 0, p, o, &err) != ECG_OK)
        return fail(err.message);
    const double seconds = now(CLOCK_MONOTONIC) - start, cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    uint64_t sum = 0;
    for (size_t i = 0; i < ecg_loader_count(l); i++) {
        const ecg_image v = ecg_loader_image(l, i);
        for (size_t k = 0; k < v.h * v.stride; k++)
            sum += v.px[k];
    }
    printf("%.6f %.6f %zu %" PRIu64 "\n", seconds, cpu, ecg_loader_count(l), sum);
    fflush(stdout);
    ecg_loader_free(l);
    return 0;
}

int main(int argc, char **argv)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    if (argc < 2 || argc % 2 != 0)
        return fail("usage: ecg-load DIR [--threads N] [--size HxW]");
    for (int i = 2; i + 1 < argc; i += 2) {
        char rest;
        if (strcmp(argv[i], "--threads") == 0 && sscanf(argv[i + 1], "%" SCNu32 "%c", &o.threads, &rest) == 1)
            continue;
        if (strcmp(argv[i], "--size") == 0 &&
            sscanf(argv[i + 1], "%" SCNu32 "x%" SCNu32 "%c", &p.h, &p.w, &rest) == 2)
            continue;
        return fail("usage: ecg-load DIR [--threads N] [--size HxW]");
    }
    ecg_error err;
    ecg_dataset *d = NULL;
    if (ecg_dataset_open(&d, argv[1], NULL, &err) != ECG_OK)
        return fail(err.message);
    int code = 0;
    char line[16];
    while (code == 0 && fgets(line, sizeof line, stdin))
        code = load_once(d, &p, &o);
    ecg_dataset_free(d);
    return code;
}
