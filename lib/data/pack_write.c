/* Pictures into shards, and what is known of them into rows; pack_index.c makes the index of these. */
#define _XOPEN_SOURCE 700
#include "data/pack_write.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/pack_format.h"
#include "data/pack_read.h"

static const uint64_t SHARD_BYTES = UINT64_C(256) << 20, SORT_BYTES = UINT64_C(64) << 20,
                      SHARD_MOST = UINT64_C(1) << 39;

const char *ecg__pack_path(ecg_pack_writer *w, const char *name)
{
    snprintf(w->path, w->path_room, "%s/%s", w->partial, name);
    return w->path;
}

static const char *shard_path(ecg_pack_writer *w, size_t i)
{
    char name[32];
    snprintf(name, sizeof name, ECG__SHARD_FILE, (unsigned)i);
    return ecg__pack_path(w, name);
}

static ecg_status no_memory(const ecg_pack_writer *w, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory for packing", w->dir);
}

/* ---- The folder ---- */
static ecg_status check_free(const char *dir, ecg_error *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? ECG_OK : ecg__file_fail(err, dir, "cannot be made", errno);
    const struct dirent *e;
    do {
        e = readdir(d);
    } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    closedir(d);
    return e ? ecg__fail(err, ECG_EINVAL, "%s: is not empty, expected a new or an empty folder", dir)
             : ECG_OK;
}

static ecg_status make_folder(ecg_pack_writer *w, const char *dir, ecg_error *err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    w->path_room = n + 96;
    w->dir = ecg__strdup(dir);
    w->partial = ecg__alloc(n + 48);
    w->path = ecg__alloc(w->path_room);
    if (!w->dir || !w->partial || !w->path)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", dir);
    w->dir[n] = '\0';
    ecg_status s = check_free(w->dir, err);
    snprintf(w->partial, n + 48, "%s.partial-%ld", w->dir, (long)getpid());
    if (s == ECG_OK && mkdir(w->partial, 0777) != 0)
        s = ecg__file_fail(err, w->partial, "cannot be made", errno);
    if (s != ECG_OK)
        w->partial[0] = '\0'; /* it is another's */
    return s;
}

static void remove_folder(ecg_pack_writer *w)
{
    if (!w->partial || !w->partial[0])
        return;
    for (size_t i = 0; i < w->shards; i++)
        unlink(shard_path(w, i));
    unlink(ecg__pack_path(w, ECG_PACK_INDEX));
    unlink(ecg__pack_path(w, ECG__PACK_RECIPE));
    rmdir(w->partial);
}

/* ---- Options ---- */
static char **copy_names(const char *const *names, uint32_t count)
{
    char **v = ecg__calloc(count ? count : 1, sizeof *v);
    for (uint32_t i = 0; v && i < count; i++)
        v[i] = ecg__strdup(names[i]);
    return v;
}

static ecg_status check_names(const char *const *names, uint32_t count, uint32_t most, const char *what,
                              ecg_error *err)
{
    if (count > most)
        return ecg__fail(err, ECG_ELIMIT, "pack options: %u %s, at most %u", count, what, most);
    for (uint32_t i = 0; i < count; i++)
        if (!names || !names[i] || !names[i][0] || strlen(names[i]) >= ECG__PACK_NAME)
            return ecg__fail(err, ECG_EINVAL,
                             "pack options: %s: number %u has no name, or one that is too long", what, i);
    return ECG_OK;
}

static ecg_status check_options(ecg_pack_options *o, ecg_error *err)
{
    o->shard_bytes = o->shard_bytes ? o->shard_bytes : SHARD_BYTES;
    o->sort_bytes = o->sort_bytes ? o->sort_bytes : SORT_BYTES;
    if (o->pixels > 1 || (o->pixels && (o->h < 1 || o->w < 1 || o->h > 8192 || o->w > 8192)))
        return ecg__fail(err, ECG_EINVAL, "pack options: pixels of %ux%u, expected 1 to 8192 a side", o->h,
                         o->w);
    if (o->shard_bytes > SHARD_MOST || o->sort_bytes > SIZE_MAX / 2)
        return ecg__fail(err, ECG_EINVAL, "pack options: shard_bytes or sort_bytes is too large");
    if (o->class_count < 1)
        return ecg__fail(err, ECG_EINVAL, "pack options: no classes");
    const ecg_status s = check_names(o->classes, o->class_count, ECG__PACK_CLASSES, "classes", err);
    return s == ECG_OK ? check_names(o->columns, o->column_count, ECG__PACK_COLUMNS, "columns", err) : s;
}

static ecg_status take_classes(ecg_pack_writer *w, ecg_error *err)
{
    struct ecg__words words = {.count = 0};
    uint32_t number;
    bool ok = true;
    ecg_status s = ECG_OK;
    for (uint32_t i = 0; ok && s == ECG_OK && i < w->o.class_count; i++) {
        ok = ecg__words_add(&words, w->o.classes[i], strlen(w->o.classes[i]), &number);
        if (ok && number != i)
            s = ecg__fail(err, ECG_EINVAL, "pack options: class \"%s\" is given twice", w->o.classes[i]);
    }
    ok = ok && ecg__words_rank(&words, &w->rank, NULL);
    w->cls = ecg__calloc(w->o.class_count, sizeof *w->cls);
    w->class_count = ecg__calloc(w->o.class_count, sizeof *w->class_count);
    ok = ok && w->cls && w->class_count;
    for (uint32_t i = 0; ok && s == ECG_OK && i < w->o.class_count; i++) {
        char **to = &w->cls[w->rank[i]];
        *to = ecg__strdup(w->o.classes[i]);
        ok = *to != NULL;
    }
    ecg__words_free(&words);
    return !ok ? no_memory(w, err) : s;
}

static ecg_status take_columns(ecg_pack_writer *w, ecg_error *err)
{
    const uint32_t n = w->o.column_count;
    w->column = copy_names(w->o.columns, n);
    w->word = ecg__calloc(n ? n : 1, sizeof *w->word);
    w->fixed_bytes = ECG__ROW_WORDS + 4 * (size_t)n;
    w->fixed = ecg__calloc(w->fixed_bytes, 1);
    bool ok = w->column && w->word && w->fixed;
    for (uint32_t i = 0; ok && i < n; i++) {
        uint32_t none;
        ok = w->column[i] && ecg__words_add(&w->word[i], "", 0, &none);
        for (uint32_t k = 0; ok && k < i; k++)
            if (strcmp(w->column[k], w->column[i]) == 0)
                return ecg__fail(err, ECG_EINVAL, "pack options: column \"%s\" is given twice", w->column[i]);
    }
    return ok ? ECG_OK : no_memory(w, err);
}

ecg_status ecg_pack_writer_new(ecg_pack_writer **out, const char *dir, const ecg_pack_options *o,
                               ecg_error *err)
{
    *out = NULL;
    if (!dir || !*dir)
        return ecg__fail(err, ECG_EINVAL, "pack: no folder given");
    ecg_pack_writer *w = ecg__calloc(1, sizeof *w);
    if (!w)
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", dir);
    w->o = (ecg_pack_options)ECG_PACK_OPTIONS_INIT;
    ecg_status s = ecg__options_copy(&w->o, sizeof w->o, o, "pack options", err);
    if (s == ECG_OK)
        s = check_options(&w->o, err);
    if (s == ECG_OK)
        s = make_folder(w, dir, err);
    if (s == ECG_OK)
        s = take_classes(w, err);
    if (s == ECG_OK)
        s = take_columns(w, err);
    if (s == ECG_OK)
        s = ecg__sorter_new(&w->rows, w->partial, (size_t)w->o.sort_bytes, w->fixed_bytes, err);
    if (s != ECG_OK) {
        ecg_pack_writer_abandon(w);
        return s;
    }
    w->o.classes = NULL; /* the caller's */
    w->o.columns = NULL;
    *out = w;
    return ECG_OK;
}

/* ---- Shards ---- */
static ecg_status put(ecg_pack_writer *w, const void *data, size_t n, ecg_error *err)
{
    struct ecg__shard *s = &w->shard[w->shards - 1];
    s->crc = (uint32_t)crc32_z(s->crc, data, n);
    s->bytes += n;
    return ecg__file_write(w->file, data, n, err);
}

static ecg_status open_shard(ecg_pack_writer *w, ecg_error *err)
{
    unsigned char header[ECG__SHARD_HEADER] = ECG__SHARD_MAGIC;
    if (w->shards == ECG__PACK_SHARDS)
        return ecg__fail(err, ECG_ELIMIT, "%s: more than %d shards, larger ones are needed", w->dir,
                         ECG__PACK_SHARDS);
    struct ecg__shard *grown = ecg__grown(w->shard, &w->shard_cap, w->shards, sizeof *grown);
    if (!grown)
        return no_memory(w, err);
    w->shard = grown;
    const ecg_status s = ecg__file_create(&w->file, shard_path(w, w->shards), err);
    if (s != ECG_OK)
        return s;
    ecg__put_bytes(header + 8, ECG__PACK_MAJOR, 2);
    ecg__put_bytes(header + 10, ECG__PACK_MINOR, 2);
    ecg__put_bytes(header + 12, w->shards, 4);
    w->shard[w->shards++] = (struct ecg__shard){0, 0, 0};
    return put(w, header, sizeof header, err);
}

static ecg_status close_shard(ecg_pack_writer *w, ecg_error *err)
{
    unsigned char footer[ECG__SHARD_FOOTER];
    struct ecg__shard *s = &w->shard[w->shards - 1];
    if (!w->file)
        return ECG_OK;
    ecg__put_bytes(footer, s->bytes, 8);
    ecg__put_bytes(footer + 8, s->pictures, 4);
    ecg__put_bytes(footer + 12, s->crc, 4);
    memcpy(footer + 16, ECG__SHARD_END, 8);
    s->bytes += sizeof footer;
    ecg_status st = ecg__file_write(w->file, footer, sizeof footer, err);
    if (st == ECG_OK)
        st = ecg__file_commit(w->file, true, err);
    else
        ecg__file_abandon(w->file);
    w->file = NULL;
    w->stored += s->bytes;
    return st;
}

/* ---- Pictures ---- */

/* "split" holds what a manifest may say. */
static ecg_status check_value(const ecg_pack_writer *w, uint32_t column, const char *v, const char *name,
                              ecg_error *err)
{
    if (strlen(v) >= ECG__PACK_NAME)
        return ecg__fail(err, ECG_ELIMIT, "%s: %s has a %s of more than %d bytes", w->dir, name,
                         w->column[column], ECG__PACK_NAME - 1);
    if (strcmp(w->column[column], "split") == 0 && *v && strcmp(v, "train") != 0 && strcmp(v, "val") != 0 &&
        strcmp(v, "test") != 0)
        return ecg__fail(err, ECG_EINVAL,
                         "%s: the split of %s is \"%s\", expected train, val, test or nothing", w->dir, name,
                         v);
    return ECG_OK;
}

static ecg_status check_picture(const ecg_pack_writer *w, const char *name, uint32_t label, const void *data,
                                size_t n, ecg_error *err)
{
    if (w->failed)
        return ecg__fail(err, ECG_EINVAL, "%s: an earlier picture could not be added", w->dir);
    if (!name || !*name || strlen(name) >= ECG__PACK_NAME)
        return ecg__fail(err, ECG_EINVAL, "%s: a name of 1 to %d bytes is needed", w->dir,
                         ECG__PACK_NAME - 1);
    if (label >= w->o.class_count)
        return ecg__fail(err, ECG_EINVAL, "%s: %s has label %u, there are %u classes", w->dir, name, label,
                         w->o.class_count);
    if (!data || n < 1 || n > ECG__PACK_PICTURE)
        return ecg__fail(err, n > ECG__PACK_PICTURE ? ECG_ELIMIT : ECG_EINVAL,
                         "%s: %s has %zu bytes, expected 1 to %d", w->dir, name, n, ECG__PACK_PICTURE);
    if (w->o.pixels && n != (size_t)w->o.h * w->o.w)
        return ecg__fail(err, ECG_EINVAL, "%s: %s has %zu pixels, expected %ux%u", w->dir, name, n, w->o.h,
                         w->o.w);
    if (w->count >= UINT32_MAX - 1)
        return ecg__fail(err, ECG_ELIMIT, "%s: more than %u pictures", w->dir, UINT32_MAX - 1);
    return ECG_OK;
}

static ecg_status add(ecg_pack_writer *w, const char *name, uint32_t label, const char *const *values,
                      const void *data, size_t n, uint64_t line, ecg_error *err)
{
    ecg_status s = check_picture(w, name, label, data, n, err);
    if (s != ECG_OK)
        return s;
    for (uint32_t i = 0; i < w->o.column_count; i++) {
        const char *v = values && values[i] ? values[i] : "";
        uint32_t number;
        s = check_value(w, i, v, name, err);
        if (s == ECG_OK && !ecg__words_add(&w->word[i], v, strlen(v), &number))
            s = no_memory(w, err);
        if (s != ECG_OK)
            return s;
        ecg__put_bytes(w->fixed + ECG__ROW_WORDS + 4 * (size_t)i, number, 4);
    }
    if (w->file && w->shard[w->shards - 1].bytes + n > w->o.shard_bytes)
        s = close_shard(w, err);
    if (s == ECG_OK && !w->file)
        s = open_shard(w, err);
    if (s != ECG_OK)
        return s;
    struct ecg__shard *shard = &w->shard[w->shards - 1];
    ecg__put_bytes(w->fixed + ECG__ROW_LINE, line, 8);
    ecg__put_bytes(w->fixed + ECG__ROW_PLACE, (uint64_t)(w->shards - 1) << ECG__PACK_PLACE | shard->bytes, 8);
    ecg__put_bytes(w->fixed + ECG__ROW_LENGTH, n, 4);
    ecg__put_bytes(w->fixed + ECG__ROW_CRC, crc32_z(0, data, n), 4);
    s = put(w, data, n, err);
    const struct ecg__row row = {w->rank[label], name, strlen(name), w->fixed};
    if (s == ECG_OK)
        s = ecg__sorter_add(w->rows, &row, err);
    shard->pictures++;
    w->class_count[w->rank[label]]++;
    w->count++;
    return s;
}

ecg_status ecg__pack_add(ecg_pack_writer *w, const char *name, uint32_t label, const char *const *values,
                         const void *data, size_t n, uint64_t line, ecg_error *err)
{
    const ecg_status s = add(w, name, label, values, data, n, line, err);
    w->failed = s != ECG_OK;
    return s;
}

ecg_status ecg_pack_writer_add(ecg_pack_writer *w, const char *name, uint32_t label,
                               const char *const *values, const void *data, size_t n, ecg_error *err)
{
    return ecg__pack_add(w, name, label, values, data, n, 0, err);
}

/* ---- The end ---- */
static void writer_free(ecg_pack_writer *w)
{
    for (uint32_t i = 0; w->cls && i < w->o.class_count; i++)
        ecg__free(w->cls[i]);
    for (uint32_t i = 0; w->column && i < w->o.column_count; i++) {
        ecg__free(w->column[i]);
        if (w->word)
            ecg__words_free(&w->word[i]);
    }
    ecg__sorter_free(w->rows);
    ecg__free(w->cls);
    ecg__free(w->rank);
    ecg__free(w->class_count);
    ecg__free(w->column);
    ecg__free(w->word);
    ecg__free(w->fixed);
    ecg__free(w->shard);
    ecg__free(w->dir);
    ecg__free(w->partial);
    ecg__free(w->path);
    ecg__free(w);
}

/* In a class, two of one name met when rows were put in order. */
static ecg_status check_repeats(const ecg_pack_writer *w, ecg_error *err)
{
    struct ecg__pack *p = NULL;
    char name[ECG__PACK_NAME];
    uint32_t cls[2];
    bool found = false;
    ecg_status s = ecg__pack_open(&p, w->partial, err);
    if (s == ECG_OK)
        s = ecg__pack_find_repeat(p, &found, name, cls, err);
    if (found)
        s = ecg__fail(err, ECG_EINVAL, "%s: \"%.400s\" is of class %.200s and of class %.200s", w->dir, name,
                      w->cls[cls[0]], w->cls[cls[1]]);
    ecg__pack_free(p);
    return s;
}

ecg_status ecg_pack_writer_finish(ecg_pack_writer *w, ecg_pack_info *info, ecg_error *err)
{
    uint64_t bytes = 0;
    ecg_status s = w->failed || w->count == 0
                       ? ecg__fail(err, ECG_EINVAL, "%s: %s", w->dir,
                                   w->failed ? "a picture could not be added" : "no pictures to pack")
                       : close_shard(w, err);
    if (s == ECG_OK)
        s = ecg__pack_index_write(w, &bytes, err);
    if (s == ECG_OK)
        s = check_repeats(w, err);
    if (s == ECG_OK && rename(w->partial, w->dir) != 0) /* over an empty folder, or none */
        s = ecg__file_fail(err, w->dir, "cannot be made", errno);
    if (s != ECG_OK) {
        ecg_pack_writer_abandon(w);
        return s;
    }
    if (info)
        *info = (ecg_pack_info){
            w->count,    w->stored + bytes,        w->o.class_count,        (uint32_t)w->shards,
            w->o.pixels, w->o.pixels ? w->o.h : 0, w->o.pixels ? w->o.w : 0};
    writer_free(w);
    return ECG_OK;
}

void ecg_pack_writer_abandon(ecg_pack_writer *w)
{
    if (!w)
        return;
    ecg__file_abandon(w->file);
    w->file = NULL;
    remove_folder(w);
    writer_free(w);
}
