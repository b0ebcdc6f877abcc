/* uploads_sweep.h: which of the kept pictures go. */
#ifndef ECG_SERVE_UPLOADS_SWEEP_H
#define ECG_SERVE_UPLOADS_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#define SWEEP_UNFINISHED ".unfinished-" /* names of files begin so until they are whole */

struct sweep_rules {
    int64_t before;            /* files last sent before this go; seconds since 1970 */
    uint64_t bytes;            /* of the others the oldest go until this much is left */
    int64_t unfinished_before; /* what a crash left goes when it is older than this */
};

struct sweep_result {
    uint64_t files, bytes; /* that are left */
    uint64_t removed;
};

/* Is `name` (64 small hexadecimal digits) one of ours in the folder `folder` (its first two)? */
bool sweep_is_ours(const char *folder, const char *name);

/* Goes through the folders of `dir` once. Only files are removed, never links, and only such with our names.
 */
bool sweep_folder(int dir, const struct sweep_rules *rules, struct sweep_result *r, char why[160]);

#endif
