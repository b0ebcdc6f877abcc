/* Runs an exported C file (compiled with -DHEADER=... -DMODEL=... -DUPPER=...) on pictures and compares it
 * with what the library made of them:
 *
 *     run_c PIXELS PROBABILITIES TOLERANCE CLASS...
 *
 * Prints the largest difference. */
#include HEADER

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define PREDICT     JOIN(MODEL, _predict)
#define WITH        JOIN(MODEL, _predict_with)
#define CLASS       JOIN(MODEL, _class)

enum {
    PIXELS = JOIN(UPPER, _HEIGHT) * JOIN(UPPER, _WIDTH) * JOIN(UPPER, _CHANNELS),
    CLASSES = JOIN(UPPER, _CLASSES)
};

int main(int argc, char **argv)
{
    static unsigned char px[PIXELS];
    static float want[CLASSES], got[CLASSES], again[CLASSES], scratch[JOIN(UPPER, _SCRATCH)];
    FILE *pixels, *probs;
    float worst = 0.0f;
    int n = 0, i;
    if (argc < 4 + CLASSES)
        return 2;
    for (i = 0; i < CLASSES; i++)
        if (strcmp(CLASS[i], argv[4 + i]) != 0)
            return printf("class %d is %s\n", i, CLASS[i]), 1;
    pixels = fopen(argv[1], "rb");
    probs = fopen(argv[2], "rb");
    if (!pixels || !probs)
        return 2;
    while (fread(px, 1, sizeof px, pixels) == sizeof px &&
           fread(want, sizeof *want, CLASSES, probs) == CLASSES) {
        const int best = PREDICT(px, got);
        for (i = 0; i < CLASSES; i++) {
            const float d = fabsf(got[i] - want[i]);
            worst = d <= worst ? worst : d; /* what is no number stays */
            if (got[i] > got[best])
                return printf("picture %d: not the best class\n", n), 1;
        }
        for (i = 0; i < JOIN(UPPER, _SCRATCH); i++)
            scratch[i] = NAN; /* nothing is expected in it */
        if (WITH(px, again, scratch) != best || memcmp(got, again, sizeof got) != 0)
            return printf("picture %d: another answer in other memory\n", n), 1;
        n++;
    }
    fclose(pixels);
    fclose(probs);
    printf("%.2e\n", (double)worst);
    return n == 0 || !(worst <= strtof(argv[3], NULL));
}
