#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

#include "base/status.h"
#include "ecgcnn/standardize.h"
#include "image/pixels.h"

enum { MAX_SIDE = 4096 };

static ecg_status check_values(ecg_preprocess *p, ecg_error *err)
{
    if (p->rescale == 0.0f)
        p->rescale = 1.0f / 255.0f;
    if (!isfinite(p->rescale))
        return ecg__fail(err, ECG_EINVAL, "preprocess: rescale is not a finite number");
    for (int k = 0; k < 4; k++) {
        if (p->deviation[k] == 0.0f)
            p->deviation[k] = 1.0f;
        if (!isfinite(p->mean[k]))
            return ecg__fail(err, ECG_EINVAL, "preprocess: mean[%d] is not a finite number", k);
        if (!isfinite(p->deviation[k]) || p->deviation[k] < 0.0f)
            return ecg__fail(err, ECG_EINVAL,
                             "preprocess: deviation[%d] is %g, expected a finite positive number", k,
                             (double)p->deviation[k]);
        const float most = 255.0f * p->rescale;
        if (!isfinite((0.0f - p->mean[k]) / p->deviation[k]) ||
            !isfinite((most - p->mean[k]) / p->deviation[k]))
            return ecg__fail(err, ECG_EINVAL,
                             "preprocess: deviation[%d] of %g with rescale %g and mean %g overflows", k,
                             (double)p->deviation[k], (double)p->rescale, (double)p->mean[k]);
    }
    return ECG_OK;
}

static ecg_status check_standardize(ecg_preprocess *p, ecg_error *err)
{
    if (p->samplewise_center > 1 || p->samplewise_std > 1)
        return ecg__fail(err, ECG_EINVAL, "preprocess: samplewise_center and samplewise_std must be 0 or 1");
    if (p->samplewise_std)
        p->samplewise_center = 1;
    if (!p->zca) {
        if (p->zca_n)
            return ecg__fail(err, ECG_EINVAL, "preprocess: zca_n is %u without zca", p->zca_n);
        return ECG_OK;
    }
    const uint64_t n = (uint64_t)p->h * p->w * (uint32_t)p->color;
    if (n > ECG_ZCA_MAX)
        return ecg__fail(err, ECG_ELIMIT, "preprocess: ZCA of %" PRIu64 " values a picture, at most %d", n,
                         (int)ECG_ZCA_MAX);
    if (p->zca_n != n)
        return ecg__fail(err, ECG_EINVAL, "preprocess: zca_n is %u, expected %" PRIu64 " values a picture",
                         p->zca_n, n);
    for (size_t i = 0; i < (size_t)n * n; i++)
        if (!isfinite(p->zca[i]))
            return ecg__fail(err, ECG_EINVAL, "preprocess: zca[%zu] is not a finite number", i);
    return ECG_OK;
}

ecg_status ecg_preprocess_check(ecg_preprocess *out, const ecg_preprocess *p, ecg_error *err)
{
    ecg_preprocess q = ECG_PREPROCESS_INIT;
    ecg_status s = ecg__options_copy(&q, sizeof q, p, "preprocess", err);
    if (s != ECG_OK)
        return s;
    if (q.h < 1 || q.h > MAX_SIDE || q.w < 1 || q.w > MAX_SIDE)
        return ecg__fail(err, ECG_EINVAL, "preprocess: %s is %u, expected 1 to %d",
                         q.h < 1 || q.h > MAX_SIDE ? "h" : "w", q.h < 1 || q.h > MAX_SIDE ? q.h : q.w,
                         (int)MAX_SIDE);
    if (q.color == 0)
        q.color = ECG_COLOR_GRAY;
    if (!ecg_color_name(q.color))
        return ecg__fail(err, ECG_EINVAL, "preprocess: no such color: %d", (int)q.color);
    if (!ecg_profile_name(q.profile))
        return ecg__fail(err, ECG_EINVAL, "preprocess: no such profile: %d", (int)q.profile);
    if (!ecg_filter_name(q.filter))
        return ecg__fail(err, ECG_EINVAL, "preprocess: no such filter: %d", (int)q.filter);
    s = check_values(&q, err);
    if (s == ECG_OK)
        s = check_standardize(&q, err);
    if (s == ECG_OK)
        *out = q;
    return s;
}

static ecg_decode_options decode_options(const ecg_preprocess *p)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = p->color;
    o.profile = p->profile;
    return o;
}

ecg_status ecg__preprocess_fit(ecg_pixels **out, ecg_pixels *full, const ecg_preprocess *p, const char *name,
                               ecg_error *err)
{
    if (full->h == p->h && full->w == p->w) {
        *out = full;
        return ECG_OK;
    }
    const ecg_image view = ecg_pixels_view(full);
    const ecg_status s = ecg_pixels_resize(out, &view, p->h, p->w, p->filter, err);
    ecg_pixels_free(full);
    return s == ECG_OK ? s : ecg__context(err, s, "%s", name);
}

ecg_status ecg_preprocess_load(ecg_pixels **out, const ecg_preprocess *p, const char *path, ecg_error *err)
{
    *out = NULL;
    const ecg_decode_options o = decode_options(p);
    ecg_pixels *full;
    const ecg_status s = ecg_pixels_load(&full, path, &o, err);
    return s == ECG_OK ? ecg__preprocess_fit(out, full, p, path, err) : s;
}

ecg_status ecg_preprocess_decode(ecg_pixels **out, const ecg_preprocess *p, const void *data, size_t n,
                                 const char *name, ecg_error *err)
{
    *out = NULL;
    const ecg_decode_options o = decode_options(p);
    ecg_pixels *full;
    const ecg_status s = ecg_pixels_decode(&full, data, n, name, &o, err);
    return s == ECG_OK ? ecg__preprocess_fit(out, full, p, name ? name : "picture", err) : s;
}

/* c a constant where this is called, so that the loops are vectorised. */
static inline void values(const ecg_preprocess *p, size_t c, const uint8_t *restrict px, float *restrict x)
{
    const size_t n = (size_t)p->h * p->w;
    const float rescale = p->rescale;
    float mean[4], deviation[4];
    for (size_t k = 0; k < c; k++)
        mean[k] = p->mean[k], deviation[k] = p->deviation[k];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++)
            x[i * c + k] = ((float)px[i * c + k] * rescale - mean[k]) / deviation[k];
}

/* What a plain multiplication and subtraction cannot do. */
static bool is_plain(const ecg_preprocess *p)
{
    return !p->samplewise_center && !p->samplewise_std && !p->zca;
}

/* The same of values that are floats already. */
static inline void scale(const ecg_preprocess *p, size_t c, float rescale, float *x)
{
    const size_t n = (size_t)p->h * p->w;
    float mean[4], deviation[4];
    for (size_t k = 0; k < c; k++)
        mean[k] = p->mean[k], deviation[k] = p->deviation[k];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++)
            x[i * c + k] = (x[i * c + k] * rescale - mean[k]) / deviation[k];
}

static void channels(const ecg_preprocess *p, float rescale, float *x)
{
    if (p->color == ECG_COLOR_GRAY)
        scale(p, 1, rescale, x);
    else if (p->color == ECG_COLOR_RGB)
        scale(p, 3, rescale, x);
    else
        scale(p, 4, rescale, x);
}

/* From values that are rescaled already. */
static void standardize(const ecg_preprocess *p, float *x)
{
    const ecg_standardize own = {.samplewise_center = p->samplewise_center,
                                 .samplewise_std = p->samplewise_std};
    const ecg_standardize whiten = {.zca = p->zca, .zca_n = p->zca_n};
    const uint32_t c = (uint32_t)p->color;
    float scratch[ECG_ZCA_MAX];
    ecg_standardize_values(&own, x, p->h, p->w, c, NULL);
    channels(p, 1.0f, x);
    ecg_standardize_values(&whiten, x, p->h, p->w, c, scratch);
}

void ecg_preprocess_values(const ecg_preprocess *p, const uint8_t *px, float *x)
{
    if (!is_plain(p)) {
        const size_t n = (size_t)p->h * p->w * (size_t)p->color;
        for (size_t i = 0; i < n; i++)
            x[i] = (float)px[i] * p->rescale;
        standardize(p, x);
    } else if (p->color == ECG_COLOR_GRAY) {
        values(p, 1, px, x);
    } else if (p->color == ECG_COLOR_RGB) {
        values(p, 3, px, x);
    } else {
        values(p, 4, px, x);
    }
}

void ecg_preprocess_floats(const ecg_preprocess *p, float *x)
{
    if (is_plain(p)) {
        channels(p, p->rescale, x);
        return;
    }
    const size_t n = (size_t)p->h * p->w * (size_t)p->color;
    for (size_t i = 0; i < n; i++)
        x[i] *= p->rescale;
    standardize(p, x);
}
