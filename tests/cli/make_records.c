/* make_records DIR NAME...: for each name a WFDB record of two minutes (format 16, leads MLII and V1, 250
 * samples a second) with annotated beats: N, an early A every tenth, a wide V every seventh, one Q. Each name
 * gives another heart. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/beats.h"

enum { RATE = 250, N = 120 * RATE, MOST = 300 };

static void add(double *mv, double at, double height, double width)
{
    for (int i = (int)((at - 4 * width) * RATE); i < (int)((at + 4 * width) * RATE); i++)
        if (i >= 0 && i < N) {
            const double d = ((double)i / RATE - at) / width;
            mv[i] += height * exp(-0.5 * d * d);
        }
}

static int make(const char *dir, const char *name)
{
    static double mv[N];
    static ecg_annotation note[MOST];
    char path[4096];
    unsigned heart = 7;
    size_t n = 0;
    for (const char *c = name; *c; c++)
        heart = heart * 31 + (unsigned char)*c;
    memset(mv, 0, sizeof mv);
    memset(note, 0, sizeof note);
    const double rr = 0.7 + 0.02 * (heart % 16), r = 0.8 + 0.05 * (heart % 9);
    for (double t = 0.5; t < 119.0; n++) {
        const char code = n % 10 == 9 ? 'A' : n % 7 == 6 ? 'V' : n == 5 ? 'Q' : 'N';
        const double width = code == 'V' ? 0.035 : 0.012;
        if (code != 'V')
            add(mv, t - 0.16, code == 'A' ? -0.1 : 0.12, 0.025);
        add(mv, t, code == 'V' ? 1.6 * r : r, width);
        add(mv, t + 0.03, -0.2, width);
        add(mv, t + 0.28, code == 'V' ? -0.4 : 0.25, 0.05);
        note[n].sample = (uint64_t)(t * RATE + 0.5);
        note[n].code = ecg_annotation_from_char(code);
        t += (n + 1) % 10 == 9 || (n + 1) % 7 == 6 ? 0.65 * rr : code == 'N' ? rr : 1.3 * rr;
    }
    snprintf(path, sizeof path, "%s/%s.dat", dir, name);
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; f && i < N; i++)
        for (int s = 0; s < 2; s++) {
            const int v = (int)floor(200.0 * (s ? -0.5 * mv[i] : mv[i]) + 0.5);
            fputc(v & 255, f);
            fputc(v >> 8 & 255, f);
        }
    if (!f || fclose(f) != 0)
        return 1;
    snprintf(path, sizeof path, "%s/%s.hea", dir, name);
    f = fopen(path, "w");
    if (!f)
        return 1;
    fprintf(f, "%s 2 %d %d\n%s.dat 16 200 12 0 0 0 0 MLII\n%s.dat 16 200 12 0 0 0 0 V1\n", name, RATE, N,
            name, name);
    if (fclose(f) != 0)
        return 1;
    ecg_error err;
    snprintf(path, sizeof path, "%s/%s.atr", dir, name);
    return ecg_annotations_write(note, n, 0.0, path, &err) != ECG_OK;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (make(argv[1], argv[i]) != 0) {
            fprintf(stderr, "make_records: cannot make %s in %s\n", argv[i], argv[1]);
            return 1;
        }
    return argc < 3;
}
