/* The option table in words: ranges and --help. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "common/opts.h"
#include "ecgcnn/version.h"

enum { WIDTH = 80, HELP_COLUMN = 27 };

/* Add to a text that may be full. */
__attribute__((format(printf, 3, 4))) static void add(char *buf, size_t cap, const char *fmt, ...)
{
    const size_t n = strlen(buf);
    va_list args;
    va_start(args, fmt);
    vsnprintf(buf + n, cap - n, fmt, args);
    va_end(args);
}

void opts_wrap(FILE *f, const char *text, int at, int indent)
{
    int fresh = 1; /* nothing of this line is written yet */
    int hang = indent;
    while (*text) {
        if (*text == '\n') {
            const int own = (int)strspn(++text, " ");
            at = indent + own;
            hang = own ? at + 2 : indent;
            fprintf(f, "\n%*s", at, "");
            fresh = 1;
            continue;
        }
        if (*text == ' ') {
            text++;
            continue;
        }
        const int n = (int)strcspn(text, " \n");
        if (!fresh && at + 1 + n > WIDTH) {
            fprintf(f, "\n%*s", hang, "");
            at = hang;
            fresh = 1;
        }
        at += fprintf(f, "%s%.*s", fresh ? "" : " ", n, text);
        fresh = 0;
        text += n;
    }
    fputc('\n', f);
}

static void range_of(const opt_row *r, char *buf, size_t cap)
{
    if (r->min == 0 && r->max == 0) { // NOLINT: exactly unset
        if (r->kind == OPT_UINT || r->kind == OPT_UINT64)
            add(buf, cap, "0..%llu", (unsigned long long)(r->kind == OPT_UINT ? UINT32_MAX : UINT64_MAX));
        else
            add(buf, cap, "a number");
    } else if (isinf(r->max)) {
        add(buf, cap, r->open & OPT_ABOVE ? "above %.10g" : "%.10g or more", r->min);
    } else if (!r->open) {
        add(buf, cap, "%.10g..%.10g", r->min, r->max);
    } else {
        add(buf, cap, r->open & OPT_ABOVE ? "above %.10g and " : "%.10g or more and ", r->min);
        add(buf, cap, r->open & OPT_BELOW ? "below %.10g" : "up to %.10g", r->max);
    }
}

const char *opts_range(const opt_row *r, char *buf, size_t cap)
{
    buf[0] = '\0';
    switch (r->kind) {
    case OPT_CHOICE:
        add(buf, cap, "%s", r->choices);
        break;
    case OPT_SIZE:
        add(buf, cap, "HxW");
        if (r->max > 0)
            add(buf, cap, ", each %.10g..%.10g", r->min, r->max);
        break;
    case OPT_BYTES:
        add(buf, cap, "a number of bytes such as 65536 or 64K, M, G or T");
        break;
    case OPT_UINT:
    case OPT_UINT64:
    case OPT_FLOAT:
    case OPT_REAL:
        range_of(r, buf, cap);
        break;
    case OPT_HEADING:
    case OPT_FLAG:
    case OPT_SWITCH:
    case OPT_STRING:
    case OPT_LIST:
        break;
    }
    return buf;
}

static void add_default(const opt_row *r, char *buf, size_t cap)
{
    switch (r->kind) {
    case OPT_STRING:
    case OPT_CHOICE:
        if (*(const char **)r->to)
            add(buf, cap, "%s", *(const char **)r->to);
        break;
    case OPT_SWITCH:
        add(buf, cap, "%s", *(const uint32_t *)r->to ? "on" : "off");
        break;
    case OPT_UINT:
        add(buf, cap, "%u", *(const uint32_t *)r->to);
        break;
    case OPT_UINT64:
    case OPT_BYTES:
        add(buf, cap, "%llu", (unsigned long long)*(const uint64_t *)r->to);
        break;
    case OPT_FLOAT:
        add(buf, cap, "%.6g", (double)*(const float *)r->to);
        break;
    case OPT_REAL:
        add(buf, cap, "%.6g", *(const double *)r->to);
        break;
    case OPT_SIZE:
        add(buf, cap, "%ux%u", ((const opt_size *)r->to)->h, ((const opt_size *)r->to)->w);
        break;
    case OPT_HEADING:
    case OPT_FLAG:
    case OPT_LIST:
        break;
    }
}

static void row_help(const opt_row *r, FILE *f)
{
    char text[1024] = "", init[128] = "", range[256];
    const int is_number = r->kind >= OPT_UINT && r->kind <= OPT_REAL && (r->max > 0 || r->min > 0);
    add(text, sizeof text, "%s", r->help);
    if (is_number || r->kind == OPT_CHOICE)
        add(text, sizeof text, " (%s", opts_range(r, range, sizeof range));
    if (r->init)
        add(init, sizeof init, "%s", r->init);
    else
        add_default(r, init, sizeof init);
    if (*init)
        add(text, sizeof text, "%sdefault %s", strlen(text) > strlen(r->help) ? "; " : " (", init);
    if (strlen(text) > strlen(r->help))
        add(text, sizeof text, ")");

    char left[128] = "  ";
    if (r->letter)
        add(left, sizeof left, "-%c, ", r->letter);
    else
        add(left, sizeof left, "    ");
    add(left, sizeof left, r->kind == OPT_SWITCH ? "--[no-]%s" : "--%s", r->name);
    if (r->arg)
        add(left, sizeof left, " %s", r->arg);
    fputs(left, f);
    if (strlen(left) + 2 > HELP_COLUMN)
        fprintf(f, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(f, "%*s", HELP_COLUMN - (int)strlen(left), "");
    opts_wrap(f, text, HELP_COLUMN, HELP_COLUMN);
}

void opts_help(const opt_command *c, FILE *f)
{
    static const opt_row common[] = {
        {"help", 'h', NULL, OPT_FLAG, NULL, .help = "show this text"},
        {"version", 0, NULL, OPT_FLAG, NULL, .help = "show version, build and notice"},
    };
    const int at = fprintf(f, "Usage: %s ", c->name);
    opts_wrap(f, c->usage, at, at);
    fputc('\n', f);
    opts_wrap(f, c->about, 0, 0);
    if (!c->count || c->rows[0].kind != OPT_HEADING)
        fputs("\nOptions:\n", f);
    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i].kind == OPT_HEADING)
            fprintf(f, "\n%s:\n", c->rows[i].name);
        else
            row_help(&c->rows[i], f);
    }
    for (size_t i = 0; i < OPT_COUNT(common); i++)
        row_help(&common[i], f);
    fputc('\n', f);
    if (c->more) {
        opts_wrap(f, c->more, 0, 0);
        fputc('\n', f);
    }
    opts_wrap(f, ECG_NOTICE, 0, 0);
}
