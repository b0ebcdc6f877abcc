#include "common/train_settings.h"

#include <string.h>

#include "common/augmenting.h"
#include "common/keeping.h"
#include "common/network.h"
#include "common/start.h"

static const char about[] = "Trains a convolutional network on a folder of pictures and writes the model "
                            "file. DATA has one folder per "
                            "class, or train/ with val/ and test/ beside it. Validation pictures select the "
                            "best epoch, whose model is in "
                            "MODEL at any time; test/ is reported once, at the end.";

static int read_options(settings *s, int *argc, char **argv)
{
    ecg_train_options *t = &s->train;
    ecg_standardize_fit_options *z = &s->standardizing;
    const opt_row rows[] = {
        {"Output", .kind = OPT_HEADING},
        {"output", 'o', "MODEL", OPT_STRING, &s->output, .help = "write the best model here (.ecgm)"},
        {"history", 0, "FILE", OPT_STRING, &s->history, .help = "write a CSV line for each epoch"},
        {"report", 0, "FILE", OPT_STRING, &s->report,
         .help = "write a report of the run when it ends: one page that needs no other file"},
        {"checkpoint", 0, "FILE", OPT_STRING, &s->checkpoint,
         .help = "after each epoch, and when interrupted, write here what --resume needs to go on"},
        {"checkpoint-every", 0, "STEPS", OPT_UINT, &s->checkpoint_every, 1, 1e9, .init = "epochs only",
         .help = "and after so many steps"},
        {"checkpoint-minutes", 0, "N", OPT_REAL, &s->checkpoint_minutes, 0, OPT_NO_END, OPT_ABOVE,
         .init = "not by time", .help = "and after so many minutes"},
        {"resume", 0, "FILE", OPT_STRING, &s->resume,
         .help = "go on from this checkpoint, and go on writing it; all other options as they were, but "
                 "--threads, --history, --report and (where the schedule allows it) --epochs"},
        {"summary", 0, NULL, OPT_FLAG, &s->summary, .help = "print the network and stop"},
        {"json", 0, NULL, OPT_FLAG, &s->json,
         .help = "print the result, or the network of --summary, as one JSON object"},
        {"profile-time", 0, NULL, OPT_FLAG, &s->profiling,
         .help = "print at the end where the time went, by stage and layer; so does --profile without a P"},
        {"quiet", 'q', NULL, OPT_FLAG, &s->quiet, .help = "print warnings and errors only"},
        {"Pictures", .kind = OPT_HEADING},
        {"val", 0, "DIR", OPT_STRING, &s->data.val, .help = "class folders with validation pictures"},
        {"val-split", 0, "F", OPT_REAL, &s->data.fraction, 0, 1, OPT_ABOVE | OPT_BELOW, .init = "0.1",
         .help = "part of the pictures that validates where there is no folder for it"},
        {"split", 0, "HOW", OPT_CHOICE, &s->split, .choices = "auto|stratified|leading|patient|group",
         .help = "how that part is chosen; auto: by group where one of the next two is given, by patient "
                 "where a manifest names them, else stratified"},
        {"group-pattern", 0, "RE", OPT_STRING, &s->data.group_pattern,
         .help = "who belongs together: what the first parenthesis of this regular expression finds in "
                 "CLASS/FILE"},
        {"group-column", 0, "NAME", OPT_STRING, &s->data.group_column,
         .help = "who belongs together: a column of manifest.csv"},
        {"color", 0, "C", OPT_CHOICE, &s->color, .choices = "gray|rgb",
         .init = "what the network reads, else gray", .help = "channels of a picture"},
        {"profile", 0, "P", OPT_CHOICE, &s->profile, .choices = "correct|keras",
         .help = "how files become pixels"},
        {"filter", 0, "F", OPT_CHOICE, &s->filter, .choices = "nearest|box|bilinear|hamming|bicubic|lanczos",
         .init = "bilinear, with --profile keras nearest", .help = "how pictures are resized"},
        {"rescale", 0, "F", OPT_FLOAT, &s->rescale, 0, OPT_NO_END, OPT_ABOVE, .init = "1/255",
         .help = "multiplies pixels"},
        {"samplewise-center", 0, NULL, OPT_FLAG, &z->samplewise_center,
         .help = "subtract each picture's own mean"},
        {"samplewise-std", 0, NULL, OPT_FLAG, &z->samplewise_std, .help = "and divide by its own deviation"},
        {"featurewise-center", 0, NULL, OPT_FLAG, &z->featurewise_center,
         .help = "subtract the mean of the training pictures"},
        {"featurewise-std", 0, NULL, OPT_FLAG, &z->featurewise_std, .help = "and divide by their deviation"},
        {"zca", 0, NULL, OPT_FLAG, &z->zca,
         .help =
             "whiten with a matrix learned from the training pictures, of up to 4096 values each; all five "
             "go into the model file"},
        {"zca-epsilon", 0, "F", OPT_REAL, &z->zca_epsilon, 0, OPT_NO_END, OPT_ABOVE, .init = "1e-6",
         .help = "added to the variances under the root"},
        {"keras-folders", 0, NULL, OPT_FLAG, &s->data.keras_rules,
         .help = "list folders as Keras does: hidden ones too, names without a dot, no manifest"},
        {"follow-links", 0, NULL, OPT_FLAG, &s->data.follow_links,
         .help = "enter folders that are links below a class folder"},
        {"cache", 0, "SIZE", OPT_BYTES, &s->cache, 1, OPT_NO_END, .init = "half of what is free",
         .help = "most memory for decoded pictures; those beyond it are decoded in each epoch"},
        {"skip-bad", 0, NULL, OPT_FLAG, &s->skip_bad, .help = "leave out pictures that cannot be read"},
        {"gate", 0, NULL, OPT_SWITCH, &s->gate,
         .help = "learn at the end what the training pictures look like, so that a picture that is no ECG is "
                 "refused (status 'not_ecg')"},
        {"calibrate", 0, NULL, OPT_SWITCH, &s->calibrate,
         .help =
             "at the end, fit the temperature of the best model's probabilities on the validation pictures"},
        {"Augmentation", .kind = OPT_HEADING},
        {"augment", 0, "TEXT", OPT_STRING, &s->augment,
         .help = "change training pictures at random: none, ecg or keras-seed, and overrides: "
                 "ecg,time_shift=0.08,zoom_range=0.9:1.1"},
        {"augment-help", 0, NULL, OPT_FLAG, &s->augment_help, .help = "explain every parameter and stop"},
        {"augment-preview", 0, "FILE", OPT_STRING, &s->preview,
         .help = "write a PNG with pictures of each class and what becomes of them, and stop"},
        {"balance", 0, NULL, OPT_FLAG, &s->balance,
         .help = "show every class as often as any other in an epoch"},
        {"Network", .kind = OPT_HEADING},
        {"net", 0, "NET", OPT_STRING, &s->net, .init = "the network 'default'",
         .help = "name of a network (below), its text, or @FILE"},
        {"size", 0, "HxW", OPT_SIZE, &s->size, 1, 4096, .init = "what the network says, else 64x64",
         .help = "rows and columns it reads"},
        {"Training", .kind = OPT_HEADING},
        {"epochs", 0, "N", OPT_UINT, &t->epochs, 1, 1e6, .help = "passes over the pictures"},
        {"batch", 0, "N", OPT_UINT, &t->batch, 1, 65536, .help = "pictures per step"},
        {"lr", 0, "F", OPT_FLOAT, &t->lr, 0, OPT_NO_END, OPT_ABOVE, .help = "learning rate"},
        {"optimizer", 0, "O", OPT_CHOICE, &s->optimizer, .choices = "adam|amsgrad|adamw|sgd|rmsprop",
         .help = "optimiser"},
        {"momentum", 0, "F", OPT_FLOAT, &t->momentum, 0, 1, OPT_BELOW, .help = "of sgd and rmsprop"},
        {"nesterov", 0, NULL, OPT_SWITCH, &t->nesterov, .help = "Nesterov's momentum for sgd"},
        {"weight-decay", 0, "F", OPT_FLOAT, &t->weight_decay, 0, OPT_NO_END,
         .help = "on kernels; with adamw apart from the gradient"},
        {"l2", 0, "F", OPT_FLOAT, &t->l2, 0, OPT_NO_END,
         .help = "adds F times the squared kernels to the loss"},
        {"clip-norm", 0, "F", OPT_FLOAT, &t->clip_norm, 0, OPT_NO_END, .init = "0: off",
         .help = "largest norm of the gradient"},
        {"clip-value", 0, "F", OPT_FLOAT, &t->clip_value, 0, OPT_NO_END, .init = "0: off",
         .help = "largest entry of the gradient"},
        {"schedule", 0, "S", OPT_CHOICE, &s->schedule,
         .choices = "constant|step|exponential|cosine|one-cycle|plateau", .help = "of the learning rate"},
        {"every", 0, "N", OPT_UINT, &t->every, 1, 1e6, .help = "epochs of step, exponential and plateau"},
        {"gamma", 0, "F", OPT_FLOAT, &t->gamma, 0, 1, OPT_ABOVE,
         .help = "factor of step, exponential and plateau"},
        {"lr-min", 0, "F", OPT_FLOAT, &t->lr_min, 0, OPT_NO_END, .help = "lowest rate of cosine and plateau"},
        {"warmup", 0, "N", OPT_UINT, &t->warmup, 0, 1e6, .help = "epochs in which cosine first rises"},
        {"label-smoothing", 0, "F", OPT_FLOAT, &t->label_smoothing, 0, 1, OPT_BELOW,
         .help = "part of a label that is shared by all classes"},
        {"class-weight", 0, "W", OPT_CHOICE, &s->class_weight, .choices = "none|balanced",
         .help = "balanced: rare classes weigh more, n / (classes * n of the class)"},
        {"weighted-mean", 0, NULL, OPT_SWITCH, &t->weighted_mean,
         .help = "divide a weighted loss by the weights (PyTorch), not by the pictures (Keras)"},
        {"early-stop", 0, "N", OPT_UINT, &t->early_stop, 0, 1e6, .init = "0: never",
         .help = "stop after N epochs without a better validation loss"},
        {"seed", 0, "N", OPT_UINT64, &t->seed, .help = "same seed, same pictures: same model"},
        {"shards", 0, "N", OPT_UINT, &t->shards, 1, 1024, .init = "16",
         .help =
             "parts a batch is cut into, one or more for each rank of ecg-train-mpi; they decide the last "
             "digits of sums"},
        {"threads", 0, "N", OPT_UINT, &t->threads, 1, 256, .init = "one per core", .help = "threads to use"},
        {"Ranks", .kind = OPT_HEADING},
        {"reduce", 0, "HOW", OPT_CHOICE, &s->reduce, .choices = "exact|fast",
         .help = "how ranks add up gradients; exact: the model is that of one process, bit for bit; fast: "
                 "equal but for rounding"},
        {"statistics", 0, "OF", OPT_CHOICE, &s->statistics, .choices = "batch|rank",
         .help = "what batch normalisation sees; rank: each rank's own pictures, with --reduce fast only"},
        {"patience", 0, "SECONDS", OPT_REAL, &s->patience, 0, OPT_NO_END, OPT_ABOVE,
         .help = "end the job when a rank has waited so long for the others within a step"},
    };
    enum { OF_RANKS = 4 }; /* the last rows */
    const size_t count = OPT_COUNT(rows) - (strcmp(s->tool, "ecg-train") == 0 ? OF_RANKS : 0);
    const opt_command command = {s->tool,       "DATA -o MODEL [options]", about, rows, count, 1, 1,
                                 network_help()};
    return opts_parse(&command, argc, argv);
}

/* Names to values, and what a table cannot check. OPTS_GO or the exit code. */
static int check_options(settings *s)
{
    static const char *const modes[] = {"auto", "stratified", "leading", "patient", "group"};
    ecg_error err = {0};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(modes[i], s->split) == 0)
            s->data.mode = (ecg_split_mode)i;
    s->data.seed = s->train.seed;
    if (ecg_optimizer_parse(&s->train.optimizer, s->optimizer) != ECG_OK ||
        ecg_schedule_parse(&s->train.schedule, s->schedule) != ECG_OK)
        return tool_fail("this library knows no optimiser '%s' or no schedule '%s'", s->optimizer,
                         s->schedule);
    if (s->data.group_pattern && s->data.group_column)
        return opts_wrong(s->tool, "--group-pattern and --group-column exclude each other");
    if (s->data.mode == ECG_SPLIT_BY_GROUP && !s->data.group_pattern && !s->data.group_column)
        return opts_wrong(s->tool, "--split group needs --group-pattern or --group-column");
    if (s->balance && strcmp(s->class_weight, "balanced") == 0)
        return opts_wrong(s->tool, "--balance and --class-weight balanced exclude each other: both make "
                                   "rare classes count more");
    if (ecg_augment_parse(&s->augmenting, s->augment, &err) != ECG_OK)
        return opts_wrong(s->tool, "--augment: %s", err.message);
    if (s->augmenting.mixup > 0)
        return opts_wrong(s->tool, "--augment: mixup needs mixed labels, which a training loop of your own "
                                   "gets from ecg_batches; ecg-train has whole ones");
    s->train.reduce = strcmp(s->reduce, "fast") == 0 ? ECG_REDUCE_FAST : ECG_REDUCE_EXACT;
    s->train.local_statistics = strcmp(s->statistics, "rank") == 0;
    if (s->train.local_statistics && s->train.reduce != ECG_REDUCE_FAST)
        return opts_wrong(s->tool, "--statistics rank needs --reduce fast");
    if (!s->output && !s->summary && !s->preview)
        return opts_wrong(s->tool, "where to? -o MODEL is missing");
    const int kept = keeping_options(s);
    if (kept != OPTS_GO)
        return kept;
    if (s->data.val && s->data.fraction > 0)
        return opts_wrong(s->tool, "--val and --val-split exclude each other");
    if (ecg_train_options_check(&s->train, &err) != ECG_OK)
        return opts_wrong(s->tool, "%s", err.message);
    return OPTS_GO;
}

/* Asked for alone, without DATA. */
static int wants_augment_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--augment-help") == 0)
            return 1;
    return 0;
}

/* `--profile` without the name of a way to read files asks for times: taken out of the arguments. */
static void take_bare_profile(settings *s, int *argc, char **argv)
{
    int kept = 0, ended = 0;
    for (int i = 0; i < *argc; i++) {
        const char *next = i + 1 < *argc ? argv[i + 1] : "";
        ended |= strcmp(argv[i], "--") == 0;
        if (!ended && i > 0 && strcmp(argv[i], "--profile") == 0 && strcmp(next, "correct") != 0 &&
            strcmp(next, "keras") != 0)
            s->profiling = 1;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
}

int settings_read(settings *s, int *argc, char **argv)
{
    if (wants_augment_help(*argc, argv)) {
        augmenting_help(stdout);
        return EXIT_DONE;
    }
    take_bare_profile(s, argc, argv);
    const int code = read_options(s, argc, argv);
    if (code != OPTS_GO)
        return code;
    s->data.dir = argv[1];
    return check_options(s);
}
