#include "eval/heat.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/model.h"

static const char *const names[] = {"gradcam", "occlusion"};
enum { KINDS = sizeof names / sizeof names[0] };

const char *ecg_heat_kind_name(ecg_heat_kind k)
{
    return (unsigned)k < KINDS ? names[k] : NULL;
}

ecg_status ecg_heat_kind_parse(ecg_heat_kind *out, const char *name)
{
    for (unsigned k = 0; k < KINDS; k++)
        if (strcmp(names[k], name) == 0) {
            *out = (ecg_heat_kind)k;
            return ECG_OK;
        }
    return ECG_EINVAL;
}

void ecg_heat_free(ecg_heat *h)
{
    if (!h)
        return;
    ecg__free(h->map);
    ecg__free(h->full);
    ecg__free(h);
}

ecg_status ecg__heat_alloc(ecg_heat **out, uint32_t map_h, uint32_t map_w, const ecg_preprocess *p,
                           ecg_error *err)
{
    ecg_heat *h = ecg__calloc(1, sizeof *h);
    *out = NULL;
    if (h) {
        *h = (ecg_heat){.map_h = map_h, .map_w = map_w, .h = p->h, .w = p->w};
        h->map = ecg__calloc((size_t)map_h * map_w, sizeof *h->map);
        h->full = ecg__calloc((size_t)p->h * p->w, sizeof *h->full);
    }
    if (h && h->map && h->full) {
        *out = h;
        return ECG_OK;
    }
    ecg_heat_free(h);
    return ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
}

/* Where value i of `to` lies between two of `from`. */
static float between(uint32_t i, uint32_t to, uint32_t from, uint32_t *a, uint32_t *b)
{
    const double at = fmax(((double)i + 0.5) * (double)from / (double)to - 0.5, 0.0);
    *a = (uint32_t)at < from - 1 ? (uint32_t)at : from - 1;
    *b = *a + 1 < from ? *a + 1 : *a;
    return (float)(at - (double)*a);
}

void ecg__heat_enlarge(const float *from, uint32_t h, uint32_t w, float *to, uint32_t th, uint32_t tw)
{
    for (uint32_t r = 0; r < th; r++) {
        uint32_t top, bottom, left, right;
        const float v = between(r, th, h, &top, &bottom);
        const float *upper = from + (size_t)top * w, *lower = from + (size_t)bottom * w;
        for (uint32_t c = 0; c < tw; c++) {
            const float u = between(c, tw, w, &left, &right);
            const float a = upper[left] + u * (upper[right] - upper[left]);
            const float b = lower[left] + u * (lower[right] - lower[left]);
            *to++ = a + v * (b - a);
        }
    }
}

/* To 0..1; returns what was the largest. What is below 0 becomes 0. */
static float divide(float *v, size_t n)
{
    float most = 0.0f;
    for (size_t i = 0; i < n; i++)
        most = v[i] > most ? v[i] : most;
    for (size_t i = 0; i < n; i++)
        v[i] = v[i] > 0.0f ? v[i] / most : 0.0f;
    return most;
}

static ecg_status check(const ecg_model *m, const ecg_heat_options *o, ecg_error *err)
{
    if (!ecg_heat_kind_name(o->kind))
        return ecg__fail(err, ECG_EINVAL, "heat options: no such kind: %d", (int)o->kind);
    if (o->choose > 1)
        return ecg__fail(err, ECG_EINVAL, "heat options: choose is %u, expected 0 or 1", o->choose);
    if (o->choose && o->cls >= m->classes)
        return ecg__fail(err, ECG_EINVAL, "heat options: class %u, expected 0..%u", o->cls, m->classes - 1);
    return ECG_OK;
}

/* The probabilities of img; *x is the input of the network, ecg__free'd by the caller. */
static ecg_status look(ecg_model *m, const ecg_image *img, float **x, float *probs, ecg_error *err)
{
    ecg_session_options so = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    so.threads = 1;
    ecg_status s = ecg_session_new(&session, m, &so, err);
    if (s == ECG_OK)
        s = ecg_session_run_images(session, img, 1, probs, err);
    ecg_session_free(session);
    const size_t row = (size_t)img->w * img->c;
    if (s != ECG_OK)
        return s;
    *x = ecg__alloc(row * img->h * sizeof **x);
    uint8_t *packed = ecg__alloc(row * img->h);
    if (*x && packed) {
        for (uint32_t r = 0; r < img->h; r++)
            memcpy(packed + r * row, img->px + r * img->stride, row);
        ecg_preprocess_values(&m->prep, packed, *x);
    } else {
        s = ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
    }
    ecg__free(packed);
    return s;
}

ecg_status ecg_heat_new(ecg_heat **out, ecg_model *m, const ecg_image *img, const ecg_heat_options *options,
                        ecg_error *err)
{
    ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
    ecg_heat *h = NULL;
    float *x = NULL, *probs = NULL;
    *out = NULL;
    ecg_status s = ecg__options_copy(&o, sizeof o, options, "heat options", err);
    if (s == ECG_OK)
        s = check(m, &o, err);
    if (s == ECG_OK && !(probs = ecg__calloc(m->classes, sizeof *probs)))
        s = ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
    if (s == ECG_OK)
        s = look(m, img, &x, probs, err);
    if (s == ECG_OK) {
        ecg_decision d;
        ecg_decide(m, probs, &d);
        const uint32_t cls = o.choose ? o.cls : d.best;
        s = o.kind == ECG_HEAT_GRADCAM ? ecg__gradcam(&h, m, x, cls, o.layer, err)
                                       : ecg__occlusion(&h, m, img, cls, probs[cls], &o, err);
        if (s == ECG_OK) {
            h->kind = o.kind;
            h->cls = cls;
            h->probability = probs[cls];
            h->most = divide(h->map, (size_t)h->map_h * h->map_w);
            if (o.kind == ECG_HEAT_GRADCAM)
                ecg__heat_enlarge(h->map, h->map_h, h->map_w, h->full, h->h, h->w);
            divide(h->full, (size_t)h->h * h->w);
            *out = h;
        }
    }
    ecg__free(x);
    ecg__free(probs);
    return s;
}
