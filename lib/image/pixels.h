/* The owner of pixels, and what the decoders share. */
#ifndef ECG_IMAGE_PIXELS_H
#define ECG_IMAGE_PIXELS_H

#include <stdbool.h>

#include "ecgcnn/image.h"

/* One block. Rows are packed: px[h][w][c]. */
struct ecg_pixels {
    uint32_t w, h, c;
    uint8_t px[];
};

/* Pixels not set; c 1..4. NULL when that is more memory than there is. */
ecg_pixels *ecg__pixels_new(uint32_t h, uint32_t w, uint32_t c);

/* ECG_EINVAL for a view without pixels, of other than 1, 3 or 4 channels, or with too small a stride. */
ecg_status ecg__image_check(const ecg_image *img, const char *what, ecg_error *err);

/* preprocess.c: `full` at the size of p. Takes `full` in every case. ECG_EINVAL, ECG_ENOMEM. */
ecg_status ecg__preprocess_fit(ecg_pixels **out, ecg_pixels *full, const ecg_preprocess *p, const char *name,
                               ecg_error *err);

/* A file in memory and what is wanted of it. */
struct ecg__encoded {
    const unsigned char *data;
    size_t n;
    const char *name; /* for messages */
    ecg_color color;
    ecg_profile profile;
    uint32_t max_side;
    uint64_t max_pixels;
};

/* ECG_ELIMIT when a picture of this size is not wanted, ECG_ECORRUPT when there is none. */
ecg_status ecg__size_check(const struct ecg__encoded *in, uint64_t w, uint64_t h, ecg_error *err);

/* *orientation is EXIF's, 1 where the file has none or the profile ignores it; the pixels are as stored. */
ecg_status ecg__png_decode(ecg_pixels **out, uint32_t *orientation, const struct ecg__encoded *in,
                           ecg_error *err);
ecg_status ecg__jpeg_decode(ecg_pixels **out, uint32_t *orientation, const struct ecg__encoded *in,
                            ecg_error *err);

#endif
