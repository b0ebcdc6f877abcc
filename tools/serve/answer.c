#define _POSIX_C_SOURCE 200809L
#include "serve/answer.h"

#include "common/answering.h"
#include "common/html.h"
#include "common/judge.h"
#include "common/text.h"
#include "serve/reply.h"

unsigned answer_http(ecg_status s)
{
    switch (s) {
    case ECG_EFORMAT:
        return 415;
    case ECG_ECORRUPT:
    case ECG_ELIMIT:
    case ECG_EUNSUPPORTED:
        return 422;
    case ECG_ENOMEM:
    case ECG_ECANCELLED:
        return 503;
    default:
        return 500;
    }
}

static const char *message_of(const serve_answer *a)
{
    return a->error.message[0] ? a->error.message : ecg_status_text(a->status);
}

static void put_top(FILE *f, const ecg_model *m, const serve_answer *a, uint32_t top)
{
    const uint32_t classes = ecg_model_classes(m);
    uint32_t at = judge_best(a->probs, classes);
    fputs(",\"top\":[", f);
    for (uint32_t k = 0; k < top && k < classes; k++) {
        if (k)
            at = judge_next(a->probs, classes, at);
        fputs(k ? ",{\"class\":" : "{\"class\":", f);
        text_json_string(f, ecg_model_class(m, at));
        fputs(",\"probability\":", f);
        text_json_number(f, (double)a->probs[at]);
        fputc('}', f);
    }
    fputc(']', f);
}

static void put_kept(FILE *f, const serve_answer *a)
{
    if (a->kept == SERVE_NOT_ASKED)
        return;
    fprintf(f, ",\"kept\":%s", a->kept == SERVE_KEPT ? "true" : "false");
    if (a->kept == SERVE_NOT_KEPT) {
        fputs(",\"kept_error\":", f);
        text_json_string(f, a->why);
    }
}

void answer_json(FILE *f, const serve_info *info, const serve_answer *a, uint32_t top)
{
    fputc('{', f);
    if (a->status == ECG_OK) {
        answering_json(f, info->model, a->name, a->probs, &a->decision);
        if (top)
            put_top(f, info->model, a, top);
    } else {
        fputs("\"image\":", f);
        text_json_string(f, a->name);
        fputs(",\"error\":", f);
        problem_json(f, answer_http(a->status), message_of(a));
    }
    fprintf(f, ",\"sha256\":\"%s\",\"width\":%u,\"height\":%u,\"ms\":%.3f,\"model\":\"%s\"", a->sha256,
            a->width, a->height, a->ms, info->sha256);
    if (a->heat_png) {
        fputs(",\"heatmap\":\"data:image/png;base64,", f);
        html_base64(f, a->heat_png, a->heat_size);
        fputc('"', f);
    } else if (a->heat_error[0]) {
        fputs(",\"heatmap\":null,\"heatmap_error\":", f);
        text_json_string(f, a->heat_error);
    }
    put_kept(f, a);
    fputc('}', f);
}

void answer_log(FILE *f, const serve_info *info, const serve_answer *a)
{
    char when[40] = "";
    struct timespec now;
    struct tm utc;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &utc)) {
        const size_t n = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(when + n, sizeof when - n, ".%03ldZ", now.tv_nsec / 1000000);
    }
    fprintf(f, "{\"time\":\"%s\",\"sha256\":\"%s\",\"bytes\":%zu,\"width\":%u,\"height\":%u", when, a->sha256,
            a->size, a->width, a->height);
    if (a->status == ECG_OK) {
        fputs(",\"class\":", f);
        text_json_string(f, ecg_model_class(info->model, a->best));
        fputs(",\"probability\":", f);
        text_json_number(f, (double)a->probability);
        fputs(",\"probabilities\":", f);
        answering_probabilities(f, info->model, a->probs);
        fprintf(f, ",\"status\":\"%s\"", ecg_answer_name(a->decision.answer));
    } else {
        fprintf(f, ",\"error\":\"%s\"", ecg_status_name(a->status));
    }
    fprintf(f, ",\"ms\":%.3f,\"model\":\"%s\"}", a->ms, info->sha256);
}
