/* Pictures to their looks and to what the network's last dense layer reads of them. */
#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/status.h"
#include "eval/gate_fit.h"
#include "math/gemm.h"
#include "net/gate.h"
#include "net/infer.h"
#include "net/model.h"

enum { CHUNK = 64 }; /* pictures between two reports */

struct job {
    ecg_model *m;
    const ecg_gate_pictures *p;
    const size_t *index;
    bool skip_bad;
    size_t first, count; /* first: of the chunk at hand, of so many pictures in so many groups */
    size_t chunk, groups;
    ecg__infer infer;
    uint32_t layer, n;
    unsigned char *arena; /* [workers][arena_bytes] */
    size_t arena_bytes;
    ecg__sight *out;
    ecg_error *fault;   /* [CHUNK] */
    ecg_status *status; /* [CHUNK] */
};

/* Of the pictures of a group that could be read, one after the other. */
struct tapped {
    const struct job *j;
    size_t picture[ECG__INFER_GROUP];
    uint32_t read, seen;
};

static void take(void *ctx, const float *x, size_t count)
{
    struct tapped *t = ctx;
    ecg__gate_fold(x, count, t->j->n, t->j->out->f + t->picture[t->seen++] * t->j->n);
}

/* Picture i's place in the dataset. */
static size_t sample_of(const struct job *j, size_t i)
{
    return j->p->index ? j->p->index[j->index[i]] : j->index[i];
}

/* Picture i as the network reads it, and how it looks. */
static ecg_status look_at(const struct job *j, size_t i, float *x, ecg_error *err)
{
    const ecg_dataset *d = j->p->data;
    const size_t at = sample_of(j, i);
    const uint32_t label = ecg_dataset_label(d, at);
    const ecg_preprocess *prep = &j->m->prep;
    ecg__seen *seen = &j->out->seen[i];
    ecg_pixels *pixels;
    ecg_look look;
    char name[1024];
    unsigned char *data;
    size_t n;
    ecg_dataset_name(d, at, name, sizeof name);
    if (label >= j->m->classes)
        return ecg__fail(err, ECG_EINVAL, "gate: %s has label %u, the model %u classes", name, label,
                         j->m->classes);
    ecg_status s = ecg_dataset_file(d, at, &data, &n, err);
    if (s == ECG_OK)
        s = ecg_look_decode(&pixels, &look, prep, data, n, name, err);
    ecg_dataset_file_free(data);
    if (s != ECG_OK) {
        const bool bad = s == ECG_EFORMAT || s == ECG_ECORRUPT || s == ECG_ELIMIT || s == ECG_EUNSUPPORTED ||
                         s == ECG_EIO;
        seen->skipped = j->skip_bad && bad;
        return seen->skipped ? ECG_OK : s;
    }
    const ecg_image view = ecg_pixels_view(pixels);
    for (int k = 0; k < ECG_LOOK_DECODED; k++)
        seen->look[k] = look.of[k];
    ecg_look_prepared(&view, seen->look + ECG_LOOK_DECODED);
    ecg_preprocess_values(prep, view.px, x);
    ecg_pixels_free(pixels);
    seen->label = label;
    return ECG_OK;
}

static ecg_status check_features(const struct job *j, size_t i, ecg_error *err)
{
    char name[1024];
    for (uint32_t k = 0; k < j->n; k++)
        if (!isfinite(j->out->f[i * j->n + k])) {
            ecg_dataset_name(j->p->data, sample_of(j, i), name, sizeof name);
            return ecg__fail(err, ECG_ENUMERIC, "gate: the network's values for %s are not finite", name);
        }
    return ECG_OK;
}

static void see_group(void *ctx, size_t item, uint32_t worker)
{
    const struct job *j = ctx;
    const size_t first = j->chunk * item / j->groups, end = j->chunk * (item + 1) / j->groups;
    unsigned char *arena = j->arena + worker * j->arena_bytes;
    float *x = (float *)(void *)(arena + j->infer.bytes);
    struct tapped t = {.j = j};
    const ecg__infer_tap tap = {j->layer, take, &t};
    for (size_t i = first; i < end; i++) {
        const size_t picture = j->first + i;
        j->status[i] = look_at(j, picture, x, &j->fault[i]);
        if (j->status[i] != ECG_OK)
            return;
        if (j->out->seen[picture].skipped)
            continue;
        t.picture[t.read] = picture;
        ecg__infer_body(&j->infer, j->m->weights, x, t.read++, arena, NULL, &tap);
    }
    /* The answers may lie where the inputs were: those have been read. */
    if (t.read > 0)
        ecg__infer_head(&j->infer, j->m->weights, t.read, x, arena, NULL, &tap);
    for (uint32_t k = 0; k < t.read; k++) {
        const size_t i = t.picture[k] - j->first;
        j->status[i] = check_features(j, t.picture[k], &j->fault[i]);
    }
}

static ecg_status see_all(struct job *j, ecg__pool *pool, const ecg_gate_options *o, ecg_error *err)
{
    for (j->first = 0; j->first < j->count; j->first += CHUNK) {
        const size_t n = j->chunk = j->count - j->first < CHUNK ? j->count - j->first : CHUNK;
        for (size_t i = 0; i < n; i++)
            j->status[i] = ECG_OK; /* a group ends at its first fault */
        j->groups = ecg__infer_groups(&j->infer, n, ecg__pool_workers(pool));
        ecg__parallel_for(pool, j->groups, see_group, j);
        for (size_t i = 0; i < n; i++)
            if (j->status[i] != ECG_OK) {
                if (err)
                    *err = j->fault[i];
                return j->status[i];
            }
        if (o->progress && o->progress(o->payload, j->first + n, j->count))
            return ecg__fail(err, ECG_ECANCELLED, "gate: stopped after %zu of %zu pictures", j->first + n,
                             j->count);
    }
    return ECG_OK;
}

/* The pictures that could be read move together. */
static void drop_skipped(ecg__sight *s, uint32_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->seen[i].skipped)
            continue;
        s->seen[kept] = s->seen[i];
        for (uint32_t k = 0; k < n; k++)
            s->f[kept * n + k] = s->f[i * n + k];
        kept++;
    }
    s->count = kept;
}

ecg_status ecg__gate_see(ecg__sight *out, ecg_model *m, const ecg_gate_pictures *p, const size_t *index,
                         size_t count, const ecg_gate_options *o, ecg_error *err)
{
    struct job j = {.m = m, .p = p, .index = index, .count = count, .skip_bad = o->skip_bad, .out = out};
    ecg__pool *pool = NULL;
    *out = (ecg__sight){.count = count};
    j.n = ecg_gate_features(m);
    out->seen = ecg__calloc(count, sizeof *out->seen);
    out->f = ecg__calloc(count, (size_t)j.n * sizeof *out->f);
    j.fault = ecg__calloc(CHUNK, sizeof *j.fault);
    j.status = ecg__calloc(CHUNK, sizeof *j.status);
    ecg__blas_pin();
    ecg_status s = out->seen && out->f && j.fault && j.status ? ecg__pool_new(&pool, o->threads) : ECG_ENOMEM;
    if (s == ECG_OK)
        s = ecg__infer_plan(&j.infer, m->spec, ECG__INFER_GROUP);
    if (s == ECG_OK) {
        const size_t values = m->spec->layer[0].plan.in_count, answers = (size_t)j.infer.group * m->classes,
                     most = values > answers ? values : answers;
        j.layer = ecg__gate_layer(j.infer.spec);
        j.arena_bytes = j.infer.bytes + ecg__align_up(most * sizeof(float));
        j.arena = ecg__calloc(ecg__pool_workers(pool), j.arena_bytes);
        s = j.arena ? ECG_OK : ECG_ENOMEM;
    }
    if (s != ECG_OK)
        ecg__fail(err, s, "gate: out of memory");
    else if ((s = see_all(&j, pool, o, err)) == ECG_OK)
        drop_skipped(out, j.n);
    ecg__infer_end(&j.infer);
    ecg__pool_free(pool);
    ecg__blas_unpin();
    ecg__free(j.arena);
    ecg__free(j.fault);
    ecg__free(j.status);
    return s;
}

void ecg__sight_free(ecg__sight *s)
{
    ecg__free(s->seen);
    ecg__free(s->f);
}
