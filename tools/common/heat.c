#include "common/heat.h"

#include <math.h>

/* One channel of linear light to sRGB's 0..255. */
static double encode(double v)
{
    v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1.0 / 2.4) - 0.055;
    return 255.0 * fmin(fmax(v, 0.0), 1.0);
}

static double lab(double t)
{
    return t > 6.0 / 29.0 ? t * t * t : 3.0 * 36.0 / 841.0 * (t - 4.0 / 29.0);
}

/* From white over yellow and red to purple, in CIELAB: lightness falls evenly from 100 to 38, so that equal
 * steps look equal, also in gray and to eyes that do not tell red from green. */
void heat_color(double t, double rgb[3])
{
    const double l = 100.0 - 62.0 * t, chroma = 90.0 * t / (t + 0.25),
                 hue = (100.0 - 115.0 * t) * 0.0174532925;
    const double f = (l + 16.0) / 116.0, a = chroma * cos(hue) / 500.0, b = chroma * sin(hue) / 200.0;
    const double x = 0.95047 * lab(f + a), y = lab(f), z = 1.08883 * lab(f - b);
    rgb[0] = encode(3.2406 * x - 1.5372 * y - 0.4986 * z);
    rgb[1] = encode(-0.9689 * x + 1.8758 * y + 0.0415 * z);
    rgb[2] = encode(0.0557 * x - 0.2040 * y + 1.0570 * z);
}

/* Bilinear, corners not aligned. */
static double heat_at(const ecg_heat *h, double row, double col)
{
    const double r = fmin(fmax(row * h->h - 0.5, 0.0), h->h - 1.0),
                 c = fmin(fmax(col * h->w - 0.5, 0.0), h->w - 1.0);
    const uint32_t r0 = (uint32_t)r, c0 = (uint32_t)c;
    const uint32_t r1 = r0 + 1 < h->h ? r0 + 1 : r0, c1 = c0 + 1 < h->w ? c0 + 1 : c0;
    const double v = r - r0, u = c - c0;
    const float *f = h->full;
    const double top = (double)f[(size_t)r0 * h->w + c0] * (1 - u) + (double)f[(size_t)r0 * h->w + c1] * u;
    const double low = (double)f[(size_t)r1 * h->w + c0] * (1 - u) + (double)f[(size_t)r1 * h->w + c1] * u;
    return top * (1 - v) + low * v;
}

void heat_over(uint8_t *px, size_t stride, const ecg_image *v, const ecg_heat *h, int dark)
{
    for (uint32_t r = 0; r < v->h; r++)
        for (uint32_t x = 0; x < v->w; x++) {
            const uint8_t *from = v->px + r * v->stride + (size_t)x * v->c;
            uint8_t *to = px + r * stride + 3 * (size_t)x;
            const double t = heat_at(h, (r + 0.5) / v->h, (x + 0.5) / v->w);
            double rgb[3];
            heat_color(t, rgb);
            for (uint32_t k = 0; k < 3; k++) {
                const double value = from[v->c == 1 ? 0 : k];
                to[k] = (uint8_t)((dark ? value + 0.7 * t * (rgb[k] - value) : value * rgb[k] / 255.0) + 0.5);
            }
        }
}

ecg_status heat_resize(ecg_pixels **out, const ecg_image *v, double aspect, ecg_error *err)
{
    enum { LONGER = 640, LEAST = 320 };
    double w = aspect >= 1 ? LONGER : LONGER * aspect, h = aspect >= 1 ? LONGER / aspect : LONGER;
    w = fmin(fmax(w, LEAST), 4 * LONGER);
    h = fmin(fmax(h, LEAST / 2), 4 * LONGER);
    return ecg_pixels_resize(out, v, (uint32_t)h, (uint32_t)w, ECG_FILTER_BILINEAR, err);
}
