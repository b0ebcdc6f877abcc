/* EXIF orientation: how a camera was held. */
#ifndef ECG_IMAGE_ORIENT_H
#define ECG_IMAGE_ORIENT_H

#include "image/pixels.h"

/* 1..8 from the n bytes of a TIFF header with its first directory (what follows "Exif\0\0" in a JPEG, what a
 * PNG's eXIf chunk holds); 1 when anything about it is odd. */
uint32_t ecg__exif_orientation(const unsigned char *tiff, size_t n);

/* The picture upright, as a new one; orientation 1..8. NULL when out of memory. */
ecg_pixels *ecg__oriented(const ecg_pixels *p, uint32_t orientation);

#endif
