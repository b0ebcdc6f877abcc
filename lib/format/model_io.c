/* Models to chunks and back. Each chunk has a writer and a reader, and those stand side by side. */
#include "format/model_io.h"

#include <inttypes.h>

#include "base/mem.h"
#include "format/decision.h"
#include "format/gate.h"
#include "format/prep.h"
#include "format/strings.h"
#include "format/weights.h"
#include "net/decision.h"
#include "net/infer.h"
#include "net/model.h"

/* A float whose four bytes differ, and whose bits no integer or other float kind would give. */
static const float marker = -118.625f;

enum { HEAD_BYTES = 32 };

/* Weights are written and read as they stand in memory; the rest goes through bytes. */
static ecg_status check_machine(ecg_error *err)
{
    unsigned char bytes[4];
    ecg__put_f32(bytes, marker);
    if (memcmp(bytes, &marker, sizeof bytes) == 0)
        return ECG_OK;
    return ecg__fail(err, ECG_EUNSUPPORTED, "model files need a little-endian machine with IEEE 754 floats");
}

static ecg_status no_memory(ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "model file: out of memory");
}

/* ---- HEAD: versions and counts ---- */

static void encode_head(unsigned char p[HEAD_BYTES], const ecg_spec *s, uint32_t classes)
{
    ecg__put_u16(p, ECG__FORMAT_MAJOR);
    ecg__put_u16(p + 2, ECG__FORMAT_MINOR);
    ecg__put_f32(p + 4, marker);
    ecg__put_u32(p + 8, s->layers);
    ecg__put_u32(p + 12, classes);
    ecg__put_u32(p + 16, s->slots);
    ecg__put_u32(p + 20, 0);
    ecg__put_u64(p + 24, s->floats);
}

/* What is known of a file that is being read; freed by load_free. */
typedef struct load {
    ecg__chunk_reader *r;
    const ecg_load_options *limit;
    ecg__chunk_handler *extra;
    void *ctx;
    ecg_error *err;
    unsigned char head[HEAD_BYTES];
    ecg_spec *spec;
    ecg_preprocess prep;
    ecg_rule rule;
    ecg_gate *gate;
    float *zca;                            /* prep.zca */
    unsigned char *class_text, *meta_text; /* what class and meta point into */
    const char **class, **meta;
    float *weights;
    const float *lent; /* weights that lie in the input; then `weights` is NULL */
} load;

static void load_free(load *l)
{
    ecg_spec_free(l->spec);
    ecg__free(l->class_text);
    ecg__free(l->meta_text);
    ecg__free((void *)l->class);
    ecg__free((void *)l->meta);
    ecg__free(l->weights);
    ecg__free(l->zca);
    ecg__free(l->gate);
}

/* The first four bytes keep their meaning in every version. */
static ecg_status read_head(load *l)
{
    unsigned char *p;
    ecg_status s = ecg__reader_get(l->r, &p, 4096, l->err);
    if (s != ECG_OK)
        return s;
    const uint32_t major = l->r->length >= 2 ? ecg__get_u16(p) : 0;
    if (major > ECG__FORMAT_MAJOR)
        s = ecg__reader_fail(l->r, l->err, ECG_EVERSION,
                             "format version %" PRIu32 ", this library reads up to %d; use a newer one",
                             major, ECG__FORMAT_MAJOR);
    else if (major == 0 || l->r->length != HEAD_BYTES)
        s = ecg__reader_fail(l->r, l->err, ECG_ECORRUPT,
                             "version %" PRIu32 " with %" PRIu64 " bytes, expected 1 with %d", major,
                             l->r->length, HEAD_BYTES);
    else
        memcpy(l->head, p, HEAD_BYTES);
    ecg__free(p);
    if (s != ECG_OK)
        return s;
    const uint32_t layers = ecg__get_u32(l->head + 8), classes = ecg__get_u32(l->head + 12);
    if (memcmp(l->head + 4, &marker, sizeof marker) != 0)
        return ecg__reader_fail(l->r, l->err, ECG_ECORRUPT, "float marker is %08" PRIx32,
                                ecg__get_u32(l->head + 4));
    if (layers > l->limit->max_layers)
        return ecg__reader_fail(l->r, l->err, ECG_ELIMIT, "%" PRIu32 " layers, the limit is %" PRIu32, layers,
                                l->limit->max_layers);
    if (classes > ECG__MAX_CLASSES)
        return ecg__reader_fail(l->r, l->err, ECG_ELIMIT, "%" PRIu32 " classes, the limit is %d", classes,
                                ECG__MAX_CLASSES);
    return ECG_OK;
}

/* The rest of HEAD follows from ARCH. */
static ecg_status check_head(load *l)
{
    unsigned char want[HEAD_BYTES];
    encode_head(want, l->spec, ecg_spec_outputs(l->spec));
    memcpy(want + 2, l->head + 2, 2); /* any minor version */
    for (int i = 8; i < HEAD_BYTES; i += 4)
        if (memcmp(want + i, l->head + i, 4) != 0)
            return ecg__reader_fail(l->r, l->err, ECG_ECORRUPT,
                                    "gives %" PRIu32 " where HEAD has %" PRIu32
                                    " (byte %d: layers, classes, tensors, 0, floats)",
                                    ecg__get_u32(want + i), ecg__get_u32(l->head + i), i);
    return ECG_OK;
}

/* ---- ARCH: the network as text ---- */

static ecg_status write_arch(ecg__chunk_writer *w, const ecg_spec *s, ecg_error *err)
{
    const size_t n = ecg_spec_print(s, NULL, 0);
    if (n > ECG__MAX_TEXT)
        return ecg__fail(err, ECG_ELIMIT, "model file: text of the network has %zu bytes, the limit is %d", n,
                         ECG__MAX_TEXT);
    char *text = ecg__alloc(n + 1);
    if (!text)
        return no_memory(err);
    ecg_spec_print(s, text, n + 1);
    const ecg_status status = ecg__chunk_put(w, "ARCH", text, n, err);
    ecg__free(text);
    return status;
}

static uint64_t all_params(const ecg_spec *s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->slots; i++)
        n += s->slot[i].tensor->count;
    return n;
}

/* What a session will take for each thread: nothing in a short text bounds it but this. */
static ecg_status check_arena(load *l)
{
    ecg__infer f;
    if (ecg__infer_plan(&f, l->spec, 1) != ECG_OK)
        return no_memory(l->err);
    const uint64_t bytes = f.bytes;
    ecg__infer_end(&f);
    if (bytes <= l->limit->max_arena)
        return ECG_OK;
    return ecg__reader_fail(l->r, l->err, ECG_ELIMIT,
                            "running it needs %" PRIu64 " bytes a thread, the limit is %" PRIu64, bytes,
                            l->limit->max_arena);
}

static ecg_status read_arch(load *l)
{
    unsigned char *text;
    ecg_status s = ecg__reader_get(l->r, &text, ECG__MAX_TEXT, l->err);
    if (s != ECG_OK)
        return s;
    /* The name of a preset would be taken too, but means another network in another version. */
    if (memchr(text, '\0', (size_t)l->r->length) || strncmp((const char *)text, "input ", 6) != 0) {
        s = ecg__reader_fail(l->r, l->err, ECG_ECORRUPT, "is no text that begins with \"input \"");
    } else {
        s = ecg_spec_parse(&l->spec, (const char *)text, NULL, 0, l->err);
        /* Its bytes are as they were written: then it is a later version's, or made to mislead. */
        if (s == ECG_EINVAL || s == ECG_ESHAPE || s == ECG_EUNSUPPORTED)
            s = ecg__get_u16(l->head + 2) > ECG__FORMAT_MINOR ? ECG_EVERSION : ECG_ECORRUPT;
        if (s != ECG_OK)
            ecg__reader_context(l->r, l->err, s);
    }
    ecg__free(text);
    if (s == ECG_OK && all_params(l->spec) > l->limit->max_params)
        s = ecg__reader_fail(l->r, l->err, ECG_ELIMIT, "%" PRIu64 " parameters, the limit is %" PRIu64,
                             all_params(l->spec), l->limit->max_params);
    if (s == ECG_OK)
        s = check_arena(l);
    return s == ECG_OK ? check_head(l) : s;
}

/* ---- PREP and STDZ: from picture to numbers ---- */

static ecg_status read_prep(load *l)
{
    return ecg__prep_read(&l->prep, l->r, l->err);
}

static ecg_status read_stdz(load *l)
{
    return ecg__stdz_read(&l->prep, &l->zca, l->r, l->err);
}

static ecg_status read_rule(load *l)
{
    return ecg__rule_read(&l->rule, l->r, l->err);
}

static ecg_status read_gate(load *l)
{
    return ecg__gate_read(&l->gate, l->r, l->spec, l->err);
}

/* ---- CLAS and meta: strings ---- */

static ecg_status write_clas(ecg__chunk_writer *w, const ecg_model *m, ecg_error *err)
{
    return ecg__strings_put(w, "CLAS", (const char *const *)m->class_name, m->classes, 1, err);
}

static ecg_status write_meta(ecg__chunk_writer *w, const ecg_model *m, ecg_error *err)
{
    if (m->metas == 0)
        return ECG_OK;
    const char **all = ecg__calloc(m->metas, 2 * sizeof *all);
    if (!all)
        return no_memory(err);
    uint64_t bytes = 4;
    for (size_t i = 0; i < m->metas; i++) {
        all[2 * i] = m->meta[i].key;
        all[2 * i + 1] = m->meta[i].value;
        bytes += strlen(m->meta[i].key) + strlen(m->meta[i].value) + 2;
    }
    const ecg_status s = bytes <= ECG__MAX_META
                             ? ecg__strings_put(w, "meta", all, m->metas, 2, err)
                             : ecg__fail(err, ECG_ELIMIT,
                                         "model file: provenance of %" PRIu64 " bytes, the limit is %d",
                                         bytes, ECG__MAX_META);
    ecg__free((void *)all);
    return s;
}

static ecg_status read_clas(load *l)
{
    const uint32_t classes = ecg_spec_outputs(l->spec);
    const ecg_status s = ecg__strings_get(l->r, 4 + 256 * (uint64_t)classes, 1, &l->class, &l->class_text,
                                          l->err);
    if (s == ECG_OK && ecg__get_u32(l->class_text) != classes)
        return ecg__reader_fail(l->r, l->err, ECG_ECORRUPT,
                                "names %" PRIu32 " classes, the network has %" PRIu32,
                                ecg__get_u32(l->class_text), classes);
    return s;
}

/* ---- the whole ---- */

ecg_status ecg__model_write(ecg__chunk_writer *w, const ecg_model *m, ecg_error *err)
{
    ecg_status s = check_machine(err);
    if (s == ECG_OK && m->classes > ECG__MAX_CLASSES)
        s = ecg__fail(err, ECG_ELIMIT, "model file: %" PRIu32 " classes, the limit is %d", m->classes,
                      ECG__MAX_CLASSES);
    unsigned char head[HEAD_BYTES];
    encode_head(head, m->spec, m->classes);
    if (s == ECG_OK)
        s = ecg__chunk_put(w, "HEAD", head, sizeof head, err);
    if (s == ECG_OK)
        s = write_arch(w, m->spec, err);
    if (s == ECG_OK)
        s = ecg__prep_write(w, &m->prep, err);
    if (s == ECG_OK)
        s = write_clas(w, m, err);
    if (s == ECG_OK)
        s = ecg__rule_write(w, &m->rule, err);
    if (s == ECG_OK)
        s = ecg__gate_write(w, m->gate, m->classes, err);
    if (s == ECG_OK)
        s = ecg__weights_write(w, m->spec, m->weights, err);
    return s == ECG_OK ? write_meta(w, m, err) : s;
}

ecg_status ecg_model_save(const ecg_model *m, const char *path, ecg_error *err)
{
    ecg__chunk_writer w;
    ecg_status s = ecg__chunk_create(&w, path, err);
    if (s != ECG_OK)
        return s;
    s = ecg__model_write(&w, m, err);
    if (s == ECG_OK)
        s = ecg__chunk_put(&w, "IEND", NULL, 0, err);
    return ecg__chunk_close(&w, s, err);
}

static ecg_status read_wgts(load *l)
{
    if (l->limit->in_place && l->r->data && (uintptr_t)l->r->data % ECG__ALIGN == 0)
        return ecg__weights_lend(&l->lent, l->r, l->spec, l->err);
    return ecg__weights_read(&l->weights, l->r, l->spec, l->err);
}

static bool is_known(const char *tag)
{
    static const char *const known[] = {"HEAD", "ARCH", "PREP", "STDZ", "CLAS",
                                        "RULE", "GATE", "WGTS", "meta", "IEND"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(tag, known[i]) == 0)
            return true;
    return false;
}

/* Go to the chunk `tag`, past ancillary chunks that are not a model's. `other` and `third` will do too. */
static ecg_status find(load *l, const char *tag, const char *other, const char *third)
{
    for (;;) {
        ecg_status s = ecg__reader_next(l->r, l->err);
        if (s != ECG_OK || ecg__reader_at(l->r, tag) || (other && ecg__reader_at(l->r, other)) ||
            (third && ecg__reader_at(l->r, third)))
            return s;
        const bool critical = l->r->tag[0] <= 'Z';
        if (is_known(l->r->tag) || l->r->start == ECG__SIGNATURE_BYTES)
            return ecg__reader_fail(l->r, l->err, ECG_ECORRUPT, "stands where %s was expected", tag);
        bool taken = false;
        if (!critical && l->extra)
            s = l->extra(l->ctx, l->r, &taken, l->err);
        if (s == ECG_OK && !taken)
            s = ecg__reader_end(l->r, l->err);
        if (s == ECG_OK && critical)
            s = ecg__reader_fail(l->r, l->err, ECG_EVERSION,
                                 "is unknown to this library and needed to read the file; use a newer one");
        if (s != ECG_OK)
            return s;
    }
}

static ecg_status read_chunks(load *l)
{
    static const struct {
        const char *tag;
        ecg_status (*read)(load *l);
        bool optional;
    } step[] = {
        {"HEAD", read_head, false}, {"ARCH", read_arch, false}, {"PREP", read_prep, false},
        {"STDZ", read_stdz, true},  {"CLAS", read_clas, false}, {"RULE", read_rule, true},
        {"GATE", read_gate, true},  {"WGTS", read_wgts, false},
    };
    for (size_t i = 0; i < sizeof step / sizeof *step;) {
        const char *may[3] = {NULL}; /* what may stand here: up to the next that must */
        size_t n = 0;
        do
            may[n] = step[i + n].tag;
        while (step[i + n++].optional);
        ecg_status s = find(l, may[n - 1], n > 1 ? may[0] : NULL, n > 2 ? may[1] : NULL);
        while (s == ECG_OK && !ecg__reader_at(l->r, step[i].tag))
            i++;
        if (s == ECG_OK)
            s = step[i++].read(l);
        if (s != ECG_OK)
            return s;
    }
    ecg_status s = find(l, "IEND", "meta", NULL);
    if (s == ECG_OK && ecg__reader_at(l->r, "meta")) {
        s = ecg__strings_get(l->r, ECG__MAX_META, 2, &l->meta, &l->meta_text, l->err);
        if (s == ECG_OK)
            s = find(l, "IEND", NULL, NULL);
    }
    if (s == ECG_OK && l->r->length > 0)
        s = ecg__reader_fail(l->r, l->err, ECG_ECORRUPT, "has %" PRIu64 " bytes, expected 0", l->r->length);
    if (s == ECG_OK)
        s = ecg__reader_end(l->r, l->err);
    return s == ECG_OK ? ecg__reader_finish(l->r, l->err) : s;
}

ecg_status ecg__model_read(ecg_model **out, ecg__chunk_reader *r, const ecg_load_options *o,
                           ecg__chunk_handler *extra, void *ctx, ecg_error *err)
{
    *out = NULL;
    load l = {.r = r, .limit = o, .extra = extra, .ctx = ctx, .err = err};
    ecg_status s = check_machine(err);
    if (s == ECG_OK)
        s = ecg__rule_check(&l.rule, NULL, err);
    if (s == ECG_OK)
        s = read_chunks(&l);
    if (s == ECG_OK) {
        /* A model never writes to weights that it has borrowed. */
        union {
            const float *lent;
            float *weights;
        } w = {.lent = l.lent};
        s = ecg__model_new(out, l.spec, &l.prep, l.class, ecg_spec_outputs(l.spec), l.meta,
                           l.lent ? w.weights : l.weights, l.lent != NULL, err);
        if (s == ECG_OK) {
            l.weights = NULL; /* the model's now */
            (*out)->rule = l.rule;
            (*out)->gate = l.gate;
            l.gate = NULL;
        }
        if (s == ECG_EINVAL)
            s = ECG_ECORRUPT;
        if (s != ECG_OK && err) {
            err->status = s;
            ecg__context(err, s, "%s", r->name);
        }
    }
    load_free(&l);
    return s;
}
