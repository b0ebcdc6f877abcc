/* A pack being written. */
#ifndef ECG_DATA_PACK_WRITE_H
#define ECG_DATA_PACK_WRITE_H

#include "base/file.h"
#include "data/sorter.h"
#include "data/words.h"
#include "ecgcnn/pack.h"

struct ecg__shard {
    uint64_t bytes; /* of the file */
    uint32_t pictures, crc;
};

struct ecg_pack_writer {
    ecg_pack_options o;
    char *dir, *partial; /* where it goes, and where it is */
    char *path;          /* room for a path in `partial` */
    size_t path_room;
    char **cls;              /* [classes] sorted */
    uint32_t *rank;          /* [classes] of the caller's labels */
    uint64_t *class_count;   /* [classes] */
    char **column;           /* [columns] */
    struct ecg__words *word; /* [columns] "" is number 0 */
    unsigned char *fixed;    /* a row's: line, place, length, checksum, numbers of words */
    size_t fixed_bytes;
    struct ecg__sorter *rows;
    struct ecg__shard *shard;
    size_t shards, shard_cap;
    ecg__file *file; /* of the last shard; NULL: none is open */
    uint64_t count, stored;
    bool failed;
};

enum { ECG__ROW_LINE = 0, ECG__ROW_PLACE = 8, ECG__ROW_LENGTH = 16, ECG__ROW_CRC = 20, ECG__ROW_WORDS = 24 };

/* partial/name in w->path. */
const char *ecg__pack_path(ecg_pack_writer *w, const char *name);

/* Add a picture that stands in that line of a manifest; 0: in none. */
ecg_status ecg__pack_add(ecg_pack_writer *w, const char *name, uint32_t label, const char *const *values,
                         const void *data, size_t n, uint64_t line, ecg_error *err);

/* Write partial/index.ecgp; *bytes is its size. */
ecg_status ecg__pack_index_write(ecg_pack_writer *w, uint64_t *bytes, ecg_error *err);

#endif
