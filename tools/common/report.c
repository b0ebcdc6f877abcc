/* The figures of an evaluation, for people. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/judge.h"
#include "common/start.h"
#include "common/text.h"

enum { WIDEST_MATRIX = 20, LONGEST_NAME = 28 };

int judge_report_new(judge_report *r, const ecg_metrics *m, const char *const *names, uint32_t replicates,
                     uint64_t seed, uint32_t threads)
{
    const uint32_t n = ecg_metrics_classes(m);
    ecg_error err = {0};
    *r = (judge_report){.metrics = m, .names = names, .classes = n, .seed = seed};
    r->cls = calloc(n, sizeof *r->cls);
    r->low = calloc(n, sizeof *r->low);
    r->high = calloc(n, sizeof *r->high);
    ecg_status s = r->cls && r->low && r->high ? ECG_OK : ECG_ENOMEM;
    for (uint32_t i = 0; i < n && s == ECG_OK; i++)
        s = ecg_metrics_class(m, i, &r->cls[i]);
    if (s == ECG_OK)
        s = ecg_metrics_figures(m, &r->all);
    if (s == ECG_OK && replicates && ecg_metrics_count(m)) {
        ecg_bootstrap_options o = ECG_BOOTSTRAP_OPTIONS_INIT;
        o.replicates = replicates;
        o.seed = seed;
        o.threads = threads;
        s = ecg_metrics_bootstrap(m, &o, &r->ci, r->low, r->high, &err);
        if (s == ECG_ELIMIT) {
            tool_warn("%s: no confidence intervals", err.message);
            s = ECG_OK;
        }
    }
    if (s == ECG_OK)
        return EXIT_DONE;
    judge_report_free(r);
    return tool_fail("%s", ecg_status_text(s));
}

void judge_report_free(judge_report *r)
{
    free(r->cls);
    free(r->low);
    free(r->high);
    r->cls = r->low = r->high = NULL;
}

/* A class's name, cut where it would make the table wider than a terminal; characters stay whole. */
static void name_cell(text_table *t, const char *name)
{
    size_t n = strlen(name);
    if (n <= LONGEST_NAME) {
        text_cell(t, "%s", name);
        return;
    }
    for (n = LONGEST_NAME - 2; n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80;)
        n--;
    text_cell(t, "%.*s..", (int)n, name);
}

static void heads(text_table *t, const char *const *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_cell(t, "%s", head[i]);
}

static void print_classes(const judge_report *r, FILE *f)
{
    static const char *const head[] = {"class", "pictures", "sens", "spec", "PPV", "F1", "AUC", "PR"};
    text_table t = {.align = "lrrrrrrr"};
    heads(&t, head, 8);
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *c = &r->cls[i];
        name_cell(&t, r->names[i]);
        text_cell(&t, "%llu", (unsigned long long)c->support);
        text_cell_number(&t, "%.3f", c->sensitivity);
        text_cell_number(&t, "%.3f", c->specificity);
        text_cell_number(&t, "%.3f", c->ppv);
        text_cell_number(&t, "%.3f", c->f1);
        text_cell_number(&t, "%.3f", c->auc);
        text_cell_number(&t, "%.3f", c->pr_auc);
    }
    const ecg_averages *mean[] = {&r->all.macro, &r->all.weighted};
    for (size_t i = 0; i < 2; i++) {
        text_cell(&t, "%s", i ? "weighted mean" : "macro mean");
        text_cell(&t, "%llu", (unsigned long long)ecg_metrics_count(r->metrics));
        text_cell_number(&t, "%.3f", mean[i]->sensitivity);
        text_cell_number(&t, "%.3f", mean[i]->specificity);
        text_cell_number(&t, "%.3f", mean[i]->ppv);
        text_cell_number(&t, "%.3f", mean[i]->f1);
        text_cell_number(&t, "%.3f", mean[i]->auc);
        text_cell_number(&t, "%.3f", mean[i]->pr_auc);
    }
    text_table_print(&t, f, 0);
}

static void range_cell(text_table *t, double low, double high)
{
    if (isnan(low) || isnan(high))
        text_cell(t, "-");
    else
        text_cell(t, "%.3f-%.3f", low, high);
}

static void figure_row(text_table *t, const judge_report *r, const char *name, double v, double low,
                       double high)
{
    text_cell(t, "%s", name);
    text_cell_number(t, "%.4f", v);
    if (r->ci.replicates)
        range_cell(t, low, high);
}

static void print_all(const judge_report *r, FILE *f)
{
    const ecg_figures *v = &r->all, *lo = &r->ci.low, *hi = &r->ci.high;
    text_table t = {.align = r->ci.replicates ? "lrr" : "lr"};
    text_cell(&t, "all pictures");
    text_cell(&t, " ");
    if (r->ci.replicates)
        text_cell(&t, "95 %% interval");
    figure_row(&t, r, "accuracy", v->accuracy, lo->accuracy, hi->accuracy);
    figure_row(&t, r, "balanced accuracy", v->balanced_accuracy, lo->balanced_accuracy,
               hi->balanced_accuracy);
    figure_row(&t, r, "macro F1", v->macro.f1, lo->macro.f1, hi->macro.f1);
    figure_row(&t, r, "Cohen's kappa", v->kappa, lo->kappa, hi->kappa);
    if (!isnan(v->j_kappa))
        figure_row(&t, r, "j-kappa", v->j_kappa, lo->j_kappa, hi->j_kappa);
    figure_row(&t, r, "log loss", v->loss, lo->loss, hi->loss);
    figure_row(&t, r, "Brier score (0..2)", v->brier, lo->brier, hi->brier);
    figure_row(&t, r, "expected calibration error", v->ece, lo->ece, hi->ece);
    text_table_print(&t, f, 0);
    if (!r->ci.replicates)
        return;
    fprintf(f, "Intervals: bootstrap over %llu %s, %u draws, seed %llu\n", (unsigned long long)r->ci.units,
            r->ci.by_patient ? "patients" : "pictures", r->ci.replicates, (unsigned long long)r->seed);
    if (!r->ci.by_patient)
        fputs("(nothing names every picture's patient: pictures of one are not independent,\n"
              "so the true intervals are wider)\n",
              f);
}

static void print_intervals(const judge_report *r, FILE *f)
{
    static const char *const head[] = {"95 % interval of", "sens", "PPV", "F1", "AUC"};
    text_table t = {.align = "lrrrr"};
    if (!r->ci.replicates)
        return;
    fputc('\n', f);
    heads(&t, head, 5);
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *lo = &r->low[i], *hi = &r->high[i];
        name_cell(&t, r->names[i]);
        range_cell(&t, lo->sensitivity, hi->sensitivity);
        range_cell(&t, lo->ppv, hi->ppv);
        range_cell(&t, lo->f1, hi->f1);
        range_cell(&t, lo->auc, hi->auc);
    }
    text_table_print(&t, f, 0);
}

/* In counts, or in percent of each row. */
static void print_confusion(const judge_report *r, int percent, FILE *f)
{
    char align[WIDEST_MATRIX + 3] = "rl";
    for (uint32_t k = 0; k < r->classes; k++) {
        align[2 + k] = 'r';
        align[3 + k] = '\0';
    }
    text_table t = {.align = align};
    text_cell(&t, "#");
    text_cell(&t, percent ? "%% of the row" : "class");
    for (uint32_t k = 0; k < r->classes; k++)
        text_cell(&t, "%u", k + 1);
    for (uint32_t i = 0; i < r->classes; i++) {
        text_cell(&t, "%u", i + 1);
        name_cell(&t, r->names[i]);
        for (uint32_t k = 0; k < r->classes; k++) {
            const double n = (double)ecg_metrics_confusion(r->metrics, i, k);
            if (percent)
                text_cell_number(&t, "%.1f",
                                 r->cls[i].support ? 100.0 * n / (double)r->cls[i].support : (double)NAN);
            else
                text_cell(&t, "%.0f", n);
        }
    }
    text_table_print(&t, f, 0);
}

void judge_print(const judge_report *r, FILE *f)
{
    print_classes(r, f);
    fprintf(f, "\n%llu pictures: accuracy %.4f, macro F1 %.4f, loss %.4f\n\n",
            (unsigned long long)ecg_metrics_count(r->metrics), r->all.accuracy, r->all.macro.f1, r->all.loss);
    print_all(r, f);
    print_intervals(r, f);
    if (r->classes > WIDEST_MATRIX) {
        fputs("\nThe confusion matrix is too wide to print here; --json holds it.\n", f);
        return;
    }
    fputs("\nConfusion: rows are the truth, columns the answer\n", f);
    print_confusion(r, 0, f);
    fputc('\n', f);
    print_confusion(r, 1, f);
}

void judge_print_brief(const ecg_metrics *m, const char *label, FILE *f)
{
    if (ecg_metrics_count(m))
        fprintf(f, "%s: %llu pictures, accuracy %.4f, macro F1 %.4f, loss %.4f\n", label,
                (unsigned long long)ecg_metrics_count(m), ecg_metrics_accuracy(m), ecg_metrics_macro_f1(m),
                ecg_metrics_loss(m));
    else
        fprintf(f, "%s: no pictures\n", label);
}
