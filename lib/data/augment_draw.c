#include <math.h>
#include <stdbool.h>

#include "base/rng.h"
#include "data/augment_params.h"
#include "ecgcnn/augment.h"

static const double two_pi = 6.283185307179586;

/* Random words of each parameter: its own place, whatever the others do. A choice by rejection that needs
 * more than this runs into the next parameter's, which happens once in 2^200 draws. */
enum { WORDS = 16 };

struct draw {
    const ecg_augment_options *o;
    ecg__rng base;
};

/* The random numbers of `kind`; false when it is not used this time. */
static bool begin(const struct draw *d, enum ecg_augment_kind kind, ecg__rng *r)
{
    *r = d->base;
    r->next = (uint32_t)kind * WORDS;
    return ecg__rng_double(r) < ecg__augment_probability(d->o, (int)kind);
}

static bool on(const ecg_range *r)
{
    return r->lo != 0.0 || r->hi != 0.0;
}

static double uniform(ecg__rng *r, double lo, double hi)
{
    return lo + (hi - lo) * ecg__rng_double(r);
}

/* From a range, or `neutral`. */
static double from_range(const struct draw *d, enum ecg_augment_kind kind, const ecg_range *range,
                         double neutral)
{
    ecg__rng r;
    return on(range) && begin(d, kind, &r) ? uniform(&r, range->lo, range->hi) : neutral;
}

static double shift(const struct draw *d, enum ecg_augment_kind kind, const ecg_shift *s, double extent)
{
    ecg__rng r;
    double v = 0.0, top = s->value[0];
    if (s->kind == ECG_SHIFT_NONE || !begin(d, kind, &r))
        return 0.0;
    switch (s->kind) {
    case ECG_SHIFT_NONE:
        break;
    case ECG_SHIFT_FLOAT:
        v = uniform(&r, -s->value[0], s->value[0]);
        break;
    case ECG_SHIFT_PAIR:
        v = uniform(&r, s->value[0], s->value[1]);
        top = fmax(fabs(s->value[0]), fabs(s->value[1]));
        break;
    case ECG_SHIFT_INT:
        v = ecg__rng_below(&r, (uint32_t)s->value[0]);
        break;
    case ECG_SHIFT_LIST:
        v = s->value[ecg__rng_below(&r, s->count)];
        for (uint32_t i = 1; i < s->count; i++)
            top = fmax(top, s->value[i]);
        break;
    }
    if ((s->kind == ECG_SHIFT_INT || s->kind == ECG_SHIFT_LIST) && ecg__rng_below(&r, 2) == 0)
        v = -v;
    return top < 1.0 ? v * extent : v;
}

static void draw_wander(const struct draw *d, ecg_augmentation *a, double h)
{
    ecg__rng r;
    if (!on(&d->o->wander) || !begin(d, ECG_AUGMENT_WANDER, &r))
        return;
    const double size = h * uniform(&r, d->o->wander.lo, d->o->wander.hi), part = ecg__rng_double(&r);
    a->wander = size * part;
    a->wander_ramp = 2.0 * (1.0 - part) * size * (ecg__rng_below(&r, 2) ? 1.0 : -1.0);
    a->wander_phase = uniform(&r, 0.0, two_pi);
    a->wander_cycles = uniform(&r, 0.3, 1.5);
}

static void draw_crop(const struct draw *d, ecg_augmentation *a, double h, double w)
{
    ecg__rng r;
    if (on(&d->o->crop) && begin(d, ECG_AUGMENT_CROP, &r)) {
        a->crop = uniform(&r, d->o->crop.lo, d->o->crop.hi);
        a->crop_row = ecg__rng_double(&r) * (1.0 - a->crop) * h;
        a->crop_col = ecg__rng_double(&r) * (1.0 - a->crop) * w;
    }
    if (d->o->nine_crops > 0.0 && begin(d, ECG_AUGMENT_NINE_CROPS, &r)) {
        const uint32_t k = ecg__rng_below(&r, 9);
        a->crop = d->o->nine_crops;
        a->crop_row = (k / 3) / 2.0 * (1.0 - a->crop) * h;
        a->crop_col = (k % 3) / 2.0 * (1.0 - a->crop) * w;
    }
}

static void draw_cutout(const struct draw *d, ecg_augmentation *a, uint32_t w)
{
    ecg__rng r;
    if (!on(&d->o->cutout) || !begin(d, ECG_AUGMENT_CUTOUT, &r))
        return;
    const double width = uniform(&r, d->o->cutout.lo, d->o->cutout.hi) * w;
    a->cutout_count = (uint32_t)(width + 0.5);
    a->cutout_first = ecg__rng_below(&r, w - a->cutout_count + 1);
}

void ecg_augment_draw(ecg_augmentation *out, const ecg_augment_options *o, uint32_t h, uint32_t w,
                      uint64_t seed, uint64_t epoch, uint64_t sample)
{
    const struct draw d = {o, ecg__rng_at(seed, ECG__RNG_AUGMENT, epoch, sample)};
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    ecg__rng r;
    a.theta = from_range(&d, ECG_AUGMENT_ROTATION, &o->rotation_range, 0.0);
    a.tx = shift(&d, ECG_AUGMENT_HEIGHT_SHIFT, &o->height_shift_range, h);
    a.ty = shift(&d, ECG_AUGMENT_WIDTH_SHIFT, &o->width_shift_range, w);
    a.shear = from_range(&d, ECG_AUGMENT_SHEAR, &o->shear_range, 0.0);
    if (on(&o->zoom_range) && begin(&d, ECG_AUGMENT_ZOOM, &r)) {
        a.zx = uniform(&r, o->zoom_range.lo, o->zoom_range.hi);
        a.zy = uniform(&r, o->zoom_range.lo, o->zoom_range.hi);
    }
    a.flip_horizontal = o->horizontal_flip && begin(&d, ECG_AUGMENT_HORIZONTAL_FLIP, &r);
    a.flip_vertical = o->vertical_flip && begin(&d, ECG_AUGMENT_VERTICAL_FLIP, &r);
    a.channel_shift = from_range(&d, ECG_AUGMENT_CHANNEL_SHIFT, &o->channel_shift_range, 0.0);
    if (on(&o->brightness_range) && begin(&d, ECG_AUGMENT_BRIGHTNESS, &r)) {
        a.brighten = 1;
        a.brightness = uniform(&r, o->brightness_range.lo, o->brightness_range.hi);
    }
    a.time_shift = w * from_range(&d, ECG_AUGMENT_TIME_SHIFT, &o->time_shift, 0.0);
    a.time_stretch = from_range(&d, ECG_AUGMENT_TIME_STRETCH, &o->time_stretch, 1.0);
    a.gain = from_range(&d, ECG_AUGMENT_GAIN, &o->gain, 1.0);
    draw_wander(&d, &a, h);
    a.pen = from_range(&d, ECG_AUGMENT_PEN, &o->pen, 0.0);
    a.noise = from_range(&d, ECG_AUGMENT_NOISE, &o->noise, 0.0);
    if (a.noise > 0.0) {
        r = d.base;
        r.next = ECG_AUGMENT_NOISE * WORDS + WORDS / 2;
        a.noise_key = (uint64_t)ecg__rng_u32(&r) << 32;
        a.noise_key |= ecg__rng_u32(&r);
    }
    draw_cutout(&d, &a, w);
    draw_crop(&d, &a, h, w);
    *out = a;
}

/* Gamma variate of shape k (Marsaglia and Tsang 2000; below 1 by way of k + 1). */
static double gamma_variate(ecg__rng *r, double k)
{
    const double boost = k < 1.0 ? pow(1.0 - ecg__rng_double(r), 1.0 / k) : 1.0;
    const double d = (k < 1.0 ? k + 1.0 : k) - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (int tries = 0; tries < 64; tries++) {
        const double x = ecg__rng_normal(r), v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        const double u = 1.0 - ecg__rng_double(r);
        if (v > 0.0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v * boost;
    }
    return d * boost;
}

void ecg_augment_mixup(const ecg_augment_options *o, uint64_t seed, uint64_t epoch, uint64_t i,
                       uint64_t count, uint64_t *partner, float *lambda)
{
    const struct draw d = {o, ecg__rng_at(seed, ECG__RNG_AUGMENT, epoch, i)};
    ecg__rng r;
    *partner = i;
    *lambda = 1.0f;
    /* Mixup has the last place, so that it may take as many numbers as it likes. */
    if (!(o->mixup > 0.0) || count < 2 || count > UINT32_MAX || !begin(&d, ECG_AUGMENT_MIXUP, &r))
        return;
    *partner = ecg__rng_below(&r, (uint32_t)count);
    const double a = gamma_variate(&r, o->mixup), b = gamma_variate(&r, o->mixup);
    const double share = a + b > 0.0 ? a / (a + b) : 1.0; /* 0 / 0 for a tiny alpha: all or nothing */
    *lambda = (float)(share > 0.5 ? share : 1.0 - share);
}
