/* A Content-Type, a line end, a body of multipart/form-data. The parts lie in order inside the body and do
 * not overlap; a body made of them reads as the same parts; with one part too few allowed, it is refused. */
#include <stdlib.h>
#include <string.h>

#include "serve/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 8, TYPE = 256, HEAD = 4096 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void inside(const void *at, size_t n, const unsigned char **from, const unsigned char *end)
{
    const unsigned char *p = at;
    require(p >= *from && p <= end && n <= (size_t)(end - p));
}

static void check_places(const struct multipart_part *part, size_t count, const unsigned char *body,
                         size_t size)
{
    const unsigned char *from = body, *const end = body + size;
    for (size_t i = 0; i < count; i++) {
        const struct multipart_part *p = &part[i];
        require(p->name && p->data);
        inside(p->name, p->name_len, &from, p->data);
        if (p->filename)
            inside(p->filename, p->filename_len, &from, p->data);
        if (p->type)
            inside(p->type, p->type_len, &from, p->data);
        inside(p->data, p->size, &from, end);
        from = p->data + p->size + 1;
    }
}

static unsigned char *put(unsigned char *to, const void *from, size_t n)
{
    if (n)
        memcpy(to, from, n);
    return to + n;
}

static unsigned char *puts_to(unsigned char *to, const char *text)
{
    return put(to, text, strlen(text));
}

/* The same bytes as a part; absent is not the same as empty. */
static bool same(const char *a, size_t n, const char *b, size_t m)
{
    return !a == !b && n == m && (n == 0 || memcmp(a, b, n) == 0);
}

static void rebuild(const char *type, const char *boundary, const struct multipart_part *part, size_t count,
                    size_t size)
{
    unsigned char *body = malloc(size + (count + 1) * HEAD), *to = body;
    struct multipart_part again[MAX];
    size_t n = 0;
    char why[HTTP_WHY];
    require(body != NULL);
    for (size_t i = 0; i < count; i++)
        if (part[i].type_len > HEAD / 2) { /* written out again, its headers may be too long */
            free(body);
            return;
        }
    for (size_t i = 0; i < count; i++) {
        to = puts_to(to, "--");
        to = puts_to(to, boundary);
        to = puts_to(to, "\r\nContent-Disposition: form-data; name=\"");
        to = put(to, part[i].name, part[i].name_len);
        to = puts_to(to, "\"");
        if (part[i].filename) {
            to = puts_to(to, "; filename=\"");
            to = put(to, part[i].filename, part[i].filename_len);
            to = puts_to(to, "\"");
        }
        if (part[i].type) {
            to = puts_to(to, "\r\nContent-Type: ");
            to = put(to, part[i].type, part[i].type_len);
        }
        to = puts_to(to, "\r\n\r\n");
        to = put(to, part[i].data, part[i].size);
        to = puts_to(to, "\r\n");
    }
    to = puts_to(to, "--");
    to = puts_to(to, boundary);
    to = puts_to(to, "--\r\n");
    require(multipart_parse(type, body, (size_t)(to - body), again, MAX, &n, why) == 0 && n == count);
    for (size_t i = 0; i < count; i++) {
        require(same(part[i].name, part[i].name_len, again[i].name, again[i].name_len));
        require(same(part[i].filename, part[i].filename_len, again[i].filename, again[i].filename_len));
        require(same(part[i].type, part[i].type_len, again[i].type, again[i].type_len));
        require(part[i].size == again[i].size &&
                (part[i].size == 0 || !memcmp(part[i].data, again[i].data, part[i].size)));
    }
    if (count > 0)
        require(multipart_parse(type, body, (size_t)(to - body), again, count - 1, &n, why) == 413 && n == 0);
    free(body);
}

static void parse(const char *type, const char *boundary, const unsigned char *body, size_t size)
{
    struct multipart_part part[MAX];
    size_t count = 77;
    char why[HTTP_WHY] = "";
    const int status = multipart_parse(type, body, size, part, MAX, &count, why);
    if (status != 0) {
        require((status == 400 || status == 413 || status == 415) && count == 0 && why[0]);
        return;
    }
    require(count <= MAX);
    check_places(part, count, body, size);
    if (boundary)
        rebuild(type, boundary, part, count, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size ? memchr(data, '\n', size < TYPE ? size : TYPE) : NULL;
    char type[TYPE + 1] = "";
    if (!line)
        return 0;
    const size_t head = (size_t)(line - data);
    memcpy(type, data, head);
    parse(type, NULL, line + 1, size - head - 1);
    parse("multipart/form-data; boundary=\"--B b\"", "--B b", line + 1, size - head - 1);
    return 0;
}
