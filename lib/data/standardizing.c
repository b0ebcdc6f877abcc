/* What a loader's pictures say about their own scale. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/loader.h"
#include "ecgcnn/standardize.h"

enum { MOST = 16384 };

/* `n` pictures, evenly taken, as p prepares them: x[n][h][w][c]. */
static ecg_status gather(const ecg_loader *l, const ecg_preprocess *p, size_t n, float *x, ecg_error *err)
{
    uint8_t *px = ecg__alloc(l->bytes);
    ecg_status s = px ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "standardisation: out of memory");
    for (size_t i = 0; s == ECG_OK && i < n; i++) {
        s = ecg_loader_read(l, (size_t)((double)i * (double)l->count / (double)n), px, err);
        if (s == ECG_OK)
            ecg_preprocess_values(p, px, x + i * l->bytes);
    }
    ecg__free(px);
    return s;
}

static ecg_status learn(const ecg_loader *l, const ecg_standardize_fit_options *o, float *matrix,
                        ecg_preprocess *p, ecg_error *err)
{
    const size_t most = o->most ? o->most : MOST, n = l->count < most ? l->count : most;
    const uint32_t values = (uint32_t)l->bytes;
    size_t floats;
    if (o->zca && !matrix)
        return ecg__fail(err, ECG_EINVAL, "standardisation: zca needs a matrix");
    if (o->zca && l->bytes > ECG_ZCA_MAX)
        return ecg__fail(err, ECG_ELIMIT,
                         "standardisation: ZCA takes pictures of at most %d values, these have %zu",
                         ECG_ZCA_MAX, l->bytes);
    if (n == 0)
        return ecg__fail(err, ECG_EINVAL, "standardisation: no pictures to learn from");
    float *x = ecg__mul(&floats, n, l->bytes) && floats <= SIZE_MAX / sizeof *x
                   ? ecg__alloc(floats * sizeof *x)
                   : NULL;
    if (!x)
        return ecg__fail(err, ECG_ENOMEM, "standardisation: out of memory for %zu pictures", n);
    ecg_status s = gather(l, p, n, x, err);
    ecg_fit_options fit = ECG_FIT_OPTIONS_INIT;
    fit.zca_epsilon = o->zca_epsilon;
    float mean[4] = {0}, deviation[4] = {0};
    if (s == ECG_OK)
        s = ecg_standardize_fit(mean, deviation, o->zca ? matrix : NULL, x, n, p->h, p->w, (uint32_t)p->color,
                                &fit, err);
    ecg__free(x);
    if (s != ECG_OK)
        return s;
    memcpy(p->mean, mean, sizeof p->mean);
    for (int k = 0; k < 4 && o->featurewise_std && !o->zca; k++)
        p->deviation[k] = deviation[k] + 1e-6f; /* as Keras divides */
    p->zca = o->zca ? matrix : NULL;
    p->zca_n = o->zca ? values : 0;
    return ECG_OK;
}

ecg_status ecg_loader_fit(const ecg_loader *l, const ecg_standardize_fit_options *o, float *matrix,
                          ecg_preprocess *out, ecg_error *err)
{
    ecg_standardize_fit_options opt = ECG_STANDARDIZE_FIT_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&opt, sizeof opt, o, "standardisation", err);
    if (s != ECG_OK)
        return s;
    ecg_preprocess p = l->prep;
    memset(p.mean, 0, sizeof p.mean);
    for (int k = 0; k < 4; k++)
        p.deviation[k] = 1.0f;
    p.samplewise_center = opt.samplewise_center || opt.samplewise_std;
    p.samplewise_std = opt.samplewise_std;
    p.zca = NULL;
    p.zca_n = 0;
    if (opt.featurewise_center || opt.featurewise_std || opt.zca)
        s = learn(l, &opt, matrix, &p, err);
    return s == ECG_OK ? ecg_preprocess_check(out, &p, err) : s;
}

ecg_status ecg_loader_preprocess(ecg_loader *l, const ecg_preprocess *p, ecg_error *err)
{
    ecg_preprocess q;
    const ecg_status s = ecg_preprocess_check(&q, p, err);
    if (s != ECG_OK)
        return s;
    const ecg_preprocess *own = &l->prep;
    if (q.h != own->h || q.w != own->w || q.color != own->color || q.profile != own->profile ||
        q.filter != own->filter)
        return ecg__fail(err, ECG_EINVAL, "loader: holds %ux%ux%d pictures made otherwise than %ux%ux%d",
                         own->h, own->w, (int)own->color, q.h, q.w, (int)q.color);
    l->prep = q;
    return ECG_OK;
}
