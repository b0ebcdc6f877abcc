#define _POSIX_C_SOURCE 200809L
#include "serve/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/heat_png.h"
#include "serve/multipart.h"
#include "serve/picture.h"
#include "serve/server.h"

enum { FIELDS = 8 /* beside the files of a form */ };

/* ---- The pictures of a body ---- */

__attribute__((format(printf, 3, 4))) static void refuse(job *j, unsigned status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    j->status = status;
    vsnprintf(j->why, sizeof j->why, fmt, args);
    va_end(args);
}

static int make_room(job *j, size_t count)
{
    j->answer = calloc(count, sizeof *j->answer);
    j->probs = calloc(count, ecg_model_classes(j->hold->info.model) * sizeof *j->probs);
    if (!j->answer || !j->probs)
        refuse(j, 503, "out of memory");
    return !j->status;
}

static void add_picture(job *j, const char *name, size_t length, const unsigned char *data, size_t size)
{
    serve_answer *a = &j->answer[j->count];
    const int named = name && length > 0;
    snprintf(a->name, sizeof a->name, "%.*s", named ? (int)(length < 255 ? length : 255) : 7,
             named ? name : "picture");
    a->data = data;
    a->size = size;
    a->probs = j->probs + j->count * ecg_model_classes(j->hold->info.model);
    j->count++;
}

/* A field of the form: "top", "heatmap"; others are left alone. */
static void read_field(job *j, const struct multipart_part *p)
{
    const struct http_span name = {p->name, p->name_len}, value = {(const char *)p->data, p->size};
    char text[32];
    uint64_t n = 0;
    bool yes = false;
    const int top = http_span_is(name, "top"), heat = http_span_is(name, "heatmap");
    if (!top && !heat)
        return;
    if (!http_span_copy(value, text, sizeof text) || (top && !http_number(text, 65536, &n)) ||
        (heat && !http_flag(text, &yes)))
        refuse(j, 400, "the field %s is no %s", top ? "top" : "heatmap", top ? "number" : "0 or 1");
    else if (top)
        j->top = (uint32_t)n;
    else
        j->heatmap = yes;
}

/* The field "sample" names one of the server's own pictures: what the page's buttons send without JavaScript.
 */
static const sample *sample_of(const job *j, const struct multipart_part *p)
{
    const struct http_span name = {p->name, p->name_len}, value = {(const char *)p->data, p->size};
    char slug[CLASS_SLUG];
    if (p->filename || !http_span_is(name, "sample") || !http_span_copy(value, slug, sizeof slug))
        return NULL;
    return samples_find(j->hold->samples, slug);
}

static void open_form(job *j)
{
    struct multipart_part *part = calloc(j->most + FIELDS, sizeof *part);
    char why[HTTP_WHY] = "";
    size_t n = 0, files = 0;
    if (!part) {
        refuse(j, 503, "out of memory");
        return;
    }
    const int wrong = multipart_parse(j->type, j->body, j->size, part, j->most + FIELDS, &n, why);
    if (wrong)
        refuse(j, (unsigned)wrong, "%s", why);
    for (size_t i = 0; i < n && !j->status; i++) {
        if (!part[i].filename)
            read_field(j, &part[i]);
        if (sample_of(j, &part[i]))
            files++;
        else if (part[i].filename)
            files += part[i].size > 0 || part[i].filename_len > 0; /* else no file was chosen */
    }
    if (!j->status && files == 0)
        refuse(j, 400, "the form holds no file");
    if (!j->status && files > j->most)
        refuse(j, 400, "%zu pictures, expected at most %u", files, j->most);
    if (!j->status && make_room(j, files))
        for (size_t i = 0; i < n; i++) {
            const sample *own = sample_of(j, &part[i]);
            if (own)
                add_picture(j, own->label, strlen(own->label), own->png, own->size);
            else if (part[i].filename && (part[i].size > 0 || part[i].filename_len > 0))
                add_picture(j, part[i].filename, part[i].filename_len, part[i].data, part[i].size);
        }
    free(part);
}

void job_open(job *j)
{
    static const char form[] = "multipart/";
    const int is_form = j->type && http_span_is_word(
                                       (struct http_span){j->type, strnlen(j->type, sizeof form - 1)}, form);
    if (is_form)
        open_form(j);
    else if (j->size == 0)
        refuse(j, 400, "the request has no body, expected a picture");
    else if (make_room(j, 1))
        add_picture(j, NULL, 0, j->body, j->size);
}

/* ---- Answers ---- */

/* Pictures that are run together. */
typedef struct group {
    model_hold *hold;
    uint32_t worker;
    size_t n;
    job *of[JOB_BATCH];
    serve_answer *answer[JOB_BATCH];
    ecg_pixels *pixels[JOB_BATCH];
    ecg_image view[JOB_BATCH];
    ecg_look look[JOB_BATCH];
    ecg_decision decision[JOB_BATCH];
    float *probs; /* [JOB_BATCH][classes] */
} group;

static void fail(serve_answer *a, ecg_status s, const char *text)
{
    a->status = a->error.status = s;
    snprintf(a->error.message, sizeof a->error.message, "%s", text);
}

static void draw_heat(group *g, size_t i)
{
    serve_answer *a = g->answer[i];
    ecg_error err = {0};
    const ecg_status s = heat_png(&a->heat_png, &a->heat_size, g->hold->info.model, &g->view[i], &g->look[i],
                                  a->data, a->size, &err);
    if (s != ECG_OK)
        snprintf(a->heat_error, sizeof a->heat_error, "%s",
                 err.message[0] ? err.message : ecg_status_text(s));
}

static void run(group *g)
{
    const uint32_t classes = ecg_model_classes(g->hold->info.model);
    ecg_error err = {0};
    const ecg_status s = g->n ? ecg_session_judge_images(g->hold->session[g->worker], g->view, g->look, g->n,
                                                         g->probs, g->decision, &err)
                              : ECG_OK;
    for (size_t i = 0; i < g->n; i++) {
        serve_answer *a = g->answer[i];
        if (s == ECG_OK) {
            memcpy(g->of[i]->probs + (size_t)(a - g->of[i]->answer) * classes, g->probs + i * classes,
                   classes * sizeof *g->probs);
            a->decision = g->decision[i];
            a->best = a->decision.best;
            a->probability = a->decision.probability;
            if (g->of[i]->heatmap)
                draw_heat(g, i);
        } else {
            fail(a, s, err.message[0] ? err.message : ecg_status_text(s));
        }
        a->ms = (double)(server_now() - g->of[i]->since) / 1e6;
        ecg_pixels_free(g->pixels[i]);
    }
    g->n = 0;
}

/* Into the group; a picture that cannot be read has its answer at once. */
static void read_picture(group *g, job *j, serve_answer *a)
{
    const picture_head head = picture_look(a->data, a->size);
    a->type = head.type;
    a->width = head.width;
    a->height = head.height;
    ecg_sha256(a->data, a->size, a->sha256);
    if (a->size > g->hold->info.max_upload) { /* one of several */
        char text[96];
        snprintf(text, sizeof text, "the picture has %zu bytes, expected at most %llu", a->size,
                 (unsigned long long)g->hold->info.max_upload);
        fail(a, ECG_ELIMIT, text);
        return;
    }
    const ecg_status s = ecg_look_decode(&g->pixels[g->n], &g->look[g->n],
                                         ecg_model_preprocess(g->hold->info.model), a->data, a->size, a->name,
                                         &a->error);
    a->status = s;
    if (s != ECG_OK) {
        a->ms = (double)(server_now() - j->since) / 1e6;
        return;
    }
    g->of[g->n] = j;
    g->answer[g->n] = a;
    g->view[g->n] = ecg_pixels_view(g->pixels[g->n]);
    if (++g->n == JOB_BATCH)
        run(g);
}

void job_judge(job **j, size_t n, uint32_t worker, int (*cancelled)(void *payload), void *payload)
{
    group g = {.hold = j[0]->hold, .worker = worker};
    g.probs = calloc(ecg_model_classes(g.hold->info.model), JOB_BATCH * sizeof *g.probs);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < j[i]->count && !j[i]->status; k++) {
            if (!g.probs)
                fail(&j[i]->answer[k], ECG_ENOMEM, "out of memory");
            else if (k && cancelled && cancelled(payload))
                fail(&j[i]->answer[k], ECG_ECANCELLED, "the server is being shut down");
            else
                read_picture(&g, j[i], &j[i]->answer[k]);
        }
    run(&g);
    free(g.probs);
}

void job_close(job *j)
{
    for (size_t i = 0; i < j->count; i++)
        free(j->answer[i].heat_png);
    free(j->answer);
    free(j->probs);
    j->answer = NULL;
    j->probs = NULL;
    j->count = 0;
}
