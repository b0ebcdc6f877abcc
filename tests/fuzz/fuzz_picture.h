/* Any bytes to the picture decoder, in both profiles and every colour, and on to what a network reads; what
 * the targets of each format share. */
#ifndef ECG_FUZZ_PICTURE_H
#define ECG_FUZZ_PICTURE_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FUZZ_SIDE = 256, FUZZ_PIXELS = 1 << 14 };

static inline void fuzz_require(bool ok)
{
    if (!ok)
        abort();
}

/* NULL where it is refused, and then with a message. */
static inline ecg_pixels *fuzz_decode(const uint8_t *data, size_t n, ecg_color color, ecg_profile profile)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = color;
    o.profile = profile;
    o.max_side = FUZZ_SIDE;
    o.max_pixels = FUZZ_PIXELS;
    ecg_error err = {ECG_OK, 0, ""};
    ecg_pixels *p;
    const ecg_status s = ecg_pixels_decode(&p, data, n, "fuzz", &o, &err);
    fuzz_require((s == ECG_OK) == (p != NULL));
    fuzz_require(p || (err.status == s && strncmp(err.message, "fuzz: ", 6) == 0));
    return p;
}

/* Resized by every filter in turn, and as numbers. */
static inline void fuzz_prepare(const ecg_image *v, size_t turn)
{
    enum { H = 9, W = 13 };
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = H;
    p.w = W;
    p.color = (ecg_color)v->c;
    p.samplewise_std = turn % 2;
    fuzz_require(ecg_preprocess_check(&p, &p, NULL) == ECG_OK);
    ecg_pixels *small;
    fuzz_require(ecg_pixels_resize(&small, v, H, W, (ecg_filter)(turn % 6), NULL) == ECG_OK);
    const ecg_image s = ecg_pixels_view(small);
    fuzz_require(s.h == H && s.w == W && s.c == v->c);
    float x[H * W * 4];
    ecg_preprocess_values(&p, s.px, x);
    for (size_t i = 0; i < (size_t)H * W * s.c; i++)
        fuzz_require(isfinite(x[i]));
    ecg_pixels_free(small);
}

static inline void fuzz_picture(const uint8_t *data, size_t n)
{
    static const ecg_color colors[] = {ECG_COLOR_GRAY, ECG_COLOR_RGB, ECG_COLOR_RGBA};
    uint32_t w[2] = {0, 0}, h[2] = {0, 0};
    bool read[2] = {false, false};
    for (size_t i = 0; i < 6; i++) {
        const size_t keras = i / 3;
        ecg_pixels *p = fuzz_decode(data, n, colors[i % 3], keras ? ECG_PROFILE_KERAS : ECG_PROFILE_CORRECT);
        if (i % 3 == 0) {
            read[keras] = p != NULL;
            if (p)
                w[keras] = ecg_pixels_view(p).w, h[keras] = ecg_pixels_view(p).h;
        }
        fuzz_require(read[keras] == (p != NULL)); /* whatever the colour */
        if (!p)
            continue;
        const ecg_image v = ecg_pixels_view(p);
        fuzz_require(v.w == w[keras] && v.h == h[keras] && v.c == (uint32_t)colors[i % 3]);
        fuzz_require(v.w <= FUZZ_SIDE && v.h <= FUZZ_SIDE && (size_t)v.w * v.h <= FUZZ_PIXELS);
        unsigned sum = 0;
        for (size_t k = 0; k < v.stride * v.h; k++)
            sum += v.px[k];
        fuzz_require(sum <= 255u * v.stride * v.h);
        fuzz_prepare(&v, n + i);
        ecg_pixels_free(p);
    }
    /* The profiles differ in orientation, at most. */
    if (read[0] && read[1])
        fuzz_require((w[0] == w[1] && h[0] == h[1]) || (w[0] == h[1] && h[0] == w[1]));
}

#endif
