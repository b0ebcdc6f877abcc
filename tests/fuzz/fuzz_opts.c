/* Command lines: a word to a line. Through a table with every kind of option, whose values must then be in
 * their ranges, and through the table of ecg-train. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/opts.h"
#include "common/train_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 4096, WORDS = 64 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* argv of the lines of `text`, in memory of their own, so that a sanitizer sees what goes past a word. */
static int split(const uint8_t *data, size_t size, char **argv)
{
    int n = 0;
    argv[n++] = calloc(1, 5);
    for (size_t at = 0; at < size && n < WORDS;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - data) - at : size - at;
        char *word = argv[n++] = calloc(1, length + 1);
        require(word != NULL);
        memcpy(word, data + at, length);
        at += length + 1;
    }
    argv[n] = NULL;
    return n;
}

typedef struct values {
    const char *file, *how;
    uint32_t flag, on, count;
    uint64_t seed, bytes;
    float rate;
    double part;
    opt_size size;
    opt_list records;
} values;

static void check_values(const values *v)
{
    require(!v->file || *v->file);
    require(!strcmp(v->how, "auto") || !strcmp(v->how, "leading") || !strcmp(v->how, "lead"));
    require(v->flag <= 1 && v->on <= 1);
    require(v->count >= 1 && v->count <= 65536);
    require(isfinite(v->rate) && v->rate > 0.0f);
    require(v->part > 0.0 && v->part < 1.0);
    require(v->bytes >= 1);
    require(v->size.h >= 1 && v->size.h <= 4096 && v->size.w >= 1 && v->size.w <= 4096);
    for (size_t i = 0; i < v->records.count; i++)
        require(v->records.item[i][0] != '\0');
}

static void every_kind(int argc, char **argv)
{
    values v = {.how = "auto", .count = 10, .rate = 0.5f, .part = 0.5, .bytes = 1, .size = {64, 64}};
    const opt_row rows[] = {
        {"Things", .kind = OPT_HEADING},
        {"output", 'o', "FILE", OPT_STRING, &v.file, .help = "h"},
        {"split", 0, "HOW", OPT_CHOICE, &v.how, .choices = "auto|leading|lead", .help = "h"},
        {"quiet", 'q', NULL, OPT_FLAG, &v.flag, .help = "h"},
        {"nesterov", 'n', NULL, OPT_SWITCH, &v.on, .help = "h"},
        {"epochs", 'e', "N", OPT_UINT, &v.count, 1, 65536, .help = "h"},
        {"seed", 's', "N", OPT_UINT64, &v.seed, .help = "h"},
        {"bytes", 'b', "N", OPT_BYTES, &v.bytes, 1, OPT_NO_END, .help = "h"},
        {"lr", 'l', "F", OPT_FLOAT, &v.rate, 0, OPT_NO_END, OPT_ABOVE, .help = "h"},
        {"part", 'p', "F", OPT_REAL, &v.part, 0, 1, OPT_ABOVE | OPT_BELOW, .help = "h"},
        {"size", 'S', "HxW", OPT_SIZE, &v.size, 1, 4096, .help = "h"},
        {"record", 'r', "R", OPT_LIST, &v.records, .help = "h"},
    };
    const opt_command c = {"tool", "FILE... [options]", "About.", rows, OPT_COUNT(rows), 0, 3, NULL};
    char message[128];
    int left = argc;
    memset(message, 'x', sizeof message);
    const opt_result r = opts_read(&c, &left, argv, message, sizeof message);
    check_values(&v);
    if (r == OPT_RUN)
        require(left >= 1 && left <= 4 && left <= argc);
    if (r == OPT_WRONG)
        require(memchr(message, '\0', sizeof message) && message[0]);
    free(v.records.item);
}

/* What is said goes nowhere. */
static void of_training(int argc, char **argv)
{
    static FILE *nowhere;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    require(nowhere != NULL);
    FILE *const out = stdout, *const err = stderr;
    stdout = stderr = nowhere;
    settings s = SETTINGS_INIT;
    const int code = settings_read(&s, &argc, argv);
    stdout = out;
    stderr = err;
    require(code == OPTS_GO || code == EXIT_DONE || code == EXIT_USAGE);
    if (code != OPTS_GO)
        return;
    require(argc == 2 && s.data.dir == argv[1]);
    require(s.train.epochs >= 1 && s.train.batch >= 1 && s.train.batch <= 65536 && s.train.threads <= 256);
    require(s.train.lr > 0.0f && isfinite(s.train.lr) && s.train.lr_min <= s.train.lr);
    require(s.data.fraction >= 0.0 && s.data.fraction < 1.0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[WORDS + 1], *words[WORDS + 1];
    if (size > TEXT)
        return 0;
    const int argc = split(data, size, words);
    memcpy(argv, words, ((size_t)argc + 1) * sizeof *argv);
    every_kind(argc, argv);
    memcpy(argv, words, ((size_t)argc + 1) * sizeof *argv);
    of_training(argc, argv);
    for (int i = 0; i < argc; i++)
        free(words[i]);
    return 0;
}
