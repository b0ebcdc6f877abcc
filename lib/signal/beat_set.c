#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "ecgcnn/beats.h"

enum { MOST_CLASSES = 64, NAME_CAP = 104, CODES_CAP = 64, MOST_BYTES = 1 << 16 };

struct class
{
    char name[NAME_CAP];
    char codes[CODES_CAP];
};

struct ecg_beat_set {
    uint32_t count;
    struct class cls[MOST_CLASSES];
    int8_t of[128]; /* class of a code, -1: none */
};

static const struct {
    const char *name, *text;
} SETS[] = {
    {"ecg7",
     "Left Bundle Branch Block = L\nNormal = N\nPaced = /\nPremature Atrial Contraction = A\n"
     "Premature Ventricular Contraction = V\nRight Bundle Branch Block = R\nVentricular Flutter = !\n"},
    {"jun8", "Left Bundle Branch Block = L\nNormal = N\nPaced = /\nPremature Atrial Contraction = A\n"
             "Premature Ventricular Contraction = V\nRight Bundle Branch Block = R\nVentricular Escape = E\n"
             "Ventricular Flutter = !\n"},
    {"aami5", "F = F\nN = N L R e j\nQ = / f Q\nS = A a J S\nV = V E\n"},
    {"seed6", "Left Bundle Branch Block = L\nNormal = N\nPremature Atrial Contraction = A\n"
              "Premature Ventricular Contractions = V E\nRight Bundle Branch Block = R\n"
              "Ventricular Fibrillation = !\n"},
};

struct line {
    const char *at, *name; /* name: of the text */
    size_t n, number;
};

static ecg_status complain(const struct line *l, ecg_error *err, const char *what)
{
    return ecg__fail(err, ECG_EFORMAT, "%s, line %zu: '%.*s': %s", l->name, l->number,
                     (int)(l->n < 80 ? l->n : 80), l->at, what);
}

static size_t trimmed(const char *at, size_t n)
{
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t' || at[n - 1] == '\r'))
        n--;
    return n;
}

static ecg_status read_name(struct ecg_beat_set *s, const struct line *l, size_t n, ecg_error *err)
{
    struct class *c = &s->cls[s->count];
    if (n == 0 || n > 100 || l->at[0] == '.')
        return complain(l, err, "a class name has 1 to 100 bytes and does not begin with a dot");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)l->at[i] < ' ' || l->at[i] == 127 || l->at[i] == '/')
            return complain(l, err, "a class name has no slash and no control character");
    memcpy(c->name, l->at, n);
    c->name[n] = '\0';
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->cls[i].name, c->name) == 0)
            return complain(l, err, "this class is there already");
    return ECG_OK;
}

static ecg_status read_codes(struct ecg_beat_set *s, const struct line *l, size_t at, ecg_error *err)
{
    struct class *c = &s->cls[s->count];
    size_t n = 0;
    for (; at < l->n; at++) {
        const char code = l->at[at];
        if (code == ' ' || code == '\t' || code == ',')
            continue;
        if (code <= 0 || ecg_annotation_from_char(code) == 0)
            return complain(l, err, "not an annotation code");
        if (s->of[(int)code] >= 0)
            return complain(l, err, "a code stands in one class only");
        if (n + 1 >= CODES_CAP)
            return complain(l, err, "too many codes");
        s->of[(int)code] = (int8_t)s->count;
        c->codes[n++] = code;
    }
    return n ? ECG_OK : complain(l, err, "expected codes after the =");
}

static ecg_status read_line(struct ecg_beat_set *s, const struct line *l, ecg_error *err)
{
    const char *sign = memchr(l->at, '=', l->n);
    if (!sign)
        return complain(l, err, "expected NAME = CODES");
    if (s->count == MOST_CLASSES)
        return complain(l, err, "more than 64 classes");
    ecg_status e = read_name(s, l, trimmed(l->at, (size_t)(sign - l->at)), err);
    if (e == ECG_OK)
        e = read_codes(s, l, (size_t)(sign - l->at) + 1, err);
    if (e == ECG_OK)
        s->count++;
    return e;
}

/* Classes in the order of their names. */
static void sort(struct ecg_beat_set *s)
{
    for (uint32_t i = 1; i < s->count; i++)
        for (uint32_t k = i; k > 0 && strcmp(s->cls[k].name, s->cls[k - 1].name) < 0; k--) {
            const struct class c = s->cls[k];
            s->cls[k] = s->cls[k - 1];
            s->cls[k - 1] = c;
        }
    for (uint32_t i = 0; i < s->count; i++)
        for (const char *c = s->cls[i].codes; *c; c++)
            s->of[(int)*c] = (int8_t)i;
}

static ecg_status parse(struct ecg_beat_set *s, const char *text, size_t n, const char *name, ecg_error *err)
{
    const char *at = text, *end = text + n;
    memset(s->of, -1, sizeof s->of);
    for (size_t number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct line l = {at, name, (size_t)((stop ? stop : end) - at), number};
        at = stop ? stop + 1 : end;
        while (l.n && (*l.at == ' ' || *l.at == '\t')) {
            l.at++;
            l.n--;
        }
        l.n = trimmed(l.at, l.n);
        if (l.n == 0 || *l.at == '#')
            continue;
        const ecg_status e = read_line(s, &l, err);
        if (e != ECG_OK)
            return e;
    }
    if (s->count == 0)
        return ecg__fail(err, ECG_EFORMAT, "%s: no class; expected lines NAME = CODES", name);
    sort(s);
    return ECG_OK;
}

ecg_status ecg_beat_set_parse(ecg_beat_set **out, const char *text, size_t n, const char *name,
                              ecg_error *err)
{
    if (!out || (!text && n))
        return ecg__fail(err, ECG_EINVAL, "class set: no text, or nowhere to put it");
    *out = NULL;
    struct ecg_beat_set *s = ecg__calloc(1, sizeof *s);
    if (!s)
        return ecg__fail(err, ECG_ENOMEM, "class set: out of memory");
    const ecg_status e = parse(s, text ? text : "", n, name ? name : "class set", err);
    if (e == ECG_OK)
        *out = s;
    else
        ecg__free(s);
    return e;
}

ecg_status ecg_beat_set_load(ecg_beat_set **out, const char *name, ecg_error *err)
{
    unsigned char *text = NULL;
    size_t n;
    if (!out || !name)
        return ecg__fail(err, ECG_EINVAL, "class set: no name, or nowhere to put it");
    *out = NULL;
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++)
        if (strcmp(name, SETS[i].name) == 0)
            return ecg_beat_set_parse(out, SETS[i].text, strlen(SETS[i].text), name, err);
    ecg_status e = ecg__file_read(&text, &n, name, MOST_BYTES, err);
    if (e != ECG_OK)
        return ecg__context(err, e, "class set, neither ecg7, jun8, aami5, seed6 nor a file of classes");
    e = ecg_beat_set_parse(out, (const char *)text, n, name, err);
    ecg__free(text);
    return e;
}

const char *ecg_beat_set_name(size_t i)
{
    return i < sizeof SETS / sizeof *SETS ? SETS[i].name : NULL;
}

uint32_t ecg_beat_set_classes(const ecg_beat_set *s)
{
    return s ? s->count : 0;
}

const char *ecg_beat_set_class(const ecg_beat_set *s, uint32_t i)
{
    return s && i < s->count ? s->cls[i].name : NULL;
}

const char *ecg_beat_set_codes(const ecg_beat_set *s, uint32_t i)
{
    return s && i < s->count ? s->cls[i].codes : NULL;
}

int ecg_beat_set_of(const ecg_beat_set *s, char code)
{
    return s && code > 0 ? s->of[(int)code] : -1;
}

char ecg_beat_set_code_of_name(const char *class_name)
{
    const size_t n = class_name ? strlen(class_name) : 0;
    if (n == 1 && class_name[0] > 0 && ecg_annotation_from_char(class_name[0]))
        return class_name[0];
    for (size_t i = 0; n && i < sizeof SETS / sizeof *SETS; i++)
        for (const char *at = SETS[i].text; *at; at = strchr(at, '\n') + 1)
            if (strncmp(at, class_name, n) == 0 && strncmp(at + n, " = ", 3) == 0)
                return at[n + 3];
    return '\0';
}

void ecg_beat_set_free(ecg_beat_set *s)
{
    ecg__free(s);
}
