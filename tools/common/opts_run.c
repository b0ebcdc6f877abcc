/* From the command line to an answer: help, version, errors, commands. */
#include <stdarg.h>
#include <string.h>

#include "common/nearest.h"
#include "common/opts.h"
#include "ecgcnn/version.h"

void opts_version(const char *tool, FILE *f)
{
    const int n = (int)strcspn(tool, " ");
    fprintf(f, "%.*s %s\n%s\n%s\n", n, tool, ecg_version(), ecg_build_info(), ECG_NOTICE);
}

int opts_wrong(const char *name, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    for (char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?'; /* one line, whatever was typed */
    fprintf(stderr, "%s: %s\ntry '%s --help'\n", name, message, name);
    return EXIT_USAGE;
}

int opts_parse(const opt_command *c, int *argc, char **argv)
{
    char message[1024];
    switch (opts_read(c, argc, argv, message, sizeof message)) {
    case OPT_RUN:
        return OPTS_GO;
    case OPT_HELP:
        opts_help(c, stdout);
        return EXIT_DONE;
    case OPT_VERSION:
        opts_version(c->name, stdout);
        return EXIT_DONE;
    case OPT_WRONG:
        break;
    }
    return opts_wrong(c->name, "%s", message);
}

static void dispatch_help(const char *tool, const char *about, const opt_sub *subs, size_t count)
{
    printf("Usage: %s COMMAND [options]\n\n", tool);
    opts_wrap(stdout, about, 0, 0);
    fputs("\nCommands:\n", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("  %-12s ", subs[i].name);
        opts_wrap(stdout, subs[i].help, 15, 15);
    }
    printf("\n'%s COMMAND --help' shows the options of a command; --version shows the version.\n\n", tool);
    opts_wrap(stdout, ECG_NOTICE, 0, 0);
}

int opts_dispatch(const char *tool, const char *about, const opt_sub *subs, size_t count, int argc,
                  char **argv)
{
    if (argc < 2)
        return opts_wrong(tool, "which command?");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        dispatch_help(tool, about, subs, count);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        opts_version(tool, stdout);
        return EXIT_DONE;
    }
    nearest best = nearest_to(name, strlen(name));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(subs[i].name, name) == 0)
            return subs[i].run(argc - 1, argv + 1);
        nearest_try(&best, subs[i].name);
    }
    if (best.name)
        return opts_wrong(tool, "unknown command '%s', did you mean '%s'?", name, best.name);
    return opts_wrong(tool, "unknown command '%s'", name);
}
