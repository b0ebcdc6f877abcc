#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/status.h"
#include "math/gemm.h"
#include "net/decision.h"
#include "net/gate.h"
#include "net/infer.h"
#include "net/infer_profile.h"
#include "net/model.h"

struct ecg_session {
    ecg_model *model;
    ecg__infer infer;
    ecg__pool *pool;    /* NULL: the caller alone */
    bool placed;        /* in the caller's memory, with plan and arena */
    size_t arena_bytes; /* of one worker: the network's arena, its input, packed pixels */
    size_t input_at, pixels_at;
    unsigned char *arena;
    ecg__laps *profile, *timing; /* timing: profile, or NULL while it is off */
    uint64_t ns, pictures;       /* timed */
};

/* Where a worker's input and pixels lie, behind the network's arena. */
static void lay_out(ecg_session *s, const ecg_spec *spec)
{
    const size_t values = spec->layer[0].plan.in_count;
    s->input_at = s->infer.bytes;
    s->pixels_at = s->input_at + ecg__align_up(values * sizeof(float));
    s->arena_bytes = s->pixels_at + ecg__align_up(values);
}

ecg_status ecg_session_new(ecg_session **out, ecg_model *m, const ecg_session_options *o, ecg_error *err)
{
    *out = NULL;
    ecg_session_options opt = ECG_SESSION_OPTIONS_INIT;
    ecg_status status = ecg__options_copy(&opt, sizeof opt, o, "session options", err);
    if (status != ECG_OK)
        return status;
    ecg_session *s = ecg__calloc(1, sizeof *s);
    if (!s)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    s->model = ecg_model_retain(m);
    ecg__blas_pin();
    status = ecg__infer_plan(&s->infer, m->spec, ECG__INFER_GROUP);
    if (status == ECG_OK)
        status = ecg__pool_new(&s->pool, opt.threads);
    size_t total = 0; /* bytes of all arenas */
    if (status == ECG_OK) {
        lay_out(s, m->spec);
        if (!ecg__mul(&total, s->arena_bytes, ecg__pool_workers(s->pool)))
            total = SIZE_MAX - ECG__ALIGN;
        s->arena = ecg__alloc(total);
        if (!s->arena)
            status = ECG_ENOMEM;
    }
    if (status != ECG_OK) {
        const uint32_t threads = s->pool ? ecg__pool_workers(s->pool) : 0;
        ecg_session_free(s);
        if (total == 0)
            return ecg__fail(err, status, "session: out of memory");
        return ecg__fail(err, status, "session: out of memory, wanted %zu MiB for %" PRIu32 " thread%s",
                         (total >> 20) + 1, threads, threads == 1 ? "" : "s");
    }
    *out = s;
    return ECG_OK;
}

/* A session of one thread for one sample at a time, but for its memory; *bytes of it, for any alignment. */
static ecg_status plan_placed(ecg_session *s, const ecg_model *m, size_t *bytes)
{
    *s = (ecg_session){.placed = true};
    const ecg_status status = ecg__infer_plan(&s->infer, m->spec, 1);
    if (status != ECG_OK)
        return status;
    lay_out(s, m->spec);
    *bytes = ECG__ALIGN + ecg__align_up(sizeof *s) + ecg__infer_plan_bytes(&s->infer) + s->arena_bytes;
    return ECG_OK;
}

size_t ecg_session_bytes(const ecg_model *m)
{
    ecg_session s;
    size_t bytes;
    if (plan_placed(&s, m, &bytes) != ECG_OK)
        return 0;
    ecg__infer_end(&s.infer);
    return bytes;
}

ecg_status ecg_session_new_in(ecg_session **out, ecg_model *m, void *memory, size_t bytes, ecg_error *err)
{
    *out = NULL;
    ecg_session planned;
    size_t need;
    if (plan_placed(&planned, m, &need) != ECG_OK)
        return ecg__fail(err, ECG_ENOMEM, "session: out of memory");
    ecg__infer plan = planned.infer;
    if (!memory || bytes < need) {
        ecg__infer_end(&plan);
        return ecg__fail(err, ECG_EINVAL, "session: %zu bytes of memory given, this model needs %zu",
                         memory ? bytes : 0, need);
    }
    unsigned char *at = memory;
    at += (ECG__ALIGN - (uintptr_t)at % ECG__ALIGN) % ECG__ALIGN;
    ecg_session *s = (ecg_session *)(void *)at;
    at += ecg__align_up(sizeof *s);
    *s = planned;
    s->infer = ecg__infer_place(&plan, at);
    s->arena = at + ecg__infer_plan_bytes(&plan);
    ecg__infer_end(&plan);
    s->model = ecg_model_retain(m);
    ecg__blas_pin();
    *out = s;
    return ECG_OK;
}

void ecg_session_free(ecg_session *s)
{
    if (!s)
        return;
    ecg__laps_free(s->profile);
    ecg__blas_unpin();
    ecg_model_free(s->model);
    if (s->placed)
        return;
    ecg__pool_free(s->pool);
    ecg__infer_end(&s->infer);
    ecg__free(s->arena);
    ecg__free(s);
}

struct job {
    ecg_session *s;
    const float *x;       /* or: */
    const ecg_image *img; /* [n] */
    float *probs;
    size_t n, items;        /* samples, and groups of them */
    const ecg_look *look;   /* [n] or NULL; with img and decision */
    ecg_decision *decision; /* [n] or NULL */
};

/* What the gate wants to know of the network's inside. */
struct features {
    uint32_t n, samples;
    float f[ECG__INFER_GROUP][ECG_GATE_FEATURES];
};

static void take_features(void *ctx, const float *x, size_t count)
{
    struct features *f = ctx;
    ecg__gate_fold(x, count, f->n, f->f[f->samples++]);
}

static const float *input_from_image(const ecg_session *s, const ecg_image *img, unsigned char *arena)
{
    const ecg_preprocess *prep = &s->model->prep;
    const size_t row = (size_t)img->w * img->c;
    const uint8_t *px = img->px;
    if (img->stride != row) {
        uint8_t *packed = arena + s->pixels_at;
        for (uint32_t r = 0; r < img->h; r++)
            memcpy(packed + r * row, img->px + r * img->stride, row);
        px = packed;
    }
    float *x = (float *)(void *)(arena + s->input_at);
    ecg_preprocess_values(prep, px, x);
    return x;
}

/* Samples of item i of j->items. */
static void decide(const struct job *j, size_t i, const float *probs, const float *features)
{
    const ecg_model *m = j->s->model;
    float prepared[ECG_LOOK_PREPARED];
    if (m->gate && j->img)
        ecg_look_prepared(&j->img[i], prepared);
    ecg__decide(m, probs, j->look ? &j->look[i] : NULL, j->img ? prepared : NULL, features, &j->decision[i]);
}

static void run_group(void *ctx, size_t i, uint32_t worker)
{
    const struct job *j = ctx;
    const ecg_session *s = j->s;
    const ecg_model *m = s->model;
    unsigned char *arena = s->arena + worker * s->arena_bytes;
    const size_t first = j->n * i / j->items, end = j->n * (i + 1) / j->items;
    float *probs = j->probs + first * m->classes;
    ecg__lap_row *laps = ecg__laps_row(s->timing, worker);
    ecg__lap_start(laps);
    const ecg_gate *gate = j->decision ? m->gate : NULL;
    struct features seen = {.n = gate ? gate->features : 0};
    const ecg__infer_tap tap = {ecg__gate_layer(s->infer.spec), take_features, &seen};
    const ecg__infer_tap *look_in = gate ? &tap : NULL;
    for (size_t k = first; k < end; k++) {
        const float *x = j->img ? input_from_image(s, &j->img[k], arena)
                                : j->x + k * m->spec->layer[0].plan.in_count;
        ecg__lap(laps, ecg__infer_lap_before(m->spec));
        ecg__infer_body(&s->infer, m->weights, x, (uint32_t)(k - first), arena, laps, look_in);
    }
    ecg__infer_head(&s->infer, m->weights, (uint32_t)(end - first), probs, arena, laps, look_in);
    for (size_t k = first; k < end; k++, probs += m->classes) {
        ecg__soften(probs, m->classes, m->rule.temperature);
        if (j->decision)
            decide(j, k, probs, seen.f[k - first]);
    }
}

static void run_samples(ecg_session *s, struct job *j, size_t n)
{
    const uint64_t begin = s->timing ? ecg__nanoseconds() : 0;
    j->n = n;
    j->items = ecg__infer_groups(&s->infer, n, ecg__pool_workers(s->pool));
    ecg__parallel_for(s->pool, j->items, run_group, j);
    if (s->timing) {
        s->ns += ecg__nanoseconds() - begin;
        s->pictures += n;
    }
}

void ecg_session_run(ecg_session *s, const float *x, size_t n, float *probs)
{
    struct job j = {.s = s, .x = x, .probs = probs};
    run_samples(s, &j, n);
}

ecg_status ecg_session_run_images(ecg_session *s, const ecg_image *img, size_t n, float *probs,
                                  ecg_error *err)
{
    return ecg_session_judge_images(s, img, NULL, n, probs, NULL, err);
}

void ecg_session_judge(ecg_session *s, const float *x, size_t n, float *probs, ecg_decision *out)
{
    struct job j = {.s = s, .x = x, .probs = probs, .decision = out};
    run_samples(s, &j, n);
}

ecg_status ecg_session_judge_images(ecg_session *s, const ecg_image *img, const ecg_look *look, size_t n,
                                    float *probs, ecg_decision *out, ecg_error *err)
{
    const ecg_preprocess *p = &s->model->prep;
    for (size_t i = 0; i < n; i++)
        if (img[i].h != p->h || img[i].w != p->w || img[i].c != (uint32_t)p->color)
            return ecg__fail(err, ECG_ESHAPE,
                             "picture %zu has %" PRIu32 "x%" PRIu32 "x%" PRIu32
                             " pixels, the model reads %" PRIu32 "x%" PRIu32 "x%d",
                             i, img[i].h, img[i].w, img[i].c, p->h, p->w, (int)p->color);
    struct job j = {.s = s, .img = img, .probs = probs, .look = look, .decision = out};
    run_samples(s, &j, n);
    return ECG_OK;
}

ecg_status ecg_session_run_file(ecg_session *s, const char *path, float *probs, ecg_error *err)
{
    ecg_pixels *p;
    const ecg_status status = ecg_preprocess_load(&p, &s->model->prep, path, err);
    if (status != ECG_OK)
        return status;
    const ecg_image img = ecg_pixels_view(p);
    const ecg_status ran = ecg_session_run_images(s, &img, 1, probs, err);
    ecg_pixels_free(p);
    return ran;
}

static ecg_status judge_prepared(ecg_session *s, ecg_pixels *p, const ecg_look *look, float *probs,
                                 ecg_decision *out, ecg_error *err)
{
    const ecg_image img = ecg_pixels_view(p);
    const ecg_status status = ecg_session_judge_images(s, &img, look, 1, probs, out, err);
    ecg_pixels_free(p);
    return status;
}

ecg_status ecg_session_judge_file(ecg_session *s, const char *path, float *probs, ecg_decision *out,
                                  ecg_error *err)
{
    ecg_pixels *p;
    ecg_look look;
    const ecg_status status = ecg_look_load(&p, &look, &s->model->prep, path, err);
    return status == ECG_OK ? judge_prepared(s, p, &look, probs, out, err) : status;
}

ecg_status ecg_session_judge_data(ecg_session *s, const void *data, size_t n, const char *name, float *probs,
                                  ecg_decision *out, ecg_error *err)
{
    ecg_pixels *p;
    ecg_look look;
    const ecg_status status = ecg_look_decode(&p, &look, &s->model->prep, data, n, name, err);
    return status == ECG_OK ? judge_prepared(s, p, &look, probs, out, err) : status;
}

ecg_status ecg_session_judge_image(ecg_session *s, const ecg_image *img, float *probs, ecg_decision *out,
                                   ecg_error *err)
{
    ecg_pixels *p;
    ecg_look look;
    const ecg_status status = ecg_look_image(&p, &look, &s->model->prep, img, err);
    return status == ECG_OK ? judge_prepared(s, p, &look, probs, out, err) : status;
}

ecg_status ecg_session_profile(ecg_session *s, int on, ecg_error *err)
{
    if (on && !s->profile && !(s->profile = ecg__infer_laps_new(s->model->spec, ecg__pool_workers(s->pool))))
        return ecg__fail(err, ECG_ENOMEM, "profile: out of memory");
    s->timing = on ? s->profile : NULL;
    if (on) {
        ecg__laps_clear(s->profile);
        s->ns = s->pictures = 0;
    }
    return ECG_OK;
}

int ecg_session_profile_entry(const ecg_session *s, size_t i, ecg_profile_entry *out)
{
    static const ecg__infer_stages stages = {"prepare", "forward", "wait"};
    return s->profile
               ? ecg__infer_profile_entry(s->profile, s->model->spec, &stages, s->ns, s->pictures, i, out)
               : 0;
}
