/* From a folder of pictures to a model file: what ecg-train and ecg-train-mpi do. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/augmenting.h"
#include "common/calibrating.h"
#include "common/fitlog.h"
#include "common/gating.h"
#include "common/judge.h"
#include "common/keeping.h"
#include "common/network.h"
#include "common/parts.h"
#include "common/profile.h"
#include "common/recipe.h"
#include "common/start.h"
#include "common/whole.h"
#include "ecgcnn/ecgcnn.h"
#include "train/run.h"

/* What all ranks have done: the same code on each, an error if there was one anywhere. */
static int together(const run *r, int code)
{
    return r->team ? r->team->together(r->team->payload, code) : code;
}

static int leads(const run *r)
{
    return !r->team || r->team->rank == 0;
}

/* Can MODEL be written, as far as one can know before training? */
static int check_output(const char *path)
{
    struct stat st;
    const size_t n = strlen(path) + 32;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return tool_fail("%s: cannot be written: not a regular file", path);
    /* Replacing it would need the folder's permission only: a model that is read-only is meant to stay. */
    if (access(path, W_OK) != 0 && errno != ENOENT)
        return tool_fail("%s: cannot be written: %s", path, strerror(errno));
    char *probe = malloc(n);
    if (!probe)
        return tool_fail("out of memory");
    snprintf(probe, n, "%s.probe-%ld", path, (long)getpid());
    const int fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const int why = errno;
    if (fd >= 0) {
        close(fd);
        unlink(probe);
    }
    free(probe);
    return fd >= 0 ? EXIT_DONE : tool_fail("%s: cannot be written: %s", path, strerror(why));
}

/* ---- Preparing ---- */
static int prepare(run *r, const settings *s)
{
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    ecg_error err = {0};
    uint32_t channels = !s->color ? 0 : strcmp(s->color, "rgb") == 0 ? 3 : 1;
    opt_size size = s->size;
    int code = recipe_for_training(&r->recipe, s->data.dir, s->net, &size, &channels);
    if (code == EXIT_DONE)
        code = network_read(&r->spec, s->net, size.h, size.w, channels, r->parts.class_count);
    if (code != EXIT_DONE)
        return code;
    const ecg_shape in = ecg_spec_input(r->spec);
    if (in.c != 1 && in.c != 3)
        return tool_fail("--net: the network reads %u channels, pictures have 1 (gray) or 3 (rgb)", in.c);
    if (ecg_spec_outputs(r->spec) != r->parts.class_count)
        return tool_fail("--net: the network has %u outputs, the pictures %u classes",
                         ecg_spec_outputs(r->spec), r->parts.class_count);
    p.h = in.h;
    p.w = in.w;
    p.color = in.c == 3 ? ECG_COLOR_RGB : ECG_COLOR_GRAY;
    p.rescale = s->rescale;
    if (ecg_profile_parse(&p.profile, s->profile) != ECG_OK)
        return tool_fail("this library knows no profile '%s'", s->profile);
    p.filter = p.profile == ECG_PROFILE_KERAS ? ECG_FILTER_NEAREST : ECG_FILTER_BILINEAR;
    if (s->filter && ecg_filter_parse(&p.filter, s->filter) != ECG_OK)
        return tool_fail("this library knows no filter '%s'", s->filter);
    const ecg_status status = ecg_preprocess_check(&r->prep, &p, &err);
    return status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
}

static int load(ecg_loader **out, const run *r, const part *p, const settings *s, const char *label)
{
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = s->train.threads;
    o.skip_bad = s->skip_bad;
    o.cache_bytes = s->cache;
    if (p == &r->parts.train) {
        o.augment = &s->augmenting;
        o.seed = s->train.seed;
        o.balance = s->balance;
    }
    const int code = judge_load(out, p->data, p->index, p->count, &r->prep, &o, (int)s->quiet, label);
    if (code == EXIT_DONE && !s->quiet && ecg_loader_cached(*out) < ecg_loader_count(*out))
        fprintf(stderr, "note: %zu of %zu %s stay in memory, the others are decoded in each epoch\n",
                ecg_loader_cached(*out), ecg_loader_count(*out), label);
    return tool_interrupted() ? EXIT_INTERRUPTED : code; /* nothing is lost: no file was touched */
}

/* Learn from the training pictures how all are to be standardised. */
static int standardize(run *r, const settings *s)
{
    const ecg_standardize_fit_options *o = &s->standardizing;
    ecg_error err = {0};
    if (!(o->samplewise_center | o->samplewise_std | o->featurewise_center | o->featurewise_std | o->zca))
        return EXIT_DONE;
    const size_t values = (size_t)r->prep.h * r->prep.w * (size_t)r->prep.color;
    if (o->zca && values <= ECG_ZCA_MAX) {
        r->zca = malloc(values * values * sizeof *r->zca);
        if (!r->zca)
            return tool_fail("out of memory");
        if (!s->quiet)
            fprintf(stderr, "whitening: a matrix of %zu x %zu from %zu pictures\n", values, values,
                    ecg_loader_count(r->train));
    }
    ecg_status status = ecg_loader_fit(r->train, o, r->zca, &r->prep, &err);
    if (status == ECG_OK)
        status = ecg_loader_preprocess(r->train, &r->prep, &err);
    if (status == ECG_OK)
        status = ecg_loader_preprocess(r->val, &r->prep, &err);
    return status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
}

/* n / (classes * n of the class), as scikit-learn's class_weight="balanced". */
static int balance(run *r)
{
    const uint32_t classes = r->parts.class_count;
    const size_t n = ecg_loader_count(r->train);
    size_t *counts = calloc(classes, sizeof *counts);
    r->class_weights = calloc(classes, sizeof *r->class_weights);
    if (!counts || !r->class_weights) {
        free(counts);
        return tool_fail("out of memory");
    }
    for (size_t i = 0; i < n; i++)
        counts[ecg_dataset_label(r->parts.train.data, ecg_loader_index(r->train, i))]++;
    for (uint32_t i = 0; i < classes; i++)
        r->class_weights[i] = counts[i] ? (float)((double)n / ((double)classes * (double)counts[i])) : 1.0f;
    free(counts);
    return EXIT_DONE;
}

/* ---- Training ---- */
enum { META_ENTRIES = 20 };
typedef struct meta {
    char text[META_ENTRIES][64];
    const char *list[2 * META_ENTRIES + 1];
    size_t count;
} meta;

__attribute__((format(printf, 3, 4))) static void note(meta *m, const char *key, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(m->text[m->count], sizeof m->text[0], fmt, args);
    va_end(args);
    m->list[2 * m->count] = key;
    m->list[2 * m->count + 1] = m->text[m->count];
    m->count++;
}

/* Provenance. No time, path or number of threads: the same training gives the same bytes. */
static void note_all(meta *m, const run *r, const settings *s)
{
    const ecg_train_options *t = &s->train;
    note(m, "tool", "ecg-train %s", ecg_version());
    note(m, "net", "%s", network_name(s->net));
    note(m, "seed", "%llu", (unsigned long long)t->seed);
    note(m, "epochs", "%u", t->epochs);
    note(m, "batch", "%u", t->batch);
    note(m, "optimizer", "%s", s->optimizer);
    note(m, "lr", "%.9g", (double)t->lr);
    note(m, "schedule", "%s", s->schedule);
    note(m, "class_weight", "%s", s->class_weight);
    note(m, "augment", "%s", "");
    m->list[2 * m->count - 1] = r->augment; /* may be long */
    if (r->recipe) {
        note(m, "recipe", "%s", "");
        m->list[2 * m->count - 1] = r->recipe;
    }
    if (s->balance)
        note(m, "balance", "classes evenly");
    note(m, "train_pictures", "%zu", ecg_loader_count(r->train));
    note(m, "val_pictures", "%zu", ecg_loader_count(r->val));
    note(m, "val_chosen", "%s", r->parts.how);
    if (s->data.group_pattern)
        note(m, "val_groups", "pattern %s", s->data.group_pattern);
    else if (s->data.group_column)
        note(m, "val_groups", "column %s", s->data.group_column);
    if (r->parts.fraction > 0)
        note(m, "val_fraction", "%.9g", r->parts.fraction);
    if (r->team && r->team->ranks > 1 && t->reduce == ECG_REDUCE_FAST)
        note(m, "ranks", "%u, whose gradients were summed in any order", r->team->ranks);
}

static int fit(run *r, const settings *s)
{
    meta m = {.count = 0};
    ecg_error err = {0};
    note_all(&m, r, s);
    const ecg_model_info info = {sizeof info, &r->prep, r->parts.classes, m.list};
    const ecg_source train = ecg_loader_source(r->train), val = ecg_loader_source(r->val);
    keeping keep;
    keeping_start(&keep, s, r->train, r->val, r->augment, r->parts.how);
    fitlog_open(&r->log, leads(r) ? s->history : NULL, s->train.epochs, ecg_loader_count(r->train),
                (int)s->quiet);
    ecg_fit_hooks hooks = fitlog_hooks(&r->log);
    hooks.checkpoint = &keep.options;
    const ecg_status status = ecg_trainer_fit(r->trainer, &train, &val, &info, s->output, &hooks, &err);
    const int code = fitlog_close(&r->log);
    if (status == ECG_OK)
        return code;
    r->interrupted = status == ECG_ECANCELLED && !r->log.not_begun;
    return keeping_end(s, &r->log, status, &err);
}

static int train(run *r, settings *s)
{
    ecg_error err = {0};
    profile_run profile = {.started = progress_clock()};
    int code = load(&r->train, r, &r->parts.train, s, "training pictures");
    if (code == EXIT_DONE)
        code = load(&r->val, r, &r->parts.val, s, "validation pictures");
    if (code == EXIT_DONE)
        code = standardize(r, s);
    if (code == EXIT_DONE && strcmp(s->class_weight, "balanced") == 0)
        code = balance(r);
    s->train.class_weights = r->class_weights;
    if (code == EXIT_DONE) {
        const ecg_status status = ecg_trainer_new(&r->trainer, r->spec, &s->train, &err);
        if (status != ECG_OK)
            code = tool_error(status, &err);
    }
    code = together(r, code);
    if (code != EXIT_DONE)
        return code;
    profile = (profile_run){r->trainer, r->train, r->spec, profile.started, progress_clock()};
    if (s->profiling)
        code = profile_begin(&profile);
    if (code == EXIT_DONE)
        code = fit(r, s);
    if (s->profiling && leads(r))
        profile_print(&profile, stderr);
    ecg_trainer_free(r->trainer);
    r->trainer = NULL;
    return code;
}

/* The best model's temperature, on validation pictures; those of patients who trained are left out where
 * others are there. */
static int calibrate(run *r, const settings *s)
{
    const part *val = &r->parts.val, *trained = &r->parts.train;
    ecg_model *model = NULL;
    ecg_error err = {0};
    untrained u;
    const ecg_status status = ecg_model_load(&model, s->output, NULL, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    int code = untrained_pictures(&u, val->data, val->index, val->count, trained->data, trained->index,
                                  trained->count);
    if (code == EXIT_DONE) {
        const calibrating job = {.data = val->data,
                                 .index = u.index,
                                 .count = u.count,
                                 .apart = u.apart,
                                 .max_error = -1,
                                 .coverage = -1,
                                 .threads = s->train.threads,
                                 .skip_bad = s->skip_bad,
                                 .quiet = (int)s->quiet,
                                 .output = s->output};
        code = calibrating_run(&r->calibration, model, &job);
        if (code == EXIT_DONE && !r->calibration.fitted && !s->quiet)
            tool_warn("note: not calibrated: %s", r->calibration.why.message);
    }
    free(u.index);
    ecg_model_free(model);
    return tool_interrupted() ? EXIT_INTERRUPTED : code; /* the model is there, as it was trained */
}

/* What the best model knows: its gate, from the pictures that trained it and those that chose it. */
static int learn_gate(const run *r, const settings *s)
{
    const part *val = &r->parts.val, *trained = &r->parts.train;
    ecg_model *model = NULL;
    ecg_error err = {0};
    int written;
    const ecg_status status = ecg_model_load(&model, s->output, NULL, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    const gating job = {.train = {trained->data, trained->index, trained->count},
                        .held_out = {val->data, val->index, val->count},
                        .threads = s->train.threads,
                        .skip_bad = s->skip_bad,
                        .quiet = (int)s->quiet,
                        .output = s->output};
    const int code = gating_run(&written, model, &job);
    ecg_model_free(model);
    return tool_interrupted() ? EXIT_INTERRUPTED : code;
}

/* The best model, as it was written, on pictures that had no part in choosing it. */
static int report_test(run *r, const settings *s)
{
    ecg_model *model = NULL;
    ecg_error err = {0};
    if (!r->parts.test.data)
        return EXIT_DONE;
    const ecg_status status = ecg_model_load(&model, s->output, NULL, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    const judge_job job = {.model = model,
                           .data = r->parts.test.data,
                           .index = r->parts.test.index,
                           .count = r->parts.test.count,
                           .threads = s->train.threads,
                           .skip_bad = s->skip_bad,
                           .quiet = (int)s->quiet};
    const int code = judge_run(&r->test, &job);
    ecg_model_free(model);
    return tool_interrupted() ? EXIT_INTERRUPTED : code; /* the model is there, whatever became of the test */
}

static int show_preview(const run *r, const settings *s)
{
    const preview v = {.path = s->preview,
                       .parts = &r->parts,
                       .prep = &r->prep,
                       .augment = &s->augmenting,
                       .seed = s->train.seed,
                       .threads = s->train.threads,
                       .skip_bad = s->skip_bad,
                       .quiet = (int)s->quiet};
    return augmenting_preview(&v);
}

static int check_files(const settings *s)
{
    int code = check_output(s->output);
    if (code == EXIT_DONE && s->checkpoint)
        code = check_output(s->checkpoint);
    if (code == EXIT_DONE && s->report)
        code = whole_check(s->report);
    return code;
}

/* With the best model, when training is over. */
static int finish(run *r, const settings *s, int code)
{
    if (code == EXIT_DONE && s->calibrate)
        code = calibrate(r, s);
    if (code == EXIT_DONE && s->gate)
        code = learn_gate(r, s);
    if (code == EXIT_DONE)
        code = report_test(r, s);
    const int began = r->log.started > 0;
    if (began && (code == EXIT_DONE || code == EXIT_INTERRUPTED)) {
        result_print(r, s);
        const int reported = s->report ? report_write(r, s) : EXIT_DONE;
        code = code == EXIT_DONE ? reported : code;
    }
    return code;
}

static int work(run *r, settings *s)
{
    int code = s->summary || s->preview || !leads(r) ? EXIT_DONE : check_files(s);
    if (code == EXIT_DONE)
        code = parts_open(&r->parts, &s->data);
    if (code == EXIT_DONE)
        code = prepare(r, s);
    code = together(r, code);
    if (code != EXIT_DONE || (!leads(r) && (s->summary || s->preview)))
        return code;
    if (s->summary) {
        (s->json ? network_json : network_print)(r->spec, stdout);
        return EXIT_DONE;
    }
    if (!s->quiet) {
        if (!s->preview)
            network_print(r->spec, stderr);
        result_data(&r->parts);
    }
    if (leads(r))
        augmenting_notes(&s->augmenting);
    if (s->preview)
        return show_preview(r, s);
    r->augment = augmenting_text(&s->augmenting);
    if (!r->augment)
        return tool_fail("out of memory");
    code = train(r, s);
    return leads(r) ? finish(r, s, code) : code;
}

int train_work(settings *s, const team *t)
{
    run r = {.team = t};
    const int code = together(&r, work(&r, s));
    ecg_metrics_free(r.test);
    ecg_trainer_free(r.trainer);
    ecg_loader_free(r.train);
    ecg_loader_free(r.val);
    free(r.log.seen);
    free(r.class_weights);
    free(r.zca);
    free(r.augment);
    free(r.recipe);
    ecg_spec_free(r.spec);
    parts_free(&r.parts);
    return code;
}
