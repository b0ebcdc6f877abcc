/* The reader of ONNX files: files that are damaged, graphs that are no chain of our layers, and what each
 * message names. Files are written here, with the writer's protobuf. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/onnx_walk.h"
#include "unit/unit.h"

/* ---- a small model: Flatten, Gemm of 4 pixels to 2 classes, Softmax ---- */

typedef struct parts {
    pb nodes, tensors, meta;
    int type; /* of the input */
    int64_t dims[4];
    uint32_t rank, opset, inputs;
    const char *output;
} parts;

static void attr_int(pb *node, const char *name, int64_t v)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_int(&a, 3, v);
    pb_int(&a, 20, 2);
    pb_put(node, 5, &a);
}

static pb node_of(const char *op, const char *in, const char *second, const char *out)
{
    pb n = {0};
    pb_text(&n, 1, in);
    if (second)
        pb_text(&n, 1, second);
    pb_text(&n, 2, out);
    pb_text(&n, 3, "here");
    pb_text(&n, 4, op);
    return n;
}

static void add(parts *p, const char *op, const char *in, const char *second, const char *out)
{
    pb n = node_of(op, in, second, out);
    pb_put(&p->nodes, 1, &n);
}

static pb tensor_of(const char *name, int64_t rows, int64_t cols)
{
    pb t = {0};
    pb_int(&t, 1, rows);
    if (cols)
        pb_int(&t, 1, cols);
    pb_int(&t, 2, 1);
    pb_text(&t, 8, name);
    return t;
}

/* Values 0, 1, 2 ... */
static void tensor(parts *p, const char *name, int64_t rows, int64_t cols)
{
    float v[64];
    pb t = tensor_of(name, rows, cols);
    const size_t n = (size_t)(rows * (cols ? cols : 1));
    for (size_t i = 0; i < n; i++)
        v[i] = (float)i;
    pb_bytes(&t, 9, v, n * sizeof *v); /* tests run where floats are little-endian, or not at all */
    pb_put(&p->tensors, 5, &t);
}

static parts begin(void)
{
    return (parts){.type = 1, .dims = {1, 1, 2, 2}, .rank = 4, .opset = 13, .inputs = 1, .output = "y"};
}

static parts usual(void)
{
    parts p = begin();
    add(&p, "Flatten", "x", NULL, "f");
    add(&p, "Gemm", "f", "w", "g");
    add(&p, "Softmax", "g", NULL, "y");
    tensor(&p, "w", 4, 2);
    return p;
}

static void value_info(pb *graph, uint32_t field, const char *name, const parts *p)
{
    pb shape = {0}, t = {0}, type = {0}, info = {0};
    for (uint32_t k = 0; k < p->rank; k++) {
        pb d = {0};
        if (p->dims[k] >= 0)
            pb_int(&d, 1, p->dims[k]);
        pb_put(&shape, 1, &d);
    }
    pb_int(&t, 1, p->type);
    pb_put(&t, 2, &shape);
    pb_put(&type, 1, &t);
    pb_text(&info, 1, name);
    pb_put(&info, 2, &type);
    pb_put(graph, field, &info);
}

static pb file_of(parts *p)
{
    pb graph = {0}, opset = {0}, file = {0};
    pb_raw(&graph, p->nodes.data, p->nodes.n);
    pb_raw(&graph, p->tensors.data, p->tensors.n);
    for (uint32_t k = 0; k < p->inputs; k++)
        value_info(&graph, 11, k ? "more" : "x", p);
    value_info(&graph, 12, p->output, p);
    pb_int(&file, 1, 7);
    pb_int(&opset, 2, p->opset);
    pb_put(&file, 8, &opset);
    pb_put(&file, 7, &graph);
    pb_raw(&file, p->meta.data, p->meta.n);
    pb_free(&p->nodes);
    pb_free(&p->tensors);
    pb_free(&p->meta);
    ck_assert(!file.failed);
    return file;
}

static const import_options usual_options = {.rescale = 1.0};

static ecg_status read_bytes(const pb *file, const import_options *o, import_model *m, ecg_error *err)
{
    *m = (import_model){0};
    *err = (ecg_error){ECG_OK, 0, ""};
    return import_onnx_bytes(m, file->data, file->n, o, err);
}

/* The file is refused with this status, and a message that has these words. */
static void refuses(parts p, ecg_status want, const char *words)
{
    import_model m;
    ecg_error err;
    pb file = file_of(&p);
    const ecg_status s = read_bytes(&file, &usual_options, &m, &err);
    ck_assert_msg(s == want && strstr(err.message, words), "%s: %s; expected %s", ecg_status_name(s),
                  err.message, words);
    import_free(&m);
    pb_free(&file);
}

static void takes(parts p, const char *text)
{
    import_model m;
    ecg_error err;
    pb file = file_of(&p);
    const ecg_status s = read_bytes(&file, &usual_options, &m, &err);
    ck_assert_msg(s == ECG_OK, "%s", err.message);
    ck_assert_str_eq(m.text, text);
    ecg_model *model;
    ck_assert_msg(import_make(&model, &m, NULL, 0, &err) == ECG_OK, "%s", err.message);
    ecg_model_free(model);
    import_free(&m);
    pb_free(&file);
}

/* ---- files ---- */

START_TEST(smallest)
{
    takes(usual(), "input 2x2x1; flatten; dense 2 bias=0; softmax");
}
END_TEST

START_TEST(weights_in_every_form)
{
    static const float v[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int form = 0; form < 8; form++) {
        parts p = begin();
        add(&p, "Flatten", "x", NULL, "f");
        add(&p, "Gemm", "f", "w", "g");
        add(&p, "Softmax", "g", NULL, "y");
        pb t = tensor_of("w", 4, 2);
        if (form == 0) /* packed */
            pb_bytes(&t, 4, v, sizeof v);
        static const int count[8] = {0, 8, 7, 0, 0, 0, 9, 0};
        for (int i = 0; i < count[form]; i++) /* one by one; one is missing; one too many */
            pb_float(&t, 4, v[i % 8]);
        if (form == 3) /* one too many */
            pb_bytes(&t, 4, (float[9]){0}, 9 * sizeof *v);
        if (form == 4) /* in another file, and where */
            pb_bytes(&t, 13, "\x0a\x01z", 3);
        if (form == 5)
            pb_int(&t, 14, 1);
        if (form == 7) /* another length */
            pb_bytes(&t, 9, v, sizeof v - 4);
        pb_put(&p.tensors, 5, &t);
        if (form > 1) {
            refuses(p, form == 4 || form == 5 ? ECG_EUNSUPPORTED : ECG_ECORRUPT, "tensor w");
            continue;
        }
        import_model m;
        ecg_error err;
        pb file = file_of(&p);
        ck_assert_int_eq(read_bytes(&file, &usual_options, &m, &err), ECG_OK);
        const import_tensor *w = import_find(&m, "2.dense.kernel");
        ck_assert(w && w->count == 8 && memcmp(w->value, v, sizeof v) == 0);
        import_free(&m);
        pb_free(&file);
    }
}
END_TEST

START_TEST(cut_short)
{
    parts p = usual();
    pb file = file_of(&p);
    import_model m;
    ecg_error err;
    for (size_t n = 0; n < file.n; n++) {
        const pb part = {file.data, n, n, false};
        ck_assert_msg(read_bytes(&part, &usual_options, &m, &err) != ECG_OK, "%zu of %zu bytes", n, file.n);
        ck_assert_msg(err.message[0] != '\0' && !strchr(err.message, '\n'), "%zu of %zu bytes", n, file.n);
        import_free(&m);
    }
    pb_free(&file);
}
END_TEST

/* What is wrong with one thing at a time. */
START_TEST(refused_files)
{
    parts p = usual();
    p.opset = 6;
    refuses(p, ECG_EUNSUPPORTED, "operator set 6, expected 7 to 21");
    p = usual();
    p.inputs = 2;
    refuses(p, ECG_EUNSUPPORTED, "2 inputs, expected 1");
    p = usual();
    p.rank = 3;
    refuses(p, ECG_EUNSUPPORTED, "3 dimensions, expected 4");
    p = usual();
    p.type = 11;
    refuses(p, ECG_EUNSUPPORTED, "neither float nor uint8");
    p = usual();
    p.dims[2] = -1;
    refuses(p, ECG_EINVAL, "--size");
    p = usual();
    p.dims[1] = 7;
    refuses(p, ECG_EUNSUPPORTED, "7 channels");
    p = usual();
    p.output = "z";
    refuses(p, ECG_EUNSUPPORTED, "the chain of nodes ends before the output z");
    p = usual();
    p.output = "g";
    refuses(p, ECG_EUNSUPPORTED, "node 3 (Softmax, here): reads the graph's output");
    p = usual();
    pb_bytes(&p.nodes, 15, "", 0);
    refuses(p, ECG_EUNSUPPORTED, "sparse");
    p = usual();
    pb_int(&p.nodes, 1, 3);
    refuses(p, ECG_ECORRUPT, "damaged");
}
END_TEST

START_TEST(refused_graphs)
{
    parts p = begin();
    add(&p, "Relu", "x", NULL, "y");
    refuses(p, ECG_EUNSUPPORTED, "ends in a picture");
    p = begin(); /* over columns */
    add(&p, "Softmax", "x", NULL, "y");
    refuses(p, ECG_EUNSUPPORTED, "expected a softmax over classes or channels");
    p = begin();
    add(&p, "Flatten", "x", NULL, "f");
    add(&p, "Lambda", "f", NULL, "y");
    refuses(p, ECG_EUNSUPPORTED, "node 2 (Lambda, here): no such layer here");
    p = begin(); /* a ring */
    add(&p, "Relu", "x", NULL, "a");
    add(&p, "Relu", "a", NULL, "x");
    refuses(p, ECG_EUNSUPPORTED, "node 1 (Relu, here): ");
    p = begin(); /* of two nodes, which are one layer */
    add(&p, "Sigmoid", "x", NULL, "s");
    add(&p, "Mul", "x", "s", "x");
    refuses(p, ECG_EUNSUPPORTED, "the nodes are not in order");
    p = begin(); /* out of order */
    add(&p, "Softmax", "f", NULL, "y");
    add(&p, "Flatten", "x", NULL, "f");
    refuses(p, ECG_EUNSUPPORTED, "node 1 (Softmax, here): stands before what it reads");
    p = begin(); /* two ways */
    add(&p, "Flatten", "x", NULL, "f");
    add(&p, "Relu", "f", NULL, "a");
    add(&p, "Tanh", "f", NULL, "b");
    refuses(p, ECG_EUNSUPPORTED, "node 3 (Tanh, here): f is read by 2 nodes");
    p = usual(); /* weights of another size: the picture has 4 values */
    p.dims[3] = 3;
    refuses(p, ECG_EUNSUPPORTED, "expected constant weights for 6 values");
    p = begin(); /* no Flatten */
    add(&p, "Gemm", "x", "w", "y");
    tensor(&p, "w", 4, 2);
    refuses(p, ECG_EUNSUPPORTED, "expected a vector");
    p = begin();
    add(&p, "Flatten", "x", NULL, "f");
    add(&p, "Gemm", "f", "w", "y");
    tensor(&p, "w", 4, 2);
    refuses(p, ECG_EUNSUPPORTED, "does not end in a softmax");
    p = begin(); /* another axis */
    pb n = node_of("Flatten", "x", NULL, "y");
    attr_int(&n, "axis", 2);
    pb_put(&p.nodes, 1, &n);
    refuses(p, ECG_EUNSUPPORTED, "expected axis 1");
    p = begin(); /* another domain */
    n = node_of("Relu", "x", NULL, "y");
    pb_text(&n, 7, "com.example");
    pb_put(&p.nodes, 1, &n);
    refuses(p, ECG_EUNSUPPORTED, "domain com.example");
    p = begin(); /* a window larger than the picture */
    n = node_of("MaxPool", "x", NULL, "y");
    pb a = {0};
    pb_text(&a, 1, "kernel_shape");
    pb_int(&a, 8, 3);
    pb_int(&a, 8, 3);
    pb_int(&a, 20, 7);
    pb_put(&n, 5, &a);
    pb_put(&p.nodes, 1, &n);
    refuses(p, ECG_EUNSUPPORTED, "a window of 3x3 does not fit into 2x2");
}
END_TEST

START_TEST(channels_are_put_in_order)
{
    /* Two channels of 1x2 pixels: ONNX counts c, h, w; the network h, w, c. */
    parts p = begin();
    p.dims[1] = 3;
    p.dims[2] = 1;
    add(&p, "Flatten", "x", NULL, "f");
    add(&p, "Gemm", "f", "w", "g");
    add(&p, "Softmax", "g", NULL, "y");
    tensor(&p, "w", 6, 2);
    pb file = file_of(&p);
    import_model m;
    ecg_error err;
    ck_assert_int_eq(read_bytes(&file, &usual_options, &m, &err), ECG_OK);
    static const float want[12] = {0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11};
    const import_tensor *w = import_find(&m, "2.dense.kernel");
    ck_assert(w && w->count == 12);
    for (int i = 0; i < 12; i++)
        ck_assert_msg(fabsf(w->value[i] - want[i]) < 0.5f, "value %d", i);
    import_free(&m);
    pb_free(&file);
}
END_TEST

/* A small file must not become a large network. */
START_TEST(weights_used_again_and_again)
{
    parts p = begin();
    p.dims[3] = 4;
    add(&p, "Flatten", "x", NULL, "v0");
    for (int i = 0; i < 1200; i++) {
        char from[16], to[16];
        snprintf(from, sizeof from, "v%d", i);
        snprintf(to, sizeof to, "v%d", i + 1);
        add(&p, "Gemm", from, "w", to);
    }
    add(&p, "Softmax", "v1200", NULL, "y");
    tensor(&p, "w", 8, 8);
    refuses(p, ECG_ELIMIT, "the network has more weights than the file");
}
END_TEST

START_TEST(rescale_is_asked_for)
{
    static const import_options none = {0};
    parts p = usual();
    pb file = file_of(&p);
    import_model m;
    ecg_error err;
    ck_assert_int_eq(read_bytes(&file, &none, &m, &err), ECG_EINVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "--rescale"));
    import_free(&m);
    pb_free(&file);
    p = usual();
    p.type = 2; /* bytes say what they are */
    pb cast = node_of("Cast", "x", NULL, "c"), gone = p.nodes;
    attr_int(&cast, "to", 1);
    p.nodes = (pb){0};
    pb_put(&p.nodes, 1, &cast);
    add(&p, "Flatten", "c", NULL, "f");
    add(&p, "Gemm", "f", "w", "g");
    add(&p, "Softmax", "g", NULL, "y");
    pb_free(&gone);
    file = file_of(&p);
    ck_assert_msg(read_bytes(&file, &none, &m, &err) == ECG_OK, "%s", err.message);
    ck_assert(m.prep.rescale > 0.999f && m.prep.rescale < 1.001f);
    import_free(&m);
    pb_free(&file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("onnx");
    TCase *t = tcase_create("reader");
    tcase_add_test(t, smallest);
    tcase_add_test(t, weights_in_every_form);
    tcase_add_test(t, cut_short);
    tcase_add_test(t, refused_files);
    tcase_add_test(t, refused_graphs);
    tcase_add_test(t, channels_are_put_in_order);
    tcase_add_test(t, weights_used_again_and_again);
    tcase_add_test(t, rescale_is_asked_for);
    suite_add_tcase(s, t);
    return unit_run(s);
}
