/* ecg-beats audit: what is wrong with folders of pictures. */
#include "beats/audit.h"

#include "common/auditing.h"
#include "common/opts.h"
#include "common/start.h"

typedef struct settings {
    const char *csv, *pattern;
    uint32_t json, threads, quiet;
} settings;

static const char about[] =
    "Looks for what would make an evaluation worthless: exact and near copies within and across sets (a near "
    "copy is the same drawing moved by up to one pixel, or saved as JPEG of quality 75 or better), the same "
    "picture under two classes, blank and unreadable pictures, pictures of odd size, kind or background, and "
    "patients in two sets. Each DIR has one folder per class and is one set; one with train/ and val/ or "
    "test/, "
    "or with a manifest that names splits, is several.";

int beats_audit(int argc, char **argv)
{
    settings s = {.csv = NULL};
    const opt_row rows[] = {
        {"json", 0, NULL, OPT_FLAG, &s.json, .help = "print everything as one JSON object"},
        {"csv", 0, "FILE", OPT_STRING, &s.csv, .help = "write a line for each picture"},
        {"patient-pattern", 0, "REGEX", OPT_STRING, &s.pattern,
         .help =
             "the patient is what the first parenthesis finds in a picture's name (POSIX extended, on the "
             "path in DIR)"},
        {"threads", 0, "N", OPT_UINT, &s.threads, 1, 256, .init = "one per core", .help = "threads to use"},
        {"quiet", 'q', NULL, OPT_FLAG, &s.quiet, .help = "print warnings and errors only, beside the result"},
    };
    const opt_command command = {"ecg-beats audit",
                                 "DIR... [options]",
                                 about,
                                 rows,
                                 OPT_COUNT(rows),
                                 1,
                                 -1,
                                 "Exit status: 0 also when something was found."};
    int code = opts_parse(&command, &argc, argv);
    if (code != OPTS_GO)
        return code;
    auditing a = {0};
    code = EXIT_DONE;
    for (int i = 1; code == EXIT_DONE && i < argc; i++)
        code = auditing_add_folder(&a, argv[i], s.pattern);
    if (code == EXIT_DONE)
        code = auditing_run(&a, s.threads, (int)s.quiet);
    if (code == EXIT_DONE && s.csv)
        code = auditing_csv(&a, s.csv);
    if (code == EXIT_DONE && s.json) {
        putchar('{');
        code = auditing_json(&a, stdout);
        puts("}");
    } else if (code == EXIT_DONE) {
        code = auditing_print(&a, stdout);
    }
    auditing_free(&a);
    return code;
}
