/* uploads.h: keeps the pictures that were sent, for --uploads DIR.
 *
 * A picture is the file DIR/ab/abcd... with 64 hexadecimal digits, its SHA-256: nothing a client chose is
 * part of a name. DIR/uploads.jsonl has a line of JSON for each answer. Pictures are on the disk before the
 * answer is sent; lines are in the kernel's hands. Files are made with mode 0600, folders with 0700. Only DIR
 * itself may be a symbolic link. Several servers may share DIR. What is in DIR and not ours is never touched.
 *
 * Failing to keep is never a reason not to answer: the caller says `"kept":false` and the line in `why`. */
#ifndef ECG_SERVE_UPLOADS_H
#define ECG_SERVE_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uploads;

struct uploads_counts {
    uint64_t files, bytes; /* as of the last sweep, and what was kept or removed since */
    uint64_t failed;       /* pictures that could not be kept, since the start */
};

/* Makes DIR where its parent is there. `retain_days`: pictures that were sent last so many days ago go (0:
 * they stay); `max_disk`: bytes that pictures and log may take together (0: no limit). Reads all of DIR.
 * NULL: `why` says. */
struct uploads *uploads_open(const char *dir, uint32_t retain_days, uint64_t max_disk, char why[160]);
void uploads_close(struct uploads *u); /* NULL is fine */

/* Keeps a picture; one that is there already only becomes young again. `sha256`: 64 small hexadecimal digits.
 * `json_line`: an object, `{"...`, which is logged with the member "kept" (true or false) put first; NULL:
 * nothing is logged. false: `why` says what was not kept, picture or line. Over max_disk the oldest go first.
 * Any thread. */
bool uploads_keep(struct uploads *u, const char *sha256, const void *bytes, size_t size,
                  const char *json_line, char why[160]);

/* Removes what is too old or too much, oldest first, and what a crash left unfinished. `now` in seconds since
 * 1970. To be called every hour or so, by any thread; returns at once when another is at it. false: `why`
 * says. */
bool uploads_sweep(struct uploads *u, int64_t now, char why[160]);

struct uploads_counts uploads_counts(struct uploads *u);

#endif
