/* The answer to a form that was sent without JavaScript. What app.js makes looks the same. */
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "serve/page_put.h"

enum { MOST_SHOWN = 4 << 20 }; /* bytes of a picture that goes into the page */

typedef struct answers {
    const serve_answer *of;
    size_t n;
} answers;

static int can_show(const serve_answer *a)
{
    return a->type && a->size && a->size <= MOST_SHOWN &&
           (strcmp(a->type, "image/png") == 0 || strcmp(a->type, "image/jpeg") == 0);
}

static void put_image(FILE *f, const char *type, const unsigned char *data, size_t n, const char *what,
                      const char *name)
{
    fprintf(f, "<img src=\"data:%s;base64,", type);
    html_base64(f, data, n);
    fprintf(f, "\" alt=\"%s", what);
    html_text(f, name);
    fputs("\">", f);
}

static void put_pictures(FILE *f, const serve_answer *a)
{
    fputs("<div class=\"shots\">\n", f);
    if (can_show(a)) {
        fputs("<figure class=\"shot\">", f);
        put_image(f, a->type, a->data, a->size, "Your picture ", a->name);
        fputs("<figcaption>", f);
        html_name(f, a->name);
        fputs("</figcaption></figure>\n", f);
    }
    if (a->heat_png) {
        fputs("<figure class=\"shot\">", f);
        put_image(f, "image/png", a->heat_png, a->heat_size, "The same with its heatmap: ", a->name);
        fputs("<figcaption>Colour: what speaks for the answer, from yellow to purple</figcaption></figure>\n",
              f);
    } else if (a->heat_error[0]) {
        fputs("<p class=\"dim\">No heatmap: ", f);
        html_text(f, a->heat_error);
        fputs("</p>\n", f);
    }
    fputs("</div>\n", f);
}

static void put_reasons(FILE *f, const ecg_decision *d)
{
    if (!d->reasons)
        return;
    fputs("<ul class=\"reasons\">", f);
    for (uint32_t i = 0; i < d->reasons; i++) {
        fputs("<li>", f);
        html_text(f, d->reason[i]);
        fputs("</li>", f);
    }
    fputs("</ul>\n", f);
}

static void put_class(FILE *f, const ecg_model *m, const serve_answer *a)
{
    html_name(f, ecg_model_class(m, a->best));
    fputs(" <span class=\"share\">", f);
    page_percent(f, (double)a->probability);
    fputs("</span>", f);
}

static void put_about_class(FILE *f, const ecg_model *m, uint32_t i)
{
    fputs("<p class=\"brief\">", f);
    html_text(f, class_text_at(m, i)->brief);
    fputs(" <a href=\"", f);
    page_class_path(f, m, i);
    fputs("\">About ", f);
    html_name(f, ecg_model_class(m, i));
    fputs("</a></p>\n", f);
}

static void put_facts(FILE *f, const serve_info *info, const serve_answer *a)
{
    fputs("<dl class=\"facts\">", f);
    if (a->decision.answer != ECG_ANSWER_NOT_ECG)
        fprintf(f, "<div><dt>Probability</dt><dd><span class=\"exact\">%.9g</span></dd></div>",
                (double)a->probability);
    if (a->width)
        fprintf(f, "<div><dt>Picture</dt><dd>%u&#8239;&#215;&#8239;%u</dd></div>", a->width, a->height);
    fprintf(f, "<div><dt>Time</dt><dd>%.1f&#8239;ms</dd></div>", a->ms);
    fputs("<div><dt>SHA-256</dt><dd><code>", f);
    html_printf(f, "%.16s", a->sha256);
    fputs("&#8230;</code></dd></div><div><dt>Model</dt><dd><a href=\"/about\">", f);
    html_name(f, info->name);
    fputs("</a></dd></div>", f);
    if (a->kept == SERVE_KEPT)
        fputs("<div><dt>Kept</dt><dd>yes</dd></div>", f);
    if (a->kept == SERVE_NOT_KEPT) {
        fputs("<div><dt>Kept</dt><dd>no: ", f);
        html_text(f, a->why);
        fputs("</dd></div>", f);
    }
    fputs("</dl>\n", f);
}

static void put_card(FILE *f, const char *kind, const serve_answer *a)
{
    fprintf(f, "<article class=\"card %s\" aria-label=\"", kind);
    html_text(f, a->name);
    fputs("\">\n", f);
}

static void put_failed(FILE *f, const serve_answer *a)
{
    put_card(f, "failed", a);
    fputs("<div class=\"say\"><p class=\"chip\">No answer</p>\n<h2>", f);
    html_name(f, a->name);
    fputs("</h2>\n", f);
    html_note(f, NULL, a->error.message[0] ? a->error.message : ecg_status_text(a->status));
    fputs("</div>\n</article>\n", f);
}

static void put_answer(FILE *f, const page_site *s, const serve_answer *a)
{
    const ecg_model *m = s->info->model;
    const ecg_answer kind = a->decision.answer;
    if (a->status != ECG_OK) {
        put_failed(f, a);
        return;
    }
    put_card(f, kind == ECG_ANSWER_OK ? "ok" : kind == ECG_ANSWER_UNCERTAIN ? "uncertain" : "not-ecg", a);
    put_pictures(f, a);
    fputs("<div class=\"say\">\n", f);
    if (kind == ECG_ANSWER_OK) {
        fputs("<p class=\"chip\">Answer</p>\n<h2>", f);
        put_class(f, m, a);
        fputs("</h2>\n", f);
        put_about_class(f, m, a->best);
        page_bars(f, s, a->probs);
    } else if (kind == ECG_ANSWER_UNCERTAIN) {
        fputs("<p class=\"chip\">Uncertain</p>\n<h2>Perhaps ", f);
        put_class(f, m, a);
        fputs("</h2>\n<p class=\"brief\">The model is not sure enough to answer. Ask somebody who can read "
              "an ECG.</p>\n",
              f);
        put_reasons(f, &a->decision);
        page_bars(f, s, a->probs);
    } else {
        fputs("<p class=\"chip\">No answer</p>\n<h2>Not a heartbeat picture</h2>\n<p class=\"brief\">It does "
              "not look like the pictures "
              "that this model was made from, so its answer would mean nothing.</p>\n",
              f);
        put_reasons(f, &a->decision);
        fputs("<details><summary>What the network would have said</summary>\n", f);
        page_bars(f, s, a->probs);
        fputs("</details>\n", f);
    }
    put_facts(f, s->info, a);
    fputs("</div>\n</article>\n", f);
}

static void body(FILE *f, const page_site *s, const void *with)
{
    const answers *p = with;
    fprintf(f, "<section class=\"results\">\n<h1>%s</h1>\n", p->n == 1 ? "The answer" : "The answers");
    for (size_t i = 0; i < p->n; i++)
        put_answer(f, s, &p->of[i]);
    fputs("<p><a class=\"button\" href=\"/\">Try another picture</a></p>\n</section>\n", f);
}

void page_result(FILE *f, const page_site *s, const serve_answer *a, size_t n)
{
    const answers p = {a, n};
    page_write(f, s, n == 1 ? "The answer" : "The answers", PAGE_ELSEWHERE, body, &p);
}
