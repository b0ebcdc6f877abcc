/* ecg-eval: how good a model is on a folder of pictures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/judge.h"
#include "common/known.h"
#include "common/opts.h"
#include "common/parts.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/ecgcnn.h"

typedef struct settings {
    const char *model, *csv, *dir;
    uint32_t json, ignore_unknown, skip_bad, threads, quiet;
} settings;

static const char about[] =
    "Runs a model over pictures of known class, one folder per class, and prints figures per class, "
    "accuracy, macro "
    "F1, loss and the confusion matrix. Where DATA has train/ and test/, test/ is what is evaluated; where a "
    "manifest gives pictures to the split 'test', those are.";

static int read_options(settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"model", 'm', "MODEL", OPT_STRING, &s->model, .init = "the environment variable ECG_MODEL",
         .help = "model file"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print the figures as one JSON object"},
        {"csv", 0, "FILE", OPT_STRING, &s->csv, .help = "write a line for each picture"},
        {"ignore-unknown", 0, NULL, OPT_FLAG, &s->ignore_unknown,
         .help = "leave out class folders that the model does not know"},
        {"skip-bad", 0, NULL, OPT_FLAG, &s->skip_bad, .help = "leave out pictures that cannot be read"},
        {"threads", 0, "N", OPT_UINT, &s->threads, 1, 256, .init = "one per core", .help = "threads to use"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet,
         .help = "print warnings and errors only, beside the figures"},
    };
    const opt_command command = {
        "ecg-eval",
        "-m MODEL DATA [options]",
        about,
        rows,
        OPT_COUNT(rows),
        1,
        1,
        "A figure whose denominator is zero is printed as '-', and as null with --json."};
    const int code = opts_parse(&command, argc, argv);
    s->dir = argv[1];
    return code;
}

/* ---- Pictures ---- */
typedef struct pictures {
    char *folder; /* DATA/test, or NULL */
    ecg_dataset *data;
    uint32_t *index; /* NULL: all */
    size_t count;
} pictures;

static int open_dataset(pictures *p, const settings *s, const ecg_model *m, const char *dir)
{
    const uint32_t classes = ecg_model_classes(m);
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    const char **names = calloc(classes, sizeof *names);
    if (!names)
        return tool_fail("out of memory");
    for (uint32_t i = 0; i < classes; i++)
        names[i] = ecg_model_class(m, i);
    o.classes = names;
    o.class_count = classes;
    o.ignore_unknown = s->ignore_unknown;
    const int code = known_open(&p->data, dir, &o, NULL);
    free(names);
    return code;
}

static int open_pictures(pictures *p, const settings *s, const ecg_model *m)
{
    char *train = parts_folder(s->dir, "train");
    p->folder = train ? parts_folder(s->dir, "test") : NULL;
    free(train);
    const char *dir = p->folder ? p->folder : s->dir;
    const int code = open_dataset(p, s, m, dir);
    if (code != EXIT_DONE)
        return code;
    p->count = ecg_dataset_samples(p->data);
    size_t tests;
    p->index = parts_of_manifest(p->data, "test", &tests);
    if (p->index)
        p->count = tests;
    if (p->folder && !s->quiet)
        fprintf(stderr, "evaluating %s\n", p->folder);
    if (p->index && !s->quiet)
        fprintf(stderr, "evaluating the %zu pictures that the manifest gives to the split 'test'\n", tests);
    if (s->ignore_unknown && ecg_dataset_ignored(p->data))
        tool_warn("%s: %zu class folders that the model does not know are left out", dir,
                  ecg_dataset_ignored(p->data));
    return EXIT_DONE;
}

/* ---- A line for each picture ---- */
typedef struct table {
    FILE *f; /* NULL: none wanted */
    const char *path;
    const ecg_model *model;
} table;

static int table_open(table *t, const char *path, const ecg_model *m)
{
    *t = (table){NULL, path, m};
    if (!path)
        return EXIT_DONE;
    errno = 0;
    t->f = fopen(path, "w");
    if (!t->f)
        return tool_fail("%s: %s", path, strerror(errno));
    fputs("image,truth,predicted,status", t->f);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        char name[1024];
        snprintf(name, sizeof name, "p:%s", ecg_model_class(m, i));
        fputc(',', t->f);
        text_csv_string(t->f, name);
    }
    fputc('\n', t->f);
    return EXIT_DONE;
}

static void table_row(void *payload, const ecg_sample *s, const float *probs)
{
    table *t = payload;
    const uint32_t classes = ecg_model_classes(t->model);
    const char *fields[] = {s->name, ecg_model_class(t->model, s->label),
                            ecg_model_class(t->model, judge_best(probs, classes)),
                            judge_status(probs, classes)};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (i)
            fputc(',', t->f);
        text_csv_string(t->f, fields[i]);
    }
    for (uint32_t i = 0; i < classes; i++) {
        fputc(',', t->f);
        text_csv_number(t->f, (double)probs[i]);
    }
    fputc('\n', t->f);
}

static int table_close(table *t)
{
    if (!t->f)
        return EXIT_DONE;
    errno = 0;
    const int had_failed = ferror(t->f), failed = fclose(t->f) != 0;
    t->f = NULL;
    if (!had_failed && !failed)
        return EXIT_DONE;
    return tool_fail("%s: cannot be written: %s", t->path, strerror(errno ? errno : EIO));
}

/* ---- Figures ---- */
static int print_figures(const ecg_metrics *metrics, const ecg_model *m, const settings *s)
{
    judge_report r;
    const uint32_t classes = ecg_model_classes(m);
    const int code = judge_report_new(&r, metrics, classes);
    if (code != EXIT_DONE)
        return code;
    if (s->json)
        judge_json(&r, m, stdout);
    else
        judge_print(&r, m, stdout);
    for (uint32_t i = 0; i < classes; i++)
        if (r.cls[i].support == 0)
            tool_warn("class '%s' has no pictures and is left out of averages", ecg_model_class(m, i));
    if (!s->quiet && !s->json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    judge_report_free(&r);
    return EXIT_DONE;
}

static int evaluate(ecg_model *m, const void *read)
{
    const settings *s = read;
    pictures p = {NULL, NULL, NULL, 0};
    table csv = {NULL, NULL, NULL};
    ecg_metrics *metrics = NULL;
    int code = open_pictures(&p, s, m);
    if (code == EXIT_DONE)
        code = table_open(&csv, s->csv, m);
    if (code == EXIT_DONE) {
        const judge_job job = {.model = m,
                               .data = p.data,
                               .index = p.index,
                               .count = p.count,
                               .threads = s->threads,
                               .skip_bad = s->skip_bad,
                               .quiet = (int)s->quiet,
                               .answer = csv.f ? table_row : NULL,
                               .payload = &csv};
        code = judge_run(&metrics, &job);
    }
    const int written = table_close(&csv);
    if (code == EXIT_DONE)
        code = written;
    if (code == EXIT_DONE)
        code = print_figures(metrics, m, s);
    if (metrics)
        ecg_metrics_free(metrics);
    if (p.data)
        ecg_dataset_free(p.data);
    free(p.index);
    free(p.folder);
    return code;
}

int main(int argc, char **argv)
{
    settings s = {.model = NULL};
    tool_start("ecg-eval", argv);
    const int code = read_options(&s, &argc, argv);
    return tool_run_model(code, s.model, evaluate, &s);
}
