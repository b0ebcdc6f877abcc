#include "serve/multipart.h"

#include <stdio.h>
#include <string.h>

enum { BOUNDARY = 70, HEADERS = 16, HEADER_BYTES = 4096, NAME = 256, FILENAME = 1024 };

struct reader {
    const char *at, *end;
    char line[4 + BOUNDARY + 1]; /* CR LF "--" boundary: what ends a part */
    size_t line_size;
    char *why;
};

static int refuse(struct reader *r, int status, const char *text)
{
    snprintf(r->why, HTTP_WHY, "multipart body: %s", text);
    return status;
}

static bool boundary_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("'()+_,-./:=? ", c));
}

static int read_boundary(struct reader *r, const char *content_type)
{
    const char *rest = NULL, *const end = content_type + strlen(content_type);
    const struct http_span all = {content_type, (size_t)(end - content_type)};
    struct http_span name, value, boundary = {NULL, 0};
    int more;
    if (!http_span_is_word(http_value_head(all, &rest), "multipart/form-data"))
        return refuse(r, 415, "the content type is not multipart/form-data");
    while ((more = http_value_param(&rest, end, &name, &value)) == 1) {
        if (!http_span_is_word(name, "boundary"))
            continue;
        if (boundary.at)
            return refuse(r, 400, "two boundaries in the content type");
        boundary = value;
    }
    if (more < 0 || !boundary.at || boundary.size == 0 || boundary.size > BOUNDARY ||
        boundary.at[boundary.size - 1] == ' ')
        return refuse(r, 400, "no boundary of 1 to 70 characters in the content type");
    for (size_t i = 0; i < boundary.size; i++)
        if (!boundary_char(boundary.at[i]))
            return refuse(r, 400, "a boundary with a character that may not be in one");
    memcpy(r->line, "\r\n--", 4);
    memcpy(r->line + 4, boundary.at, boundary.size);
    r->line_size = 4 + boundary.size;
    return 0;
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool starts(const struct reader *r, const char *text, size_t size)
{
    return left(r) >= size && memcmp(r->at, text, size) == 0;
}

static bool control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* One line up to CR LF, and behind it. */
static int header_line(struct reader *r, const char *limit, struct http_span *line)
{
    const char *cr = r->at < limit ? memchr(r->at, '\r', (size_t)(limit - r->at)) : NULL;
    if (!cr)
        return refuse(r, 400, limit < r->end ? "the headers of a part are too long" : "it ends in a header");
    if (r->end - cr < 2 || cr[1] != '\n')
        return refuse(r, 400, "a header line that does not end in CR LF");
    *line = (struct http_span){r->at, (size_t)(cr - r->at)};
    for (const char *p = r->at; p < cr; p++)
        if (control(*p))
            return refuse(r, 400, "a control character in a header");
    r->at = cr + 2;
    return 0;
}

static int disposition(struct reader *r, struct http_span value, struct multipart_part *part)
{
    const char *rest = NULL, *const end = value.at + value.size;
    struct http_span name, text;
    int more;
    bool plain = false;
    if (part->name)
        return refuse(r, 400, "Content-Disposition given twice");
    if (!http_span_is_word(http_value_head(value, &rest), "form-data"))
        return refuse(r, 400, "a part that is not form-data");
    while ((more = http_value_param(&rest, end, &name, &text)) == 1) {
        if (http_span_is_word(name, "name")) {
            if (part->name)
                return refuse(r, 400, "a part with two names");
            part->name = text.at;
            part->name_len = text.size;
        } else if (http_span_is_word(name, "filename")) {
            if (plain)
                return refuse(r, 400, "a part with two file names");
            plain = true;
            part->filename = text.at;
            part->filename_len = text.size;
        } else if (http_span_is_word(name, "filename*") &&
                   !plain) { /* some clients: it is a file all the same */
            part->filename = text.at;
            part->filename_len = text.size;
        }
    }
    if (more < 0 || !part->name)
        return refuse(r, 400, "a part without a name");
    if (part->name_len > NAME || part->filename_len > FILENAME)
        return refuse(r, 400, "a name that is too long");
    return 0;
}

static int header(struct reader *r, struct http_span line, struct multipart_part *part, bool *encoded)
{
    const char *colon = memchr(line.at, ':', line.size);
    if (!colon || colon == line.at)
        return refuse(r, 400, "a header line without a name");
    const struct http_span name = {line.at, (size_t)(colon - line.at)};
    for (size_t i = 0; i < name.size; i++) /* a space first would continue the line before */
        if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7f ||
            strchr("\"(),/:;<=>?@[\\]{}", name.at[i]))
            return refuse(r, 400, "a header name with a character that may not be in one");
    struct http_span value = {colon + 1, line.size - name.size - 1};
    while (value.size > 0 && (*value.at == ' ' || *value.at == '\t'))
        value.at++, value.size--;
    while (value.size > 0 && (value.at[value.size - 1] == ' ' || value.at[value.size - 1] == '\t'))
        value.size--;
    if (http_span_is_word(name, "Content-Disposition"))
        return disposition(r, value, part);
    if (http_span_is_word(name, "Content-Type")) {
        if (part->type)
            return refuse(r, 400, "Content-Type given twice");
        part->type = value.at;
        part->type_len = value.size;
    } else if (http_span_is_word(name, "Content-Transfer-Encoding")) {
        if (*encoded)
            return refuse(r, 400, "Content-Transfer-Encoding given twice");
        *encoded = true;
        if (!http_span_is_word(value, "binary") && !http_span_is_word(value, "8bit") &&
            !http_span_is_word(value, "7bit"))
            return refuse(r, 400, "a part is encoded; send it as it is");
    }
    return 0;
}

static int headers(struct reader *r, struct multipart_part *part)
{
    const char *limit = left(r) > HEADER_BYTES ? r->at + HEADER_BYTES : r->end;
    bool encoded = false;
    for (int n = 0;; n++) {
        struct http_span line;
        int status = header_line(r, limit, &line);
        if (status != 0)
            return status;
        if (line.size == 0)
            return part->name ? 0 : refuse(r, 400, "a part without a name");
        if (n == HEADERS)
            return refuse(r, 400, "a part with too many headers");
        status = header(r, line, part, &encoded);
        if (status != 0)
            return status;
    }
}

/* To the line that ends the part, and behind its boundary. */
static int data(struct reader *r, struct multipart_part *part)
{
    if (starts(r, r->line + 2, r->line_size - 2))
        return refuse(r, 400, "a part without an empty line before its end");
    part->data = (const unsigned char *)r->at;
    const char *from = r->at;
    while (from < r->end && (from = memchr(from, '\r', (size_t)(r->end - from))) != NULL) {
        if ((size_t)(r->end - from) >= r->line_size && memcmp(from, r->line, r->line_size) == 0) {
            part->size = (size_t)(from - r->at);
            r->at = from + r->line_size;
            return 0;
        }
        from++;
    }
    return refuse(r, 400, "it ends within a part");
}

int multipart_parse(const char *content_type, const unsigned char *body, size_t size,
                    struct multipart_part *parts, size_t max, size_t *count, char why[HTTP_WHY])
{
    static const char nothing[] = "";
    struct reader r = {.at = size ? (const char *)body : nothing, .why = why};
    r.end = r.at + size;
    *count = 0;
    int status = read_boundary(&r, content_type);
    if (status != 0)
        return status;
    if (!starts(&r, r.line + 2, r.line_size - 2))
        return refuse(&r, 400, "it does not begin with the boundary");
    r.at += r.line_size - 2;
    for (size_t n = 0;; n++) { /* behind a boundary */
        if (starts(&r, "--", 2)) {
            r.at += 2;
            if (starts(&r, "\r\n", 2))
                r.at += 2;
            if (left(&r) > 0)
                return refuse(&r, 400, "there is something behind its end");
            *count = n;
            return 0;
        }
        if (!starts(&r, "\r\n", 2))
            return refuse(&r, 400, "a boundary is not alone in its line");
        r.at += 2;
        if (n == max)
            return refuse(&r, 413, "too many parts");
        struct multipart_part part = {0};
        if ((status = headers(&r, &part)) != 0 || (status = data(&r, &part)) != 0)
            return status;
        parts[n] = part;
    }
}
