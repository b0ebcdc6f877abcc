#include "common/fitlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"

static void history_check(fitlog *l, int failed)
{
    if (!failed || l->history_failed)
        return;
    l->history_failed = 1;
    progress_clear(&l->bar);
    tool_warn("%s: %s; training goes on without it", l->history_path, strerror(errno));
}

void fitlog_open(fitlog *l, const char *history, uint32_t epochs, size_t samples, int quiet)
{
    *l = (fitlog){.quiet = quiet, .samples = samples, .epochs = epochs, .history_path = history};
    l->started = progress_clock();
}

static void history_row(fitlog *l, const ecg_epoch *e)
{
    const double figures[] = {e->loss, e->accuracy, e->val_loss, e->val_accuracy, (double)e->lr, e->seconds};
    if (!l->history || l->history_failed)
        return;
    fprintf(l->history, "%u,", e->index);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        text_csv_number(l->history, figures[i]);
        fputc(',', l->history);
    }
    fprintf(l->history, "%u\n", e->best);
    history_check(l, fflush(l->history) != 0 || ferror(l->history));
}

/* The history anew: a header, and the epochs that were done before. */
static int history_open(fitlog *l, const ecg_epoch *past, size_t count)
{
    if (!l->history_path)
        return 0;
    errno = 0;
    l->history = fopen(l->history_path, "w");
    if (!l->history ||
        fputs("epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,best\n", l->history) == EOF ||
        fflush(l->history) != 0) {
        tool_fail("%s: %s", l->history_path, strerror(errno));
        if (l->history)
            fclose(l->history);
        l->history = NULL;
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        history_row(l, &past[i]);
    return 0;
}

/* Without memory the report lacks epochs, and says so: training goes on. */
static void remember(fitlog *l, const ecg_epoch *e)
{
    ecg_epoch *more = realloc(l->seen, (l->seen_count + 1) * sizeof *more);
    if (!more)
        return;
    l->seen = more;
    l->seen[l->seen_count++] = *e;
}

static void next_bar(fitlog *l, uint32_t epoch)
{
    snprintf(l->label, sizeof l->label, "epoch %u/%u", epoch, l->epochs);
    progress_start(&l->bar, l->label, l->quiet);
}

static int on_begin(void *payload, const ecg_epoch *past, size_t count)
{
    fitlog *l = payload;
    l->past = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        remember(l, &past[i]);
        l->last = past[i];
        if (past[i].best)
            l->best = past[i];
    }
    l->not_begun = history_open(l, past, count);
    if (count && !l->quiet)
        fprintf(stderr, "going on after epoch %u\n", l->past);
    next_bar(l, l->past + 1);
    return l->not_begun;
}

static int on_validation(void *payload, size_t done, size_t total)
{
    (void)payload;
    (void)done;
    (void)total;
    return tool_interrupted();
}

static int on_step(void *payload, const ecg_step *s, size_t done, size_t total)
{
    fitlog *l = payload;
    char note[32];
    snprintf(note, sizeof note, "loss %.4f", s->loss);
    progress_show(&l->bar, done, total, note);
    return tool_interrupted();
}

static void print_epoch(fitlog *l, const ecg_epoch *e)
{
    char left[32], val[48] = "";
    const double so_far = progress_clock() - l->started;
    text_duration(so_far / (e->index - l->past) * (l->epochs - e->index), left, sizeof left);
    if (!l->titled)
        fputs("   epoch      loss  accuracy  val loss  val acc.        lr  pictures/s       left\n", stderr);
    l->titled = 1;
    if (e->val_loss == e->val_loss) // NOLINT: not NaN
        snprintf(val, sizeof val, "%8.4f  %8.4f", e->val_loss, e->val_accuracy);
    fprintf(stderr, "%4u/%-4u %8.4f  %8.4f  %18s  %8.2g  %10.0f  %9s%s\n", e->index, l->epochs, e->loss,
            e->accuracy, val, (double)e->lr, e->seconds > 0 ? (double)l->samples / e->seconds : 0.0, left,
            e->best ? " *" : "");
}

static int on_epoch(void *payload, const ecg_epoch *e)
{
    fitlog *l = payload;
    remember(l, e);
    l->last = *e;
    if (e->best)
        l->best = *e;
    progress_clear(&l->bar);
    history_row(l, e);
    if (!l->quiet)
        print_epoch(l, e);
    next_bar(l, e->index + 1);
    return tool_interrupted();
}

ecg_fit_hooks fitlog_hooks(fitlog *l)
{
    return (ecg_fit_hooks){.size = sizeof(ecg_fit_hooks),
                           .step = on_step,
                           .epoch = on_epoch,
                           .payload = l,
                           .begin = on_begin,
                           .validation = on_validation};
}

int fitlog_close(fitlog *l)
{
    progress_clear(&l->bar);
    if (l->history) {
        errno = 0;
        history_check(l, fclose(l->history) != 0);
    }
    l->history = NULL;
    return l->history_failed ? EXIT_FAILED : EXIT_DONE;
}
