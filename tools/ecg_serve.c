/* ecg-serve: the web page, and its HTTP API. */
#include <stdlib.h>

#include "common/start.h"
#include "serve/server.h"

int main(int argc, char **argv)
{
    serve_options o = SERVE_OPTIONS_INIT;
    tool_start("ecg-serve", argv);
    int code = serve_options_read(&o, &argc, argv);
    const char *model = code == OPTS_GO ? tool_model(o.model) : NULL;
    if (code == OPTS_GO)
        code = model ? server_run(&o, model) : EXIT_USAGE;
    free(o.hosts.item);
    return tool_finish(code);
}
