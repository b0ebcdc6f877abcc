/* ecg-eval: how good a model is on a folder of pictures. */
#include <stdlib.h>
#include <string.h>

#include "common/opts.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/ecgcnn.h"
#include "eval/eval.h"
#include "eval/page.h"
#include "eval/record.h"
#include "eval/table.h"

static const char about[] =
    "Runs a model over pictures of known class, one folder per class, and prints figures per class and of "
    "all "
    "pictures with their confidence intervals, and the confusion matrix. Where DATA has train/ and test/, "
    "test/ "
    "is what is evaluated; where a manifest gives pictures to the split 'test', those are.\n\n"
    "With --merge, takes the files of several evaluations (folds, say) together. With --calibrate, fits the "
    "model's probabilities on validation pictures (val/ beside train/, the manifest's split 'val', or all of "
    "DATA) and keeps that in the model file.";

static int check(const settings *s)
{
    if (!s->merge && s->args > 1)
        return opts_wrong("ecg-eval", "unexpected argument '%s'", s->arg[1]);
    if (s->merge && (s->calibrate || s->csv || s->model || s->train || s->html || s->card))
        return opts_wrong("ecg-eval", "--merge reads CSV files only: not with --model, --calibrate, --csv, "
                                      "--html, --card, --train");
    if (s->calibrate && (s->html || s->card))
        return opts_wrong("ecg-eval", "--html and --card belong to an evaluation, not to --calibrate");
    if (s->max_error >= 0 && s->coverage >= 0)
        return opts_wrong("ecg-eval", "--max-error or --coverage, not both");
    if (s->gates && (s->calibrate || s->merge || s->csv || s->json || s->html || s->card))
        return opts_wrong("ecg-eval", "--gates goes alone: not with --calibrate, --merge, --csv, --json, "
                                      "--html, --card");
    if (!s->calibrate && ((s->output && !s->gates) || s->max_error >= 0 || s->coverage >= 0))
        return opts_wrong(
            "ecg-eval",
            "--output, --max-error and --coverage belong to --calibrate (--output to --gates too)");
    return OPTS_GO;
}

static int read_options(settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"model", 'm', "MODEL", OPT_STRING, &s->model, .init = "the environment variable ECG_MODEL",
         .help = "model file"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print the figures as one JSON object"},
        {"csv", 0, "FILE", OPT_STRING, &s->csv, .help = "write a line for each picture"},
        {"html", 0, "FILE", OPT_STRING, &s->html,
         .help = "write a report: one page that needs no other file, with curves and pictures"},
        {"card", 0, "FILE", OPT_STRING, &s->card,
         .help = "write a model card, in Markdown, of the same figures"},
        {"bootstrap", 0, "N", OPT_UINT, &s->bootstrap, 0, 100000,
         .help = "draws for the confidence intervals; 0: none"},
        {"seed", 0, "N", OPT_UINT64, &s->seed, .help = "seed of those draws"},
        {"ignore-unknown", 0, NULL, OPT_FLAG, &s->ignore_unknown,
         .help = "leave out class folders that the model does not know"},
        {"train", 0, "DIR", OPT_STRING, &s->train,
         .help = "the pictures that trained the model: finds copies of them, exact and near, and prints the "
                 "figures without those too; with --calibrate, leaves their patients out"},
        {"patient-pattern", 0, "REGEX", OPT_STRING, &s->patient_pattern,
         .help =
             "the patient is what the first parenthesis finds in a picture's name (POSIX extended, on the "
             "path in DATA)"},
        {"skip-bad", 0, NULL, OPT_FLAG, &s->skip_bad, .help = "leave out pictures that cannot be read"},
        {"merge", 0, NULL, OPT_FLAG, &s->merge,
         .help = "the arguments are files of --csv: figures of all their pictures together"},
        {"threads", 0, "N", OPT_UINT, &s->threads, 1, 256, .init = "one per core", .help = "threads to use"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet,
         .help = "print warnings and errors only, beside the figures"},
        {"Calibrating", .kind = OPT_HEADING},
        {"calibrate", 0, NULL, OPT_FLAG, &s->calibrate,
         .help = "fit the temperature of the model's probabilities and write it to the model file"},
        {"gates", 0, NULL, OPT_FLAG, &s->gates,
         .help =
             "learn what the training pictures look like (--train, or train/ beside val/), so that what is "
             "no ECG is refused (status 'not_ecg'), and write it to the model file"},
        {"output", 'o', "MODEL", OPT_STRING, &s->output, .init = "the model itself",
         .help = "write the calibrated model here"},
        {"max-error", 0, "F", OPT_REAL, &s->max_error, 0, 1, OPT_BELOW, .init = "",
         .help = "choose the threshold below which an answer is 'uncertain', so that at most this share of "
                 "the others is wrong"},
        {"coverage", 0, "F", OPT_REAL, &s->coverage, 0, 1, OPT_ABOVE, .init = "",
         .help = "choose it so that at least this share of the pictures is answered"},
    };
    const opt_command command = {
        "ecg-eval",
        "-m MODEL DATA [options]",
        about,
        rows,
        OPT_COUNT(rows),
        1,
        -1,
        "A figure whose denominator is zero is printed as '-', and as null with --json.\n\n"
        "ecg-eval --record RECORD compares two annotation files of a recording beat by beat: see --record "
        "--help."};
    const int code = opts_parse(&command, argc, argv);
    s->arg = argv + 1;
    s->args = (size_t)(*argc - 1);
    return code == OPTS_GO ? check(s) : code;
}

/* ---- Figures ---- */
static int print_json(const judge_report *r, const ecg_metrics *accepted, int (*more)(void *ctx, FILE *f),
                      void *ctx)
{
    int code = EXIT_DONE;
    const double all = (double)ecg_metrics_count(r->metrics);
    putchar('{');
    judge_json(r, stdout);
    judge_json_figure(stdout, "coverage", accepted ? (double)ecg_metrics_count(accepted) / all : 1.0);
    fputs(",\"accepted\":", stdout);
    if (accepted)
        code = judge_json_brief(accepted, stdout);
    else
        fputs("null", stdout);
    if (more && code == EXIT_DONE)
        code = more(ctx, stdout);
    puts("}");
    return code;
}

static int print_text(const judge_report *r, const ecg_metrics *accepted, int (*more)(void *ctx, FILE *f),
                      void *ctx)
{
    judge_print(r, stdout);
    if (accepted) {
        printf("\nanswered: %.2f %%, the others are uncertain or no ECG\n",
               100.0 * (double)ecg_metrics_count(accepted) / (double)ecg_metrics_count(r->metrics));
        judge_print_brief(accepted, "of the answers", stdout);
    }
    return more ? more(ctx, stdout) : EXIT_DONE;
}

int eval_print(const ecg_metrics *all, const char *const *names, const ecg_metrics *accepted,
               const settings *s, int (*more)(void *ctx, FILE *f), void *ctx, const eval_page *page)
{
    judge_report r;
    int code = judge_report_new(&r, all, names, s->bootstrap, s->seed, s->threads);
    if (code != EXIT_DONE)
        return code;
    code = s->json ? print_json(&r, accepted, more, ctx) : print_text(&r, accepted, more, ctx);
    for (uint32_t i = 0; i < r.classes; i++)
        if (r.cls[i].support == 0)
            tool_warn("class '%s' has no pictures and is left out of averages", names[i]);
    if (code == EXIT_DONE && page)
        code = eval_pages(&r, page);
    if (!s->quiet && !s->json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    judge_report_free(&r);
    return code;
}

/* What is noted of each answer. */
typedef struct notes {
    table csv;
    const ecg_dataset *data;
    uint32_t *answered; /* [pictures] samples, in order */
    uint8_t *answer;    /* [pictures] ecg_answer, likewise */
    size_t count, refused;
} notes;

/* The pictures that get an answer; *out is NULL where the model refuses none whatever they are. */
static int take_accepted(ecg_metrics **out, const ecg_model *m, const ecg_metrics *all, const notes *n)
{
    *out = NULL;
    if (!(ecg_model_rule(m)->threshold > 0) && !ecg_model_gate(m))
        return EXIT_DONE;
    ecg_status s = ecg_metrics_new(out, ecg_model_classes(m));
    for (uint64_t i = 0; s == ECG_OK && i < ecg_metrics_count(all); i++) {
        const ecg_metrics_case c = ecg_metrics_at(all, i);
        if (n->answer[i] == ECG_ANSWER_OK)
            s = ecg_metrics_add_patient(*out, c.truth, c.probs, c.patient);
    }
    return s == ECG_OK ? EXIT_DONE : tool_fail("%s", ecg_status_text(s));
}

static void take_note(void *payload, size_t i, const float *probs, const ecg_decision *d)
{
    notes *n = payload;
    n->answer[n->count] = (uint8_t)d->answer;
    n->refused += d->answer == ECG_ANSWER_NOT_ECG;
    n->answered[n->count++] = (uint32_t)i;
    if (n->csv.f)
        table_row(&n->csv, n->data, i, probs, d);
}

static int run(ecg_model *m, const settings *s, const pictures *p, ecg_metrics **out, notes *n)
{
    n->data = p->data;
    n->answered = calloc(p->count ? p->count : 1, sizeof *n->answered);
    n->answer = calloc(p->count ? p->count : 1, sizeof *n->answer);
    if (!n->answered || !n->answer)
        return tool_fail("out of memory");
    int code = table_open(&n->csv, s->csv, m, ecg_dataset_has_groups(p->data));
    if (code != EXIT_DONE)
        return code;
    const judge_job job = {.model = m,
                           .data = p->data,
                           .index = p->index,
                           .count = p->count,
                           .threads = s->threads,
                           .skip_bad = s->skip_bad,
                           .quiet = (int)s->quiet,
                           .answer = take_note,
                           .payload = n};
    code = judge_run(out, &job);
    const int written = table_close(&n->csv);
    return code == EXIT_DONE ? written : code;
}

typedef struct extra {
    leaks found;
    int json, leaks, gated;
    size_t refused; /* by the gate */
} extra;

static int print_extra(void *ctx, FILE *f)
{
    const extra *e = ctx;
    if (e->json && e->gated)
        fprintf(f, ",\"not_ecg\":%zu", e->refused);
    else if (e->gated)
        fprintf(f, "no ECG, by the model's gate: %zu pictures\n", e->refused);
    return e->leaks ? leaks_print(&e->found, e->json, f) : EXIT_DONE;
}

static int evaluate(ecg_model *m, const void *read)
{
    const settings *s = read;
    if (s->calibrate)
        return eval_calibrate(m, s);
    if (s->gates)
        return eval_gates(m, s);
    pictures p = {0};
    notes n = {.count = 0};
    extra more = {.json = (int)s->json, .leaks = s->train != NULL, .gated = ecg_model_gate(m) != NULL};
    ecg_metrics *all = NULL, *accepted = NULL;
    eval_page page = {.model = m, .p = &p, .found = &more.found, .s = s};
    const char **names = judge_names(m);
    int code = eval_pages_check(s);
    if (code == EXIT_DONE)
        code = pictures_open(&p, s, m, "test", "evaluating");
    if (code == EXIT_DONE && !names)
        code = tool_fail("out of memory");
    if (code == EXIT_DONE)
        code = run(m, s, &p, &all, &n);
    if (code == EXIT_DONE) {
        judge_find_j(all, names);
        code = take_accepted(&accepted, m, all, &n);
        page.answered = n.answered;
        page.answer = n.answer;
        page.refused = n.refused;
        page.accepted = accepted;
    }
    more.refused = n.refused;
    if (code == EXIT_DONE && (s->train || s->html || s->card))
        code = leaks_find(&more.found, m, s, all, p.data, n.answered);
    if (code == EXIT_DONE)
        code = eval_print(all, names, accepted, s, print_extra, &more, &page);
    leaks_free(&more.found);
    free(n.answered);
    free(n.answer);
    ecg_metrics_free(all);
    ecg_metrics_free(accepted);
    pictures_free(&p);
    free(names);
    return code;
}

int main(int argc, char **argv)
{
    settings s = {.bootstrap = 1000, .max_error = -1, .coverage = -1};
    tool_start("ecg-eval", argv);
    if (record_wanted(argc, argv))
        return tool_finish(record_main(argc, argv));
    const int code = read_options(&s, &argc, argv);
    if (code == OPTS_GO && s.merge)
        return tool_finish(eval_merge(&s));
    return tool_run_model(code, s.model, evaluate, &s);
}
