/* opts.h: command lines. One row per option feeds parsing, error messages and --help.
 *
 *     const opt_row rows[] = {
 *         {"output", 'o', "MODEL", OPT_STRING, &t.output, .help = "write the model here"},
 *         {"epochs", 0, "N", OPT_UINT, &t.epochs, 1, 1e6, .help = "passes over the pictures"},
 *     };
 *     const opt_command cmd = {"ecg-train", "DATA -o MODEL [options]", "Trains ...", rows, OPT_COUNT(rows),
 * 1, 1}; const int code = opts_parse(&cmd, &argc, argv); if (code != OPTS_GO) return code; use(argv[1]); //
 * argv[1..argc) are now the positional arguments
 */
#ifndef ECG_TOOLS_OPTS_H
#define ECG_TOOLS_OPTS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 75 };

typedef enum opt_kind {
    OPT_HEADING, /* no option: a heading in --help; only `name` is used */
    OPT_FLAG,    /* uint32_t: 1 by --x */
    OPT_SWITCH,  /* uint32_t: 1 by --x, 0 by --no-x */
    OPT_STRING,  /* const char *, not empty */
    OPT_CHOICE,  /* const char *: one of `choices` */
    OPT_LIST,    /* opt_list: may be given again and again */
    OPT_UINT,    /* uint32_t */
    OPT_UINT64,  /* uint64_t */
    OPT_FLOAT,   /* float, finite */
    OPT_REAL,    /* double, finite */
    OPT_SIZE,    /* opt_size: HxW, each in the range */
    OPT_BYTES,   /* uint64_t: a number and nothing, K, M, G or T (of 1024) */
} opt_kind;

/* Which ends of the range are left out. */
enum { OPT_ABOVE = 1, OPT_BELOW = 2 };

typedef struct opt_row {
    const char *name; /* long, without dashes */
    char letter;      /* short, or 0 */
    const char *arg;  /* "FILE" in --help; NULL for flags */
    opt_kind kind;
    void *to;            /* holds the default until it is replaced */
    double min, max;     /* both 0: whatever the kind holds; OPT_NO_END: no upper end */
    unsigned open;       /* OPT_ABOVE | OPT_BELOW */
    const char *choices; /* "auto|stratified|leading" */
    const char *init;    /* default in words where *to does not say it; "": say nothing */
    const char *help;
} opt_row;

/* `item` is allocated and never freed by opts: free(list.item). */
typedef struct opt_list {
    const char **item;
    size_t count;
} opt_list;

typedef struct opt_size {
    uint32_t h, w;
} opt_size;

typedef struct opt_command {
    const char *name;  /* "ecg-train", "ecg-beats synth" */
    const char *usage; /* what follows the name: "DATA -o MODEL [options]" */
    const char *about; /* one paragraph or more, separated by blank lines */
    const opt_row *rows;
    size_t count;
    int min_args, max_args; /* positional arguments; max_args < 0: any number */
    const char *more;       /* paragraphs after the options; may be NULL */
} opt_command;

#define OPT_COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define OPT_NO_END      HUGE_VAL

typedef enum opt_result {
    OPT_RUN,
    OPT_HELP,
    OPT_VERSION,
    OPT_WRONG, /* message says what */
} opt_result;

/* Read argv[1..*argc): values through the rows' pointers, positional arguments moved to argv[1..*argc).
 * Nothing is printed. --help, -h and --version win wherever they stand before `--`, and leave defaults as
 * they are. */
opt_result opts_read(const opt_command *c, int *argc, char **argv, char *message, size_t cap);

/* The same, and print help, version or error. OPTS_GO: go on; else the exit code. */
enum { OPTS_GO = -1 };
int opts_parse(const opt_command *c, int *argc, char **argv);

/* Print "NAME: text" and where help is, on stderr. EXIT_USAGE. */
int opts_wrong(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --help in 80 columns, and --version of `tool`. */
void opts_help(const opt_command *c, FILE *f);
void opts_version(const char *tool, FILE *f);

/* Words of text from column `at` on, further lines from column `indent` on; a line of the text that begins
 * with spaces keeps them, and goes on two columns further in. Ends in one line end. */
void opts_wrap(FILE *f, const char *text, int at, int indent);

/* Range or choices of a row in words ("1..65536", "above 0 and up to 1"), "" where it has none. Returns buf.
 */
const char *opts_range(const opt_row *r, char *buf, size_t cap);

/* ---- Tools with commands ("ecg-beats synth ...") ---- */
typedef struct opt_sub {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *help;
} opt_sub;

/* Run the command argv[1], or print help, version or error. Returns the exit code. */
int opts_dispatch(const char *tool, const char *about, const opt_sub *subs, size_t count, int argc,
                  char **argv);

#endif
