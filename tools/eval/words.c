/* What the page and the model card both say in words. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "eval/page.h"

enum { MOST_WEAK = 6, MOST_CONFUSIONS = 5, FEW = 30 };
static const double WEAK = 0.8, NOTED = 0.05, MISCALIBRATED = 0.05;

const char *words_for(size_t i)
{
    static const char *const lines[] = {
        "Research and teaching: studying how small convolutional networks classify pictures of single "
        "heartbeats.",
        "Pictures of one beat of one lead, drawn as the training pictures were: same cut, same line, same "
        "background.",
        "Comparing training methods on data whose patients are apart.",
    };
    return i < sizeof lines / sizeof lines[0] ? lines[i] : NULL;
}

const char *words_not_for(size_t i)
{
    static const char *const lines[] = {
        "Diagnosis, treatment, triage, monitoring or any other decision about a patient. It is not a medical "
        "device.",
        "Photographs or scans of paper, 12-lead pages, rhythm strips, other leads or other ways of drawing a "
        "beat.",
        "Beats of classes other than those listed: each picture is given one of these, whatever it shows.",
        "Populations other than the one that the training pictures come from: the figures hold for pictures "
        "like those that were measured.",
    };
    return i < sizeof lines / sizeof lines[0] ? lines[i] : NULL;
}

size_t words_patients(const eval_page *e)
{
    const ecg_bootstrap *ci = &e->r->ci;
    if (ci->replicates)
        return ci->by_patient ? (size_t)ci->units : 0;
    return 0;
}

/* ---- Findings ---- */
typedef struct teller {
    void (*say)(void *ctx, const char *text);
    void *ctx;
} teller;

__attribute__((format(printf, 2, 3))) static void tell(const teller *t, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    t->say(t->ctx, text);
}

/* Names are cut where they would fill a page. */
enum { NAME = 200 };

static void weak_classes(const eval_page *e, const teller *t)
{
    const judge_report *r = e->r;
    uint32_t told = 0, more = 0;
    for (uint32_t i = 0; i < r->classes; i++) {
        const ecg_class_metrics *c = &r->cls[i];
        if (!c->support)
            continue;
        const int weak = c->sensitivity < WEAK || (isfinite(c->ppv) && c->ppv < WEAK);
        if (!weak)
            continue;
        if (told++ >= MOST_WEAK)
            more++;
        else if (isnan(c->ppv))
            tell(t, "%.*s is never the answer: all %llu pictures of it are missed.", NAME, r->names[i],
                 (unsigned long long)c->support);
        else
            tell(t, "%.*s is weak: sensitivity %.3f, predictive value %.3f.", NAME, r->names[i],
                 c->sensitivity, c->ppv);
    }
    if (more)
        tell(t, "%u more of the classes: sensitivity or predictive value below %.1f.", more, WEAK);
}

typedef struct mixed {
    uint32_t truth, answer;
    uint64_t n;
} mixed;

static void confusions(const eval_page *e, const teller *t)
{
    const judge_report *r = e->r;
    mixed top[MOST_CONFUSIONS] = {{0, 0, 0}};
    for (uint32_t i = 0; i < r->classes; i++)
        for (uint32_t k = 0; r->cls[i].support && k < r->classes; k++) {
            const uint64_t n = i == k ? 0 : ecg_metrics_confusion(r->metrics, i, k);
            if ((double)n < NOTED * (double)r->cls[i].support)
                continue;
            mixed m = {i, k, n};
            for (size_t j = 0; j < MOST_CONFUSIONS; j++)
                if (m.n > top[j].n) {
                    const mixed swap = top[j];
                    top[j] = m;
                    m = swap;
                }
        }
    for (size_t j = 0; j < MOST_CONFUSIONS && top[j].n; j++)
        tell(t, "%llu of %llu pictures of %.*s (%.1f %%) are taken for %.*s.", (unsigned long long)top[j].n,
             (unsigned long long)r->cls[top[j].truth].support, NAME, r->names[top[j].truth],
             100.0 * (double)top[j].n / (double)r->cls[top[j].truth].support, NAME, r->names[top[j].answer]);
}

static void data_findings(const eval_page *e, const teller *t)
{
    const judge_report *r = e->r;
    const leaks *c = e->found;
    uint32_t few = 0, none = 0;
    for (uint32_t i = 0; i < r->classes; i++) {
        none += r->cls[i].support == 0;
        few += r->cls[i].support > 0 && r->cls[i].support < FEW;
    }
    if (none)
        tell(t, "%u of the model's classes %s no picture here: nothing is known of %s.", none,
             none == 1 ? "has" : "have", none == 1 ? "it" : "them");
    if (few)
        tell(t, "%u %s fewer than %d pictures: figures of %s are rough.", few,
             few == 1 ? "class has" : "classes have", FEW, few == 1 ? "it" : "them");
    if (e->found->copies)
        tell(t, "%zu of the pictures measured here trained the model, exact or near copies of them.",
             e->found->copies);
    if (e->found->known)
        tell(t, "%zu of the pictures measured here are of patients who trained the model.", e->found->known);
    if (c->blank)
        tell(t, "%zu %s blank.", c->blank, c->blank == 1 ? "picture is" : "pictures are");
    if (c->conflicts)
        tell(t, "%zu %s under two classes or more.", c->conflicts,
             c->conflicts == 1 ? "set of copies stands" : "sets of copies stand");
}

void words_findings(const eval_page *e, void (*say)(void *ctx, const char *text), void *ctx)
{
    const teller t = {say, ctx};
    const judge_report *r = e->r;
    weak_classes(e, &t);
    confusions(e, &t);
    data_findings(e, &t);
    if (r->all.ece > MISCALIBRATED)
        tell(&t, "Probabilities are not to be taken as they stand: they are off by %.3f on average.",
             r->all.ece);
    if (!ecg_model_rule(e->model)->pictures)
        tell(&t, "The probabilities were never calibrated.");
    if (!ecg_model_gate(e->model))
        tell(&t, "The model has no gate: it takes a photograph for a heartbeat.");
    else if (e->refused)
        tell(&t, "%zu of these pictures are refused as no ECG.", e->refused);
    if (!e->s->train)
        tell(&t, "Nobody looked whether these pictures, or these patients, trained the model.");
    if (r->ci.replicates && !r->ci.by_patient)
        tell(&t, "Patients are not named: the intervals, over pictures, are too narrow.");
}

/* ---- Data, rule ---- */
const char *words_split(const eval_page *e, char *buf, size_t cap)
{
    if (!e->s->train)
        snprintf(buf, cap, "not looked at: the training pictures were not given (--train)");
    else if (!e->found->strangers)
        snprintf(buf, cap,
                 "compared with the training pictures: %zu copies; whose pictures they are is not known",
                 e->found->copies);
    else
        snprintf(buf, cap,
                 "compared with the training pictures: %zu copies, %zu pictures of patients who trained",
                 e->found->copies, e->found->known);
    return buf;
}

const char *words_rule(const eval_page *e, char *buf, size_t cap)
{
    const ecg_rule *r = ecg_model_rule(e->model);
    char how[160] = "no answer is called uncertain for its probability";
    if (r->threshold > 0)
        snprintf(how, sizeof how, "answers of probability below %.4g are uncertain%s", (double)r->threshold,
                 r->chosen_by == ECG_THRESHOLD_ERROR      ? " (chosen by the share of wrong answers)"
                 : r->chosen_by == ECG_THRESHOLD_COVERAGE ? " (chosen by the share of pictures answered)"
                                                          : "");
    if (r->pictures)
        snprintf(buf, cap, "temperature %.4g, fitted on %u pictures%s; %s", (double)r->temperature,
                 r->pictures,
                 r->apart ? " of patients who did not train the model"
                          : "; whether of other patients is not known",
                 how);
    else
        snprintf(buf, cap, "temperature %.4g, not fitted; %s", (double)r->temperature, how);
    return buf;
}

const char *words_preprocess(const ecg_model *m, char *buf, size_t cap)
{
    const ecg_preprocess *p = ecg_model_preprocess(m);
    const char *color = ecg_color_name(p->color), *profile = ecg_profile_name(p->profile);
    const char *filter = ecg_filter_name(p->filter);
    snprintf(buf, cap, "%u x %u pixels, %s, read as '%s', resized by %s, times %.6g%s%s%s", p->w, p->h,
             color ? color : "?", profile ? profile : "?", filter ? filter : "?", (double)p->rescale,
             p->samplewise_center || p->samplewise_std ? ", standardised by the picture's own figures" : "",
             p->mean[0] != 0 ? ", less the mean of the training pictures" : "", // NOLINT: set or not
             p->zca_n ? ", whitened" : "");
    return buf;
}
