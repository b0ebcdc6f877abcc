/* The worst mistakes and the least certain answers, with their pictures. */
#include <stdlib.h>

#include "common/html.h"
#include "common/start.h"
#include "eval/page.h"

enum { MOST_PICTURES = 12, WIDEST = 320 };

/* The picture as a person would see it, at most WIDEST pixels wide or high. */
static ecg_status load(ecg_pixels **out, const ecg_preprocess *as, const char *path, ecg_error *err)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = as->color;
    o.profile = as->profile;
    const ecg_status s = ecg_pixels_load(out, path, &o, err);
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

static void put_picture(const eval_page *e, const ecg_sample *sample, const char *alt, FILE *f)
{
    ecg_pixels *px = NULL;
    ecg_error err = {0};
    if (load(&px, ecg_model_preprocess(e->model), sample->path, &err) == ECG_OK) {
        const ecg_image v = ecg_pixels_view(px);
        if (html_image(f, &v, alt, &err) != ECG_OK)
            html_note(f, "dim", err.message);
    } else {
        html_note(f, "dim", err.message);
    }
    ecg_pixels_free(px);
}

static void put_card(const eval_page *e, uint64_t i, FILE *f)
{
    const ecg_metrics_case c = ecg_metrics_at(e->r->metrics, i);
    const ecg_sample *sample = ecg_dataset_sample(e->p->data, e->answered[i]);
    const char *truth = e->r->names[c.truth], *answer = e->r->names[c.predicted];
    char alt[512];
    ecg_decision d;
    snprintf(alt, sizeof alt, "A picture of %.200s, answered %.200s", truth, answer);
    ecg_decide(e->model, c.probs, &d);
    fputs("<div class=\"card\">", f);
    put_picture(e, sample, alt, f);
    fputs("<p><b>", f);
    html_name(f, answer);
    fputs("</b> ", f);
    html_number(f, (double)c.probs[c.predicted], 3);
    if (d.answer != ECG_ANSWER_OK) {
        fputs(" <span class=\"dim\">", f);
        html_text(f, ecg_answer_name(d.answer));
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
    html_name(f, sample->name);
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
    put_group(e, "Worst mistakes: wrong, and most certain of it", by_mistake, "There is no mistake.", f);
    put_group(e, "Least certain answers", by_certainty, "There is no picture.", f);
    html_section_end(f);
    return tool_interrupted() ? tool_fail("interrupted while writing the report") : EXIT_DONE;
}
