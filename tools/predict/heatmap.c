#include "predict/heatmap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/heat.h"
#include "common/start.h"
#include "ecgcnn/version.h"
#include "predict/font.h"

/* The page: a title of two lines, the picture with the scale to its right, the notice. */
enum { EDGE = 16, TITLE = 44, BAR = 18, BAR_GAP = 14, BAR_TEXT = 96, NOTE = 10, BLACK = 20 };

/* ---- Parts of the page ---- */

static void frame(canvas *c, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    for (uint32_t r = y - 1; r <= y + h; r++)
        for (uint32_t k = x - 1; k <= x + w; k++)
            if (r == y - 1 || r == y + h || k == x - 1 || k == x + w)
                memset(c->px + 3 * ((size_t)r * c->w + k), 150, 3);
}

static void draw_scale(canvas *c, uint32_t x, uint32_t h, double most)
{
    char text[32];
    for (uint32_t r = 0; r < h; r++) {
        double rgb[3];
        heat_color(1.0 - r / (h - 1.0), rgb);
        for (uint32_t k = 0; k < BAR; k++)
            for (uint32_t i = 0; i < 3; i++)
                c->px[3 * ((size_t)(TITLE + r) * c->w + x + k) + i] = (uint8_t)(rgb[i] + 0.5);
    }
    frame(c, x, TITLE, BAR, h);
    for (int i = 0; i <= 2; i++) {
        const uint32_t y = TITLE + (h - 1) * (uint32_t)i / 2;
        for (uint32_t k = 0; k < 5; k++)
            memset(c->px + 3 * ((size_t)y * c->w + x + BAR + 1 + k), 100, 3);
        snprintf(text, sizeof text, "%.3g", most * (2 - i) / 2);
        font_draw(c, x + BAR + 9, i == 0 ? y : i == 1 ? y - 7 : y - 13, 2, BLACK, text);
    }
}

/* As much as fits, in lines at spaces; returns the lines. c NULL: only counts. */
static uint32_t draw_wrapped(canvas *c, uint32_t width, uint32_t y, const char *text)
{
    const size_t most = (width - 2 * EDGE) / FONT_W;
    char line[512];
    uint32_t lines = 0;
    while (*text) {
        size_t n = strlen(text);
        if (n > most) {
            n = most;
            while (n > 0 && text[n] != ' ')
                n--;
            n = n ? n : most;
        }
        n = n < sizeof line ? n : sizeof line - 1;
        if (c) {
            memcpy(line, text, n);
            line[n] = '\0';
            font_draw(c, EDGE, y + lines * (FONT_H + 3), 1, 90, line);
        }
        lines++;
        text += n;
        while (*text == ' ')
            text++;
    }
    return lines;
}

/* Cut to the width with two dots. */
static void draw_title(canvas *c, uint32_t y, uint32_t scale, const char *text)
{
    const size_t most = (c->w - 2 * EDGE) / (FONT_W * scale);
    char line[512];
    snprintf(line, sizeof line, "%s", text);
    if (font_length(line) > most && most > 2 && most < sizeof line)
        memcpy(line + most - 2, "..", 3);
    font_draw(c, EDGE, y, scale, BLACK, line);
}

/* ---- The picture under the heat ---- */
static ecg_status open_picture(ecg_pixels **out, const heatmap_picture *p, ecg_error *err)
{
    ecg_pixels *full = NULL;
    ecg_image v = p->prepared;
    double aspect = exp2((double)p->look->of[ECG_LOOK_ASPECT]);
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = ECG_COLOR_RGB;
    if (p->file) {
        const ecg_status s = ecg_pixels_load(&full, p->file, &o, err);
        if (s != ECG_OK)
            return s;
        v = ecg_pixels_view(full);
        aspect = (double)v.w / (double)v.h;
    }
    const ecg_status s = heat_resize(out, &v, aspect, err);
    ecg_pixels_free(full);
    return s;
}

static int compose(canvas *c, const ecg_model *m, const heatmap_picture *p, const ecg_heat *h,
                   const ecg_image *v)
{
    char title[512], how[160];
    c->w = 2 * EDGE + v->w + BAR_GAP + BAR + BAR_TEXT;
    const uint32_t lines = draw_wrapped(NULL, c->w, 0, ECG_NOTICE);
    c->h = TITLE + v->h + NOTE + lines * (FONT_H + 3) + EDGE / 2;
    c->px = malloc(3 * (size_t)c->w * c->h);
    if (!c->px)
        return tool_fail("out of memory");
    memset(c->px, 255, 3 * (size_t)c->w * c->h);
    snprintf(title, sizeof title, "%s  %.3f  %s", ecg_model_class(m, h->cls), (double)h->probability,
             ecg_answer_name(p->decision->answer));
    if (h->kind == ECG_HEAT_GRADCAM)
        snprintf(how, sizeof how, "Grad-CAM, layer %u (%s)", h->layer,
                 ecg_spec_layer(ecg_model_spec(m), h->layer - 1).name);
    else
        snprintf(how, sizeof how, "Occlusion: how far the probability falls");
    if (!(h->most > 0.0f))
        snprintf(how + strlen(how), sizeof how - strlen(how), ": nothing here speaks for the class");
    draw_title(c, 8, 2, title);
    draw_title(c, 29, 1, how);
    heat_over(c->px + 3 * ((size_t)TITLE * c->w + EDGE), 3 * (size_t)c->w, v, h,
              p->look->of[ECG_LOOK_BACKGROUND] < 0.5f);
    frame(c, EDGE, TITLE, v->w, v->h);
    draw_scale(c, EDGE + v->w + BAR_GAP, v->h, (double)h->most);
    draw_wrapped(c, c->w, TITLE + v->h + NOTE, ECG_NOTICE);
    return EXIT_DONE;
}

char *heatmap_name(const char *path, size_t number)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t n = strlen(path),
                 stem = dot && (!slash || dot > slash + 1) && dot > path ? (size_t)(dot - path) : n;
    char *name = malloc(n + 32);
    if (!name)
        return NULL;
    if (number)
        snprintf(name, n + 32, "%.*s-%zu%s", (int)stem, path, number, path + stem);
    else
        memcpy(name, path, n + 1);
    return name;
}

int heatmap_write(ecg_model *m, const heatmap_settings *s, const heatmap_picture *p)
{
    ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
    ecg_heat *heat = NULL;
    ecg_pixels *shown = NULL;
    ecg_error err = {0};
    canvas c = {NULL, 0, 0};
    o.layer = s->layer;
    o.threads = s->threads;
    if (ecg_heat_kind_parse(&o.kind, s->kind) != ECG_OK)
        return tool_fail("this library knows no heat '%s'", s->kind);
    ecg_status status = ecg_heat_new(&heat, m, &p->prepared, &o, &err);
    if (status == ECG_OK)
        status = open_picture(&shown, p, &err);
    int code = status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
    if (code == EXIT_DONE) {
        const ecg_image v = ecg_pixels_view(shown);
        code = compose(&c, m, p, heat, &v);
    }
    char *name = code == EXIT_DONE ? heatmap_name(s->path, p->number) : NULL;
    if (code == EXIT_DONE && !name)
        code = tool_fail("out of memory");
    if (code == EXIT_DONE) {
        const ecg_image page = {c.px, c.w, c.h, 3, 3 * (size_t)c.w};
        status = ecg_image_save_png(&page, name, &err);
        code = status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
    }
    free(name);
    free(c.px);
    ecg_pixels_free(shown);
    ecg_heat_free(heat);
    return code;
}
