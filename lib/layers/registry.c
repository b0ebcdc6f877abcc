#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "layers/inits.h"
#include "layers/layer.h"

#define ECG__LAYER(tag, name) {tag, &ecg__##name##_ops},
const ecg__layer_row ecg__layer_rows[] = {
#include "layers/layers.def"
};
#undef ECG__LAYER

const size_t ecg__layer_row_count = sizeof ecg__layer_rows / sizeof ecg__layer_rows[0];

const char *const ecg__init_names[] = {
    [ECG__INIT_FILL] = "zeros",
    [ECG__INIT_GLOROT_UNIFORM] = "glorot_uniform",
    [ECG__INIT_GLOROT_NORMAL] = "glorot_normal",
    [ECG__INIT_HE_UNIFORM] = "he_uniform",
    [ECG__INIT_HE_NORMAL] = "he_normal",
    NULL,
};

static bool is_name(const char *name, size_t n, const char *word)
{
    return word && strlen(word) == n && memcmp(name, word, n) == 0;
}

const ecg__layer_ops *ecg__layer_by_name(const char *name, size_t n)
{
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        const ecg__layer_ops *ops = ecg__layer_rows[i].ops;
        if (is_name(name, n, ops->name) || is_name(name, n, ops->alias))
            return ops;
    }
    return NULL;
}

/* Floats in a shape. BLAS counts in 32 bits, so no picture and no tensor may be larger. */
static bool count_shape(ecg_shape s, size_t *out)
{
    const uint64_t hw = (uint64_t)s.h * s.w;
    if (hw == 0 || s.c == 0 || hw > INT32_MAX || hw * s.c > INT32_MAX)
        return false;
    *out = (size_t)(hw * s.c);
    return true;
}

static ecg_status plan_checked(const ecg__layer_ops *ops, const void *attr, ecg__plan *out, ecg_error *err)
{
    const ecg_status s = ops->plan(attr, out->in, out, err);
    if (s != ECG_OK)
        return s;
    if (!count_shape(out->out, &out->out_count))
        return ecg__fail(err, ECG_ELIMIT, "an output of %ux%ux%u is not between 1 and %d values", out->out.h,
                         out->out.w, out->out.c, INT32_MAX);
    for (uint32_t i = 0; i < out->tensors; i++)
        if (out->tensor[i].count > INT32_MAX)
            return ecg__fail(err, ECG_ELIMIT, "tensor %s would have more than %d values", out->tensor[i].name,
                             INT32_MAX);
    return ECG_OK;
}

ecg_status ecg__layer_plan(const ecg__layer_ops *ops, const void *attr, ecg_shape in, ecg__plan *out,
                           ecg_error *err)
{
    memset(out, 0, sizeof *out);
    out->in = in;
    if (!count_shape(in, &out->in_count))
        return ecg__fail(err, ECG_ESHAPE, "%s: an input of %ux%ux%u is not between 1 and %d values",
                         ops->name, in.h, in.w, in.c, INT32_MAX);
    const ecg_status s = plan_checked(ops, attr, out, err);
    return s == ECG_OK ? s : ecg__context(err, s, "%s", ops->name);
}

ecg__tensor *ecg__plan_tensor(ecg__plan *p, const char *name, const uint32_t dims[4], bool trainable)
{
    ecg__tensor *t = &p->tensor[p->tensors++];
    t->name = name;
    t->trainable = trainable;
    t->count = 1;
    for (t->rank = 0; t->rank < 4 && dims[t->rank] != 0; t->rank++) {
        t->dims[t->rank] = dims[t->rank];
        if (!ecg__mul(&t->count, t->count, dims[t->rank]))
            t->count = SIZE_MAX; /* ecg__layer_plan refuses it */
    }
    return t;
}
