#include <math.h>

#include "ecgcnn/standardize.h"
#include "image/effects.h"

/* What becomes of a value on its way to 8 bits: (x + add) / by * 255, in single precision. */
struct stretch {
    float add, by;
    int used;
};

static struct stretch find_stretch(const float *x, size_t n, ecg_geometry profile, float *lo, float *hi)
{
    float a = x[0], b = x[0];
    for (size_t i = 1; i < n; i++) {
        a = x[i] < a ? x[i] : a;
        b = x[i] > b ? x[i] : b;
    }
    *lo = a, *hi = b;
    struct stretch s = {-a, 1.0f, 1};
    if (profile == ECG_GEOMETRY_KERAS1 && a > 0.0f)
        s.add = 0.0f;
    if (b + s.add != 0.0f)
        s.by = b + s.add;
    return s;
}

/* Truncated to 8 bits; what is not a number is 0. */
static uint8_t to_byte(float v, const struct stretch *s)
{
    if (s->used) {
        v = v + s->add;
        v = v / s->by;
        v = v * 255.0f;
    }
    return v >= 255.0f ? 255 : v > 0.0f ? (uint8_t)v : 0;
}

static float keep(float v, float lo, float hi)
{
    return v > lo ? (v < hi ? v : hi) : lo;
}

void ecg__brightness(ecg_geometry profile, float *x, uint32_t h, uint32_t w, uint32_t c, double factor)
{
    const size_t n = (size_t)h * w * c;
    const float f = (float)factor;
    if (profile == ECG_GEOMETRY_CORRECT) {
        for (size_t i = 0; i < n && f != 1.0f; i++)
            if (c != 4 || i % 4 != 3)
                x[i] = keep(x[i] * f, 0.0f, 255.0f);
        return;
    }
    float lo, hi;
    struct stretch s = find_stretch(x, n, profile, &lo, &hi);
    s.used = profile == ECG_GEOMETRY_KERAS1 || lo < 0.0f || hi > 255.0f;
    for (size_t i = 0; i < n; i++) {
        const float u = to_byte(x[i], &s);
        const int alpha = c == 4 && i % 4 == 3;
        x[i] = f == 1.0f || alpha ? u : truncf(keep(u * f, 0.0f, 255.0f));
        if (profile == ECG_GEOMETRY_KERAS2 && s.used)
            x[i] = x[i] / 255.0f * (hi - lo) + lo;
    }
}

void ecg_standardize_to_pixels(ecg_geometry profile, const float *x, uint32_t h, uint32_t w, uint32_t c,
                               uint8_t *px)
{
    const size_t n = (size_t)h * w * c;
    float lo, hi;
    if (n == 0)
        return;
    const struct stretch s = find_stretch(x, n, profile, &lo, &hi);
    for (size_t i = 0; i < n; i++)
        px[i] = to_byte(x[i], &s);
}
