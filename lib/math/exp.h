/* Exponentials without branches or tables, so that loops over them become vector code. */
#ifndef ECG_MATH_EXP_H
#define ECG_MATH_EXP_H

#include <stdint.h>
#include <string.h>

/* x = n ln 2 + r with |r| <= ln 2 / 2. Returns exp(r) - 1 and 2^n. Cody and Waite's reduction, polynomial of
 * Cephes. x is between -87 and 88 or not a number, which it then stays. */
static inline float ecg__exp_parts(float x, float *scale)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to whole numbers */
    const float t = x * 1.44269504f + magic, n = t - magic;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    uint32_t bits, base;
    memcpy(&bits, &t, sizeof bits);
    memcpy(&base, &magic, sizeof base);
    bits = (bits - base + 127u) << 23;
    memcpy(scale, &bits, sizeof *scale);
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

static inline float ecg__exp_clamp(float x)
{
    x = x > 88.0f ? 88.0f : x;
    return x < -87.0f ? -87.0f : x;
}

/* exp(x) to 2 units in the last place between -87 and 88; beyond, the value there. */
static inline float ecg__exp(float x)
{
    float scale;
    const float q = ecg__exp_parts(ecg__exp_clamp(x), &scale);
    return scale * q + scale;
}

/* exp(x) - 1, accurate near 0 too. */
static inline float ecg__expm1(float x)
{
    float scale;
    const float q = ecg__exp_parts(ecg__exp_clamp(x), &scale);
    return scale * q + (scale - 1.0f);
}

/* expm1(2 |x|) / (expm1(2 |x|) + 2), with the sign of x; 1 beyond 10. */
static inline float ecg__tanh(float x)
{
    const float a = x < 0.0f ? -x : x, b = a > 10.0f ? 10.0f : a, e = ecg__expm1(2.0f * b),
                t = e / (e + 2.0f);
    return x < 0.0f ? -t : t;
}

/* The normal distribution Phi(x) to 4 units in the last place above -1 and 5e-6 of it below; 0 below -13.
 * *bell = exp(-x * x / 2). Phi(-a) = t P(t) exp(-a * a / 2) with t = 1 / (1 + 0.35 a); P is a Chebyshev fit
 * to 4e-8. */
static inline float ecg__normal(float x, float *bell)
{
    const float a = x < 0.0f ? -x : x, t = 1.0f / (1.0f + 0.35f * a), e = ecg__exp(-0.5f * a * a);
    float p = -2.955794780e-02f;
    p = p * t + 1.459181343e-01f;
    p = p * t - 2.595993325e-01f;
    p = p * t + 1.634366105e-01f;
    p = p * t - 2.590911763e-02f;
    p = p * t + 1.066296249e-01f;
    p = p * t + 1.195663546e-01f;
    p = p * t + 1.398960573e-01f;
    p = p * t + 1.396195976e-01f;
    const float tail = a > 13.0f ? 0.0f : p * t * e;
    *bell = e;
    return x < 0.0f ? tail : 1.0f - tail;
}

static inline float ecg__sigmoid(float x)
{
    return 1.0f / (1.0f + ecg__exp(-x));
}

#endif
