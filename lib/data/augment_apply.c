#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "ecgcnn/augment.h"
#include "image/effects.h"
#include "image/warp.h"

enum { MAX_SIDE = 32768, MAX_FAST_SIDE = 16384 };

static const double two_pi = 6.283185307179586, degree = 3.14159265358979323846 / 180.0;

/* Keras' parameters: rotation, shift, shear and zoom about a centre (augmentation matrix R T S Z). */
static void keras_matrix(struct ecg__warp *m, const ecg_augmentation *a, ecg_geometry geometry, double h,
                         double w)
{
    const double half = geometry == ECG_GEOMETRY_KERAS1 ? 0.5 : -0.5;
    const double orow = h / 2.0 + half, ocol = w / 2.0 + half;
    const double ca = cos(a->theta * degree), sa = sin(a->theta * degree);
    const double cs = cos(a->shear * degree), ss = sin(a->shear * degree);
    const double l00 = ca * a->zx, l01 = (-ca * ss - sa * cs) * a->zy;
    const double l10 = sa * a->zx, l11 = (-sa * ss + ca * cs) * a->zy;
    const double b0 = ca * a->tx - sa * a->ty + orow - l00 * orow - l01 * ocol;
    const double b1 = sa * a->tx + ca * a->ty + ocol - l10 * orow - l11 * ocol;
    if (geometry == ECG_GEOMETRY_KERAS2) { /* rows and columns change roles at the very end */
        m->l00 = l11, m->l01 = l10, m->b0 = b1;
        m->l10 = l01, m->l11 = l00, m->b1 = b0;
    } else {
        m->l00 = l00, m->l01 = l01, m->b0 = b0;
        m->l10 = l10, m->l11 = l11, m->b1 = b1;
    }
}

/* Output coordinates are first taken into the window: row -> window * row + offset. */
static void crop_matrix(struct ecg__warp *m, const ecg_augmentation *a)
{
    const double s = a->crop, row = a->crop_row + 0.5 * s - 0.5, col = a->crop_col + 0.5 * s - 0.5;
    m->b0 += m->l00 * row + m->l01 * col;
    m->b1 += m->l10 * row + m->l11 * col;
    m->l00 *= s, m->l01 *= s, m->l10 *= s, m->l11 *= s;
}

/* Coordinates last go back through gain, stretch and shift in time. */
static void heart_matrix(struct ecg__warp *m, const ecg_augmentation *a, double h, double w)
{
    const double orow = (h - 1.0) / 2.0, ocol = (w - 1.0) / 2.0;
    m->l00 /= a->gain, m->l01 /= a->gain;
    m->b0 = (m->b0 - orow) / a->gain + orow;
    m->l10 /= a->time_stretch, m->l11 /= a->time_stretch;
    m->b1 = (m->b1 - ocol - a->time_shift) / a->time_stretch + ocol;
}

/* False: nothing moves. */
static bool find_warp(struct ecg__warp *m, const ecg_augmentation *a, const ecg_augment_options *o,
                      uint32_t h, uint32_t w, double *lift)
{
    const bool turns = a->theta != 0.0 || a->tx != 0.0 || a->ty != 0.0 || a->shear != 0.0 || a->zx != 1.0 ||
                       a->zy != 1.0;
    const bool crops = a->crop != 1.0 || a->crop_row != 0.0 || a->crop_col != 0.0;
    const bool beats = a->time_shift != 0.0 || a->time_stretch != 1.0 || a->gain != 1.0;
    const bool wanders = a->wander != 0.0 || a->wander_ramp != 0.0;
    *m = (struct ecg__warp){1.0, 0.0,  0.0,          0.0,     1.0,
                            0.0, NULL, o->fill_mode, o->cval, o->interpolation_order};
    if (turns)
        keras_matrix(m, a, o->geometry, h, w);
    if (crops)
        crop_matrix(m, a);
    if (beats)
        heart_matrix(m, a, h, w);
    if (wanders) {
        const double wave = two_pi * a->wander_cycles / w;
        for (uint32_t c = 0; c < w; c++)
            lift[c] = a->wander * sin(wave * c + a->wander_phase) + a->wander_ramp * ((c + 0.5) / w - 0.5);
        m->lift = lift;
    }
    return turns || crops || beats || wanders;
}

static void after_warp(const ecg_augmentation *a, const ecg_augment_options *o, float *x, uint32_t h,
                       uint32_t w, uint32_t c, float *tmp)
{
    if (a->channel_shift != 0.0)
        ecg__channel_shift(x, (size_t)h * w * c, a->channel_shift);
    if (a->flip_horizontal)
        ecg__flip_horizontal(x, h, w, c);
    if (a->flip_vertical)
        ecg__flip_vertical(x, h, w, c);
    if (a->pen != 0.0)
        ecg__pen(x, h, w, c, a->pen, tmp);
    if (a->cutout_count > 0)
        ecg__cutout(x, h, w, c, a->cutout_first, a->cutout_count);
    if (a->noise > 0.0)
        ecg__noise(x, h, w, c, a->noise, a->noise_key);
    if (a->brighten)
        ecg__brightness(o->geometry, x, h, w, c, a->brightness);
}

/* Scratch: lift[w], then what warping or the pen takes, then the picture as floats. */
struct room {
    double *lift;
    void *work;
    float *picture;
};

static bool measure(const ecg_augment_options *o, uint32_t h, uint32_t w, uint32_t c, size_t *work,
                    size_t *all)
{
    if (h < 1 || w < 1 || c < 1 || c > 4 || h > MAX_SIDE || w > MAX_SIDE)
        return false;
    *work = ecg__warp_scratch(o->interpolation_order, h, w, c);
    if (*work == 0 || *work > SIZE_MAX / 4)
        return false;
    *work = ecg__align_up(*work);
    *all = ECG__ALIGN + ecg__align_up(w * sizeof(double)) + *work + (size_t)h * w * c * sizeof(float);
    return true;
}

size_t ecg_augment_scratch(const ecg_augment_options *o, uint32_t h, uint32_t w, uint32_t c)
{
    size_t work, all;
    return measure(o, h, w, c, &work, &all) ? all : 0;
}

static bool furnish(struct room *room, const ecg_augment_options *o, uint32_t h, uint32_t w, uint32_t c,
                    void *scratch)
{
    size_t work, all;
    if (!measure(o, h, w, c, &work, &all))
        return false;
    char *const at = (char *)ecg__align_up((uintptr_t)scratch);
    room->lift = (double *)(void *)at;
    room->work = at + ecg__align_up(w * sizeof(double));
    room->picture = (float *)(void *)((char *)room->work + work);
    return true;
}

void ecg_augment_apply_floats(const ecg_augmentation *a, const ecg_augment_options *o, const float *in,
                              uint32_t h, uint32_t w, uint32_t c, float *out, void *scratch)
{
    struct room room;
    struct ecg__warp m;
    if (!furnish(&room, o, h, w, c, scratch))
        return;
    if (find_warp(&m, a, o, h, w, room.lift))
        ecg__warp_floats(&m, in, h, w, c, out, room.work);
    else
        memcpy(out, in, (size_t)h * w * c * sizeof *out);
    after_warp(a, o, out, h, w, c, room.work);
}

static void to_floats(const ecg_image *in, float *restrict x)
{
    const size_t row = (size_t)in->w * in->c;
    for (uint32_t r = 0; r < in->h; r++) {
        const uint8_t *restrict px = in->px + r * in->stride;
        for (size_t i = 0; i < row; i++)
            x[r * row + i] = (float)px[i];
    }
}

void ecg_augment_apply(const ecg_augmentation *a, const ecg_augment_options *o, const ecg_image *in,
                       float *out, void *scratch)
{
    struct room room;
    struct ecg__warp m;
    if (!furnish(&room, o, in->h, in->w, in->c, scratch))
        return;
    const bool moves = find_warp(&m, a, o, in->h, in->w, room.lift);
    if (moves && in->c == 1 && m.order == 1 && (m.fill == ECG_FILL_NEAREST || m.fill == ECG_FILL_CONSTANT) &&
        in->h <= MAX_FAST_SIDE && in->w <= MAX_FAST_SIDE) {
        ecg__warp_gray(&m, in->px, in->stride, in->h, in->w, out, room.work);
    } else {
        to_floats(in, moves ? room.picture : out);
        if (moves)
            ecg__warp_floats(&m, room.picture, in->h, in->w, in->c, out, room.work);
    }
    after_warp(a, o, out, in->h, in->w, in->c, room.work);
}

ecg_image ecg_image_nine_crop(const ecg_image *in, uint32_t k, double fraction)
{
    const ecg_image none = {NULL, 0, 0, 0, 0};
    if (k > 8 || !(fraction > 0.0 && fraction <= 1.0) || !in->px || in->h == 0 || in->w == 0)
        return none;
    uint32_t h = (uint32_t)(in->h * fraction + 0.5), w = (uint32_t)(in->w * fraction + 0.5);
    h = h < 1 ? 1 : h, w = w < 1 ? 1 : w;
    const size_t row = (size_t)(in->h - h) * (k / 3) / 2, col = (size_t)(in->w - w) * (k % 3) / 2;
    return (ecg_image){in->px + row * in->stride + col * in->c, w, h, in->c, in->stride};
}
