#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "base/status.h"
#include "signal/annotations.h"

typedef struct writer {
    ecg__file *file;
    uint64_t time;
    uint8_t chan;
    int8_t num;
    ecg_error *err;
} writer;

static ecg_status put_pair(writer *w, unsigned v)
{
    const unsigned char bytes[2] = {(unsigned char)v, (unsigned char)(v >> 8)};
    return ecg__file_write(w->file, bytes, sizeof bytes, w->err);
}

static ecg_status put_field(writer *w, unsigned code, int v)
{
    return put_pair(w, code << 10 | ((unsigned)v & 0x3ff));
}

/* The interval since the last annotation that fits beside the code; long ones are skipped in steps first. */
static ecg_status put_skips(writer *w, uint64_t *interval)
{
    ecg_status s = ECG_OK;
    while (s == ECG_OK && *interval > 1023) {
        const uint32_t step = *interval > INT32_MAX ? INT32_MAX : (uint32_t)*interval;
        *interval -= step;
        s = put_field(w, ECG__ANN_SKIP, 0);
        if (s == ECG_OK)
            s = put_pair(w, step >> 16);
        if (s == ECG_OK)
            s = put_pair(w, step & 0xffff);
    }
    return s;
}

static ecg_status put_aux(writer *w, const char *aux, size_t n)
{
    ecg_status s = put_field(w, ECG__ANN_AUX, (int)n);
    if (s == ECG_OK)
        s = ecg__file_write(w->file, aux, n, w->err);
    return s == ECG_OK && n % 2 ? ecg__file_write(w->file, "", 1, w->err) : s;
}

static size_t aux_size(const ecg_annotation *a)
{
    return a->aux_size || !a->aux ? a->aux_size : strlen(a->aux);
}

static ecg_status put(writer *w, const ecg_annotation *a)
{
    uint64_t interval = a->sample - w->time;
    ecg_status s = put_skips(w, &interval);
    if (s == ECG_OK)
        s = put_pair(w, (unsigned)a->code << 10 | (unsigned)interval);
    if (s == ECG_OK && a->subtype != 0)
        s = put_field(w, ECG__ANN_SUB, a->subtype);
    if (s == ECG_OK && a->chan != w->chan)
        s = put_field(w, ECG__ANN_CHN, a->chan);
    if (s == ECG_OK && a->num != w->num)
        s = put_field(w, ECG__ANN_NUM, a->num);
    if (s == ECG_OK && a->aux)
        s = put_aux(w, a->aux, aux_size(a));
    w->time = a->sample;
    w->chan = a->chan;
    w->num = a->num;
    return s;
}

/* A code 0 with no interval would be the end mark. */
static ecg_status check(const ecg_annotation *a, size_t n, double rate, const char *path, ecg_error *err)
{
    if (!(rate >= 0 && rate <= 1e9))
        return ecg__fail(err, ECG_EINVAL, "%s: rate %g, expected 0 to 1e9 a second", path, rate);
    for (size_t i = 0; i < n; i++) {
        if (a[i].code == 0 || a[i].code > ECG_ANN_MAX)
            return ecg__fail(err, ECG_EINVAL, "%s: annotation %zu: code %u, expected 1 to %d", path, i,
                             a[i].code, ECG_ANN_MAX);
        if (a[i].sample > (UINT64_C(1) << 56) || (i > 0 && a[i].sample < a[i - 1].sample))
            return ecg__fail(err, ECG_EINVAL, "%s: annotation %zu: sample %llu, expected %llu to 2^56", path,
                             i, (unsigned long long)a[i].sample,
                             (unsigned long long)(i > 0 ? a[i - 1].sample : 0));
        if (aux_size(&a[i]) > 255)
            return ecg__fail(err, ECG_EINVAL,
                             "%s: annotation %zu: text of %zu bytes, expected 255 at the most", path, i,
                             aux_size(&a[i]));
    }
    return ECG_OK;
}

ecg_status ecg_annotations_write(const ecg_annotation *a, size_t n, double rate, const char *path,
                                 ecg_error *err)
{
    ecg_status s = check(a, n, rate, path, err);
    writer w = {.err = err};
    if (s == ECG_OK)
        s = ecg__file_create(&w.file, path, err);
    if (s != ECG_OK)
        return s;
    if (rate > 0) {
        char text[32 + ECG__NUMBER_TEXT] = "## time resolution: ";
        ecg__number_print(rate, text + strlen(text));
        const ecg_annotation note = {.code = ECG_ANN_NOTE, .aux = text};
        s = put(&w, &note);
    }
    for (size_t i = 0; s == ECG_OK && i < n; i++)
        s = put(&w, &a[i]);
    if (s == ECG_OK)
        s = put_pair(&w, 0);
    if (s == ECG_OK)
        return ecg__file_commit(w.file, false, err);
    ecg__file_abandon(w.file);
    return s;
}
