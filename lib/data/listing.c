#define _POSIX_C_SOURCE 200809L
#include "data/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

void *ecg__grown(void *old, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return old;
    const size_t more = *cap ? *cap : 16;
    size_t total, bytes;
    if (!ecg__add(&total, *cap, more) || !ecg__mul(&bytes, total, size))
        return NULL;
    void *p = ecg__alloc(bytes);
    if (!p)
        return NULL;
    if (old)
        memcpy(p, old, count * size);
    ecg__free(old);
    *cap = total;
    return p;
}

bool ecg__text_room(struct ecg__text *t, size_t n)
{
    size_t need;
    if (!ecg__add(&need, t->used, n) || !ecg__add(&need, need, 2))
        return false;
    if (need > t->cap) {
        size_t cap = t->cap ? t->cap : 4096;
        while (cap < need)
            if (!ecg__mul(&cap, cap, 2))
                return false;
        char *p = ecg__alloc(cap);
        if (!p)
            return false;
        if (t->used)
            memcpy(p, t->bytes, t->used);
        ecg__free(t->bytes);
        t->bytes = p;
        t->cap = cap;
    }
    return true;
}

bool ecg__text_add(struct ecg__text *t, const char *s, size_t n, size_t *at)
{
    if (!ecg__text_room(t, n))
        return false;
    if (t->used == 0)
        t->bytes[t->used++] = '\0';
    *at = t->used;
    if (n)
        memcpy(t->bytes + t->used, s, n);
    t->bytes[t->used + n] = '\0';
    t->used += n + 1;
    return true;
}

ecg_status ecg__listing_init(struct ecg__listing *l, char *dir, ecg_error *err)
{
    memset(l, 0, sizeof *l);
    size_t n = strlen(dir);
    if (n == 0)
        return ecg__fail(err, ECG_EINVAL, "the folder's name is empty");
    while (n > 0 && dir[n - 1] == '/')
        dir[--n] = '\0';
    l->root = dir;
    l->prefix = n + 1;
    return ECG_OK;
}

void ecg__listing_free(struct ecg__listing *l)
{
    ecg__free(l->text.bytes);
    ecg__free(l->entry);
    ecg__free(l->classes.at);
    ecg__free(l->ignored.at);
    memset(l, 0, sizeof *l);
}

ecg_status ecg__listing_add(struct ecg__listing *l, const char *name, size_t n, size_t cls, size_t patient,
                            size_t split, ecg_error *err)
{
    /* The loader and the splits count in 32 bits. */
    if (l->count >= UINT32_MAX)
        return ecg__fail(err, ECG_ELIMIT, "%s/: more than %u pictures", l->root, UINT32_MAX);
    struct ecg__entry *grown = ecg__grown(l->entry, &l->cap, l->count, sizeof *grown);
    if (!grown)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory after %zu pictures", l->root, l->count);
    l->entry = grown;

    /* root, slash and name as one string: the root first, then its terminator becomes the slash. */
    size_t path, rest;
    const bool fits = ecg__text_add(&l->text, l->root, l->prefix - 1, &path) &&
                      ecg__text_add(&l->text, name, n, &rest);
    if (!fits)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory after %zu pictures", l->root, l->count);
    l->text.bytes[rest - 1] = '/';
    l->entry[l->count++] = (struct ecg__entry){path, cls, patient, split, 0};
    return ECG_OK;
}

bool ecg__names_add(struct ecg__names *v, size_t at)
{
    if (v->count && v->at[v->count - 1] == at)
        return true;
    size_t *grown = ecg__grown(v->at, &v->cap, v->count, sizeof *grown);
    if (!grown)
        return false;
    v->at = grown;
    v->at[v->count++] = at;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **ecg__names_sorted(const struct ecg__names *v, const char *text, size_t *count)
{
    const char **name = ecg__calloc(v->count, sizeof *name);
    if (!name)
        return NULL;
    for (size_t i = 0; i < v->count; i++)
        name[i] = text + v->at[i];
    if (v->count)
        qsort(name, v->count, sizeof *name, by_name);
    size_t n = 0;
    for (size_t i = 0; i < v->count; i++)
        if (n == 0 || strcmp(name[n - 1], name[i]) != 0)
            name[n++] = name[i];
    *count = n;
    return name;
}

static int by_class_name(const void *a, const void *b)
{
    return strcmp(((const struct ecg__class *)a)->name, ((const struct ecg__class *)b)->name);
}

ecg_status ecg__class_set_init(struct ecg__class_set *s, const char *const *names, uint32_t count,
                               ecg_error *err)
{
    s->sorted = NULL;
    s->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!names[i] || !names[i][0])
            return ecg__fail(err, ECG_EINVAL, "class %u has no name", i);
    s->sorted = ecg__calloc(count, sizeof *s->sorted);
    if (!s->sorted)
        return ecg__fail(err, ECG_ENOMEM, "out of memory for %u class names", count);
    for (uint32_t i = 0; i < count; i++)
        s->sorted[i] = (struct ecg__class){names[i], i};
    if (count)
        qsort(s->sorted, count, sizeof *s->sorted, by_class_name);
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(s->sorted[i - 1].name, s->sorted[i].name) == 0) {
            const char *twice = s->sorted[i].name;
            ecg__class_set_free(s);
            return ecg__fail(err, ECG_EINVAL, "class \"%s\" is given twice", twice);
        }
    s->count = count;
    return ECG_OK;
}

void ecg__class_set_free(struct ecg__class_set *s)
{
    ecg__free(s->sorted);
    s->sorted = NULL;
    s->count = 0;
}

uint32_t ecg__class_set_find(const struct ecg__class_set *s, const char *name)
{
    if (s->count == 0)
        return ECG__NO_CLASS;
    const struct ecg__class key = {name, 0};
    const struct ecg__class *found = bsearch(&key, s->sorted, s->count, sizeof key, by_class_name);
    return found ? found->index : ECG__NO_CLASS;
}

ecg_status ecg__data_fail_errno(ecg_error *err, int code, const char *path, const char *what)
{
    char text[128];
    if (strerror_r(code, text, sizeof text) != 0)
        text[0] = '\0';
    return ecg__fail(err, ECG_EIO, "%s: %s: %s", path, what, text[0] ? text : "unknown error");
}
