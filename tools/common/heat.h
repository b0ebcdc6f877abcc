/* heat.h: the colours of heat maps. */
#ifndef ECG_TOOLS_HEAT_H
#define ECG_TOOLS_HEAT_H

#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/eval.h"
#include "ecgcnn/image.h"

/* The colour of heat t, 0..1, as sRGB 0..255: from white over yellow and red to purple, in CIELAB evenly
 * darker. */
void heat_color(double t, double rgb[3]);

/* v with the heat over it, as RGB: row r begins at px + r * stride. Light paper takes the colour as ink
 * would, and the trace stays black; dark paper is mixed with it. */
void heat_over(uint8_t *px, size_t stride, const ecg_image *v, const ecg_heat *h, int dark);

/* A picture at the size at which heat is shown over it: `aspect` is its width over its height, its longer
 * side is 640 pixels, and a strip is drawn wider than it is. Errors: those of ecg_pixels_resize. */
ecg_status heat_resize(ecg_pixels **out, const ecg_image *v, double aspect, ecg_error *err);

#endif
