/* Pictures to what a network reads, and to what they looked like before. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "image/look.h"
#include "image/pixels.h"

enum { MAX_BYTES = 1 << 26 }; /* of a file: the decoder's own limit */

static void look_at(ecg_look *look, const ecg_image *v, float color)
{
    ecg_look_prepared(v, look->of);
    look->of[ECG_LOOK_COLOR] = color;
    look->of[ECG_LOOK_ASPECT] = (float)log2((double)v->w / (double)v->h);
}

static float color_of(const ecg_image *v)
{
    uint64_t sum = 0;
    if (v->c == 1)
        return 0.0f;
    for (uint32_t r = 0; r < v->h; r++) {
        const uint8_t *p = v->px + r * v->stride;
        for (uint32_t x = 0; x < v->w; x++, p += v->c) {
            const uint8_t most = p[0] > p[1] ? p[0] : p[1], least = p[0] < p[1] ? p[0] : p[1];
            sum += (uint64_t)((most > p[2] ? most : p[2]) - (least < p[2] ? least : p[2]));
        }
    }
    return (float)((double)sum / (255.0 * (double)v->w * (double)v->h));
}

/* A PNG that says it is gray is not worth a second look. */
static bool is_gray(const unsigned char *p, size_t n)
{
    return n > 26 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0 && (p[25] == 0 || p[25] == 4);
}

ecg_status ecg_look_decode(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p, const void *data,
                           size_t n, const char *name, ecg_error *err)
{
    *out = NULL;
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *full, *colored;
    o.color = p->color;
    o.profile = p->profile;
    ecg_status s = ecg_pixels_decode(&full, data, n, name, &o, err);
    if (s != ECG_OK)
        return s;
    const ecg_image view = ecg_pixels_view(full);
    float color = color_of(&view);
    if (view.c == 1 && !is_gray(data, n)) {
        o.color = ECG_COLOR_RGB;
        s = ecg_pixels_decode(&colored, data, n, name, &o, err);
        if (s != ECG_OK) {
            ecg_pixels_free(full);
            return s;
        }
        const ecg_image v = ecg_pixels_view(colored);
        color = color_of(&v);
        ecg_pixels_free(colored);
    }
    look_at(look, &view, color);
    return ecg__preprocess_fit(out, full, p, name ? name : "picture", err);
}

ecg_status ecg_look_load(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p, const char *path,
                         ecg_error *err)
{
    unsigned char *data;
    size_t n;
    *out = NULL;
    ecg_status s = ecg__file_read(&data, &n, path, MAX_BYTES, err);
    if (s != ECG_OK)
        return s;
    s = ecg_look_decode(out, look, p, data, n, path, err);
    ecg__free(data);
    return s;
}

/* One pixel of `from` channels to one of `to`. */
static void convert(const uint8_t *p, uint32_t from, uint8_t *q, uint32_t to)
{
    if (to == 1) {
        q[0] = (uint8_t)ecg__gray(p, from);
        return;
    }
    const uint32_t alpha = from == 4 ? p[3] : 255;
    for (uint32_t k = 0; k < 3; k++) {
        const uint32_t v = p[from == 1 ? 0 : k];
        q[k] = to == 4 ? (uint8_t)v : (uint8_t)((v * alpha + 255u * (255u - alpha) + 127u) / 255u);
    }
    if (to == 4)
        q[3] = (uint8_t)alpha;
}

ecg_status ecg_look_image(ecg_pixels **out, ecg_look *look, const ecg_preprocess *p, const ecg_image *img,
                          ecg_error *err)
{
    *out = NULL;
    const ecg_status s = ecg__image_check(img, "look", err);
    if (s != ECG_OK)
        return s;
    const uint32_t to = (uint32_t)p->color;
    ecg_pixels *full = ecg__pixels_new(img->h, img->w, to);
    if (!full)
        return ecg__fail(err, ECG_ENOMEM, "look: out of memory");
    uint8_t *q = full->px;
    for (uint32_t r = 0; r < img->h; r++)
        for (uint32_t x = 0; x < img->w; x++, q += to)
            convert(img->px + r * img->stride + (size_t)x * img->c, img->c, q, to);
    const ecg_image view = ecg_pixels_view(full);
    look_at(look, &view, color_of(img));
    return ecg__preprocess_fit(out, full, p, "look", err);
}
