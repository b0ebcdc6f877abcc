#include "golden/golden_image_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int split(char *line, char **cell)
{
    int n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at && n < GOLDEN_COLUMNS; n++) {
        cell[n] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = '\0';
    }
    return n;
}

static bool read_line(golden_table *t, char *line)
{
    if (!fgets(line, GOLDEN_LINE, t->file))
        return false;
    if (strlen(line) == GOLDEN_LINE - 1) {
        t->broken = true;
        return false;
    }
    return true;
}

bool golden_table_open(golden_table *t, const char *dir, const char *name)
{
    char path[GOLDEN_PATH];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    t->dir = dir;
    t->broken = false;
    t->file = fopen(path, "r");
    if (!t->file)
        return false;
    t->columns = read_line(t, t->header) ? split(t->header, t->name) : 0;
    return true;
}

bool golden_table_next(golden_table *t)
{
    do
        if (!read_line(t, t->line))
            return false;
    while (t->line[0] == '\n' || t->line[0] == '#');
    for (int i = 0; i < GOLDEN_COLUMNS; i++)
        t->cell[i] = NULL;
    split(t->line, t->cell);
    return true;
}

void golden_table_close(golden_table *t)
{
    fclose(t->file);
}

golden_tally golden_table_run(const char *dir, const char *name, golden_run *run)
{
    static golden_table t;
    golden_tally n = {0, 0};
    if (!golden_table_open(&t, dir, name))
        return n;
    while (golden_table_next(&t)) {
        bool counted = true;
        const bool ok = run(&t, &counted);
        n.run += counted;
        n.passed += counted && ok;
    }
    if (t.broken || ferror(t.file)) {
        printf("FAILED %s: a line that cannot be read\n", name);
        n.run++;
    }
    golden_table_close(&t);
    return n;
}

const char *golden_cell(const golden_table *t, const char *name)
{
    for (int i = 0; i < t->columns; i++)
        if (strcmp(t->name[i], name) == 0)
            return t->cell[i] ? t->cell[i] : "";
    return "";
}

bool golden_has(const golden_table *t, const char *name)
{
    const char *c = golden_cell(t, name);
    return c[0] != '\0' && strcmp(c, "-") != 0;
}

bool golden_failed(const golden_table *t, const char *why)
{
    printf("FAILED %s: %s\n", golden_cell(t, "id"), why);
    return false;
}

bool golden_number(const golden_table *t, const char *name, double *out)
{
    const char *text = golden_cell(t, name);
    char *end;
    *out = strtod(text, &end);
    if (end != text && *end == '\0')
        return true;
    printf("FAILED %s: %s is \"%s\", expected a number\n", golden_cell(t, "id"), name, text);
    return false;
}

bool golden_uint(const golden_table *t, const char *name, uint32_t *out)
{
    unsigned v;
    char rest;
    if (sscanf(golden_cell(t, name), "%u%c", &v, &rest) != 1) {
        printf("FAILED %s: %s is \"%s\", expected a count\n", golden_cell(t, "id"), name,
               golden_cell(t, name));
        return false;
    }
    *out = v;
    return true;
}

bool golden_shape_parse(golden_shape *s, const char *text)
{
    s->rank = 0;
    s->count = 1;
    for (;;) {
        char *end;
        const unsigned long v = strtoul(text, &end, 10);
        if (end == text || v < 1 || v > 1000000 || s->rank == GOLDEN_RANK || s->count > SIZE_MAX / 4 / v)
            return false;
        s->dim[s->rank++] = (uint32_t)v;
        s->count *= v;
        if (*end == '\0')
            return true;
        if (*end != 'x')
            return false;
        text = end + 1;
    }
}

bool golden_picture_shape(golden_shape *s, const char *text)
{
    return golden_shape_parse(s, text) && s->rank == 3 && s->dim[0] <= 4096 && s->dim[1] <= 4096 &&
           s->dim[2] <= 4;
}

float *golden_floats(const golden_table *t, const char *file, size_t n)
{
    char path[GOLDEN_PATH];
    snprintf(path, sizeof path, "%s/%s", t->dir, file);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    float *x = malloc((n + 1) * sizeof *x);
    if (x && fread(x, sizeof *x, n + 1, f) != n) {
        free(x);
        x = NULL;
    }
    fclose(f);
    return x;
}

static bool same_shape(const golden_shape *a, const golden_shape *b)
{
    bool same = a->rank == b->rank;
    for (uint32_t i = 0; same && i < a->rank; i++)
        same = a->dim[i] == b->dim[i];
    return same;
}

bool golden_compare(const golden_table *t, const float *got, const golden_shape *shape)
{
    golden_shape expected;
    double tol;
    if (!golden_number(t, "tol_abs", &tol))
        return false;
    if (!(tol >= 0.0))
        return golden_failed(t, "tol_abs is no tolerance");
    if (!golden_shape_parse(&expected, golden_cell(t, "out_shape")))
        return golden_failed(t, "out_shape is no shape");
    if (!same_shape(&expected, shape)) {
        printf("FAILED %s: %zu values of %u dimensions, expected %s\n", golden_cell(t, "id"), shape->count,
               shape->rank, golden_cell(t, "out_shape"));
        return false;
    }
    float *want = golden_floats(t, golden_cell(t, "output"), shape->count);
    if (!want)
        return golden_failed(t, "cannot read the expected output");
    double worst = 0.0;
    size_t where = 0;
    for (size_t i = 0; i < shape->count; i++) {
        const double d = fabs((double)want[i] - (double)got[i]);
        if (!(d <= worst)) { /* also when it is not a number */
            worst = d, where = i;
            if (!(d <= tol))
                break;
        }
    }
    if (!(worst <= tol))
        printf("FAILED %s: %g off at value %zu of %s: %g, expected %g\n", golden_cell(t, "id"), worst, where,
               golden_cell(t, "out_shape"), (double)got[where], (double)want[where]);
    free(want);
    return worst <= tol;
}

bool golden_compare_pixels(const golden_table *t, const ecg_pixels *p)
{
    const ecg_image v = ecg_pixels_view(p);
    const golden_shape shape = {3, {v.h, v.w, v.c}, (size_t)v.h * v.w * v.c};
    float *x = malloc(shape.count * sizeof *x);
    if (!x)
        return golden_failed(t, "out of memory");
    for (size_t i = 0; i < shape.count; i++)
        x[i] = (float)v.px[i];
    const bool ok = golden_compare(t, x, &shape);
    free(x);
    return ok;
}
