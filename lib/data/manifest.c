#define _POSIX_C_SOURCE 200809L
#include "data/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/csv.h"

/* Columns that are used; -1: not there. */
struct columns {
    int image, cls, patient, split, group;
    size_t count;
};

struct parse {
    struct ecg__csv csv;
    struct columns col;
    struct ecg__listing *l;
    const struct ecg__class_set *wanted;
    size_t cls; /* the last class noted and whether it is wanted; 0: none yet */
    bool known;
    size_t *line; /* [l->cap] where each picture stands */
    size_t line_cap;
};

static ecg_status no_memory(const struct parse *p, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s:%zu: out of memory", p->csv.path, p->csv.line);
}

ecg_status ecg__manifest_header(struct ecg__csv *c, int *image, int *cls, ecg_error *err)
{
    for (size_t i = 0; i < c->fields; i++)
        if (c->length[i] && ecg__csv_column(c, c->field[i]) != (int)i)
            return ecg__fail(err, ECG_EFORMAT, "%s:%zu: two columns are named \"%s\"", c->path, c->line,
                             c->field[i]);
    if (c->fields == 0)
        return ecg__fail(err, ECG_EFORMAT, "%s:%zu: empty, expected a line with the columns' names", c->path,
                         c->line);
    *image = ecg__csv_column(c, "image");
    *cls = ecg__csv_column(c, "class");
    if (*image < 0 || *cls < 0)
        return ecg__fail(err, ECG_EFORMAT, "%s:%zu: no column \"%s\" among %zu, the first is \"%s\"", c->path,
                         c->line, *image < 0 ? "image" : "class", c->fields, c->field[0]);
    return ECG_OK;
}

static ecg_status read_header(struct parse *p, ecg_error *err)
{
    struct ecg__csv *c = &p->csv;
    bool more;
    ecg_status st = ecg__csv_next(c, &more, err);
    if (st != ECG_OK)
        return st;
    p->col.patient = ecg__csv_column(c, "patient");
    if (p->col.patient < 0)
        p->col.patient = ecg__csv_column(c, "record");
    p->col.split = ecg__csv_column(c, "split");
    const char *group = p->l->group_column;
    p->col.group = group ? ecg__csv_column(c, group) : -1;
    p->col.count = c->fields;
    st = ecg__manifest_header(c, &p->col.image, &p->col.cls, err);
    if (st == ECG_OK && group && p->col.group < 0)
        st = ecg__fail(err, ECG_EINVAL, "%s:%zu: no column \"%s\" for groups among %zu", c->path, c->line,
                       group, c->fields);
    return st;
}

/* What is wrong with an image's path, or NULL. */
static const char *path_fault(const char *name)
{
    if (name[0] == '\0')
        return "is empty";
    if (name[0] == '/')
        return "is absolute, expected a path relative to the folder";
    for (const char *part = name;;) {
        const size_t n = strcspn(part, "/");
        if (n == 2 && part[0] == '.' && part[1] == '.')
            return "has a \"..\" part, expected a path inside the folder";
        if (part[n] == '\0')
            return n == 0 || (n == 1 && part[0] == '.') ? "names a folder, expected a picture" : NULL;
        part += n + 1;
    }
}

/* Write a path without empty and "." parts over itself, so that a picture has one name. */
static void clean_path(char *name)
{
    char *to = name;
    for (const char *part = name;;) {
        const size_t n = strcspn(part, "/");
        const bool last = part[n] == '\0';
        if (n > 0 && !(n == 1 && part[0] == '.')) {
            if (to != name)
                *to++ = '/';
            memmove(to, part, n);
            to += n;
        }
        if (last)
            break;
        part += n + 1;
    }
    *to = '\0';
}

ecg_status ecg__manifest_row(struct ecg__csv *c, size_t fields, int image, int split, ecg_error *err)
{
    if (c->fields != fields)
        return ecg__fail(err, ECG_EFORMAT, "%s:%zu: %zu fields, expected %zu as in the first line", c->path,
                         c->line, c->fields, fields);
    char *name = c->bytes + (c->field[image] - c->bytes);
    const char *fault = path_fault(name);
    if (fault)
        return ecg__fail(err, ECG_EFORMAT, "%s:%zu: the image \"%s\" %s", c->path, c->line, name, fault);
    clean_path(name);
    const char *part = split < 0 ? "" : c->field[split];
    if (part[0] && strcmp(part, "train") != 0 && strcmp(part, "val") != 0 && strcmp(part, "test") != 0)
        return ecg__fail(err, ECG_EFORMAT,
                         "%s:%zu: the split is \"%s\", expected train, val, test or nothing", c->path,
                         c->line, part);
    return ECG_OK;
}

/* Find or note the record's class. */
static ecg_status note_class(struct parse *p, const char *name, size_t n, ecg_error *err)
{
    struct ecg__listing *l = p->l;
    if (p->cls && strcmp(l->text.bytes + p->cls, name) == 0)
        return ECG_OK;
    if (n == 0)
        return ecg__fail(err, ECG_EFORMAT, "%s:%zu: the class is empty", p->csv.path, p->csv.line);
    p->known = p->wanted->count == 0 || ecg__class_set_find(p->wanted, name) != ECG__NO_CLASS;
    if (!p->known && !p->wanted->ignore_unknown)
        return ecg__fail(err, ECG_EINVAL, "%s:%zu: class \"%s\" is not among the %u classes expected",
                         p->csv.path, p->csv.line, name, p->wanted->count);
    if (!ecg__text_add(&l->text, name, n, &p->cls) ||
        !ecg__names_add(p->known ? &l->classes : &l->ignored, p->cls))
        return no_memory(p, err);
    return ECG_OK;
}

/* The offset of an optional column's text, 0 where it is empty. */
static ecg_status note_field(struct parse *p, int column, size_t *at, ecg_error *err)
{
    *at = 0;
    if (column < 0 || p->csv.length[column] == 0)
        return ECG_OK;
    return ecg__text_add(&p->l->text, p->csv.field[column], p->csv.length[column], at) ? ECG_OK
                                                                                       : no_memory(p, err);
}

static ecg_status read_row(struct parse *p, ecg_error *err)
{
    const struct ecg__csv *c = &p->csv;
    ecg_status st = ecg__manifest_row(&p->csv, p->col.count, p->col.image, p->col.split, err);
    if (st != ECG_OK)
        return st;
    const char *image = c->field[p->col.image];
    st = note_class(p, c->field[p->col.cls], c->length[p->col.cls], err);
    if (st != ECG_OK || !p->known)
        return st;
    size_t patient, split_at, group;
    st = note_field(p, p->col.patient, &patient, err);
    if (st == ECG_OK)
        st = note_field(p, p->col.split, &split_at, err);
    if (st == ECG_OK)
        st = note_field(p, p->col.group, &group, err);
    if (st != ECG_OK)
        return st;
    size_t *grown = ecg__grown(p->line, &p->line_cap, p->l->count, sizeof *grown);
    if (!grown)
        return no_memory(p, err);
    p->line = grown;
    p->line[p->l->count] = c->line;
    st = ecg__listing_add(p->l, image, strlen(image), p->cls, patient, split_at, err);
    if (st == ECG_OK)
        p->l->entry[p->l->count - 1].group = group;
    return st;
}

struct named_line {
    const char *name;
    size_t line;
};

static int by_name_and_line(const void *a, const void *b)
{
    const struct named_line *x = a, *y = b;
    const int d = strcmp(x->name, y->name);
    return d ? d : (x->line > y->line) - (x->line < y->line);
}

/* No picture may stand twice: it would count twice, or be in training and validation. */
static ecg_status check_repeats(const struct parse *p, ecg_error *err)
{
    const struct ecg__listing *l = p->l;
    struct named_line *v = ecg__calloc(l->count, sizeof *v);
    if (!v)
        return no_memory(p, err);
    for (size_t i = 0; i < l->count; i++)
        v[i] = (struct named_line){l->text.bytes + l->entry[i].path + l->prefix, p->line[i]};
    if (l->count)
        qsort(v, l->count, sizeof *v, by_name_and_line);
    const struct named_line *again = NULL; /* the first in the file */
    for (size_t i = 1; i < l->count; i++)
        if (strcmp(v[i - 1].name, v[i].name) == 0 && (!again || v[i].line < again->line))
            again = &v[i];
    ecg_status st = ECG_OK;
    if (again)
        st = ecg__fail(err, ECG_EFORMAT, "%s:%zu: the image \"%s\" stands in line %zu already", p->csv.path,
                       again->line, again->name, again[-1].line);
    ecg__free(v);
    return st;
}

ecg_status ecg__manifest_parse(struct ecg__listing *l, const char *text, size_t n, const char *path,
                               const struct ecg__class_set *wanted, ecg_error *err)
{
    struct parse *p = ecg__calloc(1, sizeof *p);
    if (!p)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    p->l = l;
    p->wanted = wanted;
    ecg__csv_init(&p->csv, text, n, path);
    ecg_status st = read_header(p, err);
    for (bool more = true; st == ECG_OK && more;) {
        st = ecg__csv_next(&p->csv, &more, err);
        if (st == ECG_OK && more)
            st = read_row(p, err);
    }
    if (st == ECG_OK)
        st = check_repeats(p, err);
    ecg__free(p->line);
    ecg__free(p);
    return st;
}

/* All of an open regular file. */
static ecg_status read_all(int fd, const char *path, char **text, size_t *n, ecg_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ecg__data_fail_errno(err, errno, path, "cannot read");
    if (!S_ISREG(st.st_mode))
        return ecg__fail(err, ECG_EIO, "%s: not a regular file", path);
    if (st.st_size > ECG__MANIFEST_BYTES)
        return ecg__fail(err, ECG_ELIMIT, "%s: %lld bytes, at most %d are read", path, (long long)st.st_size,
                         ECG__MANIFEST_BYTES);
    /* A file that grows while it is read is read up to the size it had. */
    const size_t size = (size_t)st.st_size;
    *text = ecg__alloc(size);
    if (!*text)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for %zu bytes", path, size);
    for (*n = 0; *n < size;) {
        const ssize_t got = read(fd, *text + *n, size - *n);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ecg__data_fail_errno(err, errno, path, "cannot read");
        *n += (size_t)got;
    }
    return ECG_OK;
}

ecg_status ecg__manifest_read(struct ecg__listing *l, bool *found, const struct ecg__class_set *wanted,
                              ecg_error *err)
{
    static const char file[] = "/manifest.csv";
    *found = false;
    const size_t n = strlen(l->root);
    char *path = ecg__alloc(n + sizeof file);
    if (!path)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory", l->root);
    memcpy(path, l->root, n);
    memcpy(path + n, file, sizeof file);

    ecg_status st = ECG_OK;
    char *text = NULL;
    size_t bytes = 0;
    /* Not blocking: a pipe of that name is refused, not waited for. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        *found = true;
        st = read_all(fd, path, &text, &bytes, err);
        close(fd);
        if (st == ECG_OK)
            st = ecg__manifest_parse(l, text, bytes, path, wanted, err);
    } else {
        /* A link that leads nowhere is a manifest that cannot be read. */
        const int code = errno;
        struct stat link;
        const bool absent = code == ENOTDIR || (code == ENOENT && lstat(path, &link) != 0);
        if (!absent)
            st = ecg__data_fail_errno(err, code, path, "cannot open");
    }
    ecg__free(text);
    ecg__free(path);
    return st;
}
