/* ecg-eval --card: the same figures as a model card in Markdown. Its headings follow the principles of good
 * machine learning practice of FDA, Health Canada and MHRA (2021), as far as they concern a model's file. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"
#include "common/whole.h"
#include "ecgcnn/version.h"
#include "eval/page.h"

static void heading(FILE *f, const char *text)
{
    fprintf(f, "\n## %s\n\n", text);
}

static void bullet(void *ctx, const char *text)
{
    FILE *f = ctx;
    fputs("- ", f);
    text_markdown_string(f, text);
    fputc('\n', f);
}

static void fact(FILE *f, const char *name, const char *value)
{
    fprintf(f, "- %s: ", name);
    text_markdown_string(f, value);
    fputc('\n', f);
}

__attribute__((format(printf, 3, 4))) static void factf(FILE *f, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fact(f, name, text);
}

/* "0.912 (0.880-0.934)" */
static void with_range(FILE *f, double v, double low, double high, int decimals)
{
    if (!isfinite(v)) {
        fputs(" - |", f);
        return;
    }
    fprintf(f, " %.*f", decimals, v);
    if (isfinite(low) && isfinite(high))
        fprintf(f, " (%.*f-%.*f)", decimals, low, decimals, high);
    fputs(" |", f);
}

static void intervals_by(const eval_page *e, FILE *f)
{
    const judge_report *r = e->r;
    if (!r->ci.replicates)
        fputs("\nNo confidence intervals were computed.\n", f);
    else
        fprintf(f,
                "\nIn parentheses: 95 %% confidence intervals, by bootstrap over %llu %s (%u draws, seed "
                "%llu).\n",
                (unsigned long long)r->ci.units, r->ci.by_patient ? "patients" : "pictures", r->ci.replicates,
                (unsigned long long)r->seed);
}

static void overall(const eval_page *e, FILE *f)
{
    const double none = (double)NAN;
    const judge_report *r = e->r;
    const int ci = r->ci.replicates > 0;
    const ecg_figures *v = &r->all, *lo = &r->ci.low, *hi = &r->ci.high;
    const struct {
        const char *name;
        double v, low, high;
    } figure[] = {
        {"accuracy", v->accuracy, lo->accuracy, hi->accuracy},
        {"balanced accuracy", v->balanced_accuracy, lo->balanced_accuracy, hi->balanced_accuracy},
        {"macro F1", v->macro.f1, lo->macro.f1, hi->macro.f1},
        {"Cohen's kappa", v->kappa, lo->kappa, hi->kappa},
        {"log loss", v->loss, lo->loss, hi->loss},
        {"Brier score (0 to 2)", v->brier, lo->brier, hi->brier},
        {"expected calibration error", v->ece, lo->ece, hi->ece},
    };
    fputs("| of all pictures | |\n|---|---|\n", f);
    for (size_t i = 0; i < sizeof figure / sizeof figure[0]; i++) {
        fprintf(f, "| %s |", figure[i].name);
        with_range(f, figure[i].v, ci ? figure[i].low : none, ci ? figure[i].high : none, 4);
        fputc('\n', f);
    }
    intervals_by(e, f);
}

static void classes(const eval_page *e, FILE *f)
{
    const double none = (double)NAN;
    const judge_report *r = e->r;
    const int ci = r->ci.replicates > 0;
    fputs("\n| class | pictures | sensitivity | specificity | PPV | F1 | ROC AUC | PR AUC |\n"
          "|---|--:|--:|--:|--:|--:|--:|--:|\n",
          f);
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *c = &r->cls[i], *lo = &r->low[i], *hi = &r->high[i];
        const double v[][3] = {{c->sensitivity, lo->sensitivity, hi->sensitivity},
                               {c->specificity, lo->specificity, hi->specificity},
                               {c->ppv, lo->ppv, hi->ppv},
                               {c->f1, lo->f1, hi->f1},
                               {c->auc, lo->auc, hi->auc},
                               {c->pr_auc, lo->pr_auc, hi->pr_auc}};
        fputs("| ", f);
        text_markdown_string(f, r->names[i]);
        fprintf(f, " | %llu |", (unsigned long long)c->support);
        for (size_t k = 0; k < 6; k++)
            with_range(f, v[k][0], ci ? v[k][1] : none, ci ? v[k][2] : none, 3);
        fputc('\n', f);
    }
}

static void part(FILE *f, const char *name, const ecg_metrics *m)
{
    ecg_figures v;
    if (!m || ecg_metrics_figures(m, &v) != ECG_OK)
        return;
    fprintf(f, "| %s | %llu |", name, (unsigned long long)ecg_metrics_count(m));
    with_range(f, v.accuracy, (double)NAN, (double)NAN, 4);
    with_range(f, v.macro.f1, (double)NAN, (double)NAN, 4);
    with_range(f, v.loss, (double)NAN, (double)NAN, 4);
    with_range(f, v.ece, (double)NAN, (double)NAN, 4);
    fputc('\n', f);
}

static void data(const eval_page *e, FILE *f)
{
    char text[512];
    const leaks *l = e->found;
    heading(f, "Training data independent of test data");
    fact(f, "Pictures measured", e->p->dir);
    fact(f, "Training pictures", words_split(e, text, sizeof text));
    factf(f, "Blank pictures", "%zu", l->blank);
    factf(f, "Copies within what was measured", "%zu, exact or near", l->repeated);
    factf(f, "Copies that stand under two classes", "%zu sets", l->conflicts);
    if (e->s->train || e->accepted) {
        fputs("\n| of | pictures | accuracy | macro F1 | log loss | ECE |\n|---|--:|--:|--:|--:|--:|\n", f);
        part(f, "all pictures", e->r->metrics);
        part(f, "without copies of training pictures", l->clean);
        part(f, "and without patients who trained", l->strangers);
        part(f, "pictures that get an answer", e->accepted);
    }
}

static void people(const eval_page *e, FILE *f)
{
    const size_t patients = words_patients(e);
    heading(f, "Representative of the intended population");
    fputs("Nothing says that it is. What was measured are pictures of ", f);
    if (patients)
        fprintf(f, "%zu patients", patients);
    else
        fputs("patients who are not named", f);
    fprintf(f, ", %llu of them; age, sex, device and place are not known to this program.\n",
            (unsigned long long)ecg_metrics_count(e->r->metrics));
}

static void provenance(const eval_page *e, FILE *f)
{
    char text[512];
    const ecg_spec *spec = ecg_model_spec(e->model);
    const size_t n = ecg_spec_print(spec, NULL, 0) + 1;
    char *network = malloc(n);
    if (network)
        ecg_spec_print(spec, network, n);
    heading(f, "Provenance");
    fact(f, "Model file", e->model_path);
    factf(f, "SHA-256", "%s", e->file->sha256);
    factf(f, "Bytes", "%llu, format %u.%u", (unsigned long long)e->file->bytes, e->file->major,
          e->file->minor);
    fact(f, "Network", network ? network : "?");
    factf(f, "Parameters", "%llu", (unsigned long long)ecg_spec_params(spec));
    fact(f, "Preprocessing", words_preprocess(e->model, text, sizeof text));
    fact(f, "Measured with", ecg_build_info());
    const char *key, *value;
    fputs("\nHow the model was trained, as its file says:\n\n", f);
    for (size_t k = 0; ecg_model_meta_at(e->model, k, &key, &value); k++) {
        fputs("- ", f);
        text_markdown_string(f, key);
        fputs(": ", f);
        text_markdown_string(f, value);
        fputc('\n', f);
    }
    free(network);
}

static void use(FILE *f)
{
    heading(f, "Intended use");
    for (size_t i = 0; words_for(i); i++)
        bullet(f, words_for(i));
    heading(f, "Out of scope");
    for (size_t i = 0; words_not_for(i); i++)
        bullet(f, words_not_for(i));
}

int card_write(const eval_page *e, const char *path)
{
    whole w;
    char text[512];
    int code = whole_open(&w, path);
    if (code != EXIT_DONE)
        return code;
    FILE *f = w.f;
    fprintf(f,
            "# Model card: heartbeat classifier\n\n**%s**\n\nMade by ecg-eval %s from the figures of one "
            "evaluation.\n",
            ECG_NOTICE, ecg_version());
    use(f);
    data(e, f);
    people(e, f);
    heading(f, "Performance");
    overall(e, f);
    classes(e, f);
    heading(f, "Calibration and abstaining");
    fact(f, "Rule of the model", words_rule(e, text, sizeof text));
    factf(f, "Expected calibration error", "%.4f in %d bins", e->r->all.ece, ECG_ECE_BINS);
    if (e->accepted)
        factf(f, "Answered", "%.2f %% of the pictures",
              100.0 * (double)ecg_metrics_count(e->accepted) / (double)ecg_metrics_count(e->r->metrics));
    if (ecg_model_gate(e->model))
        factf(f, "Refused as no ECG", "%zu pictures", e->refused);
    else
        fact(f, "Refused as no ECG", "none: the model has no gate");
    heading(f, "Known failures");
    words_findings(e, bullet, f);
    bullet(f, "The figures hold for pictures like these, not for other patients, leads or drawings.");
    heading(f, "Performance of people and model together");
    fputs("Not measured.\n", f);
    heading(f, "Clear, essential information to users");
    fputs(
        "Every answer has a class, a probability and a status (ok, uncertain or not\\_ecg) with its reasons; "
        "every program shows the notice above.\n",
        f);
    heading(f, "Monitored after deployment");
    fputs("It is not: whoever runs the model must look after it.\n", f);
    provenance(e, f);
    return whole_close(&w, code);
}
