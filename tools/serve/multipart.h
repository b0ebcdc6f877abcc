/* multipart.h: multipart/form-data (RFC 7578), as `curl -F file=@beat.png` and a form of a page send it. A
 * strict subset: what two readers could understand in two ways is refused.
 *
 * Refused are a preamble and an epilogue, lines that do not end in CR LF, folded header lines, spaces behind
 * a boundary, a line in a part that begins with the boundary but goes on otherwise, a part without a name,
 * Content-Transfer-Encoding other than 7bit, 8bit and binary, and headers given twice. Other headers of a
 * part are checked and ignored. */
#ifndef ECG_SERVE_MULTIPART_H
#define ECG_SERVE_MULTIPART_H

#include <stddef.h>

#include "serve/http_text.h"

struct multipart_part {
    const char *name; /* what stood in the quotes, as it was: backslashes and %22 are not undone */
    size_t name_len;
    const char *filename; /* as above; for display only. NULL: a field, not a file */
    size_t filename_len;
    const char *type; /* Content-Type, without spaces at its ends; NULL: none */
    size_t type_len;
    const unsigned char *data;
    size_t size;
};

/* The parts of `body`, in order; everything points into `body`. 0, or the HTTP status to answer with and a
 * line in `why`: 400 (malformed), 413 (more than `max` parts), 415 (another content type). A body that ends
 * at once has no part and is fine. Linear in `size`; pure, for any thread. */
int multipart_parse(const char *content_type, const unsigned char *body, size_t size,
                    struct multipart_part *parts, size_t max, size_t *count, char why[HTTP_WHY]);

#endif
