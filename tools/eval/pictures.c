/* Which pictures are evaluated, and calibrating on them. */
#include <stdlib.h>
#include <string.h>

#include "common/calibrating.h"
#include "common/known.h"
#include "common/parts.h"
#include "common/start.h"
#include "eval/eval.h"

int pictures_dataset(ecg_dataset **out, const settings *s, const ecg_model *m, const char *dir)
{
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    const char **names = judge_names(m);
    if (!names)
        return tool_fail("out of memory");
    o.classes = names;
    o.class_count = ecg_model_classes(m);
    o.ignore_unknown = s->ignore_unknown;
    o.group_pattern = s->patient_pattern;
    const int code = known_open(out, dir, &o, NULL);
    free(names);
    return code;
}

int pictures_open(pictures *p, const settings *s, const ecg_model *m, const char *split, const char *doing)
{
    *p = (pictures){.dir = s->arg[0]};
    char *train = parts_folder(s->arg[0], "train");
    p->folder = train ? parts_folder(s->arg[0], split) : NULL;
    free(train);
    p->dir = p->folder ? p->folder : s->arg[0];
    const int code = pictures_dataset(&p->data, s, m, p->dir);
    if (code != EXIT_DONE)
        return code;
    p->count = ecg_dataset_samples(p->data);
    size_t some;
    p->index = parts_of_manifest(p->data, split, &some);
    if (p->index)
        p->count = some;
    if (p->folder && !s->quiet)
        fprintf(stderr, "%s %s\n", doing, p->folder);
    if (p->index && !s->quiet)
        fprintf(stderr, "%s the %zu pictures that the manifest gives to the split '%s'\n", doing, some,
                split);
    if (s->ignore_unknown && ecg_dataset_ignored(p->data))
        tool_warn("%s: %zu class folders that the model does not know are left out", p->dir,
                  ecg_dataset_ignored(p->data));
    return EXIT_DONE;
}

void pictures_free(pictures *p)
{
    ecg_dataset_free(p->data);
    free(p->index);
    free(p->folder);
}

/* ---- Calibrating ---- */

/* What trained the model, as far as it is known: --train, else what the manifest gives to the split 'train'.
 */
static int open_train(pictures *t, const settings *s, const ecg_model *m, const pictures *p)
{
    *t = (pictures){.dir = s->train};
    if (s->train) {
        const int code = pictures_dataset(&t->data, s, m, s->train);
        t->count = code == EXIT_DONE ? ecg_dataset_samples(t->data) : 0;
        if (code == EXIT_DONE && (t->index = parts_of_manifest(t->data, "train", &t->count)) == NULL)
            t->count = ecg_dataset_samples(t->data);
        return code;
    }
    t->index = parts_of_manifest(p->data, "train", &t->count);
    return EXIT_DONE;
}

int eval_calibrate(ecg_model *m, const settings *s)
{
    pictures p = {0}, t = {0};
    untrained u = {0};
    calibrated result;
    int code = pictures_open(&p, s, m, "val", "calibrating on");
    if (code == EXIT_DONE)
        code = open_train(&t, s, m, &p);
    const ecg_dataset *train = s->train ? t.data : t.index ? p.data : NULL;
    if (code == EXIT_DONE)
        code = untrained_pictures(&u, p.data, p.index, p.count, train, t.index, t.count);
    if (code == EXIT_DONE && u.dropped)
        tool_warn("%zu pictures of patients who trained the model are left out", u.dropped);
    if (code == EXIT_DONE) {
        const calibrating job = {.data = p.data,
                                 .index = u.index,
                                 .count = u.count,
                                 .apart = u.apart,
                                 .max_error = s->max_error,
                                 .coverage = s->coverage,
                                 .threads = s->threads,
                                 .skip_bad = s->skip_bad,
                                 .quiet = (int)s->quiet,
                                 .output = s->output ? s->output : tool_model(s->model)};
        code = calibrating_run(&result, m, &job);
        if (code == EXIT_DONE && !result.rule.pictures)
            code = tool_fail("not calibrated, %s was not written: %s", job.output, result.why.message);
        if (code == EXIT_DONE && s->json) {
            calibrating_json(&result, stdout);
            putchar('\n');
        } else if (code == EXIT_DONE) {
            printf("%s: temperature %.4g", job.output, (double)result.rule.temperature);
            if (result.rule.threshold > 0)
                printf(", answers below %.4g are uncertain", (double)result.rule.threshold);
            putchar('\n');
        }
    }
    free(u.index);
    pictures_free(&t);
    pictures_free(&p);
    return code;
}
