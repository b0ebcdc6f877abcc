#define _POSIX_C_SOURCE 200809L
/* What a file holds, as records: a letter, eight bytes of length, and so many bytes. Writer and reader run on
 * the same machine, but the reader believes nothing. */
#include <stdlib.h>
#include <string.h>

#include "model/keras.h"

enum { HEAD = 9, SHAPE = 5 * sizeof(uint32_t), ERROR_BYTES = 600 };

static bool put(FILE *to, char kind, const void *data, size_t bytes)
{
    const uint64_t n = bytes;
    unsigned char head[HEAD] = {(unsigned char)kind};
    memcpy(head + 1, &n, sizeof n);
    return fwrite(head, 1, sizeof head, to) == sizeof head && fwrite(data, 1, bytes, to) == bytes;
}

bool keras_put_config(FILE *to, const char *text, size_t bytes)
{
    return put(to, 'C', text, bytes);
}

bool keras_put_version(FILE *to, const char *text)
{
    return put(to, 'V', text, strlen(text));
}

bool keras_put_group(FILE *to, const char *layer)
{
    return put(to, 'G', layer, strlen(layer));
}

bool keras_put_weight(FILE *to, const char *name, uint32_t rank, const uint32_t dims[4], const float *value)
{
    unsigned char head[SHAPE + KERAS_NAME];
    const size_t length = strlen(name);
    size_t count = 1;
    if (length >= KERAS_NAME || rank > 4)
        return false;
    for (uint32_t d = 0; d < rank; d++)
        count *= dims[d];
    memcpy(head, &rank, sizeof rank);
    memcpy(head + sizeof rank, dims, 4 * sizeof *dims);
    memcpy(head + SHAPE, name, length);
    return put(to, 'W', head, SHAPE + length) && put(to, 'D', value, count * sizeof *value);
}

bool keras_put_end(FILE *to, ecg_status s, const ecg_error *err)
{
    unsigned char head[sizeof(int32_t) + sizeof err->message];
    const int32_t status = s;
    const size_t length = s == ECG_OK ? 0 : strnlen(err->message, sizeof err->message - 1);
    memcpy(head, &status, sizeof status);
    if (length)
        memcpy(head + sizeof status, err->message, length);
    return put(to, 'Z', head, sizeof status + length) && fflush(to) == 0;
}

/* ---- reading ---- */

struct reader {
    keras_file *out;
    FILE *from;
    const char *path;
    ecg_error *err;
    uint64_t floats; /* so far */
    bool wanted;     /* the values of the last weight come next */
};

static ecg_status broken(const struct reader *r, const char *what)
{
    return import_fail(r->err, ECG_ECORRUPT, "%s: reading it went wrong: %s", r->path, what);
}

/* `bytes` of text, with a NUL that it must not hold itself. */
static ecg_status get_text(const struct reader *r, char *to, uint64_t bytes, size_t cap)
{
    if (bytes >= cap)
        return broken(r, "a name or text is too long");
    if (fread(to, 1, (size_t)bytes, r->from) != bytes)
        return broken(r, "it ended early");
    to[bytes] = '\0';
    return strlen(to) == bytes ? ECG_OK : broken(r, "a name or text with a zero byte in it");
}

static ecg_status get_config(const struct reader *r, uint64_t bytes)
{
    if (r->out->config || bytes > KERAS_CONFIG)
        return broken(r, "the configuration comes twice, or is too long");
    r->out->config = malloc((size_t)bytes + 1);
    if (!r->out->config)
        return import_fail(r->err, ECG_ENOMEM, "%s: out of memory", r->path);
    r->out->config_bytes = (size_t)bytes;
    return get_text(r, r->out->config, bytes, (size_t)bytes + 1);
}

static ecg_status get_group(const struct reader *r, uint64_t bytes)
{
    keras_file *f = r->out;
    if (f->groups == KERAS_LAYERS)
        return broken(r, "too many layers");
    keras_group **more = realloc(f->group, (f->groups + 1) * sizeof *more);
    if (more)
        f->group = more;
    keras_group *g = calloc(1, sizeof *g);
    if (!more || !g) {
        free(g);
        return import_fail(r->err, ECG_ENOMEM, "%s: out of memory", r->path);
    }
    f->group[f->groups++] = g;
    return get_text(r, g->layer, bytes, sizeof g->layer);
}

static keras_weight *last_weight(const struct reader *r)
{
    keras_group *g = r->out->groups ? r->out->group[r->out->groups - 1] : NULL;
    return g && g->weights ? &g->weight[g->weights - 1] : NULL;
}

static ecg_status get_weight(struct reader *r, uint64_t bytes)
{
    keras_group *g = r->out->groups ? r->out->group[r->out->groups - 1] : NULL;
    if (!g || g->weights == KERAS_WEIGHTS || bytes < SHAPE)
        return broken(r, "a weight without a layer, or too many of them");
    keras_weight *w = &g->weight[g->weights];
    uint32_t shape[5];
    if (fread(shape, 1, sizeof shape, r->from) != sizeof shape)
        return broken(r, "it ended early");
    uint64_t count = 1;
    for (uint32_t d = 0; d < 4; d++) {
        w->dims[d] = shape[d + 1];
        if (d < shape[0] && (w->dims[d] == 0 || w->dims[d] > KERAS_FLOATS))
            return broken(r, "a shape that cannot be");
        count *= d < shape[0] ? w->dims[d] : 1;
        if (count > KERAS_FLOATS)
            return broken(r, "a weight is too large");
    }
    r->floats += count;
    if (shape[0] > 4 || r->floats > KERAS_FLOATS)
        return broken(r, "too many values");
    w->rank = shape[0];
    w->count = (size_t)count;
    g->weights++;
    r->wanted = true;
    return get_text(r, w->name, bytes - SHAPE, sizeof w->name);
}

/* Room is taken piece by piece, as values arrive. */
static ecg_status get_data(struct reader *r, uint64_t bytes)
{
    enum { FIRST = 1 << 20 };
    keras_weight *w = last_weight(r);
    if (!r->wanted || !w || bytes != w->count * sizeof *w->value)
        return broken(r, "values without a shape, or of another number");
    r->wanted = false;
    size_t room = 0;
    for (size_t got = 0; got < w->count; got = room) {
        room = room == 0 ? FIRST : 2 * room;
        if (room > w->count)
            room = w->count;
        float *more = realloc(w->value, room * sizeof *more);
        if (!more)
            return import_fail(r->err, ECG_ENOMEM, "%s: out of memory", r->path);
        w->value = more;
        if (fread(w->value + got, sizeof *more, room - got, r->from) != room - got)
            return broken(r, "it ended early");
    }
    return ECG_OK;
}

static ecg_status get_end(const struct reader *r, uint64_t bytes)
{
    int32_t status;
    char text[ERROR_BYTES];
    if (r->wanted || bytes < sizeof status || fread(&status, sizeof status, 1, r->from) != 1)
        return broken(r, "it ended early");
    const ecg_status s = get_text(r, text, bytes - sizeof status, sizeof text);
    if (s != ECG_OK || status == ECG_OK)
        return s;
    if (text[0] == '\0')
        return broken(r, "nobody knows why");
    static const ecg_status may[] = {ECG_ENOMEM,   ECG_EIO,    ECG_EFORMAT,
                                     ECG_ECORRUPT, ECG_ELIMIT, ECG_EUNSUPPORTED};
    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        if (status == (int32_t)may[i])
            return import_fail(r->err, may[i], "%s", text);
    return import_fail(r->err, ECG_EFORMAT, "%s", text);
}

ecg_status keras_records_read(keras_file *out, FILE *from, const char *path, bool *whole, ecg_error *err)
{
    struct reader r = {.out = out, .from = from, .path = path, .err = err};
    ecg_status s = ECG_OK;
    *whole = false;
    *out = (keras_file){0};
    while (s == ECG_OK) {
        unsigned char head[HEAD];
        uint64_t bytes;
        if (fread(head, 1, sizeof head, from) != sizeof head)
            return broken(&r, "it ended early");
        memcpy(&bytes, head + 1, sizeof bytes);
        if (r.wanted && head[0] != 'D')
            return broken(&r, "a weight without values");
        switch (head[0]) {
        case 'C':
            s = get_config(&r, bytes);
            break;
        case 'V':
            s = get_text(&r, out->version, bytes, sizeof out->version);
            break;
        case 'G':
            s = get_group(&r, bytes);
            break;
        case 'W':
            s = get_weight(&r, bytes);
            break;
        case 'D':
            s = get_data(&r, bytes);
            break;
        case 'Z':
            s = get_end(&r, bytes);
            *whole = true;
            return s;
        default:
            s = broken(&r, "a record of no known kind");
        }
    }
    return s;
}

void keras_file_free(keras_file *f)
{
    free(f->config);
    for (size_t i = 0; i < f->groups; i++) {
        for (uint32_t k = 0; k < f->group[i]->weights; k++)
            free(f->group[i]->weight[k].value);
        free(f->group[i]);
    }
    free(f->group);
    *f = (keras_file){0};
}
