/* ecg-model: what is in a model file, and model files of other programs. */
#include "common/opts.h"
#include "common/start.h"
#include "model/model.h"

int main(int argc, char **argv)
{
    static const opt_sub commands[] = {
        {"show", model_show, "print what a model file holds"},
        {"verify", model_verify, "check that model files are whole, or say what is damaged"},
        {"import", model_import, "make a model file of a Keras model"},
        {"export", model_export, "write a model as an ONNX file or as C"},
    };
    tool_start("ecg-model", argv);
    return tool_finish(opts_dispatch("ecg-model",
                                     "Looks into model files and checkpoints, and makes them of others.",
                                     commands, OPT_COUNT(commands), argc, argv));
}
