#define _POSIX_C_SOURCE 200809L
/* Keras models, HDF5 and .keras, from file to import_model. */
#include "model/import.h"

#ifndef ECG_HAVE_KERAS_H5

ecg_status import_keras_h5(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    (void)m;
    (void)o;
    return import_fail(
        err, ECG_EUNSUPPORTED,
        "%s: a Keras model: this ecg-model was built without libhdf5 or without jansson, which "
        "reading it needs (Debian: libhdf5-dev libjansson-dev)",
        path);
}

#else

#include <string.h>
#include <sys/stat.h>

#include "model/keras.h"

static ecg_status take(import_model *m, const keras_plan *plan, const keras_file *f, const char *version,
                       const char *path, ecg_error *err)
{
    const ecg_status s = keras_weights_take(m, plan, f, path, err);
    if (s != ECG_OK)
        return s;
    m->text = strdup(plan->text);
    if (!m->text)
        return import_fail(err, ECG_ENOMEM, "%s: out of memory", path);
    const char *dot = strrchr(path, '.');
    import_meta(m, "imported_from", "Keras %s%s", version[0] ? version : "of unknown version",
                dot && strcmp(dot, ".keras") == 0 ? ", .keras" : "");
    if (plan->gray)
        import_meta(m, "imported_gray", "%s", "three equal channels became one");
    return ECG_OK;
}

ecg_status keras_import(import_model *m, const keras_source *source, const import_options *o, ecg_error *err)
{
    const char *path = source->path;
    keras_file f;
    keras_chain chain = {0};
    keras_plan plan = {0};
    ecg_status s = keras_apart(&f, path, source->bytes, keras_h5_model, source, err);
    if (s == ECG_OK && !f.config)
        s = import_fail(err, ECG_EFORMAT, "%s: has no configuration", path);
    if (s == ECG_OK)
        s = keras_config_read(&chain, f.config, f.config_bytes, path, err);
    if (s == ECG_OK)
        s = keras_plan_make(&plan, &chain, o, path, m, err);
    if (s == ECG_OK)
        s = take(m, &plan, &f, f.version, path, err);
    keras_plan_free(&plan);
    keras_chain_free(&chain);
    keras_file_free(&f);
    return s;
}

ecg_status import_keras_h5(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return import_fail(err, ECG_EIO, "%s: not a file that can be read", path);
    const keras_source source = {.path = path, .bytes = (uint64_t)st.st_size};
    return keras_import(m, &source, o, err);
}

#endif

#ifndef ECG_HAVE_KERAS_ZIP

ecg_status import_keras_zip(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    (void)m;
    (void)o;
    return import_fail(
        err, ECG_EUNSUPPORTED,
        "%s: a .keras file: this ecg-model was built without libhdf5, jansson or libzip, which "
        "reading it needs (Debian: libhdf5-dev libjansson-dev libzip-dev)",
        path);
}

#else

#include <stdlib.h>

/* The group of layer i, as Keras numbers layers of a kind: conv2d, conv2d_1, ... */
static void group_name(char out[KERAS_NAME], const keras_chain *c, size_t i)
{
    unsigned before = 0;
    for (size_t k = 0; k < i; k++)
        before += strcmp(c->layer[k].kind, c->layer[i].kind) == 0;
    keras_snake(out, c->layer[i].kind);
    const size_t n = strlen(out);
    if (before && n + 16 < KERAS_NAME)
        snprintf(out + n, KERAS_NAME - n, "_%u", before);
}

/* The weights of all layers that have any; groups are named after the layers again. */
static ecg_status read_weights(keras_file *f, const keras_parts *parts, const keras_chain *c,
                               const keras_plan *plan, const char *path, ecg_error *err)
{
    const keras_layer *of[KERAS_LAYERS];
    keras_source source = {.path = path, .image = parts->weights, .bytes = parts->weights_bytes};
    source.group = calloc(c->layers, sizeof *source.group);
    if (!source.group)
        return import_fail(err, ECG_ENOMEM, "%s: out of memory", path);
    for (size_t i = 0; i < c->layers; i++) {
        if (keras_plan_weights(plan, &c->layer[i]) == 0)
            continue;
        of[source.groups] = &c->layer[i];
        group_name(source.group[source.groups++], c, i);
    }
    const ecg_status s = keras_apart(f, path, source.bytes, keras_h5_weights, &source, err);
    for (size_t i = 0; i < f->groups && i < source.groups; i++)
        snprintf(f->group[i]->layer, sizeof f->group[i]->layer, "%s", of[i]->name);
    free(source.group);
    return s;
}

ecg_status import_keras_zip(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    keras_parts parts;
    keras_file f = {0};
    keras_chain chain = {0};
    keras_plan plan = {0};
    ecg_status s = keras_zip_read(&parts, path, err);
    if (s == ECG_OK)
        s = keras_config_read(&chain, parts.config, parts.config_bytes, path, err);
    if (s == ECG_OK)
        s = keras_plan_make(&plan, &chain, o, path, m, err);
    if (s == ECG_OK)
        s = read_weights(&f, &parts, &chain, &plan, path, err);
    free(parts.weights); /* as large as the model */
    parts.weights = NULL;
    if (s == ECG_OK)
        s = take(m, &plan, &f, parts.version, path, err);
    keras_plan_free(&plan);
    keras_chain_free(&chain);
    keras_file_free(&f);
    keras_parts_free(&parts);
    return s;
}

#endif
