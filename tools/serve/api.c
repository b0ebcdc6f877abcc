#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "ecgcnn/version.h"
#include "serve/request.h"

static const char json[] = "application/json";

void api_health(request *r, reply *out)
{
    static const char fine[] = "{\"status\":\"ok\"}\n", ending[] = "{\"status\":\"stopping\"}\n";
    const int stopping = atomic_load(&r->s->stopping);
    *out = (reply){.status = stopping ? 503 : 200, .type = json};
    out->data = stopping ? ending : fine;
    out->size = strlen(out->data);
}

void api_metrics(request *r, reply *out)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    server *s = r->s;
    model_hold *m = model_holder_take(s->models);
    const metrics_now now = {.requests = atomic_load(&s->requests),
                             .connections = atomic_load(&s->connections),
                             .waiting = pool_waiting(s->workers),
                             .held = atomic_load(&s->held),
                             .limited = limiter_counts(s->limits).limited,
                             .loaded = m->info.loaded,
                             .model = m->info.name,
                             .sha256 = m->info.sha256};
    metrics_write(s->figures, &now, f);
    model_hold_drop(m);
    reply_end(&t, out, 200, "text/plain; version=0.0.4; charset=utf-8");
}

void api_openapi(request *r, reply *out)
{
    *out = (reply){.status = 200, .type = json, .data = r->s->openapi, .size = strlen(r->s->openapi)};
}

/* ---- The model ---- */
static void put_text(FILE *f, const char *key, const char *value)
{
    fprintf(f, ",\"%s\":", key);
    if (value)
        text_json_string(f, value);
    else
        fputs("null", f);
}

static void put_number(FILE *f, const char *key, double v)
{
    fprintf(f, ",\"%s\":", key);
    text_json_number(f, v);
}

static void put_rule(FILE *f, const ecg_rule *r)
{
    static const char *const by[] = {"none", "given", "error", "coverage"};
    fprintf(f, ",\"rule\":{\"chosen_by\":\"%s\"", (unsigned)r->chosen_by < 4 ? by[r->chosen_by] : "unknown");
    put_number(f, "temperature", (double)r->temperature);
    put_number(f, "threshold", (double)r->threshold);
    put_number(f, "wanted", (double)r->wanted);
    fprintf(f, ",\"pictures\":%u,\"apart\":%s}", r->pictures, r->apart ? "true" : "false");
}

static void put_gate(FILE *f, const ecg_gate *g)
{
    if (!g) {
        fputs(",\"gate\":null", f);
        return;
    }
    fprintf(f, ",\"gate\":{\"pictures\":%u,\"held_out\":%u,\"features\":%u", g->pictures, g->held_out,
            g->features);
    put_number(f, "limit", (double)g->limit);
    fputc('}', f);
}

static void put_spec(FILE *f, const ecg_spec *s)
{
    const size_t n = ecg_spec_print(s, NULL, 0) + 1;
    char *text = malloc(n);
    if (text)
        ecg_spec_print(s, text, n);
    put_text(f, "architecture", text);
    free(text);
    fprintf(f, ",\"parameters\":%llu", (unsigned long long)ecg_spec_params(s));
}

static void put_meta(FILE *f, const ecg_model *m)
{
    const char *key, *value;
    fputs(",\"provenance\":{", f);
    for (size_t i = 0; ecg_model_meta_at(m, i, &key, &value); i++) {
        if (i)
            fputc(',', f);
        text_json_string(f, key);
        fputc(':', f);
        text_json_string(f, value);
    }
    fputc('}', f);
}

static void put_model(FILE *f, const serve_info *info)
{
    const ecg_model *m = info->model;
    const ecg_preprocess *p = ecg_model_preprocess(m);
    char when[32] = "";
    struct tm utc;
    if (gmtime_r(&info->loaded, &utc))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fputs("{\"name\":", f);
    text_json_string(f, info->name);
    put_text(f, "sha256", info->sha256);
    put_text(f, "loaded", when);
    put_text(f, "version", ecg_version());
    put_text(f, "notice", ECG_NOTICE);
    fputs(",\"classes\":[", f);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        if (i)
            fputc(',', f);
        text_json_string(f, ecg_model_class(m, i));
    }
    fprintf(f,
            "],\"input\":{\"width\":%u,\"height\":%u,\"color\":\"%s\",\"profile\":\"%s\",\"filter\":\"%s\"}",
            p->w, p->h, ecg_color_name(p->color), ecg_profile_name(p->profile), ecg_filter_name(p->filter));
    put_rule(f, ecg_model_rule(m));
    put_gate(f, ecg_model_gate(m));
    put_spec(f, ecg_model_spec(m));
    put_meta(f, m);
    put_text(f, "card", info->card);
    fprintf(f, ",\"limits\":{\"bytes\":%llu,\"pictures\":%u}", (unsigned long long)info->max_upload,
            info->max_pictures);
    fprintf(f, ",\"uploads_kept\":%s,\"retain_days\":%u}\n", info->keeps ? "true" : "false",
            info->retain_days);
}

void api_model(request *r, reply *out)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    model_hold *m = model_holder_take(r->s->models);
    put_model(f, &m->info);
    model_hold_drop(m);
    reply_end(&t, out, 200, json);
}

/* ---- Answers ---- */
void api_predict(request *r, reply *out)
{
    const serve_answer *a = r->job.answer;
    if (a->status != ECG_OK) {
        problem_reply(out, answer_http(a->status),
                      a->error.message[0] ? a->error.message : ecg_status_text(a->status));
        return;
    }
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    answer_json(f, &r->job.hold->info, a, r->job.top);
    fputc('\n', f);
    reply_end(&t, out, 200, json);
}

void api_batch(request *r, reply *out)
{
    reply_text t;
    FILE *f = reply_begin(&t, out);
    if (!f)
        return;
    fprintf(f, "{\"model\":\"%s\",\"ms\":%.3f,\"answers\":[", r->job.hold->info.sha256,
            (double)(server_now() - r->job.since) / 1e6);
    for (size_t i = 0; i < r->job.count; i++) {
        if (i)
            fputc(',', f);
        answer_json(f, &r->job.hold->info, &r->job.answer[i], r->job.top);
    }
    fputs("]}\n", f);
    reply_end(&t, out, 200, json);
}
