/* bench_warp [SECONDS]: gray pictures of 64 x 64 that one core draws shift, zoom, rotation and shear for and
 * warps, per second: one number on standard output. warp.py sets it against Keras. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ecgcnn/augment.h"

enum { SIDE = 64, PICTURES = 256 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    static uint8_t px[PICTURES][SIDE * SIDE];
    static float out[SIDE * SIDE];
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 1.0;
    ecg_augment_options o;
    ecg_error err;
    if (!(seconds > 0.0 && seconds < 3600.0)) {
        fprintf(stderr, "usage: bench_warp [SECONDS]\n");
        return 2;
    }
    if (ecg_augment_parse(&o,
                          "rotation_range=15,width_shift_range=0.1,height_shift_range=0.1,shear_range=10,"
                          "zoom_range=0.2,geometry=keras1",
                          &err) != ECG_OK) {
        fprintf(stderr, "bench_warp: %s\n", err.message);
        return EXIT_FAILURE;
    }
    for (size_t k = 0; k < PICTURES; k++)
        for (size_t i = 0; i < SIDE * SIDE; i++)
            px[k][i] = (uint8_t)((i * 7919 + k * 31) >> 3);
    void *scratch = malloc(ecg_augment_scratch(&o, SIDE, SIDE, 1));
    if (!scratch)
        return EXIT_FAILURE;
    double sum = 0.0, took;
    uint64_t n = 0;
    const double start = now();
    do {
        for (int i = 0; i < 64; i++, n++) {
            ecg_augmentation a;
            const ecg_image in = {px[n % PICTURES], SIDE, SIDE, 1, SIDE};
            ecg_augment_draw(&a, &o, SIDE, SIDE, 1, n / PICTURES, n % PICTURES);
            ecg_augment_apply(&a, &o, &in, out, scratch);
            sum += (double)out[n % (SIDE * SIDE)];
        }
        took = now() - start;
    } while (took < seconds);
    free(scratch);
    printf("%.1f\n", (double)n / took);
    return sum >= 0.0 ? EXIT_SUCCESS : EXIT_FAILURE; /* so that nothing is left out as unused */
}
