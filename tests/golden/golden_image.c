/* golden_image DIR: run the reference cases of DIR/resize_cases.tsv and DIR/load_cases.tsv (one of them may
 * be missing) in the keras profile. Tables are tab-separated, with a line of column names; pixels are float32
 * files, [h][w][c]. A case of an optional format that is refused as such is not counted. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/image.h"

enum { MAX_LINE = 4096, MAX_COLUMNS = 32, MAX_PATH = 2048 };

struct table {
    const char *dir;
    FILE *file;
    char header[MAX_LINE], line[MAX_LINE];
    char *name[MAX_COLUMNS], *cell[MAX_COLUMNS];
    int columns;
};

struct tally {
    int passed, run;
};

static int split(char *line, char **cell)
{
    int n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at && n < MAX_COLUMNS; n++) {
        cell[n] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = '\0';
    }
    return n;
}

static bool next_row(struct table *t)
{
    do
        if (!fgets(t->line, sizeof t->line, t->file))
            return false;
    while (t->line[0] == '\n' || t->line[0] == '#');
    for (int i = 0; i < MAX_COLUMNS; i++)
        t->cell[i] = NULL;
    split(t->line, t->cell);
    return true;
}

/* The cell of this row in the column `name`; "" when there is none. */
static const char *cell(const struct table *t, const char *name)
{
    for (int i = 0; i < t->columns; i++)
        if (strcmp(t->name[i], name) == 0)
            return t->cell[i] ? t->cell[i] : "";
    return "";
}

static bool fail(const struct table *t, const char *why)
{
    printf("FAILED %s: %s\n", cell(t, "id"), why);
    return false;
}

static bool parse_shape(uint32_t shape[3], const char *text)
{
    unsigned h, w, c;
    char rest;
    if (sscanf(text, "%ux%ux%u%c", &h, &w, &c, &rest) != 3 || h < 1 || w < 1 || c < 1 || c > 4 || h > 4096 ||
        w > 4096)
        return false;
    shape[0] = h, shape[1] = w, shape[2] = c;
    return true;
}

/* The n numbers of a file of exactly that length; NULL otherwise. */
static float *read_floats(const struct table *t, const char *name, size_t n)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%s", t->dir, name);
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

static bool compare(const struct table *t, const ecg_pixels *p)
{
    const ecg_image v = ecg_pixels_view(p);
    uint32_t shape[3];
    char *end;
    const double tol = strtod(cell(t, "tol_abs"), &end);
    if (end == cell(t, "tol_abs") || !(tol >= 0.0))
        return fail(t, "tol_abs is no tolerance");
    if (!parse_shape(shape, cell(t, "out_shape")))
        return fail(t, "out_shape is no shape");
    if (v.h != shape[0] || v.w != shape[1] || v.c != shape[2]) {
        printf("FAILED %s: shape %ux%ux%u, expected %s\n", cell(t, "id"), v.h, v.w, v.c,
               cell(t, "out_shape"));
        return false;
    }
    const size_t n = (size_t)v.h * v.w * v.c;
    float *want = read_floats(t, cell(t, "output"), n);
    if (!want)
        return fail(t, "cannot read the expected output");
    double worst = 0.0;
    size_t where = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)want[i] - v.px[i]);
        if (!(d <= worst)) /* also when it is not a number */
            worst = d, where = i;
    }
    if (!(worst <= tol))
        printf("FAILED %s: %g off at row %zu, column %zu, channel %zu\n", cell(t, "id"), worst,
               where / v.c / v.w, where / v.c % v.w, where % v.c);
    free(want);
    return worst <= tol;
}

static bool target(const struct table *t, uint32_t *h, uint32_t *w, ecg_filter *filter)
{
    unsigned th, tw;
    char rest;
    if (sscanf(cell(t, "target_h"), "%u%c", &th, &rest) != 1 ||
        sscanf(cell(t, "target_w"), "%u%c", &tw, &rest) != 1)
        return fail(t, "target_h or target_w is no number");
    if (ecg_filter_parse(filter, cell(t, "interpolation")) != ECG_OK)
        return fail(t, "unknown interpolation");
    *h = th, *w = tw;
    return true;
}

static bool resize(const struct table *t, const ecg_image *in, uint32_t h, uint32_t w, ecg_filter filter)
{
    ecg_error err;
    ecg_pixels *p;
    if (ecg_pixels_resize(&p, in, h, w, filter, &err) != ECG_OK)
        return fail(t, err.message);
    const bool ok = compare(t, p);
    ecg_pixels_free(p);
    return ok;
}

static bool resize_case(const struct table *t)
{
    uint32_t in[3], h, w;
    ecg_filter filter;
    if (!target(t, &h, &w, &filter))
        return false;
    if (!parse_shape(in, cell(t, "in_shape")))
        return fail(t, "in_shape is no shape");
    const size_t n = (size_t)in[0] * in[1] * in[2];
    float *x = read_floats(t, cell(t, "input"), n);
    uint8_t *px = x ? malloc(n) : NULL;
    bool ok = px != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        ok = x[i] >= 0.0f && x[i] <= 255.0f;
        px[i] = ok ? (uint8_t)x[i] : 0;
    }
    const ecg_image view = {px, in[1], in[0], in[2], (size_t)in[1] * in[2]};
    ok = ok ? resize(t, &view, h, w, filter) : fail(t, "cannot read the input, or it is not 8-bit");
    free(px);
    free(x);
    return ok;
}

/* *counted: false for an optional format that is refused. */
static bool load_case(const struct table *t, bool *counted)
{
    *counted = true;
    uint32_t h, w;
    ecg_filter filter;
    if (!target(t, &h, &w, &filter))
        return false;
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.profile = ECG_PROFILE_KERAS;
    if (ecg_color_parse(&o.color, cell(t, "color_mode")) != ECG_OK)
        return fail(t, "unknown color_mode");
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%s", t->dir, cell(t, "file"));
    ecg_error err;
    ecg_pixels *p;
    const ecg_status s = ecg_pixels_load(&p, path, &o, &err);
    if (s == ECG_EFORMAT && strcmp(cell(t, "optional_format"), "1") == 0) {
        *counted = false;
        return false;
    }
    if (s != ECG_OK)
        return fail(t, err.message);
    const ecg_image view = ecg_pixels_view(p);
    const bool ok = h == 0 && w == 0 ? compare(t, p) : resize(t, &view, h, w, filter);
    ecg_pixels_free(p);
    return ok;
}

static bool open_table(struct table *t, const char *dir, const char *name)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    t->dir = dir;
    t->file = fopen(path, "r");
    if (!t->file)
        return false;
    t->columns = fgets(t->header, sizeof t->header, t->file) ? split(t->header, t->name) : 0;
    return true;
}

static struct tally run_table(const char *dir, const char *name, bool loads)
{
    struct tally n = {0, 0};
    struct table t;
    if (!open_table(&t, dir, name))
        return n;
    while (next_row(&t)) {
        bool counted = true;
        const bool ok = loads ? load_case(&t, &counted) : resize_case(&t);
        n.run += counted;
        n.passed += counted && ok;
    }
    fclose(t.file);
    return n;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: golden_image DIR\n");
        return 2;
    }
    const struct tally a = run_table(argv[1], "resize_cases.tsv", false);
    const struct tally b = run_table(argv[1], "load_cases.tsv", true);
    const int passed = a.passed + b.passed, run = a.run + b.run;
    printf("passed %d of %d\n", passed, run);
    return run > 0 && passed == run ? EXIT_SUCCESS : EXIT_FAILURE;
}
