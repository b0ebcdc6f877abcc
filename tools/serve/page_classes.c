#define _POSIX_C_SOURCE 200809L
/* The information pages: what each class looks like, what it means, when it matters. */
#include <strings.h>

#include "common/html.h"
#include "serve/page_put.h"

enum { MOST_LISTED = 200 };

static const char *title_of(const ecg_model *m, uint32_t i)
{
    const class_text *t = class_text_at(m, i);
    return t->title ? t->title : ecg_model_class(m, i);
}

static void put_example(FILE *f, const ecg_model *m, uint32_t i, int large)
{
    const class_text *t = class_text_at(m, i);
    char label[512];
    if (!t->strip) {
        if (!large)
            fputs("<span class=\"ecg none\">no example</span>", f);
        return;
    }
    snprintf(label, sizeof label, "%s, drawn on ECG paper. %s", title_of(m, i), t->example);
    if (!large) {
        page_draw(f, t->strip, label);
        return;
    }
    fputs("<figure class=\"example\"><div class=\"sheet\" tabindex=\"0\" role=\"group\" "
          "aria-label=\"Example\">",
          f);
    page_draw(f, t->strip, label);
    fputs("</div><figcaption>", f);
    html_text(f, t->example);
    fputs(" A small square is 0.04&#160;s and 0.1&#160;mV. Synthetic: drawn by the generator of libecgcnn, "
          "no patient’s "
          "recording.</figcaption></figure>\n",
          f);
}

/* ---- /classes ---- */
static void list_body(FILE *f, const page_site *s, const void *with)
{
    const ecg_model *m = s->info->model;
    const uint32_t classes = ecg_model_classes(m);
    (void)with;
    fprintf(f, "<section>\n<h1>%u kinds of heartbeats</h1>\n<p class=\"lead\">What the model ", classes);
    html_name(f, s->info->name);
    fputs(" was taught to tell apart: what each looks like, what it means, and when it matters.</p>\n<ul "
          "class=\"kinds\">\n",
          f);
    for (uint32_t i = 0; i < classes && i < MOST_LISTED; i++) {
        fputs("<li class=\"card kind\">", f);
        put_example(f, m, i, 0);
        fputs("<h2><a href=\"", f);
        page_class_path(f, m, i);
        fputs("\">", f);
        html_name(f, ecg_model_class(m, i));
        fputs("</a></h2>", f);
        html_note(f, NULL, class_text_at(m, i)->brief);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
    if (classes > MOST_LISTED)
        fprintf(f, "<p>And %u more.</p>\n", classes - MOST_LISTED);
    fputs("</section>\n", f);
}

void page_classes(FILE *f, const page_site *s)
{
    page_write(f, s, "Kinds of heartbeats", PAGE_CLASSES, list_body, NULL);
}

/* ---- /classes/SLUG ---- */
static void put_part(FILE *f, const char *heading, const char *text)
{
    fprintf(f, "<h2>%s</h2>\n", heading);
    page_paragraphs(f, text);
}

static void put_neighbour(FILE *f, const ecg_model *m, uint32_t i, const char *rel, const char *word)
{
    fprintf(f, "<a rel=\"%s\" href=\"", rel);
    page_class_path(f, m, i);
    fprintf(f, "\"><span>%s</span> ", word);
    html_name(f, ecg_model_class(m, i));
    fputs("</a>\n", f);
}

static void class_body(FILE *f, const page_site *s, const void *with)
{
    const ecg_model *m = s->info->model;
    const uint32_t i = *(const uint32_t *)with;
    const class_text *t = class_text_at(m, i);
    fputs("<div class=\"prose\">\n<p class=\"crumb\"><a href=\"/classes\">Kinds of "
          "heartbeats</a></p>\n<h1>",
          f);
    html_name(f, title_of(m, i));
    fputs("</h1>\n", f);
    html_note(f, "lead", t->brief);
    if (strcasecmp(title_of(m, i), ecg_model_class(m, i)) != 0) {
        fputs("<p class=\"dim\">The model calls it ", f);
        html_name(f, ecg_model_class(m, i));
        fputs(".</p>\n", f);
    }
    put_example(f, m, i, 1);
    put_part(f, "What it looks like", t->looks);
    put_part(f, "What it means", t->means);
    put_part(f, "When it matters", t->matters);
    fputs("<p class=\"aside\">For research and teaching. This page cannot tell what is wrong with anyone; "
          "people who have learned "
          "to read an ECG, and who see the patient, can.</p>\n<nav class=\"turn\" aria-label=\"Other "
          "kinds\">\n",
          f);
    if (i > 0)
        put_neighbour(f, m, i - 1, "prev", "Before:");
    if (i + 1 < ecg_model_classes(m))
        put_neighbour(f, m, i + 1, "next", "Next:");
    fputs("</nav>\n</div>\n", f);
}

int page_class(FILE *f, const page_site *s, const char *slug)
{
    const ecg_model *m = s->info->model;
    const uint32_t i = class_of_slug(m, slug);
    if (i >= ecg_model_classes(m))
        return 0;
    page_write(f, s, title_of(m, i), PAGE_CLASSES, class_body, &i);
    return 1;
}
