#include "model/protobuf.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

void pb_free(pb *b)
{
    free(b->data);
    *b = (pb){0};
}

void pb_raw(pb *b, const void *data, size_t n)
{
    if (b->failed || n == 0)
        return;
    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->n < n && cap <= SIZE_MAX / 2)
            cap *= 2;
        unsigned char *grown = cap - b->n < n ? NULL : realloc(b->data, cap);
        if (!grown) {
            b->failed = true;
            return;
        }
        b->data = grown;
        b->cap = cap;
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

void pb_varint(pb *b, uint64_t v)
{
    unsigned char out[10];
    size_t n = 0;
    do {
        out[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    pb_raw(b, out, n);
}

size_t pb_varint_size(uint64_t v)
{
    size_t n = 1;
    for (; v > 0x7f; v >>= 7)
        n++;
    return n;
}

static void tag(pb *b, uint32_t field, uint32_t wire)
{
    pb_varint(b, (uint64_t)field << 3 | wire);
}

void pb_int(pb *b, uint32_t field, int64_t v)
{
    tag(b, field, PB_VARINT);
    pb_varint(b, (uint64_t)v);
}

void pb_float(pb *b, uint32_t field, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    const unsigned char out[4] = {(unsigned char)bits, (unsigned char)(bits >> 8),
                                  (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
    tag(b, field, PB_32);
    pb_raw(b, out, sizeof out);
}

void pb_head(pb *b, uint32_t field, uint64_t n)
{
    tag(b, field, PB_BYTES);
    pb_varint(b, n);
}

void pb_bytes(pb *b, uint32_t field, const void *data, size_t n)
{
    pb_head(b, field, n);
    pb_raw(b, data, n);
}

/* Bytes of the UTF-8 character at p; 0: it is none. */
static size_t character(const unsigned char *p)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (n < 2)
        return n;
    uint32_t c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

void pb_text(pb *b, uint32_t field, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    pb_head(b, field, strlen(text));
    while (*p) {
        const size_t n = character(p);
        pb_raw(b, n ? p : (const unsigned char *)"?", n ? n : 1);
        p += n ? n : 1;
    }
}

void pb_put(pb *b, uint32_t field, pb *m)
{
    if (m->failed)
        b->failed = true;
    pb_bytes(b, field, m->data, m->n);
    pb_free(m);
}

/* ---- reading ---- */

int pb_next_varint(pb_view *v, uint64_t *out)
{
    uint64_t value = 0;
    if (v->at == v->end)
        return 0;
    for (unsigned shift = 0; shift < 70 && v->at < v->end; shift += 7) {
        const unsigned char c = *v->at++;
        if (shift == 63 && c > 1)
            return -1;
        value |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *out = value;
            return 1;
        }
    }
    return -1;
}

static int fixed(pb_view *v, size_t n, uint64_t *out)
{
    if (pb_length(*v) < n)
        return -1;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out |= (uint64_t)v->at[i] << (8 * i);
    v->at += n;
    return 1;
}

int pb_next(pb_view *v, pb_field *out)
{
    uint64_t head, n;
    const int more = pb_next_varint(v, &head);
    if (more != 1)
        return more;
    *out = (pb_field){.number = (uint32_t)(head >> 3), .wire = (uint32_t)(head & 7)};
    if (head >> 3 == 0 || head >> 3 > 0x1fffffff)
        return -1;
    switch (out->wire) {
    case PB_VARINT:
        return pb_next_varint(v, &out->value) == 1 ? 1 : -1;
    case PB_64:
        return fixed(v, 8, &out->value);
    case PB_32:
        return fixed(v, 4, &out->value);
    case PB_BYTES:
        if (pb_next_varint(v, &n) != 1 || n > pb_length(*v))
            return -1;
        out->bytes = (pb_view){v->at, v->at + n};
        v->at += n;
        return 1;
    default:
        return -1;
    }
}

float pb_to_float(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
