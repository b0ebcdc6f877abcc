#define _POSIX_C_SOURCE 200809L
/* ecg-model import: a model of another program becomes one of ours. */
#include "model/import.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/opts.h"
#include "common/start.h"
#include "model/model.h"

static const char about[] =
    "Makes a model file of a trained Keras model: an HDF5 file (NAME.h5, Keras 2 and 3) or a .keras file, "
    "Sequential, or Functional where the layers are a chain. Pictures are read as Keras reads them, with "
    "nearest-neighbour resizing. What a Keras file does not say must be given: how pixels were scaled, and "
    "the names of the classes. A layer that this library does not have is an error that names it.\n\n"
    "Or of an ONNX file (operator sets 7 to 21) whose nodes are a chain of such layers. One written by "
    "'ecg-model export' needs no more; for any other, what it does not do to the pixels itself is given by "
    "--rescale, and pictures are read as by this library, with antialiased bilinear resizing.";

static const char more[] = "Exit status: 0 done, 1 failed, 2 wrong usage.\n\nWith --gray the model reads "
                           "gray pictures, and gives the "
                           "answers it gave for gray pictures with three equal channels: the kernels of the "
                           "first layer are added up "
                           "over the channels.\n\nA Keras file can hold a program (Lambda layers); nothing "
                           "in it is run. libhdf5 reads "
                           "in a process of its own with bounded memory.";

enum { MOST_NAMES = 65536, MOST_TEXT = 1 << 24 };

typedef struct names {
    char *text; /* what name points into */
    const char **name;
    uint32_t count;
} names;

/* ---- --class-names: a,b,c or a file with one name a line ---- */

static int read_text(const char *path, char **out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return tool_fail("--class-names %s: %s (names are given as a,b,c or in a file, one a line)", path,
                         strerror(errno));
    size_t n = 0, room = 4096;
    char *text = malloc(room + 1);
    while (text && !feof(f) && !ferror(f) && n < MOST_TEXT) {
        if (n == room) {
            char *bigger = realloc(text, 2 * room + 1);
            if (!bigger)
                free(text);
            text = bigger;
            room *= 2;
            continue;
        }
        n += fread(text + n, 1, room - n, f);
    }
    const int bad = !text || ferror(f) || n >= MOST_TEXT;
    fclose(f);
    if (!bad) {
        text[n] = '\0';
        *out = text;
        if (strlen(text) == n)
            return 0;
    }
    free(text);
    *out = NULL;
    return tool_fail("--class-names %s: is no text, is over 16 MiB, or cannot be read", path);
}

static int read_names(names *out, const char *option)
{
    *out = (names){NULL, NULL, 0};
    if (!option)
        return 0;
    const bool list = strchr(option, ',') != NULL;
    const char *ends = list ? "," : "\r\n";
    if (!list) {
        const int code = read_text(option, &out->text);
        if (code)
            return code;
    } else {
        out->text = strdup(option);
    }
    out->name = calloc(MOST_NAMES, sizeof *out->name);
    if (!out->text || !out->name)
        return tool_fail("out of memory");
    for (char *at = out->text; *at;) {
        char *end = at + strcspn(at, ends);
        const bool last = *end == '\0';
        if (out->count == MOST_NAMES)
            return tool_fail("--class-names: more than %d names", MOST_NAMES);
        if (end > at || list)
            out->name[out->count++] = at;
        *end = '\0';
        at = last ? end : end + 1;
    }
    return out->count ? 0 : tool_fail("--class-names %s: no names in it", option);
}

/* ---- --rescale: a number, or one over another ---- */

static int read_rescale(const char *text, double *out)
{
    char *end;
    *out = 0.0;
    if (!text)
        return 0;
    double v = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        const double d = strtod(below, &end);
        v = end != below && d > 0.0 ? v / d : 0.0;
    }
    if (end == text || *end != '\0' || !isfinite(v) || !((float)v > 0.0f))
        return opts_wrong("ecg-model import", "--rescale must be a number above 0, such as 1/255, got \"%s\"",
                          text);
    *out = v;
    return 0;
}

/* ---- by the first bytes ---- */

static ecg_status import_any(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    static const struct {
        const char *begins;
        ecg_status (*take)(import_model *m, const char *path, const import_options *o, ecg_error *err);
    } kinds[] = {{"\x89HDF\r\n\x1a\n", import_keras_h5}, {"PK\x03\x04", import_keras_zip}};
    char head[8];
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a pipe would have to be read twice */
        return import_fail(err, ECG_EIO, "%s: not an ordinary file", path);
    FILE *f = fopen(path, "rb");
    const int why = errno;
    const size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    else
        return import_fail(err, ECG_EIO, "%s: %s", path, strerror(why));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= strlen(kinds[i].begins) && memcmp(head, kinds[i].begins, strlen(kinds[i].begins)) == 0)
            return kinds[i].take(m, path, o, err);
    /* ONNX has no such bytes, but writers begin with the version. */
    const size_t length = strlen(path);
    if ((n > 0 && head[0] == 0x08) || (length > 5 && strcmp(path + length - 5, ".onnx") == 0))
        return import_onnx(m, path, o, err);
    return import_fail(err, ECG_EFORMAT, "%s: neither an HDF5 nor a .keras nor an ONNX file", path);
}

static void report(const char *path, const ecg_model *m)
{
    const ecg_shape in = ecg_spec_input(ecg_model_spec(m));
    const ecg_preprocess *p = ecg_model_preprocess(m);
    printf("%s: %u classes, %ux%u %s pictures, %llu parameters\n", path, ecg_model_classes(m), in.h, in.w,
           ecg_color_name(p->color), (unsigned long long)ecg_spec_params(ecg_model_spec(m)));
}

static int work(const char *from, const char *to, const import_options *o, const names *classes, int quiet)
{
    import_model in = {0};
    ecg_model *m = NULL;
    ecg_error err = {.status = ECG_OK};
    ecg_status s = import_any(&in, from, o, &err);
    if (s == ECG_OK && (s = import_make(&m, &in, classes->name, classes->count, &err)) != ECG_OK) {
        const ecg_error why = err;
        import_fail(&err, s, "%s: %s", from, why.message);
    }
    if (s == ECG_OK)
        s = ecg_model_save(m, to, &err);
    for (size_t i = 0; s == ECG_OK && !quiet && i < in.notes; i++)
        tool_warn("%s", in.note[i]);
    if (s == ECG_OK && !quiet && classes->count == 0 && in.classes == 0)
        tool_warn(
            "the file names no classes: they are called \"class 0\" and so on; --class-names names them");
    if (s == ECG_OK)
        report(to, m);
    import_free(&in);
    ecg_model_free(m);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

int model_import(int argc, char **argv)
{
    const char *output = NULL, *rescale = NULL, *class_names = NULL;
    uint32_t gray = 0, softmax = 0, quiet = 0;
    opt_size size = {0, 0};
    const opt_row rows[] = {
        {"output", 'o', "MODEL", OPT_STRING, &output, .help = "write the model file here"},
        {"rescale", 0, "NUMBER", OPT_STRING, &rescale,
         .help = "value = pixel * NUMBER, as in training: 1/255, 1/225, 1; not needed where the model begins "
                 "with a Rescaling layer"},
        {"class-names", 0, "FILE|A,B,C", OPT_STRING, &class_names,
         .help = "the classes in the order of the outputs (Keras: folders sorted by name): with a comma, the "
                 "names themselves, else a file with one name a line"},
        {"gray", 0, NULL, OPT_FLAG, &gray, .help = "three equal input channels become one"},
        {"size", 0, "HxW", OPT_SIZE, &size, 1, 4096, .init = "",
         .help = "rows and columns, where the file leaves them open"},
        {"softmax", 0, NULL, OPT_FLAG, &softmax,
         .help = "the network ends in logits (from_logits=True): add the softmax"},
        {"quiet", 'q', NULL, OPT_FLAG, &quiet, .help = "say nothing of what was changed on the way"},
    };
    const opt_command command = {
        "ecg-model import", "FILE -o MODEL [options]", about, rows, OPT_COUNT(rows), 1, 1, more};
    int code = opts_parse(&command, &argc, argv);
    if (code != OPTS_GO)
        return code;
    if (!output)
        return opts_wrong("ecg-model import", "-o MODEL is needed");
    import_options o = {.h = size.h, .w = size.w, .gray = gray, .softmax = softmax};
    names classes = {NULL, NULL, 0};
    code = read_rescale(rescale, &o.rescale);
    if (code == 0)
        code = read_names(&classes, class_names);
    if (code == 0)
        code = work(argv[1], output, &o, &classes, (int)quiet);
    free(classes.text);
    free((void *)classes.name);
    return code;
}
