/* From a folder of pictures to a pack. A manifest is read twice, as a stream: for the classes, and for the
 * pictures. A folder without one is listed first, in memory. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/csv_stream.h"
#include "data/manifest.h"
#include "data/pack_format.h"
#include "data/pack_write.h"
#include "data/scan.h"
#include "ecgcnn/image.h"

enum { REPORT = 256 };

static const char *const usual[] = {"patient", "record", "lead", "code", "split"};
enum { USUAL = sizeof usual / sizeof usual[0] };

struct make {
    const char *dir;
    ecg_pack_options o;
    struct ecg__listing l; /* of a folder; of a manifest only its root */
    char *manifest;        /* its path; NULL: there is none */
    struct ecg__words classes;
    uint64_t total, done;
    const char *column[ECG__PACK_COLUMNS + USUAL];
    int at[ECG__PACK_COLUMNS + USUAL]; /* in the manifest */
    uint32_t columns;
    size_t fields;
    int image, cls, split;
    char *path; /* room for root/name */
    size_t path_room;
    ecg_pack_writer *w;
};

static ecg_status no_memory(const struct make *m, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory", m->l.root);
}

/* ---- One picture ---- */
static const char *path_of(struct make *m, const char *name)
{
    const size_t need = m->l.prefix + strlen(name) + 1;
    if (need > m->path_room) {
        ecg__free(m->path);
        m->path_room = 2 * need;
        m->path = ecg__alloc(m->path_room);
    }
    if (m->path) {
        memcpy(m->path, m->l.root, m->l.prefix - 1);
        m->path[m->l.prefix - 1] = '/';
        strcpy(m->path + m->l.prefix, name);
    } else {
        m->path_room = 0;
    }
    return m->path;
}

/* Gray kinds of PNG need no second look. */
static bool says_gray(const unsigned char *p, size_t n)
{
    return n > 26 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0 && (p[25] == 0 || p[25] == 4);
}

static ecg_status check_gray(const unsigned char *data, size_t n, const char *path, ecg_error *err)
{
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    ecg_pixels *px = NULL;
    if (says_gray(data, n))
        return ECG_OK;
    o.color = ECG_COLOR_RGB;
    ecg_status s = ecg_pixels_decode(&px, data, n, path, &o, err);
    if (s != ECG_OK)
        return s;
    const ecg_image v = ecg_pixels_view(px);
    for (size_t i = 0; s == ECG_OK && i < (size_t)v.w * v.h; i++)
        if (v.px[3 * i] != v.px[3 * i + 1] || v.px[3 * i] != v.px[3 * i + 2])
            s = ecg__fail(err, ECG_EUNSUPPORTED,
                          "%s: is coloured; gray pixels are kept of gray pictures only", path);
    ecg_pixels_free(px);
    return s;
}

/* The picture as it is stored: the file's bytes in *file, or pixels. */
static ecg_status load(struct make *m, const char *name, unsigned char **file, size_t *n, ecg_pixels **px,
                       ecg_error *err)
{
    const char *path = path_of(m, name);
    *file = NULL;
    *px = NULL;
    if (!path)
        return no_memory(m, err);
    ecg_status s = ecg__file_read(file, n, path, ECG__PACK_PICTURE, err);
    if (s == ECG_OK && *n == 0)
        s = ecg__fail(err, ECG_EFORMAT, "%s: is empty, expected a PNG or JPEG picture", path);
    if (s != ECG_OK || !m->o.pixels)
        return s;
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    s = check_gray(*file, *n, path, err);
    if (s == ECG_OK)
        s = ecg_pixels_decode(px, *file, *n, path, &o, err);
    if (s != ECG_OK)
        return s;
    const ecg_image v = ecg_pixels_view(*px);
    *n = (size_t)v.w * v.h;
    if (m->w && (v.h != m->o.h || v.w != m->o.w))
        s = ecg__fail(err, ECG_EINVAL,
                      "%s: is %ux%u, the first picture is %ux%u; pixels are kept of one size", path, v.h, v.w,
                      m->o.h, m->o.w);
    m->o.h = v.h;
    m->o.w = v.w;
    return s;
}

static ecg_status pack_one(struct make *m, const char *name, uint32_t label, const char *const *values,
                           uint64_t line, ecg_error *err)
{
    unsigned char *file;
    ecg_pixels *px;
    size_t n = 0;
    ecg_status s = load(m, name, &file, &n, &px, err);
    if (s == ECG_OK)
        s = ecg__pack_add(m->w, name, label, values, px ? ecg_pixels_view(px).px : file, n, line, err);
    ecg__free(file);
    ecg_pixels_free(px);
    if (s == ECG_OK && ++m->done % REPORT == 0 && m->o.progress &&
        m->o.progress(m->o.payload, m->done, m->total) != 0)
        s = ecg__fail(err, ECG_ECANCELLED, "%s: packing was stopped by the caller", m->dir);
    return s;
}

/* All that the writer needs to know is known. */
static ecg_status begin(struct make *m, const char *first, ecg_error *err)
{
    ecg_pack_options o = m->o;
    const char **names = ecg__calloc(m->classes.count, sizeof *names);
    ecg_status s = names ? ECG_OK : no_memory(m, err);
    if (s == ECG_OK && m->o.pixels) {
        unsigned char *file;
        ecg_pixels *px;
        size_t n;
        s = load(m, first, &file, &n, &px, err);
        ecg__free(file);
        ecg_pixels_free(px);
        o.h = m->o.h;
        o.w = m->o.w;
    }
    for (size_t i = 0; s == ECG_OK && i < m->classes.count; i++)
        names[i] = ecg__words_at(&m->classes, (uint32_t)i);
    o.classes = names;
    o.class_count = (uint32_t)m->classes.count;
    o.columns = m->column;
    o.column_count = m->columns;
    if (s == ECG_OK)
        s = ecg_pack_writer_new(&m->w, m->dir, &o, err);
    ecg__free(names);
    return s;
}

/* ---- A manifest ---- */
static ecg_status take_columns(struct make *m, const struct ecg__csv *c, ecg_error *err)
{
    m->fields = c->fields;
    m->split = ecg__csv_column(c, "split");
    for (uint32_t i = 0; i < USUAL + m->o.column_count; i++) {
        const char *name = i < USUAL ? usual[i] : m->o.columns[i - USUAL];
        const int at = ecg__csv_column(c, name);
        if (at < 0 && i >= USUAL)
            return ecg__fail(err, ECG_EINVAL, "%s:%zu: no column \"%s\" among %zu", c->path, c->line, name,
                             c->fields);
        bool twice = at < 0 || at == m->image || at == m->cls;
        for (uint32_t k = 0; k < m->columns; k++)
            twice |= m->at[k] == at;
        if (!twice) {
            m->column[m->columns] = name;
            m->at[m->columns++] = at;
        }
    }
    return ECG_OK;
}

/* The next picture, its line checked; *c is NULL at the end. */
static ecg_status next_row(const struct make *m, struct ecg__csv_stream *s, struct ecg__csv **c,
                           ecg_error *err)
{
    ecg_status st = ecg__csv_stream_next(s, c, err);
    if (st == ECG_OK && *c)
        st = ecg__manifest_row(*c, m->fields, m->image, m->split, err);
    if (st == ECG_OK && *c && (*c)->length[m->cls] == 0)
        st = ecg__fail(err, ECG_EFORMAT, "%s:%zu: the class is empty", (*c)->path, (*c)->line);
    return st;
}

static ecg_status find_classes(struct make *m, struct ecg__csv_stream *s, char **first, ecg_error *err)
{
    struct ecg__csv *c;
    ecg_status st = ecg__csv_stream_next(s, &c, err);
    if (st == ECG_OK && !c)
        st = ecg__fail(err, ECG_EFORMAT, "%s: empty, expected a line with the columns' names", m->manifest);
    if (st == ECG_OK)
        st = ecg__manifest_header(c, &m->image, &m->cls, err);
    if (st == ECG_OK)
        st = take_columns(m, c, err);
    while (st == ECG_OK && (st = next_row(m, s, &c, err)) == ECG_OK && c) {
        uint32_t number;
        if (!*first)
            *first = ecg__strdup(c->field[m->image]);
        if (!*first || !ecg__words_add(&m->classes, c->field[m->cls], c->length[m->cls], &number))
            return no_memory(m, err);
        m->total++;
    }
    if (st == ECG_OK && m->total == 0)
        st = ecg__fail(err, ECG_EINVAL, "%s: no pictures", m->manifest);
    return st;
}

static ecg_status pack_rows(struct make *m, struct ecg__csv_stream *s, ecg_error *err)
{
    struct ecg__csv *c;
    ecg_status st = ecg__csv_stream_next(s, &c, err);
    while (st == ECG_OK && c && (st = next_row(m, s, &c, err)) == ECG_OK && c) {
        const char *values[ECG__PACK_COLUMNS + USUAL];
        const uint32_t known = (uint32_t)m->classes.count;
        uint32_t label;
        for (uint32_t i = 0; i < m->columns; i++)
            values[i] = c->field[m->at[i]];
        if (!ecg__words_add(&m->classes, c->field[m->cls], c->length[m->cls], &label))
            return no_memory(m, err);
        if (label >= known)
            return ecg__fail(err, ECG_EIO, "%s:%zu: was changed while it was read", c->path, c->line);
        st = pack_one(m, c->field[m->image], label, values, c->line, err);
    }
    return st;
}

static ecg_status pack_manifest(struct make *m, ecg_error *err)
{
    struct ecg__csv_stream *s = NULL;
    char *first = NULL;
    ecg_status st = ecg__csv_stream_open(&s, m->manifest, err);
    if (st == ECG_OK)
        st = find_classes(m, s, &first, err);
    ecg__csv_stream_close(s);
    s = NULL;
    if (st == ECG_OK)
        st = begin(m, first, err);
    ecg__free(first);
    if (st == ECG_OK)
        st = ecg__csv_stream_open(&s, m->manifest, err);
    if (st == ECG_OK)
        st = pack_rows(m, s, err);
    ecg__csv_stream_close(s);
    return st;
}

/* ---- A folder ---- */
struct listed {
    const char *name;
    uint32_t label;
};

static int by_class_and_name(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The listing in an order that is the same on every file system; NULL when out of memory. */
static struct listed *in_order(struct make *m)
{
    const struct ecg__listing *l = &m->l;
    size_t classes = 0;
    const char **names = ecg__names_sorted(&l->classes, l->text.bytes, &classes);
    struct listed *v = names ? ecg__calloc(l->count, sizeof *v) : NULL;
    bool ok = v != NULL;
    uint32_t number;
    for (size_t i = 0; ok && i < classes; i++)
        ok = ecg__words_add(&m->classes, names[i], strlen(names[i]), &number);
    for (size_t i = 0; ok && i < l->count; i++) {
        const char *cls = l->text.bytes + l->entry[i].cls;
        v[i].name = l->text.bytes + l->entry[i].path + l->prefix;
        ok = ecg__words_add(&m->classes, cls, strlen(cls), &v[i].label);
    }
    ecg__free(names);
    if (ok)
        qsort(v, l->count, sizeof *v, by_class_and_name);
    else
        ecg__free(v);
    return ok ? v : NULL;
}

static ecg_status pack_folder(struct make *m, ecg_error *err)
{
    const struct ecg__class_set any = {NULL, 0, false};
    struct ecg__listing *l = &m->l;
    if (m->o.column_count)
        return ecg__fail(err, ECG_EINVAL, "%s/: no manifest.csv to keep the column \"%s\" of", l->root,
                         m->o.columns[0]);
    ecg_status s = ecg__scan(l, &any, err);
    if (s == ECG_OK && l->count == 0)
        s = ecg__fail(err, ECG_EINVAL, "%s/: no pictures (.png, .jpg, .jpeg) in its class folders", l->root);
    if (s != ECG_OK)
        return s;
    struct listed *v = in_order(m);
    if (!v)
        return no_memory(m, err);
    m->total = l->count;
    s = begin(m, v[0].name, err);
    for (size_t i = 0; i < l->count && s == ECG_OK; i++)
        s = pack_one(m, v[i].name, v[i].label, NULL, 0, err);
    ecg__free(v);
    return s;
}

/* ---- All ---- */

/* data/manifest.csv if there is one: a link that leads nowhere is one that cannot be read. */
static ecg_status find_manifest(struct make *m, ecg_error *err)
{
    struct stat st;
    const char *path = path_of(m, "manifest.csv");
    if (!path)
        return no_memory(m, err);
    if (lstat(path, &st) == 0) {
        m->manifest = ecg__strdup(path);
        return m->manifest ? ECG_OK : no_memory(m, err);
    }
    return errno == ENOENT || errno == ENOTDIR ? ECG_OK
                                               : ecg__data_fail_errno(err, errno, path, "cannot open");
}

/* How the pictures were drawn, where that is said: a training copies it into the model. */
static ecg_status copy_recipe(struct make *m, ecg_error *err)
{
    struct stat st;
    unsigned char *text = NULL;
    size_t n = 0;
    ecg__file *f = NULL;
    const char *path = path_of(m, ECG__PACK_RECIPE);
    if (!path)
        return no_memory(m, err);
    if (lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return ECG_OK;
    ecg_status s = ecg__file_read(&text, &n, path, ECG__PACK_PICTURE, err);
    if (s == ECG_OK)
        s = ecg__file_create(&f, ecg__pack_path(m->w, ECG__PACK_RECIPE), err);
    if (s == ECG_OK)
        s = ecg__file_write(f, text, n, err);
    if (s == ECG_OK)
        s = ecg__file_commit(f, true, err);
    else
        ecg__file_abandon(f);
    ecg__free(text);
    return s;
}

static ecg_status check_options(const ecg_pack_options *o, ecg_error *err)
{
    if (o->classes || o->class_count || o->h || o->w)
        return ecg__fail(err, ECG_EINVAL, "pack options: classes and size are those of the folder");
    if (o->column_count > ECG__PACK_COLUMNS - USUAL || (o->column_count && !o->columns))
        return ecg__fail(err, ECG_EINVAL, "pack options: %u columns, at most %d", o->column_count,
                         ECG__PACK_COLUMNS - USUAL);
    for (uint32_t i = 0; i < o->column_count; i++)
        if (!o->columns[i])
            return ecg__fail(err, ECG_EINVAL, "pack options: column %u has no name", i);
    return ECG_OK;
}

ecg_status ecg_pack_make(const char *dir, const char *data, const ecg_pack_options *o, ecg_pack_info *info,
                         ecg_error *err)
{
    struct make m = {.dir = dir, .o = ECG_PACK_OPTIONS_INIT};
    ecg_status s = ecg__options_copy(&m.o, sizeof m.o, o, "pack options", err);
    if (s == ECG_OK)
        s = check_options(&m.o, err);
    if (s == ECG_OK && (!dir || !*dir || !data))
        s = ecg__fail(err, ECG_EINVAL, "pack: no folder given");
    if (s == ECG_OK && ecg_pack_is(data))
        s = ecg__fail(err, ECG_EINVAL, "%s: is a pack already", data);
    char *root = s == ECG_OK ? ecg__strdup(data) : NULL;
    if (s == ECG_OK && !root)
        s = ecg__fail(err, ECG_ENOMEM, "%s: out of memory", data);
    if (s == ECG_OK)
        s = ecg__listing_init(&m.l, root, err);
    if (s == ECG_OK)
        s = find_manifest(&m, err);
    if (s == ECG_OK)
        s = m.manifest ? pack_manifest(&m, err) : pack_folder(&m, err);
    if (s == ECG_OK)
        s = copy_recipe(&m, err);
    if (s == ECG_OK)
        s = ecg_pack_writer_finish(m.w, info, err);
    else
        ecg_pack_writer_abandon(m.w);
    ecg__listing_free(&m.l);
    ecg__words_free(&m.classes);
    ecg__free(m.manifest);
    ecg__free(m.path);
    ecg__free(root);
    return s;
}
