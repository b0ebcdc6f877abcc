#include "serve/page.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "ecgcnn/version.h"
#include "serve/page_put.h"

enum { MOST_WORD = 32, MOST_LISTED = 64 };

/* ---- The shell ---- */
void page_fill(FILE *f, page_file text, page_fill_fn *put, const void *with)
{
    const char *p = text.text, *end = text.text + text.size;
    while (p < end) {
        const char *open = memchr(p, '{', (size_t)(end - p));
        if (!open)
            open = end;
        fwrite(p, 1, (size_t)(open - p), f);
        p = open;
        char word[MOST_WORD];
        size_t n = 0;
        if (end - p > 4 && p[1] == '{')
            while (n < MOST_WORD - 1 && p + 2 + n < end &&
                   ((p[2 + n] >= 'a' && p[2 + n] <= 'z') || p[2 + n] == '-')) {
                word[n] = p[2 + n];
                n++;
            }
        word[n] = '\0';
        if (n && end - p >= (ptrdiff_t)n + 4 && p[n + 2] == '}' && p[n + 3] == '}' && put(f, word, with))
            p += n + 4;
        else if (p < end)
            fputc(*p++, f);
    }
}

typedef struct frame {
    const page_site *s;
    const char *title;
    page_place place;
    page_body *body;
    const void *with;
} frame;

static int put_current(FILE *f, int here)
{
    if (here)
        fputs(" aria-current=\"page\"", f);
    return 1;
}

static int put_frame(FILE *f, const char *name, const void *with)
{
    const frame *p = with;
    if (strcmp(name, "title") == 0)
        html_text(f, p->title);
    else if (strcmp(name, "notice") == 0)
        html_text(f, ECG_NOTICE);
    else if (strcmp(name, "version") == 0)
        html_text(f, ecg_version());
    else if (strcmp(name, "model") == 0)
        html_name(f, p->s->info->name);
    else if (strcmp(name, "at-home") == 0)
        return put_current(f, p->place == PAGE_HOME);
    else if (strcmp(name, "at-classes") == 0)
        return put_current(f, p->place == PAGE_CLASSES);
    else if (strcmp(name, "at-about") == 0)
        return put_current(f, p->place == PAGE_ABOUT);
    else if (strcmp(name, "main") == 0)
        p->body(f, p->s, p->with);
    else
        return 0;
    return 1;
}

void page_write(FILE *f, const page_site *s, const char *title, page_place place, page_body *body,
                const void *with)
{
    const frame p = {s, title, place, body, with};
    page_fill(f, s->shell, put_frame, &p);
}

/* ---- / ---- */
static void put_classes(FILE *f, const ecg_model *m)
{
    const uint32_t classes = ecg_model_classes(m);
    for (uint32_t i = 0; i < classes && i < MOST_LISTED; i++) {
        const class_text *t = class_text_at(m, i);
        fputs("<li data-class=\"", f);
        html_text(f, ecg_model_class(m, i));
        fputs("\"><a href=\"", f);
        page_class_path(f, m, i);
        fputs("\">", f);
        html_name(f, ecg_model_class(m, i));
        fputs("</a><p>", f);
        html_text(f, t->brief);
        fputs("</p></li>\n", f);
    }
    if (classes > MOST_LISTED)
        fprintf(f, "<li><a href=\"/classes\">All %u classes</a></li>\n", classes);
}

static void put_samples(FILE *f, const samples *all)
{
    for (size_t i = 0; all && i < all->count; i++) {
        const sample *p = &all->of[i];
        fprintf(f,
                "<li><button type=\"submit\" name=\"sample\" value=\"%s\"><img src=\"/samples/%s.png\" "
                "alt=\"\" width=\"%u\" "
                "height=\"%u\"><span>",
                p->slug, p->slug, p->width, p->height);
        html_name(f, p->label);
        fputs("</span></button></li>\n", f);
    }
}

static void put_keeps(FILE *f, const serve_info *info)
{
    if (!info->keeps)
        fputs("Your picture goes to this server and nowhere else, and is forgotten with the answer.", f);
    else if (info->retain_days)
        fprintf(f, "Your picture goes to this server and nowhere else. The server keeps it for %u %s.",
                info->retain_days, info->retain_days == 1 ? "day" : "days");
    else
        fputs("Your picture goes to this server and nowhere else. The server keeps it.", f);
}

static int put_home(FILE *f, const char *name, const void *with)
{
    const page_site *s = with;
    const serve_info *info = s->info;
    const ecg_model *m = info->model;
    if (strcmp(name, "classes") == 0)
        put_classes(f, m);
    else if (strcmp(name, "samples") == 0)
        put_samples(f, s->samples);
    else if (strcmp(name, "keeps") == 0)
        put_keeps(f, info);
    else if (strcmp(name, "class-count") == 0)
        fprintf(f, "%u", ecg_model_classes(m));
    else if (strcmp(name, "most-bytes") == 0)
        fprintf(f, "%llu", (unsigned long long)info->max_upload);
    else if (strcmp(name, "most-size") == 0)
        page_bytes(f, info->max_upload);
    else if (strcmp(name, "most-pictures") == 0)
        fprintf(f, "%u", info->max_pictures);
    else if (strcmp(name, "token") == 0)
        fputs(info->token ? "yes" : "no", f);
    else if (strcmp(name, "model") == 0)
        html_name(f, info->name);
    else if (strcmp(name, "model-name") == 0)
        html_text(f, info->name);
    else if (strcmp(name, "sha") == 0)
        html_text(f, info->sha256 ? info->sha256 : "not known");
    else if (strcmp(name, "sha-short") == 0)
        html_printf(f, "%.12s", info->sha256 ? info->sha256 : "not known");
    else if (strcmp(name, "trace") == 0)
        page_draw(f, "NNNNNNVNNNNNN", NULL);
    else
        return 0;
    return 1;
}

static void home_body(FILE *f, const page_site *s, const void *with)
{
    (void)with;
    page_fill(f, s->home, put_home, s);
}

void page_home(FILE *f, const page_site *s)
{
    page_write(f, s, "What kind of heartbeat is this?", PAGE_HOME, home_body, NULL);
}

/* ---- Errors ---- */
typedef struct problem {
    unsigned status;
    const char *title, *detail;
} problem;

static void problem_body(FILE *f, const page_site *s, const void *with)
{
    const problem *p = with;
    (void)s;
    fprintf(f, "<section class=\"prose trouble\">\n<p class=\"code\" aria-hidden=\"true\">%u</p>\n<h1>",
            p->status);
    html_text(f, p->title);
    fputs("</h1>\n", f);
    if (p->detail && *p->detail) { /* messages begin with a small letter */
        char detail[512];
        snprintf(detail, sizeof detail, "%c%s", toupper((unsigned char)*p->detail), p->detail + 1);
        html_note(f, NULL, detail);
    }
    fputs("<p><a class=\"button\" href=\"/\">Back to the start</a></p>\n</section>\n", f);
}

void page_problem(FILE *f, const page_site *s, unsigned status, const char *title, const char *detail)
{
    const problem p = {status, title, detail};
    page_write(f, s, title, PAGE_ELSEWHERE, problem_body, &p);
}
