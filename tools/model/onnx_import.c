/* ONNX files: the graph is walked from its input to its output. What is no chain of layers that we have is an
 * error that names the node. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_walk.h"

enum {
    MOST_SIDE = 65536,
    SHARED = 65536, /* floats that may be used twice: writers keep equal tensors once */
};

/* ---- what all parts of the walk use ---- */

ecg_status onnx_refuse(const onnx_walk *w, const onnx_op *op, const char *fmt, ...)
{
    char text[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!op)
        return import_fail(w->err, ECG_EUNSUPPORTED, "%s", text);
    return import_fail(w->err, ECG_EUNSUPPORTED, "node %u (%.*s, %.*s): %s", op->index + 1,
                       ONNX_TEXT(op->type), ONNX_TEXT(op->name), text);
}

void onnx_step(onnx_walk *w, const onnx_op *op)
{
    w->value = op->output[0];
    w->last = op->index;
}

static bool reads(const onnx_op *op, onnx_text value)
{
    for (uint32_t k = 0; k < op->inputs; k++)
        if (onnx_same(op->input[k], value))
            return true;
    return false;
}

uint32_t onnx_users(const onnx_walk *w, onnx_text value, const onnx_op *user[2])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->file->ops; i++) {
        const onnx_op *op = &w->file->op[i];
        if (!reads(op, value) || onnx_is(op->type, "Shape"))
            continue;
        if (n < 2)
            user[n] = op;
        n++;
    }
    return n;
}

const onnx_op *onnx_only_user(const onnx_walk *w, onnx_text value, const char *type)
{
    const onnx_op *user[2];
    const bool one = onnx_users(w, value, user) == 1 && onnx_is(user[0]->type, type);
    return one && user[0]->outputs > 0 ? user[0] : NULL;
}

const onnx_tensor *onnx_constant_input(const onnx_walk *w, const onnx_op *op, uint32_t i)
{
    const onnx_tensor *t = i < op->inputs ? onnx_tensor_of(w->file, op->input[i]) : NULL;
    const bool known = t && (t->type == ONNX_FLOAT || t->type == ONNX_DOUBLE || t->type == ONNX_INT64);
    return known ? t : NULL;
}

bool onnx_scalar_beside(const onnx_walk *w, const onnx_op *op, onnx_text value, double *out)
{
    if (op->inputs != 2)
        return false;
    const uint32_t i = onnx_same(op->input[0], value) ? 1 : 0;
    const onnx_tensor *t = onnx_constant_input(w, op, i);
    if (!t || t->count != 1 || !onnx_same(op->input[1 - i], value))
        return false;
    *out = onnx_real(t, 0);
    return isfinite(*out);
}

int64_t onnx_int(const onnx_op *op, const char *attribute, int64_t fallback)
{
    const onnx_attribute *a = onnx_attribute_of(op, attribute);
    return a ? a->i : fallback;
}

bool onnx_ints(const onnx_op *op, const char *attribute, uint32_t n, int64_t *out)
{
    const onnx_attribute *a = onnx_attribute_of(op, attribute);
    if (!a)
        return true;
    if (a->many || a->n != n)
        return false;
    memcpy(out, a->ints, n * sizeof *out);
    return true;
}

ecg_status onnx_layer(onnx_walk *w, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    pb_raw(&w->text, "; ", 2);
    pb_raw(&w->text, text, strlen(text));
    w->layers++;
    w->stage = STAGE_LAYERS;
    w->softmax = false;
    return w->text.failed ? import_fail(w->err, ECG_ENOMEM, "out of memory") : ECG_OK;
}

float *onnx_weights(onnx_walk *w, const char *layer, const char *tensor, size_t count)
{
    char name[IMPORT_NAME];
    if (count > w->most - w->floats) { /* the same tensor, again and again */
        import_fail(w->err, ECG_ELIMIT, "layer %u: the network has more weights than the file", w->layers);
        return NULL;
    }
    w->floats += count;
    snprintf(name, sizeof name, "%u.%s.%s", w->layers, layer, tensor);
    return import_add(w->m, name, count, w->err);
}

/* ---- the walk ---- */

/* A dimension of the input: from the file or, where that leaves it open, from the user. 0: not known. */
static uint32_t side(uint64_t dim, uint32_t given)
{
    return dim == 0 ? given : dim <= MOST_SIDE ? (uint32_t)dim : 0;
}

ecg_status onnx_settle(onnx_walk *w, const onnx_op *op, onnx_order order)
{
    if (w->order != ORDER_OPEN)
        return w->order == order ? ECG_OK
                                 : onnx_refuse(w, op, "the order of its input's dimensions is not expected");
    const uint64_t *d = w->file->input.dim;
    const bool channels = order == ORDER_CHANNELS;
    w->order = order;
    w->s = (ecg_shape){side(d[channels ? 2 : 1], w->options->h), side(d[channels ? 3 : 2], w->options->w),
                       side(d[channels ? 1 : 3], 0)};
    w->in = w->s;
    if (w->s.h == 0 || w->s.w == 0)
        return import_fail(w->err, ECG_EINVAL,
                           "the graph leaves rows and columns of its pictures open: --size HxW");
    if (w->s.c == 0 || w->s.c > 4)
        return import_fail(w->err, ECG_EUNSUPPORTED,
                           "the graph reads pictures of %u channels, expected 1, 3 or 4", w->s.c);
    return ECG_OK;
}

static ecg_status one_node(onnx_walk *w, const onnx_op *op)
{
    if (op->index <= w->last)
        return onnx_refuse(w, op, "stands before what it reads");
    if (op->outputs == 0 || op->output[0].n == 0)
        return onnx_refuse(w, op, "has no output");
    if (op->domain.n && !onnx_is(op->domain, "ai.onnx"))
        return onnx_refuse(w, op, "operators of domain %.*s are not supported", ONNX_TEXT(op->domain));
    if (!onnx_same(op->input[0], w->value) && !onnx_is(op->type, "Add") && !onnx_is(op->type, "Mul"))
        return onnx_refuse(w, op, "is not a layer of the chain from pictures to probabilities");
    return onnx_take(w, op);
}

static ecg_status walk(onnx_walk *w)
{
    for (;;) {
        const onnx_op *user[2] = {NULL, NULL};
        const uint32_t n = onnx_users(w, w->value, user);
        bool done = false;
        ecg_status s = ECG_OK;
        if (n == 0)
            return onnx_same(w->value, w->file->output)
                       ? ECG_OK
                       : onnx_refuse(w, NULL, "the chain of nodes ends before the output %.*s",
                                     ONNX_TEXT(w->file->output));
        if (onnx_same(w->value, w->file->output))
            return onnx_refuse(w, user[0], "reads the graph's output");
        const int64_t last = w->last;
        if (w->stage != STAGE_LAYERS)
            s = onnx_pixels(w, user, n, &done);
        if (s == ECG_OK && !done && n == 2)
            s = onnx_groups(w, user, &done);
        if (s == ECG_OK && !done && n != 1)
            s = onnx_refuse(w, user[1], "%.*s is read by %u nodes; only chains are supported",
                            ONNX_TEXT(w->value), n);
        if (s == ECG_OK && !done)
            s = one_node(w, user[0]);
        if (s == ECG_OK && w->last <= last) /* nodes stand in the order they are computed in */
            s = onnx_refuse(w, user[0], "the nodes are not in order");
        if (s != ECG_OK)
            return s;
    }
}

/* ---- what stands beside the graph ---- */

static bool ours(const onnx_file *f)
{
    return onnx_is(onnx_meta(f, "format"), "libecgcnn 1");
}

/* A copy that ends, of at most cap - 1 bytes; "" where there is none. */
static const char *copy(onnx_text t, char *out, size_t cap)
{
    snprintf(out, cap, "%.*s", (int)(t.n < cap ? t.n : cap), t.n ? t.at : "");
    return out;
}

static float meta_number(const onnx_file *f, const char *key)
{
    char text[64];
    return strtof(copy(onnx_meta(f, key), text, sizeof text), NULL);
}

static uint32_t meta_count(const onnx_file *f, const char *key)
{
    char text[64];
    const unsigned long v = strtoul(copy(onnx_meta(f, key), text, sizeof text), NULL, 10);
    return v <= UINT32_MAX ? (uint32_t)v : 0;
}

static ecg_status class_names(onnx_walk *w)
{
    char key[32];
    onnx_text t;
    import_model *m = w->m;
    for (uint32_t n = 0; n < ONNX_MOST_META; n++) {
        snprintf(key, sizeof key, "class.%u", n);
        t = onnx_meta(w->file, key);
        if (t.n == 0)
            break;
        char **more = realloc(m->class_name, (n + 1) * sizeof *more);
        if (more)
            m->class_name = more;
        char *name = more ? malloc(t.n + 1) : NULL;
        if (!name)
            return import_fail(w->err, ECG_ENOMEM, "out of memory");
        memcpy(name, t.at, t.n);
        name[t.n] = '\0';
        m->class_name[m->classes++] = name;
    }
    return ECG_OK;
}

static void rule(onnx_walk *w)
{
    ecg_rule *r = &w->m->rule;
    *r = (ecg_rule)ECG_RULE_INIT;
    r->temperature = w->temperature;
    if (!ours(w->file))
        return;
    r->threshold = meta_number(w->file, "rule.threshold");
    r->chosen_by = (ecg_threshold)meta_count(w->file, "rule.chosen_by");
    r->wanted = meta_number(w->file, "rule.wanted");
    r->pictures = meta_count(w->file, "rule.pictures");
    r->apart = meta_count(w->file, "rule.apart");
}

static ecg_status beside(onnx_walk *w)
{
    char a[64], b[64];
    const onnx_file *f = w->file;
    import_model *m = w->m;
    rule(w);
    if (!ours(f)) {
        import_meta(m, "imported_from", "ONNX, written by %s %s", copy(f->producer, a, sizeof a),
                    copy(f->producer_version, b, sizeof b));
        return ECG_OK;
    }
    if (ecg_profile_parse(&m->prep.profile, copy(onnx_meta(f, "profile"), a, sizeof a)) != ECG_OK ||
        ecg_filter_parse(&m->prep.filter, copy(onnx_meta(f, "filter"), b, sizeof b)) != ECG_OK)
        return import_fail(w->err, ECG_ECORRUPT, "metadata: profile %s and filter %s are not known", a, b);
    for (uint32_t i = 0; i < f->metas; i++) {
        char key[64], value[256];
        if (f->meta[i].key.n > 5 && memcmp(f->meta[i].key.at, "made.", 5) == 0)
            import_meta(m, copy(f->meta[i].key, key, sizeof key) + 5, "%s",
                        copy(f->meta[i].value, value, sizeof value));
    }
    return class_names(w);
}

/* ---- begin and end ---- */

static ecg_status begin(onnx_walk *w)
{
    const onnx_input *in = &w->file->input;
    if (in->rank != 4)
        return onnx_refuse(w, NULL, "the input %.*s has %u dimensions, expected 4: pictures",
                           ONNX_TEXT(in->name), in->rank);
    if (in->type != ONNX_FLOAT && in->type != ONNX_UINT8)
        return onnx_refuse(w, NULL, "the input %.*s is neither float nor uint8", ONNX_TEXT(in->name));
    w->value = in->name;
    w->last = -1;
    w->factor = 1.0;
    w->scale = 1.0;
    w->m->prep = (ecg_preprocess)ECG_PREPROCESS_INIT;
    for (int k = 0; k < 4; k++)
        w->m->prep.deviation[k] = 1.0f;
    const double given = w->options->rescale;
    if (given > 0.0 || given < 0.0)
        w->factor = given;
    else if (in->type == ONNX_FLOAT && !ours(w->file))
        return import_fail(
            w->err, ECG_EINVAL,
            "the graph does not say how pixels 0..255 become its numbers: --rescale 1/255 or 1");
    return ECG_OK;
}

/* Three equal channels make one: the first convolution's kernel is summed over them. */
static ecg_status fold_gray(onnx_walk *w)
{
    import_tensor *t = import_find(w->m, "1.conv2d.kernel");
    const ecg_preprocess *p = &w->m->prep;
    const uint32_t c = w->in.c;
    if (!w->options->gray || c == 1)
        return ECG_OK;
    if (c != 3 || !t || p->zca)
        return onnx_refuse(w, NULL,
                           "--gray needs a graph that reads 3 channels and begins with a convolution");
    for (int k = 1; k < 3; k++)
        if (memcmp(&p->mean[k], &p->mean[0], sizeof p->mean[0]) != 0 ||
            memcmp(&p->deviation[k], &p->deviation[0], sizeof p->deviation[0]) != 0)
            return onnx_refuse(w, NULL, "--gray: the graph prepares the three channels differently");
    const char *text = (const char *)w->text.data; /* "; conv2d 32 3x3 ..." */
    const size_t filters = strtoul(text + strlen("; conv2d "), NULL, 10);
    const size_t taps = t->count / (3 * filters);
    for (size_t i = 0; i < taps; i++)
        for (size_t j = 0; j < filters; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < 3; k++)
                sum += (double)t->value[(3 * i + k) * filters + j];
            t->value[i * filters + j] = (float)sum;
        }
    t->count = taps * filters;
    w->in.c = 1;
    return ECG_OK;
}

static ecg_status finish(onnx_walk *w)
{
    import_model *m = w->m;
    if (w->stage != STAGE_LAYERS)
        return onnx_refuse(w, NULL, "the graph has no layers");
    if (w->order != ORDER_FLAT && !(w->s.h == 1 && w->s.w == 1))
        return onnx_refuse(w, NULL, "the graph ends in a picture, expected a probability for each class");
    if (!w->softmax && !w->options->softmax)
        return import_fail(w->err, ECG_EUNSUPPORTED,
                           "the graph does not end in a softmax; if these are logits, --softmax adds one");
    if (!w->softmax) {
        const ecg_status s = onnx_layer(w, "softmax");
        if (s != ECG_OK)
            return s;
    }
    const double rescale = w->factor * w->scale;
    m->prep.rescale = (float)rescale;
    ecg_status s = fold_gray(w);
    if (s != ECG_OK)
        return s;
    char head[80];
    snprintf(head, sizeof head, "input %ux%ux%u", w->in.h, w->in.w, w->in.c);
    m->text = malloc(strlen(head) + w->text.n + 1);
    if (!m->text)
        return import_fail(w->err, ECG_ENOMEM, "out of memory");
    snprintf(m->text, strlen(head) + 1, "%s", head);
    memcpy(m->text + strlen(head), w->text.data, w->text.n);
    m->text[strlen(head) + w->text.n] = '\0';
    return beside(w);
}

ecg_status import_onnx_bytes(import_model *m, const unsigned char *data, size_t n, const import_options *o,
                             ecg_error *err)
{
    onnx_file file;
    onnx_walk w = {.file = &file, .options = o, .m = m, .err = err, .most = n / sizeof(float) + SHARED};
    ecg_status s = onnx_open(&file, data, n, err);
    if (s == ECG_OK)
        s = begin(&w);
    if (s == ECG_OK)
        s = walk(&w);
    if (s == ECG_OK)
        s = finish(&w);
    pb_free(&w.text);
    onnx_close(&file);
    return s;
}
