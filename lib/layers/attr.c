#include "layers/attr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"

/* Numbers are read and printed without strtod and %g: those follow the locale of the host program. */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_uint(const char *s, size_t n, uint32_t *out)
{
    uint64_t v = 0;
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!digit(s[i]))
            return false;
        v = v * 10 + (uint64_t)(s[i] - '0');
        if (v > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)v;
    return true;
}

/* "3x5"; "3" for both. */
static bool read_pair(const char *s, size_t n, ecg__pair *out)
{
    const char *x = n ? memchr(s, 'x', n) : NULL;
    if (!x) {
        if (!read_uint(s, n, &out->h))
            return false;
        out->w = out->h;
        return true;
    }
    const size_t k = (size_t)(x - s);
    return read_uint(s, k, &out->h) && read_uint(x + 1, n - k - 1, &out->w);
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(s, word, n) == 0;
}

static bool read_pad(const char *s, size_t n, ecg__pad *out)
{
    memset(out, 0, sizeof *out);
    if (is_word(s, n, "valid") || is_word(s, n, "same")) {
        out->mode = s[0] == 'v' ? ECG__PAD_VALID : ECG__PAD_SAME;
        return true;
    }
    out->mode = ECG__PAD_EXPLICIT;
    if (n == 0 || !memchr(s, ',', n)) {
        ecg__pair p;
        if (!read_pair(s, n, &p))
            return false;
        out->top = out->bottom = p.h;
        out->left = out->right = p.w;
        return true;
    }
    uint32_t *const side[4] = {&out->top, &out->bottom, &out->left, &out->right};
    for (int i = 0; i < 4; i++) {
        const char *comma = i < 3 ? memchr(s, ',', n) : s + n;
        if (!comma || !read_uint(s, (size_t)(comma - s), side[i]))
            return false;
        n -= (size_t)(comma - s);
        s = comma;
        if (i < 3)
            s++, n--;
    }
    return true;
}

typedef union value {
    uint32_t u;
    float f;
    ecg__pair pair;
    ecg__pad pad;
} value;

static size_t value_size(ecg__attr_kind kind)
{
    switch (kind) {
    case ECG__ATTR_PAIR:
        return sizeof(ecg__pair);
    case ECG__ATTR_PAD:
        return sizeof(ecg__pad);
    case ECG__ATTR_REAL:
        return sizeof(float);
    case ECG__ATTR_UINT:
    case ECG__ATTR_NAME:
        break;
    }
    return sizeof(uint32_t);
}

static bool between(const ecg__attr *a, double v)
{
    return v >= a->min && v <= a->max;
}

/* False: not of the kind, or out of bounds. */
static bool read_value(const ecg__attr *a, const char *s, size_t n, value *out)
{
    double d;
    switch (a->kind) {
    case ECG__ATTR_UINT:
        return read_uint(s, n, &out->u) && between(a, out->u);
    case ECG__ATTR_REAL:
        if (!ecg__number_read(s, n, &d, NULL) || !between(a, d))
            return false;
        out->f = (float)d;
        return true;
    case ECG__ATTR_PAIR:
        return read_pair(s, n, &out->pair) && between(a, out->pair.h) && between(a, out->pair.w);
    case ECG__ATTR_PAD:
        return read_pad(s, n, &out->pad) && between(a, out->pad.top) && between(a, out->pad.bottom) &&
               between(a, out->pad.left) && between(a, out->pad.right);
    case ECG__ATTR_NAME:
        for (uint32_t i = 0; a->names[i]; i++)
            if (is_word(s, n, a->names[i])) {
                out->u = i;
                return true;
            }
        return false;
    }
    return false;
}

static size_t append(char *buf, size_t cap, size_t at, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (at + i + 1 < cap)
            buf[at + i] = text[i];
    if (cap > 0)
        buf[at + n < cap ? at + n : cap - 1] = '\0';
    return at + n;
}

/* Shortest decimal that reads back as v; v is finite. */
static void print_real(double v, char out[48])
{
    char text[48], digits[24];
    int exponent = 0, n = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        const char *e = strchr(text, 'e');
        n = 0;
        for (const char *p = text; p < e; p++) /* the point may be any bytes */
            if (digit(*p))
                digits[n++] = *p;
        exponent = 0;
        for (const char *p = e + 2; digit(*p); p++)
            exponent = exponent * 10 + (*p - '0');
        if (e[1] == '-')
            exponent = -exponent;
        snprintf(text, sizeof text, "%.*se%d", n, digits, exponent - (n - 1));
        double back;
        if (ecg__number_read(text, strlen(text), &back, NULL) && (float)back == (float)fabs(v))
            break;
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    const char *sign = v < 0 ? "-" : "";
    if (exponent >= 0 && exponent < 9 && n <= exponent + 1)
        snprintf(out, 48, "%s%.*s%.*s", sign, n, digits, exponent + 1 - n, "00000000");
    else if (exponent >= 0 && exponent < 9)
        snprintf(out, 48, "%s%.*s.%.*s", sign, exponent + 1, digits, n - exponent - 1, digits + exponent + 1);
    else if (exponent < 0 && exponent >= -4)
        snprintf(out, 48, "%s0.%.*s%.*s", sign, -exponent - 1, "0000", n, digits);
    else if (n > 1)
        snprintf(out, 48, "%s%c.%.*se%d", sign, digits[0], n - 1, digits + 1, exponent);
    else
        snprintf(out, 48, "%s%ce%d", sign, digits[0], exponent);
}

/* "1..65536", or what else is allowed. */
static void print_range(const ecg__attr *a, char *buf, size_t cap)
{
    static const char *const forms[] = {[ECG__ATTR_UINT] = "",
                                        [ECG__ATTR_REAL] = "",
                                        [ECG__ATTR_PAIR] = "N or HxW, each ",
                                        [ECG__ATTR_PAD] = "valid, same, HxW or top,bottom,left,right, each ",
                                        [ECG__ATTR_NAME] = "one of "};
    size_t at = append(buf, cap, 0, forms[a->kind]);
    if (a->kind == ECG__ATTR_NAME) {
        for (uint32_t i = 0; a->names[i]; i++) {
            at = append(buf, cap, at, i ? ", " : "");
            at = append(buf, cap, at, a->names[i]);
        }
        return;
    }
    char number[48];
    print_real(a->min, number);
    at = append(buf, cap, at, number);
    at = append(buf, cap, at, "..");
    print_real(a->max, number);
    append(buf, cap, at, number);
}

ecg_status ecg__attr_parse(const ecg__attr *a, void *attr, const char *text, size_t n, ecg_error *err)
{
    value v;
    if (!read_value(a, text, n, &v)) {
        char range[256];
        print_range(a, range, sizeof range);
        if (n == 0)
            return ecg__fail(err, ECG_EINVAL, "%s must be %s, got nothing", a->name, range);
        return ecg__fail(err, ECG_EINVAL, "%s must be %s, got %.*s%s", a->name, range, n > 40 ? 40 : (int)n,
                         text, n > 40 ? "..." : "");
    }
    memcpy((char *)attr + a->offset, &v, value_size(a->kind));
    return ECG_OK;
}

void ecg__attr_defaults(const ecg__attr *table, void *attr)
{
    for (const ecg__attr *a = table; a && a->name; a++) {
        memset((char *)attr + a->offset, 0, value_size(a->kind));
        if (a->fallback) /* the unit test parses every default of every layer */
            (void)ecg__attr_parse(a, attr, a->fallback, strlen(a->fallback), NULL);
    }
}

size_t ecg__attr_print(const ecg__attr *a, const void *attr, char *buf, size_t cap)
{
    value v;
    char text[64];
    memcpy(&v, (const char *)attr + a->offset, value_size(a->kind));
    switch (a->kind) {
    case ECG__ATTR_UINT:
        snprintf(text, sizeof text, "%u", v.u);
        break;
    case ECG__ATTR_REAL:
        print_real((double)v.f, text);
        break;
    case ECG__ATTR_PAIR:
        snprintf(text, sizeof text, "%ux%u", v.pair.h, v.pair.w);
        break;
    case ECG__ATTR_PAD:
        if (v.pad.mode != ECG__PAD_EXPLICIT)
            snprintf(text, sizeof text, "%s", v.pad.mode == ECG__PAD_SAME ? "same" : "valid");
        else if (v.pad.top == v.pad.bottom && v.pad.left == v.pad.right)
            snprintf(text, sizeof text, "%ux%u", v.pad.top, v.pad.left);
        else
            snprintf(text, sizeof text, "%u,%u,%u,%u", v.pad.top, v.pad.bottom, v.pad.left, v.pad.right);
        break;
    case ECG__ATTR_NAME:
        return append(buf, cap, 0, a->names[v.u]);
    }
    return append(buf, cap, 0, text);
}
