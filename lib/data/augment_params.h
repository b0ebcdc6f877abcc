/* One row per parameter of ecg_augment_options: checking, reading, printing and explaining go through it. */
#ifndef ECG_DATA_AUGMENT_PARAMS_H
#define ECG_DATA_AUGMENT_PARAMS_H

#include <stddef.h>

#include "ecgcnn/augment.h"

enum ecg__param_form {
    ECG__PARAM_RANGE, /* ecg_range */
    ECG__PARAM_SHIFT, /* ecg_shift */
    ECG__PARAM_REAL,  /* double */
    ECG__PARAM_FLAG,  /* uint32_t, 0 or 1 */
    ECG__PARAM_NAME,  /* an enum or uint32_t; the value is the place in names */
};

/* What one number r means as a range. */
enum ecg__param_scalar {
    ECG__SCALAR_EVEN,  /* -r..r */
    ECG__SCALAR_ONE,   /* 1-r..1+r */
    ECG__SCALAR_UP,    /* 0..r */
    ECG__SCALAR_TO_ONE /* r..1 */
};

struct ecg__param {
    ecg_augment_param help;
    enum ecg__param_form form;
    enum ecg__param_scalar scalar;
    size_t offset;
    double min, max;
    int kind; /* ecg_augment_kind, or -1: has no probability */
    const char *const *names;
};

/* Ends with a row whose name is NULL. */
extern const struct ecg__param ecg__augment_params[];

/* A preset is a text of overrides of nothing. */
struct ecg__augment_preset {
    ecg_augment_param help;
    const char *text;
};
extern const struct ecg__augment_preset ecg__augment_presets[];

/* The probability in use. */
static inline double ecg__augment_probability(const ecg_augment_options *o, int kind)
{
    if (o->probability[kind] > 0.0f)
        return (double)o->probability[kind];
    if (kind == ECG_AUGMENT_HORIZONTAL_FLIP || kind == ECG_AUGMENT_VERTICAL_FLIP)
        return 0.5;
    return kind == ECG_AUGMENT_NINE_CROPS ? 0.9 : 1.0;
}

/* Is parameter p set to anything that changes pictures? Numbers 1 and 1 do not where 1 is neutral. */
int ecg__augment_param_on(const ecg_augment_options *o, const struct ecg__param *p);

#endif
