/* The figures of an evaluation, for people and as JSON. */
#include <math.h>
#include <stdlib.h>

#include "common/judge.h"
#include "common/start.h"
#include "common/text.h"

enum { WIDEST_MATRIX = 20 };

int judge_report_new(judge_report *r, const ecg_metrics *m, uint32_t classes)
{
    ecg_status s = ECG_OK;
    *r = (judge_report){.metrics = m, .cls = calloc(classes, sizeof *r->cls), .classes = classes};
    for (uint32_t i = 0; r->cls && i < classes && s == ECG_OK; i++)
        s = ecg_metrics_class(m, i, &r->cls[i]);
    if (r->cls && s == ECG_OK)
        return EXIT_DONE;
    judge_report_free(r);
    return tool_fail("%s", ecg_status_text(s == ECG_OK ? ECG_ENOMEM : s));
}

void judge_report_free(judge_report *r)
{
    free(r->cls);
    r->cls = NULL;
}

static void print_classes(const judge_report *r, const ecg_model *m, FILE *f)
{
    static const char *const heads[] = {"class", "pictures", "sens", "spec", "PPV", "F1", "AUC"};
    text_table t = {.align = "lrrrrrr"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        text_cell(&t, "%s", heads[i]);
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *c = &r->cls[i];
        text_cell(&t, "%s", ecg_model_class(m, i));
        text_cell(&t, "%llu", (unsigned long long)c->support);
        text_cell_number(&t, "%.3f", c->sensitivity);
        text_cell_number(&t, "%.3f", c->specificity);
        text_cell_number(&t, "%.3f", c->ppv);
        text_cell_number(&t, "%.3f", c->f1);
        text_cell_number(&t, "%.3f", c->auc);
    }
    text_table_print(&t, f, 0);
}

static void print_confusion(const judge_report *r, const ecg_model *m, FILE *f)
{
    char align[WIDEST_MATRIX + 3] = "rl";
    if (r->classes > WIDEST_MATRIX) {
        fputs("The confusion matrix is too wide to print here; --json holds it.\n", f);
        return;
    }
    for (uint32_t k = 0; k < r->classes; k++) {
        align[2 + k] = 'r';
        align[3 + k] = '\0';
    }
    text_table t = {.align = align};
    fputs("Confusion: rows are the truth, columns the answer\n", f);
    text_cell(&t, "#");
    text_cell(&t, "class");
    for (uint32_t k = 0; k < r->classes; k++)
        text_cell(&t, "%u", k + 1);
    for (uint32_t i = 0; i < r->classes; i++) {
        text_cell(&t, "%u", i + 1);
        text_cell(&t, "%s", ecg_model_class(m, i));
        for (uint32_t k = 0; k < r->classes; k++)
            text_cell(&t, "%llu", (unsigned long long)ecg_metrics_confusion(r->metrics, i, k));
    }
    text_table_print(&t, f, 0);
}

void judge_print(const judge_report *r, const ecg_model *m, FILE *f)
{
    print_classes(r, m, f);
    fprintf(f, "\n%llu pictures: accuracy %.4f, macro F1 %.4f, loss %.4f\n\n",
            (unsigned long long)ecg_metrics_count(r->metrics), ecg_metrics_accuracy(r->metrics),
            ecg_metrics_macro_f1(r->metrics), ecg_metrics_loss(r->metrics));
    print_confusion(r, m, f);
}

static void json_figure(FILE *f, const char *key, double v)
{
    fprintf(f, ",\"%s\":", key);
    text_json_number(f, v);
}

void judge_json(const judge_report *r, const ecg_model *m, FILE *f)
{
    fprintf(f, "{\"images\":%llu", (unsigned long long)ecg_metrics_count(r->metrics));
    json_figure(f, "accuracy", ecg_metrics_accuracy(r->metrics));
    json_figure(f, "macro_f1", ecg_metrics_macro_f1(r->metrics));
    json_figure(f, "loss", ecg_metrics_loss(r->metrics));
    fputs(",\"classes\":[", f);
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *c = &r->cls[i];
        fprintf(f, "%s{\"name\":", i ? "," : "");
        text_json_string(f, ecg_model_class(m, i));
        fprintf(f, ",\"support\":%llu", (unsigned long long)c->support);
        json_figure(f, "sensitivity", c->sensitivity);
        json_figure(f, "specificity", c->specificity);
        json_figure(f, "ppv", c->ppv);
        json_figure(f, "f1", c->f1);
        json_figure(f, "auc", c->auc);
        fputc('}', f);
    }
    fputs("],\"confusion\":[", f);
    for (uint32_t i = 0; i < r->classes; i++) {
        for (uint32_t k = 0; k < r->classes; k++)
            fprintf(f, "%s%llu",
                    k   ? ","
                    : i ? ",["
                        : "[",
                    (unsigned long long)ecg_metrics_confusion(r->metrics, i, k));
        fputc(']', f);
    }
    fputs("]}\n", f);
}
