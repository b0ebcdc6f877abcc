/* Examples on ECG paper, as SVG in millimetres: 25 mm/s, 10 mm/mV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "serve/page_put.h"

static const uint64_t SEED = 8;

/* For each kind the synthetic patient in whom it looks as in a textbook: one of the first 14. */
static const struct {
    char code;
    uint32_t patient;
} textbook[] = {{'V', 12}, {'A', 11}, {'E', 3}, {'F', 3}, {'R', 2}, {'L', 8}, {'/', 7}, {'!', 12}, {'N', 8}};

static uint32_t patient_of(const char *beats)
{
    size_t i = 0;
    while (i + 1 < sizeof textbook / sizeof *textbook && !strchr(beats, textbook[i].code))
        i++;
    return textbook[i].patient;
}

static const double MM = 25.0 / ECG_BEAT_RATE, MM_MV = 10.0, NEAR = 0.04; /* mm a sample, a millivolt; mm */

typedef struct paper {
    double w, h, zero; /* mm; the level line is `zero` from the top */
} paper;

/* Large squares around the trace, as wide as RATIO times their height. */
static paper fit(const strip *s, double ratio)
{
    double low = 0.0, high = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        low = fmin(low, (double)s->mv[i]);
        high = fmax(high, (double)s->mv[i]);
    }
    const double trace = (high - low) * MM_MV;
    const double w = fmax(((double)s->n - 1.0) * MM, ratio * (trace + 6.0)), h = w / ratio;
    return (paper){w, h, high * MM_MV + 0.5 * (h - trace)};
}

static void put_grid(FILE *f, const paper *p, double step, const char *cls)
{
    fprintf(f, "<path class=\"%s\" d=\"", cls);
    for (double x = fmod(0.5 * p->w, step); x < p->w; x += step)
        fprintf(f, "M%.2f 0v%.2f", x, p->h);
    for (double y = fmod(p->zero, step); y < p->h; y += step)
        fprintf(f, "M0 %.2fh%.2f", y, p->w);
    fputs("\"/>", f);
}

/* How far the samples between a and b are from the line that joins them, in mm. */
static double away(const strip *s, size_t a, size_t b)
{
    double most = 0.0;
    for (size_t i = a + 1; i < b; i++) {
        const double t = (double)(i - a) / (double)(b - a);
        const double on = (double)s->mv[a] + t * (double)(s->mv[b] - s->mv[a]);
        const double dx = (double)(b - a) * MM, dy = (double)(s->mv[b] - s->mv[a]) * MM_MV;
        most = fmax(most, fabs((double)s->mv[i] - on) * MM_MV * dx / hypot(dx, dy));
    }
    return most;
}

static void put_trace(FILE *f, const strip *s, const paper *p)
{
    const double left = 0.5 * (p->w - ((double)s->n - 1.0) * MM);
    fputs("<path class=\"trace\" d=\"", f);
    for (size_t a = 0, b; a < s->n; a = b) {
        fprintf(f, "%c%.2f %.2f", a ? 'L' : 'M', left + (double)a * MM, p->zero - MM_MV * (double)s->mv[a]);
        for (b = a + 1; b + 1 < s->n && b - a < 60 && away(s, a, b + 1) < NEAR; b++)
            ;
    }
    fputs("\"/>", f);
}

/* Behind the beat that is meant, where there are normal ones beside it. */
static void put_marks(FILE *f, const strip *s, const char *beats, const paper *p)
{
    const double left = 0.5 * (p->w - ((double)s->n - 1.0) * MM);
    for (size_t k = 0; strchr(beats, 'N') && k < s->beats; k++)
        if (beats[k] != 'N')
            fprintf(f, "<rect class=\"mark\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"%.2f\"/>",
                    left + ((double)s->at[k] - 78.0) * MM, 188.0 * MM, p->h);
}

void page_draw(FILE *f, const char *beats, const char *label)
{
    strip s;
    if (strip_make(&s, SEED, patient_of(beats), beats, NULL) != ECG_OK)
        return;
    const paper p = fit(&s, label ? 2.2 : 6.6);
    fprintf(f, "<svg class=\"ecg\" viewBox=\"0 0 %.2f %.2f\" ", p.w, p.h);
    if (label) {
        fputs("role=\"img\" aria-label=\"", f);
        html_text(f, label);
        fputs("\">", f);
    } else {
        fputs("aria-hidden=\"true\" preserveAspectRatio=\"xMidYMid slice\">", f);
    }
    if (label)
        put_marks(f, &s, beats, &p);
    put_grid(f, &p, 1.0, "fine");
    put_grid(f, &p, 5.0, "bold");
    put_trace(f, &s, &p);
    fputs("</svg>", f);
    strip_free(&s);
}
