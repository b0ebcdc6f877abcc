#include "golden/golden_image_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool target(const golden_table *t, uint32_t *h, uint32_t *w, ecg_filter *filter)
{
    if (!golden_uint(t, "target_h", h) || !golden_uint(t, "target_w", w))
        return false;
    if (ecg_filter_parse(filter, golden_cell(t, "interpolation")) != ECG_OK)
        return golden_failed(t, "unknown interpolation");
    return true;
}

static bool resize(const golden_table *t, const ecg_image *in, uint32_t h, uint32_t w, ecg_filter filter)
{
    ecg_error err;
    ecg_pixels *p;
    if (ecg_pixels_resize(&p, in, h, w, filter, &err) != ECG_OK)
        return golden_failed(t, err.message);
    const bool ok = golden_compare_pixels(t, p);
    ecg_pixels_free(p);
    return ok;
}

uint8_t *golden_bytes(const float *x, size_t n)
{
    uint8_t *px = malloc(n);
    for (size_t i = 0; px && i < n; i++) {
        if (!(x[i] >= 0.0f && x[i] <= 255.0f && x[i] == floorf(x[i]))) {
            free(px);
            return NULL;
        }
        px[i] = (uint8_t)x[i];
    }
    return px;
}

/* Resize the window (row, col, h, w) of the input; h = 0: all of it. */
static bool resize_window(const golden_table *t, const uint32_t window[4])
{
    golden_shape in;
    uint32_t h, w;
    ecg_filter filter;
    if (!target(t, &h, &w, &filter))
        return false;
    if (!golden_picture_shape(&in, golden_cell(t, "in_shape")))
        return golden_failed(t, "in_shape is no shape");
    float *x = golden_floats(t, golden_cell(t, "input"), in.count);
    uint8_t *px = x ? golden_bytes(x, in.count) : NULL;
    free(x);
    if (!px)
        return golden_failed(t, "cannot read the input, or it is not 8-bit");
    ecg_image view = {px, in.dim[1], in.dim[0], in.dim[2], (size_t)in.dim[1] * in.dim[2]};
    bool ok = true;
    if (window[2] != 0) {
        ok = window[0] <= view.h && window[2] <= view.h - window[0] && window[1] <= view.w &&
             window[3] <= view.w - window[1] && window[3] > 0;
        if (ok) {
            view.px += window[0] * view.stride + (size_t)window[1] * view.c;
            view.h = window[2], view.w = window[3];
        }
    }
    ok = ok ? resize(t, &view, h, w, filter) : golden_failed(t, "the window is not in the picture");
    free(px);
    return ok;
}

bool golden_resize_case(const golden_table *t, bool *counted)
{
    (void)counted;
    return resize_window(t, (const uint32_t[4]){0, 0, 0, 0});
}

bool golden_ninecrop_case(const golden_table *t, bool *counted)
{
    (void)counted;
    uint32_t window[4];
    if (!golden_uint(t, "crop_row", &window[0]) || !golden_uint(t, "crop_col", &window[1]) ||
        !golden_uint(t, "crop_h", &window[2]) || !golden_uint(t, "crop_w", &window[3]))
        return false;
    return window[2] > 0 ? resize_window(t, window) : golden_failed(t, "crop_h is 0");
}

bool golden_load_case(const golden_table *t, bool *counted)
{
    uint32_t h, w;
    ecg_filter filter;
    if (!target(t, &h, &w, &filter))
        return false;
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.profile = ECG_PROFILE_KERAS;
    if (ecg_color_parse(&o.color, golden_cell(t, "color_mode")) != ECG_OK)
        return golden_failed(t, "unknown color_mode");
    char path[GOLDEN_PATH];
    snprintf(path, sizeof path, "%s/%s", t->dir, golden_cell(t, "file"));
    ecg_error err;
    ecg_pixels *p;
    const ecg_status s = ecg_pixels_load(&p, path, &o, &err);
    if (s == ECG_EFORMAT && strcmp(golden_cell(t, "optional_format"), "1") == 0) {
        *counted = false;
        return false;
    }
    if (s != ECG_OK)
        return golden_failed(t, err.message);
    const ecg_image view = ecg_pixels_view(p);
    const bool ok = h == 0 && w == 0 ? golden_compare_pixels(t, p) : resize(t, &view, h, w, filter);
    ecg_pixels_free(p);
    return ok;
}
