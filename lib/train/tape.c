#include "train/tape.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "net/arena.h"
#include "train/grads.h"

/* While the tape is made: which operations touch each value. */
struct life {
    bool used, shared;
    size_t bytes; /* per sample */
    uint32_t first, last;
};

struct maker {
    ecg__tape *t;
    const ecg_spec *spec;
    uint32_t *forward_first, *forward_last, *backward_first, *backward_last; /* [layers]: operations */
    uint32_t loss;
    uint32_t *op_phase;         /* [ops] */
    struct life *life;          /* [3 * layers + 1]: y, dy, saved, input */
    uint32_t *y_home, *dy_home; /* [layers]: whose memory it shares */
};

static const ecg__plan *plan_of(const struct maker *m, uint32_t i)
{
    return &m->spec->layer[i].plan;
}

/* ---- operations and phases ---- */

static void add_op(struct maker *m, ecg__op op, bool by_block, size_t blocks, bool wait)
{
    ecg__tape *t = m->t;
    if (wait || by_block || t->phases == 0 || t->phase[t->phases - 1].by_block)
        t->phase[t->phases++] = (ecg__phase){.first = t->ops, .by_block = by_block, .blocks = blocks};
    t->phase[t->phases - 1].count++;
    m->op_phase[t->ops] = t->phases - 1;
    t->op[t->ops++] = op;
}

static void add_steps(struct maker *m, ecg__op_kind kind, uint32_t layer, const ecg__step *steps)
{
    for (uint32_t i = 0; i < ECG__MAX_STEPS && (i == 0 || steps[i].run); i++)
        add_op(m, (ecg__op){.kind = kind, .layer = layer, .run = steps[i].run}, steps[i].by_block,
               plan_of(m, layer)->blocks, i > 0);
}

static void make_ops(struct maker *m)
{
    ecg__tape *t = m->t;
    add_op(m, (ecg__op){.kind = ECG__OP_FETCH}, false, 0, false);
    for (uint32_t i = 0; i < t->layers; i++) {
        m->forward_first[i] = t->ops;
        add_steps(m, ECG__OP_FORWARD, i, ecg__layer_grad_of(m->spec->layer[i].ops)->forward);
        m->forward_last[i] = t->ops - 1;
    }
    /* The loss waits for all labels: a weighted mean needs their sum. */
    m->loss = t->ops;
    add_op(m, (ecg__op){.kind = ECG__OP_LOSS}, false, 0, true);
    t->loss_phase = t->phases - 1;
    for (uint32_t i = t->layers; i-- > t->first_trained;) {
        const ecg__step *steps = ecg__layer_grad_of(m->spec->layer[i].ops)->backward;
        m->backward_first[i] = t->ops;
        add_steps(m, ECG__OP_BACKWARD, i, steps);
        m->backward_last[i] = t->ops - 1;
    }
}

/* ---- lifetimes ---- */

static void touch(struct life *l, uint32_t op)
{
    if (!l->used || op < l->first)
        l->first = op;
    if (!l->used || op > l->last)
        l->last = op;
    l->used = true;
}

static bool reads(const struct maker *m, uint32_t layer, uint32_t flag)
{
    return layer >= m->t->first_trained && (plan_of(m, layer)->flags & flag);
}

static void make_lives(struct maker *m)
{
    const uint32_t n = m->t->layers;
    struct life *y = m->life, *dy = y + n, *saved = dy + n, *input = saved + n;
    input->bytes = plan_of(m, 0)->in_count * sizeof(float);
    touch(input, 0);
    touch(input, m->forward_last[0]);
    if (reads(m, 0, ECG__READS_X))
        touch(input, m->backward_last[0]);
    for (uint32_t i = 0; i < n; i++) {
        const ecg__plan *p = plan_of(m, i);
        /* y may take the place of x when nobody wants x back. */
        const bool inplace = i > 0 && (p->flags & ECG__INPLACE) && !reads(m, i, ECG__READS_X) &&
                             !reads(m, i - 1, ECG__READS_Y);
        m->y_home[i] = inplace ? m->y_home[i - 1] : i;
        struct life *out = &y[m->y_home[i]];
        if (!inplace)
            out->bytes = p->out_count * sizeof(float);
        touch(out, m->forward_first[i]);
        touch(out, i + 1 < n ? m->forward_last[i + 1] : m->loss);
        if (reads(m, i, ECG__READS_Y))
            touch(out, m->backward_last[i]);
        if (i + 1 < n && reads(m, i + 1, ECG__READS_X))
            touch(out, m->backward_last[i + 1]);
        if (p->saved && i >= m->t->first_trained) {
            saved[i].bytes = p->saved;
            touch(&saved[i], m->forward_first[i]);
            touch(&saved[i], m->backward_last[i]);
        } else if (p->saved) {
            saved[i].bytes = p->saved; /* written by forward, never read */
            touch(&saved[i], m->forward_first[i]);
            touch(&saved[i], m->forward_last[i]);
        }
    }
    for (uint32_t i = n; i-- > m->t->first_trained;) {
        const bool inplace = i + 1 < n && (plan_of(m, i + 1)->flags & ECG__INPLACE);
        m->dy_home[i] = inplace ? m->dy_home[i + 1] : i;
        struct life *grad = &dy[m->dy_home[i]];
        if (!inplace)
            grad->bytes = plan_of(m, i)->out_count * sizeof(float);
        touch(grad, i + 1 < n ? m->backward_first[i + 1] : m->loss);
        touch(grad, m->backward_last[i]);
    }
}

/* What BY BLOCK steps of layer i read and write. */
static void share(struct maker *m, uint32_t i)
{
    const uint32_t n = m->t->layers;
    struct life *y = m->life, *dy = y + n, *saved = dy + n, *input = saved + n;
    y[m->y_home[i]].shared = saved[i].shared = true;
    (i ? &y[m->y_home[i - 1]] : input)->shared = true;
    if (i >= m->t->first_trained)
        dy[m->dy_home[i]].shared = true;
    if (i > m->t->first_trained)
        dy[m->dy_home[i - 1]].shared = true;
}

/* ---- places ---- */

static bool is_local(const struct maker *m, const struct life *l)
{
    const uint32_t phase = m->op_phase[l->first];
    return phase == m->op_phase[l->last] && !m->t->phase[phase].by_block;
}

/* Lay out the values of one arena, of so many samples each; returns its bytes, 0 when memory is out. */
static size_t lay_out(const struct maker *m, bool local, uint32_t batch, uint32_t own, ecg__value *value,
                      uint32_t *order, uint32_t *which)
{
    const uint32_t lives = 3 * m->t->layers + 1;
    uint32_t n = 0;
    for (uint32_t i = 0; i < lives; i++) {
        const struct life *l = &m->life[i];
        if (!l->used || is_local(m, l) != local)
            continue;
        value[n] = (ecg__value){.bytes = l->bytes * (l->shared ? batch : own),
                                .first = local ? l->first : m->op_phase[l->first],
                                .last = local ? l->last : m->op_phase[l->last]};
        which[n++] = i;
    }
    const size_t bytes = ecg__arena_plan(value, n, order);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t layers = m->t->layers, id = which[i];
        ecg__buffer *b = id < layers       ? &m->t->y[id]
                         : id < 2 * layers ? &m->t->dy[id - layers]
                         : id < 3 * layers ? &m->t->saved[id - 2 * layers]
                                           : &m->t->input;
        *b = (ecg__buffer){.local = local,
                           .shared = m->life[id].shared,
                           .bytes = m->life[id].bytes,
                           .offset = value[i].offset};
    }
    return bytes;
}

static bool make_places(struct maker *m, uint32_t batch, uint32_t own, uint32_t most)
{
    ecg__tape *t = m->t;
    const uint32_t lives = 3 * t->layers + 1;
    ecg__value *value = ecg__calloc(lives, sizeof *value);
    uint32_t *order = ecg__alloc(3 * (size_t)lives * sizeof *order);
    const bool ok = value && order;
    if (ok) {
        t->common_bytes = lay_out(m, false, batch, own, value, order, order + 2 * (size_t)lives);
        t->scratch = lay_out(m, true, most, most, value, order, order + 2 * (size_t)lives);
        size_t scratch = 0;
        for (uint32_t i = 0; i < t->layers; i++) {
            const ecg__plan *p = plan_of(m, i);
            scratch = p->scratch > scratch ? p->scratch : scratch;
            scratch = p->train_scratch > scratch ? p->train_scratch : scratch;
        }
        t->worker_bytes = t->scratch + ecg__align_up(scratch);
        for (uint32_t i = 0; i < t->layers; i++) {
            if (m->y_home[i] != i)
                t->y[i] = t->y[m->y_home[i]];
        }
        for (uint32_t i = t->layers; i-- > t->first_trained;) {
            if (m->dy_home[i] != i)
                t->dy[i] = t->dy[m->dy_home[i]];
        }
    }
    ecg__free(value);
    ecg__free(order);
    return ok;
}

static ecg_status check(ecg__tape *t, const ecg_spec *spec, ecg_error *err)
{
    const uint32_t n = spec->layers;
    if (strcmp(spec->layer[n - 1].ops->name, "softmax") != 0)
        return ecg__fail(err, ECG_EINVAL, "network: must end in softmax to be trained, ends in %s",
                         spec->layer[n - 1].ops->name);
    const ecg_shape out = spec->layer[n - 1].plan.out;
    if (out.h != 1 || out.w != 1 || out.c < 2)
        return ecg__fail(err, ECG_ESHAPE,
                         "network: ends in %ux%ux%u values, expected 1x1 and at least 2 classes", out.h,
                         out.w, out.c);
    t->layers = n - 1;
    for (t->first_trained = 0; t->first_trained < t->layers; t->first_trained++)
        for (uint32_t i = 0; i < spec->layer[t->first_trained].plan.tensors; i++)
            if (spec->layer[t->first_trained].plan.tensor[i].trainable)
                return ECG_OK;
    return ecg__fail(err, ECG_EINVAL, "network: has no parameters to train");
}

ecg_status ecg__tape_new(ecg__tape *out, const ecg_spec *spec, uint32_t batch, uint32_t own, uint32_t most,
                         ecg_error *err)
{
    *out = (ecg__tape){0};
    const ecg_status s = check(out, spec, err);
    if (s != ECG_OK)
        return s;
    const size_t n = out->layers, most_ops = 2 * ECG__MAX_STEPS * n + 2;
    struct maker m = {.t = out, .spec = spec};
    uint32_t *index = ecg__calloc(6 * n + most_ops, sizeof *index);
    m.life = ecg__calloc(3 * n + 1, sizeof *m.life);
    out->op = ecg__calloc(most_ops, sizeof *out->op);
    out->phase = ecg__calloc(most_ops, sizeof *out->phase);
    out->y = ecg__calloc(n, sizeof *out->y);
    out->dy = ecg__calloc(n, sizeof *out->dy);
    out->saved = ecg__calloc(n, sizeof *out->saved);
    bool ok = index && m.life && out->op && out->phase && out->y && out->dy && out->saved;
    if (ok) {
        m.forward_first = index;
        m.forward_last = index + n;
        m.backward_first = index + 2 * n;
        m.backward_last = index + 3 * n;
        m.y_home = index + 4 * n;
        m.dy_home = index + 5 * n;
        m.op_phase = index + 6 * n;
        make_ops(&m);
        make_lives(&m);
        for (uint32_t i = 0; i < out->layers; i++)
            if (plan_of(&m, i)->flags & ECG__GRADS_BY_BLOCK)
                share(&m, i);
        ok = make_places(&m, batch, own, most);
    }
    ecg__free(index);
    ecg__free(m.life);
    if (ok)
        return ECG_OK;
    ecg__tape_end(out);
    return ecg__fail(err, ECG_ENOMEM, "out of memory");
}

void ecg__tape_end(ecg__tape *t)
{
    ecg__free(t->op);
    ecg__free(t->phase);
    ecg__free(t->y);
    ecg__free(t->dy);
    ecg__free(t->saved);
    *t = (ecg__tape){0};
}
