#include "model/onnx_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/import.h"
#include "model/onnx_parts.h"

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };
enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    MODEL_FUNCTIONS = 25,
};

/* ---- small things ---- */

bool onnx_is(onnx_text t, const char *text)
{
    return t.n == strlen(text) && (t.n == 0 || memcmp(t.at, text, t.n) == 0);
}

bool onnx_same(onnx_text a, onnx_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

const onnx_tensor *onnx_tensor_of(const onnx_file *f, onnx_text name)
{
    for (uint32_t i = 0; name.n && i < f->tensors; i++)
        if (onnx_same(f->tensor[i].name, name))
            return &f->tensor[i];
    return NULL;
}

const onnx_op *onnx_producer(const onnx_file *f, onnx_text name)
{
    for (uint32_t i = 0; name.n && i < f->ops; i++)
        for (uint32_t k = 0; k < f->op[i].outputs; k++)
            if (onnx_same(f->op[i].output[k], name))
                return &f->op[i];
    return NULL;
}

const onnx_attribute *onnx_attribute_of(const onnx_op *op, const char *name)
{
    for (uint32_t i = 0; i < op->attrs; i++)
        if (onnx_is(op->attr[i].name, name))
            return &op->attr[i];
    return NULL;
}

onnx_text onnx_meta(const onnx_file *f, const char *key)
{
    static const onnx_text none = {0};
    for (uint32_t i = 0; i < f->metas; i++)
        if (onnx_is(f->meta[i].key, key))
            return f->meta[i].value;
    return none;
}

/* ---- inputs and outputs ---- */

/* The bytes of field `wanted` of a message, the last of several; empty where there is none. */
static bool inside(pb_view v, uint32_t wanted, pb_view *out)
{
    pb_field f;
    int more;
    *out = (pb_view){v.end, v.end};
    while ((more = pb_next(&v, &f)) == 1)
        if (f.number == wanted) {
            if (f.wire != PB_BYTES)
                return false;
            *out = f.bytes;
        }
    return more == 0;
}

static bool read_dims(onnx_input *in, pb_view shape)
{
    pb_field f, d;
    int more;
    while ((more = pb_next(&shape, &f)) == 1) {
        if (f.number != 1)
            continue;
        if (f.wire != PB_BYTES || in->rank == ONNX_MOST_INTS)
            return false;
        uint64_t *dim = &in->dim[in->rank++];
        int inner;
        while ((inner = pb_next(&f.bytes, &d)) == 1)
            if (d.number == 1) {
                if (d.wire != PB_VARINT)
                    return false;
                *dim = d.value;
            }
        if (inner < 0)
            return false;
    }
    return more == 0;
}

static ecg_status read_input(onnx_input *in, pb_view v, ecg_error *err)
{
    pb_view name, type, tensor, shape;
    if (!inside(v, 1, &name) || !inside(v, 2, &type) || !inside(type, 1, &tensor) ||
        !inside(tensor, 2, &shape) || !read_dims(in, shape))
        return onnx_corrupt(err, "graph input or output");
    in->name = (onnx_text){(const char *)name.at, pb_length(name)};
    pb_field f;
    while (pb_next(&tensor, &f) == 1)
        if (f.number == 1 && f.wire == PB_VARINT)
            in->type = f.value;
    return ECG_OK;
}

/* ---- graph ---- */

static ecg_status read_initializer(onnx_file *out, pb_view v, ecg_error *err)
{
    onnx_tensor *t = onnx_grown(out->tensor, out->tensors, ONNX_MOST_TENSORS, sizeof *t, "tensors", err);
    if (!t)
        return err->status;
    out->tensor = t;
    return onnx_tensor_read(&t[out->tensors++], v, err);
}

static ecg_status read_graph_field(onnx_file *out, const pb_field *f, ecg_error *err)
{
    const uint32_t n = f->number;
    if (n != GRAPH_NODE && n != GRAPH_INITIALIZER && n != GRAPH_INPUT && n != GRAPH_OUTPUT &&
        n != GRAPH_SPARSE)
        return ECG_OK;
    if (f->wire != PB_BYTES)
        return onnx_corrupt(err, "graph");
    if (n == GRAPH_SPARSE)
        return import_fail(err, ECG_EUNSUPPORTED, "sparse tensors are not supported");
    if (n == GRAPH_INITIALIZER)
        return read_initializer(out, f->bytes, err);
    if (n == GRAPH_OUTPUT) {
        onnx_input in = {0};
        const ecg_status s = read_input(&in, f->bytes, err);
        out->output = in.name;
        out->outputs++;
        return s;
    }
    if (n == GRAPH_INPUT)
        return ECG_OK; /* once all initializers are known */
    onnx_op *op = onnx_grown(out->op, out->ops, ONNX_MOST_NODES, sizeof *op, "nodes", err);
    if (!op)
        return err->status;
    out->op = op;
    op[out->ops].index = out->ops;
    return onnx_node_read(&op[out->ops++], f->bytes, err);
}

/* Inputs that are no initializers; older files list these among the inputs too. */
static ecg_status read_inputs(onnx_file *out, pb_view v, ecg_error *err)
{
    pb_field f;
    while (pb_next(&v, &f) == 1) {
        onnx_input in = {0};
        if (f.number != GRAPH_INPUT)
            continue;
        const ecg_status s = read_input(&in, f.bytes, err);
        if (s != ECG_OK)
            return s;
        if (!onnx_tensor_of(out, in.name)) {
            out->input = in;
            out->inputs++;
        }
    }
    return ECG_OK;
}

/* What a Constant node holds is a tensor like any other. */
static ecg_status take_constants(onnx_file *out, ecg_error *err)
{
    for (uint32_t i = 0; i < out->ops; i++) {
        const onnx_op *op = &out->op[i];
        if (!onnx_is(op->type, "Constant") || op->outputs != 1)
            continue;
        const onnx_attribute *a = onnx_attribute_of(op, "value");
        if (!a || !a->t)
            continue; /* not taken for a constant by whoever asks for it */
        onnx_tensor *t = onnx_grown(out->tensor, out->tensors, ONNX_MOST_TENSORS, sizeof *t, "tensors", err);
        if (!t)
            return err->status;
        out->tensor = t;
        t += out->tensors++;
        *t = *a->t;
        t->own = NULL; /* the attribute's */
        t->name = op->output[0];
    }
    return ECG_OK;
}

static ecg_status read_graph(onnx_file *out, pb_view v, ecg_error *err)
{
    const pb_view all = v;
    pb_field f;
    int more;
    if (out->graph)
        return onnx_corrupt(err, "graph");
    out->graph = true;
    while ((more = pb_next(&v, &f)) != 0) {
        if (more < 0)
            return onnx_corrupt(err, "graph");
        const ecg_status s = read_graph_field(out, &f, err);
        if (s != ECG_OK)
            return s;
    }
    const ecg_status s = read_inputs(out, all, err);
    return s == ECG_OK ? take_constants(out, err) : s;
}

/* ---- model ---- */

static ecg_status read_opset(onnx_file *out, pb_view v, ecg_error *err)
{
    onnx_text domain = {0};
    uint64_t version = 1;
    pb_field f;
    int more;
    ecg_status s = ECG_OK;
    while (s == ECG_OK && (more = pb_next(&v, &f)) != 0) {
        if (more < 0)
            return onnx_corrupt(err, "opset");
        if (f.number == 1)
            s = onnx_bytes(&f, &domain, "opset", err);
        else if (f.number == 2)
            s = onnx_number(&f, &version, "opset", err);
    }
    if (s == ECG_OK && (domain.n == 0 || onnx_is(domain, "ai.onnx")))
        out->opset = version;
    return s;
}

static ecg_status read_meta(onnx_file *out, pb_view v, ecg_error *err)
{
    pb_view key, value;
    onnx_pair *p = onnx_grown(out->meta, out->metas, ONNX_MOST_META, sizeof *p, "entries of metadata", err);
    if (!p)
        return err->status;
    out->meta = p;
    p += out->metas++;
    if (!inside(v, 1, &key) || !inside(v, 2, &value))
        return onnx_corrupt(err, "metadata");
    p->key = (onnx_text){(const char *)key.at, pb_length(key)};
    p->value = (onnx_text){(const char *)value.at, pb_length(value)};
    return ECG_OK;
}

static ecg_status read_field(onnx_file *out, const pb_field *f, ecg_error *err)
{
    switch (f->number) {
    case MODEL_IR:
        return onnx_number(f, &out->ir, "model", err);
    case MODEL_PRODUCER:
        return onnx_bytes(f, &out->producer, "model", err);
    case MODEL_PRODUCER_VERSION:
        return onnx_bytes(f, &out->producer_version, "model", err);
    case MODEL_GRAPH:
        return f->wire == PB_BYTES ? read_graph(out, f->bytes, err) : onnx_corrupt(err, "model");
    case MODEL_OPSET:
        return f->wire == PB_BYTES ? read_opset(out, f->bytes, err) : onnx_corrupt(err, "model");
    case MODEL_METADATA:
        return f->wire == PB_BYTES ? read_meta(out, f->bytes, err) : onnx_corrupt(err, "model");
    case MODEL_FUNCTIONS:
        return import_fail(err, ECG_EUNSUPPORTED, "functions of a model are not supported");
    default:
        return ECG_OK;
    }
}

static ecg_status check(const onnx_file *f, ecg_error *err)
{
    if (!f->graph || f->ir == 0)
        return import_fail(err, ECG_EFORMAT, "no ONNX file: it has no graph");
    if (f->opset < 7 || f->opset > 21)
        return import_fail(err, ECG_EUNSUPPORTED, "operator set %" PRIu64 ", expected 7 to 21", f->opset);
    if (f->inputs != 1)
        return import_fail(err, ECG_EUNSUPPORTED, "the graph has %u inputs, expected 1: pictures", f->inputs);
    if (f->outputs != 1)
        return import_fail(err, ECG_EUNSUPPORTED, "the graph has %u outputs, expected 1: probabilities",
                           f->outputs);
    return ECG_OK;
}

ecg_status onnx_open(onnx_file *out, const unsigned char *data, size_t n, ecg_error *err)
{
    pb_view v = {data, data + n};
    pb_field f;
    int more;
    *out = (onnx_file){0};
    while ((more = pb_next(&v, &f)) != 0) {
        if (more < 0)
            return out->graph ? onnx_corrupt(err, "model")
                              : import_fail(err, ECG_EFORMAT, "no ONNX file: the bytes are no protobuf");
        const ecg_status s = read_field(out, &f, err);
        if (s != ECG_OK)
            return s;
    }
    return check(out, err);
}

void onnx_close(onnx_file *f)
{
    for (uint32_t i = 0; i < f->ops; i++) {
        for (uint32_t k = 0; k < f->op[i].attrs; k++)
            if (f->op[i].attr[k].t) {
                free(f->op[i].attr[k].t->own);
                free(f->op[i].attr[k].t);
            }
        free(f->op[i].attr);
    }
    for (uint32_t i = 0; i < f->tensors; i++)
        free(f->tensor[i].own);
    free(f->op);
    free(f->tensor);
    free(f->meta);
    *f = (onnx_file){0};
}
