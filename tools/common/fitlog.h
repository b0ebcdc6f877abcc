/* fitlog.h: what is told about a training run while it goes on: a bar, a line and a CSV row for each epoch.
 */
#ifndef ECG_TOOLS_FITLOG_H
#define ECG_TOOLS_FITLOG_H

#include <stdio.h>

#include "common/progress.h"
#include "ecgcnn/train.h"

typedef struct fitlog {
    int quiet;
    size_t samples; /* of an epoch */
    progress bar;
    char label[32];
    uint32_t epochs;      /* to do */
    ecg_epoch last, best; /* index 0: none yet */
    ecg_epoch *seen;      /* all of them, also those before; the caller frees it */
    size_t seen_count;
    uint32_t past; /* epochs that a checkpoint had done */
    int titled;    /* the head of the table stands */
    double started;
    const char *history_path;
    FILE *history;
    int history_failed;
    int not_begun; /* the history could not be opened, and training did not begin */
} fitlog;

/* `history` may be NULL; the file is written anew when training begins, with what a checkpoint knows. */
void fitlog_open(fitlog *l, const char *history, uint32_t epochs, size_t samples, int quiet);

/* Hooks for ecg_trainer_fit; a signal stops it. */
ecg_fit_hooks fitlog_hooks(fitlog *l);

/* Ends the bar and closes the history. EXIT_FAILED when the history could not be written. */
int fitlog_close(fitlog *l);

#endif
