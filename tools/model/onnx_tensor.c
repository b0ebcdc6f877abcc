#include "model/onnx_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/import.h"
#include "model/onnx.h"

enum {
    DIMS = 1,
    TYPE = 2,
    SEGMENT = 3,
    FLOATS = 4,
    INT64S = 7,
    NAME = 8,
    RAW = 9,
    DOUBLES = 10,
    EXTERNAL = 13,
    LOCATION = 14,
};

static ecg_status damaged(const onnx_tensor *t, ecg_error *err)
{
    return import_fail(err, ECG_ECORRUPT, "tensor %.*s: damaged", ONNX_TEXT(t->name));
}

static size_t width(const onnx_tensor *t)
{
    return t->type == ONNX_FLOAT ? 4 : 8;
}

/* ---- the message, without its values ---- */

static bool one_dim(onnx_tensor *t, uint64_t v)
{
    if (t->rank == ONNX_MOST_INTS)
        return false;
    t->dim[t->rank++] = v;
    return true;
}

static bool read_dims(onnx_tensor *t, const pb_field *f)
{
    if (f->wire == PB_VARINT)
        return one_dim(t, f->value);
    if (f->wire != PB_BYTES)
        return false;
    pb_view v = f->bytes;
    uint64_t value;
    int more;
    while ((more = pb_next_varint(&v, &value)) == 1)
        if (!one_dim(t, value))
            return false;
    return more == 0;
}

static ecg_status read_head(onnx_tensor *t, pb_view v, ecg_error *err)
{
    pb_field f;
    int more;
    while ((more = pb_next(&v, &f)) == 1) {
        bool ok = true;
        if (f.number == DIMS)
            ok = read_dims(t, &f);
        else if (f.number == TYPE && (ok = f.wire == PB_VARINT))
            t->type = f.value;
        else if (f.number == NAME && (ok = f.wire == PB_BYTES))
            t->name = (onnx_text){(const char *)f.bytes.at, pb_length(f.bytes)};
        else if (f.number == RAW && (ok = f.wire == PB_BYTES && !t->raw.at))
            t->raw = f.bytes;
        else if (f.number == SEGMENT || f.number == EXTERNAL || (f.number == LOCATION && f.value))
            return import_fail(err, ECG_EUNSUPPORTED,
                               "tensor %.*s: its values are in another file, which is not read",
                               ONNX_TEXT(t->name));
        if (!ok)
            return damaged(t, err);
    }
    return more == 0 ? ECG_OK : damaged(t, err);
}

/* ---- values that are in fields of their type ---- */

/* Room for t->count values, of which *at are there. */
typedef struct fill {
    onnx_tensor *t;
    unsigned char *to;
    size_t at;
} fill;

static bool put(fill *f, uint64_t bits)
{
    if (f->at == f->t->count)
        return false;
    const size_t n = width(f->t);
    for (size_t i = 0; i < n; i++)
        f->to[f->at * n + i] = (unsigned char)(bits >> (8 * i));
    f->at++;
    return true;
}

static bool put_fixed(fill *f, pb_view v)
{
    const size_t n = width(f->t), many = pb_length(v) / n;
    if (pb_length(v) % n || many > f->t->count - f->at)
        return false;
    if (many)
        memcpy(f->to + f->at * n, v.at, many * n);
    f->at += many;
    return true;
}

static bool put_varints(fill *f, pb_view v)
{
    uint64_t value;
    int more;
    while ((more = pb_next_varint(&v, &value)) == 1)
        if (!put(f, value))
            return false;
    return more == 0;
}

static ecg_status read_typed(onnx_tensor *t, pb_view v, ecg_error *err)
{
    const uint32_t field = t->type == ONNX_FLOAT ? FLOATS : t->type == ONNX_DOUBLE ? DOUBLES : INT64S;
    const uint32_t wire = t->type == ONNX_FLOAT ? PB_32 : t->type == ONNX_DOUBLE ? PB_64 : PB_VARINT;
    if (t->count > pb_length(v)) /* a value takes a byte at least */
        return damaged(t, err);
    fill out = {t, malloc(t->count * width(t) + 1), 0};
    if (!out.to)
        return import_fail(err, ECG_ENOMEM, "out of memory");
    t->own = out.to;
    t->raw = (pb_view){out.to, out.to + t->count * width(t)};
    pb_field f;
    bool ok = true;
    while (ok && pb_next(&v, &f) == 1) {
        if (f.number != field)
            continue;
        if (f.wire == wire)
            ok = put(&out, f.value);
        else
            ok = f.wire == PB_BYTES &&
                 (wire == PB_VARINT ? put_varints(&out, f.bytes) : put_fixed(&out, f.bytes));
    }
    return ok && out.at == t->count ? ECG_OK : damaged(t, err);
}

ecg_status onnx_tensor_read(onnx_tensor *t, pb_view v, ecg_error *err)
{
    const ecg_status s = read_head(t, v, err);
    if (s != ECG_OK)
        return s;
    if (t->type != ONNX_FLOAT && t->type != ONNX_DOUBLE && t->type != ONNX_INT64) {
        /* An error where it is used, and only there: `type` says so. */
        t->raw = (pb_view){NULL, NULL};
        t->count = 0;
        return ECG_OK;
    }
    uint64_t count = 1;
    for (uint32_t i = 0; i < t->rank; i++) {
        if (t->dim[i] > INT32_MAX || (t->dim[i] && count > INT32_MAX / t->dim[i]))
            return import_fail(err, ECG_ELIMIT, "tensor %.*s: too large", ONNX_TEXT(t->name));
        count *= t->dim[i];
    }
    t->count = (size_t)count;
    if (!t->raw.at)
        return read_typed(t, v, err);
    if (pb_length(t->raw) != t->count * width(t))
        return import_fail(err, ECG_ECORRUPT, "tensor %.*s: %zu bytes, expected %zu", ONNX_TEXT(t->name),
                           pb_length(t->raw), t->count * width(t));
    return ECG_OK;
}

/* ---- values ---- */

static uint64_t bits_of(const onnx_tensor *t, size_t i)
{
    const size_t n = width(t);
    uint64_t bits = 0;
    for (size_t k = 0; k < n; k++)
        bits |= (uint64_t)t->raw.at[i * n + k] << (8 * k);
    return bits;
}

double onnx_real(const onnx_tensor *t, size_t i)
{
    const uint64_t bits = bits_of(t, i);
    double v;
    if (t->type == ONNX_FLOAT)
        return (double)pb_to_float((uint32_t)bits);
    if (t->type == ONNX_INT64)
        return (double)(int64_t)bits;
    memcpy(&v, &bits, sizeof v);
    return v;
}

int64_t onnx_whole(const onnx_tensor *t, size_t i)
{
    const uint64_t bits = bits_of(t, i);
    return t->type == ONNX_INT64 ? (int64_t)bits : 0;
}
