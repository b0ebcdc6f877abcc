/* Figures of a recording: classes, rates, runs, pauses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"
#include "ecgcnn/version.h"
#include "predict/record.h"

enum { RATE_BEATS = 8 };

static int is_pvc(const record_beats *b, size_t i)
{
    return ecg_beat_set_code_of_name(ecg_model_class(b->model, b->cls[i])) == 'V';
}

static void rates(record_figures *f, const record_beats *b)
{
    const leads *l = &b->l;
    f->mean_rate = f->least_rate = f->most_rate = f->pause = f->pause_at = (double)NAN;
    if (l->count < 2)
        return;
    f->mean_rate = 60.0 * (double)(l->count - 1) * l->rate / (double)(l->at[l->count - 1] - l->at[0]);
    for (size_t i = 1; i < l->count; i++) {
        const double rr = (double)(l->at[i] - l->at[i - 1]) / l->rate;
        if (!(f->pause >= rr)) {
            f->pause = rr;
            f->pause_at = (double)l->at[i - 1] / l->rate;
        }
        if (i < RATE_BEATS)
            continue;
        const double rate = 60.0 * RATE_BEATS * l->rate / (double)(l->at[i] - l->at[i - RATE_BEATS]);
        f->least_rate = f->least_rate <= rate ? f->least_rate : rate;
        f->most_rate = f->most_rate >= rate ? f->most_rate : rate;
    }
}

int record_figure(record_figures *f, const record_beats *b)
{
    const leads *l = &b->l;
    *f = (record_figures){.count = calloc(ecg_model_classes(b->model), sizeof *f->count)};
    if (!f->count)
        return tool_fail("out of memory");
    f->seconds = (double)l->n / l->rate;
    rates(f, b);
    size_t run = 0;
    for (size_t i = 0; i <= l->count; i++) {
        if (i < l->count)
            f->count[b->cls[i]]++;
        if (i < l->count && is_pvc(b, i)) {
            f->pvcs++;
            run++;
            continue;
        }
        f->couplets += run == 2;
        f->runs += run > 2;
        f->longest_run = run > f->longest_run ? run : f->longest_run;
        run = 0;
    }
    return EXIT_DONE;
}

void record_print(const record_figures *f, const record_beats *b, const char *annotations)
{
    const uint32_t classes = ecg_model_classes(b->model);
    char time[32];
    text_table t = {.align = "lrr"};
    text_cell(&t, "class");
    text_cell(&t, "beats");
    text_cell(&t, "%%");
    for (uint32_t c = 0; c < classes; c++) {
        text_cell(&t, "%s", ecg_model_class(b->model, c));
        text_cell(&t, "%zu", f->count[c]);
        text_cell_number(&t, "%.1f",
                         b->l.count ? 100.0 * (double)f->count[c] / (double)b->l.count : (double)NAN);
    }
    text_cell(&t, "all");
    text_cell(&t, "%zu", b->l.count);
    text_cell(&t, "%s", "");
    printf("record %s, lead %s, %s, beats %s\n\n", b->l.name, b->l.lead,
           text_duration(f->seconds, time, sizeof time), b->l.found ? "found" : "as annotated");
    text_table_print(&t, stdout, 0);
    if (isfinite(f->mean_rate))
        printf("\nrate: %.0f a minute on average", f->mean_rate);
    if (isfinite(f->least_rate))
        printf(", from %.0f to %.0f over 8 beats", f->least_rate, f->most_rate);
    if (isfinite(f->pause))
        printf("\nlongest pause: %.2f s, at %s\n", f->pause, text_duration(f->pause_at, time, sizeof time));
    printf("PVCs: %zu; couplets: %zu; runs of three or more: %zu", f->pvcs, f->couplets, f->runs);
    if (f->runs)
        printf(", the longest of %zu", f->longest_run);
    printf("\nannotations: %s\n", annotations);
}

void record_json(const record_figures *f, const record_beats *b, const char *annotations)
{
    const uint32_t classes = ecg_model_classes(b->model);
    const char *const words[][2] = {{"{\"record\":", b->l.name},
                                    {",\"lead\":", b->l.lead},
                                    {",\"recipe\":", b->recipe},
                                    {",\"annotations\":", annotations},
                                    {",\"notice\":", ECG_NOTICE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        fputs(words[i][0], stdout);
        text_json_string(stdout, words[i][1]);
    }
    const double figures[] = {f->seconds,   b->l.rate, f->mean_rate, f->least_rate,
                              f->most_rate, f->pause,  f->pause_at};
    const char *const names[] = {"seconds",   "sampling_rate", "rate_mean",       "rate_least",
                                 "rate_most", "longest_pause", "longest_pause_at"};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        printf(",\"%s\":", names[i]);
        text_json_number(stdout, figures[i]);
    }
    printf(",\"beats\":%zu,\"found\":%s,\"pvcs\":%zu,\"couplets\":%zu,\"runs\":%zu,\"longest_run\":%zu",
           b->l.count, b->l.found ? "true" : "false", f->pvcs, f->couplets, f->runs, f->longest_run);
    fputs(",\"classes\":[", stdout);
    for (uint32_t c = 0; c < classes; c++) {
        fputs(c ? ",{\"name\":" : "{\"name\":", stdout);
        text_json_string(stdout, ecg_model_class(b->model, c));
        printf(",\"beats\":%zu}", f->count[c]);
    }
    fputs("]}\n", stdout);
}
