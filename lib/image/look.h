/* Numbers of a picture: the half of a look that decoded and prepared pictures share. */
#ifndef ECG_IMAGE_LOOK_H
#define ECG_IMAGE_LOOK_H

#include "ecgcnn/image.h"

/* One pixel of c channels as gray, as the decoder makes it; alpha over white. */
static inline uint32_t ecg__gray(const uint8_t *px, uint32_t c)
{
    if (c == 1)
        return px[0];
    const uint32_t y = (px[0] * 19595u + px[1] * 38470u + px[2] * 7471u + 32768u) >> 16;
    return c == 3 ? y : (y * px[3] + 255u * (255u - px[3]) + 127u) / 255u;
}

#endif
