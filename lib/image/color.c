#include "image/color.h"

#include <string.h>

/* a * b / 255, rounded, as Pillow does it. */
static uint32_t mul255(uint32_t a, uint32_t b)
{
    const uint32_t t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

/* ITU-R BT.601 in 16 fractional bits; the weights sum to 65536, so gray stays what it is. */
static uint8_t luma(uint32_t r, uint32_t g, uint32_t b)
{
    return (uint8_t)((r * 19595 + g * 38470 + b * 7471 + 32768) >> 16);
}

static uint32_t sample(const struct ecg__samples *s, const uint8_t *row, size_t i)
{
    return s->bits == 16 ? (uint32_t)row[2 * i] << 8 | row[2 * i + 1] : row[i];
}

/* A sample in 8 bits. Pillow opens 16-bit gray as 32-bit integers and clips those. */
static uint32_t to_8bit(const struct ecg__samples *s, uint32_t v, ecg_profile profile)
{
    switch (s->bits) {
    case 1:
        return v ? 255 : 0;
    case 2:
        return v * 85;
    case 4:
        return v * 17;
    case 16:
        if (s->kind == ECG__GRAY && profile == ECG_PROFILE_KERAS)
            return v < 255 ? v : 255;
        return v >> 8;
    default:
        return v;
    }
}

/* GRAY and RGB. The keras profile compares what Pillow does: samples already brought to 8 bits with the key's
 * low byte. */
static void plain_row(const struct ecg__samples *s, const uint8_t *row, uint32_t w, ecg_profile profile,
                      uint8_t *rgba)
{
    const uint32_t n = s->kind == ECG__GRAY ? 1 : 3;
    for (size_t i = 0; i < w; i++, rgba += 4) {
        bool clear = s->has_key;
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t raw = sample(s, row, i * n + k), v = to_8bit(s, raw, profile);
            clear = clear && (profile == ECG_PROFILE_KERAS ? v == (s->key[k] & 255u) : raw == s->key[k]);
            rgba[k] = (uint8_t)v;
        }
        if (n == 1)
            rgba[1] = rgba[2] = rgba[0];
        rgba[3] = clear ? 0 : 255;
    }
}

static void alpha_row(const struct ecg__samples *s, const uint8_t *row, uint32_t w, ecg_profile profile,
                      uint8_t *rgba)
{
    const uint32_t n = s->kind == ECG__GRAY_ALPHA ? 2 : 4;
    for (size_t i = 0; i < w; i++, rgba += 4)
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t from = n == 4 ? k : k / 3;
            rgba[k] = (uint8_t)to_8bit(s, sample(s, row, i * n + from), profile);
        }
}

static bool index_row(const struct ecg__samples *s, const uint8_t *row, uint32_t w, ecg_profile profile,
                      uint8_t *rgba)
{
    for (size_t i = 0; i < w; i++, rgba += 4) {
        const uint8_t v = row[i];
        if (v < s->colors) {
            memcpy(rgba, s->palette[v], 4);
        } else {
            if (profile != ECG_PROFILE_KERAS)
                return false;
            memset(rgba, v, 3);
            rgba[3] = 255;
        }
    }
    return true;
}

static void cmyk_row(const uint8_t *row, uint32_t w, uint8_t *rgba)
{
    for (size_t i = 0; i < w; i++, rgba += 4, row += 4) {
        const uint32_t light = row[3];
        for (uint32_t k = 0; k < 3; k++)
            rgba[k] = (uint8_t)(light - mul255(255u - row[k], light));
        rgba[3] = 255;
    }
}

static void over_white(uint8_t *rgba, uint32_t w)
{
    for (size_t i = 0; i < w; i++, rgba += 4)
        if (rgba[3] != 255)
            for (uint32_t k = 0; k < 3; k++)
                rgba[k] = (uint8_t)(255 - mul255(255u - rgba[k], rgba[3]));
}

bool ecg__color_row(const struct ecg__samples *s, const uint8_t *row, uint32_t w, ecg_color color,
                    ecg_profile profile, uint8_t *scratch, uint8_t *px)
{
    if (s->bits == 8 && !s->has_key &&
        ((s->kind == ECG__GRAY && color == ECG_COLOR_GRAY) ||
         (s->kind == ECG__RGB && color == ECG_COLOR_RGB))) {
        memcpy(px, row, (size_t)w * (uint32_t)color);
        return true;
    }
    uint8_t *rgba = color == ECG_COLOR_RGBA ? px : scratch;
    switch (s->kind) {
    case ECG__GRAY:
    case ECG__RGB:
        plain_row(s, row, w, profile, rgba);
        break;
    case ECG__GRAY_ALPHA:
    case ECG__RGB_ALPHA:
        alpha_row(s, row, w, profile, rgba);
        break;
    case ECG__INDEX:
        if (!index_row(s, row, w, profile, rgba))
            return false;
        break;
    case ECG__CMYK:
        cmyk_row(row, w, rgba);
        break;
    }
    if (color == ECG_COLOR_RGBA)
        return true;
    if (profile == ECG_PROFILE_CORRECT)
        over_white(rgba, w);
    if (color == ECG_COLOR_GRAY)
        for (size_t i = 0; i < w; i++)
            px[i] = luma(rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]);
    else
        for (size_t i = 0; i < w; i++)
            memcpy(px + 3 * i, rgba + 4 * i, 3);
    return true;
}
