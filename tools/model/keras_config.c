/* The configuration of a Keras model, of any version since 2.0, as a chain of layers. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "model/keras.h"

struct reader {
    keras_chain *out;
    const char *path;
    ecg_error *err;
};

const char *keras_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Lower case, with an underscore before a capital that follows a small letter or begins a word. */
void keras_snake(char out[KERAS_NAME], const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; kind[i] && n + 2 < KERAS_NAME; i++) {
        const bool capital = isupper((unsigned char)kind[i]) != 0;
        const bool word = i > 0 && capital && islower((unsigned char)kind[i + 1]);
        const bool after = i > 0 && capital && islower((unsigned char)kind[i - 1]);
        if (word || after)
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)kind[i]);
    }
    out[n] = '\0';
}

static ecg_status refuse(const struct reader *r, const char *what, const char *name)
{
    return import_fail(r->err, ECG_EUNSUPPORTED, "%s: %s%s", r->path, what, name);
}

/* ---- shapes ---- */

/* [null, rows, columns, channels], where rows and columns may be null. */
static ecg_status set_shape(const struct reader *r, const json_t *shape)
{
    uint32_t v[3] = {0};
    if (!json_is_array(shape))
        return ECG_OK;
    /* One input may come as a list of one shape. */
    if (json_array_size(shape) == 1 && json_is_array(json_array_get(shape, 0)))
        shape = json_array_get(shape, 0);
    bool ok = json_array_size(shape) == 4;
    for (size_t i = 0; ok && i < 3; i++) {
        const json_t *n = json_array_get(shape, i + 1);
        ok = json_is_null(n) ||
             (json_is_integer(n) && json_integer_value(n) >= 1 && json_integer_value(n) <= 65536);
        v[i] = ok && !json_is_null(n) ? (uint32_t)json_integer_value(n) : 0;
    }
    if (!ok)
        return refuse(r, "the input is not of rows x columns x channels", "");
    keras_chain *c = r->out;
    if (c->c == 0) {
        c->h = v[0];
        c->w = v[1];
        c->c = v[2];
    }
    return ECG_OK;
}

static const json_t *shape_of(const json_t *config)
{
    const json_t *shape = json_object_get(config, "batch_input_shape");
    return shape ? shape : json_object_get(config, "batch_shape");
}

/* ---- layers ---- */

/* Names as Keras has them; a class of the user's own may bear the name of one of Keras'. */
static bool is_keras(const json_t *entry)
{
    const char *module = keras_string(entry, "module"), *registered = keras_string(entry, "registered_name");
    const bool own = module && strncmp(module, "keras", 5) != 0 && strncmp(module, "tf_keras", 8) != 0 &&
                     strcmp(module, "builtins") != 0;
    return !own && !(registered && strchr(registered, '>'));
}

static ecg_status add_layer(const struct reader *r, const json_t *entry)
{
    keras_chain *c = r->out;
    const json_t *config = json_object_get(entry, "config");
    const char *kind = keras_string(entry, "class_name"), *name = keras_string(config, "name");
    if (!kind || !json_is_object(config))
        return import_fail(r->err, ECG_EFORMAT, "%s: a layer without class_name or config", r->path);
    if (!name && !(name = keras_string(entry, "name")))
        name = "";
    if (!is_keras(entry))
        return import_fail(r->err, ECG_EUNSUPPORTED, "%s: layer \"%s\" (%s) is none of Keras' own", r->path,
                           name, kind);
    const ecg_status s = set_shape(r, shape_of(config));
    if (s != ECG_OK || strcmp(kind, "InputLayer") == 0)
        return s;
    if (c->layers == KERAS_LAYERS)
        return import_fail(r->err, ECG_ELIMIT, "%s: more than %d layers", r->path, KERAS_LAYERS);
    c->layer[c->layers++] = (keras_layer){kind, name, config};
    return ECG_OK;
}

static ecg_status read_sequential(const struct reader *r, const json_t *config)
{
    /* Keras before 2.2.3 had the list itself in this place. */
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    ecg_status s = ECG_OK;
    if (!json_is_array(layers))
        return import_fail(r->err, ECG_EFORMAT, "%s: the model has no list of layers", r->path);
    for (size_t i = 0; s == ECG_OK && i < json_array_size(layers); i++)
        s = add_layer(r, json_array_get(layers, i));
    if (s == ECG_OK && r->out->c == 0)
        s = set_shape(r, json_object_get(config, "build_input_shape"));
    return s;
}

/* ---- functional models that are a chain ---- */

/* The layer that "history" names: [layer, 0, 0]. */
static const char *source_name(const json_t *history)
{
    if (json_array_size(history) < 3 || json_integer_value(json_array_get(history, 1)) != 0 ||
        json_integer_value(json_array_get(history, 2)) != 0)
        return NULL;
    return json_string_value(json_array_get(history, 0));
}

/* Where the only input of a layer comes from; NULL: it has several, or is used several times. */
static const char *inbound(const json_t *entry)
{
    const json_t *nodes = json_object_get(entry, "inbound_nodes"), *node = json_array_get(nodes, 0);
    if (json_array_size(nodes) != 1)
        return NULL;
    if (json_is_array(node)) /* Keras 2: [[layer, 0, 0, {}]] */
        return json_array_size(node) == 1 ? source_name(json_array_get(node, 0)) : NULL;
    const json_t *args = json_object_get(node, "args"), *tensor = json_array_get(args, 0);
    if (json_array_size(args) != 1 || !json_is_object(tensor))
        return NULL;
    return source_name(json_object_get(json_object_get(tensor, "config"), "keras_history"));
}

static const char *entry_name(const json_t *entry)
{
    const char *name = keras_string(entry, "name");
    return name ? name : keras_string(json_object_get(entry, "config"), "name");
}

/* Input or output layers: one of them, as [layer, 0, 0] or a list of one such. */
static const char *only(const json_t *list)
{
    if (json_is_array(json_array_get(list, 0)))
        return json_array_size(list) == 1 ? source_name(json_array_get(list, 0)) : NULL;
    return source_name(list);
}

/* The layer that reads what `from` makes; *others: more than one does. */
static const json_t *reader_of(const json_t *layers, const char *from, bool *others)
{
    const json_t *found = NULL;
    *others = false;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *entry = json_array_get(layers, i);
        const char *source = inbound(entry);
        if (!source || strcmp(source, from) != 0)
            continue;
        *others = found != NULL;
        if (*others)
            return NULL;
        found = entry;
    }
    return found;
}

static ecg_status read_functional(const struct reader *r, const json_t *config)
{
    const json_t *layers = json_object_get(config, "layers");
    const size_t n = json_array_size(layers);
    const char *at = only(json_object_get(config, "input_layers"));
    const char *end = only(json_object_get(config, "output_layers"));
    if (n == 0 || !at || !end)
        return refuse(r, "a functional model is imported where it has one input and one output", "");
    for (size_t i = 0; i < n; i++) { /* more than one input, or used twice: named here */
        const json_t *entry = json_array_get(layers, i);
        const char *name = entry_name(entry);
        if (!name)
            return import_fail(r->err, ECG_EFORMAT, "%s: a layer without a name", r->path);
        const bool input = strcmp(name, at) == 0;
        if (!input && !inbound(entry))
            return refuse(r, "layers must be a chain, and this one reads from several places: ", name);
        if (input) {
            const ecg_status s = add_layer(r, entry);
            if (s != ECG_OK)
                return s;
        }
    }
    size_t seen = 1;
    for (; seen < n && strcmp(at, end) != 0; seen++) {
        bool others;
        const json_t *next = reader_of(layers, at, &others);
        if (!next)
            return refuse(
                r, others ? "layers must be a chain, and several read from " : "nothing reads from ", at);
        const ecg_status s = add_layer(r, next);
        if (s != ECG_OK)
            return s;
        at = entry_name(next);
    }
    if (seen != n || strcmp(at, end) != 0)
        return refuse(r, "layers must be a chain from input to output, and there are others beside it", "");
    return ECG_OK;
}

/* ---- the whole ---- */

static ecg_status read_model(const struct reader *r)
{
    const json_t *root = r->out->root, *config = json_object_get(root, "config");
    const char *kind = keras_string(root, "class_name");
    ecg_status s;
    if (!kind || !config)
        return import_fail(r->err, ECG_EFORMAT, "%s: its configuration is not that of a Keras model",
                           r->path);
    if (!is_keras(root))
        return refuse(r, "a model of a class of its own: ", kind);
    if (strcmp(kind, "Sequential") == 0)
        s = read_sequential(r, config);
    else if (strcmp(kind, "Functional") == 0 || strcmp(kind, "Model") == 0)
        s = read_functional(r, config);
    else
        s = refuse(r, "Sequential and Functional models are imported, this is of the class ", kind);
    if (s == ECG_OK && r->out->c == 0)
        s = set_shape(r, json_object_get(json_object_get(root, "build_config"), "input_shape"));
    if (s == ECG_OK && r->out->layers == 0)
        s = refuse(r, "the model has no layers", "");
    return s;
}

ecg_status keras_config_read(keras_chain *out, const char *text, size_t bytes, const char *path,
                             ecg_error *err)
{
    const struct reader r = {out, path, err};
    json_error_t e;
    *out = (keras_chain){0};
    out->layer = calloc(KERAS_LAYERS, sizeof *out->layer);
    if (!out->layer)
        return import_fail(err, ECG_ENOMEM, "%s: out of memory", path);
    out->root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &e);
    if (!out->root)
        return import_fail(err, ECG_EFORMAT, "%s: its configuration is no JSON: byte %d: %s", path,
                           e.position, e.text);
    return read_model(&r);
}

void keras_chain_free(keras_chain *c)
{
    json_decref(c->root);
    free(c->layer);
    *c = (keras_chain){0};
}
