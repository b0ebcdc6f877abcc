/* The figures of an evaluation as parts of a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/html.h"

/* A tile; low and high are NaN where there is no interval. */
static void tile(FILE *f, const char *name, double v, double low, double high)
{
    fputs("<div class=\"tile\"><span>", f);
    html_text(f, name);
    fputs("</span><b>", f);
    html_number(f, v, 4);
    fputs("</b>", f);
    if (isfinite(low) && isfinite(high)) {
        fputs("<span>", f);
        html_interval(f, low, high, 4);
        fputs("</span>", f);
    }
    fputs("</div>\n", f);
}

void html_summary(FILE *f, const judge_report *r)
{
    const double none = (double)NAN;
    const int ci = r->ci.replicates > 0;
    const ecg_figures *v = &r->all, *lo = &r->ci.low, *hi = &r->ci.high;
    fputs("<div class=\"tiles\">\n<div class=\"tile\"><span>pictures</span><b>", f);
    fprintf(f, "<data value=\"%llu\">%llu</data></b></div>\n",
            (unsigned long long)ecg_metrics_count(r->metrics),
            (unsigned long long)ecg_metrics_count(r->metrics));
    const struct {
        const char *name;
        double v, low, high;
    } figure[] = {
        {"accuracy", v->accuracy, lo->accuracy, hi->accuracy},
        {"macro F1", v->macro.f1, lo->macro.f1, hi->macro.f1},
        {"balanced accuracy", v->balanced_accuracy, lo->balanced_accuracy, hi->balanced_accuracy},
        {"Cohen's kappa", v->kappa, lo->kappa, hi->kappa},
        {"log loss", v->loss, lo->loss, hi->loss},
        {"Brier score (0 to 2)", v->brier, lo->brier, hi->brier},
        {"calibration error (ECE)", v->ece, lo->ece, hi->ece},
    };
    for (size_t i = 0; i < sizeof figure / sizeof figure[0]; i++)
        tile(f, figure[i].name, figure[i].v, ci ? figure[i].low : none, ci ? figure[i].high : none);
    if (!isnan(v->j_kappa))
        tile(f, "j-kappa", v->j_kappa, ci ? lo->j_kappa : none, ci ? hi->j_kappa : none);
    fputs("</div>\n<p class=\"dim\">", f);
    if (ci)
        html_printf(f,
                    "Below each figure: its 95 %% confidence interval, by bootstrap over %llu %s (%u draws, "
                    "seed %llu). ",
                    (unsigned long long)r->ci.units, r->ci.by_patient ? "patients" : "pictures",
                    r->ci.replicates, (unsigned long long)r->seed);
    if (ci && !r->ci.by_patient)
        fputs("Nothing names every picture's patient: pictures of one patient are not independent, so the "
              "true intervals are wider.",
              f);
    if (!ci)
        fputs("No confidence intervals were computed.", f);
    fputs("</p>\n", f);
}

/* ---- Per class ---- */

/* The classes to show, in the model's order: those with most pictures where there are too many. NULL: out of
 * memory. */
typedef struct ranked {
    uint32_t cls;
    uint64_t support;
} ranked;

static int by_support(const void *pa, const void *pb)
{
    const ranked *a = pa, *b = pb;
    if (a->support != b->support)
        return a->support > b->support ? -1 : 1;
    return (a->cls > b->cls) - (a->cls < b->cls);
}

static int by_class(const void *pa, const void *pb)
{
    const ranked *a = pa, *b = pb;
    return (a->cls > b->cls) - (a->cls < b->cls);
}

static ranked *choose(const judge_report *r, uint32_t *count)
{
    ranked *v = calloc(r->classes ? r->classes : 1, sizeof *v);
    for (uint32_t i = 0; v && i < r->classes; i++)
        v[i] = (ranked){i, r->cls[i].support};
    *count = r->classes;
    if (v && r->classes > HTML_MOST_CLASSES) {
        qsort(v, r->classes, sizeof *v, by_support);
        *count = HTML_MOST_CLASSES;
        qsort(v, *count, sizeof *v, by_class);
    }
    return v;
}

static void mean_row(FILE *f, const char *name, const ecg_averages *a, uint64_t n)
{
    html_row(f, name, "mean");
    html_count(f, n);
    const double v[] = {a->sensitivity, a->specificity, a->ppv, a->f1, a->auc, a->pr_auc};
    for (size_t i = 0; i < 6; i++)
        html_cell(f, v[i], 3);
    html_row_end(f);
}

static void intervals(FILE *f, const judge_report *r, const ranked *at, uint32_t n)
{
    static const char *const head[] = {"class", "sensitivity", "specificity", "PPV",
                                       "F1",    "ROC AUC",     "PR AUC"};
    html_table(f, "95 % confidence intervals", head, 7);
    for (uint32_t k = 0; k < n; k++) {
        const ecg_class_metrics *lo = &r->low[at[k].cls], *hi = &r->high[at[k].cls];
        html_row(f, r->names[at[k].cls], NULL);
        html_range(f, lo->sensitivity, hi->sensitivity, 3);
        html_range(f, lo->specificity, hi->specificity, 3);
        html_range(f, lo->ppv, hi->ppv, 3);
        html_range(f, lo->f1, hi->f1, 3);
        html_range(f, lo->auc, hi->auc, 3);
        html_range(f, lo->pr_auc, hi->pr_auc, 3);
        html_row_end(f);
    }
    html_table_end(f);
}

void html_classes(FILE *f, const judge_report *r)
{
    static const char *const head[] = {"class", "pictures", "sensitivity", "specificity",
                                       "PPV",   "F1",       "ROC AUC",     "PR AUC"};
    const uint64_t all = ecg_metrics_count(r->metrics);
    uint32_t n;
    ranked *at = choose(r, &n);
    if (!at) {
        html_note(f, "warn", "Out of memory: the classes are not shown.");
        return;
    }
    html_table(f, "One class against all others; a figure without a denominator is a dash", head, 8);
    for (uint32_t k = 0; k < n; k++) {
        const ecg_class_metrics *c = &r->cls[at[k].cls];
        html_row(f, r->names[at[k].cls], NULL);
        html_count(f, c->support);
        const double v[] = {c->sensitivity, c->specificity, c->ppv, c->f1, c->auc, c->pr_auc};
        for (size_t i = 0; i < 6; i++)
            html_cell(f, v[i], 3);
        html_row_end(f);
    }
    mean_row(f, "macro mean", &r->all.macro, all);
    mean_row(f, "weighted mean", &r->all.weighted, all);
    html_table_end(f);
    if (r->ci.replicates)
        intervals(f, r, at, n);
    if (n < r->classes) {
        fputs("<p class=\"dim\">", f);
        html_printf(f, "The %u classes with most pictures of %u; the JSON form of the figures has all.", n,
                    r->classes);
        fputs("</p>\n", f);
    }
    free(at);
}

/* ---- Confusion ---- */
void html_confusion(FILE *f, const judge_report *r)
{
    if (r->classes > HTML_MOST_MATRIX) {
        html_note(f, "dim",
                  "The confusion matrix is too wide for a page; the JSON form of the figures has it.");
        return;
    }
    fputs("<div class=\"scroll\"><table class=\"matrix\">\n<caption><span>Rows are the truth, columns the "
          "answer; "
          "counts, and percent of the row. Blue: right, orange: wrong.</span></caption>\n<thead><tr><th "
          "scope=\"col\">truth</th>",
          f);
    for (uint32_t k = 0; k < r->classes; k++) {
        fputs("<th scope=\"col\">", f);
        html_name(f, r->names[k]);
        fputs("</th>", f);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
    for (uint32_t i = 0; i < r->classes; i++) {
        const uint64_t all = r->cls[i].support;
        html_row(f, r->names[i], NULL);
        for (uint32_t k = 0; k < r->classes; k++) {
            const uint64_t n = ecg_metrics_confusion(r->metrics, i, k);
            const double share = all ? (double)n / (double)all : 0;
            fprintf(f, "<td%s", i == k ? "" : " class=\"x\"");
            if (n)
                fprintf(f, " style=\"--v:%.3f\"", share);
            fprintf(f, ">%llu", (unsigned long long)n);
            if (all)
                fprintf(f, "<small>%.1f&#8239;%%</small>", 100 * share);
            fputs("</td>", f);
        }
        html_row_end(f);
    }
    html_table_end(f);
}
