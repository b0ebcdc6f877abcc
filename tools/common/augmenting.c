#include "common/augmenting.h"

#include <stdlib.h>
#include <string.h>

#include "common/judge.h"
#include "common/opts.h"
#include "common/start.h"

enum { DRAWS = 8, PER_CLASS = 2, MOST_CLASSES = 32, GAP = 4, LEAST_SIDE = 96, PAPER = 160 };

void augmenting_help(FILE *f)
{
    fputs("--augment TEXT: a preset and overrides, or overrides alone, separated by commas, as in\n"
          "  --augment ecg,time_shift=0.08,zoom_range=0.9:1.1,rotation_range=3@0.5\n"
          "R is -R..R (factors: 1-R..1+R; sizes: 0..R), A:B a range, A/B/C a list; @P at the end is how\n"
          "often it is used, from 0 to 1.\n\n",
          f);
    const ecg_augment_param *p;
    for (size_t i = 0; (p = ecg_augment_help(i)) != NULL; i++) {
        const int range = p->range && p->range[0], fallback = p->fallback && p->fallback[0];
        fprintf(f, "  %s\n      ", p->name);
        opts_wrap(f, p->text, 6, 6);
        if (range || fallback)
            fprintf(f, "      (%s%s%s%s)\n", range ? p->range : "", range && fallback ? "; " : "",
                    fallback ? "default " : "", fallback ? p->fallback : "");
    }
}

char *augmenting_text(const ecg_augment_options *o)
{
    const size_t n = ecg_augment_print(o, NULL, 0) + 1;
    char *text = malloc(n);
    if (text)
        ecg_augment_print(o, text, n);
    return text;
}

void augmenting_notes(const ecg_augment_options *o)
{
    if (o->horizontal_flip)
        fputs("note: horizontal_flip reverses time: the T wave comes before the QRS complex\n", stderr);
    if (o->vertical_flip)
        fputs("note: vertical_flip reverses polarity, as exchanged electrodes would\n", stderr);
}

/* ---- Preview ---- */
typedef struct sheet {
    uint8_t *px;
    uint32_t w, h, c, scale;
} sheet;

/* One picture of floats 0..255 (or 8-bit) into cell (row, column), each pixel as a square. */
static void place(sheet *s, const ecg_preprocess *p, size_t row, size_t column, const float *x)
{
    const size_t top = GAP + row * ((size_t)p->h * s->scale + GAP);
    const size_t left = GAP + column * ((size_t)p->w * s->scale + GAP) + (column ? GAP : 0);
    for (size_t y = 0; y < (size_t)p->h * s->scale; y++)
        for (size_t k = 0; k < (size_t)p->w * s->scale; k++)
            for (uint32_t c = 0; c < s->c; c++) {
                const float v = x[((y / s->scale) * p->w + k / s->scale) * s->c + c];
                s->px[((top + y) * s->w + left + k) * s->c + c] = (uint8_t)(v <= 0.0f     ? 0.0f
                                                                            : v >= 255.0f ? 255.0f
                                                                                          : v + 0.5f);
            }
}

static int new_sheet(sheet *s, const ecg_preprocess *p, size_t rows)
{
    const uint32_t side = p->w < p->h ? p->w : p->h;
    s->scale = side < LEAST_SIDE ? (LEAST_SIDE + side - 1) / side : 1;
    s->c = (uint32_t)p->color;
    s->w = GAP + (DRAWS + 1) * (p->w * s->scale + GAP) + GAP;
    s->h = GAP + (uint32_t)rows * (p->h * s->scale + GAP);
    const size_t n = (size_t)s->w * s->h * s->c;
    s->px = malloc(n);
    if (!s->px)
        return tool_fail("out of memory for a sheet of %ux%u pixels", s->w, s->h);
    memset(s->px, PAPER, n);
    return EXIT_DONE;
}

/* Training pictures to show, class by class, spread over each class. */
static size_t choose(const parts *p, uint32_t *index)
{
    size_t n = 0;
    for (uint32_t c = 0; c < p->class_count && c < MOST_CLASSES; c++) {
        const size_t all = part_class_count(&p->train, c), want = all < PER_CLASS ? all : PER_CLASS;
        for (size_t i = 0, seen = 0, got = 0; i < p->train.count && got < want; i++) {
            if (ecg_dataset_label(p->train.data, p->train.index[i]) != c)
                continue;
            if (seen++ == got * all / want) {
                index[n++] = p->train.index[i];
                got++;
            }
        }
    }
    return n;
}

static int fill_row(sheet *s, const preview *v, const ecg_loader *l, size_t row, uint8_t *px, float *x,
                    void *scratch)
{
    const ecg_preprocess *p = v->prep;
    const uint32_t c = (uint32_t)p->color;
    const ecg_image picture = {px, p->w, p->h, c, (size_t)p->w * c};
    ecg_error err = {0};
    const ecg_status st = ecg_loader_read(l, row, px, &err);
    if (st != ECG_OK)
        return tool_error(st, &err);
    for (size_t i = 0; i < (size_t)p->h * p->w * c; i++)
        x[i] = (float)px[i];
    place(s, p, row, 0, x);
    for (uint32_t draw = 1; draw <= DRAWS; draw++) {
        ecg_augmentation a;
        ecg_augment_draw(&a, v->augment, p->h, p->w, v->seed, draw, row);
        ecg_augment_apply(&a, v->augment, &picture, x, scratch);
        place(s, p, row, draw, x);
    }
    printf("row %zu: %s\n", row + 1, ecg_loader_sample(l, row)->name);
    return EXIT_DONE;
}

static int fill_sheet(const preview *v, const ecg_loader *l)
{
    const ecg_preprocess *p = v->prep;
    const size_t n = (size_t)p->h * p->w * (size_t)p->color, rows = ecg_loader_count(l);
    uint8_t *px = malloc(n);
    float *x = malloc(n * sizeof *x);
    void *scratch = malloc(ecg_augment_scratch(v->augment, p->h, p->w, (uint32_t)p->color));
    sheet s = {NULL, 0, 0, 0, 0};
    int code = px && x && scratch ? new_sheet(&s, p, rows) : tool_fail("out of memory");
    for (size_t row = 0; row < rows && code == EXIT_DONE; row++)
        code = fill_row(&s, v, l, row, px, x, scratch);
    if (code == EXIT_DONE) {
        const ecg_image sheet_image = {s.px, s.w, s.h, s.c, (size_t)s.w * s.c};
        ecg_error err = {0};
        const ecg_status st = ecg_image_save_png(&sheet_image, v->path, &err);
        if (st != ECG_OK)
            code = tool_error(st, &err);
        else
            printf("%s: %zu pictures, each with %d draws to its right; nothing was trained\n", v->path, rows,
                   DRAWS);
    }
    free(px);
    free(x);
    free(scratch);
    free(s.px);
    return code;
}

int augmenting_preview(const preview *v)
{
    uint32_t index[MOST_CLASSES * PER_CLASS];
    ecg_loader *l = NULL;
    const size_t n = choose(v->parts, index);
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = v->threads;
    o.skip_bad = v->skip_bad;
    int code = judge_load(&l, v->parts->train.data, index, n, v->prep, &o, v->quiet, "pictures to show");
    if (code == EXIT_DONE)
        code = fill_sheet(v, l);
    ecg_loader_free(l);
    return code;
}
