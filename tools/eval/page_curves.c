/* Curves of the evaluation's page. */
#include <math.h>
#include <stdlib.h>

#include "common/html.h"
#include "common/html_plot.h"
#include "eval/page.h"

enum { MOST_CURVES = 24 };

/* The class at place k of those with curves: the first so many that have pictures and others. */
static uint32_t shown(const judge_report *r, uint32_t *cls)
{
    const uint64_t all = ecg_metrics_count(r->metrics);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->classes && n < MOST_CURVES; i++)
        if (r->cls[i].support > 0 && r->cls[i].support < all)
            cls[n++] = i;
    return n;
}

static void put_curve(const plot *p, const ecg_curve *c, int steps, uint32_t k)
{
    plot_point *at = malloc((2 * c->count + 1) * sizeof *at);
    size_t n = 0;
    for (size_t i = 0; at && i < c->count; i++) {
        if (steps && i)
            at[n++] = (plot_point){c->point[i - 1].x, c->point[i].y};
        at[n++] = (plot_point){c->point[i].x, c->point[i].y};
    }
    if (at)
        plot_line(p, at, n, k);
    free(at);
}

static void by_class(const eval_page *e, const plot *p, ecg_curve_kind kind)
{
    uint32_t cls[MOST_CURVES];
    const judge_report *r = e->r;
    const uint32_t n = shown(r, cls);
    plot_begin(p);
    if (kind == ECG_CURVE_ROC)
        plot_ref(p, 0, 0, 1, 1);
    for (uint32_t k = n; k-- > 0;) {
        ecg_curve c = {0};
        if (ecg_metrics_curve(r->metrics, kind, cls[k], &c) == ECG_OK)
            put_curve(p, &c, kind == ECG_CURVE_PR, k);
        ecg_curve_free(&c);
    }
    plot_drawn(p);
    plot_key(p->f);
    for (uint32_t k = 0; k < n; k++) {
        char value[32];
        const ecg_class_metrics *c = &r->cls[cls[k]];
        snprintf(value, sizeof value, "%.3f", kind == ECG_CURVE_ROC ? c->auc : c->pr_auc);
        plot_key_item(p->f, k, r->names[cls[k]], value);
    }
    plot_key_end(p->f);
    plot_end(p);
}

/* ---- Reliability ---- */
static void reliability(const eval_page *e, FILE *f)
{
    const plot p = {f,
                    "Reliability",
                    "confidence: probability of the answer",
                    "share of answers that are right",
                    0,
                    1,
                    0,
                    1,
                    0};
    ecg_reliability_bin bin[ECG_ECE_BINS];
    ecg_metrics_reliability(e->r->metrics, ECG_ECE_BINS, bin);
    plot_begin(&p);
    for (int i = 0; i < ECG_ECE_BINS; i++)
        if (bin[i].count)
            plot_bar(&p, (double)i / ECG_ECE_BINS, (double)(i + 1) / ECG_ECE_BINS, bin[i].accuracy, 5);
    plot_ref(&p, 0, 0, 1, 1);
    for (int i = 0; i < ECG_ECE_BINS; i++) {
        char text[128];
        snprintf(text, sizeof text, "%llu pictures, confidence %.3f, %.3f right",
                 (unsigned long long)bin[i].count, bin[i].confidence, bin[i].accuracy);
        if (bin[i].count)
            plot_dot(&p, bin[i].confidence, bin[i].accuracy, 1, text);
    }
    plot_drawn(&p);
    fputs("<figcaption>", f);
    html_printf(
        f,
        "Bars: how often answers of a bin are right; dots: at their mean confidence. On the dashed line "
        "probabilities can be taken as they stand. ECE %.4f in %d bins.",
        e->r->all.ece, ECG_ECE_BINS);
    fputs("</figcaption>\n", f);
    plot_end(&p);
}

/* ---- Risk and coverage ---- */
static void risk(const eval_page *e, FILE *f)
{
    ecg_curve c = {0};
    const float threshold = ecg_model_rule(e->model)->threshold;
    const ecg_curve_point *chosen = NULL;
    double low = 0, most = 0.01;
    if (ecg_metrics_curve(e->r->metrics, ECG_CURVE_RISK, 0, &c) != ECG_OK)
        return;
    for (size_t i = 0; i < c.count; i++) {
        if (isfinite(c.point[i].y))
            most = fmax(most, c.point[i].y);
        if (threshold > 0 && c.point[i].threshold >= (double)threshold)
            chosen = &c.point[i];
    }
    plot_ticks(&low, &most, 6, 0);
    const plot p = {f,
                    "Risk and coverage",
                    "coverage: share of pictures answered",
                    "risk: share of answers that are wrong",
                    0,
                    1,
                    0,
                    most,
                    0};
    plot_begin(&p);
    put_curve(&p, &c, 0, 0);
    if (chosen && isfinite(chosen->y))
        plot_dot(&p, chosen->x, chosen->y, 1, "the model's threshold");
    plot_drawn(&p);
    fputs("<figcaption>The least certain answers are left out first.", f);
    if (chosen && isfinite(chosen->y))
        html_printf(
            f, " Dot: the model's threshold %.4g answers %.1f %% of the pictures, %.2f %% of them wrong.",
            (double)threshold, 100 * chosen->x, 100 * chosen->y);
    fputs("</figcaption>\n", f);
    plot_end(&p);
    ecg_curve_free(&c);
}

void page_curves(const eval_page *e, FILE *f)
{
    uint32_t cls[MOST_CURVES], with = 0;
    const judge_report *r = e->r;
    const uint32_t n = shown(r, cls);
    const plot roc = {f, "ROC: each class against all others", "1 - specificity", "sensitivity", 0, 1, 0, 1,
                      0};
    const plot pr = {
        f, "Precision and recall", "sensitivity (recall)", "predictive value (precision)", 0, 1, 0, 1, 0};
    for (uint32_t i = 0; i < r->classes; i++)
        with += r->cls[i].support > 0 && r->cls[i].support < ecg_metrics_count(r->metrics);
    html_section(f, "curves", "Curves");
    fputs("<div class=\"two\">\n", f);
    if (n) {
        by_class(e, &roc, ECG_CURVE_ROC);
        by_class(e, &pr, ECG_CURVE_PR);
    }
    reliability(e, f);
    risk(e, f);
    fputs("</div>\n", f);
    if (!n)
        html_note(f, "dim", "No class has pictures beside those of others: there are no ROC curves.");
    fputs("<p class=\"dim\">", f);
    if (n)
        html_printf(f, "Beside each class: the area under its curve.");
    if (with > n)
        html_printf(f, " Curves of the first %u classes of %u.", n, with);
    fputs("</p>\n", f);
    html_section_end(f);
}
