/* bench_pack DIR [--net NAME] [--size HxW] [--batch N] [--steps N] [--rounds N] [--cache SIZE-IN-MIB]:
 * training steps on pictures of a pack, read from it each time, and the same from memory, in turn. A line a
 * round: processor seconds of both. Pictures are taken at random from all of the pack. One thread;
 * pack_speed.py drives it. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ecgcnn/ecgcnn.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench_pack: %s\n", what);
    return EXIT_FAILURE;
}

typedef struct run {
    ecg_trainer *trainer;
    size_t values;
    uint32_t batch, steps, *label;
    float *x;
    uint64_t pick; /* state of the choice of pictures */
} run;

/* Numbers that are the same for both. */
static size_t pick(uint64_t *state, size_t count)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)((*state >> 33) % count);
}

/* Processor seconds of so many steps; below 0: failed. */
static double train(run *r, const ecg_loader *l, ecg_error *err)
{
    const ecg_source s = ecg_loader_source(l);
    uint64_t state = r->pick;
    const double start = now();
    for (uint32_t k = 0; k < r->steps; k++) {
        ecg_step step;
        for (uint32_t i = 0; i < r->batch; i++)
            if (s.fetch(s.ctx, 1, pick(&state, s.count), r->x + i * r->values, &r->label[i], err) != ECG_OK)
                return -1;
        if (ecg_trainer_step(r->trainer, r->x, r->label, r->batch, &step, err) != ECG_OK)
            return -1;
    }
    return now() - start;
}

static int measure(run *r, const ecg_loader *memory, const ecg_loader *pack, uint32_t rounds)
{
    ecg_error err = {ECG_OK, 0, ""};
    for (uint32_t k = 0; k < rounds; k++) {
        double took[2];
        r->pick = k + 1;
        for (uint32_t i = 0; i < 2; i++) /* the first changes from round to round */
            if ((took[(i + k) % 2] = train(r, (i + k) % 2 ? pack : memory, &err)) < 0)
                return fail(err.message);
        printf("%.6f %.6f\n", took[0], took[1]);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *net = "seed";
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    uint32_t rounds = 5, mib = 6144;
    run r = {.batch = 32, .steps = 100};
    if (argc < 2 || argc % 2 != 0)
        return fail("usage: bench_pack DIR [--net NAME] [--size HxW] [--batch N] [--steps N] [--rounds N] "
                    "[--cache MIB]");
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *v = argv[i + 1];
        if (strcmp(argv[i], "--net") == 0)
            net = v;
        else if (strcmp(argv[i], "--size") == 0 && sscanf(v, "%ux%u", &p.h, &p.w) == 2)
            continue;
        else if (sscanf(v, "%u",
                        strcmp(argv[i], "--batch") == 0    ? &r.batch
                        : strcmp(argv[i], "--steps") == 0  ? &r.steps
                        : strcmp(argv[i], "--rounds") == 0 ? &rounds
                                                           : &mib) != 1)
            return fail("a number is needed");
    }
    ecg_error err = {ECG_OK, 0, ""};
    ecg_dataset *d = NULL;
    ecg_spec *spec = NULL;
    ecg_loader *memory = NULL, *pack = NULL;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    ecg_train_options t = ECG_TRAIN_OPTIONS_INIT;
    const char *core = ecg_blas_advice();
    if (core && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv("/proc/self/exe", argv); /* as the tools do */
    if (ecg_dataset_open(&d, argv[1], NULL, &err) != ECG_OK)
        return fail(err.message);
    const ecg_shape in = {p.h, p.w, 1};
    if (ecg_spec_parse(&spec, net, &in, ecg_dataset_classes(d), &err) != ECG_OK)
        return fail(err.message);
    t.batch = r.batch;
    t.threads = 1;
    o.cache_bytes = (uint64_t)mib << 20;
    if (ecg_trainer_new(&r.trainer, spec, &t, &err) != ECG_OK ||
        ecg_loader_new(&memory, d, NULL, 0, &p, &o, &err) != ECG_OK)
        return fail(err.message);
    o.cache_bytes = 1;
    if (ecg_loader_new(&pack, d, NULL, 0, &p, &o, &err) != ECG_OK)
        return fail(err.message);
    if (ecg_loader_cached(memory) != ecg_loader_count(memory) || ecg_loader_cached(pack) != 0)
        return fail("the pictures do not fit into --cache");
    r.values = (size_t)p.h * p.w;
    r.x = malloc(r.batch * r.values * sizeof *r.x);
    r.label = malloc(r.batch * sizeof *r.label);
    const int code = r.x && r.label ? measure(&r, memory, pack, rounds) : fail("out of memory");
    free(r.x);
    free(r.label);
    ecg_loader_free(memory);
    ecg_loader_free(pack);
    ecg_trainer_free(r.trainer);
    ecg_spec_free(spec);
    ecg_dataset_free(d);
    return code;
}
