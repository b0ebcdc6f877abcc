/* The tape: its operations and phases, and that no value is written over before its last reader. The rules
 * are those of layers/layer.h, applied to every pair of values. */
#include "unit/nets.h"

#include "train/grads.h"
#include "train/tape.h"

enum { BATCH = 13, MOST = 4 /* samples in a shard */ };

/* ---- one value, as the operations see it ---- */

struct value {
    const char *name;
    uint32_t layer;
    const ecg__buffer *b;
    size_t bytes; /* expected, per sample */
    bool written;
    uint32_t first, last; /* operations that touch it */
    uint32_t made;        /* the last that writes it */
};

struct check {
    const ecg_spec *spec;
    const ecg__tape *t;
    const char *text;
    uint32_t *phase_of; /* [ops] */
    uint32_t n;
    struct value *value; /* input, y, dy, saved */
};

static void touch(struct value *v, uint32_t op, bool writes)
{
    if (!v->written) {
        v->first = op;
        v->written = true;
    }
    v->last = op;
    if (writes)
        v->made = op;
}

static void read_value(const struct check *c, struct value *v, uint32_t op)
{
    ck_assert_msg(v->written, "%s: operation %u reads %s of layer %u before it is made", c->text, op, v->name,
                  v->layer);
    touch(v, op, false);
}

/* Walk the operations as a worker would, and note who touches what. */
static void find_lives(struct check *c)
{
    const ecg__tape *t = c->t;
    const uint32_t n = t->layers;
    struct value *input = c->value, *y = input + 1, *dy = y + n, *saved = dy + n;
    for (uint32_t k = 0; k < t->ops; k++) {
        const ecg__op *op = &t->op[k];
        const uint32_t i = op->layer;
        const ecg__plan *p = &c->spec->layer[i].plan;
        struct value *x = i ? &y[i - 1] : input;
        switch (op->kind) {
        case ECG__OP_FETCH:
            touch(input, k, true);
            break;
        case ECG__OP_FORWARD:
            read_value(c, x, k);
            touch(&y[i], k, true);
            if (p->saved)
                touch(&saved[i], k, true);
            break;
        case ECG__OP_LOSS:
            read_value(c, &y[n - 1], k);
            touch(&dy[n - 1], k, true);
            break;
        case ECG__OP_BACKWARD:
            read_value(c, &dy[i], k);
            if (p->flags & ECG__READS_X)
                read_value(c, x, k);
            if (p->flags & ECG__READS_Y)
                read_value(c, &y[i], k);
            if (p->saved)
                read_value(c, &saved[i], k);
            if (i > t->first_trained)
                touch(&dy[i - 1], k, true);
            break;
        }
    }
}

/* ---- the rules ---- */

static size_t span(const struct value *v)
{
    return v->b->bytes * (v->b->local ? MOST : BATCH);
}

static void check_place(const struct check *c, const struct value *v)
{
    if (!v->written)
        return;
    ck_assert_msg(v->b->bytes == v->bytes, "%s: %s %u has %zu bytes", c->text, v->name, v->layer,
                  v->b->bytes);
    ck_assert_uint_eq(v->b->offset % ECG__ALIGN, 0);
    ck_assert_uint_le(v->b->offset + span(v), v->b->local ? c->t->scratch : c->t->common_bytes);
    if (v->b->local) {
        const uint32_t phase = c->phase_of[v->first];
        ck_assert_msg(phase == c->phase_of[v->last] && !c->t->phase[phase].by_block,
                      "%s: %s %u is local but leaves its phase", c->text, v->name, v->layer);
    }
}

static bool meet(const struct value *a, const struct value *b)
{
    return a->b->local == b->b->local && a->b->offset < b->b->offset + span(b) &&
           b->b->offset < a->b->offset + span(a);
}

/* a is dead before b is made. Workers are at different operations of a phase, so in the common arena a phase
 * must lie in between; but not where b has the very places of a, sample by sample. */
static bool before(const struct check *c, const struct value *a, const struct value *b)
{
    const bool same = a->b->offset == b->b->offset && a->b->bytes == b->b->bytes;
    if (a->b->local || same)
        return a->last < b->first;
    return c->phase_of[a->last] < c->phase_of[b->first];
}

/* b is made from a by a layer that may work in place, and nobody else reads a from then on. */
static bool in_place(const struct check *c, const struct value *a, const struct value *b)
{
    const bool forward = !strcmp(b->name, "y") && (!strcmp(a->name, "y") || !strcmp(a->name, "input")) &&
                         (b->layer ? !strcmp(a->name, "y") && a->layer + 1 == b->layer
                                   : !strcmp(a->name, "input"));
    const bool backward = !strcmp(b->name, "dy") && !strcmp(a->name, "dy") && a->layer == b->layer + 1;
    const uint32_t maker = forward ? b->layer : a->layer;
    return (forward || backward) && (c->spec->layer[maker].plan.flags & ECG__INPLACE) &&
           a->b->offset == b->b->offset && a->b->bytes == b->b->bytes && a->last <= b->made;
}

static void check_pairs(const struct check *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j < i; j++) {
            const struct value *a = &c->value[i], *b = &c->value[j];
            if (!a->written || !b->written || !meet(a, b))
                continue;
            ck_assert_msg(before(c, a, b) || before(c, b, a) || in_place(c, a, b) || in_place(c, b, a),
                          "%s: %s %u (operations %u to %u) and %s %u (%u to %u) share memory", c->text,
                          a->name, a->layer, a->first, a->last, b->name, b->layer, b->first, b->last);
        }
}

/* Every step of every layer in order; two steps of a layer never in one phase; blocks alone. */
static void check_order(const struct check *c)
{
    const ecg__tape *t = c->t;
    uint32_t k = 0;
    ck_assert_int_eq(t->op[k++].kind, ECG__OP_FETCH);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t m = pass ? t->first_trained : 0; m < t->layers; m++) {
            const uint32_t i = pass ? t->layers - 1 - (m - t->first_trained) : m;
            const ecg__layer_grad *g = ecg__layer_grad_of(c->spec->layer[i].ops);
            const ecg__step *steps = pass ? g->backward : g->forward;
            for (int s = 0; s < ECG__MAX_STEPS && (s == 0 || steps[s].run); s++, k++) {
                ck_assert_uint_lt(k, t->ops);
                ck_assert_int_eq(t->op[k].kind, pass ? ECG__OP_BACKWARD : ECG__OP_FORWARD);
                ck_assert_uint_eq(t->op[k].layer, i);
                ck_assert(t->op[k].run == steps[s].run);
                const ecg__phase *phase = &t->phase[c->phase_of[k]];
                ck_assert_int_eq(phase->by_block, steps[s].by_block);
                if (phase->by_block) {
                    ck_assert_uint_eq(phase->count, 1);
                    ck_assert_uint_eq(phase->blocks, c->spec->layer[i].plan.blocks);
                }
                if (s > 0)
                    ck_assert_uint_lt(c->phase_of[k - 1], c->phase_of[k]);
            }
        }
        if (pass == 0) {
            ck_assert_int_eq(t->op[k].kind, ECG__OP_LOSS);
            ck_assert_uint_eq(c->phase_of[k], t->loss_phase);
            ck_assert_uint_eq(t->phase[t->loss_phase].first, k++);
        }
    }
    ck_assert_uint_eq(k, t->ops);
}

static void check_net(const char *text)
{
    ecg_error e;
    ecg_spec *spec = unit_spec(text);
    ecg__tape t;
    ck_ok(ecg__tape_new(&t, spec, BATCH, BATCH, MOST, &e), e);
    const uint32_t n = t.layers;
    struct check c = {.spec = spec, .t = &t, .text = text, .n = 3 * n + 1};
    c.phase_of = ecg__calloc(t.ops, sizeof *c.phase_of);
    c.value = ecg__calloc(c.n, sizeof *c.value);
    ck_assert(c.phase_of && c.value);
    uint32_t at = 0;
    for (uint32_t p = 0; p < t.phases; p++) {
        ck_assert_uint_eq(t.phase[p].first, at);
        ck_assert_uint_ge(t.phase[p].count, 1);
        for (uint32_t k = 0; k < t.phase[p].count; k++)
            c.phase_of[at++] = p;
    }
    ck_assert_uint_eq(at, t.ops);
    check_order(&c);

    size_t scratch = 0;
    c.value[0] = (struct value){
        .name = "input", .b = &t.input, .bytes = spec->layer[0].plan.in_count * sizeof(float)};
    for (uint32_t i = 0; i < n; i++) {
        const ecg__plan *p = &spec->layer[i].plan;
        const size_t bytes = p->out_count * sizeof(float);
        c.value[1 + i] = (struct value){.name = "y", .layer = i, .b = &t.y[i], .bytes = bytes};
        c.value[1 + n + i] = (struct value){.name = "dy", .layer = i, .b = &t.dy[i], .bytes = bytes};
        c.value[1 + 2 * n + i] = (struct value){
            .name = "saved", .layer = i, .b = &t.saved[i], .bytes = p->saved};
        scratch = p->scratch > scratch ? p->scratch : scratch;
        scratch = p->train_scratch > scratch ? p->train_scratch : scratch;
    }
    find_lives(&c);
    for (uint32_t i = 0; i < c.n; i++)
        check_place(&c, &c.value[i]);
    check_pairs(&c);
    ck_assert_uint_eq(t.scratch % ECG__ALIGN, 0);
    ck_assert_uint_eq(t.worker_bytes % ECG__ALIGN, 0);
    ck_assert_uint_ge(t.worker_bytes, t.scratch + scratch);
    ecg__free(c.phase_of);
    ecg__free(c.value);
    ecg__tape_end(&t);
    ecg_spec_free(spec);
}

START_TEST(no_value_is_written_over)
{
    char text[1024];
    check_net(UNIT_EVERY_LAYER);
    check_net("default");
    check_net("seed");
    check_net("jun2018");
    for (uint64_t seed = 0; seed < 1500; seed++) {
        unit_random_net(text, sizeof text, seed, 3);
        check_net(text);
    }
}
END_TEST

/* ---- presets ---- */

static void count_phases(const char *text, uint32_t phases, uint32_t loss_phase)
{
    ecg_error e;
    ecg_spec *s = unit_spec(text);
    ecg__tape t;
    ck_ok(ecg__tape_new(&t, s, 32, 32, 2, &e), e);
    ck_assert_uint_eq(t.phases, phases);
    ck_assert_uint_eq(t.loss_phase, loss_phase);
    ck_assert_uint_eq(t.first_trained, 0);
    ecg__tape_end(&t);
    ecg_spec_free(s);
}

START_TEST(presets_have_the_fewest_phases)
{
    /* All up to the dense layers; the dense layers; the loss; the dense layers; the rest. */
    count_phases("seed", 9, 3);
    /* A wait inside each batchnorm, in both directions, two around each dense layer, one inside backward. */
    count_phases("jun2018", 25, 11);
    ecg_error e;
    ecg_spec *s = unit_spec("seed"); /* conv relu pool conv relu pool flatten dense dense */
    ecg__tape t;
    ck_ok(ecg__tape_new(&t, s, 32, 32, 2, &e), e);
    /* relu works in the memory of its convolution and is kept for backward, a pooled picture for the next
     * convolution and for the dense layer. */
    ck_assert_uint_eq(t.y[0].offset, t.y[1].offset);
    for (uint32_t i = 0; i < t.layers; i++)
        ck_assert(!t.y[i].local);
    /* Gradients of pictures live no longer than a shard, but for the one that leaves the dense layer. */
    for (uint32_t i = 0; i < 5; i++)
        ck_assert(t.dy[i].local);
    for (uint32_t i = 5; i < t.layers; i++)
        ck_assert(!t.dy[i].local);
    ck_assert_uint_eq(t.dy[5].offset, t.dy[6].offset);
    ecg__tape_end(&t);
    ecg_spec_free(s);
}
END_TEST

START_TEST(what_cannot_be_trained_is_refused)
{
    static const struct {
        const char *text;
        ecg_status status;
        const char *part;
    } cases[] = {
        {"input 4x4x1; dense 3", ECG_EINVAL, "must end in softmax to be trained, ends in dense"},
        {"input 4x4x1; dense 3; softmax; relu", ECG_EINVAL, "ends in relu"},
        {"input 1x1x3; softmax", ECG_EINVAL, "no parameters to train"},
        {"input 4x4x3; dropout 0.5; maxpool 2x2; flatten; relu; softmax", ECG_EINVAL, "no parameters"},
        {"input 4x4x1; conv2d 3 3x3; softmax", ECG_ESHAPE, "2x2x3"},
        {"input 4x4x1; dense 1; softmax", ECG_ESHAPE, "at least 2 classes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ecg_error e;
        ecg_spec *s = unit_spec(cases[i].text);
        ecg__tape t;
        ck_fails(ecg__tape_new(&t, s, 8, 8, 2, &e), e, cases[i].status, cases[i].part);
        ck_assert_ptr_null(t.op);
        ecg__tape_end(&t);
        ecg_spec_free(s);
    }
}
END_TEST

START_TEST(backward_ends_at_the_first_parameters)
{
    ecg_error e;
    ecg_spec *s = unit_spec(
        "input 6x6x1; avgpool 2x2; dropout 0.5; relu; flatten; dense 4; dense 2; softmax");
    ecg__tape t;
    ck_ok(ecg__tape_new(&t, s, 8, 8, 2, &e), e);
    ck_assert_uint_eq(t.first_trained, 4);
    ck_assert_uint_eq(t.op[t.ops - 1].layer, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(t.dy[i].bytes, 0);
    ecg__tape_end(&t);
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tape");
    TCase *t = tcase_create("tape");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, no_value_is_written_over);
    tcase_add_test(t, presets_have_the_fewest_phases);
    tcase_add_test(t, what_cannot_be_trained_is_refused);
    tcase_add_test(t, backward_ends_at_the_first_parameters);
    suite_add_tcase(s, t);
    return unit_run(s);
}
