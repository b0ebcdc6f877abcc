#include "signal/annotations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/status.h"
#include "signal/record.h"

struct ecg_annotations {
    ecg_annotation *all;
    size_t count;
    char *text; /* what aux points into */
    double rate;
    const char *custom_char[ECG_ANN_MAX + 1], *custom_name[ECG_ANN_MAX + 1];
};

void ecg_annotations_free(ecg_annotations *a)
{
    if (!a)
        return;
    ecg__free(a->all);
    ecg__free(a->text);
    ecg__free(a);
}

size_t ecg_annotations_count(const ecg_annotations *a)
{
    return a->count;
}

const ecg_annotation *ecg_annotations_get(const ecg_annotations *a, size_t i)
{
    return i < a->count ? &a->all[i] : NULL;
}

const ecg_annotation *ecg_annotations_all(const ecg_annotations *a)
{
    return a->all;
}

double ecg_annotations_rate(const ecg_annotations *a)
{
    return a->rate;
}

const char *ecg_annotations_custom_char(const ecg_annotations *a, uint8_t code)
{
    return code <= ECG_ANN_MAX ? a->custom_char[code] : NULL;
}

const char *ecg_annotations_custom_name(const ecg_annotations *a, uint8_t code)
{
    return code <= ECG_ANN_MAX ? a->custom_name[code] : NULL;
}

/* ---- bytes to annotations ---- */

/* Read twice: once to count, then into the arrays. */
typedef struct reader {
    const unsigned char *bytes;
    size_t n, at;
    const char *path;
    ecg_error *err;
    ecg_annotation *all; /* NULL while counting */
    char *text;
    size_t count, text_size;
} reader;

static ecg_status ends_early(const reader *r, size_t need)
{
    return ecg__fail(r->err, ECG_ECORRUPT, "%s: ends at byte %zu, expected %zu more bytes%s", r->path, r->n,
                     need - (r->n - r->at), need == 2 ? " (the end mark at the least)" : "");
}

static unsigned pair(const reader *r, size_t at)
{
    return r->bytes[at] | (unsigned)r->bytes[at + 1] << 8;
}

static ecg_status read_aux(reader *r, unsigned size)
{
    const size_t stored = size + (size & 1);
    if (size > 255)
        return ecg__fail(r->err, ECG_ECORRUPT, "%s: text of %u bytes at byte %zu, expected 255 at the most",
                         r->path, size, r->at - 2);
    if (r->n - r->at < stored)
        return ends_early(r, stored);
    if (r->all) {
        char *aux = r->text + r->text_size;
        memcpy(aux, r->bytes + r->at, size);
        aux[size] = '\0';
        r->all[r->count - 1].aux = aux;
        r->all[r->count - 1].aux_size = (uint8_t)size;
    }
    r->text_size += size + 1;
    r->at += stored;
    return ECG_OK;
}

/* NUM, SUB, CHN and AUX belong to the annotation before them. */
static ecg_status read_field(reader *r, unsigned code, unsigned v, ecg_annotation *state)
{
    ecg_annotation *last = r->all && r->count ? &r->all[r->count - 1] : NULL;
    if (code < ECG__ANN_NUM)
        return ecg__fail(r->err, ECG_ECORRUPT, "%s: code %u at byte %zu, expected 0 to 49 or 59 to 63",
                         r->path, code, r->at - 2);
    if (r->count == 0)
        return ecg__fail(r->err, ECG_ECORRUPT, "%s: code %u at byte %zu, expected an annotation before it",
                         r->path, code, r->at - 2);
    if (code == ECG__ANN_AUX)
        return read_aux(r, v);
    const int8_t byte = (int8_t)((int)((v & 0xff) ^ 0x80) - 0x80);
    if (code == ECG__ANN_NUM)
        state->num = byte;
    else if (code == ECG__ANN_CHN)
        state->chan = (uint8_t)v;
    if (last) {
        last->num = state->num;
        last->chan = state->chan;
        last->subtype = code == ECG__ANN_SUB ? byte : last->subtype;
    }
    return ECG_OK;
}

static ecg_status read_all(reader *r)
{
    ecg_annotation state = {0};
    int64_t time = 0;
    r->at = r->count = r->text_size = 0;
    for (;;) {
        if (r->n - r->at < 2)
            return ends_early(r, 2);
        const unsigned word = pair(r, r->at), code = word >> 10, interval = word & 0x3ff;
        r->at += 2;
        if (word == 0)
            return ECG_OK;
        if (code == ECG__ANN_SKIP) {
            if (r->n - r->at < 4)
                return ends_early(r, 4);
            const int64_t skip = (int64_t)pair(r, r->at) << 16 | pair(r, r->at + 2);
            time += skip > INT32_MAX ? skip - INT64_C(0x100000000) : skip;
            r->at += 4;
            continue;
        }
        if (code > ECG_ANN_MAX) {
            const ecg_status s = read_field(r, code, interval, &state);
            if (s != ECG_OK)
                return s;
            continue;
        }
        time += interval;
        if (time < 0)
            return ecg__fail(r->err, ECG_ECORRUPT,
                             "%s: annotation at byte %zu is at sample %lld, expected 0 or later", r->path,
                             r->at - 2, (long long)time);
        if (r->all) {
            state.sample = (uint64_t)time;
            state.code = (uint8_t)code;
            r->all[r->count] = state;
        }
        r->count++;
    }
}

/* ---- what the notes at the beginning say ---- */

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* "42 x Ectopic beat": code, mark, description. The text is cut into its words. */
static void define(ecg_annotations *a, char *text)
{
    unsigned code = 0;
    char *s = text + strspn(text, " ");
    for (; *s >= '0' && *s <= '9' && code <= ECG_ANN_MAX; s++)
        code = code * 10 + (unsigned)(*s - '0');
    if (*s != ' ' || code == 0 || code > ECG_ANN_MAX)
        return;
    s += strspn(s, " ");
    char *name = s + strcspn(s, " ");
    if (*name)
        *name++ = '\0';
    a->custom_char[code] = s;
    a->custom_name[code] = name + strspn(name, " ");
}

/* Take the notes that speak of the file itself out of its annotations. */
static ecg_status take_notes(ecg_annotations *a, const char *path, ecg_error *err)
{
    static const char resolution[] = "## time resolution:";
    size_t i = 0;
    bool defining = false, more = true;
    for (; more && i < a->count; i += more) {
        ecg_annotation *n = &a->all[i];
        if (n->sample != 0 || n->code != ECG_ANN_NOTE || !n->aux)
            break;
        if (defining && !starts(n->aux, "## end of definitions")) {
            define(a, a->text + (n->aux - a->text));
        } else if (defining) {
            defining = false;
        } else if (starts(n->aux, "## annotation type definitions")) {
            defining = true;
        } else if (starts(n->aux, resolution)) {
            const char *s = n->aux + strlen(resolution);
            s += strspn(s, " ");
            if (!ecg__number_read(s, strcspn(s, " "), &a->rate, NULL) || a->rate < 1e-6 || a->rate > 1e9)
                return ecg__fail(err, ECG_ECORRUPT, "%s: time resolution \"%.40s\", expected a number > 0",
                                 path, s);
        } else {
            more = false;
        }
    }
    a->count -= i;
    memmove(a->all, a->all + i, a->count * sizeof *a->all);
    return ECG_OK;
}

/* ---- order and time ---- */

typedef struct place {
    uint64_t sample;
    size_t i;
} place;

static int by_sample(const void *pa, const void *pb)
{
    const place *a = pa, *b = pb;
    if (a->sample != b->sample)
        return a->sample < b->sample ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

/* Stable. Nearly every file is in order already. */
static bool sort(ecg_annotations *a)
{
    size_t i = 1;
    while (i < a->count && a->all[i - 1].sample <= a->all[i].sample)
        i++;
    if (i >= a->count)
        return true;
    place *places = ecg__calloc(a->count, sizeof *places);
    ecg_annotation *sorted = ecg__calloc(a->count, sizeof *sorted);
    for (i = 0; places && sorted && i < a->count; i++)
        places[i] = (place){a->all[i].sample, i};
    if (places && sorted) {
        qsort(places, a->count, sizeof *places, by_sample);
        for (i = 0; i < a->count; i++)
            sorted[i] = a->all[places[i].i];
        ecg_annotation *old = a->all;
        a->all = sorted;
        sorted = old;
    }
    const bool done = places && sorted;
    ecg__free(places);
    ecg__free(sorted);
    return done;
}

/* Samples stay below 2^62: times of a file are below 2^60, and both rates are within 1e-6 ... 1e9. */
static ecg_status rescale(ecg_annotations *a, double rate, const char *path, ecg_error *err)
{
    if (rate == 0 || a->rate == 0 || a->rate == rate)
        return ECG_OK;
    for (size_t i = 0; i < a->count; i++) {
        const double t = floor((double)a->all[i].sample * rate / a->rate + 0.5);
        if (!(t < 4e18))
            return ecg__fail(err, ECG_ECORRUPT, "%s: annotation %zu is at %g frames, expected less than 4e18",
                             path, i, t);
        a->all[i].sample = (uint64_t)t;
    }
    return ECG_OK;
}

static ecg_status build(ecg_annotations *a, reader *r, double rate)
{
    ecg_status s = read_all(r);
    if (s != ECG_OK)
        return s;
    a->all = ecg__calloc(r->count + 1, sizeof *a->all);
    a->text = ecg__calloc(r->text_size + 1, 1);
    r->all = a->all;
    r->text = a->text;
    if (!a->all || !a->text)
        return ecg__fail(r->err, ECG_ENOMEM, "%s: out of memory", r->path);
    s = read_all(r);
    a->count = r->count;
    if (s == ECG_OK)
        s = take_notes(a, r->path, r->err);
    if (s == ECG_OK && !sort(a))
        s = ecg__fail(r->err, ECG_ENOMEM, "%s: out of memory", r->path);
    return s == ECG_OK ? rescale(a, rate, r->path, r->err) : s;
}

ecg_status ecg__annotations_parse(ecg_annotations **out, const unsigned char *bytes, size_t n, double rate,
                                  const char *path, ecg_error *err)
{
    *out = NULL;
    if (!(rate >= 0 && rate <= 1e9))
        return ecg__fail(err, ECG_EINVAL, "%s: rate %g, expected 0 to 1e9 a second", path, rate);
    ecg_annotations *a = ecg__calloc(1, sizeof *a);
    if (!a)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    reader r = {.bytes = bytes, .n = n, .path = path, .err = err};
    const ecg_status s = build(a, &r, rate);
    if (s != ECG_OK) {
        ecg_annotations_free(a);
        return s;
    }
    *out = a;
    return ECG_OK;
}

ecg_status ecg_annotations_read(ecg_annotations **out, const char *path, double rate, ecg_error *err)
{
    unsigned char *bytes;
    size_t n;
    *out = NULL;
    ecg_status s = ecg__file_read(&bytes, &n, path, ECG__ANN_FILE_BYTES, err);
    if (s != ECG_OK)
        return s;
    s = ecg__annotations_parse(out, bytes, n, rate, path, err);
    ecg__free(bytes);
    return s;
}

ecg_status ecg_record_annotations(ecg_annotations **out, const ecg_record *r, const char *annotator,
                                  ecg_error *err)
{
    *out = NULL;
    if (!annotator || !*annotator || strchr(annotator, '/'))
        return ecg__fail(err, ECG_EINVAL, "%s: annotator \"%s\", expected a name such as atr", r->path,
                         annotator ? annotator : "");
    const size_t n = strlen(r->base), m = strlen(annotator);
    char *path = ecg__alloc(n + m + 2);
    if (!path)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", r->path);
    memcpy(path, r->base, n);
    path[n] = '.';
    memcpy(path + n + 1, annotator, m + 1);
    ecg_status s = ecg_annotations_read(out, path, r->info.rate, err);
    const ecg_annotation *last = s == ECG_OK && (*out)->count ? &(*out)->all[(*out)->count - 1] : NULL;
    if (last && last->sample >= r->info.frames) {
        s = ecg__fail(err, ECG_ECORRUPT, "%s: annotation at frame %llu, but %s has %llu", path,
                      (unsigned long long)last->sample, r->path, (unsigned long long)r->info.frames);
        ecg_annotations_free(*out);
        *out = NULL;
    }
    ecg__free(path);
    return s;
}
