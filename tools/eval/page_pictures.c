/* The worst mistakes and the least certain answers, with their pictures. */
#include <stdlib.h>

#include "common/heat.h"
#include "common/html.h"
#include "common/start.h"
#include "eval/page.h"

enum { MOST_PICTURES = 12, WIDEST = 256, SCALE_W = 160, SCALE_H = 10 };

/* A picture's file in memory. */
typedef struct picture_file {
    unsigned char *data;
    size_t n;
    char name[1024]; /* in its dataset, or the beginning of that */
} picture_file;

/* The picture as a person would see it, at most WIDEST pixels wide or high. */
static ecg_status load(ecg_pixels **out, const ecg_preprocess *as, const picture_file *p, ecg_error *err)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = as->color;
    o.profile = as->profile;
    const ecg_status s = ecg_pixels_decode(out, p->data, p->n, p->name, &o, err);
    if (s != ECG_OK)
        return s;
    const ecg_image v = ecg_pixels_view(*out);
    const uint32_t longest = v.w > v.h ? v.w : v.h;
    if (longest <= WIDEST)
        return ECG_OK;
    ecg_pixels *full = *out;
    const uint32_t w = (uint32_t)((uint64_t)v.w * WIDEST / longest);
    const uint32_t h = (uint32_t)((uint64_t)v.h * WIDEST / longest);
    const ecg_status resized = ecg_pixels_resize(out, &v, h ? h : 1, w ? w : 1, ECG_FILTER_BILINEAR, err);
    ecg_pixels_free(full);
    return resized;
}

/* Is the paper dark? */
static int is_dark(const ecg_image *v)
{
    uint64_t sum = 0;
    for (uint32_t r = 0; r < v->h; r++)
        for (size_t k = 0; k < (size_t)v->w * v->c; k++)
            sum += v->px[r * v->stride + k];
    return sum < 128 * (uint64_t)v->h * v->w * v->c;
}

/* Picture v of the file with Grad-CAM's heat of the answer over it. Another status than ECG_OK: nothing is
 * written, as for a network that has no convolution. */
static ecg_status put_heat(const eval_page *e, const picture_file *p, const ecg_image *v, const char *alt,
                           FILE *f)
{
    ecg_pixels *prepared = NULL;
    ecg_heat *heat = NULL;
    uint8_t *px = malloc(3 * (size_t)v->w * v->h);
    ecg_status s = px ? ecg_preprocess_decode(&prepared, ecg_model_preprocess(e->model), p->data, p->n,
                                              p->name, NULL)
                      : ECG_ENOMEM;
    if (s == ECG_OK) {
        const ecg_image in = ecg_pixels_view(prepared);
        s = ecg_heat_new(&heat, e->model, &in, NULL, NULL);
    }
    if (s == ECG_OK) {
        const ecg_image out = {px, v->w, v->h, 3, 3 * (size_t)v->w};
        heat_over(px, out.stride, v, heat, is_dark(v));
        s = html_image(f, &out, alt, NULL);
    }
    ecg_heat_free(heat);
    ecg_pixels_free(prepared);
    free(px);
    return s;
}

static void put_picture(const eval_page *e, size_t i, const char *alt, FILE *f)
{
    ecg_pixels *px = NULL;
    ecg_error err = {0};
    picture_file p;
    ecg_dataset_name(e->p->data, i, p.name, sizeof p.name);
    ecg_status s = ecg_dataset_file(e->p->data, i, &p.data, &p.n, &err);
    if (s == ECG_OK)
        s = load(&px, ecg_model_preprocess(e->model), &p, &err);
    if (s == ECG_OK) {
        const ecg_image v = ecg_pixels_view(px);
        if (put_heat(e, &p, &v, alt, f) != ECG_OK && html_image(f, &v, alt, &err) != ECG_OK)
            html_note(f, "dim", err.message);
    } else {
        html_note(f, "dim", err.message);
    }
    ecg_pixels_free(px);
    ecg_dataset_file_free(p.data);
}

/* The scale of the heat. */
static void put_scale(FILE *f)
{
    uint8_t px[SCALE_H][SCALE_W][3];
    const ecg_image v = {&px[0][0][0], SCALE_W, SCALE_H, 3, sizeof px[0]};
    for (int x = 0; x < SCALE_W; x++) {
        double rgb[3];
        heat_color(x / (SCALE_W - 1.0), rgb);
        for (int y = 0; y < SCALE_H; y++)
            for (int k = 0; k < 3; k++)
                px[y][x][k] = (uint8_t)(rgb[k] + 0.5);
    }
    fputs("<p class=\"dim scale\">Colour: what speaks for the answer (Grad-CAM), nothing ", f);
    html_image(f, &v, "from white over yellow and red to purple", NULL);
    fputs(" most. A network without convolutions has none.</p>\n", f);
}

static void put_card(const eval_page *e, uint64_t i, FILE *f)
{
    const ecg_metrics_case c = ecg_metrics_at(e->r->metrics, i);
    const char *truth = e->r->names[c.truth], *answer = e->r->names[c.predicted];
    char alt[512];
    snprintf(alt, sizeof alt, "A picture of %.200s, answered %.200s", truth, answer);
    fputs("<div class=\"card\">", f);
    put_picture(e, e->answered[i], alt, f);
    fputs("<p><b>", f);
    html_name(f, answer);
    fputs("</b> ", f);
    html_number(f, (double)c.probs[c.predicted], 3);
    if (e->answer[i] != ECG_ANSWER_OK) {
        fputs(" <span class=\"dim\">", f);
        html_text(f, ecg_answer_name((ecg_answer)e->answer[i]));
        fputs("</span>", f);
    }
    fputs("</p>\n<p>", f);
    if (c.truth == c.predicted) {
        fputs("right", f);
    } else {
        fputs("truth: ", f);
        html_name(f, truth);
        fputc(' ', f);
        html_number(f, (double)c.probs[c.truth], 3);
    }
    fputs("</p>\n<p class=\"dim\">", f);
    char name[1024];
    ecg_dataset_name(e->p->data, e->answered[i], name, sizeof name);
    html_name(f, name);
    fputs("</p></div>\n", f);
}

/* Up to MOST_PICTURES of the pictures that `wanted` likes best: the smallest, the first of equals. */
typedef double rank_fn(const ecg_metrics_case *c, int *in);

static double by_certainty(const ecg_metrics_case *c, int *in)
{
    *in = 1;
    return (double)c->probs[c->predicted];
}

static double by_mistake(const ecg_metrics_case *c, int *in)
{
    *in = c->truth != c->predicted;
    return -(double)c->probs[c->predicted];
}

static size_t choose(const ecg_metrics *m, rank_fn *rank, uint64_t *at)
{
    double value[MOST_PICTURES];
    size_t n = 0;
    for (uint64_t i = 0; i < ecg_metrics_count(m); i++) {
        const ecg_metrics_case c = ecg_metrics_at(m, i);
        int in;
        const double v = rank(&c, &in);
        if (!in || (n == MOST_PICTURES && v >= value[n - 1]))
            continue;
        size_t k = n < MOST_PICTURES ? n++ : n - 1;
        for (; k > 0 && v < value[k - 1]; k--) {
            value[k] = value[k - 1];
            at[k] = at[k - 1];
        }
        value[k] = v;
        at[k] = i;
    }
    return n;
}

static void put_group(const eval_page *e, const char *heading, rank_fn *rank, const char *none, FILE *f)
{
    uint64_t at[MOST_PICTURES];
    const size_t n = choose(e->r->metrics, rank, at);
    fputs("<h3>", f);
    html_text(f, heading);
    fputs("</h3>\n", f);
    if (!n)
        html_note(f, NULL, none);
    else
        fputs("<div class=\"cards\">\n", f);
    for (size_t i = 0; i < n; i++)
        put_card(e, at[i], f);
    if (n)
        fputs("</div>\n", f);
}

int page_pictures(const eval_page *e, FILE *f)
{
    html_section(f, "pictures", "Pictures");
    put_scale(f);
    put_group(e, "Worst mistakes: wrong, and most certain of it", by_mistake, "There is no mistake.", f);
    put_group(e, "Least certain answers", by_certainty, "There is no picture.", f);
    html_section_end(f);
    return tool_interrupted() ? tool_fail("interrupted while writing the report") : EXIT_DONE;
}
