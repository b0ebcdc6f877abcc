/* manifest.csv: the pictures of a dataset, listed instead of searched for.
 *
 * CSV as in RFC 4180: fields parted by commas, quoted where they hold commas, quotes or line ends; lines end
 * in LF or CRLF; empty lines are skipped; a UTF-8 byte order mark is. The first line names the columns.
 * `image` (relative to the root, inside it) and `class` must be there; `patient` (else `record`) and `split`
 * (train, val, test or empty) are used; others are ignored. */
#ifndef ECG_DATA_MANIFEST_H
#define ECG_DATA_MANIFEST_H

#include "data/csv.h"
#include "data/listing.h"

enum { ECG__MANIFEST_BYTES = 1 << 28 }; /* largest file; csv.h limits lines and columns */

/* Of the record read last, a header: it names `image` and `class`, whose columns these are, and none twice.
 */
ecg_status ecg__manifest_header(struct ecg__csv *c, int *image, int *cls, ecg_error *err);

/* Of the record read last, a picture: so many fields, a name inside the root, which becomes the one form that
 * it has, and a split (column -1: none). */
ecg_status ecg__manifest_row(struct ecg__csv *c, size_t fields, int image, int split, ecg_error *err);

/* Fill l from n bytes of text; `path` stands for the file in messages. */
ecg_status ecg__manifest_parse(struct ecg__listing *l, const char *text, size_t n, const char *path,
                               const struct ecg__class_set *wanted, ecg_error *err);

/* Fill l from root/manifest.csv; *found is false, and l untouched, where there is none. */
ecg_status ecg__manifest_read(struct ecg__listing *l, bool *found, const struct ecg__class_set *wanted,
                              ecg_error *err);

#endif
