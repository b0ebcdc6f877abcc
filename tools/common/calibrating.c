#include "common/calibrating.h"

#include <stdlib.h>
#include <string.h>

#include "common/judge.h"
#include "common/start.h"

/* ---- Whose pictures ---- */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *group_at(const ecg_dataset *d, const uint32_t *index, size_t i)
{
    return ecg_dataset_group(d, index ? index[i] : i);
}

/* Every patient of the samples, sorted, or NULL where one is not named. */
static const char **patients_of(const ecg_dataset *d, const uint32_t *index, size_t count)
{
    const char **name = calloc(count ? count : 1, sizeof *name);
    for (size_t i = 0; name && i < count; i++) {
        name[i] = group_at(d, index, i);
        if (!name[i]) {
            free(name);
            return NULL;
        }
    }
    if (name && count)
        qsort(name, count, sizeof *name, by_text);
    return name;
}

int untrained_pictures(untrained *u, const ecg_dataset *data, const uint32_t *index, size_t count,
                       const ecg_dataset *train, const uint32_t *train_index, size_t train_count)
{
    *u = (untrained){.index = calloc(count ? count : 1, sizeof *u->index)};
    if (!u->index)
        return tool_fail("out of memory");
    const char **trained = train ? patients_of(train, train_index, train_count) : NULL;
    int known = trained != NULL;
    for (size_t i = 0; known && i < count; i++) {
        const char *patient = group_at(data, index, i);
        known = patient != NULL;
        if (known && bsearch(&patient, trained, train_count, sizeof *trained, by_text))
            u->dropped++;
        else
            u->index[u->count++] = index ? index[i] : (uint32_t)i;
    }
    free(trained);
    u->apart = known && u->count > 0;
    if (u->apart)
        return EXIT_DONE;
    u->dropped = 0;
    u->count = count;
    for (size_t i = 0; i < count; i++)
        u->index[i] = index ? index[i] : (uint32_t)i;
    return EXIT_DONE;
}

/* ---- Fitting ---- */
static int choose_threshold(calibrated *out, const ecg_metrics *soft, const calibrating *c)
{
    ecg_error err = {0};
    const ecg_threshold by = c->max_error >= 0 ? ECG_THRESHOLD_ERROR : ECG_THRESHOLD_COVERAGE;
    const double wanted = c->max_error >= 0 ? c->max_error : c->coverage;
    const ecg_status s = ecg_metrics_threshold(soft, by, wanted, &out->point, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    out->rule.threshold = (float)out->point.threshold;
    out->rule.chosen_by = by;
    out->rule.wanted = (float)wanted;
    return EXIT_DONE;
}

static void say(const calibrated *r, const calibrating *c)
{
    if (r->fitted)
        fprintf(stderr,
                "calibration: temperature %.4g fitted on %u pictures; loss %.4f, was %.4f; calibration error "
                "%.4f, was %.4f\n",
                (double)r->rule.temperature, r->rule.pictures, r->after.loss, r->before.loss, r->after.ece,
                r->before.ece);
    if (r->point.x > 0)
        fprintf(stderr,
                "threshold %.4g: %.2f %% of these pictures are answered, %.2f %% of the answers wrong\n",
                (double)r->rule.threshold, 100.0 * r->point.x, 100.0 * r->point.y);
    fprintf(stderr, "%s\n",
            c->apart ? "these pictures are of patients who did not train the model"
                     : "note: these pictures may be of patients who trained the model too: of others, "
                       "expect more errors than the probabilities say");
}

static int fit(calibrated *out, const ecg_metrics *raw, const calibrating *c)
{
    ecg_metrics *soft = NULL;
    ecg_error err = {0};
    const int wants_threshold = c->max_error >= 0 || c->coverage >= 0;
    ecg_status s = ecg_metrics_temperature(raw, &out->rule.temperature, &err);
    out->fitted = s == ECG_OK;
    if (s != ECG_OK && s != ECG_ENUMERIC)
        return tool_error(s, &err);
    if (!out->fitted) {
        out->why = err;
        if (!wants_threshold)
            return EXIT_DONE;
        if (!c->quiet)
            tool_warn("not calibrated: %s", err.message);
    }
    out->rule.pictures = (uint32_t)ecg_metrics_count(raw);
    out->rule.apart = (uint32_t)c->apart;
    s = ecg_metrics_figures(raw, &out->before);
    if (s == ECG_OK)
        s = ecg_metrics_soften(raw, out->rule.temperature, &soft);
    if (s == ECG_OK)
        s = ecg_metrics_figures(soft, &out->after);
    int code = s == ECG_OK ? EXIT_DONE : tool_fail("%s", ecg_status_text(s));
    if (code == EXIT_DONE && wants_threshold)
        code = choose_threshold(out, soft, c);
    ecg_metrics_free(soft);
    if (code == EXIT_DONE && !c->quiet)
        say(out, c);
    return code;
}

static int save(ecg_model *m, const calibrated *r, const char *output)
{
    ecg_model *ruled = NULL;
    ecg_error err = {0};
    ecg_status s = ecg_model_with_rule(&ruled, m, &r->rule, &err);
    if (s == ECG_OK)
        s = ecg_model_save(ruled, output, &err);
    ecg_model_free(ruled);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

int calibrating_run(calibrated *out, ecg_model *m, const calibrating *asked)
{
    calibrating job_of = *asked;
    const calibrating *c = &job_of;
    ecg_model *raw = NULL;
    ecg_metrics *metrics = NULL;
    ecg_error err = {0};
    const ecg_rule *old = ecg_model_rule(m);
    *out = (calibrated){.rule = ECG_RULE_INIT};
    /* A threshold that the model has is chosen again, for the new probabilities. */
    if (c->max_error < 0 && c->coverage < 0 && old->chosen_by == ECG_THRESHOLD_ERROR)
        job_of.max_error = (double)old->wanted;
    else if (c->max_error < 0 && c->coverage < 0 && old->chosen_by == ECG_THRESHOLD_COVERAGE)
        job_of.coverage = (double)old->wanted;
    const ecg_status s = ecg_model_with_rule(&raw, m, NULL, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    const judge_job job = {.model = raw,
                           .data = c->data,
                           .index = c->index,
                           .count = c->count,
                           .threads = c->threads,
                           .skip_bad = c->skip_bad,
                           .quiet = c->quiet};
    int code = judge_run(&metrics, &job);
    ecg_model_free(raw);
    if (code == EXIT_DONE)
        code = fit(out, metrics, c);
    if (code == EXIT_DONE && out->rule.pictures)
        code = save(m, out, c->output);
    ecg_metrics_free(metrics);
    return code;
}

void calibrating_json(const calibrated *c, FILE *f)
{
    fprintf(f, "{\"fitted\":%s,\"pictures\":%u,\"patients_apart\":%s", c->fitted ? "true" : "false",
            c->rule.pictures, c->rule.apart ? "true" : "false");
    judge_json_figure(f, "temperature", c->fitted ? (double)c->rule.temperature : 1.0);
    judge_json_figure(f, "threshold", (double)c->rule.threshold);
    if (c->point.x > 0) {
        judge_json_figure(f, "coverage", c->point.x);
        judge_json_figure(f, "error", c->point.y);
    }
    if (c->rule.pictures) {
        judge_json_figure(f, "loss_before", c->before.loss);
        judge_json_figure(f, "loss", c->after.loss);
        judge_json_figure(f, "ece_before", c->before.ece);
        judge_json_figure(f, "ece", c->after.ece);
        judge_json_figure(f, "accuracy", c->after.accuracy);
    }
    fputc('}', f);
}
