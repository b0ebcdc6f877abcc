#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/augment.h"
#include "ecgcnn/standardize.h"
#include "golden/golden_augment_cases.h"
#include "golden/golden_image_cases.h"

static bool variant(const golden_table *t, ecg_geometry *out)
{
    const char *name = golden_cell(t, "variant");
    *out = ECG_GEOMETRY_KERAS1;
    if (strcmp(name, "tfkeras2.9") == 0)
        *out = ECG_GEOMETRY_KERAS2;
    else if (strcmp(name, "kp1.1.0") != 0)
        return golden_failed(t, "unknown variant");
    return true;
}

static bool flag(const golden_table *t, const char *name, uint32_t *out)
{
    return golden_uint(t, name, out) && (*out <= 1 || golden_failed(t, "a flag that is not 0 or 1"));
}

static bool read_options(const golden_table *t, ecg_augment_options *o)
{
    static const char *const fills[] = {"nearest", "constant", "reflect", "wrap"};
    const char *format = golden_cell(t, "data_format");
    /* Pictures are stored as [h][w][c] either way. */
    if (strcmp(format, "channels_last") != 0 && strcmp(format, "channels_first") != 0)
        return golden_failed(t, "unknown data_format");
    uint32_t fill = 0;
    while (fill < 4 && strcmp(fills[fill], golden_cell(t, "fill_mode")) != 0)
        fill++;
    if (fill == 4)
        return golden_failed(t, "unknown fill_mode");
    o->fill_mode = (ecg_fill_mode)fill;
    ecg_error err;
    if (!variant(t, &o->geometry) || !golden_number(t, "cval", &o->cval) ||
        !golden_uint(t, "order", &o->interpolation_order))
        return false;
    return ecg_augment_check(o, o, &err) == ECG_OK || golden_failed(t, err.message);
}

static bool read_plan(const golden_table *t, ecg_augmentation *a)
{
    if (!golden_number(t, "theta", &a->theta) || !golden_number(t, "tx", &a->tx) ||
        !golden_number(t, "ty", &a->ty) || !golden_number(t, "shear", &a->shear) ||
        !golden_number(t, "zx", &a->zx) || !golden_number(t, "zy", &a->zy) ||
        !flag(t, "flip_horizontal", &a->flip_horizontal) || !flag(t, "flip_vertical", &a->flip_vertical))
        return false;
    if (golden_has(t, "channel_shift") && !golden_number(t, "channel_shift", &a->channel_shift))
        return false;
    a->brighten = golden_has(t, "brightness");
    return !a->brighten || golden_number(t, "brightness", &a->brightness);
}

/* From floats, and where the input is whole from bytes too, which is another way through the library. */
static bool transform(const golden_table *t, const ecg_augmentation *a, const ecg_augment_options *o,
                      const float *x, const golden_shape *s)
{
    const uint32_t h = s->dim[0], w = s->dim[1], c = s->dim[2];
    uint8_t *px = golden_bytes(x, s->count);
    float *out = malloc(s->count * sizeof *out);
    void *scratch = malloc(ecg_augment_scratch(o, h, w, c));
    bool ok = out && scratch;
    if (ok) {
        ecg_augment_apply_floats(a, o, x, h, w, c, out, scratch);
        ok = golden_compare(t, out, s);
    }
    if (ok && px) {
        const ecg_image view = {px, w, h, c, (size_t)w * c};
        ecg_augment_apply(a, o, &view, out, scratch);
        ok = golden_compare(t, out, s);
    }
    free(scratch);
    free(out);
    free(px);
    return ok;
}

bool golden_transform_case(const golden_table *t, bool *counted)
{
    (void)counted;
    golden_shape s;
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT;
    ecg_augmentation a = ECG_AUGMENTATION_INIT;
    if (!golden_picture_shape(&s, golden_cell(t, "in_shape")))
        return golden_failed(t, "in_shape is no shape");
    if (!read_options(t, &o) || !read_plan(t, &a))
        return false;
    float *x = golden_floats(t, golden_cell(t, "input"), s.count);
    if (!x)
        return golden_failed(t, "cannot read the input");
    const bool ok = transform(t, &a, &o, x, &s);
    free(x);
    return ok;
}

/* ---- standardize ---- */

static void invert(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c)
{
    (void)ctx;
    for (size_t i = 0; i < (size_t)h * w * c; i++)
        x[i] = 255.0f - x[i];
}

/* c numbers of the file that column `name` names. */
static bool per_channel(const golden_table *t, const char *name, uint32_t c, float out[4])
{
    float *v = golden_floats(t, golden_cell(t, name), c);
    if (!v)
        return golden_failed(t, "cannot read the mean or the deviation");
    memcpy(out, v, c * sizeof *v);
    free(v);
    return true;
}

static bool read_standardize(const golden_table *t, ecg_standardize *s, uint32_t c, bool *zca)
{
    uint32_t center, deviation, whiten;
    double rescale;
    const char *pre = golden_cell(t, "preprocessing");
    if (strcmp(pre, "invert255") == 0)
        s->preprocessing = invert;
    else if (strcmp(pre, "none") != 0 && strcmp(pre, "-") != 0)
        return golden_failed(t, "unknown preprocessing");
    if (!golden_number(t, "rescale", &rescale) || !flag(t, "samplewise_center", &s->samplewise_center) ||
        !flag(t, "samplewise_std", &s->samplewise_std) || !flag(t, "featurewise_center", &center) ||
        !flag(t, "featurewise_std", &deviation) || !flag(t, "zca", &whiten))
        return false;
    s->rescale = (float)rescale;
    /* What was never fitted is left out, as Keras does. */
    s->featurewise_center = center && golden_has(t, "mean");
    s->featurewise_std = deviation && golden_has(t, "std");
    *zca = whiten && golden_has(t, "zca_matrix");
    if ((s->featurewise_center || s->featurewise_std || *zca) && !per_channel(t, "mean", c, s->mean))
        return false;
    return !s->featurewise_std || per_channel(t, "std", c, s->deviation);
}

static bool standardize(const golden_table *t, ecg_standardize *s, float *x, const golden_shape *shape)
{
    ecg_error err;
    float *scratch = malloc(shape->count * sizeof *scratch);
    bool ok = scratch || golden_failed(t, "out of memory");
    if (ok && ecg_standardize_check(s, s, &err) != ECG_OK)
        ok = golden_failed(t, err.message);
    if (ok) {
        ecg_standardize_values(s, x, shape->dim[0], shape->dim[1], shape->dim[2], scratch);
        ok = golden_compare(t, x, shape);
    }
    free(scratch);
    return ok;
}

bool golden_standardize_case(const golden_table *t, bool *counted)
{
    (void)counted;
    golden_shape shape;
    ecg_standardize s = ECG_STANDARDIZE_INIT;
    bool zca = false;
    if (!golden_picture_shape(&shape, golden_cell(t, "in_shape")))
        return golden_failed(t, "in_shape is no shape");
    if (!read_standardize(t, &s, shape.dim[2], &zca))
        return false;
    float *x = golden_floats(t, golden_cell(t, "input"), shape.count), *matrix = NULL;
    if (zca && shape.count <= ECG_ZCA_MAX) {
        matrix = golden_floats(t, golden_cell(t, "zca_matrix"), shape.count * shape.count);
        s.zca = matrix;
        s.zca_n = (uint32_t)shape.count;
    }
    const bool ok = x && (!zca || matrix) ? standardize(t, &s, x, &shape)
                                          : golden_failed(t, "cannot read the input");
    free(matrix);
    free(x);
    return ok;
}

/* ---- fit ---- */

static bool fit(const golden_table *t, const float *x, const golden_shape *in, const ecg_fit_options *o)
{
    const uint32_t c = in->dim[3];
    const char *stat = golden_cell(t, "stat");
    const size_t d = in->count / in->dim[0];
    const bool zca = strcmp(stat, "zca") == 0;
    float mean[4], deviation[4], *matrix = zca ? malloc(d * d * sizeof *matrix) : NULL;
    ecg_error err;
    bool ok = !zca || matrix || golden_failed(t, "out of memory");
    if (ok && ecg_standardize_fit(mean, deviation, matrix, x, in->dim[0], in->dim[1], in->dim[2], c, o,
                                  &err) != ECG_OK)
        ok = golden_failed(t, err.message);
    const golden_shape per_channel = {3, {1, 1, c}, c}, square = {2, {(uint32_t)d, (uint32_t)d}, d * d};
    if (ok && zca)
        ok = golden_compare(t, matrix, &square);
    else if (ok && strcmp(stat, "mean") == 0)
        ok = golden_compare(t, mean, &per_channel);
    else if (ok && strcmp(stat, "std") == 0)
        ok = golden_compare(t, deviation, &per_channel);
    else if (ok)
        ok = golden_failed(t, "unknown stat");
    free(matrix);
    return ok;
}

bool golden_fit_case(const golden_table *t, bool *counted)
{
    (void)counted;
    golden_shape in;
    ecg_fit_options o = ECG_FIT_OPTIONS_INIT;
    if (!golden_shape_parse(&in, golden_cell(t, "in_shape")) || in.rank != 4 || in.dim[3] > 4)
        return golden_failed(t, "in_shape is no shape of pictures");
    if (!variant(t, &o.profile) ||
        (golden_has(t, "zca_epsilon") && !golden_number(t, "zca_epsilon", &o.zca_epsilon)))
        return false;
    float *x = golden_floats(t, golden_cell(t, "input"), in.count);
    if (!x)
        return golden_failed(t, "cannot read the input");
    const bool ok = fit(t, x, &in, &o);
    free(x);
    return ok;
}
