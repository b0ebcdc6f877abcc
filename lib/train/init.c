#include "train/init.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

/* Standard deviation of a standard normal that is cut off at two of its deviations. */
static const double cut_deviation = 0.87962566103423978;

static void fill_uniform(ecg__rng *r, double limit, float *w, size_t n)
{
    const float top = (float)limit;
    for (size_t i = 0; i < n; i++)
        w[i] = top * (2.0f * ecg__rng_float(r) - 1.0f);
}

static void fill_normal(ecg__rng *r, double deviation, float *w, size_t n)
{
    const double wide = deviation / cut_deviation;
    for (size_t i = 0; i < n; i++) {
        double z;
        do
            z = ecg__rng_normal(r);
        while (fabs(z) > 2.0);
        w[i] = (float)(wide * z);
    }
}

void ecg__init_weights(const ecg_spec *s, uint64_t seed, float *flat)
{
    memset(flat, 0, s->floats * sizeof *flat);
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        const ecg__tensor *t = slot->tensor;
        float *w = flat + slot->offset;
        ecg__rng r = ecg__rng_at(seed, ECG__RNG_INIT, slot->layer, i - s->layer[slot->layer].first_tensor);
        const double in = t->fan_in, both = in + t->fan_out;
        switch (t->init) {
        case ECG__INIT_FILL:
            for (size_t k = 0; k < t->count; k++)
                w[k] = t->fill;
            break;
        case ECG__INIT_GLOROT_UNIFORM:
            fill_uniform(&r, sqrt(6.0 / both), w, t->count);
            break;
        case ECG__INIT_GLOROT_NORMAL:
            fill_normal(&r, sqrt(2.0 / both), w, t->count);
            break;
        case ECG__INIT_HE_UNIFORM:
            fill_uniform(&r, sqrt(6.0 / in), w, t->count);
            break;
        case ECG__INIT_HE_NORMAL:
            fill_normal(&r, sqrt(2.0 / in), w, t->count);
            break;
        }
    }
}
