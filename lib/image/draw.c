#include "image/draw.h"

#include <math.h>
#include <stdbool.h>

struct canvas {
    uint8_t *px;
    uint32_t h, w;
    size_t stride;
    float reach; /* farther from the line there is no coverage */
    float full;  /* coverage in the middle of the line: less than 1 where the pen is thinner than a pixel */
};

/* One segment, with the axis it runs along first: u is the column and v the row, or the other way round. */
struct segment {
    float u0, v0, du, dv;
};

/* Cut the parameter range [*t0, *t1] of x + t * d down to lo <= x + t * d <= hi; false if nothing is left. */
static bool clip_axis(double x, double d, double lo, double hi, double *t0, double *t1)
{
    if (d == 0.0)
        return x >= lo && x <= hi;
    double a = (lo - x) / d, b = (hi - x) / d;
    if (a > b) {
        const double t = a;
        a = b;
        b = t;
    }
    *t0 = a > *t0 ? a : *t0;
    *t1 = b < *t1 ? b : *t1;
    return *t0 <= *t1;
}

static double bounded(float v)
{
    const double far = 1e9;
    return (double)v < -far ? -far : (double)v > far ? far : (double)v;
}

/* First and last whole number in [mid - half, mid + half] and 0..n-1. */
static bool span(float mid, float half, uint32_t n, uint32_t *first, uint32_t *last)
{
    const float lo = mid - half, hi = mid + half, end = (float)(n - 1);
    if (!(hi >= 0.0f) || lo > end)
        return false;
    *first = lo > 0.0f ? (uint32_t)lo : 0;
    *first += (float)*first < lo;            /* rounded up */
    *last = hi < end ? (uint32_t)hi : n - 1; /* rounded down */
    return *first <= *last;
}

static inline void darken(uint8_t *px, float coverage)
{
    const uint8_t v = (uint8_t)(255.5f - 255.0f * coverage);
    if (v < *px)
        *px = v;
}

/* The segment lies within a few pixels of the canvas. `nu` x `nv` pixels, su and sv bytes apart. */
static void draw_along(const struct canvas *c, struct segment s, uint32_t nu, size_t su, uint32_t nv,
                       size_t sv)
{
    const float len2 = s.du * s.du + s.dv * s.dv;
    const float per_len2 = len2 > 0.0f ? 1.0f / len2 : 0.0f;
    const float slope = s.du != 0.0f ? s.dv / s.du : 0.0f; /* |slope| <= 1 */
    const float half = c->reach * sqrtf(1.0f + slope * slope);
    const float reach2 = c->reach * c->reach;
    uint32_t u, u_last;
    if (!span(s.u0 + 0.5f * s.du, 0.5f * fabsf(s.du) + c->reach, nu, &u, &u_last))
        return;
    for (; u <= u_last; u++) {
        const float eu = (float)u - s.u0;
        uint32_t v, v_last;
        if (!span(s.v0 + slope * eu, half, nv, &v, &v_last))
            continue;
        uint8_t *p = c->px + u * su + v * sv;
        for (; v <= v_last; v++, p += sv) {
            const float ev = (float)v - s.v0;
            float t = (eu * s.du + ev * s.dv) * per_len2;
            t = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
            const float fu = eu - t * s.du, fv = ev - t * s.dv, d2 = fu * fu + fv * fv;
            if (d2 < reach2) {
                const float coverage = c->reach - sqrtf(d2);
                darken(p, coverage < c->full ? coverage : c->full);
            }
        }
    }
}

static void draw_segment(const struct canvas *c, const float a[2], const float b[2])
{
    if (isnan(a[0]) || isnan(a[1]) || isnan(b[0]) || isnan(b[1]))
        return;
    /* A part cut off is farther than `reach` from every pixel, so cutting shows nowhere. */
    const double x = bounded(a[0]), y = bounded(a[1]), dx = bounded(b[0]) - x, dy = bounded(b[1]) - y;
    const double margin = (double)c->reach + 1.0;
    double t0 = 0.0, t1 = 1.0;
    const double right = c->w - 1 + margin, low = c->h - 1 + margin, x1 = x + dx, y1 = y + dy;
    const bool within = x >= -margin && x <= right && x1 >= -margin && x1 <= right && y >= -margin &&
                        y <= low && y1 >= -margin && y1 <= low; /* most are: nothing to cut, no divisions */
    if (!within && (!clip_axis(x, dx, -margin, right, &t0, &t1) || !clip_axis(y, dy, -margin, low, &t0, &t1)))
        return;
    const float x0 = (float)(x + t0 * dx), y0 = (float)(y + t0 * dy);
    const float ex = (float)((t1 - t0) * dx), ey = (float)((t1 - t0) * dy);
    if (fabsf(ex) >= fabsf(ey))
        draw_along(c, (struct segment){x0, y0, ex, ey}, c->w, 1, c->h, c->stride);
    else
        draw_along(c, (struct segment){y0, x0, ey, ex}, c->h, c->stride, c->w, 1);
}

void ecg__draw_polyline(uint8_t *px, uint32_t h, uint32_t w, size_t stride, const float *xy, size_t n,
                        float pen)
{
    const float widest = 1e6f; /* covers any picture, and keeps the arithmetic finite */
    if (h == 0 || w == 0 || !(pen > 0.0f))
        return;
    if (pen > widest)
        pen = widest;
    const struct canvas c = {px, h, w, stride, 0.5f * pen + 0.5f, pen < 1.0f ? pen : 1.0f};
    if (n == 1)
        draw_segment(&c, xy, xy);
    for (size_t i = 1; i < n; i++)
        draw_segment(&c, xy + 2 * (i - 1), xy + 2 * i);
}
