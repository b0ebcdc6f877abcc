/* make_pictures DIR COUNT: COUNT small PNGs for each of three classes, DIR/Class A/00.png and so on; class k
 * has a dark bar in its own third of the picture. The same bytes every time. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ecgcnn/image.h"

enum { SIDE = 24 };

static void draw(uint8_t px[SIDE][SIDE], unsigned cls, unsigned i)
{
    uint32_t noise = 1 + 1000 * cls + i;
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++) {
            noise = noise * 1664525u + 1013904223u;
            const int bar = x >= 8 * cls + i % 4 && x < 8 * cls + i % 4 + 4;
            px[y][x] = (uint8_t)((bar ? 10 : 200) + (noise >> 27));
        }
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"Class A", "Class B", "Class C"};
    static uint8_t px[SIDE][SIDE];
    char path[4096];
    if (argc != 3)
        return 2;
    mkdir(argv[1], 0777);
    for (unsigned cls = 0; cls < 3; cls++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], names[cls]);
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
            return 1;
        }
        for (unsigned i = 0; i < (unsigned)atoi(argv[2]); i++) {
            const ecg_image img = {&px[0][0], SIDE, SIDE, 1, SIDE};
            ecg_error err = {0};
            draw(px, cls, i);
            snprintf(path, sizeof path, "%s/%s/%02u.png", argv[1], names[cls], i);
            if (ecg_image_save_png(&img, path, &err) != ECG_OK) {
                fprintf(stderr, "%s\n", err.message);
                return 1;
            }
        }
    }
    return 0;
}
