/* The pages and their files. */
#include <string.h>

#include "serve/page.h"
#include "serve/request.h"

static const char html[] = "text/html; charset=utf-8";

static page_file file_of(const server *s, const char *name)
{
    const asset *a = assets_find(s->files, name);
    return (page_file){a ? (const char *)a->data : "", a ? a->size : 0};
}

static page_site site_of(const server *s, const model_hold *m)
{
    return (page_site){&m->info, m->samples, file_of(s, "page.html"), file_of(s, "index.html")};
}

static void show(request *r, reply *out, void (*page)(FILE *f, const page_site *s))
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    model_hold *m = model_holder_take(r->s->models);
    const page_site s = site_of(r->s, m);
    page(f, &s);
    model_hold_drop(m);
    reply_end(&t, out, 200, html);
}

void site_home(request *r, reply *out)
{
    show(r, out, page_home);
}

void site_about(request *r, reply *out)
{
    show(r, out, page_about);
}

void site_classes(request *r, reply *out)
{
    show(r, out, page_classes);
}

void site_class(request *r, reply *out)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    model_hold *m = model_holder_take(r->s->models);
    const page_site s = site_of(r->s, m);
    const int known = page_class(f, &s, r->rest);
    if (!known)
        page_problem(f, &s, 404, problem_title(404), "The model has no class of this name.");
    model_hold_drop(m);
    reply_end(&t, out, known ? 200 : 404, html);
}

/* SLUG.png */
void site_sample(request *r, reply *out)
{
    static const char ending[] = ".png";
    const size_t n = strlen(r->rest), m = sizeof ending - 1;
    char slug[CLASS_SLUG];
    reply_text t;
    const sample *found = NULL;
    model_hold *hold = model_holder_take(r->s->models);
    if (hold->samples && n > m && n - m < sizeof slug && strcmp(r->rest + n - m, ending) == 0) {
        memcpy(slug, r->rest, n - m);
        slug[n - m] = '\0';
        found = samples_find(hold->samples, slug);
    }
    FILE *f = found ? reply_begin(&t, out) : NULL;
    if (f) {
        fwrite(found->png, 1, found->size, f);
        reply_end(&t, out, 200, "image/png");
        out->cache = "no-cache";
    } else if (!found) {
        problem_reply(out, 404, "there is no sample of this name");
    }
    model_hold_drop(hold);
}

/* page.html and index.html are parts of pages, and shown as such only. */
int site_has(const server *s, const char *name)
{
    const asset *a = assets_find(s->files, name);
    return a && strncmp(a->type, "text/html", 9) != 0 && strcmp(name, "openapi.json") != 0;
}

void site_asset(request *r, reply *out)
{
    const asset *a = assets_find(r->s->files, r->rest);
    *out = (reply){.status = 200,
                   .type = a->type,
                   .cache = "no-cache",
                   .etag = a->etag,
                   .data = a->data,
                   .size = a->size};
}

/* The form of a browser without JavaScript. */
void site_predict(request *r, reply *out)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    const page_site s = site_of(r->s, r->job.hold);
    page_result(f, &s, r->job.answer, r->job.count);
    reply_end(&t, out,
              r->job.count == 1 && r->job.answer->status != ECG_OK ? answer_http(r->job.answer->status) : 200,
              html);
}

void site_problem(request *r, reply *out, unsigned status, const char *detail)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    model_hold *m = model_holder_take(r->s->models);
    const page_site s = site_of(r->s, m);
    page_problem(f, &s, status, problem_title(status), detail);
    model_hold_drop(m);
    reply_end(&t, out, status, html);
    out->retry = status == 503 || status == 429;
}
