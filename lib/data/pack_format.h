/* What writer and reader of packs agree on; PACK.md in words. */
#ifndef ECG_DATA_PACK_FORMAT_H
#define ECG_DATA_PACK_FORMAT_H

#include <stdint.h>

#include "base/little.h"

enum {
    ECG__PACK_MAJOR = 1,
    ECG__PACK_MINOR = 0,
    ECG__PACK_HEADER = 64,  /* bytes of the index before its tables */
    ECG__PACK_FOOTER = 24,  /* and after all */
    ECG__PACK_SHARD = 24,   /* of a row in the table of shards */
    ECG__PACK_COLUMN = 8,   /* of a row in the table of columns */
    ECG__PACK_RECORD = 16,  /* of a picture, before its words */
    ECG__PACK_BLOCK = 32,   /* names that share what they begin with */
    ECG__SHARD_HEADER = 16, /* bytes of a shard before its pictures */
    ECG__SHARD_FOOTER = 24, /* and after them */

    ECG__PACK_CLASSES = 65536, /* most of each */
    ECG__PACK_COLUMNS = 64,
    ECG__PACK_SHARDS = 1 << 20,
    ECG__PACK_NAME = 4096, /* bytes of a name or word with its end */
    ECG__PACK_PICTURE = 1 << 26,
    ECG__PACK_PLACE = 40, /* bits of an offset in a shard */
};

enum { ECG__PACK_FILES = 0, ECG__PACK_PIXELS = 1 };

#define ECG__PACK_MAGIC  "\x8a\x45\x43\x47\x50\x0d\x0a\x1a"
#define ECG__SHARD_MAGIC "\x8a\x45\x43\x47\x53\x0d\x0a\x1a"
#define ECG__PACK_END    "ECGPEND\n"
#define ECG__SHARD_END   "ECGSEND\n"
#define ECG__PACK_RECIPE "recipe.txt"
#define ECG__SHARD_FILE  "shard-%06u.ecgs"

/* Bytes that a number below `count` takes. */
static inline uint32_t ecg__pack_width(uint64_t count)
{
    return count <= 256 ? 1 : count <= 65536 ? 2 : 4;
}

static inline uint64_t ecg__pack_round(uint64_t n)
{
    return (n + 7) & ~(uint64_t)7;
}

#endif
