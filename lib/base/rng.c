#include "base/rng.h"

#include <math.h>

double ecg__rng_normal(ecg__rng *r)
{
    const double u = 1.0 - ecg__rng_double(r); /* in (0, 1]: the logarithm is finite */
    const double v = ecg__rng_double(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925286766559 * v);
}

void ecg__rng_shuffle(ecg__rng *r, uint32_t *v, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t j = ecg__rng_below(r, i), t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}
