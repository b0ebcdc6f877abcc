#include "common/start.h"
#include "predict/record.h"
int record_html(const char *path, const record_figures *f, const record_beats *b)
{
    (void)f;
    (void)b;
    return tool_fail("%s: soon", path);
}
