#define _POSIX_C_SOURCE 200809L
#include "common/keeping.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/paths.h"
#include "common/start.h"

int keeping_options(settings *s)
{
    const struct {
        const char *name, *path;
    } files[] = {{"-o", s->output},
                 {"--history", s->history},
                 {"--report", s->report},
                 {"--checkpoint", s->checkpoint},
                 {"--resume", s->resume}};
    if (!s->checkpoint && !s->resume && (s->checkpoint_every || s->checkpoint_minutes > 0))
        return opts_wrong(s->tool, "--checkpoint-every and --checkpoint-minutes need --checkpoint");
    /* Only the last two may be one. */
    for (int i = 0; i < 3; i++)
        for (int k = i + 1; k < 5; k++)
            if (files[i].path && files[k].path && paths_same(files[i].path, files[k].path))
                return opts_wrong(s->tool, "%s %s and %s %s are one file", files[i].name, files[i].path,
                                  files[k].name, files[k].path);
    if (!s->checkpoint)
        s->checkpoint = s->resume;
    if (s->checkpoint && !s->resume && !s->summary && !s->preview && access(s->checkpoint, F_OK) == 0)
        tool_warn("%s will be replaced; --resume %s would go on from it", s->checkpoint, s->checkpoint);
    return OPTS_GO;
}

static void fact(keeping *k, const char *key, const char *value)
{
    k->facts[2 * k->count] = key;
    k->facts[2 * k->count + 1] = value;
    k->count++;
}

static void number(keeping *k, const char *key, const char *format, uint64_t v)
{
    char *to = k->number[k->count];
    snprintf(to, sizeof k->number[0], format, v);
    fact(k, key, to);
}

void keeping_start(keeping *k, const settings *s, const ecg_loader *train, const ecg_loader *val,
                   const char *augment, const char *chosen)
{
    *k = (keeping){.options = ECG_CHECKPOINT_OPTIONS_INIT};
    const ecg_fingerprint t = ecg_loader_fingerprint(train), v = ecg_loader_fingerprint(val);
    number(k, "training pictures", "%" PRIu64, t.count);
    number(k, "validation pictures", "%" PRIu64, v.count);
    fact(k, "choice of validation pictures", chosen);
    number(k, "print of the names of training pictures", "%016" PRIx64, t.names);
    number(k, "print of the classes of training pictures", "%016" PRIx64, t.labels);
    number(k, "print of the pixels of training pictures", "%016" PRIx64, t.pixels);
    number(k, "print of the names of validation pictures", "%016" PRIx64, v.names);
    number(k, "print of the classes of validation pictures", "%016" PRIx64, v.labels);
    number(k, "print of the pixels of validation pictures", "%016" PRIx64, v.pixels);
    fact(k, "--augment", augment);
    fact(k, "--balance", s->balance ? "on" : "off");
    k->options.path = s->checkpoint;
    k->options.resume = s->resume;
    k->options.every_steps = s->checkpoint_every;
    k->options.every_seconds = 60.0 * s->checkpoint_minutes;
    k->options.facts = k->facts;
}

static int diverged(const settings *s, const fitlog *l, const ecg_error *err)
{
    tool_fail("%s; a lower learning rate (--lr, now %g) or --clip-norm may help", err->message,
              (double)s->train.lr);
    if (l->best.index)
        tool_warn("%s holds the best model, of epoch %u", s->output, l->best.index);
    else
        tool_warn("%s was not written: no epoch came to its end", s->output);
    if (s->checkpoint && access(s->checkpoint, F_OK) == 0)
        tool_warn("%s holds the last good checkpoint, which is a model file too", s->checkpoint);
    return EXIT_FAILED;
}

int keeping_end(const settings *s, const fitlog *l, ecg_status status, const ecg_error *err)
{
    if (l->not_begun)
        return EXIT_FAILED;
    if (status == ECG_ENUMERIC)
        return diverged(s, l, err);
    if (status != ECG_ECANCELLED)
        return tool_error(status, err);
    if (l->best.index)
        tool_warn("interrupted: %s holds the best model so far, of epoch %u", s->output, l->best.index);
    else
        tool_warn("interrupted: %s holds the model as it stood in the first epoch, never validated",
                  s->output);
    if (s->checkpoint)
        tool_warn("to go on as if nothing had happened: the same command with --resume %s", s->checkpoint);
    return EXIT_INTERRUPTED;
}
