#define _POSIX_C_SOURCE 200809L
#include "serve/confine.h"

#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "serve/sandbox.h"

int confine_user(const serve_options *o)
{
    char why[160] = "";
    if (o->user && !sandbox_user(o->user, why))
        return tool_fail("--user: %s", why);
    return EXIT_DONE;
}

/* The folder of a file, allocated. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int confine(const serve_options *o, const char *model)
{
    char why[160] = "";
    struct sandbox_state state;
    if (!o->sandbox) {
        tool_warn("no sandbox, as --no-sandbox says");
        return EXIT_DONE;
    }
    char *folder[2] = {folder_of(model), o->card ? folder_of(o->card) : NULL};
    if (!folder[0] || (o->card && !folder[1])) {
        free(folder[0]);
        free(folder[1]);
        return tool_fail("out of memory");
    }
    const char *const read[2] = {folder[0], folder[1]}, *const write[1] = {o->uploads};
    const struct sandbox_plan plan = {read, o->card ? 2 : 1, write, o->uploads ? 1 : 0};
    const bool done = sandbox_enter(&plan, &state, why);
    free(folder[0]);
    free(folder[1]);
    if (!done)
        return tool_fail("sandbox: %s", why);
    if (!o->quiet)
        tool_warn("sandbox: %s", state.text);
    if (state.root && !o->quiet)
        tool_warn("this is root; --user NAME makes it another user");
    return EXIT_DONE;
}
