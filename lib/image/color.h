/* Rows of samples, as files hold them, to rows of 8-bit pixels. */
#ifndef ECG_IMAGE_COLOR_H
#define ECG_IMAGE_COLOR_H

#include "image/pixels.h"

enum ecg__sample_kind {
    ECG__GRAY,
    ECG__GRAY_ALPHA,
    ECG__RGB,
    ECG__RGB_ALPHA,
    ECG__INDEX,
    ECG__CMYK, /* Adobe's inverted form: 255 is no ink */
};

/* What the samples of a file mean. One byte each, two (big-endian) where bits is 16. */
struct ecg__samples {
    enum ecg__sample_kind kind;
    uint32_t bits; /* 1, 2, 4, 8, 16: a full sample is 2^bits - 1 */
    bool has_key;  /* a colour that is transparent, for GRAY and RGB */
    uint16_t key[3];
    uint32_t colors; /* of the palette */
    uint8_t palette[256][4];
};

/* row: w pixels of s to px[w][color]. scratch: w * 4 bytes. False: an index beyond the palette (a palette's
 * missing colours are a gray ramp in the keras profile, as in Pillow). */
bool ecg__color_row(const struct ecg__samples *s, const uint8_t *row, uint32_t w, ecg_color color,
                    ecg_profile profile, uint8_t *scratch, uint8_t *px);

#endif
