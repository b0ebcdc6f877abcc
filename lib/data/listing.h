/* What a folder or a manifest lists, before it becomes a dataset. */
#ifndef ECG_DATA_LISTING_H
#define ECG_DATA_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

/* Strings one after the other. Kept as offsets while they are collected, since the block moves as it grows.
 * Offset 0 is the empty string, which stands for none. */
struct ecg__text {
    char *bytes;
    size_t used, cap;
};

/* Offsets of class names, repeats allowed. */
struct ecg__names {
    size_t *at;
    size_t count, cap;
};

struct ecg__entry {
    size_t path; /* root/name */
    size_t cls, patient, split, group;
};

struct ecg__listing {
    const char *root;         /* without trailing slashes; "" for "/" */
    const char *group_column; /* of the manifest; NULL: none */
    bool keras_rules, follow_links;
    size_t prefix; /* bytes of "root/" before the relative name */
    struct ecg__text text;
    struct ecg__entry *entry;
    size_t count, cap;
    struct ecg__names classes, ignored;
};

/* The classes that are wanted, for looking up by name. Empty (count 0): any. */
struct ecg__class {
    const char *name;
    uint32_t index;
};
struct ecg__class_set {
    struct ecg__class *sorted;
    uint32_t count;
    bool ignore_unknown;
};
#define ECG__NO_CLASS UINT32_MAX

/* Room for one more element: `old` or a larger copy of it (old is freed), with *cap adjusted. NULL when out
 * of memory; old is still good then. */
void *ecg__grown(void *old, size_t *cap, size_t count, size_t size);

/* Make room for a string of n bytes, so that adding it does not move the block; false when out of memory. */
bool ecg__text_room(struct ecg__text *t, size_t n);

/* Append a string of n bytes; false when out of memory. */
bool ecg__text_add(struct ecg__text *t, const char *s, size_t n, size_t *at);

/* `dir` is used until the listing is freed. */
ecg_status ecg__listing_init(struct ecg__listing *l, char *dir, ecg_error *err);
void ecg__listing_free(struct ecg__listing *l);

/* One more picture, `name` relative to the root. */
ecg_status ecg__listing_add(struct ecg__listing *l, const char *name, size_t n, size_t cls, size_t patient,
                            size_t split, ecg_error *err);

/* Each picture's group: what the first parenthesis of the POSIX extended regular expression finds in its
 * name. ECG_EINVAL: the expression (says where), or a picture that it does not match. */
ecg_status ecg__listing_group(struct ecg__listing *l, const char *pattern, ecg_error *err);

/* Note a class, or one that is left out, by its name's offset. */
bool ecg__names_add(struct ecg__names *v, size_t at);

/* The names as sorted, distinct pointers into text (freed by the caller); NULL when out of memory. */
const char **ecg__names_sorted(const struct ecg__names *v, const char *text, size_t *count);

/* Look-up table over names[0..count), which must stay. ECG_EINVAL: an empty or repeated name. */
ecg_status ecg__class_set_init(struct ecg__class_set *s, const char *const *names, uint32_t count,
                               ecg_error *err);
void ecg__class_set_free(struct ecg__class_set *s);
uint32_t ecg__class_set_find(const struct ecg__class_set *s, const char *name); /* ECG__NO_CLASS: none */

/* ECG_EIO: "path: what: text of the system's error number". */
ecg_status ecg__data_fail_errno(ecg_error *err, int code, const char *path, const char *what);

#endif
