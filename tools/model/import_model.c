#define _POSIX_C_SOURCE 200809L
/* What importers hand over, and the model that is made of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/import.h"

ecg_status import_fail(ecg_error *err, ecg_status s, const char *fmt, ...)
{
    if (!err)
        return s;
    va_list args;
    err->status = s;
    err->where = 0;
    va_start(args, fmt);
    const int n = vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    if (n >= (int)sizeof err->message)
        memcpy(err->message + sizeof err->message - 4, "...", 4);
    return s;
}

float *import_add(import_model *m, const char *name, size_t count, ecg_error *err)
{
    if (strlen(name) >= IMPORT_NAME || import_find(m, name)) {
        import_fail(err, ECG_EINVAL, "tensor %s is given twice, or its name is too long", name);
        return NULL;
    }
    float *value = calloc(count ? count : 1, sizeof *value);
    import_tensor *more = realloc(m->tensor, (m->tensors + 1) * sizeof *more);
    if (more)
        m->tensor = more;
    if (!value || !more) {
        free(value);
        import_fail(err, ECG_ENOMEM, "out of memory");
        return NULL;
    }
    import_tensor *t = &m->tensor[m->tensors++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->value = value;
    t->count = count;
    return value;
}

import_tensor *import_find(const import_model *m, const char *name)
{
    for (size_t i = 0; i < m->tensors; i++)
        if (strcmp(m->tensor[i].name, name) == 0)
            return &m->tensor[i];
    return NULL;
}

void import_meta(import_model *m, const char *key, const char *fmt, ...)
{
    size_t n = 0;
    while (m->meta[n])
        n += 2;
    if (n >= 2 * IMPORT_PAIRS)
        return;
    char value[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    m->meta[n] = strdup(key);
    m->meta[n + 1] = strdup(value);
    if (m->meta[n] && m->meta[n + 1])
        return;
    free(m->meta[n]);
    free(m->meta[n + 1]);
    m->meta[n] = m->meta[n + 1] = NULL;
}

void import_note(import_model *m, const char *fmt, ...)
{
    if (m->notes == IMPORT_NOTES)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(m->note[m->notes++], IMPORT_NOTE, fmt, args);
    va_end(args);
}

/* Names of n classes, "class 0" and so on; one block, NULL when out of memory. */
static char **numbered(uint32_t n)
{
    enum { LENGTH = 20 };
    char **name = malloc(n * (sizeof *name + LENGTH));
    if (!name)
        return NULL;
    char *text = (char *)(name + n);
    for (uint32_t i = 0; i < n; i++, text += LENGTH) {
        snprintf(text, LENGTH, "class %u", i);
        name[i] = text;
    }
    return name;
}

static ecg_status with_rule(ecg_model **model, const ecg_rule *rule, ecg_error *err)
{
    ecg_model *plain = *model;
    const ecg_status s = ecg_model_with_rule(model, plain, rule, err);
    ecg_model_free(plain);
    return s;
}

static ecg_status make(ecg_model **out, const import_model *m, const ecg_spec *spec,
                       const char *const *classes, uint32_t count, ecg_error *err)
{
    const uint32_t outputs = ecg_spec_outputs(spec);
    const ecg_shape in = ecg_spec_input(spec);
    if (count != outputs)
        return import_fail(err, ECG_EINVAL, "%u class names are given, the network has %u classes", count,
                           outputs);
    if (in.c == 2)
        return import_fail(err, ECG_EUNSUPPORTED,
                           "the network reads 2 channels, and pictures have 1, 3 or 4");
    ecg_preprocess prep = m->prep;
    prep.h = in.h;
    prep.w = in.w;
    prep.color = (ecg_color)in.c;
    ecg_model_info info = {sizeof info, &prep, classes, NULL};
    const char *meta[2 * IMPORT_PAIRS + 1];
    for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
        meta[i] = m->meta[i];
    info.meta = meta;
    ecg_tensor *tensor = calloc(m->tensors ? m->tensors : 1, sizeof *tensor);
    if (!tensor)
        return import_fail(err, ECG_ENOMEM, "out of memory");
    for (size_t i = 0; i < m->tensors; i++)
        tensor[i] = (ecg_tensor){m->tensor[i].name, m->tensor[i].value, m->tensor[i].count};
    const ecg_status s = ecg_model_new(out, spec, &info, tensor, m->tensors, err);
    free(tensor);
    return s == ECG_OK && m->rule.size ? with_rule(out, &m->rule, err) : s;
}

ecg_status import_make(ecg_model **out, const import_model *m, const char *const *classes, uint32_t count,
                       ecg_error *err)
{
    *out = NULL;
    ecg_spec *spec;
    ecg_status s = ecg_spec_parse(&spec, m->text, NULL, 0, err);
    if (s != ECG_OK)
        return s;
    char **own = NULL;
    if (count == 0 && m->classes == 0 && !(own = numbered(ecg_spec_outputs(spec))))
        s = import_fail(err, ECG_ENOMEM, "out of memory");
    else if (count)
        s = make(out, m, spec, classes, count, err);
    else
        s = make(out, m, spec, (const char *const *)(own ? own : m->class_name),
                 own ? ecg_spec_outputs(spec) : m->classes, err);
    free(own);
    ecg_spec_free(spec);
    return s;
}

void import_free(import_model *m)
{
    free(m->zca);
    free(m->text);
    for (size_t i = 0; i < m->tensors; i++)
        free(m->tensor[i].value);
    free(m->tensor);
    for (uint32_t i = 0; i < m->classes; i++)
        free(m->class_name[i]);
    free(m->class_name);
    for (size_t i = 0; m->meta[i]; i++)
        free(m->meta[i]);
    *m = (import_model){0};
}
