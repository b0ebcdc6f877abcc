/* train_settings.h: what the command line of ecg-train says. */
#ifndef ECG_TOOLS_TRAIN_SETTINGS_H
#define ECG_TOOLS_TRAIN_SETTINGS_H

#include "common/opts.h"
#include "common/parts.h"
#include "ecgcnn/train.h"

typedef struct settings {
    const char *tool; /* "ecg-train", or "ecg-train-mpi", which has more options */
    const char *output, *net, *color, *profile, *filter, *split, *optimizer, *schedule, *class_weight,
        *history, *report, *augment, *preview, *checkpoint, *resume;
    const char *reduce, *statistics; /* of ecg-train-mpi */
    double patience;
    opt_size size;
    float rescale;
    parts_options data;
    ecg_train_options train;
    ecg_augment_options augmenting;
    ecg_standardize_fit_options standardizing;
    uint64_t cache;
    uint32_t checkpoint_every; /* steps; 0: epochs only */
    double checkpoint_minutes; /* 0: not by time */
    uint32_t skip_bad, quiet, json, profiling, summary, balance, augment_help, calibrate, gate;
} settings;
#define SETTINGS_INIT                                                                                        \
    {                                                                                                        \
        .tool = "ecg-train", .reduce = "exact", .statistics = "batch", .patience = 45, .net = "default",     \
        .profile = "correct", .split = "auto", .optimizer = "adam", .schedule = "constant",                  \
        .class_weight = "none", .augment = "none", .calibrate = 1, .gate = 1,                                \
        .train = ECG_TRAIN_OPTIONS_INIT, .standardizing = ECG_STANDARDIZE_FIT_OPTIONS_INIT                   \
    }

/* Read and check. OPTS_GO or the exit code. */
int settings_read(settings *s, int *argc, char **argv);

#endif
