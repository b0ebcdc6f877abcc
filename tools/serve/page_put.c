#include "serve/page_put.h"

#include <math.h>
#include <string.h>

#include "common/html.h"
#include "common/judge.h"

enum { MOST_BARS = 12, MOST_ROWS = 200 };

void page_paragraphs(FILE *f, const char *text)
{
    while (*text) {
        const size_t n = strcspn(text, "\n");
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        html_note(f, NULL, line);
        text += n + (text[n] == '\n');
    }
}

void page_class_path(FILE *f, const ecg_model *m, uint32_t i)
{
    char slug[CLASS_SLUG];
    class_slug(slug, m, i);
    fprintf(f, "/classes/%s", slug);
}

void page_percent(FILE *f, double p)
{
    fprintf(f, "<data value=\"%.9g\">", p);
    if (p > 0.0 && p < 0.001)
        fputs("&lt;&#8239;0.1", f);
    else if (p < 1.0 && p > 0.999)
        fputs("&gt;&#8239;99.9", f);
    else
        fprintf(f, "%.1f", 100.0 * p);
    fputs("&#8239;%</data>", f);
}

static void put_bar(FILE *f, const ecg_model *m, uint32_t i, double p, int best)
{
    fprintf(f, "<tr%s><th scope=\"row\"><a href=\"", best ? " class=\"best\"" : "");
    page_class_path(f, m, i);
    fputs("\">", f);
    html_name(f, ecg_model_class(m, i));
    fprintf(f,
            "</a></th><td class=\"bar\"><svg viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\">"
            "<rect width=\"%.2f\" height=\"1\"/></svg></td><td class=\"num\">",
            100.0 * fmin(fmax(p, 0.0), 1.0));
    page_percent(f, p);
    fputs("</td></tr>\n", f);
}

static void open_bars(FILE *f, const char *caption)
{
    fprintf(f,
            "<table class=\"bars\"><caption>%s</caption>\n<thead class=\"unseen\"><tr><th "
            "scope=\"col\">Class</th>"
            "<td></td><th scope=\"col\">Probability</th></tr></thead>\n<tbody>\n",
            caption);
}

void page_bars(FILE *f, const page_site *s, const float *probs)
{
    const ecg_model *m = s->info->model;
    const uint32_t classes = ecg_model_classes(m), most = classes < MOST_ROWS ? classes : MOST_ROWS;
    uint32_t i = judge_best(probs, classes);
    open_bars(f, "How likely each class is");
    for (uint32_t k = 0; k < most; k++) {
        if (k)
            i = judge_next(probs, classes, i);
        if (k == MOST_BARS) {
            fprintf(f, "</tbody></table>\n<details><summary>%u more</summary>\n", classes - MOST_BARS);
            open_bars(f, "The others");
        }
        put_bar(f, m, i, (double)probs[i], k == 0);
    }
    fputs("</tbody></table>\n", f);
    if (classes > most)
        fprintf(f, "<p>%u further classes are less likely than these.</p>\n", classes - most);
    if (most > MOST_BARS)
        fputs("</details>\n", f);
}

void page_bytes(FILE *f, uint64_t n)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB"};
    double v = (double)n;
    unsigned k = 0;
    for (; v >= 1024.0 && k < 3; k++)
        v /= 1024.0;
    fprintf(f, "%.*f&#160;%s", v < 10.0 && v > floor(v) ? 1 : 0, v, unit[k]);
}
