/* The index of a pack, from its rows in order. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/pack_format.h"
#include "data/pack_write.h"

struct index {
    ecg_pack_writer *w;
    ecg__file *file;
    uint64_t at; /* bytes written */
    uint32_t crc;
    uint32_t **rank;       /* [columns][words] of a word's number */
    const char ***sorted;  /* [columns][words] */
    uint32_t *width;       /* [columns] */
    unsigned char *record; /* [stride] */
    uint32_t stride;
    uint64_t words;  /* bytes of the section */
    uint64_t *block; /* [blocks + 1] where they begin among the names */
};

static ecg_status put(struct index *x, const void *data, size_t n, ecg_error *err)
{
    x->crc = (uint32_t)crc32_z(x->crc, data, n);
    x->at += n;
    return ecg__file_write(x->file, data, n, err);
}

static ecg_status put_number(struct index *x, uint64_t v, uint32_t n, ecg_error *err)
{
    unsigned char p[8];
    ecg__put_bytes(p, v, n);
    return put(x, p, n, err);
}

static ecg_status pad(struct index *x, ecg_error *err)
{
    static const unsigned char zeros[8];
    return put(x, zeros, (size_t)(ecg__pack_round(x->at) - x->at), err);
}

/* ---- Before the rows ---- */
static ecg_status rank_words(struct index *x, ecg_error *err)
{
    ecg_pack_writer *w = x->w;
    const uint32_t columns = w->o.column_count;
    x->stride = ECG__PACK_RECORD;
    x->rank = ecg__calloc(columns ? columns : 1, sizeof *x->rank);
    x->sorted = ecg__calloc(columns ? columns : 1, sizeof *x->sorted);
    x->width = ecg__calloc(columns ? columns : 1, sizeof *x->width);
    bool ok = x->rank && x->sorted && x->width;
    for (uint32_t i = 0; i < w->o.class_count; i++)
        x->words += strlen(w->cls[i]) + 1;
    for (uint32_t i = 0; ok && i < columns; i++) {
        ok = ecg__words_rank(&w->word[i], &x->rank[i], &x->sorted[i]);
        x->width[i] = ecg__pack_width(w->word[i].count);
        x->stride += x->width[i];
        x->words += strlen(w->column[i]) + 1;
        for (size_t k = 0; ok && k < w->word[i].count; k++)
            x->words += strlen(x->sorted[i][k]) + 1;
    }
    x->record = ok ? ecg__calloc(x->stride, 1) : NULL;
    const uint64_t blocks = (w->count + ECG__PACK_BLOCK - 1) / ECG__PACK_BLOCK;
    x->block = x->record ? ecg__calloc((size_t)blocks + 1, sizeof *x->block) : NULL;
    return x->block ? ECG_OK : ecg__fail(err, ECG_ENOMEM, "%s: out of memory for the index", w->dir);
}

static ecg_status put_header(struct index *x, ecg_error *err)
{
    const ecg_pack_writer *w = x->w;
    unsigned char p[ECG__PACK_HEADER] = ECG__PACK_MAGIC;
    ecg__put_bytes(p + 8, ECG__PACK_MAJOR, 2);
    ecg__put_bytes(p + 10, ECG__PACK_MINOR, 2);
    ecg__put_bytes(p + 12, w->o.pixels ? ECG__PACK_PIXELS : ECG__PACK_FILES, 4);
    ecg__put_bytes(p + 16, w->count, 8);
    ecg__put_bytes(p + 24, w->o.pixels ? w->o.h : 0, 4);
    ecg__put_bytes(p + 28, w->o.pixels ? w->o.w : 0, 4);
    ecg__put_bytes(p + 32, w->o.class_count, 4);
    ecg__put_bytes(p + 36, w->o.column_count, 4);
    ecg__put_bytes(p + 40, w->shards, 4);
    ecg__put_bytes(p + 44, x->stride, 4);
    ecg__put_bytes(p + 48, x->words, 8);
    return put(x, p, sizeof p, err);
}

static ecg_status put_tables(struct index *x, ecg_error *err)
{
    const ecg_pack_writer *w = x->w;
    ecg_status s = ECG_OK;
    uint64_t first = 0;
    for (uint32_t i = 0; s == ECG_OK && i < w->o.class_count; i++) {
        first += w->class_count[i];
        s = put_number(x, first, 8, err);
    }
    for (size_t i = 0; s == ECG_OK && i < w->shards; i++) {
        unsigned char p[ECG__PACK_SHARD] = {0};
        ecg__put_bytes(p, w->shard[i].bytes, 8);
        ecg__put_bytes(p + 8, w->shard[i].pictures, 4);
        ecg__put_bytes(p + 12, w->shard[i].crc, 4);
        s = put(x, p, sizeof p, err);
    }
    for (uint32_t i = 0; s == ECG_OK && i < w->o.column_count; i++) {
        s = put_number(x, w->word[i].count, 4, err);
        if (s == ECG_OK)
            s = put_number(x, x->width[i], 4, err);
    }
    for (uint32_t i = 0; s == ECG_OK && i < w->o.class_count; i++)
        s = put(x, w->cls[i], strlen(w->cls[i]) + 1, err);
    for (uint32_t i = 0; s == ECG_OK && i < w->o.column_count; i++) {
        s = put(x, w->column[i], strlen(w->column[i]) + 1, err);
        for (size_t k = 0; s == ECG_OK && k < w->word[i].count; k++)
            s = put(x, x->sorted[i][k], strlen(x->sorted[i][k]) + 1, err);
    }
    return s == ECG_OK ? pad(x, err) : s;
}

/* ---- The rows, twice ---- */
static ecg_status refuse_twice(const struct index *x, const char *name, const struct ecg__row *row,
                               uint64_t last_line, ecg_error *err)
{
    uint64_t line = ecg__get_u64(row->fixed + ECG__ROW_LINE);
    if (line == 0)
        return ecg__fail(err, ECG_EINVAL, "%s: two pictures are named \"%s\"", x->w->dir, name);
    if (line < last_line) {
        const uint64_t earlier = line;
        line = last_line;
        last_line = earlier;
    }
    return ecg__fail(err, ECG_EFORMAT, "%s: line %llu: the image \"%s\" stands in line %llu already",
                     x->w->dir, (unsigned long long)line, name, (unsigned long long)last_line);
}

static ecg_status put_records(struct index *x, ecg_error *err)
{
    ecg_pack_writer *w = x->w;
    struct ecg__row row = {0};
    bool more = true;
    char last[ECG__PACK_NAME] = "";
    uint32_t last_major = UINT32_MAX;
    uint64_t last_line = 0;
    ecg_status s = ecg__sorter_begin(w->rows, err);
    while (s == ECG_OK && (s = ecg__sorter_next(w->rows, &row, &more, err)) == ECG_OK && more) {
        if (row.major == last_major && strcmp(last, row.name) == 0)
            return refuse_twice(x, last, &row, last_line, err);
        last_major = row.major;
        last_line = ecg__get_u64(row.fixed + ECG__ROW_LINE);
        memcpy(last, row.name, row.n + 1);
        memcpy(x->record, row.fixed + ECG__ROW_PLACE, ECG__PACK_RECORD);
        unsigned char *to = x->record + ECG__PACK_RECORD;
        for (uint32_t i = 0; i < w->o.column_count; i++) {
            const uint32_t number = ecg__get_u32(row.fixed + ECG__ROW_WORDS + 4 * (size_t)i);
            ecg__put_bytes(to, x->rank[i][number], x->width[i]);
            to += x->width[i];
        }
        s = put(x, x->record, x->stride, err);
    }
    return s == ECG_OK ? pad(x, err) : s;
}

static size_t put_varint(unsigned char *p, size_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        p[n++] = (unsigned char)(v | 0x80);
    p[n++] = (unsigned char)v;
    return n;
}

/* Each name without what it shares with the one before in its block. */
static ecg_status put_names(struct index *x, uint64_t *bytes, ecg_error *err)
{
    struct ecg__row row = {0};
    bool more = true;
    char last[ECG__PACK_NAME] = "";
    const uint64_t start = x->at;
    uint64_t i = 0;
    ecg_status s = ecg__sorter_begin(x->w->rows, err);
    for (; s == ECG_OK && (s = ecg__sorter_next(x->w->rows, &row, &more, err)) == ECG_OK && more; i++) {
        unsigned char head[8];
        size_t shared = 0;
        if (i % ECG__PACK_BLOCK == 0)
            x->block[i / ECG__PACK_BLOCK] = x->at - start;
        else
            while (last[shared] && last[shared] == row.name[shared])
                shared++;
        const size_t n = put_varint(head, shared), m = put_varint(head + n, row.n - shared);
        s = put(x, head, n + m, err);
        if (s == ECG_OK)
            s = put(x, row.name + shared, row.n - shared, err);
        memcpy(last, row.name, row.n + 1);
    }
    *bytes = x->at - start;
    x->block[(i + ECG__PACK_BLOCK - 1) / ECG__PACK_BLOCK] = *bytes;
    return s == ECG_OK ? pad(x, err) : s;
}

static ecg_status put_end(struct index *x, uint64_t names, ecg_error *err)
{
    const uint64_t blocks = (x->w->count + ECG__PACK_BLOCK - 1) / ECG__PACK_BLOCK;
    ecg_status s = ECG_OK;
    for (uint64_t i = 0; s == ECG_OK && i <= blocks; i++)
        s = put_number(x, x->block[i], 8, err);
    if (s == ECG_OK)
        s = put_number(x, names, 8, err);
    if (s == ECG_OK)
        s = put_number(x, 0, 4, err);
    if (s == ECG_OK)
        s = put_number(x, x->crc, 4, err);
    return s == ECG_OK ? put(x, ECG__PACK_END, 8, err) : s;
}

ecg_status ecg__pack_index_write(ecg_pack_writer *w, uint64_t *bytes, ecg_error *err)
{
    struct index x = {.w = w};
    uint64_t names = 0;
    ecg_status s = rank_words(&x, err);
    if (s == ECG_OK)
        s = ecg__file_create(&x.file, ecg__pack_path(w, ECG_PACK_INDEX), err);
    if (s == ECG_OK)
        s = put_header(&x, err);
    if (s == ECG_OK)
        s = put_tables(&x, err);
    if (s == ECG_OK)
        s = put_records(&x, err);
    if (s == ECG_OK)
        s = put_names(&x, &names, err);
    if (s == ECG_OK)
        s = put_end(&x, names, err);
    if (s == ECG_OK) {
        s = ecg__file_commit(x.file, true, err);
        x.file = NULL;
    }
    ecg__file_abandon(x.file);
    *bytes = x.at;
    for (uint32_t i = 0; i < w->o.column_count; i++) {
        if (x.rank)
            ecg__free(x.rank[i]);
        if (x.sorted)
            ecg__free(x.sorted[i]);
    }
    ecg__free(x.rank);
    ecg__free(x.sorted);
    ecg__free(x.width);
    ecg__free(x.record);
    ecg__free(x.block);
    return s;
}
