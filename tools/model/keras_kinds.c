/* The kinds of layers and activations of Keras that are known here, one function each. */
#include <math.h>
#include <string.h>

#include "model/keras_layers.h"

static const uint32_t ones[2] = {1, 1};

/* "same" or "valid" */
static ecg_status padding(const keras_work_at *w, bool *same)
{
    const char *text = keras_string(w->at->config, "padding");
    *same = text && strcmp(text, "same") == 0;
    if (!text || *same || strcmp(text, "valid") == 0)
        return ECG_OK;
    return keras_refuse(w, "padding is %.40s, supported are valid and same", text);
}

static ecg_status places(keras_work_at *w, uint32_t rank, bool bias)
{
    ecg_status s = keras_place_add(w, "kernel", 0, 0.0f, rank);
    if (s == ECG_OK && bias)
        s = keras_place_add(w, "bias", 1, 0.0f, 1);
    return s;
}

static ecg_status conv2d(keras_work_at *w)
{
    uint32_t filters = 0, kernel[2], stride[2], dilation[2];
    double groups = 1.0;
    bool same = false;
    ecg_status s = keras_uint(w, "filters", 1, 65536, &filters);
    if (s == ECG_OK)
        s = keras_pair(w, "kernel_size", NULL, kernel);
    if (s == ECG_OK)
        s = keras_pair(w, "strides", ones, stride);
    if (s == ECG_OK)
        s = keras_pair(w, "dilation_rate", ones, dilation);
    if (s == ECG_OK)
        s = keras_number(w, "groups", 1.0, &groups);
    if (s == ECG_OK)
        s = padding(w, &same);
    if (s != ECG_OK)
        return s;
    if (groups < 1.0 || groups > 1.0)
        return keras_refuse(w, "has %g groups, supported is one", groups);
    if (w->flat)
        return keras_refuse(w, "reads what is flat already");
    char pad[64] = "";
    if (w->padded && same)
        return keras_refuse(
            w, "has padding same after a ZeroPadding2D, which is supported before padding valid");
    if (w->padded)
        snprintf(pad, sizeof pad, " pad=%u,%u,%u,%u", w->pad[0], w->pad[1], w->pad[2], w->pad[3]);
    w->padded = false;
    const bool bias = keras_flag(w, "use_bias", true);
    s = keras_item(w, "conv2d", " %u %ux%u stride=%ux%u dilation=%ux%u%s%s", filters, kernel[0], kernel[1],
                   stride[0], stride[1], dilation[0], dilation[1], same ? " pad=same" : pad,
                   bias ? "" : " bias=0");
    return s == ECG_OK ? places(w, 4, bias) : s;
}

static ecg_status dense(keras_work_at *w)
{
    uint32_t units = 0;
    const ecg_status s = keras_uint(w, "units", 1, 1048576, &units);
    if (s != ECG_OK)
        return s;
    const bool bias = keras_flag(w, "use_bias", true);
    const char *without = bias ? "" : " bias=0";
    w->units = units;
    /* Of rows and columns, each place by itself: a convolution of one. */
    const ecg_status put = w->flat ? keras_item(w, "dense", " %u%s", units, without)
                                   : keras_item(w, "conv2d", " %u 1x1%s", units, without);
    return put == ECG_OK ? places(w, 2, bias) : put;
}

static ecg_status batchnorm(keras_work_at *w)
{
    double eps = 0.0, momentum = 0.0;
    ecg_status s = keras_last_axis(w, "axis");
    if (s == ECG_OK)
        s = keras_number(w, "epsilon", 1e-3, &eps);
    if (s == ECG_OK)
        s = keras_number(w, "momentum", 0.99, &momentum);
    if (s == ECG_OK && keras_flag(w, "renorm", false))
        s = keras_refuse(w, "renorm is not supported");
    if (s == ECG_OK)
        s = keras_item(w, "batchnorm", " eps=%.9g momentum=%.9g", eps, momentum);
    int n = 0;
    if (s == ECG_OK)
        s = keras_place_add(w, "gamma", keras_flag(w, "scale", true) ? n++ : -1, 1.0f, 1);
    if (s == ECG_OK)
        s = keras_place_add(w, "beta", keras_flag(w, "center", true) ? n++ : -1, 0.0f, 1);
    if (s == ECG_OK)
        s = keras_place_add(w, "mean", n, 0.0f, 1);
    return s == ECG_OK ? keras_place_add(w, "variance", n + 1, 1.0f, 1) : s;
}

static ecg_status pool(keras_work_at *w, const char *kind)
{
    static const uint32_t two[2] = {2, 2};
    uint32_t size[2], stride[2];
    bool same = false;
    ecg_status s = keras_pair(w, "pool_size", two, size);
    if (s == ECG_OK)
        s = keras_pair(w, "strides", size, stride);
    if (s == ECG_OK)
        s = padding(w, &same);
    if (s == ECG_OK && w->flat)
        s = keras_refuse(w, "reads what is flat already");
    if (s == ECG_OK && (stride[0] == 0 || stride[1] == 0))
        s = keras_refuse(w, "strides must be above 0");
    if (s != ECG_OK)
        return s;
    char step[40] = ""; /* as the size, unless it is said */
    if (stride[0] != size[0] || stride[1] != size[1])
        snprintf(step, sizeof step, " stride=%ux%u", stride[0], stride[1]);
    return keras_item(w, kind, " %ux%u%s%s", size[0], size[1], step, same ? " pad=same" : "");
}

static ecg_status maxpool(keras_work_at *w)
{
    return pool(w, "maxpool");
}

static ecg_status avgpool(keras_work_at *w)
{
    return pool(w, "avgpool");
}

static ecg_status global(keras_work_at *w, const char *kind)
{
    if (w->flat)
        return keras_refuse(w, "reads what is flat already");
    w->flat = !keras_flag(w, "keepdims", false);
    return keras_item(w, kind, "%s", "");
}

static ecg_status global_max(keras_work_at *w)
{
    return global(w, "global_maxpool");
}

static ecg_status global_avg(keras_work_at *w)
{
    return global(w, "global_avgpool");
}

static ecg_status flatten(keras_work_at *w)
{
    w->flat = true;
    return keras_item(w, "flatten", "%s", "");
}

static ecg_status dropout(keras_work_at *w)
{
    double rate = 0.0;
    const ecg_status s = keras_number(w, "rate", 0.0, &rate);
    return s == ECG_OK ? keras_item(w, "dropout", " %.9g", rate) : s;
}

/* [[top, bottom], [left, right]], [rows, columns] or one number. */
static ecg_status zero_padding(keras_work_at *w)
{
    const json_t *v = json_object_get(w->at->config, "padding");
    for (size_t axis = 0; axis < 2; axis++) {
        const json_t *pair = json_is_array(v) ? json_array_get(v, axis) : v;
        for (size_t side = 0; side < 2; side++) {
            const json_t *n = json_is_array(pair) ? json_array_get(pair, side) : pair;
            if (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > 4096)
                return keras_refuse(w, "padding must be whole numbers, 0 to 4096");
            w->pad[2 * axis + side] = (uint32_t)json_integer_value(n);
        }
    }
    w->padded = true;
    return ECG_OK;
}

/* A number for all channels, or a list with one for each. */
static ecg_status per_channel(const keras_work_at *w, const char *key, double out[4])
{
    const json_t *v = json_object_get(w->at->config, key);
    if (json_is_array(v) && json_array_size(v) != w->channels)
        return keras_refuse(w, "%s has %zu numbers for %u channels", key, json_array_size(v), w->channels);
    for (size_t k = 0; k < 4; k++) {
        const json_t *n = json_is_array(v) ? json_array_get(v, k < w->channels ? k : 0) : v;
        if (!json_is_number(n) || !isfinite(json_number_value(n)))
            return keras_refuse(w, "%s must be numbers", key);
        out[k] = json_number_value(n);
    }
    return ECG_OK;
}

/* Part of what makes numbers of a picture. */
static ecg_status rescaling(keras_work_at *w)
{
    if (w->items || w->padded || fabs(w->scale[0]) > 0.0)
        return keras_refuse(w, "is supported once, before all other layers");
    double scale[4];
    ecg_status s = per_channel(w, "scale", scale);
    if (s == ECG_OK)
        s = per_channel(w, "offset", w->offset);
    for (size_t k = 0; s == ECG_OK && k < 4; k++)
        if (!(scale[k] > 0.0))
            s = keras_refuse(w, "scale must be above 0");
    if (s == ECG_OK)
        memcpy(w->scale, scale, sizeof scale);
    return s;
}

/* ---- activations ---- */

static ecg_status leaky(keras_work_at *w, double slope)
{
    return keras_item(w, "leaky_relu", " %.9g", slope);
}

static ecg_status activation_layer(keras_work_at *w)
{
    const json_t *a = json_object_get(w->at->config, "activation");
    return a ? ECG_OK : keras_refuse(w, "has no activation"); /* the rest is done for every layer */
}

static ecg_status relu_layer(keras_work_at *w)
{
    double slope = 0.0, threshold = 0.0;
    ecg_status s = keras_number(w, "negative_slope", 0.0, &slope);
    if (s == ECG_OK)
        s = keras_number(w, "threshold", 0.0, &threshold);
    const json_t *most = json_object_get(w->at->config, "max_value");
    if (s == ECG_OK && ((most && !json_is_null(most)) || fabs(threshold) > 0.0))
        s = keras_refuse(w, "max_value and threshold are not supported");
    if (s != ECG_OK)
        return s;
    return fabs(slope) > 0.0 ? leaky(w, slope) : keras_item(w, "relu", "%s", "");
}

static ecg_status leaky_layer(keras_work_at *w)
{
    double slope = 0.0;
    const char *key = json_object_get(w->at->config, "alpha") ? "alpha" : "negative_slope";
    const ecg_status s = keras_number(w, key, 0.3, &slope);
    return s == ECG_OK ? leaky(w, slope) : s;
}

static ecg_status elu_layer(keras_work_at *w)
{
    double alpha = 0.0;
    const ecg_status s = keras_number(w, "alpha", 1.0, &alpha);
    return s == ECG_OK ? keras_item(w, "elu", " %.9g", alpha) : s;
}

static ecg_status softmax_layer(keras_work_at *w)
{
    const ecg_status s = keras_last_axis(w, "axis");
    return s == ECG_OK ? keras_item(w, "softmax", "%s", "") : s;
}

static const keras_kind kinds[] = {
    {"Rescaling", rescaling, false},
    {"Conv2D", conv2d, true},
    {"Dense", dense, true},
    {"BatchNormalization", batchnorm, false},
    {"MaxPooling2D", maxpool, false},
    {"AveragePooling2D", avgpool, false},
    {"GlobalMaxPooling2D", global_max, false},
    {"GlobalAveragePooling2D", global_avg, false},
    {"ZeroPadding2D", zero_padding, false},
    {"Flatten", flatten, false},
    {"Dropout", dropout, false},
    {"Activation", activation_layer, true},
    {"ReLU", relu_layer, false},
    {"LeakyReLU", leaky_layer, false},
    {"ELU", elu_layer, false},
    {"Softmax", softmax_layer, false},
};

const keras_kind *keras_kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Functions by name. Keras' gelu is the exact one unless it is asked otherwise, which has no name. */
static ecg_status by_name(keras_work_at *w, const char *name)
{
    static const struct {
        const char *keras, *ours;
    } same[] = {{"relu", "relu"}, {"elu", "elu"},   {"softmax", "softmax"}, {"sigmoid", "sigmoid"},
                {"tanh", "tanh"}, {"gelu", "gelu"}, {"silu", "silu"},       {"swish", "silu"}};
    if (strcmp(name, "linear") == 0)
        return ECG_OK;
    if (strcmp(name, "leaky_relu") == 0)
        return leaky(w, 0.2);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(name, same[i].keras) == 0)
            return keras_item(w, same[i].ours, "%s", "");
    return keras_refuse(w,
                        "activation %.40s is not supported; supported are linear, relu, leaky_relu, elu, "
                        "softmax, sigmoid, tanh, gelu, silu and swish",
                        name);
}

ecg_status keras_activation(keras_work_at *w, const json_t *activation)
{
    static const char *const layers[] = {"ReLU", "LeakyReLU", "ELU", "Softmax"};
    if (!activation || json_is_null(activation))
        return ECG_OK;
    if (json_is_string(activation))
        return by_name(w, json_string_value(activation));
    const char *kind = keras_string(activation, "class_name");
    const json_t *config = json_object_get(activation, "config");
    if (!kind)
        return keras_refuse(w, "its activation has no name");
    if (json_is_string(config)) /* a function */
        return by_name(w, json_string_value(config));
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        if (strcmp(kind, layers[i]) != 0)
            continue;
        const keras_layer inner = {kind, w->at->name, config};
        const keras_layer *const outer = w->at;
        w->at = &inner;
        const ecg_status s = keras_kind_of(kind)->take(w);
        w->at = outer;
        return s;
    }
    return keras_refuse(w, "its activation %.60s is not supported", kind);
}
