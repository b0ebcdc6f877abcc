#include "common/opts.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

typedef struct reader {
    const opt_command *c;
    char *message;
    size_t cap;
} reader;

__attribute__((format(printf, 2, 3))) static opt_result wrong(const reader *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(r->message, r->cap, fmt, args);
    va_end(args);
    return OPT_WRONG;
}

/* ---- Values ---- */
static int in_range(const opt_row *row, double v)
{
    if (row->min == 0 && row->max == 0) // NOLINT: exactly unset
        return 1;
    if (v < row->min || ((row->open & OPT_ABOVE) && v <= row->min))
        return 0;
    return !(v > row->max || ((row->open & OPT_BELOW) && v >= row->max));
}

/* Digits at *text as a number; *text moves behind them. */
static int read_digits(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t v = 0;
    if (*p < '0' || *p > '9')
        return 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        const unsigned digit = (unsigned)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return 0;
        v = v * 10 + digit;
    }
    *text = p;
    *out = v;
    return 1;
}

static int read_uint(const opt_row *row, const char *text, uint64_t most, uint64_t *out)
{
    return read_digits(&text, out) && *text == '\0' && *out <= most && in_range(row, (double)*out);
}

static int read_real(const opt_row *row, const char *text, double *out)
{
    if (text[0] == '\0' || strspn(text, "0123456789.eE+-") != strlen(text))
        return 0;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out) && in_range(row, *out);
}

static int read_size(const opt_row *row, const char *text, opt_size *out)
{
    uint64_t h, w;
    if (!read_digits(&text, &h) || *text != 'x')
        return 0;
    text++;
    if (!read_digits(&text, &w) || *text != '\0' || h > UINT32_MAX || w > UINT32_MAX)
        return 0;
    if (!in_range(row, (double)h) || !in_range(row, (double)w))
        return 0;
    *out = (opt_size){(uint32_t)h, (uint32_t)w};
    return 1;
}

static int read_bytes(const opt_row *row, const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    unsigned shift = 0;
    if (!read_digits(&text, out))
        return 0;
    const char *unit = *text ? strchr(units, *text) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        text++;
    }
    if (*text != '\0' || *out > UINT64_MAX >> shift)
        return 0;
    *out <<= shift;
    return in_range(row, (double)*out);
}

static int is_choice(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (const char *p = choices; p && n; p = strchr(p, '|')) {
        p += *p == '|';
        if (strncmp(p, text, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return !strchr(text, '|');
    }
    return 0;
}

static int add_item(opt_list *list, const char *text)
{
    const char **more = realloc(list->item, (list->count + 1) * sizeof *more);
    if (!more)
        return 0;
    list->item = more;
    list->item[list->count++] = text;
    return 1;
}

/* Store a value; 0 when the text is none of the kind or out of range. */
static int store(const opt_row *row, const char *text)
{
    uint64_t u = 0;
    double v = 0;
    switch (row->kind) {
    case OPT_STRING:
    case OPT_CHOICE:
        if (!*text || (row->kind == OPT_CHOICE && !is_choice(row->choices, text)))
            return 0;
        *(const char **)row->to = text;
        return 1;
    case OPT_LIST:
        return *text && add_item(row->to, text);
    case OPT_UINT:
        if (!read_uint(row, text, UINT32_MAX, &u))
            return 0;
        *(uint32_t *)row->to = (uint32_t)u;
        return 1;
    case OPT_UINT64:
        if (!read_uint(row, text, UINT64_MAX, &u))
            return 0;
        *(uint64_t *)row->to = u;
        return 1;
    case OPT_FLOAT:
        /* The value must still be in the range, and finite, as a float. */
        if (!read_real(row, text, &v) || fabs(v) > (double)FLT_MAX || !in_range(row, (double)(float)v))
            return 0;
        *(float *)row->to = (float)v;
        return 1;
    case OPT_REAL:
        if (!read_real(row, text, &v))
            return 0;
        *(double *)row->to = v;
        return 1;
    case OPT_SIZE:
        return read_size(row, text, row->to);
    case OPT_BYTES:
        if (!read_bytes(row, text, &u))
            return 0;
        *(uint64_t *)row->to = u;
        return 1;
    case OPT_HEADING:
    case OPT_FLAG:
    case OPT_SWITCH:
        break;
    }
    return 0;
}

static opt_result set(const reader *r, const opt_row *row, const char *spelled, const char *text)
{
    char range[256];
    if (store(row, text))
        return OPT_RUN;
    opts_range(row, range, sizeof range);
    const char *what = strncmp(range, "above", 5) == 0 ? "a number " : "";
    return wrong(r, "%s: expected %s%s, got '%s'", spelled, what, *range ? range : row->arg, text);
}

/* ---- Names ---- */
static int takes_value(const opt_row *row)
{
    return row->kind != OPT_FLAG && row->kind != OPT_SWITCH;
}

static const opt_row *find_long(const opt_command *c, const char *name, size_t n)
{
    for (size_t i = 0; i < c->count; i++) {
        const opt_row *row = &c->rows[i];
        if (row->kind != OPT_HEADING && strlen(row->name) == n && strncmp(row->name, name, n) == 0)
            return row;
    }
    return NULL;
}

static const opt_row *find_letter(const opt_command *c, char letter)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->rows[i].kind != OPT_HEADING && c->rows[i].letter == letter)
            return &c->rows[i];
    return NULL;
}

static opt_result unknown(const reader *r, const char *name, int n)
{
    nearest best = nearest_to(name, (size_t)n);
    for (size_t i = 0; i < r->c->count; i++)
        if (r->c->rows[i].kind != OPT_HEADING)
            nearest_try(&best, r->c->rows[i].name);
    nearest_try(&best, "help");
    nearest_try(&best, "version");
    if (best.name)
        return wrong(r, "unknown option '--%.*s', did you mean '--%s'?", n, name, best.name);
    return wrong(r, "unknown option '--%.*s'", n, name);
}

/* argv[*i] is --name, --name=value or --no-name. */
static opt_result read_long(const reader *r, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    const int n = equals ? (int)(equals - name) : (int)strlen(name);
    char spelled[64];
    snprintf(spelled, sizeof spelled, "--%.*s", n, name);
    const opt_row *row = find_long(r->c, name, (size_t)n);
    if (!row && n > 3 && strncmp(name, "no-", 3) == 0) {
        row = find_long(r->c, name + 3, (size_t)n - 3);
        if (!row || row->kind != OPT_SWITCH)
            return unknown(r, name, n);
        if (equals)
            return wrong(r, "%s takes no value", spelled);
        *(uint32_t *)row->to = 0;
        return OPT_RUN;
    }
    if (!row)
        return unknown(r, name, n);
    if (!takes_value(row)) {
        if (equals)
            return wrong(r, "%s takes no value", spelled);
        *(uint32_t *)row->to = 1;
        return OPT_RUN;
    }
    if (equals)
        return set(r, row, spelled, equals + 1);
    if (*i + 1 >= argc)
        return wrong(r, "%s needs a value: %s", spelled, row->arg);
    return set(r, row, spelled, argv[++*i]);
}

/* argv[*i] is -x, -xVALUE or several flags -xyz. */
static opt_result read_short(const reader *r, int argc, char **argv, int *i)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        const char spelled[] = {'-', *p, '\0'};
        const opt_row *row = find_letter(r->c, *p);
        if (!row)
            return wrong(r, "unknown option '%s'", spelled);
        if (!takes_value(row)) {
            *(uint32_t *)row->to = 1;
            continue;
        }
        if (p[1])
            return set(r, row, spelled, p + 1);
        if (*i + 1 >= argc)
            return wrong(r, "%s needs a value: %s", spelled, row->arg);
        return set(r, row, spelled, argv[++*i]);
    }
    return OPT_RUN;
}

static opt_result read_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return OPT_HELP;
        if (strcmp(argv[i], "--version") == 0)
            return OPT_VERSION;
    }
    return OPT_RUN;
}

opt_result opts_read(const opt_command *c, int *argc, char **argv, char *message, size_t cap)
{
    const reader r = {c, message, cap};
    int args = 0, only_args = 0;
    opt_result result = read_help(*argc, argv);
    for (int i = 1; i < *argc && result == OPT_RUN; i++) {
        char *a = argv[i];
        if (only_args || a[0] != '-' || a[1] == '\0')
            argv[1 + args++] = a;
        else if (strcmp(a, "--") == 0)
            only_args = 1;
        else
            result = a[1] == '-' ? read_long(&r, *argc, argv, &i) : read_short(&r, *argc, argv, &i);
    }
    if (result != OPT_RUN)
        return result;
    *argc = args + 1;
    if (args < c->min_args)
        return wrong(&r, args ? "too few arguments, expected: %s" : "nothing to do, expected: %s", c->usage);
    if (c->max_args >= 0 && args > c->max_args)
        return wrong(&r, "unexpected argument '%s'", argv[1 + c->max_args]);
    return OPT_RUN;
}
