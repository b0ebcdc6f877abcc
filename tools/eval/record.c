#define _POSIX_C_SOURCE 200809L
#include "eval/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/opts.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/ecgcnn.h"

typedef struct settings {
    const char *record, *reference, *test;
    ecg_compare_options compare;
    uint32_t json, quiet;
} settings;

typedef struct comparison {
    ecg_record *record;
    ecg_annotations *reference, *test;
    ecg_beat_table table;
    ecg_beat_measures measures;
    double to; /* seconds */
} comparison;

static const char about[] = "Compares two annotation files of a recording beat by beat, with the rules, "
                            "classes and tables of bxb, the comparator "
                            "of the WFDB software package: beats at most 150 ms apart are pairs, the first "
                            "five minutes do not count, beats "
                            "between [ and ] (ventricular flutter) are left out.\n\n"
                            "Classes: N = N L R B, S = A a J S e j n, V = V E r, F = F, Q = / f Q ?; o and "
                            "O: no beat there, x and X: none, and "
                            "the signal was lost there.";

int record_wanted(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--record") == 0 || strncmp(argv[i], "--record=", 9) == 0)
            return 1;
    }
    return 0;
}

static int read_options(settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"record", 0, "RECORD", OPT_STRING, &s->record,
         .help = "WFDB record: its name, with or without .hea"},
        {"reference", 0, "NAME", OPT_STRING, &s->reference,
         .help = "the annotations that are right, RECORD.NAME, or a file with a slash in its name"},
        {"test", 0, "NAME", OPT_STRING, &s->test,
         .help = "the annotations to judge: RECORD.NAME, the same in the current folder if it is not there, "
                 "or a file "
                 "with a slash in its name"},
        {"from", 0, "SECONDS", OPT_REAL, &s->compare.from, 0, 1e9,
         .help = "beats before this time do not count"},
        {"to", 0, "SECONDS", OPT_REAL, &s->compare.to, 0, 1e9, .init = "the end of the record",
         .help = "beats after this time do not count"},
        {"window", 0, "SECONDS", OPT_REAL, &s->compare.window, 0, 3600, OPT_ABOVE,
         .help = "how far the two beats of a pair may be apart"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print the figures as one JSON object"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet, .help = "print errors only, beside the figures"},
    };
    const opt_command command = {
        "ecg-eval --record",
        "RECORD [--reference atr] [--test cnn] [options]",
        about,
        rows,
        OPT_COUNT(rows),
        0,
        0,
        "A figure whose denominator is zero is printed as '-', and as null with --json."};
    return opts_parse(&command, argc, argv);
}

static int failed(const ecg_error *err)
{
    return tool_error(err->status, err);
}

/* NAME beside the record, else in the current folder; or a path. */
static int open_annotations(ecg_annotations **out, const comparison *c, const char *name)
{
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_record_info *info = ecg_record_get_info(c->record);
    if (strchr(name, '/'))
        return ecg_annotations_read(out, name, info->rate, &err) == ECG_OK ? EXIT_DONE : failed(&err);
    const ecg_status s = ecg_record_annotations(out, c->record, name, &err);
    if (s != ECG_EIO)
        return s == ECG_OK ? EXIT_DONE : failed(&err);
    const char *slash = strrchr(info->path, '/');
    const char *base = slash ? slash + 1 : info->path;
    size_t n = strlen(base);
    if (n > 4 && strcmp(base + n - 4, ".hea") == 0)
        n -= 4;
    char *path = malloc(n + strlen(name) + 2);
    if (!path)
        return tool_fail("out of memory");
    memcpy(path, base, n);
    path[n] = '.';
    strcpy(path + n + 1, name);
    const int there = slash && access(path, F_OK) == 0;
    const int code = there && ecg_annotations_read(out, path, info->rate, &err) == ECG_OK ? EXIT_DONE
                                                                                          : failed(&err);
    free(path);
    return code;
}

static int compare(comparison *c, const settings *s)
{
    ecg_error err = {ECG_OK, 0, ""};
    if (ecg_record_open(&c->record, s->record, NULL, &err) != ECG_OK)
        return failed(&err);
    int code = open_annotations(&c->reference, c, s->reference);
    if (code == EXIT_DONE)
        code = open_annotations(&c->test, c, s->test);
    if (code != EXIT_DONE)
        return code;
    const ecg_record_info *info = ecg_record_get_info(c->record);
    c->to = s->compare.to > 0 ? s->compare.to : (double)info->frames / info->rate;
    if (s->compare.from > c->to)
        return tool_fail("%s: lasts %.9g seconds, and beats before %.9g do not count: try --from 0",
                         s->record, c->to, s->compare.from);
    if (ecg_beats_compare(&c->table, ecg_annotations_all(c->reference), ecg_annotations_count(c->reference),
                          ecg_annotations_all(c->test), ecg_annotations_count(c->test), info->rate,
                          info->frames, &s->compare, &err) != ECG_OK)
        return failed(&err);
    ecg_beats_measure(&c->measures, &c->table);
    return EXIT_DONE;
}

/* ---- report ---- */

static const char labels[] = "NSVFQOX", small[] = "nsvfqox";

typedef struct figure {
    const char *key, *text;
    int digits;
    ecg_ratio ratio;
} figure;

enum { FIGURES = 7 };

static void list_figures(figure out[FIGURES], const ecg_beat_measures *m)
{
    const figure all[FIGURES] = {{"qrs_sensitivity", "QRS sensitivity", 2, m->qrs_sensitivity},
                                 {"qrs_ppv", "QRS positive predictivity", 2, m->qrs_ppv},
                                 {"veb_sensitivity", "VEB sensitivity", 2, m->veb_sensitivity},
                                 {"veb_ppv", "VEB positive predictivity", 2, m->veb_ppv},
                                 {"veb_fpr", "VEB false positive rate", 3, m->veb_fpr},
                                 {"sveb_sensitivity", "SVEB sensitivity", 2, m->sveb_sensitivity},
                                 {"sveb_ppv", "SVEB positive predictivity", 2, m->sveb_ppv}};
    memcpy(out, all, sizeof all);
}

/* Codes that bxb and the class set aami5 put into different classes. */
static const struct {
    char mark, here;
    const char *aami5;
} differing[] = {{'e', 'S', "N"},  {'j', 'S', "N"},  {'n', 'S', NULL},
                 {'B', 'N', NULL}, {'r', 'V', NULL}, {'?', 'Q', NULL}};
enum { DIFFERING = sizeof differing / sizeof *differing };

static size_t count_code(const comparison *c, const settings *s, char mark)
{
    const uint8_t code = ecg_annotation_from_char(mark);
    const double rate = ecg_record_get_info(c->record)->rate;
    size_t n = 0;
    for (size_t i = 0; i < ecg_annotations_count(c->reference); i++) {
        const ecg_annotation *a = ecg_annotations_get(c->reference, i);
        const double t = (double)a->sample / rate;
        n += a->code == code && t >= s->compare.from && t <= c->to;
    }
    return n;
}

static void print_text(const comparison *c, const settings *s)
{
    figure figures[FIGURES];
    list_figures(figures, &c->measures);
    printf("%s: %s (rows) against %s (columns), from %.9g to %.9g s\n\n     ", s->record, s->reference,
           s->test, s->compare.from, c->to);
    for (int k = 0; k < ECG_LABELS; k++)
        printf("%7c", small[k]);
    putchar('\n');
    for (int i = 0; i < ECG_LABELS; i++) {
        printf("  %c |", labels[i]);
        for (int k = 0; k < (i < ECG_LABEL_O ? ECG_LABELS : ECG_LABEL_O); k++)
            printf("%7llu", (unsigned long long)c->table.counts[i][k]);
        putchar('\n');
    }
    putchar('\n');
    for (int i = 0; i < FIGURES; i++) {
        const figure *f = &figures[i];
        printf("%26s: ", f->text);
        if (f->ratio.whole)
            printf("%7.*f %%", f->digits, 100.0 * (double)f->ratio.part / (double)f->ratio.whole);
        else
            printf("%7s  ", "-");
        printf(" (%llu/%llu)\n", (unsigned long long)f->ratio.part, (unsigned long long)f->ratio.whole);
    }
    printf("\nLeft out: %llu reference beats and flutter waves between [ and ].",
           (unsigned long long)c->table.flutter_beats);
    if (c->table.flutter_waves)
        printf(" Flutter waves outside such episodes count as no beat: %llu.",
               (unsigned long long)c->table.flutter_waves);
    puts("\nThe class set aami5 differs: e and j are N there, n, B, r and ? in no class. Such reference "
         "beats here:");
    for (int i = 0; i < DIFFERING; i++)
        printf("%s %c %zu", i ? "," : " ", differing[i].mark, count_code(c, s, differing[i].mark));
    putchar('\n');
}

static void print_json(const comparison *c, const settings *s)
{
    figure figures[FIGURES];
    list_figures(figures, &c->measures);
    fputs("{\"record\":", stdout);
    text_json_string(stdout, s->record);
    fputs(",\"reference\":", stdout);
    text_json_string(stdout, s->reference);
    fputs(",\"test\":", stdout);
    text_json_string(stdout, s->test);
    printf(",\"from\":%.9g,\"to\":%.9g,\"window\":%.9g,\"labels\":[", s->compare.from, c->to,
           s->compare.window);
    for (int i = 0; i < ECG_LABELS; i++)
        printf("%s\"%c\"", i ? "," : "", labels[i]);
    fputs("],\"matrix\":[", stdout);
    for (int i = 0; i < ECG_LABELS; i++) {
        for (int k = 0; k < ECG_LABELS; k++)
            printf("%s%llu", k ? "," : i ? ",[" : "[", (unsigned long long)c->table.counts[i][k]);
        putchar(']');
    }
    putchar(']');
    for (int i = 0; i < FIGURES; i++) {
        const ecg_ratio r = figures[i].ratio;
        printf(",\"%s\":", figures[i].key);
        if (r.whole)
            printf("%.9g", (double)r.part / (double)r.whole);
        else
            fputs("null", stdout);
    }
    printf(",\"flutter_beats\":%llu,\"flutter_waves\":%llu,\"shutdown_s\":%.9g,\"aami5_differs\":{",
           (unsigned long long)c->table.flutter_beats, (unsigned long long)c->table.flutter_waves,
           (double)c->table.shutdown / ecg_record_get_info(c->record)->rate);
    for (int i = 0; i < DIFFERING; i++) {
        printf("%s\"%c\":{\"here\":\"%c\",\"aami5\":", i ? "," : "", differing[i].mark, differing[i].here);
        printf(differing[i].aami5 ? "\"%s\"" : "null", differing[i].aami5 ? differing[i].aami5 : "");
        printf(",\"beats\":%zu}", count_code(c, s, differing[i].mark));
    }
    puts("}}");
}

int record_main(int argc, char **argv)
{
    settings s = {.reference = "atr", .test = "cnn", .compare = ECG_COMPARE_OPTIONS_INIT};
    int code = read_options(&s, &argc, argv);
    if (code != OPTS_GO)
        return code;
    if (s.compare.to > 0 && s.compare.to < s.compare.from)
        return opts_wrong("ecg-eval --record", "--to %g is before --from %g", s.compare.to, s.compare.from);
    comparison c = {0};
    code = compare(&c, &s);
    if (code == EXIT_DONE) {
        if (s.json)
            print_json(&c, &s);
        else
            print_text(&c, &s);
        if (!s.quiet && !s.json)
            fprintf(stderr, "%s\n", ECG_NOTICE);
    }
    ecg_annotations_free(c.reference);
    ecg_annotations_free(c.test);
    ecg_record_close(c.record);
    return code;
}
