#include "ecgcnn/augment.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "data/augment_params.h"

static ecg_status refuse(const struct ecg__param *p, double v, ecg_error *err)
{
    char text[ECG__NUMBER_TEXT] = "not a finite number";
    if (isfinite(v))
        ecg__number_print(v, text);
    return ecg__fail(err, ECG_EINVAL, "augmentation: %s must be %s, got %s", p->help.name, p->help.range,
                     text);
}

/* NaN is in no range. */
static bool within(const struct ecg__param *p, double v)
{
    return v >= p->min && v <= p->max;
}

static ecg_status check_range(const struct ecg__param *p, const ecg_range *r, ecg_error *err)
{
    if (r->lo == 0.0 && r->hi == 0.0)
        return ECG_OK;
    if (!within(p, r->lo))
        return refuse(p, r->lo, err);
    if (!within(p, r->hi))
        return refuse(p, r->hi, err);
    if (r->lo > r->hi)
        return ecg__fail(err, ECG_EINVAL,
                         "augmentation: %s goes from %g down to %g, expected the lower first", p->help.name,
                         r->lo, r->hi);
    return ECG_OK;
}

static ecg_status check_shift(const struct ecg__param *p, ecg_shift *s, ecg_error *err)
{
    if ((unsigned)s->kind > ECG_SHIFT_PAIR)
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s has no kind %d", p->help.name, (int)s->kind);
    if (s->kind == ECG_SHIFT_LIST && (s->count < 1 || s->count > ECG_SHIFT_MAX))
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s must list 1..%d values, got %u", p->help.name,
                         ECG_SHIFT_MAX, s->count);
    const uint32_t n = s->kind == ECG_SHIFT_NONE   ? 0
                       : s->kind == ECG_SHIFT_LIST ? s->count
                       : s->kind == ECG_SHIFT_PAIR ? 2
                                                   : 1;
    for (uint32_t i = 0; i < n; i++)
        if (!within(p, s->value[i]))
            return refuse(p, s->value[i], err);
    /* Keras takes a negative number for a fraction of the picture, however large: never meant. */
    if ((s->kind == ECG_SHIFT_FLOAT || s->kind == ECG_SHIFT_INT) && s->value[0] < 0.0)
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s must not be negative, got %g (it goes both ways)",
                         p->help.name, s->value[0]);
    if (s->kind == ECG_SHIFT_INT && s->value[0] != floor(s->value[0]))
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s as an int must be whole, got %g", p->help.name,
                         s->value[0]);
    if (s->kind == ECG_SHIFT_PAIR && s->value[0] > s->value[1])
        return ecg__fail(err, ECG_EINVAL,
                         "augmentation: %s goes from %g down to %g, expected the lower first", p->help.name,
                         s->value[0], s->value[1]);
    bool off = true;
    for (uint32_t i = 0; i < n; i++)
        off = off && s->value[i] == 0.0;
    if (off)
        s->kind = ECG_SHIFT_NONE;
    s->count = s->kind == ECG_SHIFT_LIST ? s->count : 0;
    for (uint32_t i = off ? 0 : n; i < ECG_SHIFT_MAX; i++)
        s->value[i] = 0.0;
    return ECG_OK;
}

static ecg_status check_param(const struct ecg__param *p, ecg_augment_options *o, ecg_error *err)
{
    void *const at = (char *)o + p->offset;
    const double real = p->form == ECG__PARAM_REAL ? *(double *)at : 0.0;
    uint32_t v;
    switch (p->form) {
    case ECG__PARAM_RANGE:
        return check_range(p, at, err);
    case ECG__PARAM_SHIFT:
        return check_shift(p, at, err);
    case ECG__PARAM_REAL:
        return real == 0.0 || within(p, real) ? ECG_OK : refuse(p, real, err);
    case ECG__PARAM_FLAG:
    case ECG__PARAM_NAME:
        memcpy(&v, at, sizeof v);
        if ((double)v > p->max || (p->names && !p->names[v][0]))
            return refuse(p, v, err);
        break;
    }
    return ECG_OK;
}

ecg_status ecg_augment_check(ecg_augment_options *out, const ecg_augment_options *in, ecg_error *err)
{
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&o, sizeof o, in, "augmentation options", err);
    o.size = sizeof o;
    for (const struct ecg__param *p = ecg__augment_params; s == ECG_OK && p->help.name; p++) {
        s = check_param(p, &o, err);
        if (s == ECG_OK && p->kind >= 0 &&
            !(o.probability[p->kind] >= 0.0f && o.probability[p->kind] <= 1.0f))
            s = ecg__fail(err, ECG_EINVAL, "augmentation: the probability of %s must be 0..1, got %g",
                          p->help.name, (double)o.probability[p->kind]);
    }
    if (s == ECG_OK && o.nine_crops != 0.0 && o.crop.hi != 0.0)
        s = ecg__fail(err, ECG_EINVAL, "augmentation: crop and nine_crops exclude each other");
    if (s == ECG_OK)
        *out = o;
    return s;
}

int ecg_augment_changes(const ecg_augment_options *o)
{
    for (const struct ecg__param *p = ecg__augment_params; p->help.name; p++)
        if (p->kind >= 0 && p->kind != ECG_AUGMENT_MIXUP && ecg__augment_param_on(o, p))
            return 1;
    return 0;
}
