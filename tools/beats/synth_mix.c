/* How many synthetic beats of each class. */
#define _POSIX_C_SOURCE 200809L
#include "beats/synth_mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/opts.h"

/* What a class may be called, beside its folder's name and its annotation code. */
static const char *const SHORT[ECG_BEAT_CLASSES] = {"LBBB", "Normal", "Paced",  "PAC",
                                                    "PVC",  "RBBB",   "Flutter"};

static int class_of(const char *name, size_t n)
{
    for (int c = 0; c < ECG_BEAT_CLASSES; c++) {
        const char *full = ecg_beat_class_name((ecg_beat_class)c);
        if ((n == strlen(full) && strncasecmp(name, full, n) == 0) ||
            (n == strlen(SHORT[c]) && strncasecmp(name, SHORT[c], n) == 0) ||
            (n == 1 && *name == ecg_beat_class_code((ecg_beat_class)c)))
            return c;
    }
    return -1;
}

int synth_mix_parse(const char *command, const char *text, double part[ECG_BEAT_CLASSES])
{
    int seen[ECG_BEAT_CLASSES] = {0};
    double sum = 0;
    memset(part, 0, ECG_BEAT_CLASSES * sizeof *part);
    for (const char *at = text;;) {
        const size_t n = strcspn(at, ","), name = strcspn(at, "=");
        if (name >= n)
            return opts_wrong(command, "--mix %s: '%.*s' is not CLASS=PART", text, (int)n, at);
        const int c = class_of(at, name);
        if (c < 0)
            return opts_wrong(
                command, "--mix %s: no class '%.*s'; expected LBBB, Normal, Paced, PAC, PVC, RBBB or Flutter",
                text, (int)name, at);
        if (seen[c]++)
            return opts_wrong(command, "--mix %s: '%.*s' was given before", text, (int)name, at);
        char *end;
        const char first = at[name + 1];
        part[c] = strtod(at + name + 1, &end);
        if (end != at + n || !((first >= '0' && first <= '9') || first == '.') || !isfinite(part[c]) ||
            part[c] > 1e9)
            return opts_wrong(command, "--mix %s: '%.*s' is not a part, a number from 0 to 1e9", text,
                              (int)(n - name - 1), at + name + 1);
        sum += part[c];
        if (at[n] == '\0')
            break;
        at += n + 1;
    }
    if (sum <= 0)
        return opts_wrong(command, "--mix %s: nothing is left", text);
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        part[c] /= sum;
    return EXIT_DONE;
}

ecg_beat_class synth_mix_next(const double part[ECG_BEAT_CLASSES], uint64_t given[ECG_BEAT_CLASSES])
{
    uint64_t all = 1;
    int best = -1;
    double most = 0;
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        all += given[c];
    for (int c = 0; c < ECG_BEAT_CLASSES; c++) {
        const double behind = part[c] * (double)all - (double)given[c];
        if (part[c] > 0 && (best < 0 || behind > most)) {
            best = c;
            most = behind;
        }
    }
    if (best >= 0)
        given[best]++;
    return (ecg_beat_class)best;
}
