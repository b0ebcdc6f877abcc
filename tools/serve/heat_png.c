#include "serve/heat_png.h"

#include <stdlib.h>
#include <string.h>

#include "common/heat.h"

typedef struct png {
    unsigned char *data;
    size_t n, cap;
} png;

static int write_png(void *payload, const void *data, size_t n)
{
    png *p = payload;
    if (p->cap - p->n < n) {
        size_t cap = p->cap ? p->cap : 1 << 16;
        while (cap - p->n < n)
            cap *= 2;
        unsigned char *more = realloc(p->data, cap);
        if (!more)
            return 1;
        p->data = more;
        p->cap = cap;
    }
    memcpy(p->data + p->n, data, n);
    p->n += n;
    return 0;
}

static ecg_status encode(png *p, const ecg_image *shown, const ecg_heat *h, int dark, ecg_error *err)
{
    const size_t stride = 3 * (size_t)shown->w;
    uint8_t *px = malloc(stride * shown->h);
    if (!px)
        return ECG_ENOMEM;
    heat_over(px, stride, shown, h, dark);
    const ecg_image page = {px, shown->w, shown->h, 3, stride};
    const ecg_status s = ecg_image_encode_png(&page, write_png, p, err);
    free(px);
    return s;
}

ecg_status heat_png(unsigned char **out, size_t *size, ecg_model *m, const ecg_image *prepared,
                    const ecg_look *look, const void *data, size_t n, ecg_error *err)
{
    ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
    ecg_decode_options d = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *full = NULL, *shown = NULL;
    ecg_heat *heat = NULL;
    png p = {NULL, 0, 0};
    o.threads = 1;
    d.color = ECG_COLOR_RGB;
    d.profile = ecg_model_preprocess(m)->profile; /* turned as the model sees it */
    ecg_status s = ecg_heat_new(&heat, m, prepared, &o, err);
    if (s == ECG_OK)
        s = ecg_pixels_decode(&full, data, n, NULL, &d, err);
    if (s == ECG_OK) {
        const ecg_image v = ecg_pixels_view(full);
        s = heat_resize(&shown, &v, (double)v.w / (double)v.h, err);
    }
    if (s == ECG_OK) {
        const ecg_image v = ecg_pixels_view(shown);
        s = encode(&p, &v, heat, look->of[ECG_LOOK_BACKGROUND] < 0.5f, err);
    }
    ecg_pixels_free(full);
    ecg_pixels_free(shown);
    ecg_heat_free(heat);
    if (s != ECG_OK) {
        free(p.data);
        p = (png){NULL, 0, 0};
    }
    *out = p.data;
    *size = p.n;
    return s;
}
