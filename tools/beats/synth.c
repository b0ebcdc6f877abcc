/* ecg-beats synth: a dataset of synthetic beats, training and test pictures of different patients. */
#define _POSIX_C_SOURCE 200809L
#include "beats/synth.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beats/synth_mix.h"
#include "common/opts.h"
#include "common/progress.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/image.h"
#include "ecgcnn/signal.h"
#include "ecgcnn/version.h"

enum { PATH_CAP = 4096, MOST_THREADS = 256 };
const char *const synth_splits[SYNTH_SPLITS] = {"train", "test"};
static const float TOP_MV = 2.0f, BOTTOM_MV = -1.5f;

static const char about[] = "Draws synthetic heartbeats of the seven classes into DIR/train and DIR/test, "
                            "one folder per class, with a "
                            "manifest.csv in each. Beats are sums of Gaussian waves; a synthetic patient's "
                            "pictures are all on one side. "
                            "The same options give the same files, byte for byte.";

static int read_options(synth_settings *s, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"output", 'o', "DIR", OPT_STRING, &s->out, .init = "", .help = "folder to fill; new, or empty"},
        {"count", 'n', "N", OPT_UINT, &s->count, 1, 1e7, .help = "pictures in all"},
        {"patients", 0, "P", OPT_UINT, &s->patients, 1, 1e6, .help = "synthetic patients they come from"},
        {"test-fraction", 0, "F", OPT_REAL, &s->test_fraction, 0, 1, OPT_BELOW,
         .help = "part of the patients whose pictures go to DIR/test"},
        {"seed", 0, "S", OPT_UINT64, &s->seed, .help = "another seed, other patients"},
        {"size", 0, "HxW", OPT_SIZE, &s->size, 8, 4096, .help = "rows and columns of a picture"},
        {"mix", 0, "CLASS=PART,...", OPT_STRING, &s->mix, .init = "as many of each",
         .help = "how many of each class, in any unit: Normal=70,PVC=20,PAC=10; classes that are not named "
                 "are left out. LBBB, Normal, Paced, PAC, PVC, RBBB, Flutter, the folders' names, or codes"},
        {"rhythm", 0, "R", OPT_CHOICE, &s->rhythm, .choices = "sinus|fibrillation",
         .help = "fibrillation of the atria: no P waves, irregular, and no PAC"},
        {"rate", 0, "BPM", OPT_REAL, &s->beat.rate, 30, 160, .init = "each patient has a rate",
         .help = "mean beats a minute of every patient"},
        {"noise", 0, "F", OPT_REAL, &s->beat.noise, 0, 50, .help = "times the usual noise; 0: none"},
        {"wander", 0, "F", OPT_REAL, &s->beat.wander, 0, 50,
         .help = "times the usual wander of the baseline"},
        {"pen", 0, "F", OPT_FLOAT, &s->pen, 0, 64, OPT_ABOVE, .help = "width of the line in pixels"},
        {"pack", 0, "AS", OPT_CHOICE, &s->pack, .choices = "files|pixels", .init = "",
         .help = "draw into packs instead of folders, as 'ecg-beats pack' makes them: of PNG files, or of "
                 "pixels"},
        {"threads", 0, "N", OPT_UINT, &s->threads, 1, MOST_THREADS, .init = "one per core",
         .help = "threads to use"},
        {"json", 0, NULL, OPT_FLAG, &s->json, .help = "print what was made as one JSON object"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet,
         .help = "print warnings and errors only, beside the figures"},
    };
    const opt_command command = {.name = "ecg-beats synth",
                                 .usage = "-o DIR [options]",
                                 .about = about,
                                 .rows = rows,
                                 .count = OPT_COUNT(rows)};
    const int code = opts_parse(&command, argc, argv);
    if (code != OPTS_GO)
        return code;
    if (!s->out)
        return opts_wrong(command.name, "where to? -o DIR is needed");
    if (s->patients > s->count)
        return opts_wrong(command.name, "--patients %u: more than the %u pictures of --count", s->patients,
                          s->count);
    if (s->test_fraction > 0 && s->patients < 2)
        return opts_wrong(command.name,
                          "--patients 1 cannot be on two sides; --test-fraction 0 leaves out test/");
    if (strcmp(s->rhythm, "fibrillation") == 0)
        s->beat.rhythm = ECG_SYNTH_FIBRILLATION;
    return OPTS_GO;
}

/* ---- What picture i is: a function of i alone, so any thread can make any picture ---- */
uint32_t synth_train_patients(const synth_settings *s)
{
    const double tests = s->patients * s->test_fraction;
    uint32_t n = (uint32_t)floor(tests + 0.5);
    if (tests > 0 && n == 0)
        n = 1;
    return n < s->patients ? s->patients - n : 1;
}

synth_picture synth_picture_at(const synth_settings *s, uint32_t i)
{
    synth_picture p = {.patient = i % s->patients, .beat = i / s->patients};
    p.cls = s->cls ? (ecg_beat_class)s->cls[i] : (ecg_beat_class)((p.patient + p.beat) % ECG_BEAT_CLASSES);
    p.split = p.patient < synth_train_patients(s) ? SYNTH_TRAIN : SYNTH_TEST;
    return p;
}

/* Fill s->cls, where there is a mix to keep to: patient by patient, on each side from the start, so that each
 * patient and each side has it. */
static int choose_classes(synth_settings *s)
{
    double part[ECG_BEAT_CLASSES];
    uint64_t given[SYNTH_SPLITS][ECG_BEAT_CLASSES] = {{0}};
    const int fibrillation = s->beat.rhythm == ECG_SYNTH_FIBRILLATION;
    if (!s->mix && !fibrillation)
        return EXIT_DONE;
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        part[c] = fibrillation && c == ECG_BEAT_PAC ? 0.0 : 1.0 / (ECG_BEAT_CLASSES - fibrillation);
    const int code = s->mix ? synth_mix_parse("ecg-beats synth", s->mix, part) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    if (fibrillation && part[ECG_BEAT_PAC] > 0)
        return opts_wrong("ecg-beats synth", "--mix %s: there is no PAC with --rhythm fibrillation", s->mix);
    s->cls = malloc(s->count);
    if (!s->cls)
        return tool_fail("out of memory");
    for (uint32_t p = 0; p < s->patients; p++)
        for (uint32_t i = p; i < s->count; i += s->patients)
            s->cls[i] = (uint8_t)synth_mix_next(
                part, given[p < synth_train_patients(s) ? SYNTH_TRAIN : SYNTH_TEST]);
    return EXIT_DONE;
}

/* ---- Folders and files ---- */
static int make_path(char path[PATH_CAP], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int make_path(char path[PATH_CAP], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(path, PATH_CAP, fmt, args);
    va_end(args);
    return n >= 0 && n < PATH_CAP ? EXIT_DONE : tool_fail("a path below the output folder is too long");
}

static int make_folder(const char *path)
{
    errno = 0;
    return mkdir(path, 0777) == 0 ? EXIT_DONE : tool_fail("%s: %s", path, strerror(errno));
}

/* The output folder: made, or found empty, so that nothing is overwritten. */
static int make_output(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return EXIT_DONE;
    DIR *d = errno == EEXIST ? opendir(path) : NULL;
    if (!d)
        return tool_fail("%s: %s", path, strerror(errno));
    const struct dirent *e;
    do {
        e = readdir(d);
    } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    const int full = e != NULL;
    closedir(d);
    return full ? tool_fail("%s: is not empty; expected a new or an empty folder", path) : EXIT_DONE;
}

static int make_folders(const synth_settings *s, uint32_t made[SYNTH_SPLITS][ECG_BEAT_CLASSES])
{
    char path[PATH_CAP];
    int code = make_output(s->out);
    for (uint32_t i = 0; i < s->count; i++) {
        const synth_picture p = synth_picture_at(s, i);
        made[p.split][p.cls]++;
    }
    for (uint32_t k = 0; k < SYNTH_SPLITS && code == EXIT_DONE && !s->pack; k++) {
        if (k == SYNTH_TEST && synth_train_patients(s) == s->patients)
            break;
        code = make_path(path, "%s/%s", s->out, synth_splits[k]);
        if (code == EXIT_DONE)
            code = make_folder(path);
        for (uint32_t c = 0; c < ECG_BEAT_CLASSES && code == EXIT_DONE; c++) {
            if (made[k][c] == 0)
                continue;
            code = make_path(path, "%s/%s/%s", s->out, synth_splits[k],
                             ecg_beat_class_name((ecg_beat_class)c));
            if (code == EXIT_DONE)
                code = make_folder(path);
        }
    }
    return code;
}

/* The manifests are written last: a folder without one was not finished. */
static int write_manifest(const synth_settings *s, uint32_t split)
{
    char path[PATH_CAP];
    if (make_path(path, "%s/%s/manifest.csv", s->out, synth_splits[split]) != EXIT_DONE)
        return EXIT_FAILED;
    errno = 0;
    FILE *f = fopen(path, "wx");
    if (!f)
        return tool_fail("%s: %s", path, strerror(errno));
    fputs("image,class,record,patient,code,split\n", f);
    for (uint32_t i = 0; i < s->count; i++) {
        const synth_picture p = synth_picture_at(s, i);
        const char *name = ecg_beat_class_name(p.cls);
        if (p.split == split)
            fprintf(f, "%s/s%03u_b%04u.png,%s,s%03u,s%03u,%c,%s\n", name, p.patient, p.beat, name, p.patient,
                    p.patient, ecg_beat_class_code(p.cls), synth_splits[split]);
    }
    const int had_failed = ferror(f), failed = fclose(f) != 0;
    if (had_failed || failed)
        return tool_fail("%s: cannot be written: %s", path, strerror(errno ? errno : EIO));
    return EXIT_DONE;
}

/* ---- Drawing, on all threads ---- */
typedef struct job {
    const synth_settings *s;
    progress bar;
    atomic_uint next, done;
    pthread_mutex_t lock; /* over what follows */
    int code;
    atomic_int stop;
} job;

typedef struct helper {
    job *j;
    uint8_t *px; /* [h][w] */
    pthread_t thread;
} helper;

static void fail(job *j, ecg_status status, const ecg_error *err)
{
    pthread_mutex_lock(&j->lock);
    if (j->code == EXIT_DONE) {
        progress_clear(&j->bar);
        j->code = err ? tool_error(status, err) : EXIT_FAILED;
    }
    atomic_store(&j->stop, 1);
    pthread_mutex_unlock(&j->lock);
}

ecg_status synth_draw(const synth_settings *s, uint32_t i, uint8_t *px, ecg_error *err)
{
    const synth_picture p = synth_picture_at(s, i);
    float mv[ECG_BEAT_SAMPLES];
    const ecg_status status = ecg_beat_synthesize_with(s->seed, p.patient, p.beat, p.cls, &s->beat, mv, err);
    return status == ECG_OK
               ? ecg_beat_draw(mv, ECG_BEAT_SAMPLES, TOP_MV, BOTTOM_MV, s->pen, px, s->size.h, s->size.w)
               : status;
}

static void draw(job *j, uint8_t *px, uint32_t i)
{
    const synth_settings *s = j->s;
    const synth_picture p = synth_picture_at(s, i);
    char path[PATH_CAP];
    ecg_error err = {.status = ECG_OK};
    const ecg_image image = {px, s->size.w, s->size.h, ECG_COLOR_GRAY, s->size.w};
    ecg_status status = synth_draw(s, i, px, &err);
    if (make_path(path, "%s/%s/%s/s%03u_b%04u.png", s->out, synth_splits[p.split], ecg_beat_class_name(p.cls),
                  p.patient, p.beat) != EXIT_DONE) {
        fail(j, ECG_EINVAL, NULL);
        return;
    }
    if (status == ECG_OK)
        status = ecg_image_save_png(&image, path, &err);
    if (status != ECG_OK)
        fail(j, status, &err);
}

static void *work(void *arg)
{
    const helper *h = arg;
    job *j = h->j;
    while (!atomic_load(&j->stop) && !tool_interrupted()) {
        const uint32_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->s->count)
            break;
        draw(j, h->px, i);
        const uint32_t done = atomic_fetch_add(&j->done, 1) + 1;
        if (pthread_mutex_trylock(&j->lock) == 0) {
            if (j->code == EXIT_DONE)
                progress_show(&j->bar, done, j->s->count, NULL);
            pthread_mutex_unlock(&j->lock);
        }
    }
    return NULL;
}

static int draw_all(const synth_settings *s)
{
    job j = {.s = s, .code = EXIT_DONE};
    const uint32_t threads = s->threads < s->count ? s->threads : s->count;
    const size_t pixels = (size_t)s->size.h * s->size.w;
    helper *h = calloc(threads, sizeof *h);
    uint8_t *px = malloc(threads * pixels);
    if (!h || !px) {
        free(h);
        free(px);
        return tool_fail("out of memory");
    }
    pthread_mutex_init(&j.lock, NULL);
    progress_start(&j.bar, "drawing", (int)s->quiet);
    uint32_t running = 1; /* this thread; fewer than asked for will do */
    for (uint32_t k = 0; k < threads; k++)
        h[k] = (helper){.j = &j, .px = px + k * pixels};
    while (running < threads && pthread_create(&h[running].thread, NULL, work, &h[running]) == 0)
        running++;
    work(&h[0]);
    for (uint32_t k = 1; k < running; k++)
        pthread_join(h[k].thread, NULL);
    progress_clear(&j.bar);
    pthread_mutex_destroy(&j.lock);
    free(px);
    free(h);
    if (j.code == EXIT_DONE && atomic_load(&j.done) < s->count)
        return tool_fail("interrupted: %s is not complete", s->out);
    return j.code;
}

/* ---- What was made ---- */
static void report(const synth_settings *s, uint32_t made[SYNTH_SPLITS][ECG_BEAT_CLASSES])
{
    uint32_t sum[SYNTH_SPLITS] = {0, 0};
    text_table t = {.align = "lrr"};
    text_cell(&t, "class");
    text_cell(&t, "train");
    text_cell(&t, "test");
    for (uint32_t c = 0; c < ECG_BEAT_CLASSES; c++) {
        text_cell(&t, "%s", ecg_beat_class_name((ecg_beat_class)c));
        for (uint32_t k = 0; k < SYNTH_SPLITS; k++) {
            text_cell(&t, "%u", made[k][c]);
            sum[k] += made[k][c];
        }
    }
    text_cell(&t, "%u patients", s->patients);
    text_cell(&t, "%u", sum[SYNTH_TRAIN]);
    text_cell(&t, "%u", sum[SYNTH_TEST]);
    text_table_print(&t, stdout, 0);
}

static void report_json(const synth_settings *s, uint32_t made[SYNTH_SPLITS][ECG_BEAT_CLASSES])
{
    fputs("{\"output\":", stdout);
    text_json_string(stdout, s->out);
    printf(",\"images\":%u,\"patients\":%u,\"test_patients\":%u,\"seed\":%llu,\"classes\":[", s->count,
           s->patients, s->patients - synth_train_patients(s), (unsigned long long)s->seed);
    for (uint32_t c = 0; c < ECG_BEAT_CLASSES; c++) {
        fputs(c ? ",{\"name\":" : "{\"name\":", stdout);
        text_json_string(stdout, ecg_beat_class_name((ecg_beat_class)c));
        printf(",\"train\":%u,\"test\":%u}", made[SYNTH_TRAIN][c], made[SYNTH_TEST][c]);
    }
    puts("]}");
}

static int run(synth_settings *s)
{
    uint32_t made[SYNTH_SPLITS][ECG_BEAT_CLASSES] = {{0}};
    int code = choose_classes(s);
    if (code == EXIT_DONE)
        code = make_folders(s, made);
    if (code == EXIT_DONE)
        code = s->pack ? synth_pack(s) : draw_all(s);
    if (code == EXIT_DONE && !s->pack)
        code = write_manifest(s, SYNTH_TRAIN);
    if (code == EXIT_DONE && !s->pack && synth_train_patients(s) < s->patients)
        code = write_manifest(s, SYNTH_TEST);
    if (code != EXIT_DONE)
        return code;
    if (s->json)
        report_json(s, made);
    else
        report(s, made);
    return EXIT_DONE;
}

int beats_synth(int argc, char **argv)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    synth_settings s = {.count = 2100,
                        .patients = 40,
                        .test_fraction = 0.25,
                        .size = {128, 192},
                        .pen = 1.5f,
                        .seed = 1,
                        .rhythm = "sinus",
                        .beat = ECG_SYNTH_OPTIONS_INIT};
    int code = read_options(&s, &argc, argv);
    if (code != OPTS_GO)
        return code;
    if (s.threads == 0)
        s.threads = cores < 1 ? 1 : cores > MOST_THREADS ? MOST_THREADS : (uint32_t)cores;
    tool_catch_signals();
    code = run(&s);
    free(s.cls);
    if (code == EXIT_DONE && !s.quiet && !s.json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    return code;
}
