#include "format/checkpoint.h"

#include <inttypes.h>
#include <math.h>

#include "base/mem.h"
#include "format/strings.h"
#include "net/model.h"

enum { TRST_BYTES = 80, PAST_BYTES = 48 };
static const uint64_t most_steps = (uint64_t)1 << 53;

static void put_f64(unsigned char *p, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    ecg__put_u64(p, bits);
}

static double get_f64(const unsigned char *p)
{
    const uint64_t bits = ecg__get_u64(p);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* ---- rules, the same for writer and reader: NULL, or what is wrong ---- */

/* Finite, not below 0, and no minus zero: there is one way to write it. */
static bool amount(double v)
{
    return isfinite(v) && v >= 0.0 && !signbit(v);
}

static bool share(double v)
{
    return amount(v) && v <= 1.0;
}

static const char *wrong_standing(const ecg__checkpoint *c)
{
    if (c->train_count > UINT32_MAX || c->samples > c->train_count || c->right > c->samples)
        return "its counts contradict each other";
    if (c->steps > most_steps || (c->samples > 0 && c->steps == 0))
        return "its number of steps cannot be";
    if (!isfinite(c->loss) || !amount(c->seconds) || !amount((double)c->lr))
        return "a figure is not finite or below 0";
    if (c->samples == 0 && (c->loss != 0.0 || signbit(c->loss) || c->seconds > 0.0 || c->lr > 0.0f))
        return "it has figures of an epoch that has not begun";
    return NULL;
}

static const char *wrong_past(const ecg__checkpoint *c)
{
    double best = HUGE_VAL;
    if (c->epochs > ECG__CHECKPOINT_EPOCHS || (c->epochs > 0 && c->train_count == 0))
        return "it has more epochs than can be";
    for (size_t i = 0; i < c->epochs; i++) {
        const ecg__past *p = &c->past[i];
        if (!isfinite(p->loss) || !share(p->accuracy) || !amount(p->seconds) || !amount((double)p->lr))
            return "a figure is out of range";
        if (c->val_count > 0
                ? !isfinite(p->val_loss) || !share(p->val_accuracy)
                : !(amount(p->val_loss) && amount(p->val_accuracy)) || p->val_loss + p->val_accuracy > 0.0)
            return "a figure of validation is out of range";
        const double score = c->val_count > 0 ? p->val_loss : p->loss;
        if (p->best != (score < best))
            return "the epochs marked as best are not those of the lowest loss";
        if (p->best)
            best = score;
    }
    return NULL;
}

static bool has_best(const ecg__checkpoint *c)
{
    for (size_t i = 0; i < c->epochs; i++)
        if (c->past[i].best)
            return true;
    return false;
}

/* Values of the tensors finite, +0 between them. trained: the part of the flat vector that is. */
static const char *wrong_values(const ecg_spec *s, const float *v, bool trained)
{
    const size_t n = trained ? s->trainable_floats : s->floats;
    for (uint32_t i = 0; i < s->slots; i++) {
        const ecg__slot *slot = &s->slot[i];
        if (trained && !slot->tensor->trainable)
            continue;
        const size_t end = slot->offset + slot->tensor->count;
        for (size_t j = slot->offset; j < end; j++) {
            if (!isfinite(v[j]))
                return "has a value that is not finite";
            if (!trained && slot->tensor->nonnegative && v[j] < 0.0f)
                return "has a variance below 0";
        }
        const size_t next = ecg__align_up(end * sizeof *v) / sizeof *v;
        for (size_t j = end; j < next && j < n; j++)
            if (v[j] != 0.0f || signbit(v[j]))
                return "is not zero between its tensors";
    }
    return NULL;
}

/* ---- writing ---- */

static ecg_status put_fact(ecg__chunk_writer *w, const ecg__checkpoint *c, ecg_error *err)
{
    size_t n = 0;
    uint64_t bytes = 4;
    for (; c->fact[2 * n] && c->fact[2 * n + 1]; n++)
        bytes += strlen(c->fact[2 * n]) + strlen(c->fact[2 * n + 1]) + 2;
    if (n > ECG__CHECKPOINT_FACTS || bytes > ECG__MAX_META)
        return ecg__fail(err, ECG_EINVAL,
                         "checkpoint: %zu facts of %" PRIu64 " bytes, at most %d of %d can be kept", n, bytes,
                         ECG__CHECKPOINT_FACTS, ECG__MAX_META);
    return ecg__strings_put(w, "fact", c->fact, n, 2, err);
}

static ecg_status put_trst(ecg__chunk_writer *w, const ecg__checkpoint *c, ecg_error *err)
{
    unsigned char p[TRST_BYTES] = {0};
    ecg__put_u32(p, ECG__CHECKPOINT_VERSION);
    ecg__put_f32(p + 4, c->lr);
    ecg__put_u64(p + 8, c->train_count);
    ecg__put_u64(p + 16, c->val_count);
    ecg__put_u64(p + 24, c->steps);
    ecg__put_u64(p + 32, c->samples);
    ecg__put_u64(p + 40, c->right);
    put_f64(p + 48, c->loss);
    put_f64(p + 56, c->seconds);
    ecg__put_u64(p + 64, c->epochs);
    ecg__put_u64(p + 72, c->moments);
    return ecg__chunk_put(w, "trst", p, sizeof p, err);
}

static ecg_status put_hist(ecg__chunk_writer *w, const ecg__checkpoint *c, ecg_error *err)
{
    ecg_status s = ecg__chunk_begin(w, "hist", (uint64_t)c->epochs * PAST_BYTES, err);
    for (size_t i = 0; s == ECG_OK && i < c->epochs; i++) {
        const ecg__past *e = &c->past[i];
        unsigned char p[PAST_BYTES];
        put_f64(p, e->loss);
        put_f64(p + 8, e->accuracy);
        put_f64(p + 16, e->val_loss);
        put_f64(p + 24, e->val_accuracy);
        put_f64(p + 32, e->seconds);
        ecg__put_f32(p + 40, e->lr);
        ecg__put_u32(p + 44, e->best);
        s = ecg__chunk_write(w, p, sizeof p, err);
    }
    return s == ECG_OK ? ecg__chunk_end(w, err) : s;
}

static ecg_status put_optm(ecg__chunk_writer *w, const ecg__checkpoint *c, const ecg_spec *spec,
                           ecg_error *err)
{
    const size_t bytes = spec->trainable_floats * sizeof(float);
    ecg_status s = ecg__chunk_begin(w, "optm", (uint64_t)c->moments * bytes, err);
    for (uint32_t k = 0; s == ECG_OK && k < c->moments; k++)
        s = ecg__chunk_write(w, c->moment[k], bytes, err);
    return s == ECG_OK ? ecg__chunk_end(w, err) : s;
}

static ecg_status check(const ecg__checkpoint *c, const ecg_spec *spec, ecg_error *err)
{
    const char *wrong = c->moments > ECG__CHECKPOINT_MOMENTS ? "it has too many moments" : wrong_standing(c);
    if (!wrong)
        wrong = wrong_past(c);
    if (!wrong && has_best(c) != (c->best != NULL))
        wrong = "it has no best model, or one without an epoch";
    if (wrong)
        return ecg__fail(err, ECG_EINVAL, "checkpoint: %s", wrong);
    for (uint32_t k = 0; !wrong && k < c->moments; k++)
        wrong = wrong_values(spec, c->moment[k], true);
    if (wrong)
        return ecg__fail(err, ECG_ENUMERIC, "checkpoint: the optimiser %s", wrong);
    if (c->best && (wrong = wrong_values(spec, c->best, false)) != NULL)
        return ecg__fail(err, ECG_ENUMERIC, "checkpoint: the best model %s", wrong);
    return ECG_OK;
}

ecg_status ecg__checkpoint_write(const ecg__checkpoint *c, const ecg_model *m, const char *path,
                                 ecg_error *err)
{
    ecg__chunk_writer w;
    ecg_status s = check(c, m->spec, err);
    if (s == ECG_OK)
        s = ecg__chunk_create(&w, path, err);
    if (s != ECG_OK)
        return s;
    s = ecg__model_write(&w, m, err);
    if (s == ECG_OK)
        s = put_fact(&w, c, err);
    if (s == ECG_OK)
        s = put_trst(&w, c, err);
    if (s == ECG_OK)
        s = put_hist(&w, c, err);
    if (s == ECG_OK)
        s = put_optm(&w, c, m->spec, err);
    if (s == ECG_OK && c->best)
        s = ecg__chunk_put(&w, "best", c->best, m->spec->floats * sizeof *c->best, err);
    if (s == ECG_OK)
        s = ecg__chunk_put(&w, "IEND", NULL, 0, err);
    return ecg__chunk_close(&w, s, err);
}

/* ---- reading: what does not need the network ---- */

enum { FACT, TRST, HIST, OPTM, BEST, CHUNKS };

typedef struct reading {
    ecg__checkpoint *c;
    int next;            /* chunk that is expected */
    uint64_t end;        /* of the one before */
    uint64_t optm, best; /* bytes */
} reading;

static void *hold(ecg__checkpoint *c, void *block)
{
    size_t i = 0;
    while (c->held[i])
        i++;
    return c->held[i] = block;
}

static ecg_status read_fact(reading *d, ecg__chunk_reader *r, ecg_error *err)
{
    const char **fact;
    unsigned char *text;
    const ecg_status s = ecg__strings_get(r, ECG__MAX_META, 2, &fact, &text, err);
    if (s != ECG_OK)
        return s;
    hold(d->c, (void *)fact);
    hold(d->c, text);
    d->c->fact = fact;
    if (ecg__get_u32(text) > ECG__CHECKPOINT_FACTS)
        return ecg__reader_fail(r, err, ECG_ELIMIT, "%" PRIu32 " facts, the limit is %d", ecg__get_u32(text),
                                ECG__CHECKPOINT_FACTS);
    return ECG_OK;
}

static ecg_status read_trst(reading *d, ecg__chunk_reader *r, ecg_error *err)
{
    ecg__checkpoint *c = d->c;
    unsigned char *p;
    ecg_status s = ecg__reader_get(r, &p, 4096, err);
    if (s != ECG_OK)
        return s;
    const uint32_t version = r->length >= 4 ? ecg__get_u32(p) : 0;
    if (version > ECG__CHECKPOINT_VERSION)
        s = ecg__reader_fail(r, err, ECG_EVERSION,
                             "checkpoint version %" PRIu32 ", this library reads %d; use a newer one",
                             version, ECG__CHECKPOINT_VERSION);
    else if (version == 0 || r->length != TRST_BYTES)
        s = ecg__reader_fail(r, err, ECG_ECORRUPT,
                             "version %" PRIu32 " with %" PRIu64 " bytes, expected 1 with %d", version,
                             r->length, TRST_BYTES);
    if (s == ECG_OK) {
        c->lr = ecg__get_f32(p + 4);
        c->train_count = ecg__get_u64(p + 8);
        c->val_count = ecg__get_u64(p + 16);
        c->steps = ecg__get_u64(p + 24);
        c->samples = ecg__get_u64(p + 32);
        c->right = ecg__get_u64(p + 40);
        c->loss = get_f64(p + 48);
        c->seconds = get_f64(p + 56);
        const uint64_t epochs = ecg__get_u64(p + 64), moments = ecg__get_u64(p + 72);
        const char *wrong = wrong_standing(c);
        if (epochs > ECG__CHECKPOINT_EPOCHS || moments > ECG__CHECKPOINT_MOMENTS)
            wrong = "it has more epochs or moments than can be";
        c->epochs = wrong ? 0 : (size_t)epochs;
        c->moments = wrong ? 0 : (uint32_t)moments;
        if (wrong)
            s = ecg__reader_fail(r, err, ECG_ECORRUPT, "%s", wrong);
    }
    ecg__free(p);
    return s;
}

static ecg_status read_hist(reading *d, ecg__chunk_reader *r, ecg_error *err)
{
    ecg__checkpoint *c = d->c;
    if (r->length != (uint64_t)c->epochs * PAST_BYTES)
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, %zu epochs need %zu", r->length,
                                c->epochs, c->epochs * PAST_BYTES);
    unsigned char *bytes;
    ecg_status s = ecg__reader_get(r, &bytes, r->length, err);
    if (s != ECG_OK)
        return s;
    ecg__past *past = hold(c, ecg__calloc(c->epochs + 1, sizeof *past));
    if (!past)
        s = ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    for (size_t i = 0; s == ECG_OK && i < c->epochs; i++) {
        const unsigned char *p = bytes + i * PAST_BYTES;
        past[i] = (ecg__past){.loss = get_f64(p),
                              .accuracy = get_f64(p + 8),
                              .val_loss = get_f64(p + 16),
                              .val_accuracy = get_f64(p + 24),
                              .seconds = get_f64(p + 32),
                              .lr = ecg__get_f32(p + 40),
                              .best = ecg__get_u32(p + 44) == 1};
        if (ecg__get_u32(p + 44) > 1)
            s = ecg__reader_fail(r, err, ECG_ECORRUPT, "row %zu ends in %" PRIu32 ", expected 0 or 1", i,
                                 ecg__get_u32(p + 44));
    }
    ecg__free(bytes);
    c->past = past;
    const char *wrong = s == ECG_OK ? wrong_past(c) : NULL;
    return wrong ? ecg__reader_fail(r, err, ECG_ECORRUPT, "%s", wrong) : s;
}

/* Floats; how many there must be shows when the network is known. The file is at least that long. */
static ecg_status read_floats(reading *d, ecg__chunk_reader *r, const float **out, ecg_error *err)
{
    float *v = r->length < SIZE_MAX ? ecg__alloc((size_t)r->length) : NULL;
    if (!v)
        return ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory for %" PRIu64 " bytes", r->length);
    *out = hold(d->c, v);
    const ecg_status s = ecg__reader_read(r, v, (size_t)r->length, err);
    return s == ECG_OK ? ecg__reader_end(r, err) : s;
}

static ecg_status read_optm(reading *d, ecg__chunk_reader *r, ecg_error *err)
{
    d->optm = r->length;
    return read_floats(d, r, &d->c->moment[0], err);
}

static ecg_status read_best(reading *d, ecg__chunk_reader *r, ecg_error *err)
{
    d->best = r->length;
    return read_floats(d, r, &d->c->best, err);
}

static const struct {
    const char *tag;
    ecg_status (*read)(reading *d, ecg__chunk_reader *r, ecg_error *err);
} chunk[CHUNKS] = {
    {"fact", read_fact}, {"trst", read_trst}, {"hist", read_hist}, {"optm", read_optm}, {"best", read_best},
};

static ecg_status take(void *ctx, ecg__chunk_reader *r, bool *taken, ecg_error *err)
{
    reading *d = ctx;
    for (int i = 0; i < CHUNKS; i++) {
        if (!ecg__reader_at(r, chunk[i].tag))
            continue;
        *taken = true;
        if (i != d->next)
            return ecg__reader_fail(r, err, ECG_ECORRUPT, "stands where %s was expected",
                                    d->next < CHUNKS ? chunk[d->next].tag : "IEND");
        if (i > 0 && r->start != d->end)
            return ecg__reader_fail(r, err, ECG_ECORRUPT, "does not follow %s", chunk[i - 1].tag);
        const ecg_status s = chunk[i].read(d, r, err);
        d->next = i + 1;
        d->end = r->at;
        return s;
    }
    return ECG_OK;
}

/* ---- reading: what follows from the network ---- */

static ecg_status check_network(reading *d, const ecg__chunk_reader *r, const ecg_spec *s, ecg_error *err)
{
    ecg__checkpoint *c = d->c;
    const uint64_t each = (uint64_t)s->trainable_floats * sizeof(float);
    const uint64_t all = (uint64_t)s->floats * sizeof(float);
    const char *wrong = NULL, *what = "optm";
    if (d->optm != c->moments * each)
        return ecg__fail(err, ECG_ECORRUPT,
                         "%s: chunk optm has %" PRIu64 " bytes, %" PRIu32
                         " moments of this network need %" PRIu64,
                         r->name, d->optm, c->moments, c->moments * each);
    for (uint32_t k = 0; !wrong && k < c->moments; k++) {
        c->moment[k] = c->moment[0] + k * s->trainable_floats;
        wrong = wrong_values(s, c->moment[k], true);
    }
    if (!wrong && has_best(c) != (c->best != NULL)) {
        what = "best";
        wrong = c->best ? "stands where no epoch was best" : "is missing";
    }
    if (!wrong && c->best && d->best != all)
        return ecg__fail(err, ECG_ECORRUPT,
                         "%s: chunk best has %" PRIu64 " bytes, this network needs %" PRIu64, r->name,
                         d->best, all);
    if (!wrong && c->best) {
        what = "best";
        wrong = wrong_values(s, c->best, false);
    }
    if (wrong)
        return ecg__fail(err, ECG_ECORRUPT, "%s: chunk %s %s", r->name, what, wrong);
    return ECG_OK;
}

ecg_status ecg__checkpoint_read(ecg__checkpoint *c, ecg_model **m, ecg__chunk_reader *r,
                                const ecg_load_options *o, ecg_error *err)
{
    memset(c, 0, sizeof *c);
    reading d = {.c = c};
    ecg_load_options full;
    *m = NULL;
    ecg_status s = ecg__load_options(&full, o, err);
    if (s == ECG_OK)
        s = ecg__model_read(m, r, &full, take, &d, err);
    if (s == ECG_OK && d.next == FACT)
        s = ecg__fail(err, ECG_EFORMAT, "%s: is a model, not a checkpoint", r->name);
    else if (s == ECG_OK && d.next < BEST)
        s = ecg__fail(err, ECG_ECORRUPT, "%s: chunk %s of a checkpoint is missing", r->name,
                      chunk[d.next].tag);
    else if (s == ECG_OK && d.end + ECG__CHUNK_HEAD + ECG__CHUNK_TAIL != r->size)
        s = ecg__fail(err, ECG_ECORRUPT, "%s: chunk %s does not stand before IEND", r->name,
                      chunk[d.next - 1].tag);
    if (s == ECG_OK)
        s = check_network(&d, r, ecg_model_spec(*m), err);
    if (s != ECG_OK) {
        ecg_model_free(*m);
        *m = NULL;
        ecg__checkpoint_free(c);
    }
    return s;
}

void ecg__checkpoint_free(ecg__checkpoint *c)
{
    for (size_t i = 0; i < sizeof c->held / sizeof *c->held; i++)
        ecg__free(c->held[i]);
    memset(c, 0, sizeof *c);
}
