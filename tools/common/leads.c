#define _POSIX_C_SOURCE 200809L
#include "common/leads.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"

enum { FRAMES = 8192 }; /* read at a time */

/* One or two signals of all frames. */
static int read_signals(leads *l, ecg_record *record, int64_t lead, int64_t second)
{
    const uint32_t signals = ecg_record_get_info(record)->signals;
    ecg_error err = {0};
    ecg_status s = ECG_OK;
    float *frames = malloc((size_t)FRAMES * signals * sizeof *frames);
    l->mv = malloc((l->n + 1) * sizeof *l->mv);
    if (second >= 0)
        l->second = malloc((l->n + 1) * sizeof *l->second);
    if (!frames || !l->mv || (second >= 0 && !l->second)) {
        free(frames);
        return tool_fail("%s: out of memory", l->name);
    }
    for (size_t at = 0; at < l->n && s == ECG_OK; at += FRAMES) {
        const size_t n = l->n - at < FRAMES ? l->n - at : FRAMES;
        s = ecg_record_read(record, at, n, frames, &err);
        for (size_t i = 0; i < n && s == ECG_OK; i++) {
            l->mv[at + i] = frames[i * signals + (size_t)lead];
            if (second >= 0)
                l->second[at + i] = frames[i * signals + (size_t)second];
        }
    }
    free(frames);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

static int is_beat(uint8_t code)
{
    return ecg_annotation_is_beat(code) || code == ECG_ANN_FLWAV;
}

static int read_notes(leads *l, const ecg_record *record, const char *annotator)
{
    ecg_annotations *a = NULL;
    ecg_error err = {0};
    const ecg_status s = ecg_record_annotations(&a, record, annotator, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    const size_t n = ecg_annotations_count(a);
    l->at = malloc((n + 1) * sizeof *l->at);
    l->code = malloc(n + 1);
    for (size_t i = 0; i < n && l->at && l->code; i++) {
        const ecg_annotation *note = ecg_annotations_get(a, i);
        if (!is_beat(note->code) || note->sample >= l->n) {
            l->other++;
            continue;
        }
        l->at[l->count] = note->sample;
        l->code[l->count++] = ecg_annotation_char(note->code);
    }
    ecg_annotations_free(a);
    return l->at && l->code ? EXIT_DONE : tool_fail("%s: out of memory", l->name);
}

static int find_beats(leads *l)
{
    ecg_error err = {0};
    uint64_t *at = NULL;
    const ecg_status s = ecg_beats_detect(&at, &l->count, l->mv, l->n, l->rate, NULL, &err);
    if (s != ECG_OK)
        return tool_fail("%s: %s", l->name, err.message);
    l->found = 1;
    l->at = malloc((l->count + 1) * sizeof *l->at);
    l->code = malloc(l->count + 1);
    if (l->at && l->code) {
        memcpy(l->at, at, l->count * sizeof *at);
        memset(l->code, '?', l->count);
    }
    ecg_beats_free(at);
    return l->at && l->code ? EXIT_DONE : tool_fail("%s: out of memory", l->name);
}

/* Is NAME.atr there, beside the header or file that was opened? */
static int has_notes(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    const size_t n = strlen(path),
                 stem = dot && (!slash || dot > slash) && dot != path ? (size_t)(dot - path) : n;
    char *name = malloc(n + 8);
    if (!name)
        return 0;
    snprintf(name, n + 8, "%s.atr", path);
    int there = access(name, R_OK) == 0;
    snprintf(name, n + 8, "%.*s.atr", (int)stem, path);
    there = there || access(name, R_OK) == 0;
    free(name);
    return there;
}

int leads_open(leads *l, const char *path, const ecg_recipe *r, const char *annotator, int signals)
{
    ecg_record *record = NULL;
    ecg_error err = {0};
    int64_t lead, second;
    *l = (leads){.n = 0};
    ecg_status s = ecg_record_open(&record, path, NULL, &err);
    if (s == ECG_OK)
        s = ecg_recipe_signals(r, record, &lead, &second, &err);
    if (s != ECG_OK) {
        ecg_record_close(record);
        return tool_error(s, &err);
    }
    const ecg_record_info *info = ecg_record_get_info(record);
    const int notes = strcmp(annotator, "none") != 0 && (strcmp(annotator, "auto") != 0 || has_notes(path));
    snprintf(l->name, sizeof l->name, "%s", info->name);
    snprintf(l->lead, sizeof l->lead, "%s", ecg_record_signal(record, (uint32_t)lead)->name);
    l->rate = info->rate;
    l->n = (size_t)info->frames;
    int code = EXIT_DONE;
    if (notes)
        code = read_notes(l, record, strcmp(annotator, "auto") == 0 ? "atr" : annotator);
    if (code == EXIT_DONE && (signals || !notes))
        code = read_signals(l, record, lead, second);
    if (code == EXIT_DONE && !notes)
        code = find_beats(l);
    ecg_record_close(record);
    return code;
}

void leads_close(leads *l)
{
    free(l->mv);
    free(l->second);
    free(l->at);
    free(l->code);
    *l = (leads){.n = 0};
}
