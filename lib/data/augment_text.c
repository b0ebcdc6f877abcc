#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "data/augment_params.h"
#include "ecgcnn/augment.h"

/* A piece of the text. */
struct piece {
    const char *s;
    size_t n;
};

enum { MAX_SHOWN = 60, MAX_NAME = 31 };

static int shown(struct piece p)
{
    return p.n > MAX_SHOWN ? MAX_SHOWN : (int)p.n;
}

static bool is(struct piece p, const char *word)
{
    return strlen(word) == p.n && memcmp(p.s, word, p.n) == 0;
}

/* Up to the first `end`, which *rest then follows; everything and an empty rest (s NULL) without one. */
static struct piece cut(struct piece p, char end, struct piece *rest)
{
    const char *at = p.n ? memchr(p.s, end, p.n) : NULL;
    if (!at) {
        *rest = (struct piece){NULL, 0};
        return p;
    }
    const size_t n = (size_t)(at - p.s);
    *rest = (struct piece){at + 1, p.n - n - 1};
    return (struct piece){p.s, n};
}

static struct piece trimmed(struct piece p)
{
    while (p.n && (p.s[0] == ' ' || p.s[0] == '\t' || p.s[0] == '\n'))
        p.s++, p.n--;
    while (p.n && (p.s[p.n - 1] == ' ' || p.s[p.n - 1] == '\t' || p.s[p.n - 1] == '\n'))
        p.n--;
    return p;
}

/* Letters to change, insert or leave out. */
static size_t distance(struct piece a, const char *b)
{
    size_t row[MAX_NAME + 1];
    const size_t m = strlen(b);
    if (a.n > 2 * MAX_NAME || m > MAX_NAME)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a.s[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
        }
    }
    return row[m];
}

static const char *nearest_name(struct piece name)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; ecg_augment_help(i); i++) {
        const char *candidate = ecg_augment_help(i)->name;
        const size_t d = distance(name, candidate);
        if (d < least)
            least = d, best = candidate;
    }
    return best && least <= strlen(best) / 2 ? best : NULL;
}

static ecg_status unknown(struct piece name, ecg_error *err)
{
    const char *near = nearest_name(name);
    if (near)
        return ecg__fail(err, ECG_EINVAL, "augmentation: no parameter %.*s, did you mean %s?", shown(name),
                         name.s, near);
    return ecg__fail(err, ECG_EINVAL, "augmentation: no parameter or preset %.*s", shown(name), name.s);
}

static ecg_status bad_value(const struct ecg__param *p, struct piece v, ecg_error *err)
{
    if (v.n == 0)
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s must be %s, got nothing", p->help.name,
                         p->help.range);
    return ecg__fail(err, ECG_EINVAL, "augmentation: %s must be %s, got %.*s", p->help.name, p->help.range,
                     shown(v), v.s);
}

static bool read_range(const struct ecg__param *p, struct piece v, ecg_range *out)
{
    struct piece rest;
    const struct piece first = cut(v, ':', &rest);
    double a, b;
    if (!ecg__number_read(first.s, first.n, &a, NULL))
        return false;
    if (rest.s) {
        if (!ecg__number_read(rest.s, rest.n, &b, NULL))
            return false;
        *out = (ecg_range){a, b};
        return true;
    }
    if (a == 0.0) {
        *out = (ecg_range){0.0, 0.0};
        return true;
    }
    switch (p->scalar) {
    case ECG__SCALAR_EVEN:
        *out = (ecg_range){-a, a};
        break;
    case ECG__SCALAR_ONE:
        *out = (ecg_range){1.0 - a, 1.0 + a};
        break;
    case ECG__SCALAR_UP:
        *out = a < 0.0 ? (ecg_range){a, 0.0} : (ecg_range){0.0, a};
        break;
    case ECG__SCALAR_TO_ONE:
        *out = (ecg_range){a, 1.0};
        break;
    }
    return true;
}

static bool read_shift(struct piece v, ecg_shift *out)
{
    ecg_shift s = {ECG_SHIFT_NONE, 0, {0.0}};
    struct piece rest;
    bool whole;
    if (v.n && memchr(v.s, ':', v.n)) {
        const struct piece first = cut(v, ':', &rest);
        s.kind = ECG_SHIFT_PAIR;
        if (!ecg__number_read(first.s, first.n, &s.value[0], NULL) ||
            !ecg__number_read(rest.s, rest.n, &s.value[1], NULL))
            return false;
    } else if (v.n && memchr(v.s, '/', v.n)) {
        s.kind = ECG_SHIFT_LIST;
        if (v.s[v.n - 1] == '/') /* "3/" is a list of one */
            v.n--;
        for (rest = v; rest.s; s.count++) {
            const struct piece one = cut(rest, '/', &rest);
            if (s.count == ECG_SHIFT_MAX || !ecg__number_read(one.s, one.n, &s.value[s.count], NULL))
                return false;
        }
    } else {
        if (!ecg__number_read(v.s, v.n, &s.value[0], &whole))
            return false;
        s.kind = whole && s.value[0] > 0.0 ? ECG_SHIFT_INT : ECG_SHIFT_FLOAT;
    }
    *out = s;
    return true;
}

static bool read_name(const struct ecg__param *p, struct piece v, void *at)
{
    for (uint32_t i = 0; p->names[i]; i++)
        if (v.n && is(v, p->names[i])) {
            memcpy(at, &i, sizeof i);
            return true;
        }
    return false;
}

static bool read_flag(struct piece v, uint32_t *out)
{
    if (!v.s || is(v, "1") || is(v, "true") || is(v, "yes"))
        *out = 1;
    else if (is(v, "0") || is(v, "false") || is(v, "no"))
        *out = 0;
    else
        return false;
    return true;
}

static bool read_value(const struct ecg__param *p, struct piece v, ecg_augment_options *o)
{
    void *const at = (char *)o + p->offset;
    if (!v.s && p->form != ECG__PARAM_FLAG)
        return false;
    switch (p->form) {
    case ECG__PARAM_RANGE:
        return read_range(p, v, at);
    case ECG__PARAM_SHIFT:
        return read_shift(v, at);
    case ECG__PARAM_REAL:
        return ecg__number_read(v.s, v.n, at, NULL);
    case ECG__PARAM_FLAG:
        return read_flag(v, at);
    case ECG__PARAM_NAME:
        return read_name(p, v, at);
    }
    return false;
}

/* NAME=VALUE@PROBABILITY */
static ecg_status read_setting(struct piece text, ecg_augment_options *o, ecg_error *err)
{
    struct piece probability, value;
    const struct piece setting = trimmed(cut(text, '@', &probability));
    const struct piece name = trimmed(cut(setting, '=', &value));
    if (name.n == 0)
        return ecg__fail(err, ECG_EINVAL, "augmentation: expected NAME=VALUE, got \"%.*s\"", shown(text),
                         text.s ? text.s : "");
    const struct ecg__param *p = ecg__augment_params;
    while (p->help.name && !is(name, p->help.name))
        p++;
    if (!p->help.name)
        return unknown(name, err);
    if (value.s)
        value = trimmed(value);
    if (!read_value(p, value, o))
        return bad_value(p, value, err);
    if (!probability.s)
        return ECG_OK;
    probability = trimmed(probability);
    double v;
    if (p->kind < 0)
        return ecg__fail(err, ECG_EINVAL, "augmentation: %s is no random change and has no probability",
                         p->help.name);
    if (!ecg__number_read(probability.s, probability.n, &v, NULL) || !(v > 0.0 && v <= 1.0))
        return ecg__fail(err, ECG_EINVAL, "augmentation: the probability of %s must be above 0 and at most 1",
                         p->help.name);
    o->probability[p->kind] = (float)v;
    return ECG_OK;
}

static ecg_status read_settings(struct piece text, ecg_augment_options *o, ecg_error *err)
{
    ecg_status s = ECG_OK;
    while (s == ECG_OK && text.s)
        s = read_setting(cut(text, ',', &text), o, err);
    return s;
}

ecg_status ecg_augment_parse(ecg_augment_options *out, const char *text, ecg_error *err)
{
    ecg_augment_options o = ECG_AUGMENT_OPTIONS_INIT;
    struct piece all = {text, text ? strlen(text) : 0}, rest = {NULL, 0};
    if (!text)
        return ecg__fail(err, ECG_EINVAL, "augmentation: no text");
    const struct piece first = trimmed(cut(all, ',', &rest));
    const struct ecg__augment_preset *preset = ecg__augment_presets;
    while (preset->help.name && !is(first, preset->help.name))
        preset++;
    ecg_status s = ECG_OK;
    if (preset->help.name) {
        if (preset->text[0])
            s = read_settings((struct piece){preset->text, strlen(preset->text)}, &o, err);
        all = rest;
    }
    if (s == ECG_OK)
        s = read_settings(all, &o, err);
    return s == ECG_OK ? ecg_augment_check(out, &o, err) : s;
}

struct writer {
    char *buf;
    size_t cap, n;
};

static void put(struct writer *w, const char *text)
{
    for (; *text; text++, w->n++)
        if (w->n + 1 < w->cap)
            w->buf[w->n] = *text;
}

static void put_number(struct writer *w, double v)
{
    char text[ECG__NUMBER_TEXT];
    ecg__number_print(v, text);
    put(w, text);
}

static void put_shift(struct writer *w, const ecg_shift *s)
{
    const bool list = s->kind == ECG_SHIFT_LIST;
    const uint32_t n = list ? s->count : s->kind == ECG_SHIFT_PAIR ? 2 : 1;
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            put(w, list ? "/" : ":");
        put_number(w, s->value[i]);
    }
    if (list && n == 1)
        put(w, "/");
    char text[ECG__NUMBER_TEXT];
    ecg__number_print(s->value[0], text);
    if (s->kind == ECG_SHIFT_FLOAT && !strpbrk(text, ".e"))
        put(w, ".0");
}

static void put_value(struct writer *w, const ecg_augment_options *o, const struct ecg__param *p)
{
    const void *const at = (const char *)o + p->offset;
    uint32_t v;
    switch (p->form) {
    case ECG__PARAM_RANGE:
        put_number(w, ((const ecg_range *)at)->lo);
        put(w, ":");
        put_number(w, ((const ecg_range *)at)->hi);
        break;
    case ECG__PARAM_SHIFT:
        put_shift(w, at);
        break;
    case ECG__PARAM_REAL:
        put_number(w, *(const double *)at);
        break;
    case ECG__PARAM_FLAG:
        put(w, "1");
        break;
    case ECG__PARAM_NAME:
        memcpy(&v, at, sizeof v);
        put(w, p->names[v]);
        break;
    }
}

static bool is_set(const ecg_augment_options *o, const struct ecg__param *p)
{
    const void *const at = (const char *)o + p->offset;
    uint32_t v;
    if (p->form != ECG__PARAM_NAME)
        return p->form == ECG__PARAM_RANGE
                   ? ((const ecg_range *)at)->lo != 0.0 || ((const ecg_range *)at)->hi != 0.0
                   : ecg__augment_param_on(o, p) != 0;
    memcpy(&v, at, sizeof v);
    return v != (strcmp(p->help.name, "interpolation_order") == 0 ? 1u : 0u);
}

size_t ecg_augment_print(const ecg_augment_options *o, char *buf, size_t cap)
{
    struct writer w = {buf, cap, 0};
    for (const struct ecg__param *p = ecg__augment_params; p->help.name; p++) {
        if (!is_set(o, p))
            continue;
        if (w.n)
            put(&w, ",");
        put(&w, p->help.name);
        put(&w, "=");
        put_value(&w, o, p);
        if (p->kind >= 0 && o->probability[p->kind] > 0.0f) {
            put(&w, "@");
            put_number(&w, (double)o->probability[p->kind]);
        }
    }
    if (w.n == 0)
        put(&w, "none");
    if (cap > 0)
        buf[w.n < cap ? w.n : cap - 1] = '\0';
    return w.n;
}

const ecg_augment_param *ecg_augment_help(size_t i)
{
    for (const struct ecg__augment_preset *p = ecg__augment_presets; p->help.name; p++)
        if (i-- == 0)
            return &p->help;
    for (const struct ecg__param *p = ecg__augment_params; p->help.name; p++)
        if (i-- == 0)
            return &p->help;
    return NULL;
}
