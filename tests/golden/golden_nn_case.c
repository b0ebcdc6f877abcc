#include "golden/golden_nn_case.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool golden_fail(golden_case *c, const char *fmt, ...)
{
    if (!c->failed) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(c->why, sizeof c->why, fmt, args);
        va_end(args);
    }
    c->failed = true;
    return false;
}

/* The next piece of *text up to `end`, which is cut off; NULL after the last. */
static char *next_piece(char **text, char end)
{
    char *piece = *text;
    if (!piece)
        return NULL;
    char *stop = strchr(piece, end);
    if (stop)
        *stop++ = '\0';
    *text = stop;
    return piece;
}

static bool read_shape(golden_tensor *t, const char *text)
{
    t->count = 1;
    for (t->rank = 0; t->rank < GOLDEN_MAX_RANK; t->rank++) {
        char *end;
        const unsigned long long d = strtoull(text, &end, 10);
        if (end == text || d == 0 || d > 1u << 24 || t->count > (1u << 28) / d)
            return false;
        t->dims[t->rank] = (size_t)d;
        t->count *= (size_t)d;
        if (*end == '\0') {
            t->rank++;
            return true;
        }
        if (*end != 'x')
            return false;
        text = end + 1;
    }
    return false;
}

/* Little-endian floats, exactly as many as the shape says. */
static bool read_values(golden_tensor *t, const char *path)
{
    unsigned char *raw = malloc(t->count * 4 + 1);
    t->data = malloc(t->count * sizeof *t->data);
    FILE *f = fopen(path, "rb");
    const bool ok = raw && t->data && f && fread(raw, 1, t->count * 4 + 1, f) == t->count * 4;
    for (size_t i = 0; ok && i < t->count; i++) {
        const unsigned char *b = raw + 4 * i;
        const uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(&t->data[i], &bits, 4);
    }
    if (f)
        fclose(f);
    free(raw);
    return ok;
}

/* "x=conv0.x.f32:1x1x9x11" */
static bool read_tensor(golden_case *c, const char *dir, char *text)
{
    char *file = strchr(text, '='), *shape = file ? strchr(file, ':') : NULL, path[2048];
    if (!shape || c->tensors == GOLDEN_MAX_TENSORS || file - text >= 32)
        return golden_fail(c, "cannot read tensor \"%s\"", text);
    *file++ = '\0';
    *shape++ = '\0';
    golden_tensor *t = &c->tensor[c->tensors++];
    snprintf(t->key, sizeof t->key, "%s", text);
    snprintf(path, sizeof path, "%s/%s", dir, file);
    if (!read_shape(t, shape))
        return golden_fail(c, "%s has the shape \"%s\"", text, shape);
    return read_values(t, path) || golden_fail(c, "%s is not a file of %zu floats", path, t->count);
}

void golden_open(golden_case *c, const char *dir, char *line)
{
    memset(c, 0, sizeof *c);
    const char *name = next_piece(&line, '\t'), *kind = next_piece(&line, '\t'),
               *params = next_piece(&line, '\t');
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->kind, sizeof c->kind, "%s", kind ? kind : "");
    snprintf(c->params, sizeof c->params, "%s", params ? params : "");
    if (!line) {
        golden_fail(c, "the line has less than four columns");
        return;
    }
    for (char *t = next_piece(&line, ';'); t; t = next_piece(&line, ';'))
        if (!read_tensor(c, dir, t))
            return;
}

void golden_close(golden_case *c)
{
    for (uint32_t i = 0; i < c->tensors; i++)
        free(c->tensor[i].data);
}

/* Index of a tensor; c->tensors when there is none. */
static uint32_t find(const golden_case *c, const char *key)
{
    uint32_t i = 0;
    while (i < c->tensors && strcmp(c->tensor[i].key, key) != 0)
        i++;
    return i;
}

bool golden_has(const golden_case *c, const char *key)
{
    return find(c, key) < c->tensors;
}

/* New axis i is old axis axes[i]. */
static bool permute(golden_tensor *t, const uint32_t *axes)
{
    size_t stride[GOLDEN_MAX_RANK], dims[GOLDEN_MAX_RANK], at[GOLDEN_MAX_RANK] = {0}, step = 1;
    float *to = malloc(t->count * sizeof *to);
    if (!to)
        return false;
    for (uint32_t i = t->rank; i-- > 0; step *= t->dims[i])
        stride[i] = step;
    for (uint32_t i = 0; i < t->rank; i++)
        dims[i] = t->dims[axes[i]];
    for (size_t k = 0; k < t->count; k++) {
        size_t from = 0;
        for (uint32_t i = 0; i < t->rank; i++)
            from += at[i] * stride[axes[i]];
        to[k] = t->data[from];
        for (uint32_t i = t->rank; i-- > 0 && ++at[i] == dims[i];)
            at[i] = 0;
    }
    free(t->data);
    t->data = to;
    memcpy(t->dims, dims, sizeof dims);
    return true;
}

golden_tensor *golden_get(golden_case *c, const char *key, golden_layout layout)
{
    static const uint32_t picture4[] = {0, 2, 3, 1}, picture5[] = {0, 1, 3, 4, 2}, kernel4[] = {2, 3, 1, 0},
                          kernel2[] = {1, 0};
    if (!golden_has(c, key)) {
        golden_fail(c, "there is no tensor %s", key);
        return NULL;
    }
    golden_tensor *t = &c->tensor[find(c, key)];
    const uint32_t *axes = NULL;
    if (layout == GOLDEN_PICTURE)
        axes = t->rank == 4 ? picture4 : t->rank == 5 ? picture5 : NULL;
    if (layout == GOLDEN_KERNEL)
        axes = t->rank == 4 ? kernel4 : t->rank == 2 ? kernel2 : NULL;
    if (axes && !t->moved && !permute(t, axes)) {
        golden_fail(c, "out of memory");
        return NULL;
    }
    t->moved = true;
    return t;
}

bool golden_compare(golden_case *c, const char *key, const float *got, const float *want, size_t got_count,
                    size_t want_count)
{
    if (got_count != want_count)
        return golden_fail(c, "%s has %zu values, expected %zu", key, got_count, want_count);
    double top = 0, worst = 0;
    size_t where = 0;
    for (size_t i = 0; i < got_count; i++) {
        const double d = fabs((double)got[i] - (double)want[i]), b = fabs((double)want[i]);
        top = b > top ? b : top;
        if (!(d <= worst)) {
            worst = isnan(d) ? HUGE_VAL : d;
            where = i;
        }
    }
    const double limit = 1e-4 * top + 1e-6;
    if (worst <= limit)
        return true;
    return golden_fail(c, "%s[%zu] is %.9g, expected %.9g; off by %.3g, limit %.3g", key, where,
                       (double)got[where], (double)want[where], worst, limit);
}

bool golden_match(golden_case *c, const char *key, golden_layout layout, const float *got, size_t count)
{
    const golden_tensor *t = golden_get(c, key, layout);
    return t && golden_compare(c, key, got, t->data, count, t->count);
}

const char *golden_param(const golden_case *c, const char *key)
{
    static char text[1024];
    const size_t n = strlen(key);
    for (const char *p = c->params; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, key, n) == 0 && p[n] == '=') {
            snprintf(text, sizeof text, "%.*s", (int)strcspn(p + n + 1, ";"), p + n + 1);
            return text;
        }
    return NULL;
}

double golden_number(const golden_case *c, const char *key, double fallback)
{
    const char *text = golden_param(c, key);
    return text ? strtod(text, NULL) : fallback;
}

size_t golden_list(const char *text, double *out, size_t max)
{
    size_t n = 0;
    while (text && n < max) {
        char *end;
        const double v = strtod(text, &end);
        if (end == text)
            break;
        out[n++] = v;
        text = *end == ',' ? end + 1 : NULL;
    }
    return n;
}
