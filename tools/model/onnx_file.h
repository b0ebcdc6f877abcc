/* onnx_file.h: an ONNX file taken apart, without knowing what its operators mean. Everything points into the
 * bytes of the file, which are not trusted. */
#ifndef ECG_TOOLS_ONNX_FILE_H
#define ECG_TOOLS_ONNX_FILE_H

#include "ecgcnn/status.h"
#include "model/protobuf.h"

/* What a file may have; no network that we can take needs more. */
enum {
    ONNX_MOST_NODES = 8192,
    ONNX_MOST_TENSORS = 8192,
    ONNX_MOST_META = 2048,
    ONNX_MOST_ATTRS = 32,
    ONNX_MOST_INPUTS = 8, /* of a node, and outputs */
    ONNX_MOST_INTS = 8,   /* of an attribute, and dimensions */
};

typedef struct onnx_text {
    const char *at; /* not terminated */
    size_t n;
} onnx_text;

/* For "%.*s". */
#define ONNX_TEXT(t) (int)((t).n > 64 ? 64 : (t).n), ((t).n ? (t).at : "")

typedef struct onnx_tensor {
    onnx_text name;
    uint64_t type; /* ONNX_FLOAT, ONNX_DOUBLE, ONNX_INT64 */
    uint32_t rank;
    uint64_t dim[ONNX_MOST_INTS];
    size_t count;
    pb_view raw; /* count values, least byte first */
    void *own;   /* raw, where the file has them in another form */
} onnx_tensor;

typedef struct onnx_attribute {
    onnx_text name, s;
    uint64_t type; /* 1: f, 2: i, 3: s, 4: t, 6: floats, 7: ints; else unknown */
    float f;
    int64_t i, ints[ONNX_MOST_INTS];
    uint32_t n;     /* of ints */
    onnx_tensor *t; /* owned */
    bool many;      /* more than ONNX_MOST_INTS */
} onnx_attribute;

typedef struct onnx_op {
    onnx_text name, type, domain;
    onnx_text input[ONNX_MOST_INPUTS], output[ONNX_MOST_INPUTS];
    uint32_t inputs, outputs, attrs;
    onnx_attribute *attr;
    uint32_t index; /* in the file, from 0 */
} onnx_op;

typedef struct onnx_input {
    onnx_text name;
    uint64_t type;
    uint32_t rank;
    uint64_t dim[ONNX_MOST_INTS]; /* 0: open */
} onnx_input;

typedef struct onnx_pair {
    onnx_text key, value;
} onnx_pair;

typedef struct onnx_file {
    uint64_t ir, opset;
    onnx_text producer, producer_version;
    onnx_op *op;
    onnx_tensor *tensor; /* initializers, and what Constant nodes hold */
    onnx_pair *meta;
    onnx_input input; /* the only one that is no initializer */
    onnx_text output; /* the only one */
    uint32_t ops, tensors, metas, inputs, outputs;
    bool graph;
} onnx_file;

/* Takes n bytes apart, which must outlive *out. ECG_EFORMAT (no ONNX), ECG_ECORRUPT, ECG_EUNSUPPORTED
 * (external data, functions, sparse tensors), ECG_ELIMIT, ECG_ENOMEM; err is needed. onnx_close in any case.
 */
ecg_status onnx_open(onnx_file *out, const unsigned char *data, size_t n, ecg_error *err);
void onnx_close(onnx_file *f);

bool onnx_is(onnx_text t, const char *text);
bool onnx_same(onnx_text a, onnx_text b);

/* NULL: none. */
const onnx_tensor *onnx_tensor_of(const onnx_file *f, onnx_text name);
const onnx_op *onnx_producer(const onnx_file *f, onnx_text name);
const onnx_attribute *onnx_attribute_of(const onnx_op *op, const char *name);
onnx_text onnx_meta(const onnx_file *f, const char *key);

/* Value i < count of a tensor. */
double onnx_real(const onnx_tensor *t, size_t i);
int64_t onnx_whole(const onnx_tensor *t, size_t i);

#endif
