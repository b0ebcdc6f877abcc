/* The index of a pack: every byte checked before it is believed. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/status.h"
#include "data/pack_read.h"

static ecg_status corrupt(const struct ecg__pack *p, const char *what, uint64_t found, uint64_t expected,
                          ecg_error *err)
{
    return ecg__fail(err, ECG_ECORRUPT, "%s: %s: %" PRIu64 ", expected %" PRIu64, p->path, what, found,
                     expected);
}

static ecg_status no_memory(const struct ecg__pack *p, ecg_error *err)
{
    return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
}

/* ---- Header and sizes ---- */
static ecg_status read_header(struct ecg__pack *p, ecg_error *err)
{
    const unsigned char *m = p->map;
    if (p->bytes < 8 || memcmp(m, ECG__PACK_MAGIC, 8) != 0)
        return ecg__fail(err, ECG_EFORMAT, "%s: does not begin as the index of a pack does", p->path);
    if (p->bytes < ECG__PACK_HEADER + ECG__PACK_FOOTER)
        return corrupt(p, "bytes, at least a header and a footer", p->bytes,
                       ECG__PACK_HEADER + ECG__PACK_FOOTER, err);
    const uint32_t major = m[8] | (uint32_t)m[9] << 8;
    if (major != ECG__PACK_MAJOR)
        return ecg__fail(err, ECG_EVERSION, "%s: version %u, this library reads %d", p->path, major,
                         ECG__PACK_MAJOR);
    const unsigned char *end = m + p->bytes - ECG__PACK_FOOTER;
    if (memcmp(end + 16, ECG__PACK_END, 8) != 0)
        return ecg__fail(err, ECG_ECORRUPT, "%s: does not end as the index of a pack does, it may be cut off",
                         p->path);
    const uint32_t said = ecg__get_u32(end + 12), found = (uint32_t)crc32_z(0, m, (size_t)(end + 12 - m));
    if (said != found)
        return ecg__fail(err, ECG_ECORRUPT, "%s: its checksum is %08x, expected %08x", p->path, found, said);
    p->kind = ecg__get_u32(m + 12);
    p->count = ecg__get_u64(m + 16);
    p->h = ecg__get_u32(m + 24);
    p->w = ecg__get_u32(m + 28);
    p->classes = ecg__get_u32(m + 32);
    p->columns = ecg__get_u32(m + 36);
    p->shards = ecg__get_u32(m + 40);
    p->stride = ecg__get_u32(m + 44);
    p->name_bytes = ecg__get_u64(end);
    return ECG_OK;
}

static ecg_status check_header(const struct ecg__pack *p, ecg_error *err)
{
    const bool pixels = p->kind == ECG__PACK_PIXELS;
    if (p->kind > ECG__PACK_PIXELS)
        return corrupt(p, "kind of pictures, at most", p->kind, ECG__PACK_PIXELS, err);
    if (pixels ? p->h < 1 || p->w < 1 || p->h > 8192 || p->w > 8192 : p->h != 0 || p->w != 0)
        return ecg__fail(err, ECG_ECORRUPT, "%s: pixels of %ux%u", p->path, p->h, p->w);
    if (p->count < 1 || p->count >= UINT32_MAX)
        return corrupt(p, "pictures, at most", p->count, UINT32_MAX - 1, err);
    if (p->classes < 1 || p->classes > ECG__PACK_CLASSES)
        return corrupt(p, "classes, at most", p->classes, ECG__PACK_CLASSES, err);
    if (p->columns > ECG__PACK_COLUMNS)
        return corrupt(p, "columns, at most", p->columns, ECG__PACK_COLUMNS, err);
    if (p->shards < 1 || p->shards > ECG__PACK_SHARDS)
        return corrupt(p, "shards, at most", p->shards, ECG__PACK_SHARDS, err);
    if (p->stride < ECG__PACK_RECORD || p->stride > ECG__PACK_RECORD + 4 * ECG__PACK_COLUMNS)
        return corrupt(p, "bytes of a record", p->stride, ECG__PACK_RECORD, err);
    return ECG_OK;
}

/* Where sections are. Their sizes must give the file's: none wraps, since each part is limited. */
static ecg_status place_sections(struct ecg__pack *p, const unsigned char **words, uint64_t *word_bytes,
                                 ecg_error *err)
{
    const uint64_t tables = ECG__PACK_HEADER + 8 * (uint64_t)p->classes +
                            ECG__PACK_SHARD * (uint64_t)p->shards + ECG__PACK_COLUMN * (uint64_t)p->columns;
    const uint64_t blocks = (p->count + ECG__PACK_BLOCK - 1) / ECG__PACK_BLOCK;
    *word_bytes = ecg__get_u64(p->map + 48);
    if (*word_bytes > p->bytes || p->name_bytes > p->bytes)
        return corrupt(p, "bytes of words or names, at most", *word_bytes, p->bytes, err);
    const uint64_t records = ecg__pack_round(tables + *word_bytes),
                   names = ecg__pack_round(records + p->count * p->stride),
                   block = ecg__pack_round(names + p->name_bytes),
                   all = block + 8 * (blocks + 1) + ECG__PACK_FOOTER;
    if (all != p->bytes)
        return corrupt(p, "bytes of the file", p->bytes, all, err);
    p->shard = p->map + ECG__PACK_HEADER + 8 * (size_t)p->classes;
    *words = p->map + tables;
    p->record = p->map + records;
    p->names = p->map + names;
    p->block = p->map + block;
    return ECG_OK;
}

/* ---- Words ---- */
struct text {
    const unsigned char *at;
    uint64_t left;
};

/* The next terminated word, not longer than is allowed; NULL: there is none. */
static const char *take_word(struct text *t)
{
    const char *word = (const char *)t->at;
    const uint64_t most = t->left < ECG__PACK_NAME ? t->left : ECG__PACK_NAME;
    const unsigned char *end = most ? memchr(t->at, 0, (size_t)most) : NULL;
    if (!end)
        return NULL;
    t->left -= (uint64_t)(end + 1 - t->at);
    t->at = end + 1;
    return word;
}

static ecg_status bad_words(const struct ecg__pack *p, const char *what, ecg_error *err)
{
    return ecg__fail(err, ECG_ECORRUPT, "%s: %s are not terminated, in order and different", p->path, what);
}

static ecg_status read_classes(struct ecg__pack *p, struct text *t, ecg_error *err)
{
    uint64_t last = 0;
    p->cls = ecg__calloc(p->classes, sizeof *p->cls);
    p->end = ecg__calloc(p->classes, sizeof *p->end);
    if (!p->cls || !p->end)
        return no_memory(p, err);
    for (uint32_t i = 0; i < p->classes; i++) {
        p->cls[i] = take_word(t);
        if (!p->cls[i] || !*p->cls[i] || (i && strcmp(p->cls[i - 1], p->cls[i]) >= 0))
            return bad_words(p, "names of classes", err);
        p->end[i] = ecg__get_u64(p->map + ECG__PACK_HEADER + 8 * (size_t)i);
        if (p->end[i] < last || p->end[i] > p->count)
            return corrupt(p, "end of a class, at most", p->end[i], p->count, err);
        last = p->end[i];
    }
    return last == p->count ? ECG_OK : corrupt(p, "pictures of classes", last, p->count, err);
}

/* What a manifest may say of splits. */
static bool is_split(const char *word)
{
    return !word || strcmp(word, "train") == 0 || strcmp(word, "val") == 0 || strcmp(word, "test") == 0;
}

static ecg_status read_column(struct ecg__pack *p, uint32_t i, struct text *t, ecg_error *err)
{
    const unsigned char *row = p->shard + ECG__PACK_SHARD * (size_t)p->shards + ECG__PACK_COLUMN * (size_t)i;
    struct ecg__pack_column *c = &p->column[i];
    c->words = ecg__get_u32(row);
    c->width = ecg__get_u32(row + 4);
    c->name = take_word(t);
    if (!c->name || !*c->name || c->words < 1 || c->words > t->left || c->width != ecg__pack_width(c->words))
        return ecg__fail(err, ECG_ECORRUPT, "%s: column %u has %u words in %u bytes", p->path, i, c->words,
                         c->width);
    for (uint32_t k = 0; k < i; k++)
        if (strcmp(p->column[k].name, c->name) == 0)
            return ecg__fail(err, ECG_ECORRUPT, "%s: two columns are named \"%s\"", p->path, c->name);
    c->word = ecg__calloc(c->words, sizeof *c->word);
    if (!c->word)
        return no_memory(p, err);
    const bool splits = strcmp(c->name, "split") == 0;
    for (uint32_t k = 0; k < c->words; k++) {
        const char *word = take_word(t);
        /* The first may be empty: none. */
        if (!word || (k && strcmp(c->word[k - 1] ? c->word[k - 1] : "", word) >= 0))
            return bad_words(p, "words of a column", err);
        c->word[k] = *word ? word : NULL;
        if (splits && !is_split(c->word[k]))
            return ecg__fail(err, ECG_ECORRUPT, "%s: \"%s\" is no split", p->path, word);
    }
    return ECG_OK;
}

static ecg_status read_columns(struct ecg__pack *p, struct text *t, ecg_error *err)
{
    uint32_t at = ECG__PACK_RECORD;
    p->column = ecg__calloc(p->columns ? p->columns : 1, sizeof *p->column);
    if (!p->column)
        return no_memory(p, err);
    for (uint32_t i = 0; i < p->columns; i++) {
        const ecg_status s = read_column(p, i, t, err);
        if (s != ECG_OK)
            return s;
        p->column[i].at = at;
        at += p->column[i].width;
    }
    if (at != p->stride)
        return corrupt(p, "bytes of a record", p->stride, at, err);
    return t->left == 0 ? ECG_OK : corrupt(p, "bytes after the last word", t->left, 0, err);
}

/* ---- Shards and records ---- */
static ecg_status check_shards(const struct ecg__pack *p, ecg_error *err)
{
    const uint64_t least = ECG__SHARD_HEADER + ECG__SHARD_FOOTER, most = (UINT64_C(1) << ECG__PACK_PLACE);
    for (uint32_t i = 0; i < p->shards; i++) {
        const uint64_t bytes = ecg__get_u64(p->shard + ECG__PACK_SHARD * (size_t)i);
        if (bytes < least || bytes > most)
            return corrupt(p, "bytes of a shard, at most", bytes, most, err);
    }
    return ECG_OK;
}

static ecg_status check_records(const struct ecg__pack *p, ecg_error *err)
{
    const uint64_t mask = (UINT64_C(1) << ECG__PACK_PLACE) - 1;
    for (uint64_t i = 0; i < p->count; i++) {
        const unsigned char *r = p->record + i * p->stride;
        const uint64_t place = ecg__get_u64(r), shard = place >> ECG__PACK_PLACE, at = place & mask;
        const uint32_t length = ecg__get_u32(r + 8);
        if (shard >= p->shards)
            return corrupt(p, "shard of a picture, at most", shard, p->shards - 1, err);
        const uint64_t bytes = ecg__get_u64(p->shard + ECG__PACK_SHARD * (size_t)shard);
        if (at < ECG__SHARD_HEADER || length < 1 || length > ECG__PACK_PICTURE ||
            at + length > bytes - ECG__SHARD_FOOTER)
            return ecg__fail(err, ECG_ECORRUPT,
                             "%s: picture %" PRIu64 " is at %" PRIu64 " with %u bytes in a shard of %" PRIu64,
                             p->path, i, at, length, bytes);
        if (p->kind == ECG__PACK_PIXELS && length != p->h * p->w)
            return corrupt(p, "pixels of a picture", length, (uint64_t)p->h * p->w, err);
        for (uint32_t c = 0; c < p->columns; c++)
            if (ecg__pack_word(p, &p->column[c], i) >= p->column[c].words)
                return corrupt(p, "number of a word, at most", ecg__pack_word(p, &p->column[c], i),
                               p->column[c].words - 1, err);
    }
    return ECG_OK;
}

/* ---- Names ---- */
static bool take_varint(const unsigned char **at, const unsigned char *end, size_t *v)
{
    *v = 0;
    for (uint32_t shift = 0; *at < end && shift < 21; shift += 7) {
        const unsigned char b = *(*at)++;
        *v |= (size_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return true;
    }
    return false;
}

/* The next name over the one before; false: it is not as it should be. */
static bool take_name(struct ecg__pack_names *w)
{
    const unsigned char *end = w->p->names + w->p->name_bytes;
    size_t shared, rest;
    if (!take_varint(&w->at, end, &shared) || !take_varint(&w->at, end, &rest) || shared > w->n ||
        rest > (size_t)(end - w->at) || shared + rest < 1 || shared + rest >= ECG__PACK_NAME ||
        memchr(w->at, 0, rest) || (w->next % ECG__PACK_BLOCK == 0 && shared))
        return false;
    memcpy(w->name + shared, w->at, rest);
    w->n = shared + rest;
    w->name[w->n] = '\0';
    w->at += rest;
    w->next++;
    return true;
}

static ecg_status check_names(const struct ecg__pack *p, ecg_error *err)
{
    struct ecg__pack_names w = {.p = p, .at = p->names};
    char last[ECG__PACK_NAME] = "";
    uint32_t cls = 0;
    bool first = true;
    for (uint64_t i = 0; i < p->count; i++) {
        for (; i == p->end[cls]; first = true)
            cls++;
        if (i % ECG__PACK_BLOCK == 0 &&
            ecg__get_u64(p->block + i / ECG__PACK_BLOCK * 8) != (uint64_t)(w.at - p->names))
            return corrupt(p, "beginning of the block of name", i, (uint64_t)(w.at - p->names), err);
        if (!take_name(&w) || (!first && strcmp(last, w.name) >= 0))
            return ecg__fail(err, ECG_ECORRUPT,
                             "%s: the name of picture %" PRIu64 " is no name, or not in order", p->path, i);
        memcpy(last, w.name, w.n + 1);
        first = false;
    }
    const uint64_t blocks = (p->count + ECG__PACK_BLOCK - 1) / ECG__PACK_BLOCK,
                   read = (uint64_t)(w.at - p->names);
    if (read != p->name_bytes || ecg__get_u64(p->block + blocks * 8) != read)
        return corrupt(p, "bytes of names", read, p->name_bytes, err);
    return ECG_OK;
}

void ecg__pack_names_from(struct ecg__pack_names *w, const struct ecg__pack *p, uint64_t i)
{
    const uint64_t block = i / ECG__PACK_BLOCK;
    w->p = p;
    w->n = 0;
    w->next = block * ECG__PACK_BLOCK;
    w->at = p->names + ecg__get_u64(p->block + block * 8);
    while (w->next < i)
        ecg__pack_names_next(w);
}

bool ecg__pack_names_next(struct ecg__pack_names *w)
{
    return w->next < w->p->count && take_name(w);
}

/* ---- The whole ---- */
ecg_status ecg__pack_parse(struct ecg__pack **out, const unsigned char *data, size_t n, const char *path,
                           ecg_error *err)
{
    *out = NULL;
    struct ecg__pack *p = ecg__calloc(1, sizeof *p);
    if (!p || !(p->path = ecg__strdup(path))) {
        ecg__free(p);
        return ecg__fail(err, ECG_ENOMEM, "%s: out of memory", path);
    }
    p->map = data;
    p->bytes = n;
    struct text text = {NULL, 0};
    ecg_status s = read_header(p, err);
    if (s == ECG_OK)
        s = check_header(p, err);
    if (s == ECG_OK)
        s = place_sections(p, &text.at, &text.left, err);
    if (s == ECG_OK)
        s = read_classes(p, &text, err);
    if (s == ECG_OK)
        s = read_columns(p, &text, err);
    if (s == ECG_OK)
        s = check_shards(p, err);
    if (s == ECG_OK)
        s = check_records(p, err);
    if (s == ECG_OK)
        s = check_names(p, err);
    if (s != ECG_OK) {
        ecg__pack_free(p);
        return s;
    }
    *out = p;
    return ECG_OK;
}
