/* ecg-beats make: a dataset of beat pictures from recordings. It is made beside DIR, and renamed when it is
 * whole. */
#define _POSIX_C_SOURCE 200809L
#include "beats/make.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/recipe.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/version.h"

enum { MOST_THREADS = 256 };

static const char about[] =
    "Draws the beats of recordings into DIR, one folder per class, with manifest.csv and recipe.txt. A "
    "RECORD "
    "is a WFDB record (mitdb/100, or its .hea), an EDF or a CSV file. Beats and their classes come from "
    "annotations; where a record has none, beats are found and filed as Unclassified.\n\n"
    "DIR appears when it is whole, and must not be there before, or be empty.";

static const char more[] =
    "Windows: fixed, 267 ms to either side (the look of the original project's pictures); rr, from the beat "
    "before to the beat after (Jun et al. 2018); rhythm, long enough to show the beat before: the views "
    "close, usual and strip in three colour channels.\n\n"
    "Splits: patient, whole patients; ds1-ds2, the usual halves of MIT-BIH, by record; random, beat by beat, "
    "which flatters; none. They are the column split of the manifest, which ecg-train follows.\n\n"
    "A file of classes has one a line: NAME = CODES. --recipe gives all of the drawing in one line; "
    "man ecg-beats explains it.";

static int read_options(make_settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"output", 'o', "DIR", OPT_STRING, &s->out, .init = "", .help = "folder to make"},
        {"classes", 'c', "SET", OPT_STRING, &s->classes,
         .help = "ecg7, jun8, aami5, seed6, or a file of classes"},
        {"annotations", 'a', "NAME", OPT_STRING, &s->annotations,
         .help = "annotator (atr); auto: atr, or beats found where there is none; none: find beats"},
        {"split", 0, "HOW", OPT_CHOICE, &s->split, .choices = "none|patient|ds1-ds2|random",
         .help = "which pictures train and which test"},
        {"test-fraction", 0, "F", OPT_REAL, &s->test_fraction, 0, 1, OPT_ABOVE | OPT_BELOW,
         .help = "part of the patients or beats that test"},
        {"same-patient", 0, "A=B", OPT_LIST, &s->same, .init = "202=201 of MIT-BIH",
         .help = "record A shows the patient of record B"},
        {"cap", 0, "N", OPT_UINT, &s->cap, 1, 1e9, .init = "all",
         .help = "at most N training pictures of a class, chosen at random"},
        {"balance", 0, NULL, OPT_FLAG, &s->balance,
         .help = "of each class as many training pictures as of the rarest"},
        {"seed", 0, "S", OPT_UINT64, &s->seed, .help = "another seed, another choice"},
        {"drawing", 0, NULL, OPT_HEADING, NULL, .help = NULL},
        {"window", 0, "NAME", OPT_CHOICE, &s->window, .choices = "fixed|rr|rhythm",
         .help = "what a picture shows"},
        {"views", 0, "LIST", OPT_STRING, &s->views, .init = "the window's",
         .help = "one to three of beat, close, usual, strip, pace, second"},
        {"lead", 0, "LIST", OPT_STRING, &s->lead, .init = "MLII,II,0",
         .help = "names or numbers of signals; the first that is there"},
        {"second", 0, "LIST", OPT_STRING, &s->second, .init = "auto", .help = "the lead of the view second"},
        {"size", 0, "HxW", OPT_SIZE, &s->size, 8, 4096, .init = "the window's",
         .help = "rows and columns of a picture"},
        {"pen", 0, "F", OPT_FLOAT, &s->pen, 0, 64, OPT_ABOVE, .init = "the window's",
         .help = "width of the line in pixels"},
        {"scale", 0, "UNIT", OPT_CHOICE, &s->scale, .choices = "mv|qrs", .init = "the window's",
         .help = "amplitudes in millivolts, or by the record's QRS size"},
        {"recipe", 0, "TEXT", OPT_STRING, &s->recipe, .init = "",
         .help = "all of the drawing; instead of the others of this group"},
        {"running", 0, NULL, OPT_HEADING, NULL, .help = NULL},
        {"threads", 0, "N", OPT_UINT, &s->threads, 1, MOST_THREADS, .init = "one per core",
         .help = "threads to use"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print what was made as one JSON object"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet,
         .help = "print warnings and errors only, beside the figures"},
    };
    const opt_command command = {.name = "ecg-beats make",
                                 .usage = "RECORD... -o DIR [options]",
                                 .about = about,
                                 .rows = rows,
                                 .count = OPT_COUNT(rows),
                                 .min_args = 1,
                                 .max_args = -1,
                                 .more = more};
    const int code = opts_parse(&command, argc, argv);
    if (code != OPTS_GO)
        return code;
    s->record = argv + 1;
    s->records = (size_t)(*argc - 1);
    if (!s->out)
        return opts_wrong(command.name, "where to? -o DIR is needed");
    if (s->recipe && (s->window || s->views || s->lead || s->second || s->size.h || s->pen > 0 || s->scale))
        return opts_wrong(command.name,
                          "--recipe says all of the drawing; no --window, --views, ... beside it");
    for (size_t i = 0; i < s->same.count; i++) {
        const char *sign = strchr(s->same.item[i], '=');
        if (!sign || sign == s->same.item[i] || !sign[1])
            return opts_wrong(command.name, "--same-patient %s: expected A=B", s->same.item[i]);
    }
    if (!s->window)
        s->window = "fixed";
    return OPTS_GO;
}

/* ---- The folder ---- */
static int check_free(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? EXIT_DONE : tool_fail("%s: %s", path, strerror(errno));
    const struct dirent *e;
    do {
        e = readdir(d);
    } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    const int full = e != NULL;
    closedir(d);
    return full ? tool_fail("%s: is not empty; expected a new or an empty folder", path) : EXIT_DONE;
}

static int has_class(const make_plan *p, uint32_t cls)
{
    for (size_t i = 0; i < p->items; i++)
        if (p->item[i].cls == cls)
            return 1;
    return 0;
}

static int make_folders(const make_plan *p, const char *dir)
{
    char path[MAKE_PATH];
    for (uint32_t c = 0; c < make_classes(p); c++) {
        if (!has_class(p, c))
            continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, make_class(p, c)) >= (int)sizeof path)
            return tool_fail("a path below the output folder is too long");
        if (mkdir(path, 0777) != 0)
            return tool_fail("%s: %s", path, strerror(errno));
    }
    return EXIT_DONE;
}

/* Take away what there is of an unfinished folder. */
static void remove_all(const make_plan *p, const char *dir)
{
    char path[MAKE_PATH], name[256];
    for (size_t i = 0; i < p->items; i++) {
        make_image_name(p, &p->item[i], name, sizeof name);
        if (snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path)
            unlink(path);
    }
    for (uint32_t c = 0; c < make_classes(p); c++)
        if (snprintf(path, sizeof path, "%s/%s", dir, make_class(p, c)) < (int)sizeof path)
            rmdir(path);
    const char *const files[] = {"manifest.csv", RECIPE_FILE};
    for (size_t i = 0; i < 2; i++)
        if (snprintf(path, sizeof path, "%s/%s", dir, files[i]) < (int)sizeof path)
            unlink(path);
    rmdir(dir);
}

static FILE *create(const char *dir, const char *name)
{
    char path[MAKE_PATH];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) {
        tool_fail("a path below the output folder is too long");
        return NULL;
    }
    FILE *f = fopen(path, "wx");
    if (!f)
        tool_fail("%s: %s", path, strerror(errno));
    return f;
}

static int finish(FILE *f, const char *dir, const char *name)
{
    errno = 0;
    const int had_failed = ferror(f), failed = fclose(f) != 0;
    return had_failed || failed
               ? tool_fail("%s/%s: cannot be written: %s", dir, name, strerror(errno ? errno : EIO))
               : EXIT_DONE;
}

static int write_manifest(const make_plan *p, const char *dir)
{
    FILE *f = create(dir, "manifest.csv");
    if (!f)
        return EXIT_FAILED;
    fputs("image,class,record,patient,sample,code,lead,rr_before,rr_after,split\n", f);
    for (size_t i = 0; i < p->items; i++) {
        const make_item *item = &p->item[i];
        const make_record *r = &p->record[item->record];
        const char code[2] = {item->code, '\0'};
        char image[256];
        make_image_name(p, item, image, sizeof image);
        const char *const words[] = {image, make_class(p, item->cls), r->name, r->patient};
        for (size_t k = 0; k < 4; k++) {
            text_csv_string(f, words[k]);
            fputc(',', f);
        }
        fprintf(f, "%llu,", (unsigned long long)item->sample);
        text_csv_string(f, code);
        fputc(',', f);
        text_csv_string(f, r->lead);
        fputc(',', f);
        text_csv_number(f, (double)item->rr_before);
        fputc(',', f);
        text_csv_number(f, (double)item->rr_after);
        fprintf(f, ",%s\n", make_part_name(item->part));
    }
    return finish(f, dir, "manifest.csv");
}

static int write_recipe(const make_plan *p, const char *dir)
{
    FILE *f = create(dir, RECIPE_FILE);
    if (!f)
        return EXIT_FAILED;
    fprintf(f, "%s\n", p->recipe_text);
    return finish(f, dir, RECIPE_FILE);
}

static int make(const make_plan *p, const make_settings *s)
{
    char partial[MAKE_PATH];
    size_t n = strlen(s->out);
    while (n > 1 && s->out[n - 1] == '/')
        n--;
    if (snprintf(partial, sizeof partial, "%.*s.partial-%ld", (int)n, s->out, (long)getpid()) >=
        (int)sizeof partial)
        return tool_fail("the name of the output folder is too long");
    if (mkdir(partial, 0777) != 0)
        return tool_fail("%s: %s", partial, strerror(errno));
    int code = make_folders(p, partial);
    if (code == EXIT_DONE)
        code = make_draw(p, s, partial);
    if (code == EXIT_DONE)
        code = write_recipe(p, partial);
    if (code == EXIT_DONE)
        code = write_manifest(p, partial);
    if (code == EXIT_DONE && tool_interrupted())
        code = tool_fail("interrupted: nothing was made");
    if (code == EXIT_DONE && rename(partial, s->out) != 0) /* over an empty folder, or none */
        code = tool_fail("%s: cannot be made: %s", s->out, strerror(errno));
    if (code != EXIT_DONE)
        remove_all(p, partial);
    return code;
}

int beats_make(int argc, char **argv)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    make_settings s = {
        .classes = "ecg7", .annotations = "auto", .split = "none", .test_fraction = 0.25, .seed = 1};
    make_plan p = {.items = 0};
    int code = read_options(&s, &argc, argv);
    if (code != OPTS_GO)
        return code;
    if (s.threads == 0)
        s.threads = cores < 1 ? 1 : cores > MOST_THREADS ? MOST_THREADS : (uint32_t)cores;
    tool_catch_signals();
    code = check_free(s.out);
    if (code == EXIT_DONE)
        code = make_plan_all(&p, &s);
    if (code == EXIT_DONE)
        code = make(&p, &s);
    if (code == EXIT_DONE)
        make_report(&p, &s);
    if (code == EXIT_DONE && !s.quiet && !s.json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    make_plan_free(&p);
    free(s.same.item);
    return code;
}
