/* ecg-model verify: are these files whole? */
#include <stdlib.h>

#include "common/opts.h"
#include "common/start.h"
#include "common/text.h"
#include "model/model.h"

static const char about[] =
    "Reads model files and checkpoints whole, past damage, and says for each that it is whole, or what is "
    "damaged and where: one line for each damage, with the byte of the file, the chunk and, where it is "
    "known, "
    "the tensor. Where one changed byte explains a wrong checksum, that byte is named.";

static void print_text(const char *path, const inspection *i, int quiet)
{
    for (uint32_t k = 0; k < i->damages; k++) {
        inspect_text(path, stdout);
        fputs(": ", stdout);
        inspect_print_damage(&i->damage[k], stdout);
        fputc('\n', stdout);
    }
    if (i->report.damages > i->damages) {
        inspect_text(path, stdout);
        printf(": and %u damages more\n", i->report.damages - i->damages);
    }
    if (i->status != ECG_OK || quiet)
        return;
    inspect_text(path, stdout);
    printf(": whole: %llu bytes, %u chunks, sha256 %s\n", (unsigned long long)i->report.bytes,
           i->report.chunks, i->report.sha256);
}

static void print_json(const char *path, const inspection *i)
{
    fputs("{\"file\":", stdout);
    text_json_string(stdout, path);
    fprintf(stdout, ",\"whole\":%s,\"status\":\"%s\",", i->status == ECG_OK ? "true" : "false",
            ecg_status_name(i->status));
    inspect_json(i, stdout);
    fputs("}\n", stdout);
}

int model_verify(int argc, char **argv)
{
    uint32_t json = 0, quiet = 0;
    const opt_row rows[] = {
        {"json", 0, NULL, OPT_FLAG, &json, .help = "print one JSON object a line for each file"},
        {"quiet", 'q', NULL, OPT_FLAG, &quiet, .help = "say nothing of whole files"},
    };
    const opt_command command = {"ecg-model verify",
                                 "FILE... [options]",
                                 about,
                                 rows,
                                 OPT_COUNT(rows),
                                 1,
                                 -1,
                                 "Exit status: 0 all are whole, 1 one is not, 2 wrong usage."};
    int code = opts_parse(&command, &argc, argv);
    if (code != OPTS_GO)
        return code;
    code = EXIT_DONE;
    for (int k = 1; k < argc && !tool_output_failed(); k++) {
        inspection *i = inspect(argv[k]);
        if (!i)
            return tool_fail("%s: out of memory", argv[k]);
        if (i->status != ECG_OK)
            code = EXIT_FAILED;
        /* What could not be looked at at all is an error of the tool; it has no line on stdout. */
        if (i->status != ECG_OK && i->report.damages == 0)
            tool_error(i->status, &i->err);
        if (json)
            print_json(argv[k], i);
        else
            print_text(argv[k], i, (int)quiet);
        free(i);
    }
    return code;
}
