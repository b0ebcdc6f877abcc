/* ecg-eval --html: an evaluation as one page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "common/paths.h"
#include "common/start.h"
#include "common/whole.h"
#include "ecgcnn/version.h"
#include "eval/page.h"

int eval_pages_check(const settings *s)
{
    const char *path[] = {s->html, s->card, s->csv, s->model};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = i + 1; k < sizeof path / sizeof path[0]; k++)
            if (path[i] && path[k] && paths_same(path[i], path[k]))
                return tool_fail("%s and %s are one file", path[i], path[k]);
    const int code = s->html ? whole_check(s->html) : EXIT_DONE;
    return code == EXIT_DONE && s->card ? whole_check(s->card) : code;
}

int eval_pages(const judge_report *r, const eval_page *about)
{
    eval_page e = *about;
    ecg_verify_report file = ECG_VERIFY_REPORT_INIT;
    ecg_error err = {0};
    if (!e.s->html && !e.s->card)
        return EXIT_DONE;
    e.r = r;
    e.model_path = tool_model(e.s->model);
    const ecg_status s = ecg_model_verify(e.model_path, NULL, NULL, &file, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    e.file = &file;
    int code = e.s->html ? page_write(&e, e.s->html) : EXIT_DONE;
    if (code == EXIT_DONE && e.s->card)
        code = card_write(&e, e.s->card);
    return code;
}

/* ---- Sections ---- */
static void item(void *ctx, const char *text)
{
    FILE *f = ctx;
    fputs("<li>", f);
    html_text(f, text);
    fputs("</li>\n", f);
}

static void measured(const eval_page *e, FILE *f)
{
    char text[512];
    const size_t patients = words_patients(e);
    html_section(f, "data", "What was measured");
    html_facts(f);
    html_fact(f, "model", e->model_path);
    html_fact(f, "pictures of", e->p->dir);
    html_factf(f, "pictures", "%llu%s", (unsigned long long)ecg_metrics_count(e->r->metrics),
               e->p->index    ? ", those that the manifest gives to the split 'test'"
               : e->p->folder ? ", the folder test beside train"
                              : ", all of the folder");
    if (patients)
        html_factf(f, "patients", "%zu", patients);
    else
        html_fact(f, "patients", ecg_dataset_has_groups(e->p->data) ? "named" : "not named");
    html_fact(f, "training pictures", words_split(e, text, sizeof text));
    html_fact(f, "answers", words_rule(e, text, sizeof text));
    html_facts_end(f);
    html_section_end(f);
}

/* ---- Figures of parts of the pictures ---- */
static void part(FILE *f, const char *name, const ecg_metrics *m)
{
    ecg_figures v;
    if (!m || ecg_metrics_figures(m, &v) != ECG_OK)
        return;
    html_row(f, name, NULL);
    html_count(f, ecg_metrics_count(m));
    const double figure[] = {v.accuracy, v.balanced_accuracy, v.macro.f1, v.kappa, v.loss, v.ece};
    for (size_t i = 0; i < sizeof figure / sizeof figure[0]; i++)
        html_cell(f, figure[i], 4);
    html_row_end(f);
}

static const char *const part_head[] = {"of",       "pictures", "accuracy", "balanced accuracy",
                                        "macro F1", "kappa",    "log loss", "ECE"};

static void audit(const eval_page *e, FILE *f)
{
    const leaks *l = e->found;
    html_section(f, "audit", "Audit");
    html_facts(f);
    html_factf(f, "blank", "%zu", l->blank);
    html_factf(f, "copies of another one", "%zu, exact or near", l->repeated);
    html_factf(f, "under two classes", "%zu sets of copies", l->conflicts);
    html_factf(f, "odd size, mode or background", "%zu", l->odd);
    if (e->s->train) {
        html_factf(f, "copies of training pictures", "%zu, exact or near", l->copies);
        if (l->strangers)
            html_factf(f, "of patients who trained", "%zu", l->known);
        else
            html_fact(f, "of patients who trained", "not known: patients are not named");
    }
    html_facts_end(f);
    if (!e->s->train) {
        html_note(f, "warn",
                  "The training pictures were not given (--train): whether any of these pictures, "
                  "or their patients, trained the model was not looked at.");
    } else {
        html_table(f, "With and without what the model has seen in training", part_head, 8);
        part(f, "all pictures", e->r->metrics);
        part(f, "without copies of training pictures", l->clean);
        part(f, "and without patients who trained", l->strangers);
        html_table_end(f);
    }
    html_section_end(f);
}

static void abstaining(const eval_page *e, FILE *f)
{
    char text[512];
    html_section(f, "abstaining", "Answers and abstaining");
    html_facts(f);
    html_fact(f, "rule", words_rule(e, text, sizeof text));
    if (e->accepted) {
        fputs("<dt>answered</dt><dd>", f);
        html_percent(f, (double)ecg_metrics_count(e->accepted) / (double)ecg_metrics_count(e->r->metrics), 2);
        fputs("</dd>\n", f);
    } else {
        html_fact(f, "answered", "every picture: the model has neither threshold nor gate");
    }
    if (ecg_model_gate(e->model))
        html_factf(f, "refused as no ECG", "%zu pictures", e->refused);
    else
        html_fact(f, "refused as no ECG", "none: the model has no gate");
    html_facts_end(f);
    if (e->accepted) {
        html_table(f, NULL, part_head, 8);
        part(f, "all pictures", e->r->metrics);
        part(f, "answered ones", e->accepted);
        html_table_end(f);
    }
    html_section_end(f);
}

static void provenance(const eval_page *e, FILE *f)
{
    char text[512];
    const ecg_spec *spec = ecg_model_spec(e->model);
    const size_t n = ecg_spec_print(spec, NULL, 0) + 1;
    char *network = malloc(n);
    if (network)
        ecg_spec_print(spec, network, n);
    html_section(f, "provenance", "Provenance");
    html_facts(f);
    html_fact(f, "model file", e->model_path);
    html_factf(f, "bytes", "%llu", (unsigned long long)e->file->bytes);
    fputs("<dt>SHA-256</dt><dd><code>", f);
    html_text(f, e->file->sha256);
    fputs("</code></dd>\n", f);
    html_factf(f, "format", "%u.%u", e->file->major, e->file->minor);
    html_fact(f, "library", ecg_build_info());
    fputs("<dt>network</dt><dd><code>", f);
    html_text(f, network ? network : "?");
    fputs("</code></dd>\n", f);
    html_factf(f, "parameters", "%llu", (unsigned long long)ecg_spec_params(spec));
    html_fact(f, "preprocessing", words_preprocess(e->model, text, sizeof text));
    html_facts_end(f);
    fputs("<h3>How the model was trained, as its file says</h3>\n", f);
    html_facts(f);
    const char *key, *value;
    size_t k = 0;
    for (; ecg_model_meta_at(e->model, k, &key, &value); k++)
        html_fact(f, key, value);
    html_facts_end(f);
    if (!k)
        html_note(f, "dim", "The model file says nothing of it.");
    html_section_end(f);
    free(network);
}

static void use(FILE *f)
{
    html_section(f, "use", "Intended use");
    fputs("<h3>For</h3>\n<ul>\n", f);
    for (size_t i = 0; words_for(i); i++)
        item(f, words_for(i));
    fputs("</ul>\n<h3>Not for</h3>\n<ul>\n", f);
    for (size_t i = 0; words_not_for(i); i++)
        item(f, words_not_for(i));
    fputs("</ul>\n", f);
    html_note(f, "notice", ECG_NOTICE);
    html_section_end(f);
}

static void links(FILE *f)
{
    static const char *const to[][2] = {
        {"data", "Data"},          {"classes", "Classes"},       {"confusion", "Confusion"},
        {"curves", "Curves"},      {"pictures", "Pictures"},     {"audit", "Audit"},
        {"abstaining", "Answers"}, {"provenance", "Provenance"}, {"use", "Intended use"},
    };
    fputs("<nav aria-label=\"Sections\">", f);
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
        fprintf(f, "<a href=\"#%s\">%s</a>", to[i][0], to[i][1]);
    fputs("</nav>\n", f);
}

static void findings(const eval_page *e, FILE *f)
{
    html_section(f, "summary", "Summary");
    html_summary(f, e->r);
    fputs("<h3>What to know before using it</h3>\n<ul>\n", f);
    words_findings(e, item, f);
    item(f, "The figures hold for pictures like these, not for other patients, leads or drawings.");
    fputs("</ul>\n", f);
    html_section_end(f);
}

int page_write(const eval_page *e, const char *path)
{
    whole w;
    char under[512];
    int code = whole_open(&w, path);
    if (code != EXIT_DONE)
        return code;
    FILE *f = w.f;
    snprintf(under, sizeof under, "%.200s on %.200s", e->model_path, e->p->dir);
    html_begin(f, "Evaluation of a heartbeat classifier", under);
    links(f);
    findings(e, f);
    measured(e, f);
    html_section(f, "classes", "Classes");
    html_classes(f, e->r);
    html_section_end(f);
    html_section(f, "confusion", "Confusion");
    html_confusion(f, e->r);
    html_section_end(f);
    page_curves(e, f);
    code = page_pictures(e, f);
    audit(e, f);
    abstaining(e, f);
    provenance(e, f);
    use(f);
    html_end(f);
    return whole_close(&w, code);
}
