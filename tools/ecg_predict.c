/* ecg-predict: the class of pictures, one line each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/answering.h"
#include "common/judge.h"
#include "common/opts.h"
#include "common/progress.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/ecgcnn.h"
#include "predict/heatmap.h"
#include "predict/record.h"

enum { MOST_INPUT = 64 << 20 }; /* bytes read from standard input; the library's limit for a file */

typedef struct settings {
    const char *model;
    uint32_t top, json, threads, quiet;
    char **image;
    size_t count;
    heatmap_settings heat;
    record_settings recording; /* of --record */
} settings;

static const char about[] =
    "Prints a line for each picture: IMAGE, CLASS, PROBABILITY and STATUS, separated by tabs. "
    "The image '-' is read from standard input. A picture that cannot be read is an error "
    "line on stderr, and exit code 1 after the others are done.";

static int read_options(settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"model", 'm', "MODEL", OPT_STRING, &s->model, .init = "the environment variable ECG_MODEL",
         .help = "model file"},
        {"top", 'k', "K", OPT_UINT, &s->top, 1, 65536,
         .help = "print the K most likely classes with their probabilities before the status"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print one JSON object a line"},
        {"Heat", .kind = OPT_HEADING},
        {"heatmap", 0, "FILE", OPT_STRING, &s->heat.path, .init = "",
         .help =
             "write the picture as a PNG, with the parts that the answer comes from coloured; for several "
             "pictures FILE-1.png, FILE-2.png and so on, by their place on the command line"},
        {"heat", 0, "KIND", OPT_CHOICE, &s->heat.kind, .choices = "gradcam|occlusion",
         .help =
             "how: gradcam (what speaks for the class), or occlusion (what the probability falls without)"},
        {"layer", 0, "N", OPT_UINT, &s->heat.layer, 1, 1024, .init = "the last convolution",
         .help = "the layer that gradcam looks at, counted from 1 as 'ecg-model show' does"},
        {"Recordings", .kind = OPT_HEADING},
        {"record", 0, "RECORD", OPT_STRING, &s->recording.record, .init = "",
         .help = "classify every beat of a recording (WFDB, EDF or CSV) instead, and write RECORD.cnn"},
        {"annotations", 'a', "NAME", OPT_STRING, &s->recording.annotations,
         .help = "where its beats are: an annotator (atr), or none: they are found"},
        {"recipe", 0, "TEXT", OPT_STRING, &s->recording.recipe, .init = "what the model says",
         .help = "how a beat is drawn"},
        {"output", 'o', "DIR", OPT_STRING, &s->recording.out, .init = "the current folder",
         .help = "write the annotations there"},
        {"html", 0, "FILE", OPT_STRING, &s->recording.html, .init = "",
         .help = "write the recording as a page to leaf through"},
        {"Running", .kind = OPT_HEADING},
        {"threads", 0, "N", OPT_UINT, &s->threads, 1, 256, .init = "one per core", .help = "threads to use"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet, .help = "print errors only, beside the answers"},
    };
    const opt_command command = {
        "ecg-predict", "-m MODEL IMAGE... | --record RECORD [options]", about, rows, OPT_COUNT(rows), 0, -1,
        NULL};
    record_settings *r = &s->recording;
    const int code = opts_parse(&command, argc, argv);
    if (code == OPTS_GO && !r->record && *argc < 2)
        return opts_wrong(command.name, "no picture given; expected IMAGE... or --record RECORD");
    if (code == OPTS_GO && r->record && *argc > 1)
        return opts_wrong(command.name, "--record and pictures at once: %s", argv[1]);
    if (code == OPTS_GO && !r->record && (r->recipe || r->out || r->html))
        return opts_wrong(command.name, "--recipe, --output and --html need --record");
    if (code == OPTS_GO && !s->heat.path && s->heat.layer)
        return opts_wrong(command.name, "--layer belongs to --heatmap");
    if (code == OPTS_GO && s->heat.path && r->record)
        return opts_wrong(command.name, "--heatmap is for pictures, not for --record");
    if (code == OPTS_GO && s->heat.layer && strcmp(s->heat.kind, "gradcam") != 0)
        return opts_wrong(command.name, "--layer belongs to --heat gradcam");
    s->heat.threads = s->threads;
    r->json = s->json;
    r->threads = s->threads;
    r->quiet = s->quiet;
    s->image = argv + 1;
    s->count = (size_t)(*argc - 1);
    return code;
}

/* ---- Answers ---- */
static void print_tsv(const ecg_model *m, const char *image, const float *probs, const ecg_decision *d,
                      uint32_t top)
{
    const uint32_t classes = ecg_model_classes(m);
    uint32_t last = judge_best(probs, classes);
    text_tsv_string(stdout, image);
    for (uint32_t k = 0; k < top && k < classes; k++) {
        if (k)
            last = judge_next(probs, classes, last);
        fputc('\t', stdout);
        text_tsv_string(stdout, ecg_model_class(m, last));
        printf("\t%.9g", (double)probs[last]);
    }
    printf("\t%s\n", ecg_answer_name(d->answer));
}

static void print_json(const ecg_model *m, const char *image, const float *probs, const ecg_decision *d)
{
    fputc('{', stdout);
    answering_json(stdout, m, image, probs, d);
    puts("}");
}

/* ---- Pictures ---- */

/* All of standard input. NULL after a message. */
static unsigned char *read_input(size_t *n)
{
    size_t cap = 1 << 16;
    unsigned char *data = malloc(cap);
    *n = 0;
    errno = 0;
    for (size_t got = 1; data && got > 0 && *n <= MOST_INPUT; *n += got) {
        if (*n == cap) {
            unsigned char *more = realloc(data, cap *= 2);
            if (!more) {
                free(data);
                data = NULL;
                break;
            }
            data = more;
        }
        got = fread(data + *n, 1, cap - *n, stdin);
    }
    if (data && !ferror(stdin) && *n <= MOST_INPUT)
        return data;
    if (!data)
        tool_fail("standard input: out of memory");
    else if (ferror(stdin))
        tool_fail("standard input: %s", strerror(errno ? errno : EIO));
    else
        tool_fail("standard input: more than %d bytes", MOST_INPUT);
    free(data);
    return NULL;
}

/* NULL after a message. */
static ecg_pixels *read_picture(const ecg_preprocess *p, const char *image, ecg_look *look)
{
    ecg_pixels *pixels = NULL;
    ecg_error err = {0};
    ecg_status s;
    if (strcmp(image, "-") == 0) {
        size_t n;
        unsigned char *data = read_input(&n);
        if (!data)
            return NULL;
        s = ecg_look_decode(&pixels, look, p, data, n, "standard input", &err);
        free(data);
    } else {
        s = ecg_look_load(&pixels, look, p, image, &err);
    }
    if (s != ECG_OK)
        tool_error(s, &err);
    return s == ECG_OK ? pixels : NULL;
}

typedef struct batch {
    const char *image[JUDGE_BATCH];
    ecg_pixels *pixels[JUDGE_BATCH];
    ecg_image view[JUDGE_BATCH];
    ecg_look look[JUDGE_BATCH];
    ecg_decision decision[JUDGE_BATCH];
    size_t place[JUDGE_BATCH]; /* in the command line */
    size_t n;
} batch;

/* Reads the pictures at..at+JUDGE_BATCH of the command line. Returns how many could not be read. */
static size_t batch_read(batch *b, const settings *s, const ecg_preprocess *p, size_t at)
{
    size_t bad = 0;
    b->n = 0;
    for (size_t i = at; i < s->count && i < at + JUDGE_BATCH; i++) {
        ecg_pixels *pixels = read_picture(p, s->image[i], &b->look[b->n]);
        if (!pixels) {
            bad++;
            continue;
        }
        b->image[b->n] = s->image[i];
        b->place[b->n] = i;
        b->pixels[b->n] = pixels;
        b->view[b->n++] = ecg_pixels_view(pixels);
    }
    return bad;
}

static int write_heat(ecg_model *m, const settings *s, const batch *b, size_t i)
{
    const heatmap_picture p = {.file = strcmp(b->image[i], "-") == 0 ? NULL : b->image[i],
                               .prepared = b->view[i],
                               .look = &b->look[i],
                               .decision = &b->decision[i],
                               .number = s->count > 1 ? b->place[i] + 1 : 0};
    return heatmap_write(m, &s->heat, &p);
}

static int predict_all(const settings *s, ecg_model *m, ecg_session *session, float *probs)
{
    const uint32_t classes = ecg_model_classes(m);
    ecg_error err = {0};
    batch b;
    progress bar;
    size_t bad = 0;
    progress_start(&bar, "predicting", s->quiet || s->count <= JUDGE_BATCH);
    for (size_t at = 0; at < s->count && !tool_output_failed(); at += JUDGE_BATCH) { /* flushes each batch */
        progress_clear(&bar);
        bad += batch_read(&b, s, ecg_model_preprocess(m), at);
        const ecg_status status = b.n ? ecg_session_judge_images(session, b.view, b.look, b.n, probs,
                                                                 b.decision, &err)
                                      : ECG_OK;
        for (size_t i = 0; i < b.n; i++) {
            if (status == ECG_OK && s->json)
                print_json(m, b.image[i], probs + i * classes, &b.decision[i]);
            else if (status == ECG_OK)
                print_tsv(m, b.image[i], probs + i * classes, &b.decision[i], s->top);
            if (status == ECG_OK && s->heat.path)
                bad += write_heat(m, s, &b, i) != EXIT_DONE;
            ecg_pixels_free(b.pixels[i]);
        }
        if (status != ECG_OK)
            return tool_error(status, &err);
        progress_show(&bar, at + JUDGE_BATCH < s->count ? at + JUDGE_BATCH : s->count, s->count, NULL);
    }
    progress_clear(&bar);
    return bad ? EXIT_FAILED : EXIT_DONE;
}

static int predict(ecg_model *m, const void *read)
{
    const settings *s = read;
    if (s->recording.record)
        return predict_record(m, &s->recording);
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    ecg_error err = {0};
    o.threads = s->threads;
    const ecg_status status = ecg_session_new(&session, m, &o, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    if (!s->quiet && !s->json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    float *probs = calloc(ecg_model_classes(m), JUDGE_BATCH * sizeof *probs);
    const int code = probs ? predict_all(s, m, session, probs) : tool_fail("out of memory");
    free(probs);
    ecg_session_free(session);
    return code;
}

int main(int argc, char **argv)
{
    settings s = {.top = 1, .heat = {.kind = "gradcam"}, .recording = {.annotations = "none"}};
    tool_start("ecg-predict", argv);
    const int code = read_options(&s, &argc, argv);
    return tool_run_model(code, s.model, predict, &s);
}
