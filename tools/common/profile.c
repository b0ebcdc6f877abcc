#define _POSIX_C_SOURCE 200809L
#include "common/profile.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "common/progress.h"
#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/profile.h"

typedef struct table {
    text_table text;
    double all;  /* seconds of all threads */
    double told; /* of those, in rows so far */
    double threads;
} table;

int profile_begin(const profile_run *r)
{
    ecg_error err = {0};
    ecg_status s = ecg_trainer_profile(r->trainer, 1, &err);
    if (s == ECG_OK)
        s = ecg_loader_profile(r->train, 1, &err);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

/* seconds: of all threads. pictures 0, flops 0: says nothing of them. */
static void row(table *t, const char *stage, const char *layer, double seconds, uint64_t pictures,
                double flops)
{
    text_cell(&t->text, "%s", stage);
    text_cell(&t->text, "%s", layer);
    text_cell_number(&t->text, "%.4f", pictures ? 1e3 * seconds / (double)pictures : (double)NAN);
    text_cell_number(&t->text, "%.1f %%", t->all > 0 ? 100 * seconds / t->all : (double)NAN);
    text_cell_number(&t->text, "%.1f",
                     flops > 0 && seconds > 0 ? 1e-9 * flops * t->threads / seconds : (double)NAN);
}

static void counted(table *t, const char *stage, const char *layer, double seconds, uint64_t pictures,
                    double flops)
{
    row(t, stage, layer, seconds, pictures, flops);
    t->told += seconds;
}

/* What the loader says of the time in "fetch", which is counted there. */
static void fetch_rows(table *t, const profile_run *r)
{
    ecg_profile_entry e;
    for (size_t i = 0; ecg_loader_profile_entry(r->train, i, &e); i++)
        if (e.calls)
            row(t, "  of it", e.stage, e.seconds, e.pictures, 0);
}

static void layer_row(table *t, const profile_run *r, const ecg_profile_entry *e)
{
    char name[40], attributes[24];
    ecg_spec_layer_text(r->spec, e->index, attributes, sizeof attributes);
    snprintf(name, sizeof name, "%u %s %s", e->index + 1, e->layer, attributes);
    if (e->calls)
        counted(t, e->stage, name, e->seconds, e->pictures, e->flops);
}

/* The sum over the layers of the stage that entry *i begins; *i moves to its last entry. */
static ecg_profile_entry whole_stage(const profile_run *r, size_t *i, ecg_profile_entry e)
{
    ecg_profile_entry next;
    while (ecg_trainer_profile_entry(r->trainer, *i + 1, &next) && strcmp(next.stage, e.stage) == 0) {
        e.seconds += next.seconds;
        e.flops += next.flops;
        ++*i;
    }
    return e;
}

void profile_print(const profile_run *r, FILE *f)
{
    const double wall = progress_clock() - r->started;
    struct timespec cpu = {0, 0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    ecg_profile_entry e;
    if (!ecg_trainer_profile_entry(r->trainer, 0, &e))
        return;
    table t = {.text = {.align = "llrrr"}, .all = wall * e.workers, .threads = e.workers};
    fprintf(f, "\n%.1f s, %u thread%s, %.1f s of processors; %.0f pictures/s in training\n", wall, e.workers,
            e.workers == 1 ? "" : "s", (double)cpu.tv_sec + 1e-9 * (double)cpu.tv_nsec,
            e.wall > 0 ? (double)e.pictures / e.wall : 0.0);
    text_cell(&t.text, "stage");
    text_cell(&t.text, "layer");
    text_cell(&t.text, "ms/picture");
    text_cell(&t.text, "share");
    text_cell(&t.text, "GFLOP/s");
    counted(&t, "reading pictures", "", (r->read - r->started) * t.threads, ecg_loader_count(r->train), 0);
    for (size_t i = 0; ecg_trainer_profile_entry(r->trainer, i, &e); i++) {
        if (strncmp(e.stage, "val ", 4) == 0) {
            e = whole_stage(r, &i, e);
            counted(&t, e.stage, "", e.seconds, e.pictures, e.flops);
        } else if (e.layer) {
            layer_row(&t, r, &e);
        } else {
            counted(&t, e.stage, "", strcmp(e.stage, "save") == 0 ? e.seconds * t.threads : e.seconds,
                    e.pictures, 0);
            if (strcmp(e.stage, "fetch") == 0)
                fetch_rows(&t, r);
        }
    }
    counted(&t, "the rest", "", t.all > t.told ? t.all - t.told : 0.0, 0, 0);
    text_table_print(&t.text, f, 0);
    fputs("times and shares: of all threads together, which wait too; GFLOP/s: what all do\n", f);
}
