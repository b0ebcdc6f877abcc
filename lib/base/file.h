/* Whole files: read with a limit, written so that they appear complete or not at all. */
#ifndef ECG_BASE_FILE_H
#define ECG_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

/* "PATH: DOING: text of errno `code`"; ECG_ENOMEM for ENOMEM, else ECG_EIO. */
ecg_status ecg__file_fail(ecg_error *err, const char *path, const char *doing, int code);

/* Open a regular file to read it. Anything else that a path can name is refused and never waited for. */
ecg_status ecg__file_open(int *fd, uint64_t *size, const char *path, ecg_error *err);

/* All bytes of a regular file into *out (ecg__free; a block also when *n is 0). Anything else that a path can
 * name is refused and never waited for. ECG_EIO, ECG_ELIMIT (more than max_bytes), ECG_ENOMEM; the message
 * names the path. */
ecg_status ecg__file_read(unsigned char **out, size_t *n, const char *path, uint64_t max_bytes,
                          ecg_error *err);

/* A file being written: a temporary file in the folder of `path` until the commit. */
typedef struct ecg__file ecg__file;

/* Permissions are those that open() would give: the umask's for a new file, the old ones for an old file. A
 * link is followed; a device, pipe or folder is refused. */
ecg_status ecg__file_create(ecg__file **out, const char *path, ecg_error *err);

/* Buffered. After a failure every later write and the commit fail too. */
ecg_status ecg__file_write(ecg__file *f, const void *data, size_t n, ecg_error *err);

/* Remove what killed processes left in the folder of the file; see leftover.h for what that is. Takes about
 * 1 ms for a thousand names, so it is not for files that come by the thousand. */
void ecg__file_tidy(ecg__file *f);

/* Flush and rename over the path. `durable` also waits for the disk, file and folder, so that a power cut
 * cannot take the file away (about 7 ms), and before the rename reads the file again and compares it with
 * what was written. Frees f in every case; on failure the temporary file is removed and what stood under the
 * path is still there. */
ecg_status ecg__file_commit(ecg__file *f, bool durable, ecg_error *err);

/* Remove the temporary file and free f; NULL is allowed. */
void ecg__file_abandon(ecg__file *f);

#endif
