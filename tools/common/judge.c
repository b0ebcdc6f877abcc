#include "common/judge.h"

#include <stdlib.h>
#include <string.h>

#include "common/progress.h"
#include "common/start.h"

uint32_t judge_best(const float *probs, uint32_t classes)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < classes; i++)
        if (probs[i] > probs[best])
            best = i;
    return best;
}

uint32_t judge_next(const float *probs, uint32_t classes, uint32_t last)
{
    uint32_t next = last;
    for (uint32_t i = 0; i < classes; i++) {
        const int below = probs[i] < probs[last] || (i > last && probs[i] <= probs[last]);
        if (below && (next == last || probs[i] > probs[next]))
            next = i;
    }
    return next;
}

const char **judge_names(const ecg_model *m)
{
    const uint32_t classes = ecg_model_classes(m);
    const char **names = calloc(classes, sizeof *names);
    for (uint32_t i = 0; names && i < classes; i++)
        names[i] = ecg_model_class(m, i);
    return names;
}

static uint32_t find_name(const char *const *names, uint32_t n, const char *a, const char *b)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(names[i], a) == 0 || strcmp(names[i], b) == 0)
            return i;
    return UINT32_MAX;
}

void judge_find_j(ecg_metrics *m, const char *const *names)
{
    const uint32_t n = ecg_metrics_classes(m);
    ecg_metrics_j(m, find_name(names, n, "S", "SVEB"), find_name(names, n, "V", "VEB"));
}

/* ---- Loading ---- */
typedef struct loading {
    progress bar;
} loading;

static int show_loading(void *payload, size_t done, size_t total)
{
    loading *l = payload;
    progress_show(&l->bar, done, total, NULL);
    return tool_interrupted();
}

static void tell_skipped(void *payload, const ecg_sample *s, const ecg_error *why)
{
    loading *l = payload;
    progress_clear(&l->bar);
    tool_warn("skipped: %s", why && why->message[0] ? why->message : s->path);
}

int judge_load(ecg_loader **out, const ecg_dataset *d, const uint32_t *index, size_t count,
               const ecg_preprocess *p, const ecg_loader_options *options, int quiet, const char *label)
{
    ecg_loader_options o = *options;
    ecg_error err = {0};
    loading l;
    progress_start(&l.bar, label, quiet);
    o.progress = show_loading;
    o.skipped = tell_skipped;
    o.payload = &l;
    const ecg_status s = ecg_loader_new(out, d, index, count, p, &o, &err);
    progress_clear(&l.bar);
    if (s == ECG_ECANCELLED)
        return tool_fail("interrupted while reading pictures");
    if (s != ECG_OK)
        return tool_error(s, &err);
    if (ecg_loader_count(*out) == 0) {
        ecg_loader_free(*out);
        *out = NULL;
        return tool_fail("%s: no picture could be read", label);
    }
    return EXIT_DONE;
}

/* ---- Running ---- */
/* From memory, or decoded again to px. */
static ecg_status get_image(ecg_image *out, const ecg_loader *l, size_t i, uint8_t *px,
                            const ecg_preprocess *p, ecg_error *err)
{
    *out = ecg_loader_image(l, i);
    if (out->px)
        return ECG_OK;
    *out = (ecg_image){px, p->w, p->h, (uint32_t)p->color, (size_t)p->w * (uint32_t)p->color};
    return ecg_loader_read(l, i, px, err);
}

/* What the picture was before it was prepared: the loader does not keep that. */
static ecg_status get_look(ecg_look *out, const ecg_dataset *d, size_t i, const ecg_preprocess *p,
                           ecg_error *err)
{
    ecg_pixels *pixels = NULL;
    unsigned char *data;
    size_t n;
    char name[4096];
    ecg_status s = ecg_dataset_file(d, i, &data, &n, err);
    if (s != ECG_OK)
        return s;
    ecg_dataset_name(d, i, name, sizeof name);
    s = ecg_look_decode(&pixels, out, p, data, n, name, err);
    ecg_pixels_free(pixels);
    ecg_dataset_file_free(data);
    return s;
}

/* spare: room for the pictures of a batch, where not all are in memory. */
static int run_batches(const judge_job *job, const ecg_loader *l, ecg_session *s, float *probs,
                       uint8_t *spare, ecg_metrics *m)
{
    const ecg_preprocess *p = ecg_model_preprocess(job->model);
    const size_t bytes = (size_t)p->h * p->w * (uint32_t)p->color;
    const uint32_t classes = ecg_model_classes(job->model);
    const size_t total = ecg_loader_count(l);
    const int gated = ecg_model_gate(job->model) != NULL && job->answer;
    ecg_image batch[JUDGE_BATCH];
    ecg_look look[JUDGE_BATCH];
    ecg_decision decision[JUDGE_BATCH];
    ecg_error err = {0};
    progress bar;
    progress_start(&bar, "predicting", job->quiet);
    for (size_t at = 0, n; at < total && !tool_interrupted(); at += n) {
        n = total - at < JUDGE_BATCH ? total - at : JUDGE_BATCH;
        ecg_status status = ECG_OK;
        for (size_t i = 0; i < n && status == ECG_OK; i++)
            status = get_image(&batch[i], l, at + i, spare ? spare + i * bytes : NULL, p, &err);
        for (size_t i = 0; gated && i < n && status == ECG_OK; i++)
            status = get_look(&look[i], job->data, ecg_loader_index(l, at + i), p, &err);
        if (status == ECG_OK)
            status = ecg_session_judge_images(s, batch, gated ? look : NULL, n, probs, decision, &err);
        for (size_t i = 0; i < n && status == ECG_OK; i++) {
            const size_t k = ecg_loader_index(l, at + i);
            status = ecg_metrics_add_patient(m, ecg_dataset_label(job->data, k), probs + i * classes,
                                             ecg_dataset_group(job->data, k));
            if (status == ECG_OK && job->answer)
                job->answer(job->payload, k, probs + i * classes, &decision[i]);
        }
        if (status != ECG_OK) {
            progress_clear(&bar);
            return tool_error(status, &err);
        }
        progress_show(&bar, at + n, total, NULL);
    }
    progress_clear(&bar);
    return tool_interrupted() ? tool_fail("interrupted while predicting") : EXIT_DONE;
}

static int run_loader(ecg_metrics *m, const judge_job *job, const ecg_loader *l)
{
    ecg_session_options so = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    ecg_error err = {0};
    so.threads = job->threads;
    const ecg_status s = ecg_session_new(&session, job->model, &so, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    float *probs = calloc(ecg_model_classes(job->model), JUDGE_BATCH * sizeof *probs);
    const ecg_preprocess *p = ecg_model_preprocess(job->model);
    const int all = ecg_loader_cached(l) == ecg_loader_count(l);
    uint8_t *spare = all ? NULL : malloc((size_t)p->h * p->w * (uint32_t)p->color * JUDGE_BATCH);
    const int code = probs && (all || spare) ? run_batches(job, l, session, probs, spare, m)
                                             : tool_fail("out of memory");
    free(probs);
    free(spare);
    ecg_session_free(session);
    return code;
}

int judge_run(ecg_metrics **out, const judge_job *job)
{
    ecg_loader *l = NULL;
    *out = NULL;
    ecg_loader_options o = ECG_LOADER_OPTIONS_INIT;
    o.threads = job->threads;
    o.skip_bad = job->skip_bad;
    int code = judge_load(&l, job->data, job->index, job->count, ecg_model_preprocess(job->model), &o,
                          job->quiet, "reading");
    if (code != EXIT_DONE)
        return code;
    const ecg_status s = ecg_metrics_new(out, ecg_model_classes(job->model));
    code = s == ECG_OK ? run_loader(*out, job, l) : tool_fail("%s", ecg_status_text(s));
    ecg_loader_free(l);
    if (code != EXIT_DONE) {
        ecg_metrics_free(*out);
        *out = NULL;
    }
    return code;
}
