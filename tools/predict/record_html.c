/* The recording as one page that needs nothing else: strip, beats, and a script to leaf through them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/version.h"
#include "predict/record.h"
#include "predict/record_page.h"

static const double MOST_RATE = 200.0; /* samples a second on the page */

/* A string of a script; nothing in it can end the script. */
static void put_string(FILE *f, const char *text)
{
    fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f || strchr("\"\\<>&'", *p))
            fprintf(f, "\\u%04x", *p);
        else
            fputc(*p, f);
    fputc('"', f);
}

/* Little-endian 16-bit numbers of 5 microvolts as base64. */
struct base64 {
    FILE *f;
    unsigned bits, have;
};

/* The first six of the bits that are there. */
static void put_digit(struct base64 *b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    b->have -= 6;
    fputc(digits[b->bits >> b->have & 63], b->f);
}

static void put_byte(struct base64 *b, unsigned v)
{
    b->bits = b->bits << 8 | v;
    b->have += 8;
    while (b->have >= 6)
        put_digit(b);
}

/* The digit that was begun; 16-bit numbers leave two or four bits. */
static void put_end(struct base64 *b)
{
    const unsigned have = b->have;
    if (have) {
        b->bits <<= 6 - have;
        b->have = 6;
        put_digit(b);
        fputs(have == 4 ? "=" : "==", b->f);
    }
}

/* Of each bunch of samples the one farthest from the last that was put, so that no peak is lost. */
static void put_lead(FILE *f, const leads *l, size_t bunch)
{
    struct base64 b = {f, 0, 0};
    float last = 0.0f;
    for (size_t i = 0; i < l->n; i += bunch) {
        float v = NAN;
        for (size_t k = i; k < i + bunch && k < l->n; k++)
            if (isfinite(l->mv[k]) && !(fabsf(v - last) >= fabsf(l->mv[k] - last)))
                v = l->mv[k];
        const long whole = isnan(v) ? -32768 : lrintf(fmaxf(-32767.0f, fminf(32767.0f, 200.0f * v)));
        last = isnan(v) ? last : v;
        put_byte(&b, (unsigned)whole & 255);
        put_byte(&b, (unsigned)(whole >> 8) & 255);
    }
    put_end(&b);
}

/* The most common class has the first colour. */
static void put_order(FILE *f, const record_figures *g, uint32_t classes)
{
    for (uint32_t c = 0; c < classes; c++) {
        int before = 0;
        for (uint32_t k = 0; k < classes; k++)
            before += g->count[k] > g->count[c] || (g->count[k] == g->count[c] && k < c);
        fprintf(f, "%s%d", c ? "," : "", g->count[c] ? before : -1);
    }
}

static void put_figures(FILE *f, const record_figures *g, const record_beats *b)
{
    char text[256], time[32], at[32] = "";
    text_duration(g->seconds, time, sizeof time);
    int n = snprintf(text, sizeof text, "%s, %zu beats %s", time, b->l.count,
                     b->l.found ? "found" : "as annotated");
    if (isfinite(g->mean_rate))
        n += snprintf(text + n, sizeof text - (size_t)n, "; %.0f a minute; longest pause %.2f s at %s",
                      g->mean_rate, g->pause, text_duration(g->pause_at, at, sizeof at));
    snprintf(text + n, sizeof text - (size_t)n, "; %zu PVCs, %zu couplets, %zu runs", g->pvcs, g->couplets,
             g->runs);
    put_string(f, text);
}

static void put_data(FILE *f, const record_figures *g, const record_beats *b)
{
    const uint32_t classes = ecg_model_classes(b->model);
    const size_t bunch = (size_t)fmax(1.0, ceil(b->l.rate / MOST_RATE));
    fprintf(f, "const DATA={rate:%.9g,frames:%.9g,record:", b->l.rate / (double)bunch, b->l.rate);
    put_string(f, b->l.name);
    fputs(",name:", f);
    put_string(f, b->l.lead);
    fputs(",notice:", f);
    put_string(f, ECG_NOTICE);
    fputs(",figures:", f);
    put_figures(f, g, b);
    fputs(",classes:[", f);
    for (uint32_t c = 0; c < classes; c++) {
        fputs(c ? "," : "", f);
        put_string(f, ecg_model_class(b->model, c));
    }
    fputs("],letters:[", f);
    for (uint32_t c = 0; c < classes; c++) {
        const char code = ecg_beat_set_code_of_name(ecg_model_class(b->model, c));
        const char letter[2] = {code ? code : '?', '\0'};
        fputs(c ? "," : "", f);
        put_string(f, letter);
    }
    fputs("],order:[", f);
    put_order(f, g, classes);
    fputs("],beats:[", f);
    for (size_t i = 0; i < b->l.count; i++)
        fprintf(f, "%s[%llu,%u,%.0f]", i ? "," : "", (unsigned long long)b->l.at[i], b->cls[i],
                1000.0 * (double)b->probs[i * classes + b->cls[i]]);
    fputs("],lead:\"", f);
    put_lead(f, &b->l, bunch);
    fputs("\"};\n", f);
}

int record_html(const char *path, const record_figures *g, const record_beats *b)
{
    errno = 0;
    FILE *f = fopen(path, "w");
    if (!f)
        return tool_fail("%s: %s", path, strerror(errno));
    for (size_t i = 0; i < sizeof RECORD_PAGE_HEAD / sizeof *RECORD_PAGE_HEAD; i++)
        fputs(RECORD_PAGE_HEAD[i], f);
    fprintf(f, "/* %s */\n", ECG_NOTICE);
    put_data(f, g, b);
    for (size_t i = 0; i < sizeof RECORD_PAGE_TAIL / sizeof *RECORD_PAGE_TAIL; i++)
        fputs(RECORD_PAGE_TAIL[i], f);
    errno = 0;
    const int had_failed = ferror(f), failed = fclose(f) != 0;
    if (had_failed || failed) {
        remove(path);
        return tool_fail("%s: cannot be written: %s", path, strerror(errno ? errno : EIO));
    }
    return EXIT_DONE;
}
