/* The figures of an evaluation as JSON. */
#include <math.h>

#include "common/judge.h"
#include "common/start.h"
#include "common/text.h"

void judge_json_figure(FILE *f, const char *key, double v)
{
    fprintf(f, ",\"%s\":", key);
    text_json_number(f, v);
}

static void averages(FILE *f, const char *key, const ecg_averages *a)
{
    fprintf(f, ",\"%s\":{\"sensitivity\":", key);
    text_json_number(f, a->sensitivity);
    judge_json_figure(f, "specificity", a->specificity);
    judge_json_figure(f, "ppv", a->ppv);
    judge_json_figure(f, "f1", a->f1);
    judge_json_figure(f, "auc", a->auc);
    judge_json_figure(f, "pr_auc", a->pr_auc);
    fputc('}', f);
}

static void pair(FILE *f, const char *key, double low, double high)
{
    fprintf(f, ",\"%s\":[", key);
    text_json_number(f, low);
    fputc(',', f);
    text_json_number(f, high);
    fputc(']', f);
}

static void intervals(const judge_report *r, FILE *f)
{
    const ecg_figures *lo = &r->ci.low, *hi = &r->ci.high;
    if (!r->ci.replicates) {
        fputs(",\"ci\":null", f);
        return;
    }
    fprintf(f, ",\"ci\":{\"level\":0.95,\"by\":\"%s\",\"units\":%llu,\"replicates\":%u,\"seed\":%llu",
            r->ci.by_patient ? "patients" : "pictures", (unsigned long long)r->ci.units, r->ci.replicates,
            (unsigned long long)r->seed);
    pair(f, "accuracy", lo->accuracy, hi->accuracy);
    pair(f, "balanced_accuracy", lo->balanced_accuracy, hi->balanced_accuracy);
    pair(f, "macro_sensitivity", lo->macro.sensitivity, hi->macro.sensitivity);
    pair(f, "macro_specificity", lo->macro.specificity, hi->macro.specificity);
    pair(f, "macro_ppv", lo->macro.ppv, hi->macro.ppv);
    pair(f, "macro_f1", lo->macro.f1, hi->macro.f1);
    pair(f, "macro_auc", lo->macro.auc, hi->macro.auc);
    pair(f, "macro_pr_auc", lo->macro.pr_auc, hi->macro.pr_auc);
    pair(f, "weighted_f1", lo->weighted.f1, hi->weighted.f1);
    pair(f, "kappa", lo->kappa, hi->kappa);
    pair(f, "j_index", lo->j_index, hi->j_index);
    pair(f, "j_kappa", lo->j_kappa, hi->j_kappa);
    pair(f, "loss", lo->loss, hi->loss);
    pair(f, "brier", lo->brier, hi->brier);
    pair(f, "ece", lo->ece, hi->ece);
    fputc('}', f);
}

static void one_class(const judge_report *r, uint32_t i, FILE *f)
{
    const ecg_class_metrics *c = &r->cls[i], *lo = &r->low[i], *hi = &r->high[i];
    fputs("{\"name\":", f);
    text_json_string(f, r->names[i]);
    fprintf(f, ",\"support\":%llu", (unsigned long long)c->support);
    judge_json_figure(f, "sensitivity", c->sensitivity);
    judge_json_figure(f, "specificity", c->specificity);
    judge_json_figure(f, "ppv", c->ppv);
    judge_json_figure(f, "f1", c->f1);
    judge_json_figure(f, "auc", c->auc);
    judge_json_figure(f, "pr_auc", c->pr_auc);
    if (r->ci.replicates) {
        fprintf(f, ",\"ci\":{\"support\":%llu", (unsigned long long)c->support);
        pair(f, "sensitivity", lo->sensitivity, hi->sensitivity);
        pair(f, "specificity", lo->specificity, hi->specificity);
        pair(f, "ppv", lo->ppv, hi->ppv);
        pair(f, "f1", lo->f1, hi->f1);
        pair(f, "auc", lo->auc, hi->auc);
        pair(f, "pr_auc", lo->pr_auc, hi->pr_auc);
        fputc('}', f);
    }
    fputc('}', f);
}

static void confusion(const judge_report *r, const char *key, int share, FILE *f)
{
    fprintf(f, ",\"%s\":[", key);
    for (uint32_t i = 0; i < r->classes; i++) {
        fputs(i ? ",[" : "[", f);
        for (uint32_t k = 0; k < r->classes; k++) {
            const uint64_t n = ecg_metrics_confusion(r->metrics, i, k), all = r->cls[i].support;
            if (k)
                fputc(',', f);
            if (share)
                text_json_number(f, all ? (double)n / (double)all : (double)NAN);
            else
                fprintf(f, "%llu", (unsigned long long)n);
        }
        fputc(']', f);
    }
    fputc(']', f);
}

void judge_json(const judge_report *r, FILE *f)
{
    const ecg_figures *v = &r->all;
    fprintf(f, "\"images\":%llu", (unsigned long long)ecg_metrics_count(r->metrics));
    judge_json_figure(f, "accuracy", v->accuracy);
    judge_json_figure(f, "macro_f1", v->macro.f1);
    judge_json_figure(f, "loss", v->loss);
    judge_json_figure(f, "balanced_accuracy", v->balanced_accuracy);
    judge_json_figure(f, "kappa", v->kappa);
    judge_json_figure(f, "j_index", v->j_index);
    judge_json_figure(f, "j_kappa", v->j_kappa);
    judge_json_figure(f, "brier", v->brier);
    judge_json_figure(f, "ece", v->ece);
    averages(f, "macro", &v->macro);
    averages(f, "weighted", &v->weighted);
    intervals(r, f);
    fputs(",\"classes\":[", f);
    for (uint32_t i = 0; i < r->classes; i++) {
        if (i)
            fputc(',', f);
        one_class(r, i, f);
    }
    fputc(']', f);
    confusion(r, "confusion", 0, f);
    confusion(r, "confusion_rows", 1, f);
}

int judge_json_brief(const ecg_metrics *m, FILE *f)
{
    ecg_figures v;
    const ecg_status s = ecg_metrics_figures(m, &v);
    if (s != ECG_OK)
        return tool_fail("%s", ecg_status_text(s));
    fprintf(f, "{\"images\":%llu", (unsigned long long)ecg_metrics_count(m));
    judge_json_figure(f, "accuracy", v.accuracy);
    judge_json_figure(f, "macro_f1", v.macro.f1);
    judge_json_figure(f, "loss", v.loss);
    judge_json_figure(f, "balanced_accuracy", v.balanced_accuracy);
    judge_json_figure(f, "kappa", v.kappa);
    judge_json_figure(f, "brier", v.brier);
    judge_json_figure(f, "ece", v.ece);
    fputc('}', f);
    return EXIT_DONE;
}
