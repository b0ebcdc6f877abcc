#define _POSIX_C_SOURCE 200809L
/* Keras layers as items of network text, and where their weights go. Whatever is not known to mean the same
 * is refused by name. */
#include "model/keras_layers.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char supported[] =
    "InputLayer, Rescaling, Conv2D, Dense, BatchNormalization, MaxPooling2D, AveragePooling2D, "
    "GlobalMaxPooling2D, GlobalAveragePooling2D, ZeroPadding2D, Flatten, Dropout, Activation, ReLU, "
    "LeakyReLU, "
    "ELU, Softmax";

ecg_status keras_refuse(const keras_work_at *w, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return import_fail(w->err, ECG_EUNSUPPORTED, "%s: layer \"%.100s\" (%.60s): %s", w->path, w->at->name,
                       w->at->kind, text);
}

ecg_status keras_item(keras_work_at *w, const char *kind, const char *fmt, ...)
{
    if (w->items == KERAS_LAYERS)
        return import_fail(w->err, ECG_ELIMIT, "%s: more than %d layers", w->path, KERAS_LAYERS);
    keras_item_text *i = &w->item[w->items++];
    i->kind = kind;
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(i->attributes, sizeof i->attributes, fmt, args);
    va_end(args);
    return n < (int)sizeof i->attributes ? ECG_OK : keras_refuse(w, "its attributes are too long");
}

ecg_status keras_place_add(keras_work_at *w, const char *tensor, int nth, float fill, uint32_t rank)
{
    keras_plan *p = w->out;
    keras_place *more = realloc(p->place, (p->places + 1) * sizeof *more);
    if (!more)
        return import_fail(w->err, ECG_ENOMEM, "%s: out of memory", w->path);
    p->place = more;
    keras_place *at = &p->place[p->places];
    *at = (keras_place){.layer = w->at, .nth = nth, .fill = fill, .rank = rank, .first = p->places == 0};
    p->places++;
    snprintf(at->tensor, sizeof at->tensor, "%zu.%s.%s", w->items, w->item[w->items - 1].kind, tensor);
    return ECG_OK;
}

/* ---- members of a configuration ---- */

ecg_status keras_uint(const keras_work_at *w, const char *key, uint32_t least, uint32_t most, uint32_t *out)
{
    const json_t *v = json_object_get(w->at->config, key);
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
        return keras_refuse(w, "%s must be a whole number, %u to %u", key, least, most);
    *out = (uint32_t)json_integer_value(v);
    return ECG_OK;
}

/* A pair of numbers, or one for both; `fallback` where it is missing or null. */
ecg_status keras_pair(const keras_work_at *w, const char *key, const uint32_t fallback[2], uint32_t out[2])
{
    const json_t *v = json_object_get(w->at->config, key);
    if (fallback && (!v || json_is_null(v))) {
        out[0] = fallback[0];
        out[1] = fallback[1];
        return ECG_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        const json_t *n = json_is_array(v) && json_array_size(v) == 2 ? json_array_get(v, i) : v;
        if (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > 65536)
            return keras_refuse(w, "%s must be one or two whole numbers", key);
        out[i] = (uint32_t)json_integer_value(n);
    }
    return ECG_OK;
}

/* `fallback` where it is missing or null. */
ecg_status keras_number(const keras_work_at *w, const char *key, double fallback, double *out)
{
    const json_t *v = json_object_get(w->at->config, key);
    *out = fallback;
    if (!v || json_is_null(v))
        return ECG_OK;
    if (!json_is_number(v))
        return keras_refuse(w, "%s must be a number", key);
    *out = json_number_value(v);
    return ECG_OK;
}

/* True or false, `fallback` where it is missing. */
bool keras_flag(const keras_work_at *w, const char *key, bool fallback)
{
    const json_t *v = json_object_get(w->at->config, key);
    return v ? json_is_true(v) : fallback;
}

ecg_status keras_channels_last(const keras_work_at *w)
{
    const char *format = keras_string(w->at->config, "data_format");
    if (!format || strcmp(format, "channels_last") == 0)
        return ECG_OK;
    return keras_refuse(w, "data_format is %.40s, supported is channels_last", format);
}

/* The axis of an operation must be the channels. */
ecg_status keras_last_axis(const keras_work_at *w, const char *key)
{
    const json_t *v = json_object_get(w->at->config, key);
    if (json_is_array(v) && json_array_size(v) == 1)
        v = json_array_get(v, 0);
    if (!v || json_is_null(v))
        return ECG_OK;
    const json_int_t axis = json_is_integer(v) ? json_integer_value(v) : 0;
    if (axis == -1 || axis == (w->flat ? 1 : 3))
        return ECG_OK;
    return keras_refuse(w, "%s is not the last, the channels", key);
}

/* ---- from layers to text ---- */

/* Layers that only training sees. */
static bool is_idle(const char *kind)
{
    static const char *const idle[] = {
        "SpatialDropout2D", "GaussianNoise",     "GaussianDropout", "AlphaDropout", "ActivityRegularization",
        "RandomFlip",       "RandomTranslation", "RandomRotation",  "RandomZoom",   "RandomContrast",
        "RandomBrightness", "Identity",
    };
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        if (strcmp(kind, idle[i]) == 0)
            return true;
    return false;
}

/* "mixed_float16", by itself or as a policy. Weights are single precision all the same. */
static void note_precision(keras_work_at *w)
{
    const json_t *dtype = json_object_get(w->at->config, "dtype");
    const char *name = json_is_object(dtype) ? keras_string(json_object_get(dtype, "config"), "name")
                                             : json_string_value(dtype);
    if (!name || strcmp(name, "float32") == 0 || w->noted)
        return;
    w->noted = true;
    import_note(w->model, "computed in %.40s there, in single precision here: answers differ a little", name);
}

static ecg_status take_layer(keras_work_at *w)
{
    note_precision(w);
    if (is_idle(w->at->kind)) {
        import_note(w->model, "layer \"%.100s\" (%.60s) only matters in training and is left out",
                    w->at->name, w->at->kind);
        return ECG_OK;
    }
    const keras_kind *k = keras_kind_of(w->at->kind);
    if (!k)
        return keras_refuse(w, "is not supported; supported are %s", supported);
    if (w->padded && strcmp(w->at->kind, "Conv2D") != 0)
        return keras_refuse(w, "follows a ZeroPadding2D, which is supported before a Conv2D alone");
    ecg_status s = keras_channels_last(w);
    if (s == ECG_OK)
        s = k->take(w);
    if (s == ECG_OK && k->activated)
        s = keras_activation(w, json_object_get(w->at->config, "activation"));
    return s;
}

/* ---- the end: answers must be probabilities ---- */

static const keras_item_text *item_from_end(const keras_work_at *w, size_t i)
{
    return w->items > i ? &w->item[w->items - 1 - i] : NULL;
}

/* A dense layer of one output z: the probability 1 / (1 + exp(-z)) is the second of softmax(0, z). */
static void make_logistic(keras_work_at *w)
{
    keras_item_text *dense = &w->item[w->items - 1];
    const bool bias = strstr(dense->attributes, "bias=0") == NULL;
    snprintf(dense->attributes, sizeof dense->attributes, " 2%s", bias ? "" : " bias=0");
    for (size_t i = 0; i < (bias ? 2u : 1u); i++)
        w->out->place[w->out->places - 1 - i].logistic = true;
    import_note(w->model, "one output with a sigmoid became two classes, the first 1 - p, the second p");
}

static ecg_status finish(keras_work_at *w, const import_options *o)
{
    const keras_item_text *last = item_from_end(w, 0), *before = item_from_end(w, 1);
    const bool one = w->units == 1;
    if (last && strcmp(last->kind, "softmax") == 0)
        return ECG_OK;
    if (last && strcmp(last->kind, "sigmoid") == 0 && before && strcmp(before->kind, "dense") == 0) {
        if (!one)
            return keras_refuse(w,
                                "ends in a sigmoid of %u outputs: answers that do not exclude each other are "
                                "not supported",
                                w->units);
        w->items--;
    } else if (last && strcmp(last->kind, "dense") == 0) {
        if (!o->softmax)
            return keras_refuse(w, "the model ends without softmax; if it was trained on logits "
                                   "(from_logits=True), give --softmax to add it");
        if (!one)
            import_note(w->model, "a softmax was added at the end");
    } else {
        return keras_refuse(w, "the model does not end in a softmax");
    }
    if (one)
        make_logistic(w);
    return keras_item(w, "softmax", "%s", "");
}

static ecg_status join(keras_work_at *w, const keras_chain *c, bool gray)
{
    size_t bytes;
    FILE *f = open_memstream(&w->out->text, &bytes);
    if (!f)
        return import_fail(w->err, ECG_ENOMEM, "%s: out of memory", w->path);
    fprintf(f, "input %ux%ux%u", c->h, c->w, gray ? 1 : c->c);
    for (size_t i = 0; i < w->items; i++)
        fprintf(f, "; %s%s", w->item[i].kind, w->item[i].attributes);
    if (fclose(f) != 0 || !w->out->text)
        return import_fail(w->err, ECG_ENOMEM, "%s: out of memory", w->path);
    return ECG_OK;
}

/* Before the first kernel there may be what treats equal channels equally, and no more. */
static ecg_status check_gray(keras_work_at *w, const keras_chain *c)
{
    static const char *const may[] = {"maxpool",    "avgpool",        "dropout",       "flatten", "relu",
                                      "elu",        "tanh",           "sigmoid",       "gelu",    "silu",
                                      "leaky_relu", "global_maxpool", "global_avgpool"};
    if (c->c != 3)
        return import_fail(w->err, ECG_EINVAL, "%s: the network reads %u channels: --gray is for three",
                           w->path, c->c);
    for (size_t i = 0; i < w->items; i++) {
        const char *kind = w->item[i].kind;
        bool ok = false;
        if (strcmp(kind, "conv2d") == 0 || strcmp(kind, "dense") == 0)
            return ECG_OK;
        for (size_t k = 0; !ok && k < sizeof may / sizeof *may; k++)
            ok = strcmp(kind, may[k]) == 0;
        if (!ok)
            return import_fail(w->err, ECG_EUNSUPPORTED,
                               "%s: --gray: a %s before the first Conv2D or Dense tells channels apart",
                               w->path, kind);
    }
    return import_fail(w->err, ECG_EUNSUPPORTED, "%s: --gray: there is no Conv2D or Dense", w->path);
}

static ecg_status set_size(const keras_work_at *w, keras_chain *c, const import_options *o)
{
    if (c->c == 0)
        return import_fail(w->err, ECG_EUNSUPPORTED, "%s: the shape of the input is not in the file",
                           w->path);
    if (o->h && ((c->h && c->h != o->h) || (c->w && c->w != o->w)))
        return import_fail(w->err, ECG_EINVAL, "%s: the network reads %ux%u pictures, not --size %ux%u",
                           w->path, c->h, c->w, o->h, o->w);
    c->h = o->h ? o->h : c->h;
    c->w = o->w ? o->w : c->w;
    if (c->h == 0 || c->w == 0)
        return import_fail(w->err, ECG_EINVAL,
                           "%s: the network reads pictures of any size: give --size ROWSxCOLUMNS", w->path);
    return ECG_OK;
}

static ecg_status set_rescale(keras_work_at *w, const import_options *o, bool gray)
{
    const bool rescaling = w->scale[0] != 0.0;
    ecg_preprocess *p = &w->model->prep;
    if (!(o->rescale > 0.0) && !rescaling)
        return import_fail(w->err, ECG_EINVAL,
                           "%s: how pixels were scaled in training is not in a Keras file: give --rescale, "
                           "1/255 in most programs, 1 for none",
                           w->path);
    const double rescale = o->rescale > 0.0 ? o->rescale : 1.0;
    p->rescale = (float)rescale;
    for (size_t k = 0; rescaling && k < w->channels; k++) {
        if (gray && (w->scale[k] != w->scale[0] || w->offset[k] != w->offset[0]))
            return import_fail(w->err, ECG_EUNSUPPORTED,
                               "%s: --gray: Rescaling has other numbers for each channel", w->path);
        /* (pixel * rescale * s0 - mean) / deviation = pixel * rescale * s + o */
        p->rescale = (float)(rescale * w->scale[0]);
        if (gray && k > 0)
            continue;
        p->deviation[k] = (float)(w->scale[0] / w->scale[k]);
        p->mean[k] = (float)(-w->offset[k] * w->scale[0] / w->scale[k]);
    }
    return ECG_OK;
}

ecg_status keras_plan_make(keras_plan *out, keras_chain *c, const import_options *o, const char *path,
                           import_model *m, ecg_error *err)
{
    *out = (keras_plan){.gray = o->gray != 0};
    keras_work_at w = {.out = out, .model = m, .path = path, .err = err};
    m->prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    m->prep.profile = ECG_PROFILE_KERAS;
    m->prep.filter = ECG_FILTER_NEAREST;
    w.channels = c->c;
    w.item = calloc(KERAS_LAYERS, sizeof *w.item);
    if (!w.item)
        return import_fail(err, ECG_ENOMEM, "%s: out of memory", path);
    ecg_status s = set_size(&w, c, o);
    for (size_t i = 0; s == ECG_OK && i < c->layers; i++) {
        w.at = &c->layer[i];
        s = take_layer(&w);
    }
    if (s == ECG_OK && w.padded)
        s = keras_refuse(&w, "is supported before a Conv2D alone");
    if (s == ECG_OK)
        s = finish(&w, o);
    if (s == ECG_OK)
        s = set_rescale(&w, o, out->gray);
    if (s == ECG_OK && out->gray)
        s = check_gray(&w, c);
    if (s == ECG_OK)
        s = join(&w, c, out->gray);
    free(w.item);
    return s;
}

void keras_plan_free(keras_plan *p)
{
    free(p->text);
    free(p->place);
    *p = (keras_plan){0};
}

uint32_t keras_plan_weights(const keras_plan *p, const keras_layer *l)
{
    uint32_t n = 0;
    for (size_t i = 0; i < p->places; i++)
        n += p->place[i].layer == l && p->place[i].nth >= 0;
    return n;
}
