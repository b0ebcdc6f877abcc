/* Any bytes to the picture decoder, in both profiles and every colour; what the targets of each format share.
 */
#ifndef ECG_FUZZ_PICTURE_H
#define ECG_FUZZ_PICTURE_H

#include <stdlib.h>
#include <string.h>

#include "ecgcnn/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_picture(const uint8_t *data, size_t n)
{
    static const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    for (int i = 0; i < 6; i++) {
        ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
        o.color = colors[i / 2];
        o.profile = i % 2 ? ECG_PROFILE_KERAS : ECG_PROFILE_CORRECT;
        o.max_side = 256;
        o.max_pixels = 1 << 14;
        ecg_error err;
        ecg_pixels *p;
        const ecg_status s = ecg_pixels_decode(&p, data, n, "fuzz", &o, &err);
        if ((s == ECG_OK) != (p != NULL))
            abort();
        if (!p)
            continue;
        const ecg_image v = ecg_pixels_view(p);
        unsigned sum = 0;
        for (size_t k = 0; k < v.stride * v.h; k++)
            sum += v.px[k];
        if (v.w > 256 || v.h > 256 || sum > 255u * v.stride * v.h)
            abort();
        ecg_pixels_free(p);
    }
}

#endif
