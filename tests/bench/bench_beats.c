/* bench_beats: beats drawn a second by one core, and the detector's speed, on a lead of half an hour that
 * is made here. What a number should be is not looked at. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ecgcnn/beats.h"

enum { RATE = 360, N = 1800 * RATE, BEATS = 2200 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* of this process alone, however busy the machine is */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Gaussian waves on a wandering level, with some noise. */
static void make(float *mv, uint64_t *at)
{
    static const double wave[][3] = {
        {-0.17, 0.1, 0.025}, {0, 1.1, 0.012}, {0.03, -0.2, 0.01}, {0.28, 0.3, 0.05}};
    unsigned noise = 1;
    for (size_t i = 0; i < N; i++) {
        noise = noise * 1664525u + 1013904223u;
        mv[i] = (float)(0.2 * sin(1.3 * (double)i / RATE) + 0.02 * ((noise >> 16) / 65536.0 - 0.5));
    }
    for (size_t b = 0; b < BEATS; b++) {
        at[b] = RATE + b * (N - 2 * RATE) / BEATS;
        for (int k = -RATE / 3; k < RATE / 2; k++)
            for (size_t w = 0; w < 4; w++) {
                const double d = ((double)k / RATE - wave[w][0]) / wave[w][2];
                mv[at[b] + (uint64_t)(k + RATE) - RATE] += (float)(wave[w][1] * exp(-0.5 * d * d));
            }
    }
}

int main(void)
{
    static const char *const recipes[] = {"fixed", "rr", "rhythm views=strip size=128x192", "rhythm"};
    float *mv = malloc(N * sizeof *mv);
    uint64_t *at = malloc(BEATS * sizeof *at), *found = NULL;
    uint8_t *px = malloc(128 * 192 * 3);
    size_t count = 0;
    ecg_error err = {0};
    if (!mv || !at || !px)
        return 1;
    make(mv, at);
    double start = seconds();
    if (ecg_beats_detect(&found, &count, mv, N, RATE, NULL, &err) != ECG_OK)
        return 1;
    printf("detector: %zu of %d beats in %.0f ms for 30 minutes\n", count, BEATS, 1e3 * (seconds() - start));
    ecg_beats_free(found);
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        ecg_recipe *r = NULL;
        ecg_painter *p = NULL;
        start = seconds();
        if (ecg_recipe_parse(&r, recipes[k], &err) != ECG_OK ||
            ecg_painter_new(&p, r, mv, NULL, N, RATE, at, BEATS, &err) != ECG_OK)
            return 1;
        const double ready = seconds();
        size_t drawn = 0;
        while (drawn < 3 * BEATS)
            if (ecg_painter_draw(p, drawn++ % BEATS, px) != ECG_OK)
                return 1;
        printf("%-32s %7.0f beats/s, painter ready in %.0f ms\n", recipes[k],
               (double)drawn / (seconds() - ready), 1e3 * (ready - start));
        ecg_painter_free(p);
        ecg_recipe_free(r);
    }
    free(mv);
    free(at);
    free(px);
    return 0;
}
