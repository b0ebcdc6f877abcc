/* ecg-eval --gates: a model's gate, learned again. */
#include <stdlib.h>

#include "common/gating.h"
#include "common/parts.h"
#include "common/start.h"
#include "eval/eval.h"

/* What trained the model: --train, the folder train/ of DATA, or what its manifest gives to the split
 * 'train'. t->count is 0 where that is not known. */
static int open_train(pictures *t, const settings *s, const ecg_model *m, const pictures *p)
{
    *t = (pictures){.dir = s->train};
    if (!s->train && p->folder)
        t->dir = t->folder = parts_folder(s->arg[0], "train");
    if (!t->dir) {
        t->index = parts_of_manifest(p->data, "train", &t->count);
        t->count = t->index ? t->count : 0;
        return EXIT_DONE;
    }
    const int code = pictures_dataset(&t->data, s, m, t->dir);
    if (code != EXIT_DONE)
        return code;
    t->index = parts_of_manifest(t->data, "train", &t->count);
    if (!t->index)
        t->count = ecg_dataset_samples(t->data);
    return EXIT_DONE;
}

int eval_gates(ecg_model *m, const settings *s)
{
    pictures p = {0}, t = {0};
    int written = 0;
    int code = pictures_open(&p, s, m, "val", "setting limits on");
    if (code == EXIT_DONE)
        code = open_train(&t, s, m, &p);
    const ecg_gate_pictures others = {p.data, p.index, p.count};
    const ecg_gate_pictures train = {t.data ? t.data : p.data, t.index, t.count};
    const char *output = s->output ? s->output : tool_model(s->model);
    if (code == EXIT_DONE && !t.count)
        tool_warn("it is not known which pictures trained the model (--train DIR says it): three of four of "
                  "these are taken for them");
    if (code == EXIT_DONE) {
        const gating job = {.train = t.count ? train : others,
                            .held_out = t.count ? others : (ecg_gate_pictures){0},
                            .threads = s->threads,
                            .skip_bad = s->skip_bad,
                            .quiet = (int)s->quiet,
                            .output = output};
        code = gating_run(&written, m, &job);
    }
    if (code == EXIT_DONE && !written)
        code = tool_fail("%s was not written", output);
    pictures_free(&t);
    pictures_free(&p);
    return code;
}
