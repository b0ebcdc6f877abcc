/* A fast way through common PNG files. */
#ifndef ECG_IMAGE_PNG_PLAIN_H
#define ECG_IMAGE_PNG_PLAIN_H

#include "image/color.h"

/* Decode a file whose header and size have been checked. False: it is not of the common kind, or something is
 * wrong with it; libpng will know, and say what. */
bool ecg__png_plain(ecg_pixels **out, const struct ecg__encoded *in);

#endif
