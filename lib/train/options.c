#include "train/options.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/status.h"

static const char *const optimizer_names[] = {"adam", "amsgrad", "adamw", "sgd", "rmsprop"};
static const char *const schedule_names[] = {"constant", "step",      "exponential",
                                             "cosine",   "one-cycle", "plateau"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Index of name in list, or n. */
static size_t find(const char *const *list, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && !(name && strcmp(list[i], name) == 0))
        i++;
    return i;
}

const char *ecg_optimizer_name(ecg_optimizer o)
{
    return (size_t)o < COUNT(optimizer_names) ? optimizer_names[o] : NULL;
}

const char *ecg_schedule_name(ecg_schedule s)
{
    return (size_t)s < COUNT(schedule_names) ? schedule_names[s] : NULL;
}

ecg_status ecg_optimizer_parse(ecg_optimizer *out, const char *name)
{
    const size_t i = find(optimizer_names, COUNT(optimizer_names), name);
    if (i == COUNT(optimizer_names))
        return ECG_EINVAL;
    *out = (ecg_optimizer)i;
    return ECG_OK;
}

ecg_status ecg_schedule_parse(ecg_schedule *out, const char *name)
{
    const size_t i = find(schedule_names, COUNT(schedule_names), name);
    if (i == COUNT(schedule_names))
        return ECG_EINVAL;
    *out = (ecg_schedule)i;
    return ECG_OK;
}

static ecg_status check_counts(const ecg_train_options *o, ecg_error *err)
{
    const struct {
        const char *name;
        uint32_t value, min, max;
    } counts[] = {
        {"epochs", o->epochs, 1, 1000000},
        {"batch", o->batch, 1, 65536},
        {"threads", o->threads, 0, 256},
        {"shards", o->shards, 0, 1024},
        {"optimizer", (uint32_t)o->optimizer, 0, COUNT(optimizer_names) - 1},
        {"nesterov", o->nesterov, 0, 1},
        {"schedule", (uint32_t)o->schedule, 0, COUNT(schedule_names) - 1},
        {"every", o->every, 1, 1000000},
        {"weighted_mean", o->weighted_mean, 0, 1},
        {"early_stop", o->early_stop, 0, 1000000},
        {"reduce", (uint32_t)o->reduce, 0, ECG_REDUCE_FAST},
        {"local_statistics", o->local_statistics, 0, 1},
    };
    for (size_t i = 0; i < COUNT(counts); i++)
        if (counts[i].value < counts[i].min || counts[i].value > counts[i].max)
            return ecg__fail(err, ECG_EINVAL, "train options: %s must be %u..%u, got %u", counts[i].name,
                             counts[i].min, counts[i].max, counts[i].value);
    if (o->warmup >= o->epochs)
        return ecg__fail(err, ECG_EINVAL, "train options: warmup must be below epochs, which is %u, got %u",
                         o->epochs, o->warmup);
    if (o->local_statistics && o->reduce != ECG_REDUCE_FAST)
        return ecg__fail(err, ECG_EINVAL, "train options: local_statistics need reduce ECG_REDUCE_FAST");
    return ECG_OK;
}

/* Written so that NaN is in no range. */
static bool below_one(float v)
{
    return v >= 0.0f && v < 1.0f;
}

static bool not_negative(float v)
{
    return v >= 0.0f && isfinite(v);
}

static ecg_status check_numbers(const ecg_train_options *o, ecg_error *err)
{
    static const char from_0_below_1[] = "at least 0 and below 1", from_0[] = "a finite number not below 0";
    const struct {
        const char *name;
        float value;
        bool good;
        const char *range;
    } numbers[] = {
        {"lr", o->lr, o->lr > 0.0f && isfinite(o->lr), "a finite number above 0"},
        {"beta1", o->beta1, below_one(o->beta1), from_0_below_1},
        {"beta2", o->beta2, below_one(o->beta2), from_0_below_1},
        {"epsilon", o->epsilon, o->epsilon > 0.0f && o->epsilon <= 1.0f, "above 0 and at most 1"},
        {"momentum", o->momentum, below_one(o->momentum), from_0_below_1},
        {"weight_decay", o->weight_decay, not_negative(o->weight_decay), from_0},
        {"l2", o->l2, not_negative(o->l2), from_0},
        {"clip_norm", o->clip_norm, not_negative(o->clip_norm), from_0},
        {"clip_value", o->clip_value, not_negative(o->clip_value), from_0},
        {"gamma", o->gamma, o->gamma > 0.0f && o->gamma <= 1.0f, "above 0 and at most 1"},
        {"lr_min", o->lr_min, o->lr_min >= 0.0f && o->lr_min <= o->lr, "at least 0 and at most lr"},
        {"label_smoothing", o->label_smoothing, below_one(o->label_smoothing), from_0_below_1},
    };
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!numbers[i].good)
            return ecg__fail(err, ECG_EINVAL, "train options: %s must be %s, got %.9g", numbers[i].name,
                             numbers[i].range, (double)numbers[i].value);
    if (o->optimizer == ECG_SGD && o->nesterov && !(o->momentum > 0.0f))
        return ecg__fail(err, ECG_EINVAL, "train options: momentum must be above 0 with nesterov, got 0");
    return ECG_OK;
}

ecg_status ecg__train_options_read(ecg_train_options *out, const ecg_train_options *in, ecg_error *err)
{
    *out = (ecg_train_options)ECG_TRAIN_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(out, sizeof *out, in, "train options", err);
    if (s == ECG_OK)
        s = check_counts(out, err);
    if (s == ECG_OK)
        s = check_numbers(out, err);
    if (out->shards == 0)
        out->shards = 16;
    return s;
}

ecg_status ecg_train_options_check(const ecg_train_options *o, ecg_error *err)
{
    ecg_train_options copy;
    return ecg__train_options_read(&copy, o, err);
}

ecg_status ecg__class_weights_check(const float *class_weights, uint32_t classes, ecg_error *err)
{
    bool any = class_weights == NULL;
    for (uint32_t i = 0; class_weights && i < classes; i++) {
        if (!not_negative(class_weights[i]))
            return ecg__fail(err, ECG_EINVAL,
                             "train options: class_weights[%u] must be a finite number not below 0, got %.9g",
                             i, (double)class_weights[i]);
        any = any || class_weights[i] > 0.0f;
    }
    if (!any)
        return ecg__fail(err, ECG_EINVAL, "train options: class_weights are all 0, one must be above");
    return ECG_OK;
}
