/* protobuf.h: the wire format that ONNX files are written in, as far as they need it. */
#ifndef ECG_TOOLS_PROTOBUF_H
#define ECG_TOOLS_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- writing: a message that grows; a failed allocation is remembered ---- */
typedef struct pb {
    unsigned char *data;
    size_t n, cap;
    bool failed;
} pb;

void pb_free(pb *b);
void pb_raw(pb *b, const void *data, size_t n);
void pb_varint(pb *b, uint64_t v);
void pb_int(pb *b, uint32_t field, int64_t v);
void pb_float(pb *b, uint32_t field, float v);
void pb_bytes(pb *b, uint32_t field, const void *data, size_t n);
/* A field of type string must be UTF-8, or readers refuse the file: other bytes become '?'. */
void pb_text(pb *b, uint32_t field, const char *text);
/* The message m as a field of b; m is freed. */
void pb_put(pb *b, uint32_t field, pb *m);
/* Tag and length of a field whose n bytes follow. */
void pb_head(pb *b, uint32_t field, uint64_t n);
size_t pb_varint_size(uint64_t v);

/* ---- reading: a view of bytes, never beyond their end ---- */
typedef struct pb_view {
    const unsigned char *at, *end;
} pb_view;

enum { PB_VARINT = 0, PB_64 = 1, PB_BYTES = 2, PB_32 = 5 };

typedef struct pb_field {
    uint32_t number, wire;
    uint64_t value; /* PB_VARINT, PB_64, PB_32 */
    pb_view bytes;  /* PB_BYTES */
} pb_field;

/* The next field: 1; 0 at the end; -1 where the bytes are no protobuf: a varint of more than 64 bits, a field
 * of number 0, a group or an unknown wire type, a length beyond the end. */
int pb_next(pb_view *v, pb_field *out);

/* One number of a packed field: as pb_next. */
int pb_next_varint(pb_view *v, uint64_t *out);

static inline size_t pb_length(pb_view v)
{
    return (size_t)(v.end - v.at);
}

float pb_to_float(uint32_t bits);

#endif
