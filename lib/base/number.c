#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exponent after the e; at most 4 digits count. */
static bool read_exponent(const char *s, size_t n, int *out)
{
    size_t i = n > 0 && (s[0] == '-' || s[0] == '+');
    int v = 0;
    if (i >= n || n - i > 4)
        return false;
    for (; i < n; i++) {
        if (!digit(s[i]))
            return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = s[0] == '-' ? -v : v;
    return true;
}

/* v * 10^scale, rounded once. Without a point in it, the text means the same in every locale. */
static double scaled(uint64_t v, int scale)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRIu64 "e%d", v, scale);
    return strtod(text, NULL);
}

bool ecg__number_read(const char *s, size_t n, double *out, bool *whole)
{
    size_t i = n > 0 && (s[0] == '-' || s[0] == '+'), digits = 0;
    uint64_t v = 0;
    int scale = 0;
    bool point = false;
    if (n > 64)
        return false;
    for (; i < n && (digit(s[i]) || (s[i] == '.' && !point)); i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        digits++;
        if (v < 100000000000000000u) {
            v = v * 10 + (uint64_t)(s[i] - '0');
            scale -= point;
        } else {
            scale += !point;
        }
    }
    if (digits == 0)
        return false;
    const bool plain = i == n && !point;
    if (i < n) {
        int e;
        if ((s[i] != 'e' && s[i] != 'E') || !read_exponent(s + i + 1, n - i - 1, &e))
            return false;
        scale += e;
    }
    const double d = v == 0 ? 0.0 : scaled(v, scale);
    if (!isfinite(d))
        return false;
    *out = s[0] == '-' ? -d : d;
    if (whole)
        *whole = plain;
    return true;
}

size_t ecg__number_print(double v, char out[ECG__NUMBER_TEXT])
{
    int n = 0;
    for (int precision = 1; precision <= 17; precision++) {
        n = snprintf(out, ECG__NUMBER_TEXT, "%.*g", precision, v);
        for (int i = 0; i < n; i++) /* the point may be a comma */
            if (!digit(out[i]) && !strchr("+-.e", out[i]))
                out[i] = '.';
        double back;
        if (ecg__number_read(out, (size_t)n, &back, NULL) && back == v)
            break;
    }
    return (size_t)n;
}
