/* Making and freeing a trainer, and what is asked of it between steps. */
#include "train/trainer.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "format/model_io.h"
#include "math/gemm.h"
#include "net/lower.h"
#include "net/model.h"
#include "train/init.h"
#include "train/options.h"
#include "train/share.h"

/* 64 KiB of weights: with gradient and moments a piece fits the second-level cache. */
enum { PIECE = 16384 };

/* Allocate and count; NULL when memory is out. */
static void *take(ecg_trainer *t, size_t count, size_t size)
{
    void *p = ecg__calloc(count ? count : 1, size);
    if (p)
        t->bytes += (uint64_t)count * size;
    return p;
}

static bool by_block(const ecg_spec *s, const ecg__slot *slot)
{
    return s->layer[slot->layer].plan.flags & ECG__GRADS_BY_BLOCK;
}

bool ecg__takes_over(const ecg_trainer *t, const ecg__slot *slot)
{
    const ecg__plan *p = &t->spec->layer[slot->layer].plan;
    const ecg__tensor *tensor = slot->tensor;
    return (p->flags & ECG__HANDS_OVER) && tensor == &p->tensor[0] && !t->group.fast &&
           t->opt.clip_norm <= 0.0f && tensor->l2 <= 0.0f && !(tensor->decays && t->opt.l2 > 0.0f);
}

/* Cut every trainable tensor into pieces, and lay out the gradients that shards own. */
static bool make_pieces(ecg_trainer *t)
{
    const ecg_spec *s = t->spec;
    for (uint32_t i = 0; i < s->slots; i++)
        if (s->slot[i].tensor->trainable && !ecg__takes_over(t, &s->slot[i]))
            t->pieces += (uint32_t)((s->slot[i].tensor->count + PIECE - 1) / PIECE);
    t->piece = take(t, t->pieces, sizeof *t->piece);
    t->piece_square = take(t, t->pieces, sizeof *t->piece_square);
    t->piece_l2 = take(t, t->pieces, sizeof *t->piece_l2);
    if (!t->piece || !t->piece_square || !t->piece_l2)
        return false;
    ecg__piece *p = t->piece;
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        const ecg__tensor *tensor = slot->tensor;
        if (!tensor->trainable || ecg__takes_over(t, slot))
            continue;
        const bool block = by_block(s, slot);
        for (size_t at = 0; at < tensor->count; at += PIECE, p++)
            *p = (ecg__piece){
                .slot = i,
                .offset = slot->offset + at,
                .grad_offset = t->grad_floats + at,
                .count = tensor->count - at < PIECE ? tensor->count - at : PIECE,
                .shard_offset = block ? SIZE_MAX : t->shard_floats + at,
                .decays = tensor->decays,
                .l2 = tensor->l2 + (tensor->decays ? t->opt.l2 : 0.0f),
            };
        t->grad_floats += (tensor->count + 15) & ~(size_t)15;
        if (!block)
            t->shard_floats += (tensor->count + 15) & ~(size_t)15;
    }
    return true;
}

static bool make_gradients(ecg_trainer *t)
{
    const ecg_spec *s = t->spec;
    const uint32_t shards = t->own_shards;
    t->state = take(t, s->floats - s->trainable_floats, sizeof *t->state);
    t->grad = take(t, t->grad_floats, sizeof *t->grad);
    t->shard_grad = take(t, t->shard_floats * shards, sizeof *t->shard_grad);
    t->grad_tensor = take(t, (size_t)s->slots * (shards + 1), sizeof *t->grad_tensor);
    t->weight_tensor = take(t, s->slots, sizeof *t->weight_tensor);
    bool ok = t->state && t->grad && t->shard_grad && t->grad_tensor && t->weight_tensor;
    for (uint32_t m = 0; ok && m < ecg__optimizer_moments(&t->opt); m++)
        ok = (t->moment[m] = take(t, s->trainable_floats, sizeof *t->moment[m])) != NULL;
    if (!ok)
        return false;
    size_t at = 0, whole = 0;
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        t->weight_tensor[i] = t->weights + slot->offset;
        if (!slot->tensor->trainable || ecg__takes_over(t, slot))
            continue;
        float *grad = t->grad + whole;
        whole += (slot->tensor->count + 15) & ~(size_t)15;
        if (by_block(s, slot)) {
            t->grad_tensor[(size_t)shards * s->slots + i] = grad;
            continue;
        }
        for (uint32_t k = 0; k < shards; k++)
            t->grad_tensor[(size_t)k * s->slots + i] = t->shard_grad + k * t->shard_floats + at;
        at += (slot->tensor->count + 15) & ~(size_t)15;
    }
    return true;
}

static bool make_memory(ecg_trainer *t)
{
    const ecg_spec *s = t->low;
    const uint32_t shards = t->opt.shards, batch = t->opt.batch;
    /* Prediction: the network's arena, then a sample, whose place the probabilities of its group take. */
    const size_t in = s->layer[0].plan.in_count, outputs = (size_t)t->infer.group * ecg_spec_outputs(s);
    t->worker_bytes = t->infer.bytes + ecg__align_up((in > outputs ? in : outputs) * sizeof(float));
    if (t->tape.worker_bytes > t->worker_bytes)
        t->worker_bytes = t->tape.worker_bytes;
    t->partial_at = take(t, s->layers, sizeof *t->partial_at);
    if (!t->partial_at)
        return false;
    for (uint32_t i = 0; i < s->layers; i++) {
        t->partial_at[i] = t->partial_count;
        t->partial_count += s->layer[i].plan.partial * shards;
    }
    /* Largest first, and nothing more where one does not fit. */
    return (t->common = take(t, 1, t->tape.common_bytes)) &&
           (t->private = take(t, ecg__pool_workers(t->pool), t->worker_bytes)) &&
           (t->partial = take(t, t->partial_count, sizeof *t->partial)) &&
           (t->label = take(t, batch, sizeof *t->label)) && (t->key = take(t, batch, sizeof *t->key)) &&
           (t->shard_loss = take(t, shards, sizeof *t->shard_loss)) &&
           (t->shard_correct = take(t, shards, sizeof *t->shard_correct));
}

static bool copy_class_weights(ecg_trainer *t)
{
    if (!t->opt.class_weights)
        return true;
    const uint32_t classes = ecg_spec_outputs(t->spec);
    t->class_weights = take(t, classes, sizeof *t->class_weights);
    if (t->class_weights)
        memcpy(t->class_weights, t->opt.class_weights, classes * sizeof *t->class_weights);
    t->opt.class_weights = t->class_weights;
    return t->class_weights != NULL;
}

/* What could not be loaded again is not trained. */
static ecg_status check_limits(const ecg_trainer *t, ecg_error *err)
{
    ecg_load_options limit;
    ecg_status s = ecg__load_options(&limit, NULL, err);
    uint64_t params = 0;
    for (uint32_t i = 0; i < t->spec->slots; i++)
        params += t->spec->slot[i].tensor->count;
    if (s == ECG_OK && params > limit.max_params)
        s = ecg__fail(err, ECG_ELIMIT,
                      "training: the network has %" PRIu64 " parameters, the limit max_params of a model "
                      "file is %" PRIu64,
                      params, limit.max_params);
    if (s == ECG_OK && t->infer.bytes > limit.max_arena)
        s = ecg__fail(err, ECG_ELIMIT,
                      "training: running the network needs %zu bytes a thread, the limit max_arena of a "
                      "model file is %" PRIu64,
                      t->infer.bytes, limit.max_arena);
    return s;
}

static ecg_status make(ecg_trainer *t, ecg_error *err)
{
    if (ecg__infer_plan(&t->infer, t->spec, ECG__INFER_GROUP) != ECG_OK)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    ecg_status s = check_limits(t, err);
    if (s != ECG_OK)
        return s;
    t->own_shards = (uint32_t)ecg__share(t->opt.shards, 1, t->group.comm.ranks);
    const uint32_t batch = t->opt.batch, own = ecg__share_most(t);
    s = ecg__tape_new(&t->tape, t->low, t->group.fast ? own : batch, own,
                      (batch + t->opt.shards - 1) / t->opt.shards, err);
    if (s != ECG_OK)
        return s;
    t->weights = take(t, t->spec->floats, sizeof *t->weights);
    if (!t->weights || ecg__pool_new(&t->pool, t->opt.threads) != ECG_OK || !make_pieces(t) ||
        !make_gradients(t) || !make_memory(t) || !ecg__share_new(t) || !copy_class_weights(t))
        return ecg__fail(err, ECG_ENOMEM,
                         "training: out of memory; batch %" PRIu32 " of this network needs %" PRIu64
                         " MiB and more",
                         t->opt.batch, (t->bytes + t->tape.common_bytes) >> 20);
    ecg__init_weights(t->spec, t->opt.seed, t->weights);
    return ECG_OK;
}

ecg_status ecg_trainer_new(ecg_trainer **out, const ecg_spec *spec, const ecg_train_options *o,
                           ecg_error *err)
{
    *out = NULL;
    ecg_train_options opt;
    ecg_status s = ecg__train_options_read(&opt, o, err);
    if (s == ECG_OK)
        s = ecg__class_weights_check(opt.class_weights, ecg_spec_outputs(spec), err);
    if (s != ECG_OK)
        return s;
    ecg_trainer *t = ecg__calloc(1, sizeof *t);
    if (!t)
        return ecg__fail(err, ECG_ENOMEM, "out of memory");
    if (opt.shards > opt.batch)
        opt.shards = opt.batch;
    t->opt = opt;
    ecg__blas_pin();
    t->spec = ecg__spec_copy(spec);
    t->low = ecg__spec_lower(spec);
    s = ecg__group_new(&t->group, &t->opt, err);
    if (s == ECG_OK)
        s = t->spec && t->low ? make(t, err) : ecg__fail(err, ECG_ENOMEM, "out of memory");
    if (s == ECG_OK)
        *out = t;
    else
        ecg_trainer_free(t);
    return s;
}

void ecg_trainer_free(ecg_trainer *t)
{
    if (!t)
        return;
    ecg__pool_free(t->pool);
    ecg__tape_end(&t->tape);
    ecg__infer_end(&t->infer);
    void *const blocks[] = {t->class_weights, t->weights,    t->grad,          t->moment[0],    t->moment[1],
                            t->moment[2],     t->shard_grad, t->piece,         t->piece_square, t->piece_l2,
                            t->common,        t->private,    t->partial,       t->partial_at,   t->label,
                            t->key,           t->shard_loss, t->shard_correct, t->state};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        ecg__free(blocks[i]);
    ecg__free(t->grad_tensor);
    ecg__free(t->weight_tensor);
    ecg__profile_free(t->profile);
    ecg__share_end(t);
    ecg__group_end(&t->group);
    ecg_spec_free(t->low);
    ecg_spec_free(t->spec);
    ecg__blas_unpin();
    ecg__free(t);
}

ecg_status ecg_trainer_step(ecg_trainer *t, const float *x, const uint32_t *y, size_t n, ecg_step *out,
                            ecg_error *err)
{
    if (n < 1 || n > t->opt.batch)
        return ecg__fail(err, ECG_EINVAL, "training step: %zu samples, expected 1..%" PRIu32, n,
                         t->opt.batch);
    const ecg__feed feed = {.x = x, .y = y};
    return ecg__trainer_step(t, &feed, n, t->opt.lr, out, err);
}

struct predict_job {
    ecg_trainer *t;
    const float *x;
    float *probs;
};

static void predict_sample(void *ctx, size_t i, uint32_t worker)
{
    const struct predict_job *j = ctx;
    const ecg_trainer *t = j->t;
    ecg__infer_run(&t->infer, t->weights, j->x + i * t->spec->layer[0].plan.in_count,
                   j->probs + i * ecg_spec_outputs(t->spec), t->private + worker * t->worker_bytes, NULL);
}

void ecg_trainer_predict(ecg_trainer *t, const float *x, size_t n, float *probs)
{
    struct predict_job j = {t, x, probs};
    ecg__parallel_for(t->pool, n, predict_sample, &j);
}

static ecg_status model_over(const ecg_trainer *t, const ecg_model_info *info, float *weights, bool borrow,
                             ecg_model **out, ecg_error *err)
{
    *out = NULL;
    ecg_model_info in = {.size = sizeof in};
    const ecg_status s = ecg__options_copy(&in, sizeof in, info, "model info", err);
    if (s != ECG_OK)
        return s;
    if (!in.preprocess || !in.classes)
        return ecg__fail(err, ECG_EINVAL, "model info: preprocess and classes are needed");
    return ecg__model_new(out, t->spec, in.preprocess, in.classes, ecg_spec_outputs(t->spec), in.meta,
                          weights, borrow, err);
}

ecg_status ecg__trainer_model(const ecg_trainer *t, const ecg_model_info *info, bool borrow, ecg_model **out,
                              ecg_error *err)
{
    *out = NULL;
    float *weights = t->weights;
    if (!borrow) {
        weights = ecg__alloc(t->spec->floats * sizeof *weights);
        if (!weights)
            return ecg__fail(err, ECG_ENOMEM, "out of memory");
        memcpy(weights, t->weights, t->spec->floats * sizeof *weights);
    }
    const ecg_status s = model_over(t, info, weights, borrow, out, err);
    if (s != ECG_OK && !borrow)
        ecg__free(weights);
    return s;
}

ecg_status ecg__trainer_model_of(const ecg_trainer *t, const ecg_model_info *info, float *weights,
                                 ecg_model **out, ecg_error *err)
{
    return model_over(t, info, weights, true, out, err);
}

ecg_status ecg_trainer_snapshot(const ecg_trainer *t, const ecg_model_info *info, ecg_model **out,
                                ecg_error *err)
{
    return ecg__trainer_model(t, info, false, out, err);
}

ecg_status ecg_trainer_save(const ecg_trainer *t, const ecg_model_info *info, const char *path,
                            ecg_error *err)
{
    ecg_model *m;
    ecg_status s = ecg__trainer_model(t, info, true, &m, err);
    if (s == ECG_OK)
        s = ecg_model_save(m, path, err);
    ecg_model_free(m);
    return s;
}

float *ecg_trainer_tensor(ecg_trainer *t, size_t i, const char **name, size_t *count)
{
    if (i >= t->spec->slots)
        return NULL;
    if (name)
        *name = t->spec->slot[i].name;
    if (count)
        *count = t->spec->slot[i].tensor->count;
    return t->weights + t->spec->slot[i].offset;
}

uint64_t ecg_trainer_bytes(const ecg_trainer *t)
{
    return t->bytes;
}
