/* One training step: the phases of the tape, then one pass over all weights. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "math/vec.h"
#include "train/share.h"

/* ---- places ---- */

static void *place(const ecg_trainer *t, const ecg__buffer *b, size_t first, uint32_t worker)
{
    if (b->bytes == 0)
        return NULL;
    if (b->local)
        return t->private + worker * t->worker_bytes + b->offset;
    const size_t begin = b->shared && !t->group.fast ? 0 : t->first;
    return t->common + b->offset + (first - begin) * b->bytes;
}

/* ---- operations ---- */

/* Keep the first failure; later ones are lost, as they would be to a single thread. */
static void set_fault(ecg_trainer *t, ecg_status s, const ecg_error *e)
{
    if (atomic_exchange(&t->failed, 1) == 0) {
        t->fault_status = s;
        t->fault = *e;
    }
}

static void fetch(ecg_trainer *t, size_t first, size_t count, float *x)
{
    const ecg__feed *f = &t->feed;
    const size_t values = t->spec->layer[0].plan.in_count;
    const uint32_t classes = ecg_spec_outputs(t->spec);
    ecg_error e = {.message = ""};
    if (f->x)
        memcpy(x, f->x + first * values, count * values * sizeof *x);
    for (size_t i = first; i < first + count; i++) {
        uint32_t label = 0;
        ecg_status s = ECG_OK;
        uint64_t id = i;
        if (f->x) {
            label = f->y[i];
        } else {
            id = f->index[i];
            s = f->source->fetch(f->source->ctx, f->epoch, id, x + (i - first) * values, &label, &e);
        }
        if (s == ECG_OK && label >= classes)
            s = ecg__fail(&e, ECG_EINVAL,
                          "training: sample %" PRIu64 " has label %" PRIu32 ", expected 0..%" PRIu32, id,
                          label, classes - 1);
        if (s != ECG_OK) {
            set_fault(t, s, &e);
            label = 0;
            memset(x + (i - first) * values, 0, values * sizeof *x); /* other ranks wait for an answer */
        }
        t->label[i] = label;
        t->key[i] = f->epoch << 32 | id;
    }
}

static void loss(ecg_trainer *t, size_t part, size_t first, size_t count, uint32_t worker)
{
    const ecg__tape *tape = &t->tape;
    const struct ecg__loss_args a = {
        .classes = ecg_spec_outputs(t->spec),
        .smoothing = t->opt.label_smoothing,
        .class_weight = t->class_weights,
    };
    const float *logits = place(t, &tape->y[tape->layers - 1], first, worker);
    float *dlogits = place(t, &tape->dy[tape->layers - 1], first, worker);
    t->shard_correct[part] = 0;
    t->shard_loss[part] = ecg__cross_entropy(&a, logits, t->label + first, count, t->scale, dlogits, NULL,
                                             &t->shard_correct[part]);
}

struct taker {
    const ecg_trainer *t;
    const ecg__slot *slot;
};

static void update_values(const ecg_trainer *t, size_t offset, const float *g, size_t n, bool decays)
{
    float *moment[ECG__MAX_MOMENTS] = {NULL, NULL, NULL};
    for (int k = 0; k < ECG__MAX_MOMENTS; k++)
        if (t->moment[k])
            moment[k] = t->moment[k] + offset;
    ecg__optimizer_apply(&t->update, t->weights + offset, g, moment, n, decays);
}

static void take(void *ctx, size_t first, size_t count, const float *grad)
{
    const struct taker *k = ctx;
    update_values(k->t, k->slot->offset + first, grad, count, k->slot->tensor->decays);
}

static void run_layer(ecg_trainer *t, const ecg__op *op, bool by_block, size_t part, size_t first,
                      size_t count, uint32_t worker)
{
    const ecg__tape *tape = &t->tape;
    const uint32_t i = op->layer;
    const ecg__layer *l = &t->low->layer[i];
    const ecg__buffer *in = i ? &tape->y[i - 1] : &tape->input;
    float *const *tensor = t->weight_tensor + l->first_tensor;
    const size_t own = part - t->shard_lo; /* if by shard */
    float *const *grads = t->grad_tensor + (by_block ? t->own_shards : own) * (size_t)t->spec->slots;
    void *scratch = t->private + worker * t->worker_bytes + tape->scratch;
    if (!op->run) {
        const ecg__forward_args a = {.attr = l->attr,
                                     .plan = &l->plan,
                                     .tensor = (const float *const *)tensor,
                                     .x = place(t, in, first, worker),
                                     .y = place(t, &tape->y[i], first, worker),
                                     .n = count,
                                     .scratch = scratch};
        l->ops->forward(&a);
        return;
    }
    const bool backward = op->kind == ECG__OP_BACKWARD;
    struct taker taker = {t, l->plan.tensors ? &t->spec->slot[l->first_tensor] : NULL};
    const ecg__train_args a = {
        .attr = l->attr,
        .plan = &l->plan,
        .tensor = tensor,
        .x = place(t, in, first, worker),
        .y = place(t, &tape->y[i], first, worker),
        .dy = backward ? place(t, &tape->dy[i], first, worker) : NULL,
        .dx = backward && i > tape->first_trained ? place(t, &tape->dy[i - 1], first, worker) : NULL,
        .saved = place(t, &tape->saved[i], first, worker),
        .key = t->key + first,
        .n = count,
        .grad = grads + l->first_tensor,
        .take = take,
        .take_ctx = &taker,
        .scratch = scratch,
        .partial = t->partial + t->partial_at[i] + (t->group.local ? t->shard_lo * l->plan.partial : 0),
        .shards = t->group.local ? t->shard_hi - t->shard_lo : t->shards,
        .seed = t->opt.seed,
        .layer = l->origin,
    };
    op->run(&a, by_block || !t->group.local ? part : own);
}

static void run_part(void *ctx, size_t item, uint32_t worker)
{
    ecg_trainer *t = ctx;
    const ecg__phase *phase = t->phase;
    const bool by_block = phase->by_block, whole = !t->group.fast;
    const size_t part = by_block ? item : t->shard_lo + item;
    const size_t first = !by_block ? t->n * part / t->shards : whole ? 0 : t->first;
    const size_t count = !by_block ? t->n * (part + 1) / t->shards - first : whole ? t->n : t->own;
    ecg__lap_row *laps = ecg__profile_row(t->timing, worker);
    ecg__lap_start(laps);
    for (uint32_t i = phase->first; i < phase->first + phase->count; i++) {
        const ecg__op *op = &t->tape.op[i];
        if (op->kind == ECG__OP_FETCH) {
            memset(t->shard_grad + item * t->shard_floats, 0, t->shard_floats * sizeof *t->shard_grad);
            fetch(t, first, count, place(t, &t->tape.input, first, worker));
        } else if (op->kind == ECG__OP_LOSS) {
            loss(t, part, first, count, worker);
        } else {
            run_layer(t, op, by_block, part, first, count, worker);
        }
        if (t->group.under_way && worker == 0 && t->group.comm.poll)
            t->group.comm.poll(t->group.comm.payload);
        ecg__lap(laps, ecg__op_lap(op, t->low->layer[op->layer].origin, t->spec->layers - 1));
    }
}

static void sum_own_piece(void *ctx, size_t i, uint32_t worker)
{
    const ecg_trainer *t = ctx;
    const ecg__piece *p = &t->piece[t->piece_first + i];
    ecg__lap_row *laps = ecg__profile_row(t->timing, worker);
    ecg__lap_start(laps);
    if (p->shard_offset != SIZE_MAX)
        for (uint32_t s = 0; s < t->shard_hi - t->shard_lo; s++)
            ecg__vec_add(t->grad + p->grad_offset, t->shard_grad + s * t->shard_floats + p->shard_offset,
                         p->count);
    ecg__lap(laps, ECG__LAP_REDUCE);
}

static ecg_status run_phases(ecg_trainer *t, uint32_t first, uint32_t end, ecg_error *err)
{
    const bool idle = t->group.fast && t->own == 0;
    ecg_status s = ECG_OK;
    for (uint32_t i = first; s == ECG_OK && i < end; i++) {
        const ecg__phase *phase = t->phase = &t->tape.phase[i];
        s = ecg__share_before(t, i, err);
        if (s == ECG_OK && !idle)
            ecg__parallel_for(t->pool, phase->by_block ? phase->blocks : t->shard_hi - t->shard_lo, run_part,
                              t);
    }
    return s;
}

/* ---- update ---- */

/* The whole gradient of a piece: shards in order, and L2. Returns the sum of squares of the weights if L2 is
 * on. */
static double gather(const ecg_trainer *t, const ecg__piece *p)
{
    float *g = t->grad + p->grad_offset;
    const float *w = t->weights + p->offset;
    if (p->shard_offset != SIZE_MAX)
        for (uint32_t s = 0; s < t->sum_count; s++)
            ecg__vec_add(g, t->sum_of + s * t->shard_floats + p->shard_offset, p->count);
    if (p->l2 == 0.0f)
        return 0.0;
    for (size_t i = 0; i < p->count; i++)
        g[i] += 2.0f * p->l2 * w[i];
    return (double)p->l2 * ecg__sum_squares(w, p->count);
}

static void apply(const ecg_trainer *t, const ecg__piece *p)
{
    float *g = t->grad + p->grad_offset;
    update_values(t, p->offset, g, p->count, p->decays);
    memset(g, 0, p->count * sizeof *g);
}

static void gather_piece(void *ctx, size_t i, uint32_t worker)
{
    const ecg_trainer *t = ctx;
    ecg__lap_row *laps = ecg__profile_row(t->timing, worker);
    ecg__lap_start(laps);
    t->piece_l2[i] = gather(t, &t->piece[i]);
    t->piece_square[i] = ecg__sum_squares(t->grad + t->piece[i].grad_offset, t->piece[i].count);
    ecg__lap(laps, ECG__LAP_REDUCE);
}

static void apply_piece(void *ctx, size_t i, uint32_t worker)
{
    const ecg_trainer *t = ctx;
    ecg__lap_row *laps = ecg__profile_row(t->timing, worker);
    ecg__lap_start(laps);
    apply(t, &t->piece[i]);
    ecg__lap(laps, ECG__LAP_OPTIMIZER);
}

static void update_piece(void *ctx, size_t i, uint32_t worker)
{
    const ecg_trainer *t = ctx;
    ecg__lap_row *laps = ecg__profile_row(t->timing, worker);
    ecg__lap_start(laps);
    t->piece_l2[i] = gather(t, &t->piece[i]);
    ecg__lap(laps, ECG__LAP_REDUCE);
    apply(t, &t->piece[i]);
    ecg__lap(laps, ECG__LAP_OPTIMIZER);
}

static double sum(const double *v, size_t n)
{
    double s = 0.0;
    for (size_t i = 0; i < n; i++)
        s += v[i];
    return s;
}

/* Returns the L2 part of the loss. */
static double update(ecg_trainer *t)
{
    if (t->opt.clip_norm > 0.0f) {
        ecg__parallel_for(t->pool, t->pieces, gather_piece, t);
        const double norm = sqrt(sum(t->piece_square, t->pieces));
        if (norm > (double)t->opt.clip_norm)
            t->update.grad_scale = (float)((double)t->opt.clip_norm / norm);
        ecg__parallel_for(t->pool, t->pieces, apply_piece, t);
    } else {
        ecg__parallel_for(t->pool, t->pieces, update_piece, t);
    }
    return sum(t->piece_l2, t->pieces);
}

/* Forward moves running statistics before the step is known to be good; `back`: undo that. */
static void keep_state(ecg_trainer *t, bool back)
{
    float *state = t->weights + t->spec->trainable_floats;
    const size_t bytes = (t->spec->floats - t->spec->trainable_floats) * sizeof *state;
    memcpy(back ? state : t->state, back ? t->state : state, bytes);
}

/* What the loss is divided by: samples, or the sum of their weights. */
static double denominator(const ecg_trainer *t)
{
    if (!t->class_weights || !t->opt.weighted_mean)
        return (double)t->n;
    double total = 0.0;
    for (size_t i = 0; i < t->n; i++)
        total += (double)t->class_weights[t->label[i]];
    return total > 0.0 ? total : 1.0;
}

/* Up to the loss, which goes to *mean. Nothing but running statistics has changed then. */
static ecg_status run_forward(ecg_trainer *t, double *mean, ecg_error *err)
{
    ecg_status s = run_phases(t, 0, t->tape.loss_phase, err);
    if (s != ECG_OK)
        return s;
    if (atomic_load(&t->failed) && ecg__group_alone(&t->group)) {
        if (err)
            *err = t->fault;
        return t->fault_status;
    }
    if (t->class_weights && t->opt.weighted_mean)
        s = ecg__share_labels(t, err);
    const double denom = denominator(t);
    t->scale = 1.0 / denom;
    if (s == ECG_OK)
        s = run_phases(t, t->tape.loss_phase, t->tape.loss_phase + 1, err);
    if (s == ECG_OK)
        s = ecg__share_loss(t, err);
    if (s != ECG_OK)
        return s;
    *mean = sum(t->shard_loss, t->shards) / denom;
    if (isfinite(*mean))
        return ECG_OK;
    return ecg__fail(err, ECG_ENUMERIC, "training: loss of step %" PRIu64 " is not finite (%s)", t->steps + 1,
                     isnan(*mean) ? "nan"
                     : *mean > 0  ? "inf"
                                  : "-inf");
}

/* The rest of backward: it began in the phase of the loss. */
static ecg_status run_backward(ecg_trainer *t, ecg_error *err)
{
    ecg_status s = ecg__share_after(t, t->tape.loss_phase, sum_own_piece, err);
    for (uint32_t i = t->tape.loss_phase + 1; s == ECG_OK && i < t->tape.phases; i++) {
        s = run_phases(t, i, i + 1, err);
        if (s == ECG_OK)
            s = ecg__share_after(t, i, sum_own_piece, err);
    }
    return s;
}

ecg_status ecg__trainer_step(ecg_trainer *t, const ecg__feed *feed, size_t n, float lr, ecg_step *out,
                             ecg_error *err)
{
    const uint64_t begin = ecg__span_begin(t->timing);
    t->feed = *feed;
    if (feed->x)
        t->feed.epoch = t->steps + 1;
    t->n = n;
    ecg__share_cut(t);
    atomic_store(&t->failed, 0);
    memset(t->partial, 0, t->partial_count * sizeof *t->partial);

    double mean = 0.0;
    keep_state(t, false);
    ecg_status s = run_forward(t, &mean, err);
    if (s != ECG_OK) {
        keep_state(t, true);
        return s;
    }
    t->update = ecg__optimizer_begin(&t->opt);
    t->update.lr = lr;
    t->update.t = t->steps + 1;
    s = run_backward(t, err);
    if (s == ECG_OK)
        s = ecg__share_gradients(t, err);
    if (s == ECG_OK)
        s = ecg__share_state(t, err);
    if (s != ECG_OK)
        return s;
    const double l2 = update(t);
    t->steps++;
    if (out) {
        *out = (ecg_step){.loss = mean + l2, .step = t->steps, .n = (uint32_t)n, .lr = lr};
        for (uint32_t k = 0; k < t->shards; k++)
            out->correct += t->shard_correct[k];
    }
    ecg__span_end(t->timing, ECG__SPAN_STEPS, begin, n);
    return ECG_OK;
}
