/* pack.h: many pictures in a few large files, for sets that would be millions of files.
 *
 * A pack is a folder: shard files with the pictures one after the other, and index.ecgp, which is written
 * last and says where each picture is, its checksum, class, name, and columns of the manifest.
 * ecg_dataset_open takes it like a folder of pictures, and a training gives the same bits. lib/data/PACK.md
 * describes every byte. */
#ifndef ECGCNN_PACK_H
#define ECGCNN_PACK_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ECG_PACK_INDEX "index.ecgp"

typedef struct ecg_pack_options {
    uint32_t size;
    /* 1: keep gray pixels, which need no decoding. All pictures are then of one size and gray; a loader takes
     * them for gray pictures read with the profile `correct`. 0: keep the files' own bytes (PNG or JPEG). */
    uint32_t pixels;
    uint32_t h, w;        /* of pixels, for a writer; ecg_pack_make takes the first picture's */
    uint64_t shard_bytes; /* a shard is closed when it has as many; 0: 256 MiB. At most 2^39. */
    uint64_t
        sort_bytes; /* memory for sorting; what is more goes through a file in the new folder. 0: 64 MiB */
    /* For a writer: class names, in any order, and the columns that each picture has a value for. For
     * ecg_pack_make: columns to keep beside patient, record, lead, code and split. */
    const char *const *classes;
    uint32_t class_count;
    const char *const *columns;
    uint32_t column_count;
    /* Called now and then; `total` is 0 where it is not known. Nonzero stops: ECG_ECANCELLED. May be NULL. */
    int (*progress)(void *payload, uint64_t done, uint64_t total);
    void *payload;
} ecg_pack_options;
#define ECG_PACK_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        sizeof(ecg_pack_options), 0, 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL                                \
    }

typedef struct ecg_pack_info {
    uint64_t pictures, bytes; /* bytes: of all shards and the index */
    uint32_t classes, shards, pixels, h, w;
} ecg_pack_info;

/* Pack the pictures of `data` (a folder as for ecg_dataset_open, its manifest.csv read as a stream) into the
 * new or empty folder `dir`; recipe.txt is copied. No picture is decoded, unless pixels are wanted. Memory:
 * sort_bytes, and each different word of the columns once. The same data gives the same bytes. `info` may be
 * NULL. Errors: those of the writer; ECG_EFORMAT (a line of the manifest), ECG_EUNSUPPORTED (pixels of a
 * coloured picture). */
ECG_API ecg_status ecg_pack_make(const char *dir, const char *data, const ecg_pack_options *o,
                                 ecg_pack_info *info, ecg_error *err);

/* Write a pack picture by picture, in any order: one caller at a time. */
typedef struct ecg_pack_writer ecg_pack_writer;

/* `dir` must not exist, or be an empty folder; it appears when the pack is finished, and until then there is
 * DIR.partial-NUMBER beside it. Errors: ECG_EINVAL (options; dir is not empty), ECG_EIO, ECG_ENOMEM. */
ECG_API ecg_status ecg_pack_writer_new(ecg_pack_writer **out, const char *dir, const ecg_pack_options *o,
                                       ecg_error *err);

/* Add a picture. `name` is its path in the folder that it stands for, at most 4095 bytes; `label` an index
 * into classes; values[column_count] its words ("" or NULL: none), of "split" only train, val and test.
 * data[n] are the bytes of a PNG or JPEG file, at most 64 MiB, or px[h][w]. After an error the pack can only
 * be abandoned. Errors: ECG_EINVAL, ECG_EIO, ECG_ELIMIT, ECG_ENOMEM. */
ECG_API ecg_status ecg_pack_writer_add(ecg_pack_writer *w, const char *name, uint32_t label,
                                       const char *const *values, const void *data, size_t n, ecg_error *err);

/* Write the index, and give the folder its name. Frees w in every case; on failure nothing is left. `info`
 * may be NULL. ECG_EINVAL: no picture, or two of one name; else as above. */
ECG_API ecg_status ecg_pack_writer_finish(ecg_pack_writer *w, ecg_pack_info *info, ecg_error *err);

/* Remove what was written, and free; NULL is allowed. */
ECG_API void ecg_pack_writer_abandon(ecg_pack_writer *w);

typedef struct ecg_pack_verify_options {
    uint32_t size;
    /* Both may be NULL. `damaged` is told of each picture that cannot be read or has another checksum. */
    int (*progress)(void *payload, uint64_t done, uint64_t total);
    void (*damaged)(void *payload, const ecg_error *why);
    void *payload;
} ecg_pack_verify_options;
#define ECG_PACK_VERIFY_OPTIONS_INIT                                                                         \
    {                                                                                                        \
        sizeof(ecg_pack_verify_options), NULL, NULL, NULL                                                    \
    }

/* Read every byte of a pack (its folder, or its index) and compare checksums. Pictures are not decoded.
 * Errors: ECG_EIO, ECG_EFORMAT, ECG_EVERSION, ECG_ECORRUPT (says how many pictures are damaged), ECG_ENOMEM.
 */
ECG_API ecg_status ecg_pack_verify(const char *path, const ecg_pack_verify_options *o, ecg_pack_info *info,
                                   ecg_error *err);

/* 1: the path is a pack's folder or index, as far as its name says. */
ECG_API int ecg_pack_is(const char *path);

#ifdef __cplusplus
}
#endif
#endif
