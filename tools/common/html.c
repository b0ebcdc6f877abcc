#include "common/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "ecgcnn/version.h"

void html_text(FILE *f, const char *text)
{
    text_html_string(f, text);
}

void html_printf(FILE *f, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    html_text(f, text);
}

void html_name(FILE *f, const char *name)
{
    fputs("<bdi>", f);
    html_text(f, name);
    fputs("</bdi>", f);
}

/* The policy: should a name ever get through as markup, nothing is fetched and nothing runs. */
void html_begin(FILE *f, const char *title, const char *under)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          f);
    html_text(f, title);
    fputs("</title>\n<style>\n", f);
    for (size_t i = 0; html_style[i]; i++)
        fputs(html_style[i], f);
    fputs("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>", f);
    html_text(f, title);
    fputs("</h1>\n", f);
    html_note(f, "under", under);
    html_note(f, "notice", ECG_NOTICE);
    fputs("</header>\n<div>\n", f);
}

void html_end(FILE *f)
{
    fputs("</div>\n<footer>\n", f);
    html_printf(f, "Made by libecgcnn %s. %s", ecg_version(), ECG_NOTICE);
    fputs("\n</footer>\n</main>\n</body>\n</html>\n", f);
}

void html_section(FILE *f, const char *id, const char *heading)
{
    fprintf(f, "<section id=\"%s\">\n<h2>", id);
    html_text(f, heading);
    fputs("</h2>\n", f);
}

void html_section_end(FILE *f)
{
    fputs("</section>\n", f);
}

void html_note(FILE *f, const char *cls, const char *text)
{
    if (cls)
        fprintf(f, "<p class=\"%s\">", cls);
    else
        fputs("<p>", f);
    html_text(f, text);
    fputs("</p>\n", f);
}

/* ---- Numbers ---- */
void html_number(FILE *f, double v, int decimals)
{
    if (isfinite(v))
        fprintf(f, "<data value=\"%.9g\">%.*f</data>", v, decimals, v);
    else
        fputc('-', f);
}

void html_percent(FILE *f, double share, int decimals)
{
    if (isfinite(share))
        fprintf(f, "<data value=\"%.9g\">%.*f&#8239;%%</data>", share, decimals, 100.0 * share);
    else
        fputc('-', f);
}

/* ---- Tables ---- */
void html_table(FILE *f, const char *caption, const char *const *head, size_t columns)
{
    fputs("<div class=\"scroll\"><table>\n", f);
    if (caption) {
        fputs("<caption><span>", f);
        html_text(f, caption);
        fputs("</span></caption>\n", f);
    }
    fputs("<thead><tr>", f);
    for (size_t i = 0; i < columns; i++) {
        fputs("<th scope=\"col\">", f);
        html_text(f, head[i]);
        fputs("</th>", f);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
}

void html_row(FILE *f, const char *name, const char *cls)
{
    if (cls)
        fprintf(f, "<tr class=\"%s\">", cls);
    else
        fputs("<tr>", f);
    fputs("<th scope=\"row\">", f);
    html_name(f, name);
    fputs("</th>", f);
}

void html_row_end(FILE *f)
{
    fputs("</tr>\n", f);
}

void html_cell(FILE *f, double v, int decimals)
{
    fputs("<td>", f);
    html_number(f, v, decimals);
    fputs("</td>", f);
}

void html_count(FILE *f, uint64_t n)
{
    fprintf(f, "<td>%llu</td>", (unsigned long long)n);
}

void html_range(FILE *f, double low, double high, int decimals)
{
    fputs("<td>", f);
    html_interval(f, low, high, decimals);
    fputs("</td>", f);
}

void html_interval(FILE *f, double low, double high, int decimals)
{
    if (!isfinite(low) || !isfinite(high)) {
        fputc('-', f);
        return;
    }
    html_number(f, low, decimals);
    fputs("&#8211;", f);
    html_number(f, high, decimals);
}

void html_words(FILE *f, const char *text)
{
    fputs("<td class=\"w\">", f);
    html_name(f, text);
    fputs("</td>", f);
}

void html_table_end(FILE *f)
{
    fputs("</tbody></table></div>\n", f);
}

/* ---- Facts ---- */
void html_facts(FILE *f)
{
    fputs("<dl>\n", f);
}

void html_fact(FILE *f, const char *name, const char *value)
{
    fputs("<dt>", f);
    html_text(f, name);
    fputs("</dt><dd>", f);
    html_name(f, value);
    fputs("</dd>\n", f);
}

void html_factf(FILE *f, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    html_fact(f, name, text);
}

void html_facts_end(FILE *f)
{
    fputs("</dl>\n", f);
}

/* ---- Pictures ---- */
void html_base64(FILE *f, const unsigned char *data, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t v = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                           (left > 2 ? data[i + 2] : 0);
        fputc(digit[v >> 18], f);
        fputc(digit[v >> 12 & 63], f);
        fputc(left > 1 ? digit[v >> 6 & 63] : '=', f);
        fputc(left > 2 ? digit[v & 63] : '=', f);
    }
}

typedef struct bytes {
    unsigned char *at;
    size_t n, cap;
} bytes;

static int take(void *payload, const void *data, size_t n)
{
    bytes *b = payload;
    if (n > b->cap - b->n) {
        const size_t cap = 2 * b->cap + n + 1024;
        unsigned char *more = realloc(b->at, cap);
        if (!more)
            return 1;
        b->at = more;
        b->cap = cap;
    }
    if (n)
        memcpy(b->at + b->n, data, n);
    b->n += n;
    return 0;
}

ecg_status html_image(FILE *f, const ecg_image *img, const char *alt, ecg_error *err)
{
    bytes b = {0};
    const ecg_status s = ecg_image_encode_png(img, take, &b, err);
    if (s == ECG_OK) {
        fprintf(f, "<img width=\"%u\" height=\"%u\" alt=\"", img->w, img->h);
        html_text(f, alt);
        fputs("\" src=\"data:image/png;base64,", f);
        html_base64(f, b.at, b.n);
        fputs("\">\n", f);
    }
    free(b.at);
    return s;
}
