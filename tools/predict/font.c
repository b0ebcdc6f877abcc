#include "predict/font.h"

#include <string.h>

/* Seven rows of five dots each, the leftmost the highest bit. */
static const struct glyph {
    char c;
    uint8_t row[7];
} glyphs[] = {
    {' ', {0, 0, 0, 0, 0, 0, 0}},        {'0', {14, 17, 19, 21, 25, 17, 14}},
    {'1', {4, 12, 4, 4, 4, 4, 14}},      {'2', {14, 17, 1, 6, 8, 16, 31}},
    {'3', {30, 1, 1, 14, 1, 1, 30}},     {'4', {2, 6, 10, 18, 31, 2, 2}},
    {'5', {31, 16, 30, 1, 1, 17, 14}},   {'6', {6, 8, 16, 30, 17, 17, 14}},
    {'7', {31, 1, 2, 4, 8, 8, 8}},       {'8', {14, 17, 17, 14, 17, 17, 14}},
    {'9', {14, 17, 17, 15, 1, 2, 12}},   {'A', {14, 17, 17, 31, 17, 17, 17}},
    {'B', {30, 17, 17, 30, 17, 17, 30}}, {'C', {14, 17, 16, 16, 16, 17, 14}},
    {'D', {30, 17, 17, 17, 17, 17, 30}}, {'E', {31, 16, 16, 30, 16, 16, 31}},
    {'F', {31, 16, 16, 30, 16, 16, 16}}, {'G', {14, 17, 16, 23, 17, 17, 15}},
    {'H', {17, 17, 17, 31, 17, 17, 17}}, {'I', {14, 4, 4, 4, 4, 4, 14}},
    {'J', {7, 2, 2, 2, 2, 18, 12}},      {'K', {17, 18, 20, 24, 20, 18, 17}},
    {'L', {16, 16, 16, 16, 16, 16, 31}}, {'M', {17, 27, 21, 21, 17, 17, 17}},
    {'N', {17, 25, 25, 21, 19, 19, 17}}, {'O', {14, 17, 17, 17, 17, 17, 14}},
    {'P', {30, 17, 17, 30, 16, 16, 16}}, {'Q', {14, 17, 17, 17, 21, 18, 13}},
    {'R', {30, 17, 17, 30, 20, 18, 17}}, {'S', {15, 16, 16, 14, 1, 1, 30}},
    {'T', {31, 4, 4, 4, 4, 4, 4}},       {'U', {17, 17, 17, 17, 17, 17, 14}},
    {'V', {17, 17, 17, 17, 17, 10, 4}},  {'W', {17, 17, 17, 21, 21, 27, 17}},
    {'X', {17, 17, 10, 4, 10, 17, 17}},  {'Y', {17, 17, 10, 4, 4, 4, 4}},
    {'Z', {31, 1, 2, 4, 8, 16, 31}},     {'.', {0, 0, 0, 0, 0, 12, 12}},
    {',', {0, 0, 0, 0, 12, 4, 8}},       {':', {0, 12, 12, 0, 12, 12, 0}},
    {';', {0, 12, 12, 0, 12, 4, 8}},     {'-', {0, 0, 0, 31, 0, 0, 0}},
    {'+', {0, 4, 4, 31, 4, 4, 0}},       {'_', {0, 0, 0, 0, 0, 0, 31}},
    {'=', {0, 0, 31, 0, 31, 0, 0}},      {'/', {1, 1, 2, 4, 8, 16, 16}},
    {'(', {2, 4, 8, 8, 8, 4, 2}},        {')', {8, 4, 2, 2, 2, 4, 8}},
    {'%', {25, 25, 2, 4, 8, 19, 19}},    {'!', {4, 4, 4, 4, 4, 0, 4}},
    {'\'', {4, 4, 8, 0, 0, 0, 0}},       {'&', {12, 18, 20, 8, 21, 18, 13}},
    {'?', {14, 17, 1, 2, 4, 0, 4}}, /* the last: for all others */
};

static const struct glyph *find(char c)
{
    const char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    const size_t n = sizeof glyphs / sizeof *glyphs;
    for (size_t i = 0; i < n; i++)
        if (glyphs[i].c == upper)
            return &glyphs[i];
    return &glyphs[n - 1];
}

static int goes_on(char c) /* a byte of a UTF-8 sequence that is not its first */
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

uint32_t font_length(const char *text)
{
    uint32_t n = 0;
    for (; *text; text++)
        n += !goes_on(*text);
    return n;
}

static void dot(canvas *c, uint32_t x, uint32_t y, uint32_t scale, uint8_t gray)
{
    for (uint32_t r = y; r < y + scale && r < c->h; r++)
        for (uint32_t k = x; k < x + scale && k < c->w; k++)
            memset(c->px + 3 * ((size_t)r * c->w + k), gray, 3);
}

void font_draw(canvas *c, uint32_t x, uint32_t y, uint32_t scale, uint8_t gray, const char *text)
{
    for (; *text; text++) {
        if (goes_on(*text))
            continue;
        const struct glyph *g = find(*text);
        for (uint32_t r = 0; r < 7; r++)
            for (uint32_t k = 0; k < 5; k++)
                if (g->row[r] >> (4 - k) & 1)
                    dot(c, x + k * scale, y + r * scale, scale, gray);
        x += FONT_W * scale;
    }
}
