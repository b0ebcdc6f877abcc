/* ecg-beats pack: many small pictures in a few large files; and what is in these, and whether they are whole.
 */
#define _POSIX_C_SOURCE 200809L
#include "beats/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parts.h"
#include "common/progress.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/pack.h"
#include "ecgcnn/version.h"

typedef struct settings {
    const char *out;
    uint64_t shard;
    opt_list column;
    uint32_t pixels, verify, list, json, quiet;
} settings;

static const char about[] = "Packs a folder of pictures, as ecg-train reads it, into DIR: a few large files "
                            "with an index and checksums, "
                            "where millions of small files would be slow to copy, list and open. Wherever a "
                            "folder of pictures is taken, a "
                            "pack is too, and a training gives the same model, bit for bit. A DATA with "
                            "train/ and val/ or test/ becomes a "
                            "folder with a pack of each.\n\n"
                            "With --verify, reads every byte of PACK and compares checksums. With --list, "
                            "prints its pictures as a manifest.";

static const char more[] = "DIR appears when it is whole, and must not be there before, or be empty. A "
                           "manifest.csv is read as a stream, so "
                           "that memory does not grow with the number of its lines. Of its columns, patient, "
                           "record, lead, code and split are "
                           "kept; --group-column of ecg-train needs others by --column.";

static int read_options(settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"output", 'o', "DIR", OPT_STRING, &s->out, .init = "", .help = "folder to make"},
        {"shard-size", 0, "BYTES", OPT_BYTES, &s->shard, 1, 549755813888.0,
         .help = "close a file when it has as many bytes"},
        {"pixels", 0, NULL, OPT_FLAG, &s->pixels,
         .help = "keep gray pixels instead of PNG and JPEG: larger, and nothing is decoded in training; the "
                 "pictures "
                 "must be gray and of one size"},
        {"column", 0, "NAME", OPT_LIST, &s->column, .help = "keep this column of the manifest too"},
        {"verify", 0, NULL, OPT_FLAG, &s->verify, .help = "check a pack instead of making one"},
        {"list", 0, NULL, OPT_FLAG, &s->list, .help = "list a pack instead of making one"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print what was made or checked as one JSON object"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet, .help = "print warnings and errors only"},
    };
    const opt_command command = {.name = "ecg-beats pack",
                                 .usage = "DATA -o DIR [options] | --verify PACK | --list PACK",
                                 .about = about,
                                 .rows = rows,
                                 .count = OPT_COUNT(rows),
                                 .min_args = 1,
                                 .max_args = 1,
                                 .more = more};
    const int code = opts_parse(&command, argc, argv);
    if (code != OPTS_GO)
        return code;
    const int reads = s->verify || s->list;
    if (s->verify && s->list)
        return opts_wrong(command.name, "--verify or --list, not both");
    if (reads && (s->out || s->pixels || s->column.count))
        return opts_wrong(command.name,
                          "--verify and --list read a pack: not with --output, --pixels, --column");
    if (!reads && !s->out)
        return opts_wrong(command.name, "where to? -o DIR is needed");
    return OPTS_GO;
}

static int show(void *payload, uint64_t done, uint64_t total)
{
    progress_show(payload, (size_t)done, (size_t)total, NULL);
    return tool_interrupted();
}

/* ---- What there is ---- */
static void print_info(const settings *s, const char *path, const ecg_pack_info *i)
{
    if (s->json) {
        fputs("{\"pack\":", stdout);
        text_json_string(stdout, path);
        printf(",\"pictures\":%llu,\"classes\":%u,\"shards\":%u,\"bytes\":%llu,\"stored\":\"%s\"",
               (unsigned long long)i->pictures, i->classes, i->shards, (unsigned long long)i->bytes,
               i->pixels ? "pixels" : "files");
        if (i->pixels)
            printf(",\"height\":%u,\"width\":%u", i->h, i->w);
        putchar('}');
        return;
    }
    char size[32] = "files";
    if (i->pixels)
        snprintf(size, sizeof size, "%ux%u pixels", i->h, i->w);
    printf("%s: %llu pictures of %u classes as %s, %.1f MiB in %u shards and an index%s\n", path,
           (unsigned long long)i->pictures, i->classes, size, (double)i->bytes / 1048576.0, i->shards,
           s->verify ? ", all checksums are right" : "");
}

/* ---- Making ---- */
static int make_one(const settings *s, const char *data, const char *out, ecg_pack_info *info)
{
    ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
    ecg_error err = {0};
    progress bar;
    o.pixels = s->pixels;
    o.shard_bytes = s->shard;
    o.columns = s->column.item;
    o.column_count = (uint32_t)s->column.count;
    o.progress = show;
    o.payload = &bar;
    progress_start(&bar, "packing", (int)s->quiet);
    const ecg_status status = ecg_pack_make(out, data, &o, info, &err);
    progress_clear(&bar);
    if (status == ECG_ECANCELLED)
        return tool_fail("interrupted: %s was not made", out);
    return status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
}

static char *join(const char *dir, const char *name)
{
    const size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

/* DATA/train, DATA/val and DATA/test, those that are there. */
static int make_parts(const settings *s, char *const from[3])
{
    static const char *const names[] = {"train", "val", "test"};
    int code = EXIT_DONE;
    if (mkdir(s->out, 0777) != 0 && (errno != EEXIST || ecg_pack_is(s->out)))
        return tool_fail("%s: %s", s->out, strerror(errno));
    if (s->json)
        putchar('[');
    for (size_t i = 0, made = 0; code == EXIT_DONE && i < 3; i++) {
        ecg_pack_info info;
        char *to = from[i] ? join(s->out, names[i]) : NULL;
        if (from[i] && !to)
            code = tool_fail("out of memory");
        if (to)
            code = make_one(s, from[i], to, &info);
        if (to && code == EXIT_DONE) {
            if (s->json && made++)
                putchar(',');
            print_info(s, to, &info);
        }
        free(to);
    }
    if (s->json)
        puts("]");
    return code;
}

static int make(const settings *s, const char *data)
{
    char *from[] = {parts_folder(data, "train"), parts_folder(data, "val"), parts_folder(data, "test")};
    ecg_pack_info info;
    int code;
    if (from[0] && (from[1] || from[2])) {
        code = make_parts(s, from);
    } else {
        code = make_one(s, data, s->out, &info);
        if (code == EXIT_DONE) {
            print_info(s, s->out, &info);
            if (s->json)
                putchar('\n');
        }
    }
    for (size_t i = 0; i < 3; i++)
        free(from[i]);
    return code;
}

/* ---- Reading ---- */
static void tell_damaged(void *payload, const ecg_error *why)
{
    progress_clear(payload);
    tool_fail("%s", why->message);
}

static int verify(const settings *s, const char *path)
{
    ecg_pack_verify_options o = ECG_PACK_VERIFY_OPTIONS_INIT;
    ecg_pack_info info;
    ecg_error err = {0};
    progress bar;
    o.progress = show;
    o.damaged = tell_damaged;
    o.payload = &bar;
    progress_start(&bar, "checking", (int)s->quiet);
    const ecg_status status = ecg_pack_verify(path, &o, &info, &err);
    progress_clear(&bar);
    if (status == ECG_ECANCELLED)
        return tool_fail("interrupted: %s was not checked to its end", path);
    if (status != ECG_OK)
        return tool_error(status, &err);
    print_info(s, path, &info);
    if (s->json)
        putchar('\n');
    return EXIT_DONE;
}

static void cell(const char *text)
{
    putchar(',');
    text_csv_string(stdout, text ? text : "");
}

static int list(const char *path)
{
    ecg_dataset *d = NULL;
    ecg_error err = {0};
    static char name[65536];
    if (!ecg_pack_is(path))
        return tool_fail("%s: is no pack", path);
    const ecg_status s = ecg_dataset_open(&d, path, NULL, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    puts("image,class,patient,split");
    for (size_t i = 0; i < ecg_dataset_samples(d) && !tool_interrupted(); i++) {
        ecg_dataset_name(d, i, name, sizeof name);
        text_csv_string(stdout, name);
        cell(ecg_dataset_class(d, ecg_dataset_label(d, i)));
        cell(ecg_dataset_patient(d, i));
        cell(ecg_dataset_part(d, i));
        putchar('\n');
        if (i % 65536 == 0 && tool_output_failed())
            break;
    }
    ecg_dataset_free(d);
    return tool_interrupted() ? tool_fail("interrupted") : EXIT_DONE;
}

int beats_pack(int argc, char **argv)
{
    settings s = {.shard = UINT64_C(256) << 20};
    int code = read_options(&s, &argc, argv);
    if (code == OPTS_GO) {
        tool_catch_signals();
        code = s.verify ? verify(&s, argv[1]) : s.list ? list(argv[1]) : make(&s, argv[1]);
        if (code == EXIT_DONE && !s.quiet && !s.json && !s.list)
            fprintf(stderr, "%s\n", ECG_NOTICE);
    }
    free(s.column.item);
    return code;
}
