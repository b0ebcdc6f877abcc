/* Loss, optimisers, and a whole training run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/train.h"
#include "golden/golden_nn_case.h"
#include "train/loss.h"
#include "train/optimizer.h"

enum { MAX_CLASSES = 64, MAX_BATCH = 256, MAX_STEPS = 64 };

/* ---- loss ---- */

static size_t read_labels(golden_case *c, const char *text, uint32_t *out, size_t classes)
{
    double v[MAX_BATCH];
    const size_t n = golden_list(text, v, MAX_BATCH);
    for (size_t i = 0; i < n; i++) {
        if (!(v[i] >= 0 && v[i] < (double)classes))
            golden_fail(c, "label %g is not below %zu", v[i], classes);
        out[i] = (uint32_t)v[i];
    }
    return n;
}

static void run_loss(golden_case *c)
{
    const golden_tensor *logits = golden_get(c, "logits", GOLDEN_PLAIN);
    uint32_t label[MAX_BATCH];
    double list[MAX_CLASSES], total = 0;
    float weight[MAX_CLASSES], dlogits[MAX_BATCH * MAX_CLASSES], loss;
    if (!logits || logits->rank != 2 || logits->dims[1] > MAX_CLASSES || logits->dims[0] > MAX_BATCH) {
        golden_fail(c, "logits are not samples of at most %d classes", MAX_CLASSES);
        return;
    }
    const size_t n = logits->dims[0], classes = logits->dims[1];
    if (read_labels(c, golden_param(c, "labels"), label, classes) != n || c->failed) {
        golden_fail(c, "there are not %zu labels", n);
        return;
    }
    const char *weights = golden_param(c, "weight");
    if (weights && golden_list(weights, list, MAX_CLASSES) != classes) {
        golden_fail(c, "there are not %zu weights", classes);
        return;
    }
    for (size_t i = 0; i < classes; i++)
        weight[i] = weights ? (float)list[i] : 1.0f;
    const char *reduction = golden_param(c, "reduction");
    for (size_t i = 0; i < n; i++)
        total += reduction && strcmp(reduction, "weighted_mean") == 0 ? (double)weight[label[i]] : 1.0;
    const struct ecg__loss_args a = {.classes = (uint32_t)classes,
                                     .smoothing = (float)golden_number(c, "label_smoothing", 0),
                                     .class_weight = weights ? weight : NULL};
    loss = (float)(ecg__cross_entropy(&a, logits->data, label, n, 1 / total, dlogits, NULL, NULL) / total);
    golden_match(c, "loss", GOLDEN_PLAIN, &loss, 1);
    golden_match(c, "dlogits", GOLDEN_PLAIN, dlogits, n * classes);
}

/* ---- optimisers ---- */

static void options_of(const golden_case *c, ecg_train_options *o)
{
    static const struct {
        const char *kind;
        ecg_optimizer optimizer;
    } kinds[] = {
        {"optimizer_adam", ECG_ADAM},       {"optimizer_adam_l2", ECG_ADAM},
        {"optimizer_amsgrad", ECG_AMSGRAD}, {"optimizer_adamw", ECG_ADAMW},
        {"optimizer_sgd", ECG_SGD},         {"optimizer_momentum", ECG_SGD},
        {"optimizer_nesterov", ECG_SGD},    {"optimizer_rmsprop", ECG_RMSPROP},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(c->kind, kinds[i].kind) == 0)
            o->optimizer = kinds[i].optimizer;
    double betas[2] = {(double)o->beta1, (double)o->beta2};
    golden_list(golden_param(c, "betas"), betas, 2);
    o->beta1 = (float)golden_number(c, "beta1", betas[0]);
    o->beta2 = (float)golden_number(c, "alpha", golden_number(c, "beta2", betas[1]));
    o->lr = (float)golden_number(c, "lr", 0);
    o->epsilon = (float)golden_number(c, "eps", (double)o->epsilon);
    o->momentum = (float)golden_number(c, "momentum", 0);
    o->weight_decay = (float)golden_number(c, "weight_decay", 0);
    o->nesterov = strcmp(c->kind, "optimizer_nesterov") == 0;
}

static void run_optimizer(golden_case *c)
{
    const golden_tensor *p0 = golden_get(c, "p0", GOLDEN_PLAIN),
                        *grads = golden_get(c, "grads", GOLDEN_PLAIN);
    if (!p0 || !grads || grads->count % p0->count != 0) {
        golden_fail(c, "grads is not a number of steps for p0");
        return;
    }
    const size_t n = p0->count, steps = grads->count / n;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    options_of(c, &o);
    /* weights, then room for the moments, then the weights after each step */
    float *w = calloc(n * (1 + ECG__MAX_MOMENTS + steps), sizeof *w);
    if (!w) {
        golden_fail(c, "out of memory");
        return;
    }
    float *const moment[ECG__MAX_MOMENTS] = {w + n, w + 2 * n, w + 3 * n},
                 *after = w + (1 + ECG__MAX_MOMENTS) * n;
    ecg__optimizer_step s = ecg__optimizer_begin(&o);
    memcpy(w, p0->data, n * sizeof *w);
    for (size_t i = 0; i < steps; i++) {
        s.t = i + 1;
        ecg__optimizer_apply(&s, w, grads->data + i * n, moment, n, true);
        memcpy(after + i * n, w, n * sizeof *w);
    }
    golden_match(c, "params", GOLDEN_PLAIN, after, n * steps);
    free(w);
}

/* ---- training run ---- */

static const char *const weight_names[] = {"c1w", "c1b", "c2w", "c2b", "d1w", "d1b", "d2w", "d2b"};
enum { WEIGHTS = sizeof weight_names / sizeof weight_names[0] };

/* The weights in our layout, at step `suffix`. NULL: the case has none (which only fails when needed). */
static const golden_tensor *weights_at(golden_case *c, size_t i, const char *suffix, bool needed)
{
    char key[32];
    snprintf(key, sizeof key, "%s_%s", weight_names[i], suffix);
    return needed || golden_has(c, key) ? golden_get(c, key, GOLDEN_KERNEL) : NULL;
}

static bool set_weights(golden_case *c, ecg_trainer *t)
{
    for (size_t i = 0; i < WEIGHTS; i++) {
        size_t count = 0;
        const golden_tensor *w = weights_at(c, i, "0", true);
        float *to = ecg_trainer_tensor(t, i, NULL, &count);
        if (!w || !to || count != w->count)
            return golden_fail(c, "%s_0 does not fit the network", weight_names[i]);
        memcpy(to, w->data, count * sizeof *to);
    }
    return true;
}

/* Ours end in probabilities, theirs in logits. */
static void match_predictions(golden_case *c, ecg_trainer *t, const float *x, const char *key)
{
    golden_tensor *logits = golden_get(c, key, GOLDEN_PLAIN);
    float probs[MAX_BATCH * MAX_CLASSES];
    if (!logits || logits->rank != 2 || logits->count > sizeof probs / sizeof probs[0]) {
        golden_fail(c, "%s are not samples of classes", key);
        return;
    }
    const size_t classes = logits->dims[1];
    for (size_t i = 0; i < logits->dims[0]; i++) {
        double sum = 0;
        float *row = logits->data + i * classes;
        for (size_t j = 0; j < classes; j++)
            sum += exp((double)row[j]);
        for (size_t j = 0; j < classes; j++)
            row[j] = (float)(exp((double)row[j]) / sum);
    }
    ecg_trainer_predict(t, x, logits->dims[0], probs);
    golden_match(c, key, GOLDEN_PLAIN, probs, logits->count);
}

static void train_steps(golden_case *c, ecg_trainer *t, const golden_tensor *images)
{
    ecg_error err = {.message = ""};
    const size_t steps = images->dims[0], n = images->dims[1], batch = images->count / steps;
    char labels[1024];
    const char *text = golden_param(c, "labels");
    snprintf(labels, sizeof labels, "%s", text ? text : "");
    char *next = labels;
    float losses[MAX_STEPS];
    for (size_t i = 0; i < steps; i++) {
        uint32_t label[MAX_BATCH];
        ecg_step s;
        char *end = strchr(next, '|');
        if (end)
            *end = '\0';
        if (read_labels(c, next, label, MAX_CLASSES) != n || c->failed) {
            golden_fail(c, "step %zu has not %zu labels", i, n);
            return;
        }
        next = end ? end + 1 : next + strlen(next);
        if (ecg_trainer_step(t, images->data + i * batch, label, n, &s, &err) != ECG_OK) {
            golden_fail(c, "step %zu: %s", i, err.message);
            return;
        }
        losses[i] = (float)s.loss;
    }
    golden_match(c, "losses", GOLDEN_PLAIN, losses, steps);
}

static void check_run(golden_case *c, ecg_trainer *t, const golden_tensor *images)
{
    if (!set_weights(c, t))
        return;
    match_predictions(c, t, images->data, "logits_before");
    train_steps(c, t, images);
    match_predictions(c, t, images->data, "logits_after");
    char suffix[24];
    snprintf(suffix, sizeof suffix, "%zu", images->dims[0]);
    for (size_t i = 0; i < WEIGHTS; i++) {
        size_t count = 0;
        const golden_tensor *w = weights_at(c, i, suffix, false);
        const float *got = ecg_trainer_tensor(t, i, NULL, &count);
        if (w)
            golden_compare(c, w->key, got, w->data, count, w->count);
    }
}

static void run_training(golden_case *c)
{
    const golden_tensor *images = golden_get(c, "images", GOLDEN_PICTURE);
    const golden_tensor *c1 = weights_at(c, 0, "0", true), *c2 = weights_at(c, 2, "0", true);
    const golden_tensor *d1 = weights_at(c, 4, "0", true), *d2 = weights_at(c, 6, "0", true);
    const char *flatten = golden_param(c, "flatten");
    if (!images || !c1 || !c2 || !d1 || !d2 || images->rank != 5 || c1->rank != 4 || c2->rank != 4 ||
        d1->rank != 2 || d2->rank != 2 || images->dims[0] > MAX_STEPS || images->dims[1] > MAX_BATCH ||
        d2->dims[1] > MAX_CLASSES || !flatten || strcmp(flatten, "hwc") != 0) {
        golden_fail(c, "not the network that this test knows");
        return;
    }
    char net[512];
    snprintf(net, sizeof net,
             "input %zux%zux%zu; conv2d %zu %zux%zu relu; maxpool 2x2; conv2d %zu %zux%zu relu; maxpool 2x2; "
             "flatten; dense %zu; dense %zu; softmax",
             images->dims[2], images->dims[3], images->dims[4], c1->dims[3], c1->dims[0], c1->dims[1],
             c2->dims[3], c2->dims[0], c2->dims[1], d1->dims[1], d2->dims[1]);
    ecg_error err = {.message = ""};
    ecg_spec *spec = NULL;
    ecg_trainer *t = NULL;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    options_of(c, &o);
    const char *optimizer = golden_param(c, "optimizer");
    o.batch = (uint32_t)images->dims[1];
    o.threads = 2;
    if (!optimizer || ecg_optimizer_parse(&o.optimizer, optimizer) != ECG_OK)
        golden_fail(c, "unknown optimizer");
    else if (ecg_spec_parse(&spec, net, NULL, 0, &err) != ECG_OK ||
             ecg_trainer_new(&t, spec, &o, &err) != ECG_OK)
        golden_fail(c, "%s: %s", net, err.message);
    else
        check_run(c, t, images);
    ecg_trainer_free(t);
    ecg_spec_free(spec);
}

const golden_kind golden_train_kinds[] = {
    {"softmax_cross_entropy", run_loss},
    {"optimizer_adam", run_optimizer},
    {"optimizer_adam_l2", run_optimizer},
    {"optimizer_amsgrad", run_optimizer},
    {"optimizer_adamw", run_optimizer},
    {"optimizer_sgd", run_optimizer},
    {"optimizer_momentum", run_optimizer},
    {"optimizer_nesterov", run_optimizer},
    {"optimizer_rmsprop", run_optimizer},
    {"training_run", run_training},
    {NULL, NULL},
};
