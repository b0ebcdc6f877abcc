/* Drawing lines into 8-bit gray pictures. */
#ifndef ECG_IMAGE_DRAW_H
#define ECG_IMAGE_DRAW_H

#include <stddef.h>
#include <stdint.h>

/* Darken px[h][w] (rows `stride` bytes apart) along the n points xy[n][2], column and row in pixels; (0, 0)
 * is the centre of the top left pixel. A line of width `pen` with round ends and joints, antialiased: a pixel
 * at distance d from the nearest segment is covered by what of it lies within pen / 2 across the line, and
 * becomes 255 * (1 - coverage) unless it is darker already. Lines that overlap or meet do not add up.
 *
 * Any coordinates are safe: what lies outside is clipped without bending what is inside, a segment with a NaN
 * is left out, infinity counts as very far. One point is a dot. A pen that is not above 0 draws nothing. */
void ecg__draw_polyline(uint8_t *px, uint32_t h, uint32_t w, size_t stride, const float *xy, size_t n,
                        float pen);

#endif
