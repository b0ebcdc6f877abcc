/* ecg-model export: a model for other programs. */
#include <string.h>

#include "common/opts.h"
#include "common/start.h"
#include "model/export_c.h"
#include "model/model.h"
#include "model/onnx.h"

static const char about[] = "Writes a model as an ONNX file (operator set 13), or as a C file and its "
                            "header, whichever the name of the "
                            "output ends in: .onnx or .c. Both contain the network, its weights, the class "
                            "names, the temperature of the "
                            "probabilities and all that is done to the pixels; reading a picture file and "
                            "scaling it to the model's size is "
                            "left to the program that runs them. A model's gate, which tells pictures that "
                            "are no ECG, has no place in "
                            "either; the threshold is in the metadata of the ONNX file and in the C header, "
                            "and nothing is made of it.";

static bool ends_in(const char *path, const char *end)
{
    const size_t n = strlen(path), k = strlen(end);
    return n > k && strcmp(path + n - k, end) == 0 && path[n - k - 1] != '/';
}

static void say_what_is_left(const ecg_model *m)
{
    const ecg_rule *r = ecg_model_rule(m);
    if (ecg_model_gate(m))
        tool_warn("left out: the gate; whether a picture is an ECG at all is not asked");
    if (r->threshold > 0.0f)
        tool_warn("only noted: the threshold %.9g, below which an answer is uncertain", (double)r->threshold);
}

int model_export(int argc, char **argv)
{
    const char *output = NULL, *input = "uint8", *name = NULL;
    uint64_t most = 4 << 20;
    uint32_t quiet = 0;
    const opt_row rows[] = {
        {"output", 'o', "FILE", OPT_STRING, &output,
         .help = "write this file: .onnx, or .c with a header beside it"},
        {"input", 0, "TYPE", OPT_CHOICE, &input, .choices = "uint8|float",
         .help = "ONNX: type of the pixels, values 0 to 255 either way"},
        {"name", 0, "NAME", OPT_STRING, &name, .init = "that of the file",
         .help = "C: what the names of functions begin with"},
        {"max-bytes", 0, "BYTES", OPT_BYTES, &most, .init = "4M",
         .help = "C: refuse more weights than these"},
        {"quiet", 'q', NULL, OPT_FLAG, &quiet, .help = "do not say what is left out"},
    };
    const opt_command command = {
        "ecg-model export", "MODEL -o FILE.onnx|FILE.c [options]", about, rows, OPT_COUNT(rows), 1, 1, NULL};
    const int parsed = opts_parse(&command, &argc, argv);
    if (parsed != OPTS_GO)
        return parsed;
    if (!output)
        return opts_wrong(command.name, "where to? -o FILE.onnx or -o FILE.c");
    const bool c = ends_in(output, ".c");
    if (!c && !ends_in(output, ".onnx"))
        return opts_wrong(command.name, "'%s' ends neither in .onnx nor in .c", output);
    ecg_model *m;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg_model_load(&m, argv[1], NULL, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    chain layers;
    int code = chain_open(&layers, m);
    if (code == EXIT_DONE)
        code = c ? export_c(&layers, output, name, most)
                 : onnx_write(&layers, output, strcmp(input, "uint8") == 0);
    if (code == EXIT_DONE && !quiet)
        say_what_is_left(m);
    chain_free(&layers);
    ecg_model_free(m);
    return code;
}
