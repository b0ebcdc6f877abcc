/* What a picture looks like, in a few numbers. Integer sums of a picture's pixels, so that nothing depends on
 * the order they are taken in. */
#include "image/look.h"

#include <stdbool.h>
#include <string.h>

enum { INK = 32, STRIP = 64 };

const char *ecg_look_name(uint32_t i)
{
    static const char *const name[ECG_LOOKS] = {
        "background",
        "ink",
        "brighter than the background",
        "grain",
        "darkness of the ink",
        "columns with ink",
        "strokes in a column",
        "breaks of the trace",
        "height of the ink in a column",
        "rows with ink",
        "ink at the border",
        "colourful",
        "aspect (log2 of width / height)",
        "background (prepared)",
        "ink (prepared)",
        "brighter than the background (prepared)",
        "grain (prepared)",
        "darkness of the ink (prepared)",
        "columns with ink (prepared)",
        "strokes in a column (prepared)",
        "breaks of the trace (prepared)",
        "height of the ink in a column (prepared)",
        "rows with ink (prepared)",
        "ink at the border (prepared)",
    };
    return i < ECG_LOOKS ? name[i] : NULL;
}

static uint32_t median_of(const ecg_image *v)
{
    uint64_t count[256] = {0}, below = 0;
    for (uint32_t r = 0; r < v->h; r++)
        for (uint32_t x = 0; x < v->w; x++)
            count[ecg__gray(v->px + r * v->stride + (size_t)x * v->c, v->c)]++;
    const uint64_t half = ((uint64_t)v->w * v->h + 1) / 2;
    uint32_t g = 0;
    while ((below += count[g]) < half)
        g++;
    return g;
}

/* Sums over a picture. */
struct sums {
    uint32_t ground;
    uint64_t ink, bright, border, depth, strokes, reach, columns, breaks, pairs, rows;
    uint64_t grain, smooth; /* differences of neighbours, and how many are small */
    uint32_t top, bottom;   /* of the ink in the column before; top > bottom: there is none */
};

/* Columns side by side, so that rows are read as they lie. */
struct strip {
    uint32_t n;
    bool on[STRIP];
    uint32_t top[STRIP], bottom[STRIP], runs[STRIP];
};

static void add_row(struct sums *s, struct strip *t, const ecg_image *v, uint32_t r, uint32_t first)
{
    const uint8_t *px = v->px + r * v->stride + (size_t)first * v->c;
    uint32_t last = first ? ecg__gray(px - v->c, v->c) : 0;
    for (uint32_t i = 0; i < t->n; i++, px += v->c) {
        const uint32_t g = ecg__gray(px, v->c), x = first + i;
        const bool ink = g + INK <= s->ground, bright = g >= s->ground + INK;
        const uint32_t d = g > last ? g - last : last - g;
        if (x > 0 && d < INK) {
            s->grain += d;
            s->smooth++;
        }
        last = g;
        s->bright += bright;
        s->border += (ink || bright) && (r == 0 || x == 0 || r + 1 == v->h || x + 1 == v->w);
        if (ink) {
            s->ink++;
            s->depth += s->ground - g;
            t->runs[i] += !t->on[i];
            t->top[i] = r < t->top[i] ? r : t->top[i];
            t->bottom[i] = r;
        }
        t->on[i] = ink;
    }
}

static void add_columns(struct sums *s, const struct strip *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const bool ink = t->runs[i] > 0;
        if (ink) {
            s->columns++;
            s->strokes += t->runs[i];
            s->reach += t->bottom[i] - t->top[i] + 1;
        }
        if (ink && s->top <= s->bottom) {
            s->pairs++;
            s->breaks += t->top[i] > s->bottom + 1 || t->bottom[i] + 1 < s->top;
        }
        s->top = t->top[i];
        s->bottom = t->bottom[i];
    }
}

static uint64_t count_rows(const struct sums *s, const ecg_image *v)
{
    uint64_t rows = 0;
    for (uint32_t r = 0; r < v->h; r++) {
        const uint8_t *px = v->px + r * v->stride;
        uint32_t x = 0;
        while (x < v->w && ecg__gray(px + (size_t)x * v->c, v->c) + INK > s->ground)
            x++;
        rows += x < v->w;
    }
    return rows;
}

static float share(uint64_t part, uint64_t all)
{
    return all ? (float)((double)part / (double)all) : 0.0f;
}

void ecg_look_prepared(const ecg_image *v, float out[ECG_LOOK_PREPARED])
{
    struct sums s = {.ground = median_of(v), .top = 1};
    for (uint32_t first = 0; first < v->w; first += STRIP) {
        struct strip t = {.n = v->w - first < STRIP ? v->w - first : STRIP};
        memset(t.top, 0xff, sizeof t.top);
        for (uint32_t r = 0; r < v->h; r++)
            add_row(&s, &t, v, r, first);
        add_columns(&s, &t);
    }
    s.rows = count_rows(&s, v);
    const uint64_t all = (uint64_t)v->w * v->h, short_side = v->w < v->h ? v->w : v->h;
    const uint64_t frame = short_side < 2 ? all : 2 * ((uint64_t)v->w + v->h) - 4;
    out[ECG_LOOK_BACKGROUND] = (float)s.ground / 255.0f;
    out[ECG_LOOK_INK] = share(s.ink, all);
    out[ECG_LOOK_BRIGHT] = share(s.bright, all);
    out[ECG_LOOK_GRAIN] = share(s.grain, s.smooth * INK);
    out[ECG_LOOK_DEPTH] = share(s.depth, s.ink * 255);
    out[ECG_LOOK_COLUMNS] = share(s.columns, v->w);
    out[ECG_LOOK_STROKES] = share(s.strokes, s.columns);
    out[ECG_LOOK_BREAKS] = share(s.breaks, s.pairs);
    out[ECG_LOOK_REACH] = share(s.reach, s.columns * v->h);
    out[ECG_LOOK_ROWS] = share(s.rows, v->h);
    out[ECG_LOOK_BORDER] = share(s.border, frame);
}
