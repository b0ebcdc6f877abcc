/* The nodes of an ONNX file. */
#include <stdlib.h>
#include <string.h>

#include "model/import.h"
#include "model/onnx_parts.h"

ecg_status onnx_corrupt(ecg_error *err, const char *where)
{
    return import_fail(err, ECG_ECORRUPT, "%s: damaged, or no ONNX file", where);
}

ecg_status onnx_bytes(const pb_field *f, onnx_text *out, const char *where, ecg_error *err)
{
    if (f->wire != PB_BYTES)
        return onnx_corrupt(err, where);
    out->at = (const char *)f->bytes.at;
    out->n = pb_length(f->bytes);
    return ECG_OK;
}

ecg_status onnx_number(const pb_field *f, uint64_t *out, const char *where, ecg_error *err)
{
    if (f->wire != PB_VARINT)
        return onnx_corrupt(err, where);
    *out = f->value;
    return ECG_OK;
}

void *onnx_grown(void *array, uint32_t count, uint32_t most, size_t size, const char *what, ecg_error *err)
{
    if (count == most) {
        import_fail(err, ECG_ELIMIT, "more than %u %s", most, what);
        return NULL;
    }
    if ((count & (count - 1)) == 0) { /* room is the next power of two */
        array = realloc(array, (count ? 2 * (size_t)count : 1) * size);
        if (!array) {
            import_fail(err, ECG_ENOMEM, "out of memory");
            return NULL;
        }
    }
    memset((char *)array + count * size, 0, size);
    return array;
}

static void one_int(onnx_attribute *a, uint64_t v)
{
    if (a->n == ONNX_MOST_INTS)
        a->many = true;
    else
        a->ints[a->n++] = (int64_t)v;
}

static ecg_status read_ints(onnx_attribute *a, const pb_field *f, ecg_error *err)
{
    if (f->wire == PB_VARINT) {
        one_int(a, f->value);
        return ECG_OK;
    }
    if (f->wire != PB_BYTES)
        return onnx_corrupt(err, "attribute");
    pb_view v = f->bytes;
    uint64_t value;
    int more;
    while ((more = pb_next_varint(&v, &value)) == 1)
        one_int(a, value);
    return more == 0 ? ECG_OK : onnx_corrupt(err, "attribute");
}

static ecg_status read_attribute(onnx_attribute *a, pb_view v, ecg_error *err)
{
    enum { NAME = 1, F = 2, I = 3, S = 4, T = 5, INTS = 8, TYPE = 20 };
    pb_field f;
    uint64_t i = 0;
    int more;
    ecg_status s = ECG_OK;
    while (s == ECG_OK && (more = pb_next(&v, &f)) != 0) {
        if (more < 0)
            return onnx_corrupt(err, "attribute");
        if (f.number == NAME)
            s = onnx_bytes(&f, &a->name, "attribute", err);
        else if (f.number == F && f.wire != PB_32)
            s = onnx_corrupt(err, "attribute");
        else if (f.number == F)
            a->f = pb_to_float((uint32_t)f.value);
        else if (f.number == I && (s = onnx_number(&f, &i, "attribute", err)) == ECG_OK)
            a->i = (int64_t)i;
        else if (f.number == S)
            s = onnx_bytes(&f, &a->s, "attribute", err);
        else if (f.number == INTS)
            s = read_ints(a, &f, err);
        else if (f.number == TYPE)
            s = onnx_number(&f, &a->type, "attribute", err);
        else if (f.number == T) {
            if (f.wire != PB_BYTES || a->t)
                return onnx_corrupt(err, "attribute");
            a->t = calloc(1, sizeof *a->t);
            s = a->t ? onnx_tensor_read(a->t, f.bytes, err) : import_fail(err, ECG_ENOMEM, "out of memory");
        }
    }
    return s;
}

ecg_status onnx_node_read(onnx_op *op, pb_view v, ecg_error *err)
{
    enum { INPUT = 1, OUTPUT = 2, NAME = 3, TYPE = 4, ATTRIBUTE = 5, DOMAIN_NAME = 7 };
    pb_field f;
    int more;
    ecg_status s = ECG_OK;
    while (s == ECG_OK && (more = pb_next(&v, &f)) != 0) {
        if (more < 0)
            return onnx_corrupt(err, "node");
        const bool in = f.number == INPUT;
        if (in || f.number == OUTPUT) {
            uint32_t *n = in ? &op->inputs : &op->outputs;
            if (*n == ONNX_MOST_INPUTS)
                return import_fail(err, ECG_EUNSUPPORTED, "node %u: more than %d inputs or outputs",
                                   op->index + 1, (int)ONNX_MOST_INPUTS);
            s = onnx_bytes(&f, in ? &op->input[(*n)++] : &op->output[(*n)++], "node", err);
        } else if (f.number == NAME) {
            s = onnx_bytes(&f, &op->name, "node", err);
        } else if (f.number == TYPE) {
            s = onnx_bytes(&f, &op->type, "node", err);
        } else if (f.number == DOMAIN_NAME) {
            s = onnx_bytes(&f, &op->domain, "node", err);
        } else if (f.number == ATTRIBUTE) {
            if (f.wire != PB_BYTES)
                return onnx_corrupt(err, "node");
            onnx_attribute *a = onnx_grown(op->attr, op->attrs, ONNX_MOST_ATTRS, sizeof *a,
                                           "attributes of a node", err);
            if (!a)
                return err->status;
            op->attr = a;
            s = read_attribute(&op->attr[op->attrs++], f.bytes, err);
        }
    }
    return s;
}
