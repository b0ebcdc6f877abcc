#include "common/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 character at p, 0 when there is none: overlong forms, surrogates and what lies above
 * U+10FFFF are none. */
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, low, high; /* first byte; range of the second */
        unsigned char n;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        for (size_t k = 1; k < forms[i].n; k++)
            if (p[k] < (k == 1 ? forms[i].low : 0x80) || p[k] > (k == 1 ? forms[i].high : 0xbf))
                return 0;
        return forms[i].n;
    }
    return 0;
}

void text_json_string(FILE *f, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', f);
    while (*p) {
        const size_t n = utf8_length(p);
        if (n == 0)
            fputs("\\ufffd", f);
        else if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else if (*p == '\n')
            fputs("\\n", f);
        else if (*p == '\t')
            fputs("\\t", f);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(f, "\\u%04x", *p);
        else
            fwrite(p, 1, n, f);
        p += n ? n : 1;
    }
    fputc('"', f);
}

void text_json_number(FILE *f, double v)
{
    if (isfinite(v))
        fprintf(f, "%.9g", v);
    else
        fputs("null", f);
}

void text_csv_string(FILE *f, const char *text)
{
    const size_t n = strlen(text);
    const int quote = strpbrk(text, "\",\r\n") || (n && (text[0] == ' ' || text[n - 1] == ' '));
    if (!quote) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            fputc('"', f);
        fputc(*p, f);
    }
    fputc('"', f);
}

void text_csv_number(FILE *f, double v)
{
    if (isfinite(v))
        fprintf(f, "%.9g", v);
}

void text_tsv_string(FILE *f, const char *text)
{
    static const char plain[] = "\t\n\r\\", escaped[] = "tnr\\";
    for (const char *p = text; *p; p++) {
        const char *found = strchr(plain, *p);
        if (found)
            fprintf(f, "\\%c", escaped[found - plain]);
        else
            fputc(*p, f);
    }
}

/* U+0000..U+001F, U+007F..U+009F. */
static int is_control(const unsigned char *p)
{
    return *p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

void text_html_string(FILE *f, const char *text)
{
    static const char plain[] = "&<>\"'";
    static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const size_t n = utf8_length(p);
        const char *found = strchr(plain, *p);
        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (found)
            fputs(escaped[found - plain], f);
        else if (is_control(p))
            fputc(' ', f);
        else
            fwrite(p, 1, n, f);
        p += n ? n : 1;
    }
}

void text_markdown_string(FILE *f, const char *text)
{
    static const char marks[] = "\\`*_[]#!|~>$";
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const size_t n = utf8_length(p);
        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (*p == '<' || *p == '&') /* a backslash does not keep every reader from HTML */
            fputs(*p == '<' ? "&lt;" : "&amp;", f);
        else if (is_control(p))
            fputc(' ', f);
        else {
            if (strchr(marks, *p) || (p[0] == ':' && p[1] == '/')) /* an address becomes a link by itself */
                fputc('\\', f);
            fwrite(p, 1, n, f);
        }
        p += n ? n : 1;
    }
}

const char *text_duration(double seconds, char *buf, size_t cap)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        snprintf(buf, cap, "?");
        return buf;
    }
    const unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(buf, cap, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buf, cap, "%lu:%02lu", s / 60, s % 60);
    return buf;
}

/* ---- Tables ---- */
void text_cell(text_table *t, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    char **more = realloc(t->cell, (t->count + 1) * sizeof *more);
    if (!more) {
        t->failed = 1;
        return;
    }
    t->cell = more;
    const size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (!copy) {
        t->failed = 1;
        return;
    }
    memcpy(copy, text, n);
    t->cell[t->count++] = copy;
}

void text_cell_number(text_table *t, const char *fmt, double v)
{
    char text[64] = "-";
    if (isfinite(v)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, fmt, v);
#pragma GCC diagnostic pop
    }
    text_cell(t, "%s", text);
}

/* Characters, as a terminal shows them: continuation bytes of UTF-8 do not count. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static int column_width(const text_table *t, size_t columns, size_t column)
{
    int widest = 0;
    for (size_t i = column; i < t->count; i += columns)
        if (width_of(t->cell[i]) > widest)
            widest = width_of(t->cell[i]);
    return widest;
}

void text_table_print(text_table *t, FILE *f, int indent)
{
    const size_t columns = strlen(t->align);
    int *width = calloc(columns, sizeof *width);
    for (size_t k = 0; width && k < columns; k++)
        width[k] = column_width(t, columns, k);
    for (size_t i = 0; i < t->count; i++) {
        const size_t k = i % columns;
        const int last = k + 1 == columns || i + 1 == t->count;
        if (width && !t->failed) {
            const int pad = width[k] - width_of(t->cell[i]), right = t->align[k] == 'r';
            fprintf(f, "%*s%s", (k ? 2 : indent) + (right ? pad : 0), "", t->cell[i]);
            fprintf(f, "%*s%s", last || right ? 0 : pad, "", last ? "\n" : "");
        }
        free(t->cell[i]);
    }
    free(width);
    free(t->cell);
    *t = (text_table){.align = t->align};
}
