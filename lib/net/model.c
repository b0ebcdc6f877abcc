#include "net/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/status.h"
#include "net/decision.h"

enum { MAX_NAME = 255 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ecg_status check_distinct(const char *const *classes, uint32_t n, ecg_error *err)
{
    const char **sorted = ecg__alloc(n * sizeof *sorted);
    if (!sorted)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    memcpy(sorted, classes, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    ecg_status s = ECG_OK;
    for (uint32_t i = 1; s == ECG_OK && i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            s = ecg__fail(err, ECG_EINVAL, "model: two classes are named \"%s\"", sorted[i]);
    ecg__free(sorted);
    return s;
}

static ecg_status check_parts(const ecg_spec *spec, const ecg_preprocess *prep, const char *const *classes,
                              uint32_t class_count, ecg_error *err)
{
    const ecg_shape in = spec->input;
    if (prep->h != in.h || prep->w != in.w || (uint32_t)prep->color != in.c)
        return ecg__fail(err, ECG_EINVAL,
                         "model: preprocessing makes %" PRIu32 "x%" PRIu32
                         "x%d pictures, the network reads %" PRIu32 "x%" PRIu32 "x%" PRIu32,
                         prep->h, prep->w, (int)prep->color, in.h, in.w, in.c);
    const ecg__layer *last = &spec->layer[spec->layers - 1];
    if (strcmp(last->ops->name, "softmax") != 0 || last->plan.out.h != 1 || last->plan.out.w != 1)
        return ecg__fail(err, ECG_EINVAL,
                         "model: the network ends in %s of %" PRIu32 "x%" PRIu32 "x%" PRIu32
                         ", expected softmax of 1x1 x classes",
                         last->ops->name, last->plan.out.h, last->plan.out.w, last->plan.out.c);
    if (class_count != ecg_spec_outputs(spec))
        return ecg__fail(err, ECG_EINVAL,
                         "model: %" PRIu32 " class names for a network of %" PRIu32 " outputs", class_count,
                         ecg_spec_outputs(spec));
    for (uint32_t i = 0; i < class_count; i++) {
        const size_t n = strlen(classes[i]);
        if (n == 0 || n > MAX_NAME)
            return ecg__fail(err, ECG_EINVAL,
                             "model: name of class %" PRIu32 " has %zu bytes, expected 1..%d", i, n,
                             MAX_NAME);
    }
    return check_distinct(classes, class_count, err);
}

static ecg_status check_weights(const ecg_spec *s, const float *w, ecg_error *err)
{
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        for (size_t j = 0; j < slot->tensor->count; j++) {
            const float v = w[slot->offset + j];
            if (!isfinite(v))
                return ecg__fail_at(err, ECG_ENUMERIC, slot->layer, "model: value %zu of %s is not finite", j,
                                    slot->name);
            if (slot->tensor->nonnegative && v < 0.0f)
                return ecg__fail_at(err, ECG_ENUMERIC, slot->layer,
                                    "model: value %zu of %s is %g, expected 0 or more", j, slot->name,
                                    (double)v);
        }
    }
    return ECG_OK;
}

static bool copy_meta(ecg_model *m, const char *const *meta)
{
    size_t n = 0;
    while (meta && meta[2 * n] && meta[2 * n + 1])
        n++;
    if (n == 0)
        return true;
    m->meta = ecg__calloc(n, sizeof *m->meta);
    if (!m->meta)
        return false;
    for (; m->metas < n; m->metas++) {
        ecg__meta *e = &m->meta[m->metas];
        e->key = ecg__strdup(meta[2 * m->metas]);
        e->value = ecg__strdup(meta[2 * m->metas + 1]);
        if (!e->key || !e->value) {
            m->metas++;
            return false;
        }
    }
    return true;
}

static bool copy_parts(ecg_model *m, const ecg_spec *spec, const char *const *classes, uint32_t class_count,
                       const char *const *meta)
{
    m->spec = ecg__spec_copy(spec);
    m->class_name = ecg__calloc(class_count, sizeof *m->class_name);
    if (!m->spec || !m->class_name)
        return false;
    if (m->prep.zca) {
        const size_t bytes = (size_t)m->prep.zca_n * m->prep.zca_n * sizeof *m->zca;
        m->zca = ecg__alloc(bytes);
        if (!m->zca)
            return false;
        memcpy(m->zca, m->prep.zca, bytes);
        m->prep.zca = m->zca;
    }
    for (; m->classes < class_count; m->classes++)
        if (!(m->class_name[m->classes] = ecg__strdup(classes[m->classes])))
            return false;
    return copy_meta(m, meta);
}

ecg_status ecg__model_new(ecg_model **out, const ecg_spec *spec, const ecg_preprocess *prep,
                          const char *const *classes, uint32_t class_count, const char *const *meta,
                          float *weights, bool borrow, ecg_error *err)
{
    *out = NULL;
    ecg_preprocess checked;
    ecg_status s = ecg_preprocess_check(&checked, prep, err);
    if (s == ECG_OK)
        s = check_parts(spec, &checked, classes, class_count, err);
    if (s == ECG_OK)
        s = check_weights(spec, weights, err);
    if (s != ECG_OK)
        return s;
    ecg_model *m = ecg__calloc(1, sizeof *m);
    if (!m)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    atomic_init(&m->owners, 1);
    m->prep = checked;
    m->borrowed = true; /* a failure leaves the weights to the caller */
    m->weights = weights;
    ecg__rule_check(&m->rule, NULL, NULL);
    if (!copy_parts(m, spec, classes, class_count, meta)) {
        ecg_model_free(m);
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    }
    m->borrowed = borrow;
    *out = m;
    return ECG_OK;
}

ecg_model *ecg_model_retain(ecg_model *m)
{
    atomic_fetch_add(&m->owners, 1);
    return m;
}

void ecg_model_free(ecg_model *m)
{
    if (!m || atomic_fetch_sub(&m->owners, 1) != 1)
        return;
    for (uint32_t i = 0; i < m->classes; i++)
        ecg__free(m->class_name[i]);
    for (size_t i = 0; i < m->metas; i++) {
        ecg__free(m->meta[i].key);
        ecg__free(m->meta[i].value);
    }
    ecg__free(m->class_name);
    ecg__free(m->zca);
    ecg__free(m->gate);
    ecg__free(m->meta);
    ecg_spec_free(m->spec);
    if (!m->borrowed)
        ecg__free(m->weights);
    ecg__unmap(m->map, m->map_bytes);
    ecg_model_free(m->base);
    ecg__free(m);
}

const ecg_spec *ecg_model_spec(const ecg_model *m)
{
    return m->spec;
}

const ecg_preprocess *ecg_model_preprocess(const ecg_model *m)
{
    return &m->prep;
}

uint32_t ecg_model_classes(const ecg_model *m)
{
    return m->classes;
}

const char *ecg_model_class(const ecg_model *m, uint32_t i)
{
    return i < m->classes ? m->class_name[i] : NULL;
}

const float *ecg_model_tensor(const ecg_model *m, size_t i, const char **name, size_t *count)
{
    if (i >= m->spec->slots)
        return NULL;
    const ecg__slot *slot = &m->spec->slot[i];
    if (name)
        *name = slot->name;
    if (count)
        *count = slot->tensor->count;
    return m->weights + slot->offset;
}

const char *ecg_model_sha256(const ecg_model *m)
{
    return m->sha256[0] ? m->sha256 : NULL;
}

int ecg_model_meta_at(const ecg_model *m, size_t i, const char **key, const char **value)
{
    if (i >= m->metas)
        return 0;
    *key = m->meta[i].key;
    *value = m->meta[i].value;
    return 1;
}

const char *ecg_model_meta(const ecg_model *m, const char *key)
{
    for (size_t i = 0; i < m->metas; i++)
        if (strcmp(m->meta[i].key, key) == 0)
            return m->meta[i].value;
    return NULL;
}
