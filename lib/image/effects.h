/* What augmentation does to the values of a picture x[h][w][c], in place. Alpha (channel 3) is left alone by
 * pen, cutout and noise. */
#ifndef ECG_IMAGE_EFFECTS_H
#define ECG_IMAGE_EFFECTS_H

#include "ecgcnn/augment.h"

/* x + v, held between the smallest and largest value that the picture had. */
void ecg__channel_shift(float *x, size_t n, double v);

void ecg__flip_horizontal(float *x, uint32_t h, uint32_t w, uint32_t c);
void ecg__flip_vertical(float *x, uint32_t h, uint32_t w, uint32_t c);

/* Keras' brightness in the two Keras profiles; else a factor, held in 0..255. Alpha stays. */
void ecg__brightness(ecg_geometry profile, float *x, uint32_t h, uint32_t w, uint32_t c, double factor);

/* Ink grows (pixels > 0) or shrinks; ink is what there is less of, dark or light. tmp[h * w * c]. */
void ecg__pen(float *x, uint32_t h, uint32_t w, uint32_t c, double pixels, float *tmp);

/* Columns first..first+count take the paper's value. */
void ecg__cutout(float *x, uint32_t h, uint32_t w, uint32_t c, uint32_t first, uint32_t count);

/* Nearly normal noise (a sum of four), a function of (key, position); held in 0..255. */
void ecg__noise(float *x, uint32_t h, uint32_t w, uint32_t c, double deviation, uint64_t key);

#endif
