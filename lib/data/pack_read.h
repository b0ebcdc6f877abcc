/* A pack, opened: an index that is mapped, and shards. Checked in full when it is opened, so that nothing
 * here but reading a picture can fail. Immutable; any thread. */
#ifndef ECG_DATA_PACK_READ_H
#define ECG_DATA_PACK_READ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "data/pack_format.h"
#include "ecgcnn/pack.h"

struct ecg__pack_column {
    const char *name;
    const char **word;         /* [words] sorted; NULL stands for "" */
    uint32_t words, width, at; /* at: in a record */
};

struct ecg__pack {
    char *root; /* the folder, without trailing slashes; "" for "/" */
    char *path; /* of the index, for messages */
    const unsigned char *map;
    size_t bytes;
    bool mapped; /* map is to be unmapped */
    uint32_t kind, h, w, classes, columns, shards, stride;
    uint64_t count;
    const char **cls; /* [classes] sorted */
    uint64_t *end;    /* [classes] one behind a class's last picture */
    struct ecg__pack_column *column;
    const unsigned char *shard;  /* table */
    const unsigned char *record; /* [count][stride] */
    const unsigned char *names;
    uint64_t name_bytes;
    const unsigned char *block; /* [blocks + 1] u64 */
    int *fd;                    /* [open] of the first shards; others are opened for each picture */
    uint32_t open;
    atomic_uint_least32_t *seen; /* a bit for each picture whose checksum was right */
};

/* Names one after the other. */
struct ecg__pack_names {
    const struct ecg__pack *p;
    uint64_t next;
    const unsigned char *at;
    size_t n; /* of name */
    char name[ECG__PACK_NAME];
};

/* Whether a path, as far as its name says, is a pack: its folder, or its index. */
bool ecg__pack_is(const char *path);

/* Map and check the index, and see that all shards are there and of their size. ECG_EIO, ECG_EFORMAT,
 * ECG_EVERSION, ECG_ECORRUPT, ECG_ENOMEM. */
ecg_status ecg__pack_open(struct ecg__pack **out, const char *path, ecg_error *err);
void ecg__pack_free(struct ecg__pack *p); /* NULL is allowed */

/* The same of an index in memory, without shards. Freed as the other; `data` stays the caller's and must
 * stay. */
ecg_status ecg__pack_parse(struct ecg__pack **out, const unsigned char *data, size_t n, const char *path,
                           ecg_error *err);

/* The name of picture i < count into buf; its length. */
size_t ecg__pack_name(const struct ecg__pack *p, uint64_t i, char buf[ECG__PACK_NAME]);

/* A walk that begins at picture i <= count; then each call gives the next, until it is false. */
void ecg__pack_names_from(struct ecg__pack_names *w, const struct ecg__pack *p, uint64_t i);
bool ecg__pack_names_next(struct ecg__pack_names *w);

uint32_t ecg__pack_class(const struct ecg__pack *p, uint64_t i);

/* The column of that name; -1: none. */
int ecg__pack_find_column(const struct ecg__pack *p, const char *name);
static inline uint32_t ecg__pack_word(const struct ecg__pack *p, const struct ecg__pack_column *c, uint64_t i)
{
    const unsigned char *at = p->record + i * p->stride + c->at;
    return c->width == 1 ? at[0] : c->width == 2 ? at[0] | (uint32_t)at[1] << 8 : ecg__get_u32(at);
}

static inline uint32_t ecg__pack_length(const struct ecg__pack *p, uint64_t i)
{
    return ecg__get_u32(p->record + i * p->stride + 8);
}

/* The stored bytes of picture i, ecg__pack_length of them. The first time they are read their checksum is
 * compared; `again`: every time. ECG_EIO, ECG_ECORRUPT; names pack, picture, class. */
ecg_status ecg__pack_read(const struct ecg__pack *p, uint64_t i, void *to, bool again, ecg_error *err);

/* Read a shard from end to end and compare its checksum. ECG_EIO, ECG_ECORRUPT, ECG_ENOMEM. */
ecg_status ecg__pack_check_shard(const struct ecg__pack *p, uint32_t i, ecg_error *err);

/* Two pictures of one name in different classes; false: there are none. In a class, names ascend. */
ecg_status ecg__pack_find_repeat(const struct ecg__pack *p, bool *found, char name[ECG__PACK_NAME],
                                 uint32_t cls[2], ecg_error *err);

#endif
