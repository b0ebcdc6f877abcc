/* A model as C: weights as constant arrays, one call a layer, two buffers between which values go to and fro.
 */
#include "model/export_c.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/whole.h"
#include "ecgcnn/version.h"

/* ---- what goes into C ---- */

void c_number(FILE *f, float v)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", (double)v);
    fprintf(f, "%s%sf", text, strpbrk(text, ".e") ? "" : ".0");
}

static void string(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        const unsigned char ch = (unsigned char)*text;
        if (ch < 0x20 || ch > 0x7e || ch == '"' || ch == '\\' || ch == '?') /* no trigraphs */
            fprintf(f, "\\%03o", ch);
        else
            fputc(ch, f);
    }
    fputc('"', f);
}

/* Text inside a comment, which it cannot end. */
static void remark(FILE *f, const char *text)
{
    for (; *text; text++)
        fputc(strchr("*\\?", *text) || (unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? '.'
                                                                                                  : *text,
              f);
}

static void array(FILE *f, const char *layer, uint32_t i, const char *tensor, const float *v, size_t n)
{
    fprintf(f, "static const float %s_%u_%s[%zu] = {", layer, i, tensor, n);
    for (size_t k = 0; k < n; k++) {
        fputs(k == 0 ? "\n    " : k % 8 ? ", " : ",\n    ", f);
        c_number(f, v[k]);
    }
    fputs("};\n", f);
}

/* ---- header ---- */

static void write_about(const c_writer *w)
{
    const ecg_spec *s = ecg_model_spec(w->c->model);
    const size_t n = ecg_spec_print(s, NULL, 0) + 1;
    char *text = malloc(n);
    fprintf(w->f, " * Written by ecg-model export of libecgcnn %s.\n *\n * %s\n *\n * ", ecg_version(),
            ECG_NOTICE);
    if (text) {
        ecg_spec_print(s, text, n);
        remark(w->f, text);
    }
    free(text);
    fputs("\n", w->f);
}

static void write_header(const c_writer *w)
{
    const ecg_preprocess *p = w->p;
    FILE *f = w->f;
    const size_t scratch = w->room[0] + w->room[1] + w->band;
    fprintf(f, "/* A network for pictures of heartbeats.\n");
    write_about(w);
    fprintf(f,
            " *\n * Constant: %zu bytes of weights. Static: %zu bytes, unless %s_NO_STATIC is defined. "
            "Stack: less\n"
            " * than 1 KiB. No allocation. Of <math.h> only functions of single numbers (expf and the "
            "like).\n */\n",
            w->bytes, scratch * sizeof(float), w->upper);
    fprintf(f, "#ifndef %s_H\n#define %s_H\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", w->upper,
            w->upper);
    fprintf(f, "#define %s_HEIGHT %u\n#define %s_WIDTH %u\n#define %s_CHANNELS %u\n#define %s_CLASSES %u\n",
            w->upper, p->h, w->upper, p->w, w->upper, (unsigned)p->color, w->upper,
            ecg_model_classes(w->c->model));
    fprintf(f, "#define %s_SCRATCH %zu /* floats */\n", w->upper, scratch);
    fprintf(f, "#define %s_THRESHOLD ", w->upper);
    c_number(f, ecg_model_rule(w->c->model)->threshold);
    fprintf(f, " /* an answer of smaller probability is uncertain */\n\n");
    if (ecg_model_gate(w->c->model))
        fputs("/* The model has a gate that tells pictures that are no ECG; it is not part of this file. "
              "*/\n\n",
              f);
    fprintf(f, "extern const char *const %s_class[%s_CLASSES];\nextern const char %s_notice[];\n\n", w->name,
            w->upper, w->name);
    fprintf(f,
            "/* pixels[HEIGHT][WIDTH][CHANNELS], 0..255, %s, scaled to this size already (filter %s, profile "
            "%s).\n"
            " * probs[CLASSES] sum to 1. Returns the most likely class. `scratch` has room for %s_SCRATCH "
            "floats;\n"
            " * calls with different ones may run at the same time. */\n",
            ecg_color_name(p->color), ecg_filter_name(p->filter), ecg_profile_name(p->profile), w->upper);
    fprintf(f, "int %s_predict_with(const unsigned char *pixels, float *probs, float *scratch);\n\n",
            w->name);
    fprintf(f,
            "#ifndef %s_NO_STATIC\n/* The same in static memory: one call at a time. */\n"
            "int %s_predict(const unsigned char *pixels, float *probs);\n#endif\n\n",
            w->upper, w->name);
    fputs("#ifdef __cplusplus\n}\n#endif\n#endif\n", f);
}

/* ---- weights ---- */

static void write_norm(const c_writer *w, const chain_layer *l, uint32_t i)
{
    const size_t n = l->in.c;
    fprintf(w->f, "static const float batchnorm_%u_scale[%zu] = {", i, n);
    for (size_t j = 0; j < n; j++) {
        fputs(j == 0 ? "\n    " : j % 8 ? ", " : ",\n    ", w->f);
        c_number(w->f, (float)((double)l->gamma[j] / sqrt((double)l->variance[j] + (double)l->eps)));
    }
    fputs("};\n", w->f);
    array(w->f, l->name, i, "mean", l->mean, n);
    array(w->f, l->name, i, "beta", l->beta, n);
}

static void write_weights(const c_writer *w)
{
    for (uint32_t i = 0; i < w->c->layers; i++) {
        const chain_layer *l = &w->c->layer[i];
        if (l->kind == CHAIN_BATCHNORM)
            write_norm(w, l, i + 1);
        if (l->kernel)
            array(w->f, l->name, i + 1, "kernel", l->kernel,
                  (l->kind == CHAIN_DENSE ? chain_count(l->in) : (size_t)l->kh * l->kw * l->in.c) * l->out.c);
        if (l->bias)
            array(w->f, l->name, i + 1, "bias", l->bias, l->out.c);
    }
    if (w->p->zca)
        array(w->f, "whitening", 0, "matrix", w->p->zca, (size_t)w->p->zca_n * w->p->zca_n);
    fputs("\n", w->f);
}

/* ---- the function ---- */

bool c_any(const float *v, uint32_t n, float usual)
{
    for (uint32_t k = 0; k < n; k++)
        if (v[k] < usual || v[k] > usual)
            return true;
    return false;
}

static void write_row(FILE *f, const char *name, const float *v, uint32_t n)
{
    fprintf(f, "    static const float %s[%u] = {", name, n);
    for (uint32_t k = 0; k < n; k++) {
        fputs(k ? ", " : "", f);
        c_number(f, v[k]);
    }
    fputs("};\n", f);
}

static void write_prepare(c_writer *w)
{
    const ecg_preprocess *p = w->p;
    FILE *f = w->f;
    const uint32_t c = (uint32_t)p->color;
    const size_t n = (size_t)p->h * p->w * c;
    const bool own = p->samplewise_center, mean = c_any(p->mean, c, 0.0f),
               deviation = c_any(p->deviation, c, 1.0f);
    if (mean)
        write_row(f, "mean", p->mean, c);
    if (deviation)
        write_row(f, "deviation", p->deviation, c);
    fprintf(f, "    float *const a = scratch;\n");
    if (w->room[1])
        fprintf(f, "    float *const b = scratch + %zu;\n", w->room[0]);
    if (w->band)
        fprintf(f, "    float *const band = scratch + %zu;\n", w->room[0] + w->room[1]);
    fprintf(f, "    int best = 0;\n    for (int i = 0; i < %zu; i++)\n        a[i] = (float)pixels[i] * ", n);
    c_number(f, p->rescale);
    fputs(";\n", f);
    if (own)
        fprintf(f, "    subtract_own_mean(a, %zu);\n", n);
    if (p->samplewise_std)
        fprintf(f, "    divide_by_own_deviation(a, %zu);\n", n);
    if (mean || deviation)
        fprintf(f, "    for (int i = 0; i < %zu; i++)\n        a[i] = (a[i]%s)%s;\n", n,
                !mean    ? ""
                : c == 1 ? " - mean[0]"
                         : " - mean[i % CHANNELS]",
                !deviation ? ""
                : c == 1   ? " / deviation[0]"
                           : " / deviation[i % CHANNELS]");
    if (p->zca) {
        fprintf(f, "    dense(a, %u, whitening_0_matrix, 0, %u, b);\n", p->zca_n, p->zca_n);
        w->at = 1;
    }
}

static void write_predict(c_writer *w)
{
    FILE *f = w->f;
    const uint32_t classes = ecg_model_classes(w->c->model);
    fprintf(f, "int %s_predict_with(const unsigned char *pixels, float *probs, float *scratch)\n{\n",
            w->name);
    w->at = 0;
    write_prepare(w);
    c_calls(w);
    const char x = w->at ? 'b' : 'a';
    fprintf(f,
            "    for (int j = 0; j < %u; j++) {\n        probs[j] = %c[j];\n"
            "        best = %c[j] > %c[best] ? j : best;\n    }\n    return best;\n}\n\n",
            classes, x, x, x);
    fprintf(f,
            "#ifndef %s_NO_STATIC\nint %s_predict(const unsigned char *pixels, float *probs)\n{\n"
            "    static float scratch[%s_SCRATCH];\n    return %s_predict_with(pixels, probs, "
            "scratch);\n}\n#endif\n",
            w->upper, w->name, w->upper, w->name);
}

static void write_source(c_writer *w, const char *header)
{
    FILE *f = w->f;
    fputs("/* A network for pictures of heartbeats.\n", f);
    write_about(w);
    fputs(" */\n#include \"", f);
    fputs(header, f);
    fputs("\"\n\n#include <math.h>\n\n", f);
    if (w->p->color != ECG_COLOR_GRAY)
        fprintf(f, "#define CHANNELS %s_CHANNELS\n\n", w->upper);
    fprintf(f, "const char *const %s_class[%s_CLASSES] = {\n", w->name, w->upper);
    for (uint32_t i = 0; i < ecg_model_classes(w->c->model); i++) {
        fputs("    ", f);
        string(f, ecg_model_class(w->c->model, i));
        fputs(",\n", f);
    }
    fprintf(f, "};\n\nconst char %s_notice[] = ", w->name);
    string(f, ECG_NOTICE);
    fputs(";\n\n", f);
    write_weights(w);
    export_c_functions(f, w->c);
    write_predict(w);
}

/* ---- files ---- */

/* A C identifier: that of the option, or made from the file's name. */
static int identifier(c_writer *w, const char *name, const char *base, size_t n)
{
    size_t k = 0;
    if (name) {
        if (strlen(name) >= C_NAME / 2 ||
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != strlen(name) ||
            isdigit((unsigned char)name[0]))
            return tool_fail("--name: '%s' is no C identifier of less than %d characters", name, C_NAME / 2);
        base = name;
        n = strlen(name);
    } else if (isdigit((unsigned char)base[0])) {
        w->name[k++] = 'm';
    }
    for (size_t i = 0; i < n && k < C_NAME / 2; i++) {
        const unsigned char ch = (unsigned char)base[i];
        w->name[k++] = ch < 0x80 && isalnum(ch) ? (char)ch : '_';
    }
    for (size_t i = 0; i < k; i++)
        w->upper[i] = (char)toupper((unsigned char)w->name[i]);
    return EXIT_DONE;
}

static int limits(const c_writer *w, uint64_t most)
{
    if (w->bytes > most)
        return tool_fail(
            "the model has %zu bytes of weights, a C file may have %llu; --max-bytes allows for more",
            w->bytes, (unsigned long long)most);
    if (w->room[0] > INT32_MAX / 8 || w->room[1] > INT32_MAX / 8)
        return tool_fail("the values between layers are too many for a C file: %zu floats",
                         w->room[0] + w->room[1]);
    return EXIT_DONE;
}

int export_c(const chain *c, const char *path, const char *name, uint64_t most)
{
    c_writer w = {.c = c, .p = ecg_model_preprocess(c->model)};
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const size_t n = strlen(path);
    c_plan(&w);
    int code = limits(&w, most);
    if (code == EXIT_DONE)
        code = identifier(&w, name, base, strlen(base) - 2);
    if (code != EXIT_DONE)
        return code;
    char *header = malloc(n + 1);
    if (!header)
        return tool_fail("out of memory");
    memcpy(header, path, n + 1);
    header[n - 1] = 'h';
    whole source, other;
    code = whole_open(&other, header);
    if (code == EXIT_DONE) {
        w.f = other.f;
        write_header(&w);
        code = whole_open(&source, path);
        if (code == EXIT_DONE) {
            w.f = source.f;
            write_source(&w, header + (base - path));
            code = whole_close(&source, EXIT_DONE);
        }
        code = whole_close(&other, code);
    }
    free(header);
    return code;
}
