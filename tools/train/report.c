/* ecg-train --report: a run as one page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "common/html_plot.h"
#include "common/network.h"
#include "common/progress.h"
#include "common/start.h"
#include "common/text.h"
#include "common/whole.h"
#include "ecgcnn/ecgcnn.h"
#include "train/run.h"

enum { REPLICATES = 1000, MOST_ROWS = 400 };

/* ---- Summary ---- */
static void tile(FILE *f, const char *name, double v, int decimals, const char *under)
{
    fputs("<div class=\"tile\"><span>", f);
    html_text(f, name);
    fputs("</span><b>", f);
    html_number(f, v, decimals);
    fputs("</b><span>", f);
    html_text(f, under);
    fputs("</span></div>\n", f);
}

static double seconds(const fitlog *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->seen_count; i++)
        sum += l->seen[i].seconds;
    return sum;
}

static void summary(const run *r, const settings *s, FILE *f)
{
    const fitlog *l = &r->log;
    const ecg_epoch *best = &l->best;
    char text[128], time[32];
    html_section(f, "summary", "Summary");
    if (r->interrupted)
        html_note(f, "warn",
                  best->index ? "The run was interrupted. The model file holds the best model so far."
                              : "The run was interrupted in its first epoch: the model was never validated.");
    else if (l->last.index < s->train.epochs)
        html_note(f, NULL, "The run stopped early: the loss did not fall any more.");
    fputs("<div class=\"tiles\">\n", f);
    snprintf(text, sizeof text, "of %u wanted%s", s->train.epochs, r->interrupted ? ", interrupted" : "");
    tile(f, "epochs", l->last.index, 0, text);
    if (best->index) {
        tile(f, "best epoch", best->index, 0, "is what the model file holds");
        tile(f, "validation loss", best->val_loss, 4, "of the best epoch");
        tile(f, "validation accuracy", best->val_accuracy, 4, "of the best epoch");
        tile(f, "training loss", best->loss, 4, "of the best epoch");
    }
    if (r->test) {
        snprintf(text, sizeof text, "of %llu pictures", (unsigned long long)ecg_metrics_count(r->test));
        tile(f, "test accuracy", ecg_metrics_accuracy(r->test), 4, text);
    }
    text_duration(seconds(l), time, sizeof time);
    snprintf(text, sizeof text, "%s in all epochs", time);
    if (l->seen_count && seconds(l) > 0)
        tile(f, "pictures a second", (double)l->samples * (double)l->seen_count / seconds(l), 0, text);
    fputs("</div>\n", f);
    if (l->past) {
        fputs("<p>", f);
        html_printf(f, "Resumed from a checkpoint after epoch %u; the curves have the epochs before too.",
                    l->past);
        fputs("</p>\n", f);
    }
    html_section_end(f);
}

/* ---- Curves ---- */
typedef double figure(const ecg_epoch *e);
static double loss(const ecg_epoch *e)
{
    return e->loss;
}
static double accuracy(const ecg_epoch *e)
{
    return e->accuracy;
}
static double val_loss(const ecg_epoch *e)
{
    return e->val_loss;
}
static double val_accuracy(const ecg_epoch *e)
{
    return e->val_accuracy;
}
static double rate(const ecg_epoch *e)
{
    return (double)e->lr;
}

static void line(const plot *p, const fitlog *l, figure *get, uint32_t k)
{
    plot_point *at = malloc((l->seen_count ? l->seen_count : 1) * sizeof *at);
    for (size_t i = 0; at && i < l->seen_count; i++)
        at[i] = (plot_point){l->seen[i].index, get(&l->seen[i])};
    if (at)
        plot_line(p, at, l->seen_count, k);
    free(at);
}

/* One drawing: get[0] in training, get[1] in validation or NULL. */
static void curve(const fitlog *l, FILE *f, const char *title, const char *y_name, figure *get, figure *val)
{
    plot p = {f, title, "epoch", y_name, 1, 1, HUGE_VAL, -HUGE_VAL, 1};
    for (size_t i = 0; i < l->seen_count; i++) {
        figure *both[] = {get, val};
        p.x0 = fmin(p.x0, l->seen[i].index);
        p.x1 = fmax(p.x1, l->seen[i].index);
        for (size_t k = 0; k < (val ? 2u : 1u); k++) {
            const double v = both[k](&l->seen[i]);
            if (isfinite(v)) {
                p.y0 = fmin(p.y0, v);
                p.y1 = fmax(p.y1, v);
            }
        }
    }
    if (!(p.y0 <= p.y1))
        return;
    if (p.x1 <= p.x0)
        p.x1 = p.x0 + 1;
    plot_ticks(&p.y0, &p.y1, 6, 0);
    plot_begin(&p);
    if (l->best.index)
        plot_ref(&p, l->best.index, p.y0, l->best.index, p.y1);
    line(&p, l, get, 0);
    if (val)
        line(&p, l, val, 1);
    if (l->seen_count == 1) {
        plot_dot(&p, l->seen[0].index, get(&l->seen[0]), 0, "training");
        if (val && isfinite(val(&l->seen[0])))
            plot_dot(&p, l->seen[0].index, val(&l->seen[0]), 1, "validation");
    }
    plot_drawn(&p);
    if (val) {
        plot_key(f);
        plot_key_item(f, 0, "training", NULL);
        plot_key_item(f, 1, "validation", NULL);
        plot_key_end(f);
    }
    plot_end(&p);
}

static void epochs(const fitlog *l, FILE *f)
{
    static const char *const head[] = {"epoch",    "loss",          "accuracy", "validation loss",
                                       "accuracy", "learning rate", "seconds"};
    const size_t from = l->seen_count > MOST_ROWS ? l->seen_count - MOST_ROWS : 0;
    fputs("<details><summary>Every epoch as a table</summary>\n", f);
    html_table(f, from ? "The last epochs" : NULL, head, 7);
    for (size_t i = from; i < l->seen_count; i++) {
        const ecg_epoch *e = &l->seen[i];
        char name[32];
        snprintf(name, sizeof name, "%u%s", e->index, e->index == l->best.index ? ", best" : "");
        html_row(f, name, NULL);
        html_cell(f, e->loss, 4);
        html_cell(f, e->accuracy, 4);
        html_cell(f, e->val_loss, 4);
        html_cell(f, e->val_accuracy, 4);
        fprintf(f, "<td>%.3g</td>", (double)e->lr);
        html_cell(f, e->seconds, 1);
        html_row_end(f);
    }
    html_table_end(f);
    fputs("</details>\n", f);
}

static void curves(const fitlog *l, FILE *f)
{
    html_section(f, "curves", "Learning curves");
    if (!l->seen_count) {
        html_note(f, NULL, "No epoch came to its end.");
    } else {
        fputs("<div class=\"two\">\n", f);
        curve(l, f, "Loss", "loss", loss, val_loss);
        curve(l, f, "Accuracy", "share of pictures that are right", accuracy, val_accuracy);
        curve(l, f, "Learning rate", "at the end of the epoch", rate, NULL);
        fputs("</div>\n", f);
        html_note(
            f, "dim",
            "Dashed: the best epoch. In training, pictures are seen with dropout and augmentation, and the "
            "loss has its penalties.");
        if (l->seen_count < l->last.index)
            html_note(f, "warn", "Memory was short: some epochs are missing.");
        epochs(l, f);
    }
    html_section_end(f);
}

/* ---- Data ---- */
static void data(const run *r, const settings *s, FILE *f)
{
    const parts *p = &r->parts;
    static const char *const head[] = {"class", "training", "validation", "test"};
    html_section(f, "data", "Data");
    html_facts(f);
    html_fact(f, "folder", s->data.dir);
    html_fact(f, "validation", p->how ? p->how : "none");
    if (p->fraction > 0)
        html_factf(f, "share of validation", "%.4g", p->fraction);
    html_fact(f, "patients", ecg_dataset_has_patients(p->train.data) ? "named by the manifest" : "not named");
    if (r->recipe)
        html_fact(f, "drawn by", r->recipe);
    html_facts_end(f);
    if (p->may_share)
        html_note(
            f, "warn",
            "Validation pictures may come from patients who train: of other patients, expect more errors.");
    html_table(f, NULL, head, p->test.data ? 4 : 3);
    for (uint32_t i = 0; i < p->class_count && i < HTML_MOST_CLASSES; i++) {
        html_row(f, p->classes[i], NULL);
        html_count(f, part_class_count(&p->train, i));
        html_count(f, part_class_count(&p->val, i));
        if (p->test.data)
            html_count(f, part_class_count(&p->test, i));
        html_row_end(f);
    }
    html_row(f, "all", "mean");
    html_count(f, p->train.count);
    html_count(f, p->val.count);
    if (p->test.data)
        html_count(f, p->test.count);
    html_row_end(f);
    html_table_end(f);
    html_section_end(f);
}

/* ---- Network ---- */
static void network(const run *r, const settings *s, FILE *f)
{
    static const char *const head[] = {"layer", "attributes", "output", "parameters", "multiply-adds"};
    char text[512];
    uint64_t macs = 0;
    const ecg_shape in = ecg_spec_input(r->spec);
    html_section(f, "network", "Network");
    fputs("<p>", f);
    html_printf(f, "%s, reads %ux%ux%u", network_name(s->net), in.h, in.w, in.c);
    fputs("</p>\n", f);
    html_table(f, NULL, head, 5);
    for (uint32_t i = 0; i < ecg_spec_layers(r->spec); i++) {
        const ecg_layer_info l = ecg_spec_layer(r->spec, i);
        ecg_spec_layer_text(r->spec, i, text, sizeof text);
        macs += l.macs;
        html_row(f, l.name, NULL);
        html_words(f, text);
        fprintf(f, "<td>%ux%ux%u</td>", l.out.h, l.out.w, l.out.c);
        html_count(f, l.params);
        html_count(f, l.macs);
        html_row_end(f);
    }
    html_row(f, "all", "mean");
    fputs("<td></td><td></td>", f);
    html_count(f, ecg_spec_params(r->spec));
    html_count(f, macs);
    html_row_end(f);
    html_table_end(f);
    html_section_end(f);
}

/* ---- Settings ---- */
static void options(const run *r, const settings *s, FILE *f)
{
    const ecg_train_options *t = &s->train;
    html_section(f, "settings", "Settings");
    html_facts(f);
    html_factf(f, "epochs", "%u", t->epochs);
    html_factf(f, "batch", "%u", t->batch);
    html_factf(f, "seed", "%llu", (unsigned long long)t->seed);
    html_fact(f, "optimizer", s->optimizer);
    html_factf(f, "learning rate", "%.6g", (double)t->lr);
    html_fact(f, "schedule", s->schedule);
    html_fact(f, "class weights", s->class_weight);
    html_fact(f, "classes balanced", s->balance ? "yes, every class as often as any other" : "no");
    html_fact(f, "augmentation", r->augment ? r->augment : "none");
    html_factf(f, "weight decay", "%.6g", (double)t->weight_decay);
    html_factf(f, "L2", "%.6g", (double)t->l2);
    html_factf(f, "label smoothing", "%.6g", (double)t->label_smoothing);
    html_factf(f, "gradient clipped", "norm %.6g, value %.6g (0: not)", (double)t->clip_norm,
               (double)t->clip_value);
    html_factf(f, "early stop", "%u epochs without a better loss (0: never)", t->early_stop);
    const ecg_preprocess *p = &r->prep;
    html_factf(f, "pictures", "%ux%u %s, profile %s, filter %s", p->w, p->h, ecg_color_name(p->color),
               ecg_profile_name(p->profile), ecg_filter_name(p->filter));
    if (r->calibration.fitted)
        html_factf(f, "calibration", "temperature %.4g on %u pictures; calibration error %.4f, was %.4f",
                   (double)r->calibration.rule.temperature, r->calibration.rule.pictures,
                   r->calibration.after.ece, r->calibration.before.ece);
    else
        html_fact(f, "calibration", "none");
    html_facts_end(f);
    html_section_end(f);
}

static int test(const run *r, const settings *s, FILE *f)
{
    judge_report j;
    if (!r->test)
        return EXIT_DONE;
    const int code = judge_report_new(&j, r->test, (const char *const *)r->parts.classes, REPLICATES, 0,
                                      s->train.threads);
    if (code != EXIT_DONE)
        return code;
    html_section(f, "test", "Test");
    html_note(f, NULL, "Pictures that had no part in training or in choosing the best epoch.");
    html_summary(f, &j);
    html_classes(f, &j);
    html_confusion(f, &j);
    html_section_end(f);
    judge_report_free(&j);
    return EXIT_DONE;
}

static void provenance(const run *r, const settings *s, FILE *f)
{
    ecg_verify_report file = ECG_VERIFY_REPORT_INIT;
    const int there = ecg_model_verify(s->output, NULL, NULL, &file, NULL) == ECG_OK;
    const size_t n = ecg_spec_print(r->spec, NULL, 0) + 1;
    char *text = malloc(n);
    if (text)
        ecg_spec_print(r->spec, text, n);
    html_section(f, "provenance", "Provenance");
    html_facts(f);
    html_fact(f, "model file", s->output);
    if (there) {
        html_factf(f, "bytes", "%llu", (unsigned long long)file.bytes);
        fputs("<dt>SHA-256</dt><dd><code>", f);
        html_text(f, file.sha256);
        fputs("</code></dd>\n", f);
    } else {
        html_fact(f, "state", "there is no whole model file");
    }
    html_fact(f, "library", ecg_build_info());
    fputs("<dt>network</dt><dd><code>", f);
    html_text(f, text ? text : "?");
    fputs("</code></dd>\n", f);
    html_facts_end(f);
    html_section_end(f);
    free(text);
}

int report_write(const run *r, const settings *s)
{
    whole w;
    int code = whole_open(&w, s->report);
    if (code != EXIT_DONE)
        return code;
    html_begin(w.f, "Training of a heartbeat classifier", s->output);
    summary(r, s, w.f);
    curves(&r->log, w.f);
    code = test(r, s, w.f);
    data(r, s, w.f);
    network(r, s, w.f);
    options(r, s, w.f);
    provenance(r, s, w.f);
    html_end(w.f);
    return whole_close(&w, code);
}
