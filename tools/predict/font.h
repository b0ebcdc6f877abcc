/* font.h: a small built-in font, so that a picture can say what it shows. */
#ifndef ECG_TOOLS_PREDICT_FONT_H
#define ECG_TOOLS_PREDICT_FONT_H

#include <stdint.h>

typedef struct canvas {
    uint8_t *px; /* [h][w][3] */
    uint32_t w, h;
} canvas;

enum { FONT_W = 6, FONT_H = 8 }; /* a character's cell at scale 1, with the gap to the next */

/* Text at (x, y), its top left corner, in one gray; small letters are drawn as capitals, what the font lacks
 * as '?', and what lies outside of the canvas not at all. */
void font_draw(canvas *c, uint32_t x, uint32_t y, uint32_t scale, uint8_t gray, const char *text);

/* Characters it draws: a sequence of UTF-8 counts as one. */
uint32_t font_length(const char *text);

#endif
