/* ecg-train: a folder of pictures to a model file. */
#include "common/start.h"
#include "train/run.h"

int main(int argc, char **argv)
{
    settings s = SETTINGS_INIT;
    tool_start(s.tool, argv);
    int code = settings_read(&s, &argc, argv);
    if (code != OPTS_GO)
        return tool_finish(code);
    tool_catch_signals();
    code = train_work(&s, NULL);
    return tool_finish(code);
}
