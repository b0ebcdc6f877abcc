#include "signal/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"

static const char *const WINDOWS[ECG__RECIPE_WINDOWS] = {"fixed", "rr", "rhythm"};
static const char *const VIEWS[ECG__RECIPE_VIEWS] = {"beat", "close", "usual", "strip", "second", "pace"};
static const char LEADS[] = "MLII,II,0", AUTO[] = "auto";

static const uint32_t FIXED_H = 128, FIXED_W = 192, FIXED_BOX[4] = {24, 15, 173, 114};

static const struct ecg_recipe DEFAULTS[ECG__RECIPE_WINDOWS] = {
    [ECG__FIXED] = {.window = ECG__FIXED,
                    .view = {ECG__VIEW_BEAT},
                    .views = 1,
                    .h = 128,
                    .w = 192,
                    .pen = 0.6,
                    .top = 1.076,
                    .bottom = -1.777},
    [ECG__RR] = {.window = ECG__RR,
                 .view = {ECG__VIEW_BEAT},
                 .views = 1,
                 .h = 128,
                 .w = 128,
                 .pen = 1.5,
                 .top = 2.0,
                 .bottom = -1.5,
                 .baseline = 0.6},
    [ECG__RHYTHM] = {.window = ECG__RHYTHM,
                     .view = {ECG__VIEW_CLOSE, ECG__VIEW_USUAL, ECG__VIEW_STRIP},
                     .views = 3,
                     .h = 64,
                     .w = 96,
                     .pen = 1.5,
                     .by_qrs = true,
                     .top = 1.3,
                     .bottom = -1.3,
                     .baseline = 0.6},
};

/* ---- Words ---- */
struct word {
    const char *at;
    size_t n;
};

static bool is(struct word w, const char *text)
{
    return w.n == strlen(text) && memcmp(w.at, text, w.n) == 0;
}

static int find(struct word w, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (is(w, names[i]))
            return i;
    return -1;
}

/* Cut off the part before `mark`, or all. False when nothing is left. */
static bool cut(struct word *rest, struct word *part, char mark)
{
    if (!rest->at)
        return false;
    const char *end = rest->n ? memchr(rest->at, mark, rest->n) : NULL;
    *part = (struct word){rest->at, end ? (size_t)(end - rest->at) : rest->n};
    *rest = end ? (struct word){end + 1, rest->n - part->n - 1} : (struct word){NULL, 0};
    return true;
}

static bool whole(struct word w, uint32_t *out)
{
    uint32_t v = 0;
    if (w.n == 0 || w.n > 5)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        if (w.at[i] < '0' || w.at[i] > '9')
            return false;
        v = 10 * v + (uint32_t)(w.at[i] - '0');
    }
    *out = v;
    return true;
}

static bool real(struct word w, double min, double max, double *out)
{
    double v;
    if (!ecg__number_read(w.at, w.n, &v, NULL) || !(v >= min && v <= max))
        return false;
    *out = v;
    return true;
}

/* ---- One value each; false when it is not one ---- */
static bool read_views(struct ecg_recipe *r, struct word v)
{
    struct word part;
    r->views = 0;
    while (cut(&v, &part, ',')) {
        const int k = find(part, VIEWS, ECG__RECIPE_VIEWS);
        if (k < 0 || r->views == 3)
            return false;
        r->view[r->views++] = (enum ecg__recipe_view)k;
    }
    return true;
}

static bool read_leads(char out[ECG__LEAD_TEXT], struct word v)
{
    if (v.n == 0 || v.n >= ECG__LEAD_TEXT)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        const bool comma = v.at[i] == ',';
        if (v.at[i] <= ' ' || v.at[i] == 127 || (comma && (i == 0 || i + 1 == v.n || v.at[i - 1] == ',')))
            return false;
    }
    memcpy(out, v.at, v.n);
    out[v.n] = '\0';
    return true;
}

static bool read_size(struct ecg_recipe *r, struct word v)
{
    struct word h;
    return cut(&v, &h, 'x') && v.at && whole(h, &r->h) && whole(v, &r->w) && r->h >= 8 && r->h <= 4096 &&
           r->w >= 8 && r->w <= 4096;
}

static bool read_box(struct ecg_recipe *r, struct word v)
{
    struct word part;
    int n = 0;
    while (cut(&v, &part, ':'))
        if (n == 4 || !whole(part, &r->box[n++]))
            return false;
    return n == 4;
}

static bool read_scale(struct ecg_recipe *r, struct word v)
{
    r->by_qrs = is(v, "qrs");
    return r->by_qrs || is(v, "mv");
}

static bool read_value(struct ecg_recipe *r, int key, struct word v)
{
    switch (key) {
    case 0:
        return read_views(r, v);
    case 1:
        return read_leads(r->lead, v);
    case 2:
        return read_leads(r->second, v);
    case 3:
        return read_size(r, v);
    case 4:
        return read_box(r, v);
    case 5:
        return real(v, 0.0, 64.0, &r->pen) && r->pen > 0.0;
    case 6:
        return read_scale(r, v);
    case 7:
        return real(v, -1e6, 1e6, &r->top);
    case 8:
        return real(v, -1e6, 1e6, &r->bottom);
    default:
        r->baseline = 0.0;
        return is(v, "none") || real(v, 0.05, 10.0, &r->baseline);
    }
}

static const struct {
    const char *name, *expected;
} KEYS[] = {
    {"views", "one to three of beat, close, usual, strip, second, pace, with commas between"},
    {"lead", "names or numbers of signals with commas between"},
    {"second", "auto, or names or numbers of signals with commas between"},
    {"size", "ROWSxCOLUMNS, each from 8 to 4096"},
    {"box", "COLUMN:ROW:COLUMN:ROW"},
    {"pen", "a number above 0 and up to 64"},
    {"scale", "mv or qrs"},
    {"top", "a number from -1000000 to 1000000"},
    {"bottom", "a number from -1000000 to 1000000"},
    {"baseline", "none, or seconds from 0.05 to 10"},
};
enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS, KEY_BOX = 4 };

/* The whole picture; for `fixed` the part of it that the original's axes take. */
static void default_box(struct ecg_recipe *r)
{
    const uint32_t whole_box[4] = {0, 0, r->w - 1, r->h - 1};
    for (int i = 0; i < 4; i++) {
        const uint32_t n = i % 2 ? r->h : r->w, from = i % 2 ? FIXED_H : FIXED_W;
        r->box[i] = r->window == ECG__FIXED ? (FIXED_BOX[i] * n + from / 2) / from : whole_box[i];
        if (r->box[i] >= n)
            r->box[i] = n - 1;
    }
}

static ecg_status read_word(struct ecg_recipe *r, struct word w, unsigned *seen, ecg_error *err)
{
    struct word key;
    const int shown = w.n < 80 ? (int)w.n : 80;
    struct word value = w;
    if (!cut(&value, &key, '=') || !value.at)
        return ecg__fail(err, ECG_EINVAL,
                         "recipe: '%.*s': expected a window (fixed, rr, rhythm) first, then NAME=VALUE",
                         shown, w.at);
    for (int k = 0; k < KEY_COUNT; k++) {
        if (!is(key, KEYS[k].name))
            continue;
        if (*seen & 1u << k)
            return ecg__fail(err, ECG_EINVAL, "recipe: %s is given twice", KEYS[k].name);
        *seen |= 1u << k;
        if (!read_value(r, k, value))
            return ecg__fail(err, ECG_EINVAL, "recipe: '%.*s': expected %s", shown, w.at, KEYS[k].expected);
        return ECG_OK;
    }
    return ecg__fail(err, ECG_EINVAL,
                     "recipe: '%.*s': expected views, lead, second, size, box, pen, scale, top, bottom or "
                     "baseline before the =",
                     shown, w.at);
}

static ecg_status check(const struct ecg_recipe *r, ecg_error *err)
{
    if (!(r->top > r->bottom))
        return ecg__fail(err, ECG_EINVAL, "recipe: top %g is not above bottom %g", r->top, r->bottom);
    if (r->box[2] >= r->w || r->box[3] >= r->h || r->box[2] < r->box[0] + 7 || r->box[3] < r->box[1] + 7)
        return ecg__fail(err, ECG_EINVAL,
                         "recipe: box %u:%u:%u:%u: expected 8 columns and rows or more inside the %ux%u "
                         "pixels of size",
                         r->box[0], r->box[1], r->box[2], r->box[3], r->h, r->w);
    return ECG_OK;
}

static ecg_status parse(struct ecg_recipe *r, const char *text, ecg_error *err)
{
    unsigned seen = 0;
    bool first = true;
    *r = DEFAULTS[ECG__FIXED];
    for (const char *at = text; *at;) {
        const struct word w = {at, strcspn(at, " \t\r\n")};
        at += w.n;
        at += strspn(at, " \t\r\n");
        if (w.n == 0)
            continue;
        const int window = first ? find(w, WINDOWS, ECG__RECIPE_WINDOWS) : -1;
        if (first) {
            *r = DEFAULTS[window < 0 ? ECG__FIXED : window];
            memcpy(r->lead, LEADS, sizeof LEADS);
            memcpy(r->second, AUTO, sizeof AUTO);
        }
        first = false;
        if (window >= 0)
            continue;
        const ecg_status s = read_word(r, w, &seen, err);
        if (s != ECG_OK)
            return s;
    }
    if (first)
        return ecg__fail(err, ECG_EINVAL, "recipe: no text; expected a window: fixed, rr or rhythm");
    if (!(seen & 1u << KEY_BOX))
        default_box(r);
    return check(r, err);
}

ecg_status ecg_recipe_parse(ecg_recipe **out, const char *text, ecg_error *err)
{
    if (!out || !text)
        return ecg__fail(err, ECG_EINVAL, "recipe: no text, or nowhere to put it");
    *out = NULL;
    struct ecg_recipe *r = ecg__calloc(1, sizeof *r);
    if (!r)
        return ecg__fail(err, ECG_ENOMEM, "recipe: out of memory");
    const ecg_status s = parse(r, text, err);
    if (s == ECG_OK)
        *out = r;
    else
        ecg__free(r);
    return s;
}

/* ---- Printing ---- */
struct text {
    char *buf;
    size_t cap, n;
};

ECG__PRINTF(2, 3) static void put(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const size_t left = t->n < t->cap ? t->cap - t->n : 0;
    const int n = vsnprintf(left ? t->buf + t->n : NULL, left, fmt, args);
    va_end(args);
    t->n += n > 0 ? (size_t)n : 0;
}

static void put_number(struct text *t, const char *key, double v)
{
    char number[ECG__NUMBER_TEXT];
    const size_t n = ecg__number_print(v, number);
    put(t, " %s=%.*s", key, (int)n, number);
}

size_t ecg_recipe_print(const ecg_recipe *r, char *buf, size_t cap)
{
    struct text t = {buf, buf ? cap : 0, 0};
    if (t.cap)
        buf[0] = '\0';
    if (!r)
        return 0;
    put(&t, "%s views=", WINDOWS[r->window]);
    for (uint32_t i = 0; i < r->views; i++)
        put(&t, "%s%s", i ? "," : "", VIEWS[r->view[i]]);
    put(&t, " lead=%s second=%s size=%ux%u box=%u:%u:%u:%u", r->lead, r->second, r->h, r->w, r->box[0],
        r->box[1], r->box[2], r->box[3]);
    put_number(&t, "pen", r->pen);
    put(&t, " scale=%s", r->by_qrs ? "qrs" : "mv");
    put_number(&t, "top", r->top);
    put_number(&t, "bottom", r->bottom);
    if (r->baseline > 0.0)
        put_number(&t, "baseline", r->baseline);
    else
        put(&t, " baseline=none");
    return t.n;
}

ecg_shape ecg_recipe_shape(const ecg_recipe *r)
{
    return r ? (ecg_shape){r->h, r->w, r->views > 1 ? 3 : 1} : (ecg_shape){0, 0, 0};
}

void ecg_recipe_free(ecg_recipe *r)
{
    ecg__free(r);
}
