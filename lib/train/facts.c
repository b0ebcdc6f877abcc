#include "train/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"
#include "format/checkpoint.h"
#include "net/model.h"

enum { SHOWN_WEIGHTS = 16 };

/* ---- making ---- */

static void add(ecg__facts *f, const char *key, const char *value)
{
    f->list[2 * f->count] = key;
    f->list[2 * f->count + 1] = value;
    f->count++;
}

static char *room(ecg__facts *f, const char *key)
{
    char *to = f->number[f->count];
    add(f, key, to);
    return to;
}

static void add_integer(ecg__facts *f, const char *key, uint64_t v)
{
    snprintf(room(f, key), sizeof f->number[0], "%" PRIu64, v);
}

/* The shortest decimal that gives the float back, whatever the host program's locale writes for a point.
 * Returns its length; `to` has 24 bytes. */
static size_t print_float(char to[24], float v)
{
    size_t n = 0;
    for (int precision = 1; precision <= 9; precision++) {
        double back;
        n = (size_t)snprintf(to, 24, "%.*g", precision, (double)v);
        const size_t sign = to[0] == '-', digits = strspn(to + sign, "0123456789") + sign;
        if (digits < n && to[digits] != 'e')
            to[digits] = '.';
        if (ecg__number_read(to, n, &back, NULL) && (float)back == v)
            break;
    }
    return n;
}

static void add_float(ecg__facts *f, const char *key, float v)
{
    print_float(room(f, key), v);
}

static void add_weights(ecg__facts *f, const float *w, uint32_t classes)
{
    size_t n = 0;
    uint64_t hash = ECG__HASH_START;
    for (uint32_t i = 0; w && i < classes; i++) {
        uint32_t bits;
        memcpy(&bits, &w[i], sizeof bits);
        hash = ecg__hash_u64(hash, bits);
        if (i < SHOWN_WEIGHTS) {
            if (i > 0)
                f->weights[n++] = ' ';
            n += print_float(f->weights + n, w[i]);
        }
    }
    if (!w)
        snprintf(f->weights, sizeof f->weights, "none");
    else if (classes > SHOWN_WEIGHTS)
        snprintf(f->weights, sizeof f->weights, "%" PRIu32 " with print %016" PRIx64, classes, hash);
    add(f, "class_weights", f->weights);
}

static void add_options(ecg__facts *f, const ecg_trainer *t)
{
    const ecg_train_options *o = &t->opt;
    add_integer(f, "seed", o->seed);
    add_integer(f, "epochs", o->epochs);
    add_integer(f, "batch", o->batch);
    add_integer(f, "shards", o->shards);
    add(f, "optimizer", ecg_optimizer_name(o->optimizer));
    add_float(f, "lr", o->lr);
    add_float(f, "beta1", o->beta1);
    add_float(f, "beta2", o->beta2);
    add_float(f, "epsilon", o->epsilon);
    add_float(f, "momentum", o->momentum);
    add_integer(f, "nesterov", o->nesterov);
    add_float(f, "weight_decay", o->weight_decay);
    add_float(f, "l2", o->l2);
    add_float(f, "clip_norm", o->clip_norm);
    add_float(f, "clip_value", o->clip_value);
    add(f, "schedule", ecg_schedule_name(o->schedule));
    add_integer(f, "every", o->every);
    add_float(f, "gamma", o->gamma);
    add_float(f, "lr_min", o->lr_min);
    add_integer(f, "warmup", o->warmup);
    add_float(f, "label_smoothing", o->label_smoothing);
    add_weights(f, t->class_weights, ecg_spec_outputs(t->spec));
    add_integer(f, "weighted_mean", o->weighted_mean);
    add_integer(f, "early_stop", o->early_stop);
}

static const char *find(const char *const *list, const char *key)
{
    for (; list[0] && list[1]; list += 2)
        if (strcmp(list[0], key) == 0)
            return list[1];
    return NULL;
}

ecg_status ecg__facts_make(ecg__facts *f, const ecg_trainer *t, const char *const *more, ecg_error *err)
{
    size_t n = 0;
    while (more && more[2 * n] && more[2 * n + 1])
        n++;
    *f = (ecg__facts){.count = 0};
    if (n > ECG__CHECKPOINT_FACTS - ECG__OWN_FACTS)
        return ecg__fail(err, ECG_EINVAL, "checkpoint: %zu facts given, at most %d can be kept", n,
                         ECG__CHECKPOINT_FACTS - ECG__OWN_FACTS);
    f->list = ecg__calloc(2 * (n + ECG__OWN_FACTS) + 2, sizeof *f->list);
    if (!f->list)
        return ecg__fail(err, ECG_ENOMEM, "checkpoint: out of memory");
    add_options(f, t);
    for (size_t i = 0; i < n; i++) {
        if (find(f->list, more[2 * i])) {
            ecg__facts_end(f);
            return ecg__fail(err, ECG_EINVAL, "checkpoint: the fact %s is given twice", more[2 * i]);
        }
        add(f, more[2 * i], more[2 * i + 1]);
    }
    return ECG_OK;
}

void ecg__facts_end(ecg__facts *f)
{
    ecg__free((void *)f->list);
    f->list = NULL;
}

/* ---- comparing ---- */

/* Of a long text what stands around the byte `at`. */
static const char *part(const char *text, size_t at, char buf[80])
{
    enum { BEFORE = 20, MOST = 60 };
    const size_t n = strlen(text);
    if (n <= MOST)
        return text;
    size_t from = at > BEFORE ? at - BEFORE : 0;
    if (from > n)
        from = n;
    snprintf(buf, 80, "%s%.*s%s", from ? "..." : "", MOST, text + from, n - from > MOST ? "..." : "");
    return buf;
}

ecg_status ecg__fact_compare(const char *key, const char *kept, const char *here, const char *name,
                             ecg_error *err)
{
    if (strcmp(kept, here) == 0)
        return ECG_OK;
    size_t at = 0;
    while (kept[at] && kept[at] == here[at])
        at++;
    char a[80], b[80];
    return ecg__fail(err, ECG_EINVAL, "%s: %s is %s in the checkpoint, %s here", name, key,
                     *kept ? part(kept, at, a) : "empty", *here ? part(here, at, b) : "empty");
}

static ecg_status compare_epochs(const char *kept, const ecg__facts *here, const char *name, ecg_error *err)
{
    const char *schedule = find(here->list, "schedule"), *epochs = find(here->list, "epochs");
    if (strcmp(kept, epochs) == 0 || (strcmp(schedule, "cosine") != 0 && strcmp(schedule, "one-cycle") != 0))
        return ECG_OK;
    return ecg__fail(err, ECG_EINVAL,
                     "%s: epochs is %s in the checkpoint, %s here, and the schedule %s depends on it", name,
                     kept, epochs, schedule);
}

ecg_status ecg__facts_compare(const char *const *kept, const ecg__facts *here, const char *name,
                              ecg_error *err)
{
    ecg_status s = ECG_OK;
    const char *epochs = NULL;
    for (const char *const *p = here->list; s == ECG_OK && p[0]; p += 2) {
        const char *found = find(kept, p[0]);
        if (!found)
            s = ecg__fail(err, ECG_EINVAL, "%s: %s is not in the checkpoint, %.100s here", name, p[0], p[1]);
        else if (strcmp(p[0], "epochs") == 0)
            epochs = found; /* after the schedule */
        else
            s = ecg__fact_compare(p[0], found, p[1], name, err);
    }
    for (; s == ECG_OK && kept[0] && kept[1]; kept += 2)
        if (!find(here->list, kept[0]))
            s = ecg__fail(err, ECG_EINVAL, "%s: %.100s is %.100s in the checkpoint, nothing here", name,
                          kept[0], kept[1]);
    return s == ECG_OK ? compare_epochs(epochs, here, name, err) : s;
}

static uint64_t hash_floats(uint64_t h, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        h = ecg__hash_u64(h, bits);
    }
    return h;
}

static void print_prep(char *to, size_t cap, const ecg_preprocess *p)
{
    const char *profile = ecg_profile_name(p->profile), *filter = ecg_filter_name(p->filter);
    size_t n = (size_t)snprintf(to, cap, "%" PRIu32 "x%" PRIu32 "x%d %s %s rescale %.9g", p->h, p->w,
                                (int)p->color, profile ? profile : "?", filter ? filter : "?",
                                (double)p->rescale);
    for (int c = 0; c < 4 && n < cap; c++)
        n += (size_t)snprintf(to + n, cap - n, " mean %.9g deviation %.9g", (double)p->mean[c],
                              (double)p->deviation[c]);
    if (n < cap)
        snprintf(to + n, cap - n, " samplewise %" PRIu32 "%" PRIu32 " zca %" PRIu32 " print %016" PRIx64,
                 p->samplewise_center | p->samplewise_std, p->samplewise_std, p->zca_n,
                 p->zca ? hash_floats(ECG__HASH_START, p->zca, (size_t)p->zca_n * p->zca_n) : 0);
}

static char *print_net(const ecg_model *m)
{
    const size_t n = ecg_spec_print(ecg_model_spec(m), NULL, 0);
    char *text = ecg__alloc(n + 1);
    if (text)
        ecg_spec_print(ecg_model_spec(m), text, n + 1);
    return text;
}

ecg_status ecg__facts_model(const ecg_model *kept, const ecg_model *here, const char *name, ecg_error *err)
{
    char *a = print_net(kept), *b = print_net(here);
    ecg_status s = a && b ? ecg__fact_compare("the network", a, b, name, err)
                          : ecg__fail(err, ECG_ENOMEM, "%s: out of memory", name);
    ecg__free(a);
    ecg__free(b);
    for (uint32_t i = 0; s == ECG_OK && i < kept->classes; i++) {
        char key[32];
        snprintf(key, sizeof key, "class %" PRIu32, i);
        s = ecg__fact_compare(key, kept->class_name[i], here->class_name[i], name, err);
    }
    char p[512], q[512];
    print_prep(p, sizeof p, &kept->prep);
    print_prep(q, sizeof q, &here->prep);
    return s == ECG_OK ? ecg__fact_compare("preprocessing", p, q, name, err) : s;
}
