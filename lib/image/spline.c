#include <math.h>

#include "image/warp.h"

/* The two-pass recursion of Unser, Aldroubi and Eden 1993 with exact starts for both kinds of mirroring. */
static const double pole = -0.26794919243112270647; /* sqrt(3) - 2 */

/* One pass along `n` samples that are `step` apart, for `lanes` neighbours at once. */
static void filter(double *x, size_t n, size_t step, size_t lanes, int half)
{
    const double z = pole, gain = (1.0 - z) * (1.0 - 1.0 / z);
    if (n < 2)
        return;
    double *const last = x + (n - 1) * step;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < lanes; j++)
            x[i * step + j] *= gain;
    const double zn = pow(z, half ? (double)n : (double)(n - 1));
    for (size_t j = 0; j < lanes; j++) {
        double sum = half ? x[j] + zn * last[j] : x[j] + zn * last[j], zi = z;
        if (half) { /* period 2n */
            for (size_t i = 1; i < n && fabs(zi) > 1e-40; i++, zi *= z)
                sum += zi * (x[i * step + j] + zn * x[(n - 1 - i) * step + j]);
            x[j] += sum * z / (1.0 - zn * zn);
        } else { /* period 2n - 2 */
            for (size_t i = 1; i < n - 1 && fabs(zi) > 1e-40; i++, zi *= z)
                sum += zi * (x[i * step + j] + zn * x[(n - 1 - i) * step + j]);
            x[j] = sum / (1.0 - zn * zn);
        }
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < lanes; j++)
            x[i * step + j] += z * x[(i - 1) * step + j];
    for (size_t j = 0; j < lanes; j++)
        last[j] = half ? last[j] * z / (z - 1.0) : (last[j] + z * (last - step)[j]) * z / (z * z - 1.0);
    for (size_t i = n - 1; i-- > 0;)
        for (size_t j = 0; j < lanes; j++)
            x[i * step + j] = z * (x[(i + 1) * step + j] - x[i * step + j]);
}

void ecg__spline_coefficients(double *x, uint32_t h, uint32_t w, uint32_t c, int half)
{
    const size_t row = (size_t)w * c;
    filter(x, h, row, row, half);
    for (uint32_t r = 0; r < h; r++)
        filter(x + r * row, w, c, c, half);
}
