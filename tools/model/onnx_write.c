/* A model as an ONNX file: graph, constants, and what the graph has no place for as metadata. Constants go
 * from the model straight to the disk. */
#include "model/onnx.h"

#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/whole.h"
#include "ecgcnn/version.h"

/* Fields of onnx.proto. */
enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_VERSION = 3,
    MODEL_DOC = 6,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
};

enum { PIECE = 65536 };

/* ---- constants ---- */

static size_t width(const onnx_constant *c)
{
    return c->type == ONNX_FLOAT ? sizeof(float) : sizeof(int64_t);
}

static size_t bytes_of(const onnx_constant *c)
{
    return c->walk[0] * c->walk[1] * c->walk[2] * c->walk[3] * width(c);
}

/* All of the tensor but the bytes of its values. */
static void tensor_head(pb *b, const onnx_constant *c)
{
    for (uint32_t i = 0; i < c->rank; i++)
        pb_int(b, TENSOR_DIMS, c->dims[i]);
    pb_int(b, TENSOR_TYPE, c->type);
    pb_text(b, TENSOR_NAME, c->name);
    pb_head(b, TENSOR_RAW, bytes_of(c));
}

/* The value at p, least byte first. */
static void little(unsigned char *out, const unsigned char *p, size_t n)
{
    uint64_t bits = 0;
    if (n == sizeof(float)) {
        uint32_t word;
        memcpy(&word, p, sizeof word);
        bits = word;
    } else {
        memcpy(&bits, p, sizeof bits);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(bits >> (8 * i));
}

static void write_values(FILE *f, const onnx_constant *c)
{
    unsigned char out[PIECE];
    const unsigned char *data = c->data ? c->data : c->own;
    const size_t n = width(c);
    size_t at = 0;
    for (size_t i = 0; i < c->walk[0]; i++)
        for (size_t j = 0; j < c->walk[1]; j++)
            for (size_t k = 0; k < c->walk[2]; k++)
                for (size_t l = 0; l < c->walk[3]; l++) {
                    little(out + at,
                           data + n * (i * c->step[0] + j * c->step[1] + k * c->step[2] + l * c->step[3]), n);
                    at += n;
                    if (at == sizeof out) {
                        fwrite(out, 1, at, f); /* an error stays with f */
                        at = 0;
                    }
                }
    fwrite(out, 1, at, f);
}

/* ---- input and output ---- */

static void dimension(pb *shape, const char *symbol, uint32_t n)
{
    pb d = {0};
    if (symbol)
        pb_text(&d, 2, symbol);
    else
        pb_int(&d, 1, n);
    pb_put(shape, 1, &d);
}

static void value_info(pb *graph, uint32_t field, const char *name, int type, const uint32_t *dims,
                       uint32_t n)
{
    pb shape = {0}, tensor = {0}, t = {0}, info = {0};
    dimension(&shape, "N", 0);
    for (uint32_t i = 0; i < n; i++)
        dimension(&shape, NULL, dims[i]);
    pb_int(&tensor, 1, type);
    pb_put(&tensor, 2, &shape);
    pb_put(&t, 1, &tensor);
    pb_text(&info, 1, name);
    pb_put(&info, 2, &t);
    pb_put(graph, field, &info);
}

/* ---- metadata ---- */

static void meta(pb *b, const char *key, const char *value)
{
    pb entry = {0};
    pb_text(&entry, 1, key);
    pb_text(&entry, 2, value);
    pb_put(b, MODEL_METADATA, &entry);
}

static void meta_number(pb *b, const char *key, double v)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g", v);
    meta(b, key, text);
}

static void rule_metadata(pb *b, const ecg_rule *r)
{
    meta_number(b, "rule.temperature", (double)r->temperature);
    meta_number(b, "rule.threshold", (double)r->threshold);
    meta_number(b, "rule.chosen_by", (double)r->chosen_by);
    meta_number(b, "rule.wanted", (double)r->wanted);
    meta_number(b, "rule.pictures", (double)r->pictures);
    meta_number(b, "rule.apart", (double)r->apart);
}

static void metadata(pb *b, const ecg_model *m, bool bytes)
{
    const ecg_preprocess *p = ecg_model_preprocess(m);
    const ecg_spec *s = ecg_model_spec(m);
    char text[256];
    const char *key, *value;
    meta(b, "notice", ECG_NOTICE);
    meta(b, "format", "libecgcnn 1");
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        snprintf(text, sizeof text, "class.%u", i);
        meta(b, text, ecg_model_class(m, i));
    }
    meta(b, "input", bytes ? "pixels 0..255 as uint8 [N][H][W][C]" : "pixels 0..255 as float [N][H][W][C]");
    meta(b, "color", ecg_color_name(p->color));
    meta(b, "profile", ecg_profile_name(p->profile));
    meta(b, "filter", ecg_filter_name(p->filter));
    snprintf(text, sizeof text,
             "left to the caller: reading the file, converting to %s and scaling to %u rows and %u columns "
             "(filter %s, profile %s)",
             ecg_color_name(p->color), p->h, p->w, ecg_filter_name(p->filter), ecg_profile_name(p->profile));
    meta(b, "pictures", text);
    rule_metadata(b, ecg_model_rule(m));
    if (ecg_model_gate(m))
        meta(b, "left_out", "the gate that tells pictures that are no ECG");
    const size_t n = ecg_spec_print(s, NULL, 0) + 1;
    char *network = malloc(n);
    if (network) {
        ecg_spec_print(s, network, n);
        meta(b, "network", network);
    }
    b->failed = b->failed || !network;
    free(network);
    for (size_t i = 0; ecg_model_meta_at(m, i, &key, &value); i++) {
        snprintf(text, sizeof text, "made.%.200s", key);
        meta(b, text, value);
    }
}

/* ---- the file ---- */

static void before_graph(pb *b, const chain *c, bool bytes)
{
    pb opset = {0};
    pb_int(b, MODEL_IR, ONNX_IR);
    pb_text(b, MODEL_PRODUCER, "libecgcnn");
    pb_text(b, MODEL_VERSION, ecg_version());
    pb_text(b, MODEL_DOC, ECG_NOTICE);
    pb_text(&opset, 1, "");
    pb_int(&opset, 2, ONNX_OPSET);
    pb_put(b, MODEL_OPSET, &opset);
    metadata(b, c->model, bytes);
}

static void build(onnx_graph *g, const chain *c, bool bytes)
{
    const ecg_preprocess *p = ecg_model_preprocess(c->model);
    snprintf(g->value, sizeof g->value, "pixels");
    onnx_prepare(g, p, bytes);
    onnx_layers(g, c);
    /* The last node's result has a name of its own. */
    pb node = {0};
    pb_text(&node, 1, g->value);
    pb_text(&node, 2, "probabilities");
    pb_text(&node, 3, "result");
    pb_text(&node, 4, "Identity");
    pb_put(&g->nodes, 1, &node);
    pb_text(&g->nodes, GRAPH_NAME, "libecgcnn");
    value_info(&g->nodes, GRAPH_INPUT, "pixels", bytes ? ONNX_UINT8 : ONNX_FLOAT,
               (const uint32_t[]){p->h, p->w, (uint32_t)p->color}, 3);
    const uint32_t classes = ecg_model_classes(c->model);
    value_info(&g->nodes, GRAPH_OUTPUT, "probabilities", ONNX_FLOAT, &classes, 1);
}

/* Head and values of all constants into f (NULL: nowhere). Returns their bytes. */
static uint64_t constants(const onnx_graph *g, FILE *f, bool *failed)
{
    uint64_t total = 0;
    for (size_t i = 0; i < g->constants; i++) {
        const onnx_constant *c = &g->constant[i];
        pb head = {0}, outer = {0};
        tensor_head(&head, c);
        pb_head(&outer, GRAPH_INITIALIZER, head.n + bytes_of(c));
        total += outer.n + head.n + bytes_of(c);
        *failed = *failed || head.failed || outer.failed;
        if (f && !*failed) {
            fwrite(outer.data, 1, outer.n, f);
            fwrite(head.data, 1, head.n, f);
            write_values(f, c);
        }
        pb_free(&head);
        pb_free(&outer);
    }
    return total;
}

static int write_file(const char *path, pb *head, const onnx_graph *g)
{
    bool failed = g->failed;
    whole w;
    const uint64_t graph = g->nodes.n + constants(g, NULL, &failed);
    pb_head(head, MODEL_GRAPH, graph);
    if (failed || head->failed || g->nodes.failed)
        return tool_fail("out of memory");
    if (head->n + graph > INT32_MAX)
        return tool_fail("%s: %llu bytes, an ONNX file holds less than 2 GiB", path,
                         (unsigned long long)(head->n + graph));
    const int code = whole_open(&w, path);
    if (code)
        return code;
    fwrite(head->data, 1, head->n, w.f);
    fwrite(g->nodes.data, 1, g->nodes.n, w.f);
    constants(g, w.f, &failed);
    return whole_close(&w, failed ? tool_fail("out of memory") : EXIT_DONE);
}

int onnx_write(const chain *c, const char *path, bool bytes)
{
    onnx_graph g = {0};
    pb head = {0};
    before_graph(&head, c, bytes);
    build(&g, c, bytes);
    const int code = write_file(path, &head, &g);
    pb_free(&head);
    pb_free(&g.nodes);
    free(g.constant);
    return code;
}
