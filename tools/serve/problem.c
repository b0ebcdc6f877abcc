#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>

#include "common/text.h"
#include "serve/reply.h"

const char *problem_title(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } known[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].title;
    return "Error";
}

void problem_json(FILE *f, unsigned status, const char *detail)
{
    fprintf(f, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":", problem_title(status),
            status);
    text_json_string(f, detail);
    fputc('}', f);
}

FILE *reply_begin(reply_text *t, reply *r)
{
    *t = (reply_text){NULL, NULL, 0};
    t->f = open_memstream(&t->text, &t->size);
    if (!t->f)
        *r = (reply){.status = 503, .retry = 1};
    return t->f;
}

void reply_end(reply_text *t, reply *r, unsigned status, const char *type)
{
    const int failed = ferror(t->f);
    if (fclose(t->f) != 0 || failed) {
        free(t->text);
        *r = (reply){.status = 503, .retry = 1};
        return;
    }
    *r = (reply){.status = status, .type = type, .own = t->text, .data = t->text, .size = t->size};
}

void problem_reply(reply *r, unsigned status, const char *detail)
{
    reply_text t;
    FILE *f = reply_begin(&t, r);
    if (!f)
        return;
    problem_json(f, status, detail);
    fputc('\n', f);
    reply_end(&t, r, status, "application/problem+json");
    if (status == 503 || status == 429)
        r->retry = 1;
}
